import Domain
import XDS

/// Some objects, the pod of one Envoy, and the streams that two Envoys in its place have.
struct DiscoveryWorld {
    static let loop = LoopID(0)
    static let nodeID = "default/envoy"

    private(set) var fanOut = FanOut()
    private let node = ObjectKey(namespace: "default", name: "envoy")
    private let selectors: [ScopedSelector]
    private var isMoved = false
    private var isGone = false
    private var version = 0

    init() {
        selectors = ["one", "two"].compactMap { LabelSelector(labels: ["app": $0]) }
            .map { ScopedSelector(namespace: "default", selector: $0) }
        write(0, isRemoved: false)
        placePod()
        _ = fanOut.commit(synced: true)
    }

    mutating func serve(_ request: LoopRequest) -> LoopReply { fanOut.serve(Self.loop, request) }

    /// Where the Envoy's group stands.
    var position: Position? { fanOut.group(ofNodeID: Self.nodeID).flatMap { fanOut.store.position(of: $0) } }

    /// Writes object `number`, of which two are for each selector, and two want the same ports.
    mutating func write(_ number: Int, isRemoved: Bool) {
        version += 1
        let service = ObjectKey(namespace: "default", name: "o\(number)")
        if isRemoved {
            fanOut.removeFragment(service)
        } else {
            let units = (0..<2).compactMap { unit("o\(number)-\($0)", port: 100 + number / 2 * 10 + $0) }
            fanOut.setFragment(
                Fragment(service: service, creationSeconds: Int64(number), selector: selectors[number % 2], units: units))
        }
        _ = fanOut.commit(synced: true)
    }

    /// The pod matches the second selector as well, or no more.
    mutating func move() {
        isMoved.toggle()
        placePod()
    }

    mutating func togglePod() {
        isGone.toggle()
        placePod()
    }

    mutating func bringPodBack() {
        if isGone { togglePod() }
    }

    private mutating func placePod() {
        let matched = isGone ? nil : Set(selectors.prefix(isMoved ? 2 : 1))
        fanOut.setNode(NodeChange(key: node, uid: "", selectors: matched))
        _ = fanOut.commit(synced: true)
    }

    private func unit(_ name: String, port: Int) -> ListenerUnit? {
        func resource(_ type: ResourceType) -> EncodedResource {
            EncodedResource(type: type, name: name, payload: Array("\(name)=\(version)".utf8))
        }
        return PortNumber(port).map {
            ListenerUnit(
                transport: .udp, port: $0, listener: resource(.listener), cluster: resource(.cluster),
                assignment: resource(.endpoint))
        }
    }
}

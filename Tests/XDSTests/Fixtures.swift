import Domain
import Testing

@testable import XDS

func resource(_ type: ResourceType, _ name: String, _ content: String = "1") -> EncodedResource {
    EncodedResource(type: type, name: name, payload: Array("\(name)=\(content)".utf8))
}

func selector(_ labels: [String: String]) throws -> ScopedSelector {
    ScopedSelector(namespace: "default", selector: try #require(LabelSelector(labels: labels)))
}

func unit(_ name: String, port: Int, cluster: String? = nil, content: String = "1", endpoints: String? = "1") throws
    -> ListenerUnit
{
    let cluster = cluster ?? "c-\(name)"
    return ListenerUnit(
        transport: .udp, port: try #require(PortNumber(port)), listener: resource(.listener, name, "\(cluster) \(content)"),
        cluster: resource(.cluster, cluster, content), assignment: endpoints.map { resource(.endpoint, cluster, $0) })
}

func fragment(_ name: String, _ selector: ScopedSelector, created: Int64 = 0, _ units: [ListenerUnit]) -> Fragment {
    Fragment(service: key(name), creationSeconds: created, selector: selector, units: units)
}

func key(_ name: String) -> ObjectKey { ObjectKey(namespace: "default", name: name) }

/// A small, fast generator whose runs can be repeated (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

import Domain
import Kubernetes

/// Objects that come, change and go, up to the Envoys that get something of them. The input is a watch's body: an event a line, of pods and
/// VirtualServices alike.
///
/// The rules: whatever the order of events, each Envoy gets in the end what it would get if the objects that are left were all that ever
/// was; each resource can be read as what it says it is; and all of it is the same for who connects in another way, but for how hosts come.
enum ChangingObjects {
    private static let maximumEvents = 64

    static func run(_ bytes: [UInt8]) {
        var translation = LiveTranslation()
        for line in bytes.split(separator: UInt8(ascii: "\n"), maxSplits: maximumEvents).prefix(maximumEvents) {
            apply(Array(line), to: &translation)
        }
        translation.check()
    }

    private static func apply(_ line: [UInt8], to translation: inout LiveTranslation) {
        if let event = try? WatchedKind<Pod>.pods.frame(line, framing: .lines, namespace: "default"), isPod(line) {
            switch event.notice {
            case .applied: event.object?.object.map { translation.apply($0) }
            case .deleted: event.object?.metadata.map { translation.remove(pod: $0.key) }
            default: break
            }
        } else if let event = try? WatchedKind<VirtualService>.virtualServices.frame(line, framing: .lines, namespace: "default")
        {
            switch event.notice {
            case .applied: event.object?.object.map { translation.apply($0) }
            case .deleted: event.object?.metadata.map { translation.remove(service: $0.key) }
            default: break
            }
        }
    }

    private static func isPod(_ line: [UInt8]) -> Bool {
        (try? JSONParser.parse(line))?["object"]?["kind"]?.text == ObjectKind.pod.rawValue
    }
}

import ControlPlane
import XDS

/// A stream of requests against a small world that changes.
///
/// The input is a list of steps, each of two bytes and what belongs to them: a length below 0xFF00 and so many bytes of a request, which
/// may be anything; or 0xFF and an ``DiscoveryEvent``, so that a fuzzer gets deep into a stream without guessing nonces.
///
/// The rules: the quick way to read requests and the slow one lead to the same responses; a response is well-formed and has a nonce of its
/// own; names take no more memory than the client sent bytes, times a constant; and whatever has been, a client that answers what it is
/// sent is quiet after a while, and the server knows that it has everything.
enum DiscoveryStreams {
    private static let maximumSteps = 256

    static func runDelta(_ bytes: [UInt8]) {
        run(bytes, DiscoveryRig(DeltaClient(), { DeltaForm() }))
    }

    static func runWorld(_ bytes: [UInt8]) {
        run(bytes, DiscoveryRig(WorldClient(), { WorldForm(isAggregated: true) }))
    }

    private static func run(_ bytes: [UInt8], _ rig: DiscoveryRig) {
        var rig = rig
        var rest = bytes[...]
        var count = 0
        rig.serve()
        while rest.count >= 2, count < maximumSteps, !rig.hasEnded {
            let (high, low) = (rest.removeFirst(), rest.removeFirst())
            if high == 0xFF {
                rig.perform(DiscoveryEvent(low))
            } else {
                let length = Int(high) << 8 | Int(low)
                rig.receive(Array(rest.prefix(length)))
                rest = rest.dropFirst(length)
            }
            count += 1
            // Between requests the world goes on.
            if count % 3 == 0 { rig.changeWorld(UInt8(truncatingIfNeeded: count)) }
            if count == 5 { rig.perform(.graceElapses) }
            rig.check(sent: bytes.count)
        }
        rig.settle()
    }
}

/// What happens to a stream besides requests of any form.
enum DiscoveryEvent {
    /// The client acknowledges the oldest response that it has not answered.
    case acknowledgement
    /// The client rejects it; nil when it does not say what of it, and whether it is for an address that is taken.
    case rejection(place: Int?, isConflict: Bool)
    /// An object is written (with new content) or removed.
    case write(object: Int, isRemoved: Bool)
    /// The pod comes to match other selectors.
    case move
    /// The pod is gone, or back.
    case pod
    case graceElapses
    case addressPauseElapses

    init(_ byte: UInt8) {
        let (kind, detail) = (byte & 7, Int(byte >> 3))
        switch kind {
        case 0, 1: self = .acknowledgement
        case 2: self = .rejection(place: detail & 7, isConflict: detail & 8 != 0)
        case 3: self = .rejection(place: nil, isConflict: false)
        case 4: self = .write(object: detail & 3, isRemoved: detail & 4 != 0)
        case 5: self = .move
        case 6: self = detail & 1 == 0 ? .graceElapses : .addressPauseElapses
        default: self = .pod
        }
    }
}

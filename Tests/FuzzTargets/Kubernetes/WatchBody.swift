import Domain
import Kubernetes

enum WatchBody {
    /// The first byte's highest bit says whether the body is divided by lines or by lengths.
    ///
    /// The rules: frames do not depend on where the body was cut; JSON that was read is written and read again as the same; and an event
    /// means the same each time it is read.
    static func run(_ bytes: [UInt8]) {
        let framing: WatchFraming = bytes.first.map { $0 & 0x80 == 0 } ?? true ? .lines : .lengths
        let whole = frames(CollectionOfOne(Array(bytes.dropFirst())), framing)
        let cut = frames(Pieces(bytes), framing)
        expect(
            whole.prefix(cut.count).elementsEqual(cut) || cut.prefix(whole.count).elementsEqual(whole), "cutting changes frames")
        for frame in whole {
            if framing == .lines { JSONTexts.rewrite(frame) }
            read(.pods, frame, framing)
            read(.watchedVirtualServices, frame, framing)
            read(.virtualServices, frame, framing)
        }
    }

    private static func read<Object>(_ kind: WatchedKind<Object>, _ frame: [UInt8], _ framing: WatchFraming) {
        _ = try? kind.page(frame, namespace: nil)
        guard let event = try? kind.frame(frame, framing: framing, namespace: "a") else { return }
        let again = try? kind.frame(frame, framing: framing, namespace: "a")
        expect(event.notice == again?.notice, "an event means something else the second time")
        expect(event.object?.object == again?.object?.object, "an object differs from itself")
        let isUsable = event.object?.object == nil || event.object?.metadata != nil
        expect(isUsable, "an object has no metadata")
    }

    private static func frames(_ pieces: some Sequence<[UInt8]>, _ framing: WatchFraming) -> [[UInt8]] {
        var splitter = FrameSplitter(framing, limit: 1 << 16)
        var frames: [[UInt8]] = []
        for piece in pieces {
            guard let complete = try? splitter.append(piece) else { return frames }
            frames += complete
        }
        return frames
    }
}

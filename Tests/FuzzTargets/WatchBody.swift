import Domain
import Kubernetes

enum WatchBody {
    /// The first byte's highest bit says whether the body is divided by lines or by lengths.
    static func run(_ bytes: [UInt8]) {
        let framing: WatchFraming = bytes.first.map { $0 & 0x80 == 0 } ?? true ? .lines : .lengths
        let whole = frames(CollectionOfOne(Array(bytes.dropFirst())), framing)
        let cut = frames(Pieces(bytes), framing)
        expect(
            whole.prefix(cut.count).elementsEqual(cut) || cut.prefix(whole.count).elementsEqual(whole), "cutting changes frames")
        for frame in whole {
            if let event = try? WatchedKind<Pod>.pods.frame(frame, framing: framing, namespace: nil) { use(event.object?.object) }
            if let event = try? WatchedKind<WatchedVirtualService>.watchedVirtualServices.frame(
                frame, framing: framing, namespace: "a")
            {
                use(event.object?.object?.service)
            }
            _ = try? WatchedKind<Pod>.pods.page(frame, namespace: nil)
        }
    }

    private static func use<Object: Equatable>(_ object: Object?) {
        expect(object == object, "an object differs from itself")
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

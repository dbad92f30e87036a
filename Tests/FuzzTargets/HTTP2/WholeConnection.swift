import GRPC
import HTTP2

/// An HTTP/2 session with its RPCs, without a socket. Every message is answered with itself.
///
/// The rules: what a client is heard to say does not depend on where TCP cut its bytes; what it is sent are whole frames, on streams of its
/// own; and each of its streams is sent its messages, in order, as many as there was room for.
enum WholeConnection {
    /// The preface and the settings of a client, so that a fuzzer need not guess them. An input may still say them itself.
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]

    static func run(_ bytes: [UInt8]) {
        let beginning = bytes.first.map { $0 & 0x80 == 0 } ?? true ? preface : []
        let takenAtOnce = bytes.first.map { $0 == 0 ? Int.max : Int($0) * 7 } ?? .max
        answer([beginning] + Pieces(bytes), takenAtOnce: takenAtOnce)
        let whole = HeardEvents(of: [beginning + bytes.dropFirst()])
        let cut = HeardEvents(of: [beginning] + Pieces(bytes))
        if !whole.hasEnded, !cut.hasEnded {
            expect(whole.texts == cut.texts && whole.data == cut.data, "cutting changes what is heard")
        } else {
            let isDifferent = (whole.failure == nil) != (cut.failure == nil)
            expect(!isDifferent || whole.isGoingAway || cut.isCutTooFine, "cutting decides whether a session fails")
            // Whoever is shown out for a flood is so at the end of a piece.
            expect(whole.texts.starts(with: cut.texts) || cut.texts.starts(with: whole.texts), "cutting changes what is heard")
        }
    }

    private static func answer(_ pieces: [[UInt8]], takenAtOnce: Int) {
        var server = EchoServer()
        var frames = SentFrames()
        let now = ContinuousClock.now
        for piece in pieces where server.session.failure == nil {
            piece.withUnsafeBytes { server.session.receive($0, at: now) }
            server.handleEvents()
            flush(server.session, takenAtOnce, &frames)
            server.handleEvents()
        }
        expect(server.streams.count <= SessionSettings().maximumConcurrentStreams, "too many streams")
        if server.session.failure == nil { server.session.terminate() }
        flush(server.session, takenAtOnce, &frames)
        expect(frames.isAtBoundary, "the output ends within a frame")
        for (id, sent) in frames.messageBytes {
            expect(server.echoed[id]?.starts(with: sent) ?? sent.isEmpty, "a stream is sent what is not its own")
        }
    }

    /// The socket takes so many bytes at a time, until there are no more.
    private static func flush(_ session: ServerSession, _ takenAtOnce: Int, _ frames: inout SentFrames) {
        session.fillOutput()
        session.markBlockedStreams()
        while !session.output.isEmpty {
            let taken = session.output.withVectors(maximum: 8) { vectors in Array(vectors.joined().prefix(takenAtOnce)) }
            expect(!taken.isEmpty, "output that can't be written")
            frames.take(taken)
            _ = session.wrote(taken.count)
            session.fillOutput()
        }
        expect(session.output.byteCount == 0, "output is left that was written")
    }
}

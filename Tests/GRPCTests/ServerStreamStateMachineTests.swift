import GRPC
import Testing

@Suite struct ServerStreamStateMachineTests {
    private static let fields: [HeaderField] = [(":method", "POST"), (":path", "/a.B/C"), ("content-type", "application/grpc")]

    private func open(endOfStream: Bool = false) throws -> ServerStreamStateMachine {
        let opening = ServerStreamStateMachine.open(Self.fields, endOfStream: endOfStream, maximumMessageSize: 100)
        guard case .open(let machine, let head) = opening else {
            throw Status(.internal, "the request was refused").asError
        }
        #expect(head.path == "/a.B/C")
        return machine
    }

    @Test func refusesARequestThatIsNoRPC() {
        guard case .respond(let fields) = ServerStreamStateMachine.open([], endOfStream: false, maximumMessageSize: 1) else {
            Issue.record("the request was accepted")
            return
        }
        #expect(fields.first?.value == "405")
    }

    @Test func deliversMessagesOneByOne() throws {
        var machine = try open()
        var bytes: ArraySlice<UInt8> = [0, 0, 0, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0]
        #expect(machine.receive(&bytes) == .deliver([9]))
        #expect(machine.receive(&bytes) == .deliver([]))
        #expect(machine.receive(&bytes) == .wait)
        #expect(machine.receiveEnd() == .fail(Status(.internal, "the client ended the stream inside a message")))
    }

    @Test func deliversTheEndOnce() throws {
        var machine = try open()
        #expect(machine.receiveEnd() == .deliverEnd)
        #expect(machine.receiveEnd() == .ignore)
        var late: ArraySlice<UInt8> = [0, 0, 0, 0, 0]
        #expect(machine.receive(&late) == .wait)
        #expect(late.isEmpty)
    }

    @Test func aViolationEndsTheClientsHalf() throws {
        var machine = try open()
        var bytes: ArraySlice<UInt8> = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        guard case .fail(let status) = machine.receive(&bytes) else {
            Issue.record("the compressed message was taken")
            return
        }
        #expect(status.code == .unimplemented)
        #expect(bytes.isEmpty)
        #expect(machine.receiveEnd() == .ignore)
    }

    @Test func sendsTheHeadBeforeTheFirstMessageOnly() throws {
        var machine = try open(endOfStream: true)
        guard case .sendHeadAndMessage(let head) = machine.send(), case .sendMessage = machine.send(),
            case .sendTrailers(let trailers) = machine.finish(.ok), case .ignore = machine.send(),
            case .ignore = machine.finish(.ok)
        else {
            Issue.record("unexpected actions")
            return
        }
        #expect(head.map(\.value) == ["200", "application/grpc"])
        #expect(trailers.map(\.value) == ["0"])
    }

    @Test func finishingASilentRPCIsTrailersOnly() throws {
        var machine = try open()
        guard case .respond(let fields) = machine.finish(Status(.notFound, "")) else {
            Issue.record("no trailers-only response")
            return
        }
        #expect(fields.map(\.name) == [":status", "content-type", "grpc-status"])
    }

    @Test func whatArrivesAfterTheServersEndIsDroppedAndFreed() throws {
        var machine = try open()
        var part: ArraySlice<UInt8> = [0, 0, 0, 0, 9, 1, 2, 3]
        #expect(machine.receive(&part) == .wait)
        #expect(machine.bufferedByteCount == 3)
        _ = machine.finish(.ok)
        #expect(machine.bufferedByteCount == 0)
        var rest: ArraySlice<UInt8> = [4, 5, 6, 7, 8, 9]
        #expect(machine.receive(&rest) == .wait)
        #expect(rest.isEmpty)
    }
}

extension Status {
    fileprivate struct Thrown: Error {
        let status: Status
    }

    fileprivate var asError: some Error { Thrown(status: self) }
}

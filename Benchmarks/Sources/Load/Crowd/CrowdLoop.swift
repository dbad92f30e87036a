import CLinux
import Glibc
import HeapModule
import Measurement
import SimulatedEnvoy

/// The thread's side of a crowd: epoll, sockets and timers. Everything here happens on the crowd's thread.
final class CrowdLoop {
    private enum Wake {
        case resumeReading
        case breakConnection
        case connect
    }

    private struct Timer: Comparable {
        let at: Moment
        let member: Int
        let generation: Int
        let wake: Wake

        static func < (left: Timer, right: Timer) -> Bool { left.at < right.at }
        static func == (left: Timer, right: Timer) -> Bool { left.at == right.at && left.member == right.member }
    }

    private static let wakeIndex = UInt64.max

    private let options: CrowdOptions
    private let profile: EnvoyProfile
    /// Nil where plaintext is spoken.
    private let tls: TLSClient?
    private let descriptor: CInt
    private let shared: CrowdShared
    private var members: [Member] = []
    private var timers = Heap<Timer>()
    private var waiting: [Int] = []
    private var inRamp = 0
    private var now = Moment.now
    private var isStopped = false
    private var random = SystemRandomNumberGenerator()
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 16)
    private var events = [epoll_event](repeating: epoll_event(), count: 256)

    var state = CrowdState()
    var round: Round?
    var calls: CallTracker?

    init(_ options: CrowdOptions, shared: CrowdShared) throws {
        self.options = options
        self.shared = shared
        tls = try options.tls.map { try TLSClient($0) }
        profile = EnvoyProfile(
            form: options.form, sendsNodeOnce: options.sendsNodeOnce, nodeByteCount: options.nodeByteCount,
            authority: options.address.description)
        descriptor = epoll_create1(CInt(EPOLL_CLOEXEC))
        guard descriptor >= 0 else { throw LoadError.system("epoll_create1", errno) }
        var event = epoll_event()
        event.events = EPOLLIN.rawValue
        event.data.u64 = Self.wakeIndex
        guard epoll_ctl(descriptor, EPOLL_CTL_ADD, shared.wakeDescriptor, &event) == 0 else {
            throw LoadError.system("epoll_ctl", errno)
        }
        makeMembers()
    }

    deinit {
        for member in members { member.close() }
        close(descriptor)
        buffer.deallocate()
    }

    private func makeMembers() {
        let size = max(1, options.streamsPerConnection)
        let count = (options.nodeIDs.count + size - 1) / size
        for index in 0..<count {
            let range = index * size..<min((index + 1) * size, options.nodeIDs.count)
            let behaviour = options.behaviour(of: index, count: count)
            members.append(
                Member(
                    index: index, behaviour: behaviour, firstStream: range.lowerBound,
                    streams: range.map { EnvoyStream(options.nodeIDs[$0], profile) }, loop: self))
            if behaviour == .steady { state.steady += range.count }
        }
        state.streams = options.nodeIDs.count
    }

    // MARK: - The thread

    func run() {
        while !isStopped {
            let count = epoll_wait(descriptor, &events, CInt(events.count), timeout())
            now = .now
            for index in 0..<max(0, Int(count)) { handle(events[index]) }
            fireTimers()
            connectWaiting()
            publish()
        }
    }

    func stop() { isStopped = true }

    /// Connects everyone who is not connected.
    func connectAll() {
        state.beganAt = .now
        state.completeAt = nil
        waiting = members.filter { $0.state == .idle }.map(\.index).reversed()
        connectWaiting()
    }

    /// Breaks all connections, as if the network went away; everyone comes back with what it has.
    func breakAll() {
        for member in members where member.state != .idle { drop(member) }
        connectAll()
    }

    private func handle(_ event: epoll_event) {
        guard event.data.u64 != Self.wakeIndex else {
            for command in shared.takeCommands() { command(self) }
            return
        }
        let member = members[Int(event.data.u64)]
        guard member.state != .idle else { return }
        member.state = .open
        if event.events & (EPOLLIN.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 { read(member) }
        flush(member)
    }

    private func read(_ member: Member) {
        let isSlow = member.behaviour == .slow && member.incomplete == 0
        let space = isSlow ? UnsafeMutableRawBufferPointer(rebasing: buffer[..<options.slowReading.byteCount]) : buffer
        while let channel = member.channel, let connection = member.connection {
            switch channel.read(into: space) {
            case .transferred(let count):
                if member.isAwaitingServer { welcomeBack(member) }
                connection.receive(UnsafeRawBufferPointer(rebasing: space[..<count]), member)
                if isSlow { return pause(member) }
                if count < space.count { return }
            case .blocked: return
            case .ended(let reason): return lose(member, reason)
            }
        }
    }

    /// A slow reader looks away for a while.
    private func pause(_ member: Member) {
        watch(member, reading: false)
        schedule(.resumeReading, member, after: options.slowReading.pause)
    }

    private func flush(_ member: Member) {
        guard let connection = member.connection, let channel = member.channel else { return }
        while member.written < connection.output.count {
            let outcome = connection.output.withUnsafeBytes {
                channel.write(UnsafeRawBufferPointer(rebasing: $0[member.written...]))
            }
            switch outcome {
            case .transferred(let count): member.written += count
            case .blocked: return watch(member, writing: true)
            case .ended(let reason): return lose(member, reason)
            }
        }
        connection.output.removeAll(keepingCapacity: connection.output.count <= 512)
        member.written = 0
        watch(member, writing: false)
        acknowledge(member)
    }

    private func watch(_ member: Member, reading: Bool? = nil, writing: Bool? = nil) {
        guard let channel = member.channel else { return }
        var interest = member.interest
        if let reading { interest = reading ? interest | EPOLLIN.rawValue : interest & ~EPOLLIN.rawValue }
        if let writing { interest = writing ? interest | EPOLLOUT.rawValue : interest & ~EPOLLOUT.rawValue }
        guard interest != member.interest else { return }
        member.interest = interest
        var event = epoll_event()
        event.events = interest
        event.data.u64 = UInt64(member.index)
        epoll_ctl(descriptor, EPOLL_CTL_MOD, channel.descriptor, &event)
    }

    // MARK: - Connections that come and go

    private func connectWaiting() {
        while inRamp < options.concurrentRamp, let index = waiting.popLast() { connect(members[index]) }
    }

    private func connect(_ member: Member) {
        guard member.state == .idle else { return }
        do {
            let socket = try PlainChannel(connectingTo: options.address)
            let channel: any ByteChannel = try tls.map { try $0.channel(over: socket) } ?? socket
            member.open(channel, profile)
            inRamp += member.streams.count
            var event = epoll_event()
            member.interest = EPOLLIN.rawValue | EPOLLOUT.rawValue
            event.events = member.interest
            event.data.u64 = UInt64(member.index)
            guard epoll_ctl(descriptor, EPOLL_CTL_ADD, channel.descriptor, &event) == 0 else {
                throw LoadError.system("epoll_ctl", errno)
            }
        } catch {
            noteLoss("\(error)")
            if member.state != .idle { drop(member) }
            schedule(.connect, member, after: 0.05)
        }
    }

    /// The server or the network ended a connection: the Envoy comes back soon.
    func lose(_ member: Member, _ reason: String) {
        guard member.state != .idle else { return }
        noteLoss(reason)
        drop(member)
        schedule(.connect, member, after: Double.random(in: 0.01...0.1, using: &random))
    }

    private func noteLoss(_ reason: String) {
        state.lost += 1
        state.lastLoss = reason
    }

    private func drop(_ member: Member) {
        inRamp -= member.incomplete
        state.complete -= member.streams.count - member.incomplete
        if state.completeAt != nil {
            state.completeAt = nil
            state.beganAt = .now
        }
        member.close()
    }

    // MARK: - Time

    private func schedule(_ wake: Wake, _ member: Member, after seconds: Double) {
        timers.insert(
            Timer(at: Moment.now.advanced(seconds: seconds), member: member.index, generation: member.generation, wake: wake))
    }

    private func fireTimers() {
        while let next = timers.min, next.at <= now {
            timers.removeMin()
            let member = members[next.member]
            guard member.generation == next.generation else { continue }
            switch next.wake {
            case .resumeReading: watch(member, reading: true)
            case .connect: waiting.append(member.index)
            case .breakConnection:
                if member.state != .idle { drop(member) }
                state.broken += 1
                waiting.append(member.index)
            }
        }
    }

    private func timeout() -> CInt {
        guard let next = timers.min else { return -1 }
        return CInt(clamping: max(0, next.at.since(.now) / 1_000_000 + 1))
    }

    // MARK: - What members tell

    func received(_ response: DiscoveryResponse, from member: Member, _ stream: Int, becameComplete: Bool) {
        state.responses += 1
        state.responseBytes += response.bytes.count
        state.resources += response.resourceCount
        if becameComplete { completed(member) }
        guard member.behaviour == .steady else { return }
        if round?.receive(response, on: stream, at: now) == true { member.unacknowledgedStreams.append(stream) }
        if calls != nil {
            let numbers = CallTracker.calls(in: response)
            if !numbers.isEmpty {
                calls?.receive(numbers, at: now)
                member.unacknowledgedCalls += numbers
            }
        }
    }

    func rejected() { state.rejected += 1 }

    /// One that came back counts as complete once the server speaks to it.
    private func welcomeBack(_ member: Member) {
        member.isAwaitingServer = false
        for _ in 0..<member.streams.count(where: \.isComplete) {
            member.incomplete -= 1
            completed(member)
        }
    }

    private func completed(_ member: Member) {
        state.complete += 1
        inRamp -= 1
        if state.complete == state.streams { state.completeAt = .now }
        if member.incomplete == 0, member.behaviour == .reconnecting {
            schedule(.breakConnection, member, after: options.reconnectInterval * Double.random(in: 0.5...1.5, using: &random))
        }
    }

    /// The output of a member is gone, and with it its acknowledgements.
    private func acknowledge(_ member: Member) {
        if !member.unacknowledgedStreams.isEmpty {
            let moment = Moment.now
            for stream in member.unacknowledgedStreams { round?.acknowledge(stream, at: moment) }
            member.unacknowledgedStreams = []
        }
        if !member.unacknowledgedCalls.isEmpty {
            calls?.acknowledge(member.unacknowledgedCalls, at: .now)
            member.unacknowledgedCalls = []
        }
    }

    private func publish() {
        state.received = round?.receivedCount ?? 0
        state.acknowledged = round?.acknowledgedCount ?? 0
        state.callsDone = calls?.result.acknowledged.count ?? 0
        shared.publish(state)
    }
}

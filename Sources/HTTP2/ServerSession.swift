import CNghttp2
public import GRPC

/// The server's end of one HTTP/2 connection: bytes in, events out; frames in, bytes out. No I/O, no clock.
///
/// It owns one `nghttp2_session` and belongs to one connection, whose isolation it never leaves: nghttp2 calls back synchronously,
/// inside `receive` and `fillOutput`, and the callbacks only copy and enqueue. Events therefore wait in the session until
/// `takeEvents`, and whoever handles them is free to call the session again.
public final class ServerSession {
    let settings: SessionSettings
    private var handle: OpaquePointer?
    private var events: [SessionEvent] = []

    /// The frames that wait for the socket.
    public internal(set) var output = OutputQueue()
    /// Message bytes of all streams that the socket has not taken yet.
    public internal(set) var pendingByteCount = 0
    /// Whether the peer's first SETTINGS have arrived, which complete its preface.
    public internal(set) var isPrefaceComplete = false
    /// Whether the peer has acknowledged our SETTINGS.
    public internal(set) var isSettingsAcknowledged = false
    /// Whether a header section has begun and not ended.
    public var isInsideHeaders: Bool { openHeaders != nil }
    /// The stream of a header section that has begun and not ended.
    public var openHeaderStreamID: Int32? { openHeaders?.streamID }
    /// Set once the session cannot go on.
    public private(set) var failure: SessionFailure?

    var streams: [Int32: OutboundStream] = [:]
    var openHeaders: OpenHeaders?
    /// What the peer did since the last call of `receive` that costs it tokens.
    var resetCount = 0
    /// How many times header lists have gone over the limit since then, and over each multiple of it.
    var headerExcessCount = 0

    /// Bytes that have arrived on streams whose input is held, and for which the peer gets no room yet.
    private var held: [Int32: Int] = [:]
    private var frames: FrameCounter
    private var resets: FloodGuard
    private var requests: FloodGuard
    private var headerExcess: FloodGuard
    private var controlFrames: FloodGuard

    /// The header section under way.
    struct OpenHeaders {
        let streamID: Int32
        var fields: [HeaderField] = []
        var listSize = 0
    }

    /// Begins a session; its SETTINGS are the first bytes of the output.
    public init(settings: SessionSettings) {
        self.settings = settings
        frames = FrameCounter(smallestDataFrame: settings.smallestDataFrame)
        resets = FloodGuard(burst: settings.resetBurst, perSecond: settings.resetsPerSecond)
        requests = FloodGuard(burst: settings.requestBurst, perSecond: settings.requestsPerSecond)
        headerExcess = FloodGuard(burst: settings.headerExcessBurst, perSecond: settings.headerExcessPerSecond)
        controlFrames = FloodGuard(burst: settings.controlFrameBurst, perSecond: settings.controlFramesPerSecond)

        var option: OpaquePointer?
        nghttp2_option_new(&option)
        defer { nghttp2_option_del(option) }
        nghttp2_option_set_max_deflate_dynamic_table_size(option, 0)
        nghttp2_option_set_no_closed_streams(option, 1)
        // `didReceiveData` gives room anew, because some streams have to wait for it.
        nghttp2_option_set_no_auto_window_update(option, 1)
        // Resets are counted here, those that we send included; nghttp2's own limit ends with INTERNAL_ERROR.
        nghttp2_option_set_stream_reset_rate_limit(option, UInt64(UInt32.max), UInt64(UInt32.max))
        check(
            nghttp2_session_server_new2(
                &handle, SessionCallbacks.shared.pointer, Unmanaged.passUnretained(self).toOpaque(), option))
        submitSettings()
    }

    deinit {
        nghttp2_session_del(handle)
    }

    private func submitSettings() {
        func entry(_ id: nghttp2_settings_id, _ value: Int) -> nghttp2_settings_entry {
            nghttp2_settings_entry(settings_id: Int32(bitPattern: id.rawValue), value: UInt32(clamping: value))
        }
        let entries = [
            entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings.maximumConcurrentStreams),
            entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings.streamWindow),
            entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, settings.maximumHeaderListSize),
            // No table: 0.9 KiB less a connection, and nothing an HPACK bomb could refer to.
            entry(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, 0),
            // Priorities of RFC 7540 let a peer make us keep a tree; RFC 9113 section 5.3 deprecates them.
            entry(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1),
        ]
        check(nghttp2_submit_settings(handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), entries, entries.count))
        check(
            nghttp2_session_set_local_window_size(
                handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, Int32(clamping: settings.connectionWindow)))
    }

    // MARK: - Input

    /// Takes bytes from the peer; what they mean is found by `takeEvents`.
    public func receive(_ bytes: UnsafeRawBufferPointer, at now: ContinuousClock.Instant) {
        guard failure == nil, let start = bytes.bindMemory(to: UInt8.self).baseAddress else { return }
        let counts = frames.count(bytes)
        let code = nghttp2_session_mem_recv(handle, start, bytes.count)
        if code < 0 { fail(Self.failure(code: Int(code))) }
        let (resetCount, headerExcessCount) = (resetCount, headerExcessCount)
        (self.resetCount, self.headerExcessCount) = (0, 0)
        if !resets.admit(counts.resets + resetCount, at: now) { fail(.flood("too many stream resets")) }
        if !requests.admit(counts.requests, at: now) { fail(.flood("too many requests")) }
        if !headerExcess.admit(headerExcessCount, at: now) { fail(.flood("too much of header lists over the limit")) }
        if !controlFrames.admit(counts.controlFrames, at: now) { fail(.flood("too many control frames")) }
        if nghttp2_session_get_outbound_queue_size(handle) > settings.maximumQueuedFrames {
            fail(.flood("too many frames to answer and the peer does not read"))
        }
    }

    /// Whether `takeEvents` would return any.
    public var hasEvents: Bool { !events.isEmpty }

    /// The events since the last call.
    public func takeEvents() -> [SessionEvent] {
        defer { events = [] }
        return events
    }

    func enqueue(_ event: SessionEvent) {
        events.append(event)
    }

    /// Gives the peer no more room on a stream than it has, nor on the connection for what arrives on it, until `releaseInput`
    /// (RFC 9113 section 5.2).
    public func holdInput(_ streamID: Int32) {
        guard streams[streamID] != nil, held[streamID] == nil else { return }
        held[streamID] = 0
    }

    /// Gives room for what has arrived meanwhile, and from now on.
    public func releaseInput(_ streamID: Int32) {
        // The connection gets its room back even when the stream is gone.
        if let count = held.removeValue(forKey: streamID) { check(nghttp2_session_consume(handle, streamID, count)) }
    }

    func didReceiveData(_ streamID: Int32, _ bytes: UnsafeBufferPointer<UInt8>) {
        enqueue(.data(streamID: streamID, bytes: Array(bytes)))
        if held.isEmpty || held[streamID] == nil {
            check(nghttp2_session_consume(handle, streamID, bytes.count))
        } else {
            held[streamID, default: 0] += bytes.count
        }
    }

    // MARK: - Output

    /// Makes frames until the output holds as much as it should or there is nothing to send.
    public func fillOutput() {
        while !isOutputFull, nghttp2_session_want_write(handle) != 0 {
            var bytes: UnsafePointer<UInt8>?
            let before = output.byteCount
            let count = nghttp2_session_mem_send(handle, &bytes)
            if count < 0 { return fail(Self.failure(code: Int(count))) }
            output.append(frame: UnsafeBufferPointer(start: bytes, count: Int(count)))
            // DATA frames go into the output by callback and are not in the count.
            if count == 0 && output.byteCount == before { return }
        }
    }

    var isOutputFull: Bool { output.byteCount >= settings.outputHighWaterMark }

    /// The socket took `count` bytes of the output. Returns how many of them were message bytes.
    @discardableResult
    public func wrote(_ count: Int) -> Int {
        var messageByteCount = 0
        output.consume(count) { stream, count in
            guard !stream.isClosed else { return }
            stream.written(count)
            messageByteCount += count
            if stream.isBlocked && stream.pendingByteCount == 0 {
                stream.isBlocked = false
                events.append(.drained(streamID: stream.id))
            }
        }
        pendingByteCount -= messageByteCount
        return messageByteCount
    }

    /// Notes which streams have bytes the socket could not take: each gets a `drained` event.
    public func markBlockedStreams() {
        guard pendingByteCount > 0 else { return }
        for stream in streams.values where stream.pendingByteCount > 0 { stream.isBlocked = true }
    }

    /// Message bytes of a stream that the socket has not taken yet.
    public func pendingByteCount(of streamID: Int32) -> Int {
        streams[streamID]?.pendingByteCount ?? 0
    }

    /// Whether there is anything to write, or to say about how the session ends.
    public var needsFlush: Bool {
        pendingByteCount > 0 || !output.isEmpty || failure != nil || nghttp2_session_want_write(handle) != 0
            || nghttp2_session_want_read(handle) == 0
    }

    /// Whether both ends are done: close the connection once the output is flushed.
    public var isFinished: Bool {
        failure != nil || (nghttp2_session_want_read(handle) == 0 && nghttp2_session_want_write(handle) == 0)
    }

    // MARK: - Streams

    /// Sends response headers; the stream goes on with messages.
    public func respond(_ streamID: Int32, _ fields: [HeaderField]) {
        guard let stream = streams[streamID], !stream.hasBegun else { return }
        stream.hasBegun = true
        var priority = nghttp2_extpri(urgency: UInt32(NGHTTP2_EXTPRI_DEFAULT_URGENCY), inc: 1)
        nghttp2_session_change_extpri_stream_priority(handle, streamID, &priority, 1)  // take turns with other streams
        var provider = nghttp2_data_provider()
        provider.read_callback = SessionCallbacks.readData
        // Good until the stream's close callback, after which nghttp2 asks for no data of the stream: `streams` holds it until then.
        provider.source.ptr = Unmanaged.passUnretained(stream).toOpaque()
        submit(fields) { nghttp2_submit_response(handle, streamID, $0, $1, &provider) }
    }

    /// Sends response headers that are the whole response.
    public func respondAndEnd(_ streamID: Int32, _ fields: [HeaderField]) {
        guard let stream = streams[streamID], !stream.hasBegun else { return }
        stream.hasBegun = true
        submit(fields) { nghttp2_submit_response(handle, streamID, $0, $1, nil) }
    }

    /// Queues a message behind the stream's others.
    public func send(_ streamID: Int32, _ message: OutboundMessage) {
        if let stream = streams[streamID] { send(stream, message) }
    }

    /// The outbound half of a stream, for those who would look it up often.
    package func outbound(_ streamID: Int32) -> OutboundStream? { streams[streamID] }

    /// Queues a message behind the stream's others.
    package func send(_ stream: OutboundStream, _ message: OutboundMessage) {
        guard !stream.isClosed, stream.trailers == nil else { return }
        stream.append(message)
        pendingByteCount += message.byteCount
        resume(stream)
    }

    /// Ends the stream with trailers once its messages are sent.
    public func end(_ streamID: Int32, trailers: [HeaderField]) {
        guard let stream = streams[streamID], stream.trailers == nil else { return }
        stream.trailers = trailers
        resume(stream)
    }

    /// Resets a stream; its unsent messages are dropped.
    public func reset(_ streamID: Int32, errorCode: UInt32) {
        guard streams[streamID] != nil else { return }
        check(nghttp2_submit_rst_stream(handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), streamID, errorCode))
    }

    /// Resets a stream that is of no more use (CANCEL, RFC 9113 section 7).
    public func cancel(_ streamID: Int32) {
        reset(streamID, errorCode: NGHTTP2_CANCEL.rawValue)
    }

    private func resume(_ stream: OutboundStream) {
        guard stream.isDeferred else { return }
        stream.isDeferred = false
        check(nghttp2_session_resume_data(handle, stream.id))
    }

    /// Called from the data callback, which is where nghttp2 wants trailers to be submitted.
    func submitTrailers(_ streamID: Int32, _ fields: [HeaderField]) {
        submit(fields) { nghttp2_submit_trailer(handle, streamID, $0, $1) }
    }

    /// Called when our side of a stream has ended before the peer's: its rest is not wanted (RFC 9113 section 8.1).
    func resetUnlessPeerEnded(_ streamID: Int32) {
        guard nghttp2_session_get_stream_remote_close(handle, streamID) == 0 else { return }
        check(nghttp2_submit_rst_stream(handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), streamID, NGHTTP2_NO_ERROR.rawValue))
    }

    // MARK: - Connection

    /// Asks the peer for a sign of life; the answer is a `pingAcknowledged` event.
    public func ping(payload: UInt64) {
        withUnsafeBytes(of: payload) { bytes in
            check(
                nghttp2_submit_ping(
                    handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), bytes.bindMemory(to: UInt8.self).baseAddress))
        }
    }

    /// The first step of a shutdown: GOAWAY that lets streams on their way still in (RFC 9113 section 6.8).
    public func announceShutdown() {
        check(nghttp2_submit_shutdown_notice(handle))
    }

    /// The second step, a round trip later: GOAWAY with the last stream that will be served.
    public func refuseNewStreams() {
        let last = nghttp2_session_get_last_proc_stream_id(handle)
        check(
            nghttp2_submit_goaway(
                handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, NGHTTP2_NO_ERROR.rawValue, nil, 0))
    }

    /// Ends the session because of what the peer does above HTTP/2.
    public func refuse(_ flood: String) {
        fail(.flood(flood))
    }

    /// Ends all streams and the session.
    ///
    /// - Parameter isSettingsTimeout: because the peer has not acknowledged our SETTINGS (RFC 9113 section 6.5.3).
    public func terminate(isSettingsTimeout: Bool = false) {
        let code = isSettingsTimeout ? NGHTTP2_SETTINGS_TIMEOUT : NGHTTP2_NO_ERROR
        check(nghttp2_session_terminate_session(handle, code.rawValue))
    }

    // MARK: - Failure

    func fail(_ failure: SessionFailure) {
        guard self.failure == nil else { return }
        self.failure = failure
        if case .flood = failure {
            nghttp2_session_terminate_session(handle, NGHTTP2_ENHANCE_YOUR_CALM.rawValue)
        }
        events.append(.failed(failure))
    }

    /// Only running out of memory is fatal in a submit; the rest means that the stream is gone already.
    private func check(_ code: CInt) {
        if nghttp2_is_fatal(code) != 0 { fail(Self.failure(code: Int(code))) }
    }

    private static func failure(code: Int) -> SessionFailure {
        switch code {
        case Int(NGHTTP2_ERR_BAD_CLIENT_MAGIC.rawValue): .badPreface
        case Int(NGHTTP2_ERR_FLOODED.rawValue): .flood("too many PING or SETTINGS frames and the peer does not read")
        case Int(NGHTTP2_ERR_TOO_MANY_CONTINUATIONS.rawValue): .flood("too many CONTINUATION frames")
        default: .protocolViolation(String(cString: nghttp2_strerror(CInt(truncatingIfNeeded: code))))
        }
    }

    /// Lays the fields out as nghttp2 wants them, for the duration of `body`; nghttp2 copies what it keeps.
    private func submit(_ fields: [HeaderField], _ body: (UnsafePointer<nghttp2_nv>?, Int) -> CInt) {
        var bytes: [UInt8] = []
        for field in fields {
            bytes += field.name.utf8
            bytes += field.value.utf8
        }
        let code = bytes.withUnsafeMutableBufferPointer { buffer in
            var offset = 0
            let pairs = fields.map { field in
                let (name, value) = (field.name.utf8.count, field.value.utf8.count)
                defer { offset += name + value }
                return nghttp2_nv(
                    name: buffer.baseAddress.map { $0 + offset }, value: buffer.baseAddress.map { $0 + offset + name },
                    namelen: name, valuelen: value, flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue))
            }
            return body(pairs, pairs.count)
        }
        check(code)
    }
}

import CNghttp2
public import GRPC

/// A client's end of an HTTP/2 connection for tests, built on nghttp2: it records what arrives and sends what it is told.
public final class ClientSession {
    /// What has arrived on a stream.
    public struct Stream: Sendable {
        /// The header sections in order: response headers, then trailers (or only one).
        public var sections: [[HeaderField]] = []
        /// The data, cut into messages.
        public var messages: [[UInt8]] = []
        /// Bytes of data.
        public var byteCount = 0
        /// Whether the server ended the stream.
        public var isEnded = false
        /// The error code the stream was closed with.
        public var closeCode: UInt32?
        fileprivate var deframer = MessageDeframer(maximumMessageSize: .max)

        /// The last value of a field in any section.
        public func value(_ name: String) -> String? {
            sections.joined().last { $0.name == name }?.value
        }
    }

    private struct Outbound {
        var bytes: [UInt8] = []
        var isEnded = false
        var isDeferred = false
    }

    private var handle: OpaquePointer?
    private var outbound: [Int32: Outbound] = [:]

    /// What has arrived, by stream.
    public private(set) var streams: [Int32: Stream] = [:]
    /// The GOAWAY frames in order.
    public private(set) var goAways: [(lastStreamID: Int32, errorCode: UInt32)] = []
    /// PING acknowledgements.
    public private(set) var pingAcknowledgementCount = 0
    /// PING frames of the server.
    public private(set) var pingCount = 0
    /// Whether nghttp2 found the server to break the protocol.
    public private(set) var isBroken = false
    /// The settings the server announced, by identifier.
    public private(set) var serverSettings: [Int32: UInt32] = [:]

    /// Begins a session. Without `updatesWindows` the client never lets the server send more than the initial windows.
    public init(updatesWindows: Bool = true) {
        var callbacks: OpaquePointer?
        nghttp2_session_callbacks_new(&callbacks)
        defer { nghttp2_session_callbacks_del(callbacks) }
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, userData in
            guard let frame, let session = ClientSession.of(userData) else { return 0 }
            session.streams[frame.pointee.hd.stream_id]?.sections.append([])
            return 0
        }
        nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, frame, name, nameLength, value, valueLength, _, userData in
            guard let frame, let session = ClientSession.of(userData) else { return 0 }
            let field = (
                name: String(decoding: UnsafeBufferPointer(start: name, count: nameLength), as: UTF8.self),
                value: String(decoding: UnsafeBufferPointer(start: value, count: valueLength), as: UTF8.self)
            )
            let index = (session.streams[frame.pointee.hd.stream_id]?.sections.count ?? 0) - 1
            session.streams[frame.pointee.hd.stream_id]?.sections[index].append(field)
            return 0
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, streamID, data, length, userData in
            ClientSession.of(userData)?.received(Array(UnsafeBufferPointer(start: data, count: length)), streamID)
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, userData in
            guard let frame, let session = ClientSession.of(userData) else { return 0 }
            session.received(frame.pointee)
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, streamID, errorCode, userData in
            ClientSession.of(userData)?.streams[streamID]?.closeCode = errorCode
            return 0
        }
        var option: OpaquePointer?
        nghttp2_option_new(&option)
        defer { nghttp2_option_del(option) }
        nghttp2_option_set_no_auto_window_update(option, updatesWindows ? 0 : 1)
        nghttp2_option_set_peer_max_concurrent_streams(option, 1000)
        nghttp2_session_client_new2(&handle, callbacks, Unmanaged.passUnretained(self).toOpaque(), option)
        nghttp2_submit_settings(handle, 0, nil, 0)
    }

    deinit {
        nghttp2_session_del(handle)
    }

    // MARK: - Bytes

    /// The bytes to send.
    public func takeOutput() -> [UInt8] {
        var output: [UInt8] = []
        var bytes: UnsafePointer<UInt8>?
        while case let count = nghttp2_session_mem_send(handle, &bytes), count > 0 {
            output += UnsafeBufferPointer(start: bytes, count: count)
        }
        return output
    }

    /// Takes bytes from the server.
    public func receive(_ bytes: [UInt8]) {
        if nghttp2_session_mem_recv(handle, bytes, bytes.count) < 0 { isBroken = true }
    }

    // MARK: - Requests

    /// The fields of an ordinary gRPC request.
    public static func fields(path: String) -> [HeaderField] {
        [
            (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "test"),
            ("content-type", "application/grpc"), ("te", "trailers"),
        ]
    }

    /// Opens a stream; `endOfStream` leaves it without data.
    public func request(_ fields: [HeaderField], endOfStream: Bool = false) -> Int32 {
        var provider = nghttp2_data_provider()
        provider.read_callback = { _, streamID, buffer, length, flags, _, userData in
            guard let buffer, let flags, let session = ClientSession.of(userData) else { return -1 }
            return session.read(streamID, UnsafeMutableBufferPointer(start: buffer, count: length), &flags.pointee)
        }
        var bytes = fields.flatMap { Array($0.name.utf8) + Array($0.value.utf8) }
        let streamID = bytes.withUnsafeMutableBufferPointer { buffer in
            var offset = 0
            let pairs = fields.map { field in
                let (name, value) = (field.name.utf8.count, field.value.utf8.count)
                defer { offset += name + value }
                return nghttp2_nv(
                    name: buffer.baseAddress.map { $0 + offset }, value: buffer.baseAddress.map { $0 + offset + name },
                    namelen: name, valuelen: value, flags: 0)
            }
            return endOfStream
                ? nghttp2_submit_request(handle, nil, pairs, pairs.count, nil, nil)
                : nghttp2_submit_request(handle, nil, pairs, pairs.count, &provider, nil)
        }
        streams[streamID] = Stream()
        outbound[streamID] = Outbound()
        return streamID
    }

    /// Sends a message.
    public func send(_ streamID: Int32, _ message: [UInt8]) {
        sendRaw(streamID, MessageFraming.prefix(length: message.count) + message)
    }

    /// Sends bytes as they are.
    public func sendRaw(_ streamID: Int32, _ bytes: [UInt8]) {
        outbound[streamID]?.bytes += bytes
        resume(streamID)
    }

    /// Bytes of a stream that no frame carries yet.
    public func unsentByteCount(of streamID: Int32) -> Int { outbound[streamID]?.bytes.count ?? 0 }

    /// Ends the client's half.
    public func end(_ streamID: Int32) {
        outbound[streamID]?.isEnded = true
        resume(streamID)
    }

    /// Resets a stream with CANCEL.
    public func reset(_ streamID: Int32) {
        nghttp2_submit_rst_stream(handle, 0, streamID, NGHTTP2_CANCEL.rawValue)
    }

    /// Sends a PING.
    public func ping() {
        nghttp2_submit_ping(handle, 0, nil)
    }

    private func resume(_ streamID: Int32) {
        guard outbound[streamID]?.isDeferred == true else { return }
        outbound[streamID]?.isDeferred = false
        nghttp2_session_resume_data(handle, streamID)
    }

    // MARK: - Callbacks

    private static func of(_ userData: UnsafeMutableRawPointer?) -> ClientSession? {
        userData.map { Unmanaged<ClientSession>.fromOpaque($0).takeUnretainedValue() }
    }

    private func read(_ streamID: Int32, _ buffer: UnsafeMutableBufferPointer<UInt8>, _ flags: inout UInt32) -> Int {
        guard let stream = outbound[streamID] else { return -1 }
        let part = stream.bytes.prefix(buffer.count)
        if part.isEmpty && !stream.isEnded {
            outbound[streamID]?.isDeferred = true
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        _ = buffer.update(fromContentsOf: part)
        outbound[streamID]?.bytes.removeFirst(part.count)
        if stream.isEnded && part.count == stream.bytes.count { flags |= NGHTTP2_DATA_FLAG_EOF.rawValue }
        return part.count
    }

    private func received(_ bytes: [UInt8], _ streamID: Int32) {
        var rest = bytes[...]
        streams[streamID]?.byteCount += bytes.count
        while let message = try? streams[streamID]?.deframer.next(from: &rest) {
            streams[streamID]?.messages.append(message)
        }
    }

    private func received(_ frame: nghttp2_frame) {
        if UInt32(frame.hd.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0 && frame.hd.type <= 1 {
            streams[frame.hd.stream_id]?.isEnded = true
        }
        switch UInt32(frame.hd.type) {
        case NGHTTP2_GOAWAY.rawValue: goAways.append((frame.goaway.last_stream_id, frame.goaway.error_code))
        case NGHTTP2_PING.rawValue:
            if UInt32(frame.hd.flags) & NGHTTP2_FLAG_ACK.rawValue != 0 {
                pingAcknowledgementCount += 1
            } else {
                pingCount += 1
            }
        case NGHTTP2_SETTINGS.rawValue:
            for index in 0..<frame.settings.niv {
                let entry = frame.settings.iv[index]
                serverSettings[entry.settings_id] = entry.value
            }
        default: break
        }
    }
}

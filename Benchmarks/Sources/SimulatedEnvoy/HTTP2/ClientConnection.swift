/// Whom a connection tells what arrives; called inside `receive`, and free to call the connection again.
public protocol ConnectionReceiver: AnyObject {
    /// A whole gRPC message came on the stream of number `stream`; its bytes are gone when the call returns.
    func received(_ message: UnsafeRawBufferPointer, on stream: Int)
    /// The server ended a stream, or the whole connection (`stream` is nil).
    func ended(_ stream: Int?, _ reason: String)
}

/// The client's end of one HTTP/2 connection with gRPC streams that stay open: bytes in, bytes out, no I/O.
///
/// It does what a discovery stream needs and no more: no priorities, no push, no compression (the server is told so, RFC 7541
/// section 4.2), header blocks of the server are passed over. Streams are numbered from 0 in the order they are opened.
public final class ClientConnection {
    private struct Stream {
        /// Bytes that the server lets us send on it.
        var sendWindow: Int
        /// Bytes of it since its window was last opened wider.
        var consumed = 0
        /// What the windows have not let out yet.
        var held: [UInt8] = []
        /// The beginning of a message that has not come whole.
        var partial: [UInt8] = []
        var isEnded = false
    }

    /// Bytes that the server may send on a stream, and on the connection, before it needs an update: what Envoy gives it.
    private static let window = 16 * 1024 * 1024

    /// Bytes for the socket; whoever sends them removes them.
    public var output: [UInt8] = []
    private var streams: [Stream] = []
    private var incomplete: [UInt8] = []
    private var sendWindow = 65_535
    private var initialSendWindow = 65_535
    private var consumed = 0
    private let requestFields: [UInt8]

    /// Makes a connection whose first bytes wait in the output.
    public init(_ profile: EnvoyProfile) {
        requestFields = profile.requestFields
        output += Frame.preface
        output.appendFrameHeader(24, Frame.settings)
        output.appendSetting(1, 0)  // HEADER_TABLE_SIZE
        output.appendSetting(2, 0)  // ENABLE_PUSH
        output.appendSetting(4, UInt32(Self.window))  // INITIAL_WINDOW_SIZE
        output.appendSetting(5, UInt32(Frame.maximumPayload))  // MAX_FRAME_SIZE
        appendWindowUpdate(0, Self.window - 65_535)
    }

    // MARK: - Out

    /// Opens one more stream and returns its number.
    public func openStream() -> Int {
        output.appendFrameHeader(requestFields.count, Frame.headers, Frame.endHeaders, streamID: UInt32(2 * streams.count + 1))
        output += requestFields
        streams.append(Stream(sendWindow: initialSendWindow))
        return streams.count - 1
    }

    /// Sends a gRPC message as soon as the windows have room.
    public func send(_ message: [UInt8], on stream: Int) {
        guard !streams[stream].isEnded else { return }
        streams[stream].held.reserveCapacity(streams[stream].held.count + 5 + message.count)
        streams[stream].held.append(0)
        streams[stream].held.appendBigEndian(UInt32(message.count))
        streams[stream].held += message
        flush(stream)
    }

    private func flush(_ index: Int) {
        var sent = 0
        let total = streams[index].held.count
        while sent < total {
            let count = min(total - sent, Frame.maximumPayload, sendWindow, streams[index].sendWindow)
            if count <= 0 { break }
            output.appendFrameHeader(count, Frame.data, streamID: UInt32(2 * index + 1))
            output += streams[index].held[sent..<sent + count]
            sendWindow -= count
            streams[index].sendWindow -= count
            sent += count
        }
        if sent == total { streams[index].held = [] } else { streams[index].held.removeFirst(sent) }
    }

    private func appendWindowUpdate(_ streamID: UInt32, _ increment: Int) {
        output.appendFrameHeader(4, Frame.windowUpdate, streamID: streamID)
        output.appendBigEndian(UInt32(increment))
    }

    // MARK: - In

    /// Takes bytes from the server and tells `receiver` what they say.
    public func receive(_ bytes: UnsafeRawBufferPointer, _ receiver: some ConnectionReceiver) {
        if incomplete.isEmpty {
            let used = takeFrames(bytes, receiver)
            if used < bytes.count { incomplete.append(contentsOf: bytes[used...]) }
        } else {
            incomplete.append(contentsOf: bytes)
            let whole = incomplete
            incomplete = []
            let used = whole.withUnsafeBytes { takeFrames($0, receiver) }
            if used < whole.count { incomplete = Array(whole[used...]) }
        }
    }

    /// Takes the complete frames at the beginning of `bytes`; returns how many bytes they are.
    private func takeFrames(_ bytes: UnsafeRawBufferPointer, _ receiver: some ConnectionReceiver) -> Int {
        var offset = 0
        while bytes.count - offset >= FrameHeader.byteCount {
            let header = FrameHeader(UnsafeRawBufferPointer(rebasing: bytes[offset...]))
            let end = offset + FrameHeader.byteCount + header.length
            guard end <= bytes.count else { break }
            take(header, UnsafeRawBufferPointer(rebasing: bytes[offset + FrameHeader.byteCount..<end]), receiver)
            offset = end
        }
        return offset
    }

    private func take(_ header: FrameHeader, _ payload: UnsafeRawBufferPointer, _ receiver: some ConnectionReceiver) {
        let stream = header.streamID % 2 == 1 ? Int(header.streamID / 2) : -1
        let isKnown = streams.indices.contains(stream)
        switch header.type {
        case Frame.data:
            account(header.length, isKnown ? stream : nil)
            let padding = header.flags & Frame.padded != 0 && !payload.isEmpty ? Int(payload[0]) + 1 : 0
            guard isKnown, padding <= payload.count else { return }
            let content = padding == 0 ? payload : UnsafeRawBufferPointer(rebasing: payload[1..<payload.count - padding + 1])
            takeMessages(content, stream, receiver)
            if header.flags & Frame.endStream != 0 { end(stream, "the server ended the stream", receiver) }
        case Frame.headers where isKnown && header.flags & Frame.endStream != 0:
            end(stream, "the server ended the stream with a status", receiver)
        case Frame.reset where isKnown:
            end(stream, "the server reset the stream", receiver)
        case Frame.settings where header.flags & Frame.acknowledgement == 0:
            takeSettings(payload)
        case Frame.ping where header.flags & Frame.acknowledgement == 0:
            output.appendFrameHeader(payload.count, Frame.ping, Frame.acknowledgement)
            output.append(contentsOf: payload)
        case Frame.goAway:
            receiver.ended(nil, "the server closes the connection")
        case Frame.windowUpdate where payload.count == 4:
            takeWindowUpdate(Int(payload.loadUnaligned(as: UInt32.self).bigEndian & 0x7FFF_FFFF), stream, header.streamID)
        default: break
        }
    }

    private func end(_ stream: Int, _ reason: String, _ receiver: some ConnectionReceiver) {
        guard !streams[stream].isEnded else { return }
        streams[stream].isEnded = true
        receiver.ended(stream, reason)
    }

    private func takeSettings(_ payload: UnsafeRawBufferPointer) {
        for start in stride(from: 0, to: payload.count - 5, by: 6) where payload[start] == 0 && payload[start + 1] == 4 {
            let value = Int(payload.loadUnaligned(fromByteOffset: start + 2, as: UInt32.self).bigEndian)
            for index in streams.indices { streams[index].sendWindow += value - initialSendWindow }
            initialSendWindow = value
        }
        output.appendFrameHeader(0, Frame.settings, Frame.acknowledgement)
        for index in streams.indices { flush(index) }
    }

    private func takeWindowUpdate(_ increment: Int, _ stream: Int, _ streamID: UInt32) {
        if streamID == 0 {
            sendWindow += increment
            for index in streams.indices { flush(index) }
        } else if streams.indices.contains(stream) {
            streams[stream].sendWindow += increment
            flush(stream)
        }
    }

    private func account(_ count: Int, _ stream: Int?) {
        consumed += count
        if consumed >= Self.window / 2 {
            appendWindowUpdate(0, consumed)
            consumed = 0
        }
        guard let stream else { return }
        streams[stream].consumed += count
        if streams[stream].consumed >= Self.window / 2 {
            appendWindowUpdate(UInt32(2 * stream + 1), streams[stream].consumed)
            streams[stream].consumed = 0
        }
    }

    /// Cuts gRPC messages (5 bytes of prefix) out of a stream's data; one that lies there whole is not copied.
    private func takeMessages(_ content: UnsafeRawBufferPointer, _ stream: Int, _ receiver: some ConnectionReceiver) {
        if streams[stream].partial.isEmpty {
            let used = deliver(content, stream, receiver)
            if used < content.count { streams[stream].partial.append(contentsOf: content[used...]) }
            return
        }
        streams[stream].partial.append(contentsOf: content)
        guard Self.beginsWithMessage(streams[stream].partial) else { return }
        let whole = streams[stream].partial
        streams[stream].partial = []
        let used = whole.withUnsafeBytes { deliver($0, stream, receiver) }
        if used < whole.count { streams[stream].partial = Array(whole[used...]) }
    }

    private func deliver(_ bytes: UnsafeRawBufferPointer, _ stream: Int, _ receiver: some ConnectionReceiver) -> Int {
        var offset = 0
        while bytes.count - offset >= 5 {
            let length = Int(bytes.loadUnaligned(fromByteOffset: offset + 1, as: UInt32.self).bigEndian)
            guard bytes.count - offset - 5 >= length else { break }
            receiver.received(UnsafeRawBufferPointer(rebasing: bytes[offset + 5..<offset + 5 + length]), on: stream)
            offset += 5 + length
        }
        return offset
    }

    private static func beginsWithMessage(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= 5 else { return false }
        let length = bytes[1..<5].reduce(0) { $0 << 8 | Int($1) }
        return bytes.count - 5 >= length
    }
}

import CNghttp2
import GRPC

/// The C side of `ServerSession`: each callback finds the session through its user data, copies, and enqueues.
///
/// nghttp2 calls them on the thread that called it, so they run in the isolation of the session's owner. None of them leads
/// back into `nghttp2_session_mem_recv` or `nghttp2_session_mem_send`, which nghttp2 forbids.
final class SessionCallbacks: Sendable {
    static let shared = SessionCallbacks()

    /// Safe to share: written only here, before the first session exists; nghttp2 copies it into each session.
    nonisolated(unsafe) let pointer: OpaquePointer?

    private init() {
        var callbacks: OpaquePointer?
        nghttp2_session_callbacks_new(&callbacks)
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, userData in
            guard let frame, let session = ServerSession.of(userData) else { return 0 }
            session.openHeaders = ServerSession.OpenHeaders(streamID: frame.pointee.hd.stream_id)
            return 0
        }
        nghttp2_session_callbacks_set_on_header_callback(callbacks) { _, _, name, nameLength, value, valueLength, _, userData in
            guard let session = ServerSession.of(userData) else { return 0 }
            session.didReceiveField(
                UnsafeBufferPointer(start: name, count: nameLength), UnsafeBufferPointer(start: value, count: valueLength))
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, userData in
            guard let frame, let session = ServerSession.of(userData) else { return 0 }
            session.didReceiveFrame(frame.pointee)
            return 0
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, streamID, data, length, userData in
            guard let session = ServerSession.of(userData), length > 0 else { return 0 }
            session.didReceiveData(streamID, UnsafeBufferPointer(start: data, count: length))
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, streamID, errorCode, userData in
            ServerSession.of(userData)?.didClose(streamID, errorCode)
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, userData in
            guard let frame, let session = ServerSession.of(userData) else { return 0 }
            session.didSendFrame(frame.pointee)
            return 0
        }
        nghttp2_session_callbacks_set_send_data_callback(callbacks) { _, _, header, length, source, userData in
            guard let header, let session = ServerSession.of(userData), let stream = OutboundStream.of(source) else {
                return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue
            }
            session.pendingByteCount -= stream.frame(
                length, header: UnsafeBufferPointer(start: header, count: 9), into: &session.output)
            return session.isOutputFull ? NGHTTP2_ERR_PAUSE.rawValue : 0
        }
        pointer = callbacks
    }

    static let readData: nghttp2_data_source_read_callback = { _, _, _, length, flags, source, userData in
        guard let flags, let session = ServerSession.of(userData), let stream = OutboundStream.of(source) else {
            return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)
        }
        return session.offerData(of: stream, length, &flags.pointee)
    }
}

extension OutboundStream {
    fileprivate static func of(_ source: UnsafeMutablePointer<nghttp2_data_source>?) -> OutboundStream? {
        source?.pointee.ptr.map { Unmanaged<OutboundStream>.fromOpaque($0).takeUnretainedValue() }
    }
}

extension ServerSession {
    fileprivate static func of(_ userData: UnsafeMutableRawPointer?) -> ServerSession? {
        userData.map { Unmanaged<ServerSession>.fromOpaque($0).takeUnretainedValue() }
    }

    // MARK: - Input

    fileprivate func didReceiveField(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
        guard var headers = openHeaders else { return }
        openHeaders = nil  // `headers` owns the array while it grows
        let before = headers.listSize
        headers.listSize += name.count + value.count + 32
        if headers.listSize > settings.maximumHeaderListSize {
            headers.fields = []
            // Counted here, and not when the section is complete: nghttp2 may find fault with it and tell of no frame.
            headerExcessCount += headers.listSize / settings.maximumHeaderListSize - before / settings.maximumHeaderListSize
        } else {
            headers.fields.append((String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
        }
        openHeaders = headers
    }

    fileprivate func didReceiveFrame(_ frame: nghttp2_frame) {
        let header = frame.hd
        let endsStream = UInt32(header.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue:
            didReceiveHeaders(frame, endsStream)
        case NGHTTP2_DATA.rawValue where endsStream:
            enqueue(.endOfStream(streamID: header.stream_id))
        case NGHTTP2_SETTINGS.rawValue:
            if UInt32(header.flags) & NGHTTP2_FLAG_ACK.rawValue == 0 {
                isPrefaceComplete = true
            } else {
                isSettingsAcknowledged = true
            }
        case NGHTTP2_PING.rawValue where UInt32(header.flags) & NGHTTP2_FLAG_ACK.rawValue != 0:
            let payload = withUnsafeBytes(of: frame.ping.opaque_data) { $0.loadUnaligned(as: UInt64.self) }
            enqueue(.pingAcknowledged(payload: payload))
        case NGHTTP2_GOAWAY.rawValue:
            enqueue(.goAwayReceived(errorCode: frame.goaway.error_code))
        default: break
        }
    }

    private func didReceiveHeaders(_ frame: nghttp2_frame, _ endsStream: Bool) {
        let headers = openHeaders
        openHeaders = nil
        let streamID = frame.hd.stream_id
        guard let headers, frame.headers.cat == NGHTTP2_HCAT_REQUEST else {
            if endsStream { enqueue(.endOfStream(streamID: streamID)) }
            return
        }
        streams[streamID] = OutboundStream(id: streamID)
        if headers.listSize > settings.maximumHeaderListSize {
            enqueue(.oversizedRequest(streamID: streamID))
        } else {
            enqueue(.request(streamID: streamID, fields: headers.fields, endOfStream: endsStream))
        }
    }

    fileprivate func didClose(_ streamID: Int32, _ errorCode: UInt32) {
        if openHeaders?.streamID == streamID { openHeaders = nil }
        guard let stream = streams.removeValue(forKey: streamID) else { return }
        stream.isClosed = true
        pendingByteCount -= stream.pendingByteCount
        releaseInput(streamID)
        enqueue(.closed(streamID: streamID, errorCode: errorCode))
    }

    // MARK: - Output

    /// nghttp2 asks how many bytes of a stream it may frame now.
    fileprivate func offerData(of stream: OutboundStream, _ length: Int, _ flags: inout UInt32) -> Int {
        let count = min(length, stream.unframedByteCount)
        if count == stream.unframedByteCount, let trailers = stream.trailers {
            flags |= NGHTTP2_DATA_FLAG_EOF.rawValue | NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
            submitTrailers(stream.id, trailers)
        } else if count == 0 {
            stream.isDeferred = true
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        if count > 0 { flags |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue }
        return count
    }

    fileprivate func didSendFrame(_ frame: nghttp2_frame) {
        switch UInt32(frame.hd.type) {
        case NGHTTP2_HEADERS.rawValue where UInt32(frame.hd.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0:
            resetUnlessPeerEnded(frame.hd.stream_id)
        case NGHTTP2_RST_STREAM.rawValue where frame.rst_stream.error_code != NGHTTP2_NO_ERROR.rawValue:
            resetCount += 1  // provoked by the peer, mostly: see CVE-2025-8671
        case NGHTTP2_GOAWAY.rawValue where frame.goaway.error_code != NGHTTP2_NO_ERROR.rawValue:
            fail(.protocolViolation(String(cString: nghttp2_http2_strerror(frame.goaway.error_code))))
        default: break
        }
    }
}

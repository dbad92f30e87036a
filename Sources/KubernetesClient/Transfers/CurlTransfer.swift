import CCurl
import Glibc
import Kubernetes

/// One request and its answer; owns a handle of libcurl.
///
/// Isolated to the loop's thread. What libcurl delivers is copied into a buffer that one reader empties by ``next()``; a full buffer
/// pauses the transfer, and the reader resumes it.
actor CurlTransfer {
    /// The status line and header fields.
    struct Head: Sendable {
        var status = 0
        var headers: [(name: String, value: String)] = []

        subscript(name: String) -> String? { headers.first { $0.name == name }?.value }
    }

    private enum State {
        /// Exits: running, or done when libcurl refuses it.
        case idle
        /// Exit: done, at the end of the transfer or by `close`.
        case running
        /// The answer is complete, or why it never will be.
        case done(Result<Void, any Error>)
    }

    private static let bufferLimit = 256 << 10
    private static let headLimit = 256 << 10

    private nonisolated let loop: CurlLoop
    private let request: CurlRequest
    /// Nil before the start and after the end.
    private var handle: UnsafeMutableRawPointer?
    private var lists: [UnsafeMutablePointer<curl_slist>] = []
    /// Where libcurl writes what went wrong; lives as long as the handle.
    private var errorText: UnsafeMutablePointer<CChar>?

    private var state = State.idle
    private var head = Head()
    private var headBytes = 0
    private var hasHead = false
    private var buffer: [UInt8] = []
    private var isPaused = false
    private var waiter: CheckedContinuation<Void, Never>?

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(_ request: CurlRequest, loop: CurlLoop) {
        self.request = request
        self.loop = loop
    }

    // MARK: - For one task

    /// Begins, and waits for the head of the answer.
    func start() async throws -> Head {
        guard case .idle = state else { return head }
        do {
            try begin()
        } catch {
            close(.failure(error))
            throw error
        }
        while !hasHead {
            if case .done(let end) = state {
                try end.get()
                throw APITransportError("\(place): the answer has no head")
            }
            await withCheckedContinuation { waiter = $0 }
        }
        return head
    }

    /// The next bytes of the body, at most about 256 KiB; nil at its end.
    func next() async throws -> [UInt8]? {
        while buffer.isEmpty {
            if case .done(let end) = state {
                try end.get()
                return nil
            }
            await withCheckedContinuation { waiter = $0 }
        }
        let bytes = buffer
        buffer = []
        if isPaused, let handle {
            isPaused = false
            curl_easy_pause(handle, CURLPAUSE_CONT)
        }
        return bytes
    }

    /// Begins, and waits for the whole answer: by one step of the loop's thread rather than one for each part. Nil when its body is larger than
    /// `limit` bytes.
    func response(limit: Int) async throws -> (head: Head, body: [UInt8])? {
        let head = try await start()
        var body: [UInt8] = []
        while let chunk = try await next() {
            if body.isEmpty { body = chunk } else { body += chunk }
            guard body.count <= limit else { return nil }
        }
        return (head, body)
    }

    /// Ends the transfer wherever it is; the reader gets `CancellationError`. Callable from anywhere, also after the end.
    nonisolated func abort() {
        loop.submit { self.assumeIsolated { $0.close(.failure(CancellationError())) } }
    }

    // MARK: - From libcurl

    /// The transfer has ended; the loop has removed the handle.
    func finished(_ code: CURLcode) {
        if code == CURLE_OK { return close(.success(())) }
        let detail = errorText.map { String(cString: $0) } ?? ""
        let text = detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
        close(
            .failure(
                APITransportError(
                    "\(place): \(text)", isTimeout: code == CURLE_OPERATION_TIMEDOUT,
                    isDistrust: code == CURLE_PEER_FAILED_VERIFICATION)))
    }

    private func receivedHeader(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        // What follows the body are trailers.
        guard !hasHead else { return true }
        headBytes += line.count
        guard headBytes <= CurlTransfer.headLimit else { return false }
        let text = String(decoding: line, as: UTF8.self).trimmingSpace()
        if text.hasPrefix("HTTP/") {
            head = Head(status: text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0)
        } else if text.isEmpty {
            // 1xx: the head of the final answer is still to come.
            guard head.status >= 200 else { return true }
            hasHead = true
            wake()
        } else if let colon = text.firstIndex(of: ":") {
            head.headers.append((text[..<colon].lowercased(), String(text[text.index(after: colon)...]).trimmingSpace()))
        }
        return true
    }

    private func receivedBody(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard buffer.count < CurlTransfer.bufferLimit else {
            isPaused = true
            return false
        }
        buffer += bytes
        wake()
        return true
    }

    private func wake() {
        let waiting = waiter
        waiter = nil
        waiting?.resume()
    }

    // MARK: - The handle

    private func begin() throws {
        guard let handle = curl_easy_init() else { throw APITransportError("libcurl has no handle") }
        self.handle = handle
        let context = Unmanaged.passUnretained(self).toOpaque()
        // The context is valid in every callback: the loop retains the transfer as long as the handle is added.
        CCurl_setHeaderFunction(
            handle,
            { bytes, size, count, context in
                guard let bytes, let context else { return 0 }
                let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
                return bytes.withMemoryRebound(to: UInt8.self, capacity: size * count) { bytes in
                    let line = UnsafeBufferPointer(start: UnsafePointer(bytes), count: size * count)
                    nonisolated(unsafe) let borrowed = line  // Stays on this thread.
                    return transfer.assumeIsolated { $0.receivedHeader(borrowed) } ? size * count : 0
                }
            }, context)
        CCurl_setWriteFunction(
            handle,
            { bytes, size, count, context in
                guard let bytes, let context else { return 0 }
                let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
                return bytes.withMemoryRebound(to: UInt8.self, capacity: size * count) { bytes in
                    let body = UnsafeBufferPointer(start: UnsafePointer(bytes), count: size * count)
                    nonisolated(unsafe) let borrowed = body  // Stays on this thread.
                    return transfer.assumeIsolated { $0.receivedBody(borrowed) } ? size * count : Int(CURL_WRITEFUNC_PAUSE)
                }
            }, context)
        let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        self.errorText = errorText
        CCurl_setPointer(handle, CURLOPT_ERRORBUFFER, errorText)
        try CurlSettings(handle: handle, place: place).apply(request, lists: &lists)
        let code = loop.add(handle, for: self)
        guard code == CURLM_OK else { throw APITransportError("\(place): \(String(cString: curl_multi_strerror(code)))") }
        state = .running
    }

    private func close(_ end: Result<Void, any Error>) {
        if case .done = state { return }
        state = .done(end)
        if let handle {
            // Given up, perhaps because nothing came any more: once nothing else uses it, an HTTP/2 connection is closed as well.
            CCurl_setLong(handle, CURLOPT_FORBID_REUSE, 1)
            loop.remove(handle)
            curl_easy_cleanup(handle)
        }
        handle = nil
        errorText?.deallocate()
        errorText = nil
        for list in lists { curl_slist_free_all(list) }
        lists = []
        wake()
    }

    /// The method and URL without its query, for messages.
    private var place: String { "\(request.method) \(request.url.prefix { $0 != "?" })" }
}

extension String {
    func trimmingSpace() -> String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" || $0 == "\n" || $0 == "\r\n" }
        var rest = self[...]
        while let last = rest.last, isSpace(last) { rest.removeLast() }
        return String(rest.drop(while: isSpace))
    }
}

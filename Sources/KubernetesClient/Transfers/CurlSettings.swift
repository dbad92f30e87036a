import CCurl
import Kubernetes

/// Sets a handle of libcurl up for a request.
struct CurlSettings {
    private static let keepaliveSeconds = 15
    /// How long a peer may leave sent data unacknowledged until the connection counts as dead.
    private static let userTimeoutMilliseconds: UInt32 = 30_000

    let handle: UnsafeMutableRawPointer
    /// The request, for messages.
    let place: String

    /// Lists that must live as long as the handle are added to `lists`.
    func apply(_ request: CurlRequest, lists: inout [UnsafeMutablePointer<curl_slist>]) throws(APITransportError) {
        try set(CURLOPT_URL, request.url, "the URL")
        try set(CURLOPT_PROTOCOLS_STR, "http,https", "the protocols")
        try set(CURLOPT_CUSTOMREQUEST, request.method, "the method")
        try set(CURLOPT_NOSIGNAL, 1)
        try set(CURLOPT_FOLLOWLOCATION, 0)
        try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        try set(CURLOPT_BUFFERSIZE, 64 << 10)
        // HTTP/2 where the server offers it; requests then wait for a connection that is being made rather than open another one.
        try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
        // Without TLS there is no HTTP/2, and waiting would put a request behind a watch that never ends.
        try set(CURLOPT_PIPEWAIT, request.url.hasPrefix("https:") ? 1 : 0)
        if request.isFresh { try set(CURLOPT_FRESH_CONNECT, 1) }
        if !request.body.isEmpty {
            try check(CCurl_setBody(handle, request.body, request.body.count), "the body")
        }
        try set(CURLOPT_HTTPHEADER, list: request.headers, &lists)
        if let connectTo = request.connectTo { try set(CURLOPT_CONNECT_TO, list: ["::\(connectTo)"], &lists) }
        if let proxy = request.proxy { try set(CURLOPT_PROXY, proxy, "the proxy") }
        try set(CURLOPT_CONNECTTIMEOUT_MS, request.connectTimeout.milliseconds)
        if let timeout = request.timeout { try set(CURLOPT_TIMEOUT_MS, timeout.milliseconds) }
        try set(CURLOPT_TCP_KEEPALIVE, 1)
        try set(CURLOPT_TCP_KEEPIDLE, CurlSettings.keepaliveSeconds)
        try set(CURLOPT_TCP_KEEPINTVL, CurlSettings.keepaliveSeconds)
        try check(CCurl_setUserTimeoutMilliseconds(handle, CurlSettings.userTimeoutMilliseconds), "the socket's timeout")
        try apply(request.tls)
    }

    private func apply(_ tls: CurlRequest.TLS) throws(APITransportError) {
        if tls.isInsecure {
            try set(CURLOPT_SSL_VERIFYPEER, 0)
            try set(CURLOPT_SSL_VERIFYHOST, 0)
        }
        if let authority = tls.authority {
            // Neither file nor directory of the system beside it.
            try check(CCurl_setString(handle, CURLOPT_CAINFO, nil), "the certificate authority")
            try check(CCurl_setString(handle, CURLOPT_CAPATH, nil), "the certificate authority")
            try check(CCurl_setBlob(handle, CURLOPT_CAINFO_BLOB, authority, authority.count), "the certificate authority")
        }
        if let certificate = tls.certificate {
            try set(CURLOPT_SSLCERTTYPE, "PEM", "the client certificate")
            try check(CCurl_setBlob(handle, CURLOPT_SSLCERT_BLOB, certificate, certificate.count), "the client certificate")
        }
        if let key = tls.key {
            try set(CURLOPT_SSLKEYTYPE, "PEM", "the client key")
            try check(CCurl_setBlob(handle, CURLOPT_SSLKEY_BLOB, key, key.count), "the client key")
        }
    }

    private func set(_ option: CURLoption, _ value: Int) throws(APITransportError) {
        try check(CCurl_setLong(handle, option, value), "option \(option.rawValue)")
    }

    private func set(_ option: CURLoption, _ text: String, _ what: String) throws(APITransportError) {
        try check(CCurl_setString(handle, option, text), what)
    }

    private func set(
        _ option: CURLoption, list texts: [String], _ lists: inout [UnsafeMutablePointer<curl_slist>]
    ) throws(APITransportError) {
        var list: UnsafeMutablePointer<curl_slist>?
        for text in texts {
            guard let longer = curl_slist_append(list, text) else {
                curl_slist_free_all(list)
                throw APITransportError("\(place): no memory")
            }
            list = longer
        }
        guard let list else { return }
        lists.append(list)
        try check(CCurl_setPointer(handle, option, list), "the header")
    }

    private func check(_ code: CURLcode, _ what: String) throws(APITransportError) {
        guard code != CURLE_OK else { return }
        throw APITransportError("\(place): libcurl refuses \(what): \(String(cString: curl_easy_strerror(code)))")
    }
}

extension Duration {
    /// Whole milliseconds, at least 1, since 0 means no limit to libcurl.
    fileprivate var milliseconds: Int {
        let (seconds, attoseconds) = components
        return max(1, Int(clamping: min(seconds, 1 << 31)) * 1000 + Int(clamping: attoseconds / 1_000_000_000_000_000))
    }
}

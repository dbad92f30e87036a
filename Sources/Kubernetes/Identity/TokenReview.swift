/// A review of a token by the API server (`authentication.k8s.io/v1`): whose it is, if anyone's.
public enum TokenReview {
    /// What the API server says of a token.
    public enum Outcome: Hashable, Sendable {
        /// It is this user's.
        case authenticated(username: String, podUID: String)
        /// It is nobody's, has expired, or is not meant for this server.
        case rejected(reason: String)
    }

    /// What a token that is bound to a pod tells of it, in the user's `extra`.
    static let podUIDKey = "authentication.kubernetes.io/pod-uid"

    /// Asks for a review of `token`, which must be meant for one of `audiences`.
    public static func request(token: String, audiences: [String]) -> APIRequest {
        let body = FieldValue.map([
            "apiVersion": .text("authentication.k8s.io/v1"), "kind": .text("TokenReview"),
            "spec": .map([
                "token": .text(token), "audiences": audiences.isEmpty ? nil : .list(audiences.map(FieldValue.text)),
            ]),
        ])
        return APIRequest(
            .post, "/apis/authentication.k8s.io/v1/tokenreviews", contentType: "application/json", body: JSONText.bytes(body))
    }

    /// Reads the answer; nil when it is no review.
    ///
    /// A server that knows nothing of audiences leaves them out of its answer; then the token is meant for the API server only
    /// (TokenReviewStatus.audiences), which is refused when others were asked for.
    public static func outcome(_ body: [UInt8], audiences: [String]) -> Outcome? {
        guard let status = (try? JSONParser.parse(body))?["status"], status.object != nil else { return nil }
        guard case .bool(true) = status["authenticated"]?.kind else {
            let error = status["error"]?.text ?? ""
            return .rejected(reason: error.isEmpty ? "the API server does not know the token" : error)
        }
        let meantFor = (status["audiences"]?.elements ?? []).compactMap(\.text)
        guard audiences.isEmpty || !Set(meantFor).isDisjoint(with: audiences) else {
            return .rejected(reason: "the token is not meant for \(audiences.joined(separator: " or "))")
        }
        guard let username = status["user"]?["username"]?.text, !username.isEmpty else { return nil }
        let podUID = status["user"]?["extra"]?[podUIDKey]?.elements?.first?.text ?? ""
        return .authenticated(username: username, podUID: podUID)
    }

    /// When `token` expires, in seconds since 1970, by its own claim (RFC 7519 section 4.1.4); nil for one that makes none.
    ///
    /// Only to be believed of a token that was found to be good.
    public static func expiry(ofToken token: String) -> Int64? {
        let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1].count <= 8192, let claims = base64URL(parts[1]),
            case .integer(let expiry)? = (try? JSONParser.parse(claims))?["exp"]?.kind
        else { return nil }
        return expiry
    }

    /// RFC 4648 section 5, without padding.
    private static func base64URL(_ text: some Sequence<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in text {
            let value: UInt8
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = byte - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = byte - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = byte - UInt8(ascii: "0") + 52
            case UInt8(ascii: "-"): value = 62
            case UInt8(ascii: "_"): value = 63
            default: return nil
            }
            bits = (bits << 6 | UInt32(value)) & 0xFFFFFF
            count += 6
            if count >= 8 {
                count -= 8
                result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return result
    }
}

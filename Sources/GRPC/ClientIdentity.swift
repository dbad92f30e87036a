/// Who a client has proven to be: each part was verified by whoever filled it in.
public struct ClientIdentity: Hashable, Sendable {
    /// A Kubernetes service account whose token the API server has confirmed.
    public struct Account: Hashable, Sendable {
        /// The user's name, `system:serviceaccount:NAMESPACE:NAME`.
        public var username: String
        /// The uid of the pod that the token is bound to; empty for a token that is bound to none.
        public var podUID: String

        /// Makes an account.
        public init(username: String, podUID: String) {
            self.username = username
            self.podUID = podUID
        }
    }

    /// The URIs among the subject alternative names of the client's certificate (RFC 5280 section 4.2.1.6).
    public var uris: [String]
    /// The DNS names among them, as the certificate spells them.
    public var dnsNames: [String]
    /// Whether there was a certificate; it may name nobody.
    public var hasCertificate: Bool
    /// The account; nil without a token.
    public var account: Account?

    /// Makes the identity of a client with a certificate that has these names.
    public init(uris: [String], dnsNames: [String]) {
        self.uris = uris
        self.dnsNames = dnsNames
        hasCertificate = true
    }

    /// Makes the identity of a client without a certificate.
    public init(account: Account?) {
        uris = []
        dnsNames = []
        hasCertificate = false
        self.account = account
    }
}

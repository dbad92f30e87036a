public import Domain
public import GRPC

/// Decides whether a client is who it says it is: the table that maps what it has proven to the pod that it names.
public struct IdentityRules: Hashable, Sendable {
    /// Which names of a certificate count.
    public enum Form: String, Hashable, Sendable, CaseIterable {
        /// The URI `spiffe://TRUSTDOMAIN/ns/NAMESPACE/sa/SERVICEACCOUNT`: any pod of that service account.
        case spiffe
        /// The DNS name `POD.NAMESPACE`, or one that goes on from there.
        case dns
        /// The pod's uid, as a DNS name or as the URI `urn:uuid:UID`.
        case uid
    }

    /// Why a client is refused; the raw values are a metric's labels.
    public enum Denial: String, Hashable, Sendable, CaseIterable {
        /// It has shown nothing.
        case anonymous
        /// It has shown a token that is no good.
        case badToken = "bad_token"
        /// Nothing that it has shown belongs to the pod it names.
        case otherPod = "other_pod"
        /// It asks for what administrators may see.
        case notAdministrator = "not_administrator"
        /// It could not be found out who it is.
        case undecided
    }

    /// What was decided.
    public enum Verdict: Hashable, Sendable {
        /// It may, because of this name.
        case allowed(by: String)
        /// It may not.
        case denied(Denial)
    }

    /// The names of a certificate that count.
    public var forms: Set<Form>
    /// The only trust domain of SPIFFE URIs that counts; nil accepts all that the authorities sign.
    public var trustDomain: String?
    /// Who may use everything that is not for Envoys: URIs and DNS names of certificates, and names of users.
    public var administrators: Set<String>

    /// Makes rules.
    public init(forms: Set<Form> = Set(Form.allCases), trustDomain: String? = nil, administrators: Set<String> = []) {
        self.forms = forms
        self.trustDomain = trustDomain
        self.administrators = administrators
    }

    /// Whether `client` may have the configuration of the Envoy in `pod`. A token's word is as good as a certificate's.
    public func verdict(_ client: ClientIdentity?, for pod: Pod) -> Verdict {
        guard let client, client.hasCertificate || client.account != nil else { return .denied(.anonymous) }
        for name in client.uris where isURI(name, of: pod) { return .allowed(by: name) }
        for name in client.dnsNames where isDNSName(name, of: pod) { return .allowed(by: name) }
        if let account = client.account, !pod.metadata.uid.isEmpty, account.podUID == pod.metadata.uid {
            return .allowed(by: account.username)
        }
        return .denied(.otherPod)
    }

    /// Whether `client` may use what is not for Envoys.
    public func administratorVerdict(_ client: ClientIdentity?) -> Verdict {
        guard let client, client.hasCertificate || client.account != nil else { return .denied(.anonymous) }
        let names = client.uris + client.dnsNames + (client.account.map { [$0.username] } ?? [])
        return names.first(where: administrators.contains).map { .allowed(by: $0) } ?? .denied(.notAdministrator)
    }

    private func isURI(_ uri: String, of pod: Pod) -> Bool {
        if forms.contains(.uid), !pod.metadata.uid.isEmpty, uri == "urn:uuid:\(pod.metadata.uid)" { return true }
        guard forms.contains(.spiffe) else { return false }
        let parts = uri.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 7, parts[0].lowercased() == "spiffe:", parts[1].isEmpty, !parts[2].isEmpty else { return false }
        guard trustDomain == nil || parts[2].lowercased() == trustDomain?.lowercased() else { return false }
        return parts[3] == "ns" && parts[4] == pod.key.namespace && parts[5] == "sa" && parts[6] == pod.serviceAccount
    }

    private func isDNSName(_ name: String, of pod: Pod) -> Bool {
        let name = name.lowercased()
        if forms.contains(.uid), !pod.metadata.uid.isEmpty, name == pod.metadata.uid.lowercased() { return true }
        // A pod whose name has a dot would share names with a pod of another namespace: x.y in z, and x in y.
        guard forms.contains(.dns), !pod.key.name.contains(".") else { return false }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        return labels.count >= 2 && labels[0] == pod.key.name && labels[1] == pod.key.namespace
    }
}

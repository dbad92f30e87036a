import ArgumentParser
import Domain
import Foundation
import Transport

/// `xds-operator certificates`.
struct Certificates: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make certificates for trying out; in a cluster cert-manager does it.",
        subcommands: [Initialize.self, Issue.self])

    /// How long a certificate is valid.
    struct Validity: ParsableArguments {
        @Option(parsing: .unconditional, help: "Days for which the certificates are valid.")
        var days = 365

        func validate() throws {
            guard (-3650...3650).contains(days), days != 0 else {
                throw ValidationError("--days must be from 1 to 3650; below 0 makes certificates that have expired")
            }
        }

        /// From five minutes ago, because clocks differ; one that has expired was valid for an hour.
        var bounds: (from: Int64, until: Int64) {
            let now = Int64(Date().timeIntervalSince1970)
            let end = now + Int64(days) * 86_400
            return days > 0 ? (now - 300, end) : (end - 3600, end)
        }
    }

    /// `xds-operator certificates init`.
    struct Initialize: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "init", abstract: "Make an authority, and a pair for the server, in a new directory.",
            discussion: """
                Writes DIR/ca.crt and DIR/ca.key, and DIR/server with tls.crt, tls.key and ca.crt for --xds-tls-cert, --xds-tls-key and \
                --xds-tls-client-ca.
                """)

        @Argument(help: "The directory; it must not have an authority yet.")
        var directory: String
        @Option(
            name: .customLong("server-name"),
            help: "A DNS name or an address of the server; repeatable, by default localhost and 127.0.0.1."
        )
        var serverNames: [String] = []
        @OptionGroup var validity: Validity

        func run() throws {
            let store = CertificateDirectory(path: directory)
            let bounds = validity.bounds
            let authority = try store.createAuthority(validFrom: bounds.from, validUntil: bounds.until)
            let names = serverNames.isEmpty ? ["localhost", "127.0.0.1"] : serverNames
            try store.write(
                authority.issue(
                    CertificateTemplate(
                        commonName: "xds-operator", names: names.map(CertificateDirectory.name), usage: .server,
                        validFrom: bounds.from, validUntil: bounds.until)), of: authority, to: "server")
        }
    }

    /// `xds-operator certificates issue`.
    struct Issue: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a pair for an Envoy, or another one for the server, by the authority of a directory.",
            discussion:
                "Writes tls.crt, tls.key and ca.crt to DIR/NAME, replacing what is there as Kubernetes does, by swapping a link.")

        @Argument(help: "The directory that init has made.")
        var directory: String
        @Argument(help: "The name of the pair, and of its directory.")
        var name: String
        @Option(
            name: .customLong("uri"), help: "A URI that it names, such as spiffe://cluster.local/ns/calls/sa/envoy; repeatable.")
        var uris: [String] = []
        @Option(name: .customLong("dns"), help: "A DNS name, such as POD.NAMESPACE or the pod's uid; or an address; repeatable.")
        var dnsNames: [String] = []
        @Flag(help: "It is for the server.")
        var server = false
        @OptionGroup var validity: Validity

        func validate() throws {
            guard !name.contains("/"), !name.hasPrefix(".") else { throw ValidationError("\(name) must be a plain name") }
            guard !uris.isEmpty || !dnsNames.isEmpty else {
                throw ValidationError("give --uri or --dns: the pair must name somebody")
            }
        }

        func run() throws {
            let store = CertificateDirectory(path: directory)
            let authority = try store.authority()
            let bounds = validity.bounds
            let names = uris.map(CertificateTemplate.Name.uri) + dnsNames.map(CertificateDirectory.name)
            try store.write(
                authority.issue(
                    CertificateTemplate(
                        commonName: name, names: names, usage: server ? .server : .client, validFrom: bounds.from,
                        validUntil: bounds.until)), of: authority, to: name)
        }
    }
}

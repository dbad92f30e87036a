import ArgumentParser
import Foundation
import Glibc
import KubeAPISimulator

@main
struct Command: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kube-api-simulator",
        abstract: "Stands in for a Kubernetes API server on loopback; keeps objects in memory.",
        discussion: "Faults are scripted over HTTP under /simulator/ of the same port.")

    @Option(help: "Where to listen; port 0 for one that is free.")
    var bindAddress = "127.0.0.1:0"

    @Option(help: ArgumentHelp("Write a kubeconfig for the administrator there.", valueName: "file"))
    var kubeconfigOut: String?

    @Option(help: "What clients must present; without one, everyone is the administrator.")
    var token: String?

    @Option(help: ArgumentHelp("Speak TLS by this certificate, followed by those that issued it, in PEM.", valueName: "file"))
    var tlsCert: String?

    @Option(help: ArgumentHelp("The certificate's key.", valueName: "file"))
    var tlsKey: String?

    @Option(help: ArgumentHelp("Who issues certificates of clients; their common names are users.", valueName: "file"))
    var clientCA: String?

    @Option(help: ArgumentHelp("A file with CustomResourceDefinitions to serve; repeatable.", valueName: "file"))
    var crd: [String] = []

    @Option(
        help: ArgumentHelp("A file of objects that are there from the start, as they were saved; repeatable.", valueName: "file"))
    var object: [String] = []

    @Option(help: ArgumentHelp("Refuse a request with 403, such as list,pods; repeatable.", valueName: "verb,resource"))
    var deny: [String] = []

    @Flag(help: "Allow the bearers of service account tokens only what roles grant them.")
    var enforceRoles = false

    @Flag(help: "Do nothing of what a controller manager does.")
    var withoutControllers = false

    func validate() throws {
        for denial in deny where denial.split(separator: ",").count != 2 {
            throw ValidationError("--deny takes a verb and a resource, such as list,pods; not \(denial)")
        }
        guard (tlsCert == nil) == (tlsKey == nil), clientCA == nil || tlsCert != nil else {
            throw ValidationError("give --tls-cert and --tls-key together, and --client-ca only with them")
        }
        _ = try endpoint()
    }

    func run() throws {
        // Blocked before any thread starts, so that only this one takes them.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        pthread_sigmask(SIG_BLOCK, &signals, nil)

        let definitions = try crd.flatMap { try JSONValue.documents(yaml: String(contentsOfFile: $0, encoding: .utf8)) }
        let objects = try object.flatMap { try JSONValue.documents(yaml: String(contentsOfFile: $0, encoding: .utf8)) }
        let (host, port) = try endpoint()
        let simulator = try KubeAPISimulator(
            host: host, port: port, token: token, tls: tls, definitions: definitions, objects: objects)
        simulator.deny(
            deny.map { $0.split(separator: ",").map(String.init) }.map { Denial(verb: $0[0], resource: $0[1]) })
        if enforceRoles { simulator.enforceRoles() }
        if withoutControllers { simulator.stopControllers() }
        if let kubeconfigOut {
            try simulator.kubeconfig().write(toFile: kubeconfigOut, atomically: true, encoding: .utf8)
        }
        print("listening on \(simulator.url)")
        fflush(nil)
        var signal: CInt = 0
        sigwait(&signals, &signal)
        withExtendedLifetime(simulator) {}
    }

    private var tls: TLSFiles? {
        guard let tlsCert, let tlsKey else { return nil }
        return TLSFiles(certificate: tlsCert, key: tlsKey, clientAuthority: clientCA)
    }

    private func endpoint() throws -> (host: String, port: UInt16) {
        guard let colon = bindAddress.lastIndex(of: ":"), let port = UInt16(bindAddress[bindAddress.index(after: colon)...])
        else {
            throw ValidationError("--bind-address takes an address and a port, such as 127.0.0.1:8001; not \(bindAddress)")
        }
        let host = bindAddress[..<colon].trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        return (host, port)
    }
}

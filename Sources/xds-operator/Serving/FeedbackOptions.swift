import ArgumentParser
import ControlPlane
import Domain
import Foundation
import Kubernetes
import Logging

/// Options of what is written to the Kubernetes API.
struct FeedbackOptions: ParsableArguments {
    @Flag(inversion: .prefixedNo, help: "Elect one replica that writes what all share; by default in a cluster.")
    var leaderElect: Bool?
    @Option(help: "The Lease of the election.")
    var leaseName = "xds-operator"
    @Option(help: "Where leases are; by default the operator's own namespace.")
    var leaseNamespace: String?
    @Option(help: "A name that no other replica has; by default POD_NAME or the host's name.")
    var replicaName: String?
    @Option(help: "Status writes a second, over time.")
    var statusRate = StatusSettings().rate
    @Option(help: "Status writes at once.")
    var statusBurst = StatusSettings().burst
    @Option(help: "Seconds that a deleted object waits for Envoys before its finalizer is removed.")
    var finalizerTimeout = 10

    func validate() throws {
        guard statusRate > 0, statusRate <= 10_000 else { throw ValidationError("--status-rate must be above 0, at most 10000") }
        guard (1...100_000).contains(statusBurst) else { throw ValidationError("--status-burst must be from 1 to 100000") }
        guard (0...3600).contains(finalizerTimeout) else {
            throw ValidationError("--finalizer-timeout must be from 0 to 3600 seconds")
        }
        if replicaName?.isEmpty == true { throw ValidationError("--replica-name must not be empty") }
        if leaseName.isEmpty { throw ValidationError("--lease-name must not be empty") }
    }

    /// All that writes to the API server, once there is a client for it and the control plane reports.
    func feedback(client: any APIClient, reports: any ServiceReports, environment: [String: String]) -> KubernetesFeedback {
        KubernetesFeedback(
            client: client, reports: reports, settings: settings(environment), logger: Logger(label: "kubernetes"))
    }

    private func settings(_ environment: [String: String]) -> FeedbackSettings {
        let isInCluster = environment["KUBERNETES_SERVICE_HOST"]?.isEmpty == false
        var status = StatusSettings()
        status.rate = statusRate
        status.burst = statusBurst
        status.finalizerTimeout = .seconds(finalizerTimeout)
        let names = [replicaName, environment["POD_NAME"], environment["HOSTNAME"], ProcessInfo.processInfo.hostName]
        return FeedbackSettings(
            electsLeader: leaderElect ?? isInCluster,
            lease: ObjectKey(namespace: leaseNamespace ?? ownNamespace(environment), name: leaseName),
            replica: names.compactMap(\.self).first { !$0.isEmpty } ?? "xds-operator", status: status)
    }

    private func ownNamespace(_ environment: [String: String]) -> String {
        if let name = environment["POD_NAMESPACE"], !name.isEmpty { return name }
        let file = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
        let name = (try? String(contentsOfFile: file, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
        return name.flatMap { $0.isEmpty ? nil : $0 } ?? "default"
    }
}

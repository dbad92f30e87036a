/// The configuration of a process in a pod: its service account (Kubernetes documentation, Accessing the API from a Pod).
public enum InCluster {
    /// Where the token and the certificate authority are mounted.
    public static let directory = "/var/run/secrets/kubernetes.io/serviceaccount"

    /// Whether `environment` is that of a pod.
    public static func isPresent(environment: [String: String]) -> Bool {
        environment["KUBERNETES_SERVICE_HOST"]?.isEmpty == false
    }

    /// The configuration; the files are read when they are needed, since they rotate.
    public static func configuration(
        environment: [String: String], directory: String = directory
    ) throws(ClusterConfigurationError) -> ClusterConfiguration {
        guard let host = environment["KUBERNETES_SERVICE_HOST"], !host.isEmpty else {
            throw ClusterConfigurationError(
                "not in a pod: KUBERNETES_SERVICE_HOST is not set; give --kubeconfig or --manifests to run outside a cluster")
        }
        let portText = environment["KUBERNETES_SERVICE_PORT"] ?? "443"
        guard let port = UInt16(portText), port > 0 else {
            throw ClusterConfigurationError("KUBERNETES_SERVICE_PORT is no port: \(portText)")
        }
        let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        var result = ClusterConfiguration(server: ServerURL(host: bare, port: port))
        result.authority = .file("\(directory)/ca.crt")
        result.user.token = .file("\(directory)/token")
        result.namespace = (try? FileReading.read("\(directory)/namespace")).map {
            String(decoding: $0, as: UTF8.self).trimmingSpace()
        }
        return result
    }
}

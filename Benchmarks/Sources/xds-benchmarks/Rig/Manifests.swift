import Foundation
import Load

/// Manifests of pods and VirtualServices, as text.
enum Manifest {
    /// A running pod.
    static func pod(
        _ name: String, _ labels: [String: String], address: String, serviceAccount: String = "default"
    ) -> String {
        let labels = labels.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
        return """
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: \(name), namespace: default, uid: uid-\(name), labels: {\(labels)}}
            spec: {serviceAccountName: \(serviceAccount), containers: [{name: main, image: main}]}
            status: {phase: Running, podIP: \(address), podIPs: [{ip: \(address)}], conditions: [{type: Ready, status: "True"}]}

            """
    }

    /// A VirtualService with UDP listeners `PREFIX-INDEX` on consecutive ports.
    static func service(
        _ name: String, selector: String, prefix: String, firstPort: Int, groups: [String]
    ) -> String {
        let listeners = groups.enumerated().map { index, group in
            """
                - name: l-\(prefix)-\(index)
                  udp:
                    port: \(firstPort + index)
                    cluster:
                      name: c-\(prefix)-\(index)
                      service_discovery: eds
                      hash_key: \(prefix)
                      endpoints: [{name: e-\(prefix)-\(index), host: {selector: {group: \(group)}}, port: 30000}]

            """
        }
        return """
            ---
            apiVersion: servicemesh.l7mp.io/v1
            kind: VirtualService
            metadata: {name: \(name), namespace: default}
            spec:
              selector: {app: \(selector)}
              listeners:

            """ + listeners.joined()
    }

    /// An address of pod `index` in one of 100 networks.
    static func address(_ network: Int, _ index: Int) -> String {
        "10.\(network + index / 62_500).\(index / 250 % 250 + 1).\(index % 250 + 1)"
    }

    /// `count` pods whose Envoys listen, called `APP-0` and so on.
    static func envoys(_ app: String, _ count: Int, network: Int, serviceAccount: String = "default") -> String {
        (0..<count).map {
            pod("\(app)-\($0)", ["app": app], address: address(network, $0), serviceAccount: serviceAccount)
        }.joined()
    }

    /// `count` pods of a group.
    static func workers(_ group: String, _ count: Int, network: Int) -> String {
        (0..<count).map { pod("\(group)-\($0)", ["group": group], address: address(network, $0)) }.joined()
    }
}

/// A directory of manifests that an operator follows.
struct ManifestDirectory {
    let path: String

    init(_ url: URL) throws {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    func write(_ name: String, _ content: String) throws {
        try trigger(name, content, marker: "").fire(0)
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: "\(path)/\(name)") }

    /// What rewrites a file each round.
    func trigger(_ name: String, _ content: String, marker: String) -> FileTrigger {
        FileTrigger(path: "\(path)/\(name)", content: RoundTemplate(content), marker: RoundTemplate(marker))
    }

    /// A pod of `group` whose address is another one each round.
    func changingPod(_ group: String) throws -> FileTrigger {
        let template = Manifest.pod("\(group)-changing", ["group": group], address: "10.77.{high}.{low}")
        try write("changing.yaml", template.replacing("{high}", with: "251").replacing("{low}", with: "251"))
        return trigger("changing.yaml", template, marker: "10.77.{high}.{low}")
    }
}

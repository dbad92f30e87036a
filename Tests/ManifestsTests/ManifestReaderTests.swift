import Domain
import Foundation
import Kubernetes
import Manifests
import Testing

@Suite struct ManifestReaderTests {
    @Test func casesAreValid() throws {
        let report = ManifestReader().read(paths: [Cases.directory])
        #expect(report.diagnostics == [])
        #expect(
            report.virtualServices.map(\.key.name) == [
                "ingress-c1f00d", "virtualservice-sample-ingress", "virtualservice-sample-worker", "worker-c1f00d",
            ])
        #expect(report.virtualServices.map(\.listeners.count) == [4, 1, 1, 4])
        #expect(report.pods.map(\.key.name) == ["envoy-ingress-0", "worker-0", "worker-1", "worker-2"])
        #expect(report.pods.allSatisfy { $0.isReady && $0.phase == .running && $0.addresses.count == 1 })
    }

    @Test func namedFilesAreReadWhateverTheirNames() throws {
        let directory = try TemporaryDirectory()
        try directory.write(Manifest.service("a"), to: "a.txt")
        #expect(ManifestReader().read(paths: [directory["a.txt"]]).virtualServices.count == 1)
        #expect(ManifestReader().read(paths: [directory.path]).virtualServices.isEmpty)
        #expect(ManifestReader().read(paths: [directory["a.txt"], directory["a.txt"]]).diagnostics == [])
    }

    @Test func directoriesAreReadWithTheirSubdirectoriesButWithoutHiddenNames() throws {
        let directory = try TemporaryDirectory()
        try directory.makeDirectory("sub/deeper")
        try directory.makeDirectory(".hidden")
        try directory.write(Manifest.service("a"), to: "a.yaml")
        try directory.write(Manifest.service("b"), to: "sub/deeper/b.yml")
        try directory.write(Manifest.service("c"), to: ".hidden/c.yaml")
        try directory.write(Manifest.service("d"), to: ".d.yaml")
        try directory.write(Manifest.service("e"), to: "e.yaml~")
        try directory.link("sub/circle", to: directory.path)
        let report = ManifestReader().read(paths: [directory.path])
        #expect(report.virtualServices.map(\.key.name) == ["a", "b"])
        #expect(report.diagnostics == [])
    }

    @Test func jsonAndLists() throws {
        let directory = try TemporaryDirectory()
        let spec = #""spec": {"selector": {"app": "x"}, "listeners": []}"#
        try directory.write(
            """
            {\t"apiVersion": "v1", "kind": "List", "items": [
            \t{"apiVersion": "servicemesh.l7mp.io/v1", "kind": "VirtualService", "metadata": {"name": "a"}, \(spec)},
            \t{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}},
            \t{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "uid": "u"}}
            ]}
            """, to: "list.json")
        try directory.write(
            """
            {"apiVersion": "servicemesh.l7mp.io/v1", "kind": "VirtualServiceList", "items": [
              {"metadata": {"name": "b"}, \(spec)},
              {"metadata": {"name": "c"}, "spec": {"selector": {}, "listeners": []}}
            ]}
            """, to: "typed.json")
        let report = ManifestReader().read(paths: [directory.path])
        #expect(report.virtualServices.map(\.key.name) == ["a", "b"])
        #expect(report.pods.map(\.key.name) == ["p"])
        #expect(
            report.diagnostics.map(\.description) == [
                "\(directory["typed.json"]):3: items[1].spec.selector: must have at least one label: "
                    + "an empty selector would select every pod"
            ])
    }

    @Test func theFirstOfTwoEqualObjectsCounts() throws {
        let directory = try TemporaryDirectory()
        try directory.write(Manifest.service("a", port: 1) + "---\n" + Manifest.service("a", port: 2), to: "b.yaml")
        try directory.write("# comment\n" + Manifest.service("a", port: 3), to: "a.yaml")
        let report = ManifestReader().read(paths: [directory.path])
        #expect(report.virtualServices.map { $0.listeners[0].port } == [PortNumber(3)])
        let other = "VirtualService default/a is given by \(directory["a.yaml"]):2 as well, which is used: remove one of the two"
        #expect(
            report.diagnostics.map(\.description) == [
                "\(directory["b.yaml"]):1: \(other)", "\(directory["b.yaml"]):15: \(other)",
            ])
        #expect(report.hasErrors)
    }

    @Test func whatCannotBeReadIsSaid() throws {
        let directory = try TemporaryDirectory()
        try directory.link("dangling.yaml", to: "nowhere")
        try Data([0x61, 0xFF]).write(to: URL(fileURLWithPath: directory["latin.yaml"]))
        #expect(mkfifo(directory["pipe.yaml"], 0o600) == 0)
        let report = ManifestReader().read(paths: [directory.path, directory["absent"]])
        #expect(
            report.diagnostics.map(\.description) == [
                "\(directory["dangling.yaml"]): is a symbolic link to nothing", "\(directory["latin.yaml"]): is not UTF-8 text",
                "\(directory["pipe.yaml"]): is not a regular file", "\(directory["absent"]): does not exist",
            ])
    }

    @Test func aFileBeyondTheBoundIsRefused() throws {
        let directory = try TemporaryDirectory()
        try directory.write("", to: "big.yaml")
        #expect(truncate(directory["big.yaml"], 17 * 1024 * 1024) == 0)
        let report = ManifestReader().read(paths: [directory["big.yaml"]])
        #expect(report.diagnostics.map(\.description) == ["\(directory["big.yaml"]): is larger than 16777216 bytes"])
    }
}

/// Texts of manifests.
enum Manifest {
    /// A valid VirtualService of 13 lines.
    static func service(_ name: String, port: Int = 2000, selector: String = "{app: x}") -> String {
        """
        apiVersion: servicemesh.l7mp.io/v1
        kind: VirtualService
        metadata: {name: \(name)}
        spec:
          selector: \(selector)
          listeners:
            - name: \(name)-l
              udp:
                port: \(port)
                cluster:
                  name: \(name)-c
                  service_discovery: eds
                  endpoints: [{name: e, host: {address: 127.0.0.1}, port: 1}]

        """
    }

    static func pod(_ name: String, address: String = "10.0.0.1") -> String {
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: \(name), uid: uid-\(name)}
        status: {phase: Running, podIP: \(address)}

        """
    }
}

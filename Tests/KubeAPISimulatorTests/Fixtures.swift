import Foundation
import KubeAPISimulator
import TestKit

/// The root of the package.
let packageRoot: String = {
    var directory = URL(fileURLWithPath: #filePath)
    while directory.path.count > 1 {
        directory.deleteLastPathComponent()
        if FileManager.default.fileExists(atPath: directory.appendingPathComponent("Package.swift").path) { break }
    }
    return directory.path
}()

/// The definition of VirtualService that the chart installs.
func virtualServiceDefinition() throws -> JSONValue {
    let directory = "\(packageRoot)/helm/xds-operator/crds"
    let names = try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasSuffix(".yaml") }
    return try names.flatMap { try JSONValue.documents(yaml: String(contentsOfFile: "\(directory)/\($0)", encoding: .utf8)) }[0]
}

/// A server with the definition of VirtualService.
func startSimulator(token: String? = nil) throws -> KubeAPISimulator {
    try KubeAPISimulator(token: token, definitions: [try virtualServiceDefinition()])
}

func virtualService(_ name: String, listeners: [JSONValue]? = nil, labels: JSONValue = [:]) -> JSONValue {
    [
        "apiVersion": "servicemesh.l7mp.io/v1", "kind": "VirtualService",
        "metadata": ["name": .string(name), "namespace": "default", "labels": labels],
        "spec": ["selector": ["app": "envoy"], "listeners": .array(listeners ?? [listener("l")])],
    ]
}

func listener(_ name: String, port: JSONValue = 10000) -> JSONValue {
    ["name": .string(name), "udp": ["port": port, "cluster": ["name": "c", "service_discovery": "eds"]]]
}

func pod(_ name: String, labels: JSONValue = [:], node: String? = nil) -> JSONValue {
    var pod: JSONValue = [
        "apiVersion": "v1", "kind": "Pod", "metadata": ["name": .string(name), "namespace": "default", "labels": labels],
        "spec": ["containers": [["name": "worker", "image": "worker:1"]]],
    ]
    if let node { pod["spec", "nodeName"] = .string(node) }
    return pod
}

let virtualServices = "/apis/servicemesh.l7mp.io/v1/namespaces/default/virtualservices"
let pods = "/api/v1/namespaces/default/pods"

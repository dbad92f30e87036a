import Foundation

/// The objects of a large cluster, in JSON, about as large as real ones.
enum Objects {
    static func podName(_ index: Int) -> String { "shop-7d9c6b5f4-\(String(format: "%05d", index))" }

    static func pod(_ index: Int, app: String, version: Int) -> String {
        let name = podName(index)
        let address = "10.\(index >> 16 & 255).\(index >> 8 & 255).\(index & 255)"
        let environment = (0..<12).map { #"{"name":"SETTING_NUMBER_\#($0)","value":"a-value-of-some-length-\#($0)"}"# }
        let conditions = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"].map {
            #"{"type":"\#($0)","status":"True","lastProbeTime":null,"lastTransitionTime":"2026-01-01T00:00:00Z"}"#
        }
        return #"""
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"\#(name)","namespace":"default","generateName":"shop-7d9c6b5f4-",
            "labels":{"app":"\#(app)","pod-template-hash":"7d9c6b5f4","app.kubernetes.io/part-of":"shop"},
            "annotations":{"example.org/configuration-checksum":"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945",
            "example.org/revision":"\#(version)"},
            "ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"shop-7d9c6b5f4",
            "uid":"11111111-2222-3333-4444-555555555555","controller":true,"blockOwnerDeletion":true}],
            "managedFields":[{"manager":"kubelet","operation":"Update","apiVersion":"v1","time":"2026-01-01T00:00:00Z",
            "fieldsType":"FieldsV1","fieldsV1":{"f:status":{"f:conditions":{"k:{\"type\":\"Ready\"}":{".":{},"f:status":{}}},
            "f:containerStatuses":{},"f:podIP":{},"f:podIPs":{},"f:startTime":{}}},"subresource":"status"}]},
            "spec":{"containers":[{"name":"shop","image":"registry.example.org/shop/shop:1.2.3","env":[\#(environment.joined(separator: ","))],
            "resources":{"requests":{"cpu":"100m","memory":"128Mi"}},"volumeMounts":[{"name":"token","readOnly":true,
            "mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}],"terminationMessagePath":"/dev/termination-log",
            "terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent"}],"restartPolicy":"Always","dnsPolicy":"ClusterFirst",
            "serviceAccountName":"shop","nodeName":"node-\#(index % 500)","schedulerName":"default-scheduler"},
            "status":{"phase":"Running","conditions":[\#(conditions.joined(separator: ","))],"hostIP":"192.168.0.1",
            "podIP":"\#(address)","podIPs":[{"ip":"\#(address)"}],"startTime":"2026-01-01T00:00:00Z","containerStatuses":[{"name":"shop",
            "state":{"running":{"startedAt":"2026-01-01T00:00:00Z"}},"ready":true,"restartCount":0,"started":true,
            "image":"registry.example.org/shop/shop:1.2.3",
            "imageID":"registry.example.org/shop/shop@sha256:4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945",
            "containerID":"containerd://4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"}],"qosClass":"Burstable"}}
            """#
    }

    /// Of the two objects of a call the one for the ingresses, or that for the workers.
    static func virtualService(_ index: Int) -> String {
        let call = String(format: "c%06x", index / 2)
        return index % 2 == 0 ? ingress(call, index / 2) : worker(call, index / 2)
    }

    private static let streams = [("rtp", "from"), ("rtcp", "from"), ("rtp", "to"), ("rtcp", "to")]

    private static func ingress(_ call: String, _ number: Int) -> String {
        let listeners = streams.enumerated().map { place, stream in
            let name = "\(stream.0)-\(call)-\(stream.1)"
            return #"""
                {"name":"ingress-l-\#(name)","udp":{"port":\#(port(number, place)),"cluster":{"name":"ingress-c-\#(name)",
                "service_discovery":"eds","hash_key":"\#(call)","health_check":{"interval":500,"protocol":"TCP"},
                "endpoints":[{"name":"endpoint-\#(name)","host":{"selector":{"app":"worker"}},
                "port":\#(port(number, place)),"health_check_port":1233}]}}}
                """#
        }
        return object("ingress-\(call)", app: "envoy-ingress", listeners)
    }

    private static func worker(_ call: String, _ number: Int) -> String {
        let listeners = streams.enumerated().map { place, stream in
            let name = "\(stream.0)-\(call)-\(stream.1)"
            return #"""
                {"name":"worker-l-\#(name)","udp":{"port":\#(port(number, place)),"cluster":{"name":"worker-c-\#(name)",
                "service_discovery":"strictdns","hash_key":"\#(call)",
                "endpoints":[{"name":"endpoint-\#(name)","host":{"address":"127.0.0.1"},"port":\#(port(number, place))}]}}}
                """#
        }
        return object("worker-\(call)", app: "worker", listeners)
    }

    /// Ports from 1024, each once as far as they reach.
    private static func port(_ number: Int, _ place: Int) -> Int { 1024 + (number * 4 + place) % 64_000 }

    private static func object(_ name: String, app: String, _ listeners: [String]) -> String {
        #"""
        {"apiVersion":"servicemesh.l7mp.io/v1","kind":"VirtualService","metadata":{"name":"\#(name)","namespace":"default"},
        "spec":{"selector":{"app":"\#(app)"},"listeners":[\#(listeners.joined(separator: ","))]}}
        """#
    }

    /// An object for one Envoy that has nothing to do with the calls.
    static let loneService = object(
        "lone", app: "lone",
        [
            #"""
            {"name":"lone","udp":{"port":40000,"cluster":{"name":"lone","service_discovery":"strictdns",
            "endpoints":[{"name":"one","host":{"address":"127.0.0.1"},"port":40001}]}}}
            """#
        ])

    /// What makes the API server take VirtualServices; their schema is not what is measured here.
    static let definition = """
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: virtualservices.servicemesh.l7mp.io}
        spec:
          group: servicemesh.l7mp.io
          names: {kind: VirtualService, plural: virtualservices, singular: virtualservice, listKind: VirtualServiceList}
          scope: Namespaced
          versions:
            - name: v1
              served: true
              storage: true
              subresources: {status: {}}
              schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}

        """
}

// Field numbers as in k8s.io/api/core/v1/generated.proto and k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto. Members that no
// client of a simulator reads (volumes, probes, affinity …) are left out: absent fields are valid protobuf.
extension ProtobufWriter {
    mutating func pod(_ pod: JSONValue) {
        message(1) { $0.objectMeta(pod["metadata"] ?? [:]) }
        message(2) { $0.podSpec(pod["spec"] ?? [:]) }
        message(3) { $0.podStatus(pod["status"] ?? [:]) }
    }

    mutating func listMeta(_ metadata: JSONValue) {
        text(2, metadata["resourceVersion"])
        text(3, metadata["continue"])
        integer(4, metadata["remainingItemCount"])
    }

    private mutating func objectMeta(_ metadata: JSONValue) {
        text(1, metadata["name"])
        text(2, metadata["generateName"])
        text(3, metadata["namespace"])
        text(5, metadata["uid"])
        text(6, metadata["resourceVersion"])
        integer(7, metadata["generation"])
        time(8, metadata["creationTimestamp"])
        time(9, metadata["deletionTimestamp"])
        integer(10, metadata["deletionGracePeriodSeconds"])
        map(11, metadata["labels"])
        map(12, metadata["annotations"])
        messages(13, metadata["ownerReferences"]) { writer, owner in
            writer.text(1, owner["kind"])
            writer.text(3, owner["name"])
            writer.text(4, owner["uid"])
            writer.text(5, owner["apiVersion"])
            writer.truth(6, owner["controller"])
            writer.truth(7, owner["blockOwnerDeletion"])
        }
        texts(14, metadata["finalizers"])
        messages(17, metadata["managedFields"]) { writer, entry in
            writer.text(1, entry["manager"])
            writer.text(2, entry["operation"])
            writer.text(3, entry["apiVersion"])
            writer.time(4, entry["time"])
            writer.text(6, entry["fieldsType"])
            if let fields = entry["fieldsV1"] { writer.message(7) { $0.bytes(1, fields.encoded) } }
            writer.text(8, entry["subresource"])
        }
    }

    private mutating func podSpec(_ spec: JSONValue) {
        messages(2, spec["containers"]) { $0.container($1) }
        text(3, spec["restartPolicy"])
        integer(4, spec["terminationGracePeriodSeconds"])
        integer(5, spec["activeDeadlineSeconds"])
        text(6, spec["dnsPolicy"])
        map(7, spec["nodeSelector"])
        text(8, spec["serviceAccountName"])
        text(9, spec["serviceAccount"])
        text(10, spec["nodeName"])
        truth(11, spec["hostNetwork"])
        truth(12, spec["hostPID"])
        truth(13, spec["hostIPC"])
        message(14) { _ in }
        text(16, spec["hostname"])
        text(17, spec["subdomain"])
        text(19, spec["schedulerName"])
        messages(20, spec["initContainers"]) { $0.container($1) }
        truth(30, spec["enableServiceLinks"])
    }

    private mutating func container(_ container: JSONValue) {
        text(1, container["name"])
        text(2, container["image"])
        texts(3, container["command"])
        texts(4, container["args"])
        text(5, container["workingDir"])
        messages(6, container["ports"]) { writer, port in
            writer.text(1, port["name"])
            writer.integer(2, port["hostPort"])
            writer.integer(3, port["containerPort"])
            writer.text(4, port["protocol"])
            writer.text(5, port["hostIP"])
        }
        messages(7, container["env"]) { writer, variable in
            writer.text(1, variable["name"])
            writer.text(2, variable["value"])
        }
        message(8) { _ in }
        text(13, container["terminationMessagePath"])
        text(14, container["imagePullPolicy"])
        text(20, container["terminationMessagePolicy"])
    }

    private mutating func podStatus(_ status: JSONValue) {
        text(1, status["phase"])
        messages(2, status["conditions"]) { writer, condition in
            writer.text(1, condition["type"])
            writer.text(2, condition["status"])
            writer.time(3, condition["lastProbeTime"])
            writer.time(4, condition["lastTransitionTime"])
            writer.text(5, condition["reason"])
            writer.text(6, condition["message"])
            writer.integer(7, condition["observedGeneration"])
        }
        text(3, status["message"])
        text(4, status["reason"])
        text(5, status["hostIP"])
        text(6, status["podIP"])
        time(7, status["startTime"])
        messages(8, status["containerStatuses"]) { writer, container in
            writer.text(1, container["name"])
            writer.truth(4, container["ready"])
            writer.integer(5, container["restartCount"])
            writer.text(6, container["image"])
            writer.text(7, container["imageID"])
            writer.text(8, container["containerID"])
            writer.truth(9, container["started"])
        }
        text(9, status["qosClass"])
        messages(12, status["podIPs"]) { $0.text(1, $1["ip"]) }
        messages(16, status["hostIPs"]) { $0.text(1, $1["ip"]) }
        integer(17, status["observedGeneration"])
    }
}

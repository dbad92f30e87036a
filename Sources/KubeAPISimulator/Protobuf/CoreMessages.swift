// Field numbers as in the generated.proto files of k8s.io/api and k8s.io/apimachinery. Members that no client of a simulator reads
// (volumes, probes, affinity …) are left out: absent fields are valid protobuf.
extension ProtobufMessage {
    /// The messages of the kinds that are served as protobuf, by `apiVersion/kind`.
    static let kinds: [String: ProtobufMessage] = [
        "v1/Pod": object(podSpec, podStatus),
        "v1/Namespace": object(
            ProtobufMessage([(1, "finalizers", .list(.text))]), ProtobufMessage([(1, "phase", .text)])),
        "v1/ServiceAccount": ProtobufMessage([(1, "metadata", .message(metadata)), (4, "automountServiceAccountToken", .truth)]),
        "v1/ConfigMap": ProtobufMessage([(1, "metadata", .message(metadata)), (2, "data", .map), (4, "immutable", .truth)]),
        "v1/Event": event,
        "coordination.k8s.io/v1/Lease": object(lease, nil),
        "authorization.k8s.io/v1/SelfSubjectAccessReview": object(accessSpec, accessStatus),
        "v1/DeleteOptions": deleteOptions,
        "v1/Status": status,
    ]

    private static func object(_ spec: ProtobufMessage, _ status: ProtobufMessage?) -> ProtobufMessage {
        ProtobufMessage(
            [(1, "metadata", .message(metadata)), (2, "spec", .message(spec))]
                + (status.map { [(3, "status", .message($0))] } ?? []))
    }

    static let listMetadata = ProtobufMessage([
        (2, "resourceVersion", .text), (3, "continue", .text), (4, "remainingItemCount", .integer),
    ])

    private static let metadata = ProtobufMessage([
        (1, "name", .text), (2, "generateName", .text), (3, "namespace", .text), (5, "uid", .text), (6, "resourceVersion", .text),
        (7, "generation", .integer), (8, "creationTimestamp", .time), (9, "deletionTimestamp", .time),
        (10, "deletionGracePeriodSeconds", .integer), (11, "labels", .map), (12, "annotations", .map),
        (
            13, "ownerReferences",
            .list(
                .message(
                    ProtobufMessage([
                        (1, "kind", .text), (3, "name", .text), (4, "uid", .text), (5, "apiVersion", .text),
                        (6, "controller", .truth),
                        (7, "blockOwnerDeletion", .truth),
                    ])))
        ),
        (14, "finalizers", .list(.text)),
        (
            17, "managedFields",
            .list(
                .message(
                    ProtobufMessage([
                        (1, "manager", .text), (2, "operation", .text), (3, "apiVersion", .text), (4, "time", .time),
                        (6, "fieldsType", .text), (7, "fieldsV1", .rawJSON), (8, "subresource", .text),
                    ])))
        ),
    ])

    private static let podSpec = ProtobufMessage([
        (2, "containers", .list(.message(container))), (3, "restartPolicy", .text),
        (4, "terminationGracePeriodSeconds", .integer),
        (5, "activeDeadlineSeconds", .integer), (6, "dnsPolicy", .text), (7, "nodeSelector", .map),
        (8, "serviceAccountName", .text),
        (9, "serviceAccount", .text), (10, "nodeName", .text), (11, "hostNetwork", .truth), (12, "hostPID", .truth),
        (13, "hostIPC", .truth), (14, "securityContext", .always), (16, "hostname", .text), (17, "subdomain", .text),
        (19, "schedulerName", .text), (20, "initContainers", .list(.message(container))), (30, "enableServiceLinks", .truth),
    ])

    private static let container = ProtobufMessage([
        (1, "name", .text), (2, "image", .text), (3, "command", .list(.text)), (4, "args", .list(.text)),
        (5, "workingDir", .text),
        (
            6, "ports",
            .list(
                .message(
                    ProtobufMessage([
                        (1, "name", .text), (2, "hostPort", .integer), (3, "containerPort", .integer), (4, "protocol", .text),
                        (5, "hostIP", .text),
                    ])))
        ),
        (7, "env", .list(.message(ProtobufMessage([(1, "name", .text), (2, "value", .text)])))), (8, "resources", .always),
        (13, "terminationMessagePath", .text), (14, "imagePullPolicy", .text), (20, "terminationMessagePolicy", .text),
    ])

    private static let podStatus = ProtobufMessage([
        (1, "phase", .text),
        (
            2, "conditions",
            .list(
                .message(
                    ProtobufMessage([
                        (1, "type", .text), (2, "status", .text), (3, "lastProbeTime", .time), (4, "lastTransitionTime", .time),
                        (5, "reason", .text), (6, "message", .text), (7, "observedGeneration", .integer),
                    ])))
        ),
        (3, "message", .text), (4, "reason", .text), (5, "hostIP", .text), (6, "podIP", .text), (7, "startTime", .time),
        (
            8, "containerStatuses",
            .list(
                .message(
                    ProtobufMessage([
                        (1, "name", .text), (4, "ready", .truth), (5, "restartCount", .integer), (6, "image", .text),
                        (7, "imageID", .text), (8, "containerID", .text), (9, "started", .truth),
                    ])))
        ),
        (9, "qosClass", .text), (12, "podIPs", .list(.message(ProtobufMessage([(1, "ip", .text)])))),
        (16, "hostIPs", .list(.message(ProtobufMessage([(1, "ip", .text)])))), (17, "observedGeneration", .integer),
    ])

    private static let reference = ProtobufMessage([
        (1, "kind", .text), (2, "namespace", .text), (3, "name", .text), (4, "uid", .text), (5, "apiVersion", .text),
        (6, "resourceVersion", .text), (7, "fieldPath", .text),
    ])

    private static let event = ProtobufMessage([
        (1, "metadata", .message(metadata)), (2, "involvedObject", .message(reference)), (3, "reason", .text),
        (4, "message", .text),
        (5, "source", .message(ProtobufMessage([(1, "component", .text), (2, "host", .text)]))), (6, "firstTimestamp", .time),
        (7, "lastTimestamp", .time), (8, "count", .integer), (9, "type", .text), (10, "eventTime", .microTime),
        (11, "series", .message(ProtobufMessage([(1, "count", .integer), (2, "lastObservedTime", .microTime)]))),
        (12, "action", .text), (13, "related", .message(reference)), (14, "reportingComponent", .text),
        (15, "reportingInstance", .text),
    ])

    private static let lease = ProtobufMessage([
        (1, "holderIdentity", .text), (2, "leaseDurationSeconds", .integer), (3, "acquireTime", .microTime),
        (4, "renewTime", .microTime), (5, "leaseTransitions", .integer),
    ])

    private static let accessSpec = ProtobufMessage([
        (
            1, "resourceAttributes",
            .message(
                ProtobufMessage([
                    (1, "namespace", .text), (2, "verb", .text), (3, "group", .text), (4, "version", .text),
                    (5, "resource", .text),
                    (6, "subresource", .text), (7, "name", .text),
                ]))
        ),
        (2, "nonResourceAttributes", .message(ProtobufMessage([(1, "path", .text), (2, "verb", .text)]))),
    ])

    private static let accessStatus = ProtobufMessage([
        (1, "allowed", .truth), (2, "reason", .text), (3, "evaluationError", .text), (4, "denied", .truth),
    ])

    private static let deleteOptions = ProtobufMessage([
        (1, "gracePeriodSeconds", .integer),
        (2, "preconditions", .message(ProtobufMessage([(1, "uid", .text), (2, "resourceVersion", .text)]))),
        (4, "propagationPolicy", .text), (5, "dryRun", .list(.text)),
    ])

    private static let status = ProtobufMessage([
        (1, "metadata", .message(listMetadata)), (2, "status", .text), (3, "message", .text), (4, "reason", .text),
        (
            5, "details",
            .message(
                ProtobufMessage([
                    (1, "name", .text), (2, "group", .text), (3, "kind", .text),
                    (
                        4, "causes",
                        .list(.message(ProtobufMessage([(1, "reason", .text), (2, "message", .text), (3, "field", .text)])))
                    ),
                    (5, "retryAfterSeconds", .integer), (6, "uid", .text),
                ]))
        ),
        (6, "code", .integer),
    ])
}

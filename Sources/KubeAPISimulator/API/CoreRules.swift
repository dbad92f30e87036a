import Glibc

/// What every object's metadata must satisfy.
enum ObjectRules {
    static func causes(of object: JSONValue, _ type: ResourceType) -> [StatusCause] {
        var causes: [StatusCause] = []
        let name = object["metadata", "name"]?.text ?? ""
        if !isSubdomain(name) {
            causes.append(
                StatusCause(
                    reason: "FieldValueInvalid",
                    message: "Invalid value: \"\(name)\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
                        + "characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex "
                        + "used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
                    field: "metadata.name"))
        }
        for (key, value) in (object["metadata", "labels"]?.members ?? [:]).sorted(by: { $0.key < $1.key }) {
            guard let text = value.text, isLabelValue(text) else {
                causes.append(
                    StatusCause(
                        reason: "FieldValueInvalid",
                        message: "Invalid value: \(value.encodedText): a valid label must be an empty string or consist of "
                            + "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
                        field: "metadata.labels"))
                continue
            }
            if key.isEmpty {
                causes.append(
                    StatusCause(
                        reason: "FieldValueInvalid", message: "Invalid value: \"\": name part must be non-empty",
                        field: "metadata.labels"))
            }
        }
        return causes
    }

    private static func isAlphanumeric(_ byte: UInt8, upper: Bool) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (upper && (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte))
    }

    static func isSubdomain(_ name: String) -> Bool {
        guard (1...253).contains(name.utf8.count) else { return false }
        return name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { part in
            guard let first = part.first, let last = part.last else { return false }
            return isAlphanumeric(first, upper: false) && isAlphanumeric(last, upper: false)
                && part.allSatisfy { isAlphanumeric($0, upper: false) || $0 == UInt8(ascii: "-") }
        }
    }

    static func isLabelValue(_ text: String) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last else { return true }
        return text.utf8.count <= 63 && isAlphanumeric(first, upper: true) && isAlphanumeric(last, upper: true)
            && text.utf8.allSatisfy { isAlphanumeric($0, upper: true) || "-_.".utf8.contains($0) }
    }
}

/// What a pod must satisfy: the part that clients meet.
enum PodRules {
    static func causes(of pod: JSONValue, former: JSONValue?) -> [StatusCause] {
        var causes: [StatusCause] = []
        let containers = pod["spec", "containers"]?.elements ?? []
        if containers.isEmpty {
            causes.append(StatusCause(reason: "FieldValueRequired", message: "Required value", field: "spec.containers"))
        }
        for (index, container) in containers.enumerated() {
            for member in ["name", "image"] where container[member]?.text ?? "" == "" {
                causes.append(
                    StatusCause(
                        reason: "FieldValueRequired", message: "Required value", field: "spec.containers[\(index)].\(member)"))
            }
        }
        if let former, mutableRemoved(former["spec"]) != mutableRemoved(pod["spec"]) {
            causes.append(
                StatusCause(
                    reason: "FieldValueForbidden",
                    message: "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
                        + "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
                        + "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
                    field: "spec"))
        }
        return causes + addressCauses(of: pod)
    }

    /// One address, or one of each family.
    private static func addressCauses(of pod: JSONValue) -> [StatusCause] {
        let addresses = (pod["status", "podIPs"]?.elements ?? []).map { $0["ip"]?.text ?? "" }
        func cause(_ field: String, _ value: String, _ why: String) -> StatusCause {
            StatusCause(reason: "FieldValueInvalid", message: "Invalid value: \"\(value)\": \(why)", field: "status.\(field)")
        }
        let families = addresses.map(Self.family)
        var causes = zip(addresses, families).enumerated().compactMap { index, pair in
            pair.1 == nil
                ? cause("podIPs[\(index)]", pair.0, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)") : nil
        }
        if addresses.count > 1, addresses.count > 2 || families[0] == families[1] {
            causes.append(cause("podIPs", addresses.joined(separator: " "), "may specify no more than one IP for each IP family"))
        }
        return causes
    }

    private static func family(of address: String) -> CInt? {
        var bytes = [UInt8](repeating: 0, count: 16)
        return [AF_INET, AF_INET6].first { inet_pton($0, address, &bytes) == 1 }
    }

    private static func mutableRemoved(_ spec: JSONValue?) -> JSONValue {
        var spec = spec ?? [:]
        for list in ["containers", "initContainers"] {
            guard let elements = spec[list]?.elements else { continue }
            spec[list] = .array(
                elements.map { element in
                    var element = element
                    element["image"] = nil
                    return element
                })
        }
        spec["activeDeadlineSeconds"] = nil
        spec["tolerations"] = nil
        return spec
    }
}

/// What a lease must satisfy.
enum LeaseRules {
    static func causes(of lease: JSONValue) -> [StatusCause] {
        var causes: [StatusCause] = []
        for (field, minimum, words) in [
            ("leaseDurationSeconds", 1, "greater than 0"), ("leaseTransitions", 0, "greater than or equal to 0"),
        ] {
            if let value = lease["spec", field]?.wholeNumber, value < minimum {
                causes.append(
                    StatusCause(
                        reason: "FieldValueInvalid", message: "Invalid value: \(value): must be \(words)", field: "spec.\(field)")
                )
            }
        }
        return causes
    }
}

/// What the API server fills into built-in objects.
enum CoreDefaults {
    static func apply(to object: inout JSONValue, _ type: ResourceType) {
        switch type.storageKey {
        case "pods": pod(&object)
        case "namespaces":
            object["metadata", "labels", "kubernetes.io/metadata.name"] = object["metadata", "name"]
            if object["metadata", "deletionTimestamp"] == nil {
                object["spec", "finalizers"] = ["kubernetes"]
                object["status", "phase"] = "Active"
            }
        default: break
        }
    }

    private static func pod(_ pod: inout JSONValue) {
        var spec = pod["spec"] ?? [:]
        let defaults: [String: JSONValue] = [
            "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "terminationGracePeriodSeconds": 30,
            "schedulerName": "default-scheduler", "securityContext": [:], "enableServiceLinks": true,
        ]
        for (name, value) in defaults where spec[name] == nil { spec[name] = value }
        if let containers = spec["containers"]?.elements {
            spec["containers"] = .array(containers.map(container))
        }
        pod["spec"] = spec
        if pod["status", "phase"] == nil { pod["status", "phase"] = "Pending" }
        if pod["status", "qosClass"] == nil { pod["status", "qosClass"] = "BestEffort" }
        // One address in two forms; the single one decides when they differ.
        if let address = pod["status", "podIP"]?.text, !address.isEmpty {
            if pod["status", "podIPs"]?[0]?["ip"]?.text != address { pod["status", "podIPs"] = [["ip": .string(address)]] }
        } else if let first = pod["status", "podIPs"]?[0]?["ip"] {
            pod["status", "podIP"] = first
        }
    }

    private static func container(_ container: JSONValue) -> JSONValue {
        guard container.members != nil else { return container }
        var container = container
        let image = container["image"]?.text ?? ""
        let isLatest = image.hasSuffix(":latest") || !(image.split(separator: "/").last ?? "").contains(":")
        let defaults: [String: JSONValue] = [
            "resources": [:], "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
            "imagePullPolicy": isLatest ? "Always" : "IfNotPresent",
        ]
        for (name, value) in defaults where container[name] == nil { container[name] = value }
        if let ports = container["ports"]?.elements {
            container["ports"] = .array(
                ports.map { port in
                    var port = port
                    if port.members != nil, port["protocol"] == nil { port["protocol"] = "TCP" }
                    return port
                })
        }
        return container
    }
}

/// What the API server says about a CustomResourceDefinition.
enum DefinitionStatus {
    static func accept(_ definition: inout JSONValue, now: String) {
        var names = definition["spec", "names"] ?? [:]
        if names["singular"] == nil { names["singular"] = (names["kind"]?.text).map { .string($0.lowercased()) } }
        if names["listKind"] == nil { names["listKind"] = (names["kind"]?.text).map { .string($0 + "List") } }
        definition["spec", "names"] = names
        if definition["spec", "conversion"] == nil { definition["spec", "conversion"] = ["strategy": "None"] }
        let storage = (definition["spec", "versions"]?.elements ?? []).first { $0["storage"]?.truth == true }?["name"] ?? "v1"
        let present = definition["status", "conditions"]
        let conditions: JSONValue = [
            condition("NamesAccepted", "NoConflicts", "no conflicts found", now),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted", now),
        ]
        definition["status"] = ["acceptedNames": names, "storedVersions": [storage], "conditions": present ?? conditions]
    }

    private static func condition(_ type: String, _ reason: String, _ message: String, _ now: String) -> JSONValue {
        [
            "type": .string(type), "status": "True", "lastTransitionTime": .string(now), "reason": .string(reason),
            "message": .string(message),
        ]
    }
}

import Domain

/// Reads the `cluster` of a listener.
enum ClusterDecoder {
    private static let known = ["name", "service_discovery", "health_check", "hash_key", "endpoints"]
    /// The shortest interval that the documentation recommends.
    private static let recommendedInterval = Duration.milliseconds(500)

    /// The cluster, or nil after an error.
    static func cluster(_ field: Field, transport: TransportProtocol, with decoder: inout FieldDecoder) -> ClusterIntent? {
        guard let object = decoder.object(field, expected: "a cluster") else { return nil }
        decoder.warnOfUnknownMembers(of: object, known: known)
        let name = decoder.required("name", of: object, expected: "a name")
            .flatMap { decoder.name($0, maximumLength: Names.maximumLength) }
        let discovery = decoder.required("service_discovery", of: object, expected: "strictdns or eds")
            .flatMap { serviceDiscovery($0, with: &decoder) }
        let healthCheck = object["health_check"].flatMap { self.healthCheck($0, with: &decoder) }
        let hashKey = object["hash_key"].flatMap { self.hashKey($0, transport: transport, with: &decoder) }
        let endpoints = self.endpoints(of: object, with: &decoder)
        warn(ofHealthChecksIn: object, transport: transport, with: &decoder)
        guard let name, let discovery, let endpoints else { return nil }
        if discovery == .eds, let field = object["service_discovery"], endpoints.contains(where: \.isNamed) {
            decoder.warning(field, "is served as strictdns, because an endpoint has a DNS name")
        }
        if let field = object["endpoints"], endpoints.contains(where: \.isNamed), endpoints.contains(where: \.isSelected) {
            decoder.warning(
                field,
                "mix pods with a DNS name, so each pod that comes or goes re-creates all sessions of the cluster; "
                    + "give the name a cluster of its own")
        }
        return ClusterIntent(
            name: name, serviceDiscovery: discovery, healthCheck: healthCheck, hashKey: hashKey, endpoints: endpoints)
    }

    private static func serviceDiscovery(_ field: Field, with decoder: inout FieldDecoder) -> ServiceDiscovery? {
        guard let text = decoder.string(field, expected: "strictdns or eds") else { return nil }
        if let discovery = ServiceDiscovery(rawValue: text) { return discovery }
        decoder.error(field, "must be strictdns or eds, not the text \(DiagnosticText.quoted(text))")
        return nil
    }

    private static func healthCheck(_ field: Field, with decoder: inout FieldDecoder) -> HealthCheckIntent? {
        guard let object = decoder.object(field, expected: "a map with interval and protocol") else { return nil }
        decoder.warnOfUnknownMembers(of: object, known: ["interval", "protocol"])
        let intervalField = decoder.required("interval", of: object, expected: "a time in milliseconds")
        let interval = intervalField.flatMap { ListenerDecoder.milliseconds($0, with: &decoder) }
        if let field = object["protocol"], let text = decoder.string(field, expected: "TCP"), text != "TCP" {
            decoder.error(field, "must be TCP, the only protocol of health checks, not the text \(DiagnosticText.quoted(text))")
        }
        guard let interval, let intervalField else { return nil }
        if interval < recommendedInterval {
            decoder.warning(intervalField, "is below the 500 milliseconds that are recommended at least")
        }
        return HealthCheckIntent(interval: interval)
    }

    private static func hashKey(
        _ field: Field, transport: TransportProtocol, with decoder: inout FieldDecoder
    ) -> String? {
        guard let text = decoder.quotableString(field, expected: "text") else { return nil }
        guard text.unicodeScalars.count <= Names.maximumLength else {
            decoder.error(field, "must not be longer than \(Names.maximumLength) characters")
            return nil
        }
        if transport == .tcp {
            decoder.warning(field, "has no effect on tcp, which chooses hosts by source address only")
        } else if text.isEmpty {
            decoder.warning(field, "is empty and counts as absent: hosts are chosen by source address")
        }
        return text.isEmpty ? nil : text
    }

    private static func endpoints(of cluster: ObjectField, with decoder: inout FieldDecoder) -> [EndpointIntent]? {
        guard let field = cluster["endpoints"] else {
            let place = Field(path: .member(cluster.path, "endpoints"), value: FieldValue(.null), line: cluster.line)
            decoder.warning(place, "is missing, so whatever arrives is dropped")
            return []
        }
        guard let elements = decoder.array(field, expected: "a list of endpoints") else { return nil }
        if elements.isEmpty { decoder.warning(field, "is empty, so whatever arrives is dropped") }
        return elements.compactMap { EndpointDecoder.endpoint($0, with: &decoder) }
    }

    /// Checks without a port of their own go to the port of the traffic, by TCP; a port without checks has no use.
    private static func warn(
        ofHealthChecksIn cluster: ObjectField, transport: TransportProtocol, with decoder: inout FieldDecoder
    ) {
        guard let list = cluster["endpoints"], let elements = list.value.elements else { return }
        for (index, element) in elements.enumerated() {
            let place = Field(path: .element(list.path, index), value: element, line: element.line ?? list.line)
            switch (cluster["health_check"], element["health_check_port"]) {
            case (_?, nil) where transport == .udp && element.object != nil:
                decoder.warning(
                    place, "has no health_check_port: the check connects to its port by TCP, which a UDP program does not answer")
            case (nil, _?):
                decoder.warning(place, "has a health_check_port without effect, because the cluster has no health_check")
            default: break
            }
        }
    }
}

extension EndpointIntent {
    fileprivate var isNamed: Bool {
        if case .name = host { true } else { false }
    }

    fileprivate var isSelected: Bool {
        if case .selector = host { true } else { false }
    }
}

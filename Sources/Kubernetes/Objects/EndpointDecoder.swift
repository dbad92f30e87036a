import Domain

/// Reads an element of a cluster's `endpoints`.
enum EndpointDecoder {
    /// The endpoint, or nil after an error.
    static func endpoint(_ field: Field, with decoder: inout FieldDecoder) -> EndpointIntent? {
        guard let object = decoder.object(field, expected: "an endpoint") else { return nil }
        decoder.warnOfUnknownMembers(of: object, known: ["name", "host", "port", "health_check_port"])
        let name = decoder.required("name", of: object, expected: "a name")
            .flatMap { decoder.name($0, maximumLength: Names.maximumLength) }
        let host = decoder.required("host", of: object, expected: "a map with selector or address")
            .flatMap { self.host($0, with: &decoder) }
        let port = decoder.required("port", of: object, expected: Expected.port).flatMap { decoder.port($0) }
        let healthCheckPort = object["health_check_port"].flatMap { decoder.port($0) }
        guard let name, let host, let port else { return nil }
        return EndpointIntent(name: name, host: host, port: port, healthCheckPort: healthCheckPort)
    }

    private static func host(_ field: Field, with decoder: inout FieldDecoder) -> EndpointIntent.Host? {
        guard let object = decoder.object(field, expected: "a map with selector or address") else { return nil }
        decoder.warnOfUnknownMembers(of: object, known: ["selector", "address"])
        switch (object["selector"], object["address"]) {
        case (let selector?, nil): return SelectorDecoder.selector(selector, with: &decoder).map { .selector($0) }
        case (nil, let address?): return self.address(address, with: &decoder)
        case (nil, nil): decoder.error(field, "needs one of selector and address")
        case (_?, _?):
            decoder.error(field, "has both selector and address: keep one, and make an endpoint of its own of the other")
        }
        return nil
    }

    private static func address(_ field: Field, with decoder: inout FieldDecoder) -> EndpointIntent.Host? {
        let expected = "an IP address or a DNS name"
        guard let text = decoder.quotableString(field, expected: expected) else { return nil }
        if let address = IPAddress(text) { return .address(address) }
        if let name = DNSName(text) { return .name(name) }
        let hint = text.contains(":") ? ": write the port into the field port, and IPv6 addresses without brackets" : ""
        decoder.error(field, "must be \(expected), not the text \(DiagnosticText.quoted(text))\(hint)")
        return nil
    }
}

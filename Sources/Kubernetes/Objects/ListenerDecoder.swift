import Domain

/// Reads an element of `spec.listeners`.
enum ListenerDecoder {
    private static let longestTime: Int64 = 86_400_000
    /// The payload of the largest UDP datagram over IPv4.
    private static let largestDatagram: Int64 = 65507

    /// The listener, or nil after an error; its name also when the rest of it is wrong.
    static func listener(
        _ field: Field, with decoder: inout FieldDecoder
    ) -> (name: (text: String, field: Field)?, listener: ListenerIntent?) {
        guard let object = decoder.object(field, expected: "a listener") else { return (nil, nil) }
        decoder.warnOfUnknownMembers(of: object, known: ["name", "udp", "tcp"])
        let nameField = decoder.required("name", of: object, expected: "a name")
        let name = nameField.flatMap { decoder.name($0, maximumLength: Names.maximumLength) }
        let listener: ListenerIntent?
        switch (object["udp"], object["tcp"]) {
        case (let udp?, nil): listener = self.udp(udp, name: name, with: &decoder)
        case (nil, let tcp?): listener = self.tcp(tcp, name: name, with: &decoder)
        case (nil, nil):
            decoder.error(field, "needs one of udp and tcp")
            listener = nil
        case (_?, _?):
            decoder.error(field, "has both udp and tcp: keep one, and make a listener of its own of the other")
            listener = nil
        }
        guard let name, let nameField else { return (nil, nil) }
        return ((name, nameField), listener)
    }

    private static func udp(_ field: Field, name: String?, with decoder: inout FieldDecoder) -> ListenerIntent? {
        guard let udp = decoder.object(field, expected: "a map with port and cluster") else { return nil }
        decoder.warnOfUnknownMembers(of: udp, known: ["port", "cluster", "idle_timeout", "max_datagram_size"])
        let port = decoder.required("port", of: udp, expected: Expected.port).flatMap { decoder.port($0) }
        let cluster = decoder.required("cluster", of: udp, expected: "a cluster")
            .flatMap { ClusterDecoder.cluster($0, transport: .udp, with: &decoder) }
        let idleTimeout = udp["idle_timeout"].flatMap { milliseconds($0, with: &decoder) }
        let maximumDatagramSize = udp["max_datagram_size"].flatMap {
            decoder.integer($0, in: 1...largestDatagram, expected: "a size from 1 to \(largestDatagram) bytes")
        }
        guard let name, let port, let cluster else { return nil }
        return ListenerIntent(
            name: name, transport: .udp, port: port, cluster: cluster, idleTimeout: idleTimeout,
            maximumDatagramSize: maximumDatagramSize.map { UInt64($0) })
    }

    private static func tcp(_ field: Field, name: String?, with decoder: inout FieldDecoder) -> ListenerIntent? {
        guard let tcp = decoder.object(field, expected: "a map with port and cluster") else { return nil }
        decoder.warnOfUnknownMembers(of: tcp, known: ["port", "cluster"])
        let port = decoder.required("port", of: tcp, expected: Expected.port).flatMap { decoder.port($0) }
        var cluster: ClusterIntent?
        if let field = tcp["cluster"] {
            cluster = ClusterDecoder.cluster(field, transport: .tcp, with: &decoder)
            guard cluster != nil else { return nil }
        } else {
            decoder.warning(field, "has no cluster, so the listener is never served")
        }
        guard let name, let port else { return nil }
        return ListenerIntent(name: name, transport: .tcp, port: port, cluster: cluster)
    }

    /// A time in milliseconds, from 1 to a day: far inside what `Duration` and Envoy hold.
    static func milliseconds(_ field: Field, with decoder: inout FieldDecoder) -> Duration? {
        decoder.integer(field, in: 1...longestTime, expected: "a time from 1 to \(longestTime) milliseconds").map {
            .milliseconds($0)
        }
    }
}

/// Bounds of names and keys that users choose.
enum Names {
    /// The longest name of a listener, cluster or endpoint, and the longest hash key, in Unicode scalars.
    static let maximumLength = 512
}

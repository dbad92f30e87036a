import Domain

/// Reads the message `Pod` of `k8s.io.api.core.v1`: only the fields that ``PodDecoder`` reads of the JSON form, with the same outcome.
enum PodMessageDecoder {
    static func decode(_ message: ArraySlice<UInt8>) -> DecodedObject<Pod> {
        var metadata = MetadataMessage()
        var status = StatusMessage()
        var spec = SpecMessage()
        var reader = ProtobufReader(message)
        while let field = reader.next() {
            switch field.number {
            case 1: metadata.read(field.bytes)
            case 2: spec.read(field.bytes)
            case 3: status.read(field.bytes)
            default: break
            }
        }
        guard !reader.isMalformed, !metadata.isMalformed, !status.isMalformed, !spec.isMalformed, !metadata.name.isEmpty else {
            return DecodedObject(metadata: nil, object: nil, diagnostics: [Diagnostic(.error, field: "", message: "breaks off")])
        }
        let result = metadata.metadata
        guard status.diagnostics.isEmpty else {
            return DecodedObject(metadata: result, object: nil, diagnostics: status.diagnostics)
        }
        let pod = Pod(
            metadata: result, labels: metadata.labels, addresses: status.inOrder, phase: status.phase, isReady: status.isReady,
            serviceAccount: spec.serviceAccount.isEmpty ? "default" : spec.serviceAccount)
        return DecodedObject(metadata: result, object: pod, diagnostics: [])
    }
}

/// `ObjectMeta` of `meta/v1`.
private struct MetadataMessage {
    var name = ""
    var namespace = ""
    var uid = ""
    var resourceVersion = ""
    var generation: Int64 = 0
    var creationSeconds: Int64 = 0
    var isTerminating = false
    var labels: [String: String] = [:]
    var finalizers: [String] = []
    var isMalformed = false

    mutating func read(_ message: ArraySlice<UInt8>) {
        var reader = ProtobufReader(message)
        while let field = reader.next() {
            switch field.number {
            case 1: name = field.text
            case 3: namespace = field.text
            case 5: uid = field.text
            case 6: resourceVersion = field.text
            case 7: generation = field.signed
            case 8: creationSeconds = MetadataMessage.seconds(field.bytes)
            // A time that is not set is left out, so being there is being set.
            case 9: isTerminating = true
            case 11:
                let (key, value) = field.mapEntry
                labels[key] = value
            case 14: finalizers.append(field.text)
            default: break
            }
        }
        isMalformed = isMalformed || reader.isMalformed
    }

    private static func seconds(_ message: ArraySlice<UInt8>) -> Int64 {
        var seconds: Int64 = 0
        var reader = ProtobufReader(message)
        while let field = reader.next() { if field.number == 1 { seconds = field.signed } }
        return seconds
    }

    var metadata: ObjectMetadata {
        ObjectMetadata(
            key: ObjectKey(namespace: namespace.isEmpty ? "default" : namespace, name: name), uid: uid,
            creationSeconds: creationSeconds, generation: generation, resourceVersion: resourceVersion,
            isTerminating: isTerminating, finalizers: finalizers)
    }
}

/// `PodSpec` of `core/v1`.
private struct SpecMessage {
    var serviceAccount = ""
    var isMalformed = false

    mutating func read(_ message: ArraySlice<UInt8>) {
        var reader = ProtobufReader(message)
        while let field = reader.next() { if field.number == 8 { serviceAccount = field.text } }
        isMalformed = isMalformed || reader.isMalformed
    }
}

/// `PodStatus` of `core/v1`.
private struct StatusMessage {
    var phase = Pod.Phase.pending
    var isReady = false
    var primary: IPAddress?
    var addresses: [IPAddress] = []
    var diagnostics: [Diagnostic] = []
    var isMalformed = false

    /// The primary address first, each once.
    var inOrder: [IPAddress] {
        var result = primary.map { [$0] } ?? []
        for address in addresses where !result.contains(address) { result.append(address) }
        return result
    }

    mutating func read(_ message: ArraySlice<UInt8>) {
        var reader = ProtobufReader(message)
        while let field = reader.next() {
            switch field.number {
            case 1: readPhase(field.text)
            case 2: readCondition(field.bytes)
            case 6: primary = address(field.text)
            case 12:
                var entry = ProtobufReader(field.bytes)
                while let part = entry.next() {
                    if part.number == 1, let address = address(part.text) { addresses.append(address) }
                }
            default: break
            }
        }
        isMalformed = isMalformed || reader.isMalformed
    }

    private mutating func readPhase(_ text: String) {
        guard !text.isEmpty else { return }
        if let phase = Pod.Phase(rawValue: text) {
            self.phase = phase
        } else {
            let message = "must be Pending, Running, Succeeded, Failed or Unknown, not the text \(DiagnosticText.quoted(text))"
            diagnostics.append(Diagnostic(.error, field: "status.phase", message: message))
        }
    }

    private mutating func readCondition(_ message: ArraySlice<UInt8>) {
        var (type, status) = ("", "")
        var reader = ProtobufReader(message)
        while let field = reader.next() {
            switch field.number {
            case 1: type = field.text
            case 2: status = field.text
            default: break
            }
        }
        if type == "Ready" { isReady = status == "True" }
    }

    private mutating func address(_ text: String) -> IPAddress? {
        guard !text.isEmpty else { return nil }
        if let address = IPAddress(text) { return address }
        let message = "must be an IP address, not the text \(DiagnosticText.quoted(text))"
        diagnostics.append(Diagnostic(.error, field: "status.podIP", message: message))
        return nil
    }
}

/// The metadata of a bookmark, whatever kind of object it poses as: the metadata is field 1 of each.
struct BookmarkMessage {
    private(set) var version = ""
    private(set) var endsInitialEvents = false

    init(_ message: ArraySlice<UInt8>) {
        var reader = ProtobufReader(message)
        while let field = reader.next() {
            guard field.number == 1 else { continue }
            var metadata = ProtobufReader(field.bytes)
            while let part = metadata.next() {
                switch part.number {
                case 6: version = part.text
                case 12: if part.mapEntry == (BookmarkAnnotation.name, "true") { endsInitialEvents = true }
                default: break
                }
            }
        }
    }
}

extension ProtobufReader.Field {
    /// The content as an entry of a map from text to text.
    fileprivate var mapEntry: (String, String) {
        var (key, value) = ("", "")
        var reader = ProtobufReader(bytes)
        while let field = reader.next() {
            switch field.number {
            case 1: key = field.text
            case 2: value = field.text
            default: break
            }
        }
        return (key, value)
    }
}

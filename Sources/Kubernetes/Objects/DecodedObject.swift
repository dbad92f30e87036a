public import Domain

/// What a decoder made of a document.
public struct DecodedObject<Object: Sendable>: Sendable {
    /// Which object it is, also when the rest of it is invalid; nil when its name can't be read.
    public var metadata: ObjectMetadata?
    /// The object; nil when a diagnostic is an error.
    public var object: Object?
    /// Everything that is wrong or questionable, in the order of reading.
    public var diagnostics: [Diagnostic]
}

/// A kind of object that the operator reads, as `apiVersion` and `kind` name it.
public enum ObjectKind: String, Hashable, Sendable, CaseIterable {
    case virtualService = "VirtualService"
    case pod = "Pod"

    /// The API group of VirtualServices.
    public static let group = "servicemesh.l7mp.io"

    /// The `apiVersion` of the kind.
    public var apiVersion: String {
        switch self {
        case .virtualService: "\(ObjectKind.group)/v1"
        case .pod: "v1"
        }
    }
}

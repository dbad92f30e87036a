public import Domain

/// Paths of the objects that the operator writes.
public enum APIPath {
    /// A VirtualService.
    public static func virtualService(_ key: ObjectKey) -> String {
        "/apis/\(ObjectKind.virtualService.apiVersion)/namespaces/\(segment(key.namespace))/virtualservices/\(segment(key.name))"
    }

    /// The status of a VirtualService.
    public static func virtualServiceStatus(_ key: ObjectKey) -> String { virtualService(key) + "/status" }

    /// The leases of a namespace.
    public static func leases(namespace: String) -> String {
        "/apis/coordination.k8s.io/v1/namespaces/\(segment(namespace))/leases"
    }

    /// A lease.
    public static func lease(_ key: ObjectKey) -> String { "\(leases(namespace: key.namespace))/\(segment(key.name))" }

    /// The events of a namespace.
    public static func events(namespace: String) -> String {
        "/apis/events.k8s.io/v1/namespaces/\(segment(namespace))/events"
    }

    /// `text` percent-encoded but for the unreserved characters of RFC 3986, section 2.3.
    static func segment(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.count < 2 ? "0" : "") + digits
            }
        }
        return result
    }
}

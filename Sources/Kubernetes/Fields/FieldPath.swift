/// Where a field stands in its object, written as users write it: `spec.listeners[0].udp.port`.
public indirect enum FieldPath: Sendable, CustomStringConvertible {
    /// The object itself.
    case root
    /// A member with a fixed name.
    case member(FieldPath, String)
    /// A member whose key the author of the object chose, such as a label.
    case key(FieldPath, String)
    /// An element of an array, counted from 0.
    case element(FieldPath, Int)

    /// Empty for the object itself.
    public var description: String {
        switch self {
        case .root: ""
        case .member(.root, let name): name
        case .member(let parent, let name): "\(parent).\(name)"
        case .key(let parent, let key): "\(parent)[\(DiagnosticText.escaped(key))]"
        case .element(let parent, let index): "\(parent)[\(index)]"
        }
    }
}

/// Text of others inside messages: short, on one line, without control characters.
enum DiagnosticText {
    static let maximumLength = 64

    /// The text in quotation marks.
    static func quoted(_ text: String) -> String { "\"\(escaped(text))\"" }

    static func escaped(_ text: String) -> String {
        var result = ""
        for (count, scalar) in text.unicodeScalars.enumerated() {
            guard count < maximumLength else { return result + "…" }
            if isControl(scalar) || scalar == "\"" || scalar == "\\" {
                result += scalar.escaped(asASCII: true)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Control characters (general category Cc) and what breaks lines or reverses text on a terminal.
    static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0...0x1F, 0x7F...0x9F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}

import Kubernetes

/// What an unquoted YAML scalar stands for. The rules are those of YAML 1.1 that kubectl applies, so that a manifest means
/// the same here as in a cluster: `yes` and `on` are truth values, and `0777` is octal.
enum PlainScalar {
    /// The meaning of `text`.
    static func kind(of text: String) -> FieldValue.Kind {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y": return .bool(true)
        case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N": return .bool(false)
        case ".nan", ".NaN", ".NAN": return .double(.nan)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .double(.infinity)
        case "-.inf", "-.Inf", "-.INF": return .double(-.infinity)
        default: return number(text) ?? .string(text)
        }
    }

    private static func number(_ text: String) -> FieldValue.Kind? {
        guard let first = text.utf8.first, "+-.0123456789".utf8.contains(first), text.utf8.count <= 64 else { return nil }
        let digits = text.filter { $0 != "_" }
        if let integer = integer(digits) { return .integer(integer) }
        let isDecimal = digits.utf8.allSatisfy { "+-.eE0123456789".utf8.contains($0) }
        return isDecimal ? Double(digits).map { .double($0) } : nil
    }

    private static func integer(_ text: String) -> Int64? {
        var digits = Substring(text)
        var sign = ""
        if digits.first == "-" || digits.first == "+" { sign = String(digits.removeFirst()) }
        guard let first = digits.utf8.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return nil }
        let radix: Int
        switch digits.prefix(2) {
        case "0x", "0X": radix = 16
        case "0o", "0O": radix = 8
        case "0b", "0B": radix = 2
        default: return Int64(sign + digits, radix: digits.count > 1 && digits.first == "0" ? 8 : 10)
        }
        digits = digits.dropFirst(2)
        guard let first = digits.first, first.isHexDigit else { return nil }
        return Int64(sign + digits, radix: radix)
    }
}

import Glibc

/// The forms of an instant in Kubernetes objects, over seconds since 1970.
enum Timestamp {
    /// As `metav1.Time`: whole seconds, such as `2026-01-02T03:04:05Z`.
    static func text(_ seconds: Double) -> String { base(seconds) + "Z" }

    /// As `metav1.MicroTime`: six digits of a second.
    static func microText(_ seconds: Double) -> String {
        let digits = String(Int((seconds - seconds.rounded(.down)) * 1_000_000))
        return base(seconds) + "." + String(repeating: "0", count: max(0, 6 - digits.count)) + digits + "Z"
    }

    private static func base(_ seconds: Double) -> String {
        var time = time_t(seconds.rounded(.down))
        var parts = tm()
        gmtime_r(&time, &parts)
        var buffer = [CChar](repeating: 0, count: 40)
        let length = strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%S", &parts)
        return String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The seconds since 1970 of an RFC 3339 text; nil when it is none.
    static func seconds(_ text: String) -> Double? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes[4] == 0x2D, bytes[7] == 0x2D, bytes[10] == 0x54, bytes[13] == 0x3A, bytes[16] == 0x3A
        else {
            return nil
        }
        func number(_ range: Range<Int>) -> CInt? { CInt(String(decoding: bytes[range], as: UTF8.self)) }
        guard let year = number(0..<4), let month = number(5..<7), (1...12).contains(month), let day = number(8..<10),
            (1...31).contains(day), let hour = number(11..<13), (0...23).contains(hour), let minute = number(14..<16),
            (0...59).contains(minute), let second = number(17..<19), (0...60).contains(second)
        else { return nil }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (year - 1900, month - 1, day)
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (hour, minute, second)
        var zone = String(decoding: bytes[19...], as: UTF8.self)[...]
        var seconds = Double(timegm(&parts))
        if zone.first == "." {
            let digits = zone.dropFirst().prefix { $0.isNumber }
            guard let fraction = Double("0.\(digits)") else { return nil }
            seconds += fraction
            zone = zone.dropFirst(1 + digits.count)
        }
        if zone == "Z" { return seconds }
        let numbers = zone.dropFirst().split(separator: ":").compactMap { Double($0) }
        guard numbers.count == 2, zone.first == "+" || zone.first == "-" else { return nil }
        let offset = numbers[0] * 3600 + numbers[1] * 60
        return zone.first == "+" ? seconds - offset : seconds + offset
    }

    /// How `kubectl get` shows a duration, such as `5s`, `3m10s`, `4d`.
    static func age(_ seconds: Double) -> String {
        let seconds = Int(max(0, min(seconds, 1e12)))
        func pair(_ large: Int, _ largeUnit: String, _ small: Int, _ smallUnit: String) -> String {
            small == 0 ? "\(large)\(largeUnit)" : "\(large)\(largeUnit)\(small)\(smallUnit)"
        }
        switch seconds {
        case ..<120: return "\(seconds)s"
        case ..<600: return pair(seconds / 60, "m", seconds % 60, "s")
        case ..<10_800: return "\(seconds / 60)m"
        case ..<28_800: return pair(seconds / 3600, "h", seconds % 3600 / 60, "m")
        case ..<172_800: return "\(seconds / 3600)h"
        case ..<691_200: return pair(seconds / 86_400, "d", seconds % 86_400 / 3600, "h")
        default: return "\(seconds / 86_400)d"
        }
    }
}

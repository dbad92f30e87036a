extension Timestamp {
    /// The RFC 3339 text of a time in seconds since 1970, in UTC, as `metav1.Time` writes it. Times outside the years
    /// 0 to 9999 are clamped.
    public static func text(seconds: Int64) -> String { dateAndTime(clamped(seconds)) + "Z" }

    /// The same with six digits of a second, as `metav1.MicroTime` writes it.
    public static func text(microseconds: Int64) -> String {
        let seconds = microseconds >= 0 ? microseconds / 1_000_000 : (microseconds - 999_999) / 1_000_000
        return dateAndTime(clamped(seconds)) + "." + padded(microseconds - seconds * 1_000_000, 6) + "Z"
    }

    private static func clamped(_ seconds: Int64) -> Int64 { min(max(seconds, -62_167_219_200), 253_402_300_799) }

    private static func dateAndTime(_ seconds: Int64) -> String {
        var days = seconds / 86400
        var rest = seconds % 86400
        if rest < 0 {
            rest += 86400
            days -= 1
        }
        // Years are counted from March, so that the leap day comes last; 400 of them have 146_097 days, from 0000-03-01 on.
        // The 400 years added keep everything positive.
        let sinceMarch = days + 719_468 + 146_097
        let era = sinceMarch / 146_097
        let dayOfEra = sinceMarch % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 - 400 + (month <= 2 ? 1 : 0)
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
            + "T\(padded(rest / 3600, 2)):\(padded(rest / 60 % 60, 2)):\(padded(rest % 60, 2))"
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

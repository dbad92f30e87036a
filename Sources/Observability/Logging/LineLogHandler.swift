import Glibc
public import Logging

/// Writes each log record as one line, for people or for machines.
public struct LineLogHandler: LogHandler {
    /// How a record becomes a line.
    public enum Format: String, CaseIterable, Sendable {
        /// `time LEVEL label: message key=value …`
        case text
        /// One JSON object a line.
        case json
    }

    public var metadata: Logger.Metadata = [:]
    private let label: String
    private let format: Format
    private let level: LogLevel
    private let rate: LogRate
    private let write: @Sendable (String) -> Void
    private var ownLevel: Logger.Level?

    /// Makes the handler of one logger.
    /// - Parameters:
    ///   - level: the level of all loggers, which may change.
    ///   - rate: shared by all loggers.
    ///   - write: takes each line; by default standard error does.
    public init(
        label: String, level: LogLevel, format: Format, rate: LogRate,
        write: @escaping @Sendable (String) -> Void = { StandardError.print($0) }
    ) {
        self.label = label
        self.format = format
        self.level = level
        self.rate = rate
        self.write = write
    }

    /// The level of all loggers, until this one is given its own.
    public var logLevel: Logger.Level {
        get { ownLevel ?? level.current }
        set { ownLevel = newValue }
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var heldBack = 0
        // What ends the program is said whatever was said before.
        if event.level < .critical {
            guard let count = rate.take(LogRate.Place(file: event.file, line: event.line), at: .now) else { return }
            heldBack = count
        }
        var all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        if heldBack > 0 { all["held-back"] = "\(heldBack)" }
        let fields = all.sorted { $0.key < $1.key }
        let line =
            switch format {
            case .text:
                fields.reduce(
                    "\(Self.timestamp()) \(event.level.rawValue.uppercased()) \(label): \(Self.oneLine("\(event.message)"))"
                ) {
                    "\($0) \($1.key)=\(Self.word("\($1.value)"))"
                }
            case .json:
                fields.reduce(
                    "{\"time\":\"\(Self.timestamp())\",\"level\":\"\(event.level.rawValue)\",\"logger\":\(Self.quoted(label)),"
                        + "\"message\":\(Self.quoted("\(event.message)"))"
                ) { "\($0),\(Self.quoted($1.key)):\(Self.quoted("\($1.value)"))" } + "}"
            }
        write(line)
    }

    /// RFC 3339 in UTC with milliseconds.
    private static func timestamp() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)
        var buffer = [CChar](repeating: 0, count: 32)
        let length = strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%S", &parts)
        let milliseconds = String(now.tv_nsec / 1_000_000)
        let seconds = String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return "\(seconds).\(String(repeating: "0", count: 3 - milliseconds.count))\(milliseconds)Z"
    }

    private static func word(_ text: String) -> String {
        text.contains { $0 == " " || $0 == "\"" || $0.isNewline } || text.isEmpty ? quoted(text) : oneLine(text)
    }

    /// What others wrote must not be able to begin a line, nor to move a terminal's cursor.
    private static func oneLine(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
    }

    /// A JSON string (RFC 8259, section 7).
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            default:
                if scalar.value < 0x20 || scalar.value == 0x7F {
                    let digits = String(scalar.value, radix: 16)
                    result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }
}

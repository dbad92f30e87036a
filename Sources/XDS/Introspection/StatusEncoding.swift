/// The wire form of `envoy.service.status.v3.ClientConfig`, put together from resources that are encoded already.
public struct StatusEncoding {
    /// `envoy.service.status.v3.ConfigStatus`: what the server can tell.
    private enum ConfigStatus: UInt8 {
        case unknown = 0
        case synced = 1
        case notSent = 2
        case stale = 3
        case error = 4
    }

    /// `envoy.admin.v3.ClientResourceStatus`: what the client would say.
    private enum ClientStatus: UInt8 {
        case unknown = 0
        case requested = 1
        case doesNotExist = 2
        case acknowledged = 3
        case rejected = 4
    }

    private var writer = WireWriter()
    private let includesContents: Bool

    /// Begins an empty message.
    /// - Parameter includesContents: whether the resources themselves are written, beside their names and versions.
    public init(includesContents: Bool) { self.includesContents = includesContents }

    /// The `generic_xds_configs` so far.
    public var bytes: [UInt8] { writer.output }

    /// Bytes so far.
    public var byteCount: Int { writer.byteCount }

    /// Adds one resource as a `GenericXdsConfig`.
    public mutating func append(_ status: ResourceStatus) {
        var config = WireWriter()
        config.string(status.type.typeURL, field: 1)
        config.string(status.name, field: 2)
        if let version = status.version { config.string(version.description, field: 3) }
        let (configStatus, clientStatus): (ConfigStatus, ClientStatus) =
            switch status.state {
            case .acknowledged: (.synced, .acknowledged)
            case .sent: (.stale, .requested)
            case .notSent: (.notSent, .requested)
            case .rejected: (.error, .rejected)
            case .absent: (.synced, .doesNotExist)
            case .removalSent: (.stale, .doesNotExist)
            case .removalNotSent: (.notSent, .doesNotExist)
            case .unknown: (.unknown, .unknown)
            }
        let contents = includesContents ? status.resource.map { $0.deltaField[$0.anyRange] } : nil
        var isRejected = false
        if case .rejected = status.state { isRejected = true }
        if !isRejected, let contents { config.bytes(contents, field: 4) }
        // Fields of one-byte varints.
        config.raw([6 << 3, configStatus.rawValue, 7 << 3, clientStatus.rawValue])
        if case .rejected(let message) = status.state {
            var failure = WireWriter()
            if let contents { failure.bytes(contents, field: 1) }
            failure.string(message, field: 3)
            if let version = status.resource?.version { failure.string(version.description, field: 4) }
            config.bytes(failure.output, field: 8)
        }
        writer.bytes(config.output, field: 3)
    }

    /// Appends a whole `config` field of a `ClientStatusResponse` to `output`.
    /// - Parameters:
    ///   - head: the encoded fields of the `ClientConfig` that say which client it is.
    ///   - configs: the `bytes` of its resources.
    public static func appendClient(head: [UInt8], configs: [[UInt8]], to output: inout [UInt8]) {
        var prefix = WireWriter()
        prefix.header(field: 1, length: configs.reduce(head.count) { $0 + $1.count })
        output += prefix.output
        output += head
        for config in configs { output += config }
    }
}

import Domain
import EnvoyAPI
import Resolution

extension Envoy_Config_Core_V3_Address {
    /// The socket address `host`:`port`, of a listener, or of a host whatever its transport: Envoy opens the socket that the
    /// proxy needs and ignores an upstream address's `protocol`.
    init(host: String, port: PortNumber, protocol transport: Envoy_Config_Core_V3_SocketAddress.ProtocolEnum = .tcp) {
        self.init()
        socketAddress.address = host
        socketAddress.portValue = UInt32(port.value)
        socketAddress.protocol = transport
    }
}

extension ResolvedEndpoint.Host {
    /// The address or the name.
    var text: String {
        switch self {
        case .address(let address): address.text
        case .name(let name): name.text
        }
    }

    var isAddress: Bool {
        if case .address = self { true } else { false }
    }
}

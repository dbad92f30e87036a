import Translation
import XDS

/// A method of the discovery services.
struct DiscoveryMethod: Hashable {
    /// How requests and responses are formed.
    enum Form: Hashable {
        case delta
        case stateOfTheWorld
        /// One state-of-the-world request and its response.
        case unary
    }

    let form: Form
    /// The type of a service that has only one; nil for ADS.
    let type: ResourceType?

    /// The method with the path `/package.Service/Method`; nil for any other.
    init?(path: String) {
        guard let method = Self.methods[path] else { return nil }
        self = method
    }

    private init(_ form: Form, _ type: ResourceType?) {
        self.form = form
        self.type = type
    }

    /// Every method.
    static let kinds = Array(methods.values)

    /// Which clusters the Envoys of the method get.
    var variant: ConnectionVariant {
        switch (type, form) {
        case (nil, _): .aggregated
        case (_, .delta): .separateDelta
        case (_, .stateOfTheWorld), (_, .unary): .separateStateOfTheWorld
        }
    }

    private static let methods: [String: DiscoveryMethod] = {
        let aggregated = "/envoy.service.discovery.v3.AggregatedDiscoveryService"
        var methods = [
            "\(aggregated)/DeltaAggregatedResources": DiscoveryMethod(.delta, nil),
            "\(aggregated)/StreamAggregatedResources": DiscoveryMethod(.stateOfTheWorld, nil),
        ]
        for type in ResourceType.allCases {
            let (package, noun) =
                switch type {
                case .cluster: ("cluster", "Cluster")
                case .endpoint: ("endpoint", "Endpoint")
                case .listener: ("listener", "Listener")
                }
            let service = "/envoy.service.\(package).v3.\(noun)DiscoveryService"
            methods["\(service)/Stream\(noun)s"] = DiscoveryMethod(.stateOfTheWorld, type)
            methods["\(service)/Delta\(noun)s"] = DiscoveryMethod(.delta, type)
            methods["\(service)/Fetch\(noun)s"] = DiscoveryMethod(.unary, type)
        }
        return methods
    }()
}

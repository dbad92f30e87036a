/// Every method that this server has; what is not here is unimplemented.
enum ServedMethod {
    case discovery(DiscoveryMethod)
    case health(HealthStream.Method)
    case clientStatus(ClientStatusStream.Method)
    case reflection

    /// The method with the path `/package.Service/Method`; nil for any other.
    init?(path: String) {
        if let method = DiscoveryMethod(path: path) {
            self = .discovery(method)
        } else if let method = HealthStream.Method(rawValue: path) {
            self = .health(method)
        } else if let method = ClientStatusStream.Method(rawValue: path) {
            self = .clientStatus(method)
        } else if ReflectionStream.paths.contains(path) {
            self = .reflection
        } else {
            return nil
        }
    }
}

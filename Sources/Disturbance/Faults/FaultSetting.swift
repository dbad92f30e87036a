import KubeAPISimulator
import TestKit

/// What a fault is played with, beside the scene.
struct FaultSetting: Sendable {
    var objects: (any ObjectStore)?
    var placement = Placement()
    /// Between Envoy and operator.
    var link: Link?
    /// The operator's.
    var network: NetworkNamespace?
    var disk: SmallDisk?
    var clock: MovableClock?
    var server: ServerProcess?

    /// Prepares what `fault` needs.
    static func of(_ fault: Fault, root: String) async throws -> FaultSetting {
        var setting = FaultSetting()
        switch fault {
        case .operatorKilled, .frozen: break
        case .apiServerKilled:
            let server = try await ServerProcess(definition: root + SimulatedCluster.definition)
            setting.server = server
            setting.objects = server
        case .diskFull, .fileCutShort, .fileEmptied:
            let disk = try await SmallDisk(kilobytes: 64)
            setting.disk = disk
            setting.objects = disk
        case .descriptorsExhausted: setting.placement.wrapper = ["/usr/bin/prlimit", "--nofile=64", "--"]
        case .clockForward, .clockBack:
            let clock = try MovableClock()
            setting.clock = clock
            setting.objects = try SimulatedCluster(definition: root + SimulatedCluster.definition)
            setting.placement.environment = try clock.environment()
        case .networkCutBriefly, .networkCut, .slowNetwork, .peerVanishes:
            let network = try await NetworkNamespace()
            let link = try await Link(to: network)
            setting.network = network
            setting.link = link
            setting.placement.wrapper = network.wrapper
            setting.placement.host = link.far
        }
        return setting
    }

    /// Ends what runs.
    func end() async throws {
        if let cluster = objects as? SimulatedCluster { try await cluster.api.stop() }
        try await server?.end()
        try await disk?.end()
    }
}

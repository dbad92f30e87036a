import Glibc
import TestKit

extension Fault {
    /// Plays it with a real Envoy, an operator, workers and calls, and tells what it did.
    ///
    /// - Parameter root: the directory of the package, where the custom resource definition is found.
    /// - Throws: what kept it from being played to its end, with the logs of all processes.
    public func play(root: String) async throws -> FaultAccount {
        let setting = try await FaultSetting.of(self, root: root)
        let account = Observed<FaultAccount?>(nil)
        try await Stage.play(workers: 2, objects: setting.objects, placement: setting.placement) { stage in
            let scene = try await Scene.set(stage, form: .delta, isHealthChecked: false)
            if self == .fileCutShort { try stage.apply(scene.subject.padded("before")) }
            let times = Observed<(meanwhile: Duration?, recovery: Duration)?>(nil)
            let calls = try await scene.measure(Promise()) {
                let result = try await happen(scene, setting)
                times.update { $0 = result }
            }
            guard let times = times.value else { throw CancellationError() }
            account.update { $0 = FaultAccount(calls: calls, meanwhile: times.meanwhile, recovery: times.recovery) }
        }
        try await setting.end()
        guard let account = account.value else { throw CancellationError() }
        return account
    }

    private func happen(_ scene: Scene, _ setting: FaultSetting) async throws -> (meanwhile: Duration?, recovery: Duration) {
        let stage = scene.stage
        var calls = NewCalls(scene)
        switch self {
        case .operatorKilled:
            stage.xdsOperator.child.signal(9)
            _ = try await stage.xdsOperator.child.awaitEnd(within: .seconds(10))
            try calls.write("meanwhile")
            try await scene.awaitSent(400)
            let start = ContinuousClock.now
            _ = try await stage.restartOperator()
            return (nil, try await calls.arrive(since: start))
        case .frozen:
            stage.xdsOperator.child.signal(SIGSTOP)
            try calls.write("meanwhile")
            let start = ContinuousClock.now + .seconds(40)
            try await scene.envoy.awaitStatistic("control_plane.connected_state", within: .seconds(30)) { $0 == 0 }
            try await Task.sleep(until: start)
            stage.xdsOperator.child.signal(SIGCONT)
            return (nil, try await calls.arrive(since: start))
        case .apiServerKilled:
            guard let server = setting.server else { break }
            try await server.kill()
            try await stage.xdsOperator.child.line("a word about it") { $0.contains("trying again") ? () : nil }
            try calls.write("meanwhile")
            try await scene.awaitSent(400)
            let start = ContinuousClock.now
            try await server.start()
            return (nil, try await calls.arrive(since: start))
        case .diskFull, .fileCutShort, .fileEmptied:
            guard let disk = setting.disk else { break }
            return try await fill(disk, scene, &calls)
        case .descriptorsExhausted: return try await scene.exhaustDescriptors(&calls)
        case .clockForward, .clockBack:
            guard let clock = setting.clock else { break }
            try clock.move(by: self == .clockForward ? 86_400 : -86_400)
            try await scene.awaitSent(1_000)
            try calls.write("meanwhile")
            let meanwhile = try await calls.arrive()
            try clock.move(by: 0)
            try calls.write("afterwards")
            return (meanwhile, try await calls.arrive())
        case .networkCutBriefly, .networkCut, .slowNetwork, .peerVanishes:
            guard let link = setting.link, let network = setting.network else { break }
            return try await disturb(link, network, scene, &calls)
        }
        throw UnexpectedCourse(description: "\(self) was played without what it needs")
    }

    private func fill(_ disk: SmallDisk, _ scene: Scene, _ calls: inout NewCalls) async throws -> (Duration?, Duration) {
        try disk.fill()
        if self == .diskFull {
            guard (try? calls.write("meanwhile")) == nil else {
                throw UnexpectedCourse(description: "a full disk takes a manifest")
            }
            try await scene.awaitSent(400)
            try disk.empty()
        } else {
            let call = self == .fileCutShort ? scene.subject.padded("after") : scene.subject
            guard
                try disk.overwrite("call-\(call.id).yaml", call.yaml, leaving: self == .fileCutShort ? 1 : 0)
                    < call.yaml.utf8.count
            else { throw UnexpectedCourse(description: "a full disk takes a manifest") }
            try await scene.stage.xdsOperator.child.line("an error that names the file") {
                $0.contains("call-\(call.id).yaml") ? () : nil
            }
            try await scene.awaitSent(400)
            try disk.empty()
            try scene.stage.apply(call)
        }
        let start = ContinuousClock.now
        try calls.write("afterwards")
        return (nil, try await calls.arrive(since: start))
    }

    private func disturb(
        _ link: Link, _ network: NetworkNamespace, _ scene: Scene, _ calls: inout NewCalls
    ) async throws -> (Duration?, Duration) {
        switch self {
        case .networkCutBriefly, .networkCut:
            link.set { $0.isWhole = false }
            try calls.write("meanwhile")
            let end = ContinuousClock.now + .seconds(self == .networkCut ? 40 : 5)
            if self == .networkCut {
                try await scene.envoy.awaitStatistic("control_plane.connected_state", within: .seconds(30)) { $0 == 0 }
            }
            try await Task.sleep(until: end)
            link.set { $0.isWhole = true }
            let recovery = try await calls.arrive(since: end)
            // The stream that Envoy left is gone as well.
            try await scene.stage.xdsOperator.awaitStreams(1, within: .seconds(200))
            return (nil, recovery)
        case .slowNetwork:
            link.set {
                $0.delay = .milliseconds(250)
                $0.loss = 0.05
            }
            try calls.write("meanwhile")
            let meanwhile = try await calls.arrive()
            try await scene.awaitSent(1_000)
            link.set { $0 = Link.Quality() }
            try calls.write("afterwards")
            return (meanwhile, try await calls.arrive())
        default: return try await scene.loseOtherEnvoy(link, network, &calls)
        }
    }
}

extension CallManifest {
    /// The same call, its document longer than a page of memory, and different only in that.
    fileprivate func padded(_ word: String) -> CallManifest {
        var call = self
        call.annotations = ["note": Array(repeating: word, count: 2_000).joined(separator: "-")]
        return call
    }
}

import Domain
import Kubernetes
import Logging
import Testing
import Translation
import XDS

@testable import ControlPlane

private let key = ObjectKey(namespace: "default", name: "call")

/// What is reported of an object, by what the watch shows and what is published.
@Suite struct ServiceReporterTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var resolved = ObjectMetadata(key: key, uid: "new", generation: 1)
        var inForce: ObjectMetadata? = ObjectMetadata(key: key, uid: "new", generation: 1)
        let isReported: Bool
    }

    @Test(arguments: [
        Case(testDescription: "what the watch shows", isReported: true),
        Case(
            testDescription: "an older generation is resolved", resolved: ObjectMetadata(key: key, uid: "new", generation: 0),
            isReported: false),
        Case(
            testDescription: "an older generation is in force", inForce: ObjectMetadata(key: key, uid: "new", generation: 0),
            isReported: false),
        Case(testDescription: "nothing is in force", inForce: nil, isReported: false),
        Case(
            testDescription: "another object of the name is resolved",
            resolved: ObjectMetadata(key: key, uid: "old", generation: 1), isReported: false),
        Case(
            testDescription: "another object of the name is in force",
            inForce: ObjectMetadata(key: key, uid: "old", generation: 1), isReported: false),
    ])
    func acknowledgementsCountForWhatTheyWereOf(_ test: Case) throws {
        let facts = ResolvedFacts(service: try service(of: test.resolved), matched: 1, unresolved: [])
        let state = PublishedState(
            inForce: test.inForce.map(Incarnation.init(of:)), progress: ServiceProgress(connected: 1, programmed: 1),
            conflicts: [])
        let known = ServiceReporter.Known(metadata: ObjectMetadata(key: key, uid: "new", generation: 1), invalid: [])
        let report = ServiceReporter.report(known, facts, state)
        #expect((report != nil) == test.isReported)
        #expect(report.map(\.programmed) ?? 1 == 1)
    }

    @Test(arguments: [
        (inForce: true, connected: 1, programmed: 1, withdrawn: nil as Bool?),
        (inForce: false, connected: 2, programmed: 1, withdrawn: false),
        (inForce: false, connected: 2, programmed: 2, withdrawn: true),
        (inForce: false, connected: 0, programmed: 0, withdrawn: true),
    ])
    func anInvalidObjectThatWasValidIsWithdrawnOnceEnvoysHaveAcknowledged(
        inForce: Bool, connected: Int, programmed: Int, withdrawn: Bool?
    ) {
        let invalid = [Diagnostic(.error, field: "spec.listeners", message: "must not be empty")]
        let valid = ObjectMetadata(key: key, uid: "new", generation: 1)
        let state = PublishedState(
            inForce: inForce ? Incarnation(of: valid) : nil,
            progress: ServiceProgress(connected: connected, programmed: programmed), conflicts: [])
        let deleted = ServiceReporter.Known(
            metadata: ObjectMetadata(key: key, uid: "new", generation: 3, isTerminating: true), invalid: invalid)
        #expect(ServiceReporter.refusal(deleted, nil, state)?.withdrawn == withdrawn)
        // That it is refused is said at once.
        let refused = ServiceReporter.Known(metadata: ObjectMetadata(key: key, uid: "new", generation: 2), invalid: invalid)
        let report = ServiceReporter.refusal(refused, nil, state)
        #expect(report?.invalid == invalid)
        #expect(report?.withdrawn == false)
    }

    @Test func nothingIsTakenBeforeTheFirstCompleteStateIsPublished() async throws {
        let (changed, resolved, reports) = (Bell(), Bell(), Bell())
        let services = VirtualServiceWatcher(bell: changed)
        let pods = PodWatcher(bell: changed)
        let resolver = EndpointResolver(
            virtualServices: services, pods: pods, crossesNamespaces: false, changed: changed, resolved: resolved,
            reports: reports)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let readiness = Readiness()
        let cache = SnapshotCache(
            resolver: resolver, resolved: resolved, translator: Translator(), readiness: readiness, reports: reports,
            logger: logger)
        let reporter = ServiceReporter(resolver: resolver, cache: cache, bell: reports, logger: logger)
        let invalid = try #require(
            WatchedVirtualService(
                FieldValue(json: ["metadata": ["name": "call", "namespace": "default", "uid": "u"], "spec": [String: Any]()]),
                defaultNamespace: "default"))
        await reporter.observe(invalid)
        let early = await reporter.take()
        #expect(early == [])
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await resolver.run() }
            group.addTask { await cache.run() }
            await pods.receive(.restarted)
            await services.receive(.restarted)
            await pods.receive(.synced)
            await services.receive(.synced)
            // Rung whenever there is something to report.
            for await _ in reporter.changes() {
                let taken = await reporter.take()
                guard !taken.isEmpty else { continue }
                #expect(taken.map(\.key) == [key])
                #expect(readiness.isReady)
                break
            }
            group.cancelAll()
        }
    }

    private func service(of metadata: ObjectMetadata) throws -> VirtualService {
        var service = try call("call", port: 5000)
        service.metadata = metadata
        return service
    }
}

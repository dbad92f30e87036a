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

    private func service(of metadata: ObjectMetadata) throws -> VirtualService {
        var service = try call("call", port: 5000)
        service.metadata = metadata
        return service
    }
}

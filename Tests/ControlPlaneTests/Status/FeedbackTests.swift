import Domain
import Kubernetes
import Logging
import ServiceLifecycle
import Testing

@testable import ControlPlane

private let call = ObjectKey(namespace: "calls", name: "call")

extension FakeCluster {
    fileprivate func holder(_ lease: String) -> String? {
        (leases[lease]?.object["spec"] as? [String: Any])?["holderIdentity"] as? String
    }
}

/// The services over a fake API server, in real time.
@Suite struct FeedbackTests {
    private func feedback(_ api: FakeAPI, _ reports: FakeReports, _ replica: String) -> KubernetesFeedback {
        KubernetesFeedback(
            client: api, reports: reports,
            settings: FeedbackSettings(
                electsLeader: true, lease: ObjectKey(namespace: "system", name: "xds-operator"), replica: replica),
            logger: Logger(label: "test"))
    }

    @Test func anObjectIsProgrammedAndItsFinalizerRemoved() async {
        let (api, reports) = (FakeAPI(), FakeReports())
        await api.change { $0.create(call, finalizers: [StatusRequests.finalizer]) }
        let feedback = feedback(api, reports, "a")
        await api.watch(feedback.observer)
        await withTaskGroup(of: Void.self) { group in
            for service in feedback.services { group.addTask { try? await service.run() } }
            await reports.report(await api.read { .of(call, in: $0) })
            let isProgrammed = await api.wait { $0.programmed(call) == "Programmed 1/1@1" }
            #expect(isProgrammed)
            await reports.report(await api.read { .of(call, in: $0, generation: 2, isTerminating: true, withdrawn: true) })
            let isGone = await api.wait { $0.services[call] == nil }
            #expect(isGone)
            group.cancelAll()
        }
    }

    @Test func twoReplicasAgreeAndEventsAreTheLeadersAlone() async {
        let api = FakeAPI()
        let reports = ["a": FakeReports(), "b": FakeReports()]
        await api.change { $0.create(call) }
        await withTaskGroup(of: Void.self) { group in
            for (name, reports) in reports {
                let feedback = feedback(api, reports, name)
                await api.watch(feedback.observer)
                for service in feedback.services { group.addTask { try? await service.run() } }
            }
            let isLed = await api.wait { $0.holder("xds-operator")?.isEmpty == false && $0.leases.count == 3 }
            #expect(isLed)
            for (_, reports) in reports { await reports.report(await api.read { .of(call, in: $0, matched: 2) }) }
            let isProgrammed = await api.wait { $0.programmed(call) == "Programmed 2/2@1" }
            #expect(isProgrammed)
            for (_, reports) in reports {
                await reports.report(
                    await api.read { .of(call, in: $0, generation: 2, matched: 2, programmed: 0, rejection: "no") })
            }
            let isTold = await api.wait { $0.events.count == 1 && $0.programmed(call) == "Rejected 0/2@2" }
            #expect(isTold)
            group.cancelAll()
        }
        let events = await api.read { $0.events.count }
        #expect(events == 1)
    }

    @Test func aLeaderThatIsKilledIsReplacedAndOneThatStopsGivesUpItsLease() async {
        let api = FakeAPI()
        let lease = ObjectKey(namespace: "system", name: "xds-operator")
        var times = LeaseTimes()
        (times.duration, times.renewDeadline, times.retryPeriod) = (.seconds(1), .milliseconds(600), .milliseconds(50))
        func election(_ name: String) -> (LeaderElection, Leadership) {
            let time = SystemTime()
            let leadership = Leadership(time: time)
            let election = LeaderElection(
                client: api, lease: lease, identity: name, times: times, leadership: leadership, time: time, changed: Bell(),
                logger: Logger(label: "test"))
            return (election, leadership)
        }
        let (first, second, third) = (election("a"), election("b"), election("c"))
        await withTaskGroup(of: Void.self) { group in
            let killed = Task { await first.0.run() }
            let isFirst = await api.wait { $0.holder("xds-operator") == "a" }
            #expect(isFirst)
            let services = ServiceGroup(services: [second.0], logger: Logger(label: "test"))
            group.addTask { try? await services.run() }
            killed.cancel()
            let isSecond = await api.wait { $0.holder("xds-operator") == "b" }
            #expect(isSecond)
            #expect(!first.1.isHeld)
            await services.triggerGracefulShutdown()
            let isFree = await api.wait { $0.holder("xds-operator") == "" }
            #expect(isFree)
            #expect(!second.1.isHeld)
            group.addTask { await third.0.run() }
            let isThird = await api.wait { $0.holder("xds-operator") == "c" }
            #expect(isThird)
            group.cancelAll()
        }
        let transitions = await api.read {
            ($0.leases["xds-operator"]?.object["spec"] as? [String: Any])?["leaseTransitions"] as? Int
        }
        #expect(transitions == 2)
    }
}

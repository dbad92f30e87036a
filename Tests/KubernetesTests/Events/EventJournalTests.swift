import Domain
import Kubernetes
import Testing

private func event(_ name: String = "x", _ note: String = "cannot bind") -> ServiceEvent {
    ServiceEvent(key: ObjectKey(namespace: "n", name: name), uid: "u", reason: .rejected, note: note)
}

extension APIRequest {
    fileprivate var text: String { String(decoding: body, as: UTF8.self) }
}

@Suite struct EventJournalTests {
    @Test func theFirstIsAnObjectAndRepetitionsAreItsSeries() throws {
        var journal = EventJournal(instance: "op-0")
        let written = journal.record(event(), now: .zero, microseconds: 1)
        let first = try #require(written)
        #expect(first.method == .post)
        #expect(first.path == "/apis/events.k8s.io/v1/namespaces/n/events")
        #expect(
            first.text
                == #"{"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"name":"x.1-1","namespace":"n"},"eventTime":"1970-01-01T00:00:00.000001Z","type":"Warning","reason":"Rejected","action":"Program","note":"cannot bind","regarding":{"apiVersion":"servicemesh.l7mp.io/v1","kind":"VirtualService","namespace":"n","name":"x","uid":"u"},"reportingController":"servicemesh.l7mp.io/xds-operator","reportingInstance":"op-0"}"#
        )
        for second in 1..<5 {
            let repeated = journal.record(event(), now: .seconds(second), microseconds: Int64(second))
            #expect(repeated == nil)
        }
        #expect(journal.nextDue == .seconds(30))
        let early = journal.due(now: .seconds(29))
        #expect(early.isEmpty)
        let due = journal.due(now: .seconds(30))
        #expect(due.map(\.method) == [.patch])
        #expect(due.first?.path.hasSuffix("/events/x.1-1") == true)
        #expect(due.first?.text == #"{"series":{"count":5,"lastObservedTime":"1970-01-01T00:00:00.000004Z"}}"#)
        #expect(journal.nextDue == nil)
        let late = journal.record(event(), now: .seconds(4 + 360), microseconds: 9)
        #expect(late?.method == .post)
    }

    @Test func oneObjectCantUseUpTheRate() {
        var journal = EventJournal(instance: "op-0")
        let written = (0..<100).filter { journal.record(event("x", "\($0)"), now: .zero, microseconds: 0) != nil }.count
        #expect(written == 5)
        let other = journal.record(event("y"), now: .zero, microseconds: 0)
        #expect(other != nil)
        let all = (0..<1000).filter { journal.record(event("z\($0)"), now: .zero, microseconds: 0) != nil }.count
        #expect(all == 19)
        #expect(journal.dropped == 95 + 981)
    }

    @Test func anEventThatHasExpiredIsMadeAnew() {
        var journal = EventJournal(instance: "op-0")
        _ = journal.record(event(), now: .zero, microseconds: 1)
        journal.lost(name: "x.1-1")
        let again = journal.record(event(), now: .seconds(1), microseconds: 2)
        #expect(again?.method == .post)
    }

    @Test func namesAndNotesKeepToTheirLimits() throws {
        var journal = EventJournal(instance: String(repeating: "i", count: 300))
        let long = event(String(repeating: "a.", count: 126) + "a", String(repeating: "ü", count: 2000))
        #expect(long.note.utf8.count <= 1024)
        let written = journal.record(long, now: .zero, microseconds: 1_714_564_800_000_001)
        let request = try #require(written)
        let name = try #require(request.text.split(separator: "\"name\":\"").dropFirst().first?.split(separator: "\"").first)
        #expect(name.utf8.count <= 253)
        #expect(!name.contains(".."))
        #expect(request.text.contains("\"reportingInstance\":\"\(String(repeating: "i", count: 128))\""))
    }
}

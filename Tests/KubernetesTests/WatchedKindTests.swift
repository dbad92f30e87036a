import Domain
import Kubernetes
import Testing

/// Requirements 2, 5, 9, 18 and 20 as they look on the wire.
@Suite struct WatchedKindTests {
    private let pods = WatchedKind<Pod>.pods
    private let services = WatchedKind<VirtualService>.virtualServices

    private func event(_ json: String) throws -> WatchFrame<Pod> {
        try pods.frame(Array(json.utf8), framing: .lines, namespace: "ns")
    }

    @Test func `18 pods are asked for in protobuf, VirtualServices in JSON`() {
        #expect(pods.accept.hasPrefix("application/vnd.kubernetes.protobuf,"))
        #expect(services.accept == "application/json")
        #expect(pods.path(namespace: nil) == "/api/v1/pods")
        #expect(pods.path(namespace: "ns") == "/api/v1/namespaces/ns/pods")
        #expect(services.path(namespace: "ns") == "/apis/servicemesh.l7mp.io/v1/namespaces/ns/virtualservices")
        #expect(WatchedKind<Pod>.framing(contentType: "application/vnd.kubernetes.protobuf;stream=watch") == .lengths)
        #expect(WatchedKind<Pod>.framing(contentType: "application/json") == .lines)
    }

    @Test func `9 a deleted object may be partial`() throws {
        let frame = try services.frame(
            Array(#"{"type":"DELETED","object":{"metadata":{"name":"n","resourceVersion":"9"}}}"#.utf8), framing: .lines,
            namespace: "ns")
        #expect(frame.notice == .deleted(version: "9"))
        #expect(frame.object?.metadata?.key == ObjectKey(namespace: "ns", name: "n"))
    }

    /// A status that is written brings the object once more: what is known of its spec makes no difference to what is read.
    @Test func specsThatAreKnownAreReadAsThoseThatAreNot() throws {
        let kind = WatchedKind<WatchedVirtualService>.watchedVirtualServices
        func listener(_ port: String) -> String {
            #"{"name":"a","udp":{"port":\#(port),"cluster":{"name":"c","service_discovery":"eds","endpoints":[]"#
                + #"}}}"#
        }
        func spec(_ listeners: String...) -> String {
            #"{"selector":{"app":"w"},"listeners":[\#(listeners.joined(separator: ","))]}"#
        }
        let endpoint = #"{"name":"e","host":{"address":"10.0.0.1"},"port":1}"#
        let clean = spec(listener("1").replacing("[]", with: "[\(endpoint)]"))
        let specs = [
            clean, clean, spec(), clean, spec(listener("0")), clean, spec(listener("2")), spec(listener("2")), "{", "7", "null",
            clean, #"{"selector":{}}"#, clean,
        ]
        var memory = SpecMemory()
        var served: [Int] = []
        for (round, spec) in specs.enumerated() {
            for type in round == 5 ? ["DELETED", "ADDED"] : ["MODIFIED"] {
                let metadata = #"{"name":"n","namespace":"ns","generation":\#(round),"resourceVersion":"\#(round)"}"#
                let status = #"{"observedGeneration":\#(round)}"#
                let text = #"{"type":"\#(type)","object":{"metadata":\#(metadata),"spec":\#(spec),"status":\#(status)}}"#
                let known = try? kind.frame(Array(text.utf8), framing: .lines, namespace: nil, memory: &memory)
                let fresh = try? kind.frame(Array(text.utf8), framing: .lines, namespace: nil)
                #expect(known?.notice == fresh?.notice)
                #expect(known?.object?.object == fresh?.object?.object, "round \(round)")
                #expect(known?.object?.metadata == fresh?.object?.metadata)
                if type != "DELETED" { served.append(known?.object?.object?.service?.listeners.count ?? -1) }
            }
        }
        #expect(served == [1, 1, 0, 1, -1, 1, 1, 1, -1, -1, -1, 1, -1, 1])
    }

    /// Not just once, or not where it should be: nothing known is taken for it.
    @Test(arguments: [
        #""object":{"metadata":{"name":"n"}},"other":{"spec":SPEC}"#,
        #""object":{"metadata":{"name":"n"},"spec":SPEC,"spec":SPEC}"#,
        #""object":{"metadata":{"name":"n"},"spec":SPEC,"more":1}"#, #""object":{"metadata":{"name":"n","uid":7},"spec":SPEC}"#,
        #""object":{"metadata":{"name":7},"spec":SPEC}"#, #""object":[{"spec":SPEC}]"#,
    ])
    func aKnownSpecExcusesNothing(object: String) throws {
        let kind = WatchedKind<WatchedVirtualService>.watchedVirtualServices
        let spec = #"{"selector":{"app":"w"},"listeners":[]}"#
        var memory = SpecMemory()
        let first = #"{"type":"ADDED","object":{"metadata":{"name":"n"},"spec":\#(spec)}}"#
        _ = try kind.frame(Array(first.utf8), framing: .lines, namespace: nil, memory: &memory)
        let text = Array(#"{"type":"MODIFIED",\#(object)}"#.replacing("SPEC", with: spec).utf8)
        let known = try kind.frame(text, framing: .lines, namespace: nil, memory: &memory)
        let fresh = try kind.frame(text, framing: .lines, namespace: nil)
        #expect(known.object?.object == fresh.object?.object)
        #expect(known.object?.metadata == fresh.object?.metadata)
    }

    @Test func `9 unknown types and fields are ignored`() throws {
        #expect(try event(#"{"type":"TWINKLED","object":{}}"#).notice == .unknown)
        let frame = try event(
            #"{"type":"ADDED","more":1,"object":{"metadata":{"name":"n","resourceVersion":"4","new":{}},"x":[]}}"#)
        #expect(frame.notice == .applied(version: "4"))
        #expect(frame.object?.object?.key.name == "n")
    }

    @Test(arguments: [(#""annotations":{"k8s.io/initial-events-end":"true"},"#, true), ("", false)])
    func `5 bookmarks in JSON`(annotations: String, ends: Bool) throws {
        let frame = try event(#"{"type":"BOOKMARK","object":{"kind":"Pod","metadata":{\#(annotations)"resourceVersion":"12"}}}"#)
        #expect(frame.notice == .bookmark(version: "12", endsInitialEvents: ends))
    }

    @Test func `2 an error event carries a status`() throws {
        let frame = try event(#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}"#)
        #expect(frame.notice == .error(APIStatus(code: 410, reason: "Expired", message: "too old")))
    }

    @Test func `1 a page in JSON`() throws {
        let page = try pods.page(
            Array(
                #"{"kind":"PodList","metadata":{"resourceVersion":"7","continue":"t"},"items":[{"metadata":{"name":"a"}}]}"#.utf8),
            namespace: "ns")
        #expect(page.version == "7")
        #expect(page.continueToken == "t")
        #expect(page.items.map(\.metadata?.key) == [ObjectKey(namespace: "ns", name: "a")])
        #expect(try pods.page(Array(#"{"metadata":{"resourceVersion":"7"},"items":null}"#.utf8), namespace: nil).items.isEmpty)
        #expect(throws: (any Error).self) { try pods.page(Array(#"{"kind":"Status"}"#.utf8), namespace: nil) }
    }

    // MARK: - Protobuf

    @Test func `18 a page in protobuf`() throws {
        let list = Wire.text(2, "7") + Wire.text(3, "t")
        let page = try pods.page(
            Wire.envelope("PodList", Wire.message(1, list) + Wire.message(2, Wire.pod("a")) + Wire.message(2, Wire.pod("b"))),
            namespace: nil)
        #expect(page.version == "7")
        #expect(page.continueToken == "t")
        #expect(page.items.compactMap(\.object).map(\.key.name) == ["a", "b"])
    }

    @Test(arguments: ["ADDED", "MODIFIED"]) func `18 20 a pod in protobuf is the same as in JSON`(type: String) throws {
        let frame = try pods.frame(
            Wire.event(type, Wire.envelope("Pod", Wire.pod("worker-0", isTerminating: true))), framing: .lengths, namespace: nil)
        #expect(frame.notice == .applied(version: "42"))
        let json: FieldValue = [
            "metadata": [
                "name": "worker-0", "namespace": "calls", "uid": "u-1", "resourceVersion": "42", "generation": 3,
                "creationTimestamp": "1970-01-01T00:01:40Z", "deletionTimestamp": "2024-05-01T12:00:00Z",
                "labels": ["app": "worker"],
                "finalizers": ["f"],
            ],
            "spec": ["hostNetwork": true, "serviceAccountName": "sip"],
            "status": [
                "phase": "Running", "podIP": "10.0.0.1", "podIPs": [["ip": "10.0.0.1"], ["ip": "fd00::1"]],
                "conditions": [["type": "Ready", "status": "True"]],
            ],
        ]
        #expect(frame.object?.object != nil)
        #expect(frame.object?.object == PodDecoder().decode(json).object)
    }

    @Test func `20 a pod that has no address yet`() throws {
        let page = try pods.page(
            Wire.envelope(
                "PodList",
                Wire.message(2, Wire.message(1, Wire.text(1, "a") + Wire.text(3, "ns")) + Wire.message(3, Wire.text(6, "")))),
            namespace: nil)
        let pod = try #require(page.items.first?.object)
        #expect(pod.addresses == [] && pod.phase == .pending && !pod.isReady && !pod.metadata.isTerminating)
    }

    @Test(arguments: [
        ("Pending", Pod.Phase.pending), ("Running", .running), ("Succeeded", .succeeded), ("Failed", .failed),
        ("Unknown", .unknown),
    ])
    func `20 every phase, not ready, dual stack`(text: String, phase: Pod.Phase) throws {
        let condition = Wire.message(2, Wire.text(1, "Ready") + Wire.text(2, "False"))
        let status =
            Wire.text(1, text) + condition + Wire.text(6, "fd00::1") + Wire.message(12, Wire.text(1, "fd00::1"))
            + Wire.message(12, Wire.text(1, "10.0.0.1"))
        let message = Wire.message(1, Wire.text(1, "a") + Wire.text(3, "ns")) + Wire.message(3, status)
        let pod = try #require(
            try pods.page(Wire.envelope("PodList", Wire.message(2, message)), namespace: nil).items.first?.object)
        #expect(pod.phase == phase && !pod.isReady && pod.addresses.map(\.text) == ["fd00::1", "10.0.0.1"])
    }

    @Test(arguments: [
        (Wire.text(1, "Up"), "status.phase"), (Wire.text(6, "10.0.0"), "status.podIP"),
    ])
    func `20 a pod that makes no sense is invalid, as in JSON`(status: [UInt8], field: String) throws {
        let message = Wire.message(1, Wire.text(1, "a") + Wire.text(3, "ns")) + Wire.message(3, status)
        let item = try #require(try pods.page(Wire.envelope("PodList", Wire.message(2, message)), namespace: nil).items.first)
        #expect(item.object == nil && item.metadata?.key == ObjectKey(namespace: "ns", name: "a"))
        #expect(item.diagnostics.map(\.field) == [field])
    }

    @Test func `18 bookmarks and errors in protobuf`() throws {
        let annotation = Wire.message(12, Wire.text(1, "k8s.io/initial-events-end") + Wire.text(2, "true"))
        let bookmark = Wire.event("BOOKMARK", Wire.envelope("Pod", Wire.message(1, Wire.text(6, "9") + annotation)))
        #expect(
            try pods.frame(bookmark, framing: .lengths, namespace: nil).notice == .bookmark(version: "9", endsInitialEvents: true)
        )
        let status = Wire.text(3, "too old") + Wire.text(4, "Expired") + Wire.message(5, Wire.number(5, 3)) + Wire.number(6, 410)
        let error = Wire.event("ERROR", Wire.envelope("Status", status))
        let expected = APIStatus(code: 410, reason: "Expired", message: "too old", retryAfterSeconds: 3)
        #expect(try pods.frame(error, framing: .lengths, namespace: nil).notice == .error(expected))
        #expect(APIStatus(body: Wire.envelope("Status", status)) == expected)
    }

    @Test func `18 what is cut off or garbled is refused, and never crashes`() throws {
        let whole = Wire.event("ADDED", Wire.envelope("Pod", Wire.pod("worker-0")))
        for length in 0..<whole.count {
            #expect((try? pods.frame(Array(whole.prefix(length)), framing: .lengths, namespace: nil))?.object?.object == nil)
        }
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var garbled = whole
            garbled[Int.random(in: 0..<garbled.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            _ = try? pods.frame(garbled, framing: .lengths, namespace: nil)
        }
    }
}

/// Writes protobuf.
enum Wire {
    static func varint(_ value: UInt64) -> [UInt8] {
        value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7F) | 0x80] + varint(value >> 7)
    }

    static func number(_ field: UInt64, _ value: UInt64) -> [UInt8] { varint(field << 3) + varint(value) }

    static func message(_ field: UInt64, _ content: [UInt8]) -> [UInt8] {
        varint(field << 3 | 2) + varint(UInt64(content.count)) + content
    }

    static func text(_ field: UInt64, _ text: String) -> [UInt8] { message(field, Array(text.utf8)) }

    static func envelope(_ kind: String, _ object: [UInt8]) -> [UInt8] {
        [0x6B, 0x38, 0x73, 0x00] + message(1, text(1, "v1") + text(2, kind)) + message(2, object) + text(3, "") + text(4, "")
    }

    static func event(_ type: String, _ envelope: [UInt8]) -> [UInt8] { text(1, type) + message(2, message(1, envelope)) }

    static func pod(_ name: String, isTerminating: Bool = false) -> [UInt8] {
        var metadata = text(1, name) + text(2, "") + text(3, "calls") + text(5, "u-1") + text(6, "42") + number(7, 3)
        metadata += message(8, number(1, 100)) + (isTerminating ? message(9, number(1, 200)) : [])
        metadata += message(11, text(1, "app") + text(2, "worker")) + text(14, "f") + message(17, text(1, "manager"))
        let condition = text(1, "Ready") + text(2, "True")
        let addresses = message(12, text(1, "10.0.0.1")) + message(12, text(1, "fd00::1"))
        let status = text(1, "Running") + message(2, condition) + text(5, "10.9.9.9") + text(6, "10.0.0.1") + addresses
        // A fixed field of each width, as other messages have them.
        return message(1, metadata) + message(2, text(8, "sip") + number(11, 1)) + message(3, status) + [
            0x79, 0, 0, 0, 0, 0, 0, 0, 0, 0x7D, 0, 0, 0, 0,
        ]
    }
}

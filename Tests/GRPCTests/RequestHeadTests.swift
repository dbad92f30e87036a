import GRPC
import Testing

@Suite struct RequestHeadTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let method: String?
        let path: String?
        let contentType: String?
        let answer: Answer

        var testDescription: String { "\(method ?? "-") \(path ?? "-") \(contentType ?? "-")" }
    }

    enum Answer: Equatable, Sendable {
        case valid
        case http(Int)
        case rpc(Status.Code)
    }

    @Test(arguments: [
        Case(method: "POST", path: "/a.B/C", contentType: "application/grpc", answer: .valid),
        Case(method: "POST", path: "/a.B/C", contentType: "application/grpc+proto", answer: .valid),
        Case(method: "POST", path: "/a.B/C", contentType: "Application/GRPC;charset=utf-8", answer: .valid),
        Case(method: "POST", path: "/a.B/C", contentType: "application/grpc+json", answer: .http(415)),
        Case(method: "POST", path: "/a.B/C", contentType: "application/grpc-web", answer: .http(415)),
        Case(method: "POST", path: "/a.B/C", contentType: "text/plain", answer: .http(415)),
        Case(method: "POST", path: "/a.B/C", contentType: nil, answer: .http(415)),
        Case(method: "GET", path: "/a.B/C", contentType: "application/grpc", answer: .http(405)),
        Case(method: nil, path: "/a.B/C", contentType: "application/grpc", answer: .http(405)),
        Case(method: "POST", path: "/", contentType: "application/grpc", answer: .rpc(.unimplemented)),
        Case(method: "POST", path: "/a.B", contentType: "application/grpc", answer: .rpc(.unimplemented)),
        Case(method: "POST", path: "/a.B/C/D", contentType: "application/grpc", answer: .rpc(.unimplemented)),
        Case(method: "POST", path: "a.B/C", contentType: "application/grpc", answer: .rpc(.unimplemented)),
        Case(method: "POST", path: nil, contentType: "application/grpc", answer: .rpc(.unimplemented)),
    ])
    func judgesRequests(example: Case) {
        var fields: [HeaderField] = []
        if let method = example.method { fields.append((":method", method)) }
        if let path = example.path { fields.append((":path", path)) }
        if let contentType = example.contentType { fields.append(("content-type", contentType)) }
        let answer: Answer
        do {
            _ = try RequestHead(fields)
            answer = .valid
        } catch {
            switch error {
            case .http(let status, _): answer = .http(status)
            case .rpc(let status): answer = .rpc(status.code)
            }
        }
        #expect(answer == example.answer)
    }

    @Test func keepsMetadataInOrderWithoutPseudoFields() throws {
        let head = try RequestHead([
            (":method", "POST"), (":path", "/a.B/C"), ("x", "1"), ("content-type", "application/grpc"), ("x", "2"),
        ])
        #expect(head.path == "/a.B/C")
        #expect(head.metadata.map(\.name) == ["x", "content-type", "x"])
        #expect(head.metadata.map(\.value) == ["1", "application/grpc", "2"])
    }
}

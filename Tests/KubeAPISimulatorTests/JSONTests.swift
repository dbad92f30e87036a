import KubeAPISimulator
import Testing

struct JSONTests {
    @Test(arguments: [
        ("{\"b\":1,\"a\":[true,null,\"x\\n\\u00e9\"]}", "{\"a\":[true,null,\"x\\né\"],\"b\":1}"),
        ("[1.5,-3,9223372036854775807,1e3]", "[1.5,-3,9223372036854775807,1000]"),
        ("\"\\ud83d\\ude00\"", "\"😀\""),
        ("{}", "{}"),
    ])
    func readsAndWrites(text: String, canonical: String) throws {
        #expect(try JSONValue(parsing: text.utf8).encodedText == canonical)
    }

    @Test(arguments: ["", "{", "[1,]", "{\"a\" 1}", "tru", "\"a", "1 2", "nul", "{1:2}", "\"\\x\"", "--1"])
    func refuses(text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: text.utf8) }
    }

    @Test func refusesBottomlessNesting() {
        #expect(throws: JSONError.self) { try JSONValue(parsing: String(repeating: "[", count: 100_000).utf8) }
    }

    @Test(arguments: [
        (
            "a: 1\nb: '1'\nc: yes\nd: ~\ne: 1.5\nf: [x, true]",
            "{\"a\":1,\"b\":\"1\",\"c\":\"yes\",\"d\":null,\"e\":1.5,\"f\":[\"x\",true]}"
        ),
        ("{\"a\": {\"b\": []}}", "{\"a\":{\"b\":[]}}"),
    ])
    func readsYAML(text: String, json: String) throws {
        #expect(try JSONValue(yaml: text).encodedText == json)
    }
}

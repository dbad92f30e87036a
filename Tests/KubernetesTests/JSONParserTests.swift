import Kubernetes
import Testing

@Suite struct JSONParserTests {
    private static let values: [(String, FieldValue)] = [
        ("null", nil), (" true ", true), ("false", false), ("0", 0), ("-12", -12),
        ("9223372036854775807", 9_223_372_036_854_775_807),
        ("9223372036854775808", 9223372036854775808.0), ("1.5", 1.5), ("1e3", 1000.0), ("-2.5E-1", -0.25),
        ("\"\"", ""), ("\"aé€😀\"", "aé€😀"), (#""a\"b\\c\/d\b\f\n\r\t""#, "a\"b\\c/d\u{8}\u{C}\n\r\t"),
        (#""\u0041\u00e9\u20AC""#, "Aé€"), (#""x\uD83D\ude00y""#, "x😀y"),
        (#""\uD83Dx""#, "\u{FFFD}x"), (#""\uDE00""#, "\u{FFFD}"), (#""\uD83D\uD83D\uDE00""#, "\u{FFFD}😀"),
        (#""\uD83D\n""#, "\u{FFFD}\n"),
        ("[]", []), ("[ 1 , [ ] , {} ]", [1, [], [:]]), (#"{"a":1,"b":{"c":[true]}}"#, ["a": 1, "b": ["c": [true]]]),
    ]

    @Test(arguments: values) func reads(text: String, value: FieldValue) throws {
        #expect(try JSONParser.parse(Array(text.utf8)) == value)
    }

    @Test(arguments: [
        "", " ", "nul", "tru", "01", "-", "1.", ".5", "1e", "+1", "\"", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\n\"",
        "[", "[1",
        "[1,", "[1,]", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,}", "{a:1}", "1 2", "[1]]", "\"\\uD83D\\", "NaN",
    ])
    func refuses(text: String) {
        #expect(throws: JSONError.self) { try JSONParser.parse(Array(text.utf8)) }
    }

    @Test func repairsMalformedUTF8() throws {
        #expect(try JSONParser.parse([0x22, 0xFF, 0x61, 0x22]) == "\u{FFFD}a")
    }

    @Test func tellsDuplicateKeys() throws {
        let object = try #require(try JSONParser.parse(Array(#"{"a":1,"a":2}"#.utf8)).object)
        #expect(object.duplicates.map(\.key) == ["a"])
    }

    @Test func leavesMembersOut() throws {
        let text = #"{"metadata":{"managedFields":[{"f:x":{"k":"]}\""}}],"name":"n"}}"#
        #expect(try JSONParser.parse(Array(text.utf8), omitting: "managedFields") == ["metadata": ["name": "n"]])
    }

    /// Neither the stack nor the list around it suffers from one absurd object.
    @Test func whatIsTooDeepIsNull() throws {
        let depth = 200_000
        let deep = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        var value = try JSONParser.parse(Array(#"{"deep":\#(deep),"next":1}"#.utf8))
        #expect(value["next"] == 1)
        var levels = 0
        value = try #require(value["deep"])
        while let inner = value.elements?.first { (value, levels) = (inner, levels + 1) }
        #expect(value.kind == .null)
        #expect(levels < FieldValue.maximumDepth)
    }

    @Test func manyObjectsTakeNoTime() throws {
        let service =
            #"{"apiVersion":"servicemesh.l7mp.io/v1","kind":"VirtualService","metadata":{"name":"n","namespace":"ns"},"spec":{"#
            + #""selector":{"app":"w"},"listeners":[{"name":"a","udp":{"port":1,"cluster":{"name":"c","service_discovery":"eds"}}}]}}"#
        let list =
            #"{"metadata":{"resourceVersion":"1"},"items":["# + Array(repeating: service, count: 10_000).joined(separator: ",")
            + "]}"
        let bytes = Array(list.utf8)
        var count: Int?
        let duration = try ContinuousClock().measure {
            count = try JSONParser.parse(bytes)["items"]?.elements?.count
        }
        #expect(count == 10_000)
        // Some 50 ms optimised; this also bounds a debug build on a loaded machine.
        #expect(duration < .seconds(15))
    }
}

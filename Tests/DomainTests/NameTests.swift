import Domain
import Testing

@Suite struct NameTests {
    @Test(arguments: [
        ("tcp-echo.default.svc", "tcp-echo.default.svc"), ("Example.COM.", "example.com"), ("a_b.svc", "a_b.svc"), ("a", "a"),
        ("4.example", "4.example"),
    ])
    func hostNames(text: String, canonical: String) {
        #expect(DNSName(text)?.text == canonical)
    }

    @Test(arguments: [
        "", ".", "a..b", "-a", "a-", "10.0.0.256", "1234", "a b", "a:80", "a/b", "\u{212A}elvin", "a\0b", "ä.example",
        String(repeating: "a", count: 64), Array(repeating: "abcdefghi", count: 26).joined(separator: "."),
    ])
    func noHostNames(text: String) {
        #expect(DNSName(text) == nil)
    }

    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("2001:DB8:0:0::1", "2001:db8::1"), ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
    ])
    func addresses(text: String, canonical: String) {
        #expect(IPAddress(text)?.text == canonical)
    }

    @Test(arguments: ["", "127.0.0.256", "127.1", "010.0.0.1", "[::1]", "fe80::1%eth0", "10.0.0.1:80", "10.0.0.1\0x", "example"])
    func noAddresses(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func ports() {
        #expect(PortNumber(0) == nil)
        #expect(PortNumber(65536) == nil)
        #expect(PortNumber(-1) == nil)
        #expect(PortNumber(Int64.max) == nil)
        #expect(PortNumber(65535)?.value == 65535)
    }
}

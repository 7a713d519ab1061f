import Testing

@testable import Guard

@Suite("Outbound: addresses, blocks, URLs")
struct OutboundPlaceTests {
    @Test(
        "An address has one form in which it is taken",
        arguments: [
            ("10.1.2.3", "10.1.2.3"), ("255.255.255.255", "255.255.255.255"), ("::1", "::1"), ("2001:DB8::1", "2001:db8::1"),
            ("::ffff:10.1.2.3", "::ffff:10.1.2.3"),
        ])
    func addresses(text: String, written: String) throws {
        #expect(try #require(OutboundAddress(text)).description == written)
    }

    @Test(
        "Short, octal, hexadecimal, whole and zoned forms are none",
        arguments: [
            "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.0.0.01", "127.0.0.1.", "256.0.0.1", "1.2.3", "1.2.3.4.5",
            "1..2.3", "", "a.b.c.d", "fe80::1%lo", ":::", "12345::", "::1/64",
        ])
    func notAddresses(text: String) {
        #expect(OutboundAddress(text) == nil)
    }

    @Test(
        "What stands for an IPv4 address is judged as that",
        arguments: [
            "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::127.0.0.1", "2002:7f00:1::", "2002:7f00:1::9", "fe80::5efe:7f00:1",
            "2001:db8::200:5efe:127.0.0.1",
        ])
    func unwrapping(text: String) throws {
        let address = try #require(OutboundAddress(text))
        #expect(address.unwrapped.description == "127.0.0.1" && address.isLoopback && address.isSpecial)
    }

    @Test(
        "This host, the link, groups, metadata services and nothing at all are special; a bank's own networks are not",
        arguments: [
            ("0.0.0.0", true), ("127.9.9.9", true), ("169.254.169.254", true), ("100.100.100.200", true), ("168.63.129.16", true),
            ("192.0.0.192", true), ("224.0.0.1", true), ("255.255.255.255", true), ("::", true), ("::1", true), ("fe80::1", true),
            ("ff02::1", true), ("fd00:ec2::254", true), ("64:ff9b:1::a00:1", true), ("2001:0:1::1", true), ("10.0.0.1", false),
            ("192.168.1.1", false), ("172.16.0.1", false), ("198.51.100.7", false), ("2001:db8::1", false), ("fd12::1", false),
        ])
    func special(text: String, is special: Bool) throws {
        #expect(try #require(OutboundAddress(text)).isSpecial == special)
    }

    @Test("A block holds its addresses of its own family, and no others")
    func blocks() throws {
        let block = try #require(OutboundNetwork("10.20.0.0/16"))
        #expect(block.contains(try #require(OutboundAddress("10.20.255.1"))) && block.description == "10.20.0.0/16")
        #expect(!block.contains(try #require(OutboundAddress("10.21.0.1"))))
        #expect(!block.contains(try #require(OutboundAddress("::ffff:10.20.0.1"))))
        let all = try #require(OutboundNetwork("0.0.0.0/0"))
        #expect(all.contains(try #require(OutboundAddress("8.8.8.8"))))
        #expect(try #require(OutboundNetwork("2001:db8::/32")).contains(try #require(OutboundAddress("2001:db8:9::1"))))
        #expect(try #require(OutboundNetwork("::/0")).contains(try #require(OutboundAddress("fe80::1"))))
        for text in ["10.20.0.1/16", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/x", "bank.example/8", "10.0.0.0/8/8"] {
            #expect(OutboundNetwork(text) == nil, "\(text)")
        }
    }

    @Test("A URL comes apart into the place that is judged, and is written from that")
    func urls() throws {
        let url = try OutboundURL("https://Hooks.Bank.example/a/b?c=d%20e")
        #expect(url.host == .name("hooks.bank.example") && url.port == 443 && !url.isPlaintext && url.place == "hooks.bank.example:443")
        #expect(url.text == "https://hooks.bank.example/a/b?c=d%20e")
        #expect(try OutboundURL("http://10.0.0.1:8080").text == "http://10.0.0.1:8080/")
        #expect(try OutboundURL("https://[2001:DB8::1]:8443?x").text == "https://[2001:db8::1]:8443/?x")
        #expect(try OutboundURL("http://[::1]/x").place == "[::1]:80")
    }

    @Test(
        "A URL that two readers could read differently is refused, with a reason that does not repeat it",
        arguments: [
            "", "hooks.example", "//hooks.example/", "HTTPS://hooks.example/", "ftp://hooks.example/", "file:///etc/passwd",
            "http+unix://hooks/x", "https:/hooks.example", "https://", "https:///x", "https://a@hooks.example/",
            "https://a:b@hooks.example/",
            "https://hooks.example:0/", "https://hooks.example:65536/", "https://hooks.example:/", "https://hooks.example:08/",
            "https://hooks.example:x/", "https://hooks.example/#a", "https://hooks.example#@127.0.0.1/",
            "https://hooks.example\\@127.0.0.1/",
            "https://hooks.example /", "https://hooks.example/\u{0}", "https://hooks.example/\r\nx", "https://hööks.example/",
            "https://①②⑦.0.0.1/", "https://127。0。0。1/", "https://hooks%2eexample/", "https://hooks.example/%zz", "https://hooks.example/%1",
            "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://0177.0.0.1/", "https://127.0.0.1./",
            "https://hooks.example./", "https://hooks..example/", "https://-hooks.example/", "https://hooks_x.example/", "https://[::1/",
            "https://::1/", "https://[10.0.0.1]/", "https://[::1%25lo]/", "https://[v1.x]/", "https://1.2.3.4.5/",
        ])
    func refused(text: String) {
        #expect(throws: OutboundFault.self) { try OutboundURL(text) }
        do {
            _ = try OutboundURL(text)
        } catch {
            guard case .malformedURL(let reason) = error else { return #expect(Bool(false), "\(error)") }
            #expect(!reason.isEmpty && !reason.contains("passwd"))
        }
    }

    @Test("A URL beyond the limit is refused")
    func long() {
        #expect(throws: OutboundFault.self) { try OutboundURL("https://hooks.example/" + String(repeating: "a", count: 2048)) }
    }

    @Test("The list says for a URL whether it could ever be allowed")
    func mayAllow() throws {
        let named = OutboundRules([try #require(.init("hooks.example", ports: [443, 8443]))])
        #expect(named.mayAllow(try OutboundURL("https://hooks.example:8443/x")))
        #expect(!named.mayAllow(try OutboundURL("https://hooks.example:444/x")))
        #expect(!named.mayAllow(try OutboundURL("https://other.example/x")))
        #expect(!named.mayAllow(try OutboundURL("http://hooks.example:8443/x")))
        #expect(!OutboundRules().mayAllow(try OutboundURL("https://hooks.example/x")))
        let block = OutboundRules([try #require(.init("10.0.0.0/8", plaintextReason: "in the cage"))])
        #expect(block.mayAllow(try OutboundURL("https://10.9.9.9/")))
        #expect(!block.mayAllow(try OutboundURL("https://11.9.9.9/")))
        #expect(block.mayAllow(try OutboundURL("https://any.example/")))
        #expect(OutboundRules.Entry("hooks example") == nil && OutboundRules.Entry("10.0.0.1/8") == nil)
    }

    @Test("Every fault says what to look at and has its word")
    func faults() {
        let all: [OutboundFault] = [
            .malformedURL(reason: "r"), .notAllowed, .unresolved, .noConnection, .tls, .timedOut, .broken, .stopped,
        ]
        #expect(Set(all.map(\.word)).count == all.count && Set(all.map(\.description)).count == all.count)
    }
}

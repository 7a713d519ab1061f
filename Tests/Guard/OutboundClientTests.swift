import Glibc
import NIOSSL
import Synchronization
import Testing

@testable import Guard

/// Real sockets on loopback. 127.0.0.1 is what an attacker wants to reach; 127.0.0.2 and 127.0.0.3 stand for places that are allowed.
@Suite("Outbound: the one client")
struct OutboundClientTests {
    /// Milliseconds, for what is to succeed: beside tests that block threads it may take long.
    private static let patience: Int64 = 300_000

    private static func resolver(_ names: [String: [String]]) -> OutboundResolver {
        OutboundResolver { name in (names[name] ?? []).compactMap { OutboundAddress($0) } }
    }

    private static func client(
        _ entries: [(String, Int)], _ resolver: OutboundResolver = .system, _ change: (inout OutboundClient.Options) -> Void = { _ in }
    ) throws -> OutboundClient {
        var options = OutboundClient.Options()
        options.connectTimeout = patience
        change(&options)
        let rules = OutboundRules(entries.compactMap { OutboundRules.Entry($0.0, ports: [$0.1], plaintextReason: "a test") })
        return try OutboundClient(rules, options, resolver: resolver)
    }

    private static func get(
        _ client: OutboundClient, _ text: String, timeout: Int64 = patience
    ) async -> Result<OutboundAnswer, OutboundFault> {
        do throws(OutboundFault) {
            return .success(try await client.send(OutboundRequest(.get, OutboundURL(text), timeout: timeout)))
        } catch {
            return .failure(error)
        }
    }

    private static func fault(_ client: OutboundClient, _ text: String, timeout: Int64 = patience) async -> OutboundFault? {
        if case .failure(let fault) = await get(client, text, timeout: timeout) { fault } else { nil }
    }

    /// Two servers at one port of two addresses.
    private static func pair() async throws -> (OutboundListener, OutboundListener) {
        for _ in 0..<20 {
            let first = try OutboundListener("127.0.0.2")
            do {
                return (first, try OutboundListener("127.0.0.1", port: first.port))
            } catch {
                // Somebody has that port already.
                try await first.stop()
            }
        }
        throw OutboundFault.noConnection
    }

    private static let forbidden = [
        "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "127.0.0.1.", "0.0.0.0", "0",
        "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:0001]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]",
        "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2002:7f00:1::1]", "[fe80::1]", "[::1%25lo]", "localhost",
        "LOCALHOST",
        "hooks.test@127.0.0.1", "hooks.test:80@127.0.0.1", "127.0.0.1#@hooks.test", "127.0.0.1\\@hooks.test", "hooks.test%00.127.0.0.1",
        "①②⑦.0.0.1", "127。0。0。1", "127.0.0.1%2f", "169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "224.0.0.1",
        // Allowed names that lead where they must not.
        "loop.test", "mapped.test", "nat.test", "sixtofour.test", "zero.test", "metadata.test", "half.test", "nowhere.test",
    ]

    @Test("Nothing of the table of forbidden forms makes a connection", arguments: forbidden)
    func forbiddenForms(host: String) async throws {
        let victim = try OutboundListener()
        let names = [
            "loop.test": ["127.0.0.1"], "mapped.test": ["::ffff:127.0.0.1"], "nat.test": ["64:ff9b::7f00:1"],
            "sixtofour.test": ["2002:7f00:1::"], "zero.test": ["0.0.0.0"], "metadata.test": ["169.254.169.254"],
            "half.test": ["127.0.0.2", "127.0.0.1"], "localhost": ["127.0.0.1"], "hooks.test": ["127.0.0.1"],
        ]
        let entries =
            names.keys.map { ($0, victim.port) } + [("nowhere.test", victim.port), ("10.0.0.0/8", victim.port), ("127.0.0.2", victim.port)]
        let client = try Self.client(entries, Self.resolver(names))
        for scheme in ["http", "https"] {
            #expect(await Self.fault(client, "\(scheme)://\(host):\(victim.port)/") != nil)
        }
        #expect(victim.connections == 0)
        await client.stop()
        try await victim.stop()
    }

    @Test("What the list names is reached, so the table above could have failed")
    func allowed() async throws {
        let server = try OutboundListener()
        let client = try Self.client(
            [("127.0.0.1", server.port), ("hooks.test", server.port)], Self.resolver(["hooks.test": ["127.0.0.1"]]))
        for host in ["127.0.0.1", "hooks.test", "[::ffff:127.0.0.1]"] {
            let answer = try await Self.get(client, "http://\(host):\(server.port)/x").get()
            #expect(answer.status == 200 && answer.body == Array("heard".utf8) && !answer.isCut)
        }
        #expect(server.connections > 0 && server.seen.map(\.uri) == ["/x", "/x", "/x"])
        #expect(server.seen[1].headers.contains { $0 == ("host", "hooks.test:\(server.port)") })
        await client.stop()
        try await server.stop()
    }

    @Test("An empty list reaches nothing; one that is replaced holds at once")
    func empty() async throws {
        let server = try OutboundListener()
        let client = try Self.client([])
        #expect(await Self.fault(client, "http://127.0.0.1:\(server.port)/") == .notAllowed)
        client.replace(OutboundRules([try #require(.init("127.0.0.1", ports: [server.port]))]))
        #expect(try await Self.get(client, "http://127.0.0.1:\(server.port)/").get().status == 200)
        client.replace(OutboundRules())
        #expect(await Self.fault(client, "http://127.0.0.1:\(server.port)/") == .notAllowed)
        #expect(server.seen.count == 1)
        await client.stop()
        try await server.stop()
    }

    @Test("Plaintext beyond loopback needs its reason")
    func plaintext() async throws {
        let client = try OutboundClient(OutboundRules([try #require(.init("192.0.2.1", ports: [80]))]))
        #expect(await Self.fault(client, "http://192.0.2.1/") == .notAllowed)
        await client.stop()
    }

    @Test("A redirect is an answer and is not followed")
    func redirect() async throws {
        let victim = try OutboundListener("127.0.0.1")
        let server = try OutboundListener("127.0.0.2", redirect: "http://127.0.0.1:\(victim.port)/")
        let client = try Self.client([("127.0.0.2", server.port)])
        #expect(try await Self.get(client, "http://127.0.0.2:\(server.port)/redirect").get().status == 302)
        #expect(victim.connections == 0 && server.connections == 1)
        await client.stop()
        try await server.stop()
        try await victim.stop()
    }

    @Test("A resolver that changes its mind between look and connection, or between requests, leads nowhere else")
    func rebinding() async throws {
        let (server, victim) = try await Self.pair()
        let asked = Mutex(0)
        let resolver = OutboundResolver { _ in
            let first = asked.withLock { count in
                count += 1
                return count == 1
            }
            return [OutboundAddress(first ? "127.0.0.2" : "127.0.0.1")].compactMap { $0 }
        }
        // The block makes 127.0.0.2 allowed for the name; loopback is special otherwise.
        let client = try Self.client([("hooks.test", server.port), ("127.0.0.2", server.port)], resolver) { $0.namesKept = 0 }
        #expect(try await Self.get(client, "http://hooks.test:\(server.port)/").get().status == 200)
        for _ in 0..<3 { #expect(await Self.fault(client, "http://hooks.test:\(server.port)/") == .notAllowed) }
        #expect(victim.connections == 0 && server.seen.count == 1 && asked.withLock { $0 } == 4)
        await client.stop()
        try await victim.stop()
        try await server.stop()
    }

    @Test("A name is resolved once for the requests of a while; its next address is tried when the first takes no connection")
    func fallback() async throws {
        let server = try OutboundListener("127.0.83.5")
        let asked = Mutex(0)
        let resolver = OutboundResolver { _ in
            asked.withLock { $0 += 1 }
            return ["127.0.83.6", "127.0.83.5"].compactMap { OutboundAddress($0) }
        }
        let client = try Self.client([("127.0.0.0/8", server.port)], resolver) { $0.namesKept = 600_000 }
        for _ in 0..<3 { #expect(try await Self.get(client, "http://hooks.test:\(server.port)/").get().status == 200) }
        #expect(asked.withLock { $0 } == 1 && server.connections == 1)
        try await server.stop()
        // The connection that was kept may be taken once more before its end is seen.
        var gone = await Self.fault(client, "http://hooks.test:\(server.port)/")
        for _ in 0..<100 where gone == .broken { gone = await Self.fault(client, "http://hooks.test:\(server.port)/") }
        #expect(gone == .noConnection)
        #expect(await Self.fault(client, "http://hooks.test:\(server.port)/") == .noConnection)
        #expect(asked.withLock { $0 } == 2, "after nobody answered the name is asked anew")
        await client.stop()
    }

    @Test("No proxy is taken from the environment")
    func proxies() async throws {
        let proxy = try OutboundListener()
        let server = try OutboundListener("127.0.0.2")
        for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] { setenv(name, "http://127.0.0.1:\(proxy.port)", 1) }
        let client = try Self.client([("127.0.0.2", server.port)])
        #expect(try await Self.get(client, "http://127.0.0.2:\(server.port)/").get().status == 200)
        for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] { unsetenv(name) }
        #expect(proxy.connections == 0)
        await client.stop()
        try await proxy.stop()
        try await server.stop()
    }

    @Test("Headers and body go out as they were given")
    func post() async throws {
        let server = try OutboundListener("127.0.0.2")
        let client = try Self.client([("127.0.0.2", server.port)])
        let request = OutboundRequest(
            .post, try OutboundURL("http://127.0.0.2:\(server.port)/hook?a=b"), headers: [("webhook-id", "msg_1")], body: Array("{}".utf8),
            timeout: Self.patience)
        #expect(try await client.send(request).status == 200)
        let seen = try #require(server.seen.first)
        #expect(seen.method == "POST" && seen.uri == "/hook?a=b" && seen.body == Array("{}".utf8))
        #expect(seen.headers.contains { $0 == ("webhook-id", "msg_1") } && seen.headers.contains { $0 == ("content-length", "2") })
        await client.stop()
        try await server.stop()
    }

    @Test("Of an answer's body no more is read than asked for, and silence, dripping and a hanging resolver end in time")
    func bounds() async throws {
        let server = try OutboundListener("127.0.0.2")
        let hangs = OutboundResolver { _ in
            sleep(2)
            return []
        }
        let client = try Self.client([("127.0.0.2", server.port), ("hooks.test", server.port)], hangs)
        let big = try await Self.get(client, "http://127.0.0.2:\(server.port)/big").get()
        #expect(big.body.count == 4096 && big.isCut && big.status == 200)
        for path in ["silent", "drip"] {
            #expect(await Self.fault(client, "http://127.0.0.2:\(server.port)/\(path)", timeout: 400) == .timedOut)
        }
        #expect(await Self.fault(client, "http://hooks.test:\(server.port)/", timeout: 200) == .timedOut)
        #expect(await Self.fault(client, "http://127.0.0.2:\(server.port)/close") == .broken)
        await client.stop()
        #expect(await Self.fault(client, "http://127.0.0.2:\(server.port)/") == .stopped)
        try await server.stop()
    }

    @Test("The system resolves names to addresses")
    func system() {
        let found = OutboundResolver.system.addresses("localhost")
        #expect(!found.isEmpty && found.allSatisfy { $0.isLoopback })
        #expect(OutboundResolver.system.addresses("no-such-name.invalid").isEmpty)
    }

    @Test("TLS asks for the host's name at the address that was judged, and trusts the authority that was named")
    func tls() async throws {
        let scratch = Scratch()
        let file = scratch.write("authority.pem", OutboundTestCertificate.certificate)
        #expect(try OutboundClient.authorityCount(file) == 1)
        #expect(throws: (any Error).self) { try OutboundClient.authorityCount(scratch.write("none.pem", "nothing")) }
        let certificates = try NIOSSLCertificate.fromPEMBytes(Array(OutboundTestCertificate.certificate.utf8))
        let key = try NIOSSLPrivateKey(bytes: Array(OutboundTestCertificate.key.utf8), format: .pem)
        let configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: certificates.map { .certificate($0) }, privateKey: .privateKey(key))
        let server = try OutboundListener("127.0.0.2", tls: NIOSSLContext(configuration: configuration))
        let resolver = OutboundResolver { _ in ["127.0.0.2"].compactMap { OutboundAddress($0) } }
        let trusting = try Self.client([("127.0.0.2", server.port)], resolver) { $0.authority = file }
        #expect(try await Self.get(trusting, "https://hooks.test:\(server.port)/").get().status == 200)
        #expect(await Self.fault(trusting, "https://other.test:\(server.port)/") == .tls)
        #expect(await Self.fault(trusting, "https://127.0.0.2:\(server.port)/") == .tls)
        let strict = try Self.client([("127.0.0.2", server.port)], resolver)
        #expect(await Self.fault(strict, "https://hooks.test:\(server.port)/") == .tls)
        #expect(server.seen.count == 1)
        await trusting.stop()
        await strict.stop()
        try await server.stop()
    }

    @Test("Clients of many places are bounded: those idle longest go")
    func pins() async throws {
        let server = try OutboundListener("127.0.0.2")
        let resolver = OutboundResolver { _ in ["127.0.0.2"].compactMap { OutboundAddress($0) } }
        let client = try Self.client([("127.0.0.2", server.port)], resolver)
        for number in 0..<OutboundPins.maximum + 3 {
            #expect(try await Self.get(client, "http://h\(number).test:\(server.port)/").get().status == 200)
        }
        #expect(client.placeCount == OutboundPins.maximum)
        await client.stop()
        await client.stop()
        try await server.stop()
    }
}

import Glibc
import Guard
import MartletModel
import NIOCore
import NIOSSL
import SMPP
import Testing

@testable import MartletDoors

/// Who a client is by its certificate, and what that opens.
@Suite struct CertificateTests {
    private static let core = (certificate: TestAuthority.core, key: TestAuthority.coreKey)
    private static let other = (certificate: TestAuthority.other, key: TestAuthority.otherKey)
    private static let rogue = (certificate: TestAuthority.rogue, key: TestAuthority.rogueKey)
    private static let fingerprint = "EF:D4:BE:36:B4:2F:82:7B:3A:7B:85:18:94:A8:6A:14:BB:32:2A:C6:D5:0C:57:1B:23:DD:DA:1C:5B:69:3C:27"

    private func der(_ pem: String) throws -> [UInt8] {
        try #require(try NIOSSLCertificate.fromPEMBytes(Array(pem.utf8)).first).toDERBytes()
    }

    @Test("A certificate is read as openssl prints it")
    func reading() throws {
        let core = ClientCertificate(der: try der(TestAuthority.core))
        #expect(CertificateRule("sha256:\(Self.fingerprint)") == .fingerprint(core.fingerprint))
        #expect(core.commonNames == ["core-banking"])
        #expect(core.dnsNames == ["core.bank.example"])
        #expect(core.uris == ["spiffe://bank.example/core"])
        #expect(core.emails == ["core@bank.example"])
        let other = ClientCertificate(der: try der(TestAuthority.other))
        #expect(other.commonNames == ["other"] && other.dnsNames.isEmpty)
    }

    @Test(
        "Rules hold for whole names and nobody else's; what is no rule is none",
        arguments: [
            ("sha256:\(fingerprint)", true), ("SHA256:\(fingerprint.lowercased().filter { $0 != ":" })", true), ("cn:core-banking", true),
            ("dns:CORE.bank.example", true), ("uri:spiffe://bank.example/core", true), ("email:core@bank.example", true),
            ("cn:core", false), ("cn:Core-Banking", false), ("dns:bank.example", false), ("dns:*.bank.example", false),
            ("uri:spiffe://bank.example", false), ("email:bank.example", false), ("sha256:\(String(repeating: "0", count: 64))", false),
        ])
    func rules(_ text: String, _ holds: Bool) throws {
        let rule = try #require(CertificateRule(text))
        let core = ClientCertificate(der: try der(TestAuthority.core))
        #expect(rule.holds(of: core) == holds)
        #expect(CertificateRule(rule.description) == rule)
        #expect(CertificateRule.holds(["cn:nobody", text], of: core) == holds)
        #expect(!CertificateRule.holds([text], of: nil))
    }

    @Test("A text that names no certificate is no rule", arguments: ["", "core", "cn:", "ou:x", "sha256:12", "sha256:zz", ":x"])
    func noRules(_ text: String) throws {
        #expect(CertificateRule(text) == nil)
        #expect(!CertificateRule.holds([text], of: ClientCertificate(der: try der(TestAuthority.core))))
    }

    @Test("A certificate cut or changed at any byte never crashes, and has another fingerprint")
    func damaged() throws {
        let whole = try der(TestAuthority.core)
        let core = ClientCertificate(der: whole)
        for count in 0..<whole.count { #expect(ClientCertificate(der: Array(whole[..<count])).fingerprint != core.fingerprint) }
        for place in whole.indices {
            for value in [0x00, 0x80, 0x84, 0xFF, whole[place] ^ 1] as [UInt8] where value != whole[place] {
                var changed = whole
                changed[place] = value
                #expect(ClientCertificate(der: changed).fingerprint != core.fingerprint)
            }
        }
    }

    @Test("A key bound to a certificate is taken over connections with that one only, in HTTP/1.1")
    func boundSource() async throws {
        let files = try TestFiles()
        let world = try await DoorWorld(
            settings: HTTPSettings(
                port: 0, certificate: files.certificate, key: files.key, clientAuthority: files.authority, clientCertificates: .optional))
        let bound = post(key: "BOUND", extra: "Connection: close\r\n")
        #expect(try await world.exchange(bound, tls: try files.clientContext(client: Self.core)).map(\.status) == [202])
        for context in [try files.clientContext(client: Self.other), try files.clientContext()] {
            let answers = try await world.exchange(bound, tls: context)
            #expect(answers.map(\.status) == [401])
            #expect(answers.first?.body.contains("certificate_mismatch") == true)
            #expect(answers.first?["WWW-Authenticate"]?.contains("invalid_token") == true)
        }
        // A key that is bound to none needs none.
        #expect(try await world.exchange(post(extra: "Connection: close\r\n"), tls: try files.clientContext()).map(\.status) == [202])
        // One that nobody here signed is turned away in the handshake, whatever its name.
        #expect(try await world.exchange(bound, tls: try files.clientContext(client: Self.rogue)).isEmpty)
        try await world.end()
        files.remove()
    }

    @Test("Where certificates are required, a client without one is turned away in the handshake")
    func required() async throws {
        let files = try TestFiles()
        let world = try await DoorWorld(
            settings: HTTPSettings(port: 0, certificate: files.certificate, key: files.key, clientAuthority: files.authority))
        let request = post(extra: "Connection: close\r\n")
        #expect(try await world.exchange(request, tls: try files.clientContext()).isEmpty)
        #expect(try await world.exchange(request, tls: try files.clientContext(client: Self.other)).map(\.status) == [202])
        try await world.end()
        files.remove()
    }

    @Test("Over plaintext a key bound to a certificate is refused")
    func plaintext() async throws {
        let world = try await DoorWorld()
        #expect(try await world.exchange(post(key: "BOUND", extra: "Connection: close\r\n")).map(\.status) == [401])
        try await world.end()
    }

    @Test("HTTP/2 is agreed on in the handshake, its streams speak for the connection's certificate, and others keep HTTP/1.1")
    func http2() async throws {
        let files = try TestFiles()
        let world = try await DoorWorld(
            settings: HTTPSettings(
                port: 0, certificate: files.certificate, key: files.key, clientAuthority: files.authority, clientCertificates: .optional))
        for (client, status) in [(Self.core, 202), (Self.other, 401)] {
            let peer = HTTP2Client()
            let (first, second) = (peer.stream(), peer.stream())
            let request = HTTP2Client.begin() + HTTP2Client.post(first, key: "BOUND") + HTTP2Client.post(second)
            let context = try files.clientContext(client: client, protocols: ["h2", "http/1.1"])
            let bytes = try await world.exchange(ByteBuffer(bytes: request), tls: context) { bytes in
                let peer = HTTP2Client()
                guard (try? peer.take(Array(bytes.readableBytesView))) != nil else { return true }
                return peer.answers.values.count { $0.ended } == 2
            }
            try peer.take(Array(bytes.readableBytesView))
            #expect(peer.answers[first]?.status == status)
            #expect(peer.answers[second]?.status == 202)
        }
        let old = try files.clientContext(protocols: ["http/1.1"])
        #expect(try await world.exchange(post(extra: "Connection: close\r\n"), tls: old).map(\.status) == [202])
        #expect(try await world.counters().http2Connections == 2)
        try await world.end()
        files.remove()
    }

    @Test("What is wrong with an authority is said in words")
    func faults() async throws {
        let files = try TestFiles()
        #expect(await DoorWorld.fault(HTTPSettings(port: 0, clientAuthority: files.authority)) == .authorityWithoutCertificate)
        let unreadable = await DoorWorld.fault(
            HTTPSettings(port: 0, certificate: files.certificate, key: files.key, clientAuthority: "/nowhere.pem"))
        guard case .authorityUnreadable = unreadable else { throw DoorBenchFault(text: String(describing: unreadable)) }
        for reason in [unreadable ?? .certificateWithoutKey, .authorityWithoutCertificate] {
            #expect(DoorFault("smpp", reason).description.hasPrefix("smpp.tls.clientAuthority"))
        }
        files.remove()
    }

    @Test("An account is bound with its password, its certificate, or both, as its settings say")
    func accounts() async throws {
        let files = try TestFiles()
        let rule = try #require(CertificateRule("cn:core-banking"))
        var settings = SMPPDoorSettings(
            port: 0, certificate: files.certificate, key: files.key, clientAuthority: files.authority, clientCertificates: .optional)
        settings.accounts = [
            .bank { $0.certificates = [rule] },
            .bank { ($0.systemID, $0.password, $0.certificates, $0.source) = ("card", nil, [rule], "tight") },
            .bank { ($0.systemID, $0.password, $0.source) = ("none", nil, "nameless") },
        ]
        let world = try await SMPPWorld(settings)
        let contexts = [
            try files.clientContext(client: Self.core), try files.clientContext(client: Self.other), try files.clientContext(),
        ]
        // A success between, so that no refusal waits longer than the first.
        for (name, password, context, isAccepted) in [
            ("bank", "secret", 0, true), ("bank", "secret", 1, false), ("card", "", 0, true), ("bank", "secret", 2, false),
            ("card", "anything", 0, true), ("bank", "wrong", 0, false), ("card", "", 0, true), ("card", "", 1, false),
            ("bank", "secret", 0, true), ("none", "", 0, false),
        ] {
            let bind = Packet(.bind(Bind(mode: .transceiver, systemID: name, password: password)), sequence: 1)
            let answers = try await world.exchange([bind, Packet(.unbind, sequence: 2)], tls: contexts[context])
            #expect(answers.first?.status == (isAccepted ? .ok : .bindFailed), "\(name) \(context)")
        }
        try await world.end()
        files.remove()
    }
}

import Glibc
import MartletModel
import NIOCore
import NIOPosix
import NIOSSL
import Testing

@testable import MartletDoors

/// The door on real sockets: listening, TLS, limits of connections, stopping.
@Suite struct HTTPDoorTests {
    @Test("Over TCP a message is accepted, and a refused peer can read its answer before the socket goes")
    func overTCP() async throws {
        let world = try await DoorWorld()
        #expect(try await world.exchange(post(extra: "Connection: close\r\n")).map(\.status) == [202])
        let large =
            "POST /v1/messages HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer KEY\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n"
        #expect(try await world.exchange(large + String(repeating: " ", count: 60000)).map(\.status) == [413])
        try await world.end()
    }

    @Test("A client that ends its side after the request still reads its answer")
    func halfClose() async throws {
        let world = try await DoorWorld()
        let answers = try await world.exchange(post() + get("/nowhere"), endsOutput: true)
        #expect(answers.map(\.status) == [202, 404])
        try await world.end()
    }

    @Test("A refused peer that does not close is closed after it had time to read")
    func lingering() async throws {
        let world = try await DoorWorld()
        let peer = try await ClientBootstrap(group: world.group).channelOption(.allowRemoteHalfClosure, value: true)
            .connect(to: world.address).get()
        try await peer.writeAndFlush(ByteBuffer(string: "POST /v1/messages HTTP/1.1\r\nHost: h\r\nContent-Length: 999999\r\n\r\n"))
        try await world.until { $0.problems["unauthenticated"] == 1 }
        try await peer.writeAndFlush(ByteBuffer(string: "and so on"))
        #expect(try await world.counters().connectionsOpen == 1)
        try await world.until { $0.connectionsOpen == 0 }
        try? await peer.close()
        try await world.end()
    }

    @Test("Beyond the limit of connections a peer reads 503 and is closed")
    func connectionLimit() async throws {
        let world = try await DoorWorld(settings: HTTPSettings(port: 0, maximumConnections: 1))
        let first = try await world.connect()
        // The first is counted once it was answered.
        try await first.writeAndFlush(ByteBuffer(string: post()))
        try await world.until { $0.connectionsOpen == 1 }
        let answers = try await world.exchange("")
        #expect(answers.map(\.status) == [503])
        #expect(answers.first?.body.contains("too_many_connections") == true)
        #expect(answers.first?.closes == true)
        try await first.close()
        try await world.until { $0.connectionsOpen == 0 }
        #expect(try await world.exchange(post(extra: "Connection: close\r\n")).map(\.status) == [202])
        try await world.end()
    }

    @Test("Over TLS a message is accepted, and a slow handshake is no slow request")
    func overTLS() async throws {
        let files = try TestFiles()
        let world = try await DoorWorld(settings: HTTPSettings(port: 0, certificate: files.certificate, key: files.key))
        let answers = try await world.exchange(post(extra: "Connection: close\r\n"), tls: try files.clientContext())
        #expect(answers.map(\.status) == [202])
        // Plaintext to a TLS port ends without a word of HTTP.
        #expect(try await world.exchange(post()).isEmpty)
        try await world.end()
        files.remove()
    }

    @Test("Over TLS a peer beyond the limit is closed without a word, since before the handshake nothing can be said")
    func limitOverTLS() async throws {
        let files = try TestFiles()
        let world = try await DoorWorld(
            settings: HTTPSettings(port: 0, certificate: files.certificate, key: files.key, maximumConnections: 1))
        let first = try await world.connect()
        try await world.until { $0.connectionsOpen == 1 }
        #expect(try await world.exchange("").isEmpty)
        try await world.until { $0.connectionsRefused == 1 }
        try await first.close()
        try await world.end()
        files.remove()
    }

    @Test("Plaintext beyond loopback is refused unless a reason is given")
    func plaintextRule() async throws {
        #expect(await DoorWorld.fault(HTTPSettings(host: "0.0.0.0", port: 0)) == .plaintextBeyondLoopback(host: "0.0.0.0"))
        #expect(
            await DoorWorld.fault(HTTPSettings(host: "0.0.0.0", port: 0, plaintextReason: "")) == .plaintextBeyondLoopback(host: "0.0.0.0"))
        #expect(Listening.isLoopback(try SocketAddress(ipAddress: "::1", port: 1)))
        #expect(Listening.isLoopback(try SocketAddress(ipAddress: "127.9.9.9", port: 1)))
        #expect(Listening.isLoopback(try SocketAddress(unixDomainSocketPath: "/tmp/x")))
        #expect(!Listening.isLoopback(try SocketAddress(ipAddress: "::", port: 1)))
        #expect(!Listening.isLoopback(try SocketAddress(ipAddress: "10.0.0.1", port: 1)))
        let world = try await DoorWorld(settings: HTTPSettings(host: "0.0.0.0", port: 0, plaintextReason: "a proxy on this host ends TLS"))
        try await world.end()
    }

    @Test("What keeps the door from opening is said in words")
    func faults() async throws {
        let files = try TestFiles()
        #expect(await DoorWorld.fault(HTTPSettings(port: 0, certificate: files.certificate)) == .certificateWithoutKey)
        #expect(await DoorWorld.fault(HTTPSettings(port: 0, key: files.key)) == .certificateWithoutKey)
        let swapped = await DoorWorld.fault(HTTPSettings(port: 0, certificate: files.key, key: files.certificate))
        guard case .certificateUnreadable = swapped else {
            Issue.record("\(String(describing: swapped))")
            return
        }
        let unresolved = await DoorWorld.fault(HTTPSettings(host: "no.such.host.invalid", port: 0))
        guard case .cannotListen(_, _, let reason) = unresolved else {
            Issue.record("\(String(describing: unresolved))")
            return
        }
        #expect(reason.contains("resolve"))
        let world = try await DoorWorld()
        let taken = await DoorWorld.fault(HTTPSettings(port: world.address.port ?? 0))
        guard case .cannotListen = taken else {
            Issue.record("\(String(describing: taken))")
            return
        }
        for fault: DoorFault.Reason? in [swapped, unresolved, taken, .certificateWithoutKey, .plaintextBeyondLoopback(host: "h")] {
            #expect(fault.map { DoorFault("http", $0).description.hasPrefix("http.") } == true)
        }
        try await world.end()
        files.remove()
    }

    @Test("After it stopped, nobody is served and the port is free")
    func stops() async throws {
        // At an address of its own: a port that is given back may be another test's at once.
        let world = try await DoorWorld(settings: HTTPSettings(host: "127.0.83.4", port: 0))
        let open = try await world.connect()
        try await world.until { $0.connectionsOpen == 1 }
        try await world.stop()
        try await open.closeFuture.get()
        await #expect(throws: (any Error).self) { try await world.exchange(post()) }
        try await world.group.shutdownGracefully()
    }
}

/// Certificate and key as files.
struct TestFiles {
    let certificate: String
    let key: String
    /// Signed the clients' certificates of `TestAuthority`.
    let authority: String

    init() throws {
        let place = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(place)/martlet-doors-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw DoorBenchFault(text: "no temporary directory") }
        let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        certificate = directory + "/certificate.pem"
        key = directory + "/key.pem"
        authority = directory + "/authority.pem"
        for (path, text) in [
            (certificate, HTTPTestCertificate.certificate), (key, HTTPTestCertificate.key), (authority, TestAuthority.authority),
        ] {
            guard let file = fopen(path, "w") else { throw DoorBenchFault(text: "cannot write") }
            fputs(text, file)
            fclose(file)
        }
    }

    /// - Parameter client: PEM of the client's certificate and key.
    func clientContext(client: (certificate: String, key: String)? = nil, protocols: [String] = []) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(HTTPTestCertificate.certificate.utf8)))
        configuration.applicationProtocols = protocols
        if let client {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMBytes(Array(client.certificate.utf8)).map { .certificate($0) }
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: Array(client.key.utf8), format: .pem))
        }
        return try NIOSSLContext(configuration: configuration)
    }

    func remove() {
        unlink(certificate)
        unlink(key)
        unlink(authority)
        rmdir(String(certificate.dropLast("/certificate.pem".utf8.count)))
    }
}

/// A door on a loop of its own, whose core accepts everything at once.
final class DoorWorld: Sendable {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let address: SocketAddress
    private let door: NIOLoopBound<HTTPDoor>

    init(settings: HTTPSettings = HTTPSettings(port: 0)) async throws {
        let loop = group.next()
        (address, door) = try await DoorWorld.open(settings, loop).get()
    }

    private static func open(_ settings: HTTPSettings, _ loop: any EventLoop) -> EventLoopFuture<(SocketAddress, NIOLoopBound<HTTPDoor>)> {
        let opened = loop.makePromise(of: (SocketAddress, NIOLoopBound<HTTPDoor>).self)
        loop.execute {
            let intake = FakeIntake()
            intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
            let sources = FakeSources()
            sources.keys["KEY"] = Source(number: 7, name: "cards", scopes: [.send, .read], defaultSender: "HARBOUR")
            sources.keys["BOUND"] = Source(
                number: 8, name: "core", scopes: [.send], defaultSender: "HARBOUR", certificates: ["no rule", "dns:core.bank.example"])
            let door = HTTPDoor(intake: intake, sources: sources, settings: settings, eventLoop: loop)
            let bound = NIOLoopBound(door, eventLoop: loop)
            door.start { result in opened.completeWith(result.map { ($0, bound) }.mapError { $0 as any Error }) }
        }
        return opened.futureResult
    }

    /// Why a door with these settings does not open; nil when it does.
    static func fault(_ settings: HTTPSettings) async -> DoorFault.Reason? {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        var fault: DoorFault.Reason?
        do {
            _ = try await open(settings, group.next()).get()
        } catch {
            fault = (error as? DoorFault)?.reason
        }
        try? await group.shutdownGracefully()
        return fault
    }

    /// A connection whose bytes nobody reads.
    func connect() async throws -> any Channel {
        try await ClientBootstrap(group: group).connect(to: address).get()
    }

    /// Sends the bytes and reads until the door closes, at most ten seconds.
    func exchange(_ request: String, tls: NIOSSLContext? = nil, endsOutput: Bool = false) async throws -> [Answer] {
        Answer.all(in: try await exchangeText(request, tls: tls, endsOutput: endsOutput))
    }

    func exchangeText(_ request: String, tls: NIOSSLContext? = nil, endsOutput: Bool = false) async throws -> String {
        String(buffer: try await exchange(ByteBuffer(string: request), tls: tls, endsOutput: endsOutput))
    }

    /// - Parameter isDone: whether this is all that was wanted; then the client leaves.
    func exchange(
        _ request: ByteBuffer, tls: NIOSSLContext? = nil, endsOutput: Bool = false,
        isDone: @escaping @Sendable (ByteBuffer) -> Bool = { _ in false }
    ) async throws -> ByteBuffer {
        let loop = group.next()
        let ended = loop.makePromise(of: ByteBuffer.self)
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: loop)
                .channelOption(.allowRemoteHalfClosure, value: false)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        if let tls {
                            try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: tls, serverHostname: "localhost"))
                        }
                        try channel.pipeline.syncOperations.addHandler(Reader(ended: ended, isDone: isDone))
                    }
                }
                .connect(to: address).get()
        } catch {
            ended.fail(error)
            throw error
        }
        let timeout = loop.scheduleTask(in: .seconds(60)) { channel.close(promise: nil) }
        channel.writeAndFlush(request, promise: nil)
        if endsOutput { channel.close(mode: .output, promise: nil) }
        let bytes = try await ended.futureResult.get()
        timeout.cancel()
        return bytes
    }

    func counters() async throws -> HTTPCounters {
        let door = door
        return try await group.next().submit { door.value.counters }.get()
    }

    /// Waits, at most a minute, for what the door counts.
    func until(_ holds: (HTTPCounters) -> Bool) async throws {
        for _ in 0..<6000 {
            if holds(try await counters()) { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw DoorBenchFault(text: "the counters did not come to it")
    }

    func stop() async throws {
        let loop = group.next()
        let stopped = loop.makePromise(of: Void.self)
        let door = door
        loop.execute { door.value.stop(within: .seconds(2)) { stopped.succeed() } }
        try await stopped.futureResult.get()
    }

    func end() async throws {
        try await stop()
        try await group.shutdownGracefully()
    }

    private final class Reader: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private var bytes = ByteBuffer()
        private let ended: EventLoopPromise<ByteBuffer>

        private let isDone: @Sendable (ByteBuffer) -> Bool

        init(ended: EventLoopPromise<ByteBuffer>, isDone: @escaping @Sendable (ByteBuffer) -> Bool) {
            self.ended = ended
            self.isDone = isDone
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            bytes.writeImmutableBuffer(unwrapInboundIn(data))
            if isDone(bytes) { context.close(promise: nil) }
        }
        func channelInactive(context: ChannelHandlerContext) { ended.succeed(bytes) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

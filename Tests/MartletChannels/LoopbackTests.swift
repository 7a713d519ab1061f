import FoundationEssentials
import MartletModel
import NIOCore
import NIOPosix
import NIOSSL
import SMPP
import Testing

@testable import MartletChannels

/// A small SMSC on a real socket: accepts every bind, answers every submit, sends a receipt for each.
private final class SocketSMSC: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var session = ServerSession(at: 0)
    private var reader = FrameReader()
    private var out = ByteBuffer()
    private var number = 0

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        do {
            try reader.read(&buffer) { take($0) }
        } catch {
            context.close(promise: nil)
        }
    }

    private func take(_ frame: Frame) {
        switch session.received(frame, at: 0, out: &out) {
        case .bind: try? session.acceptBind(out: &out)
        case .submit(let sequence):
            number += 1
            _ = try? session.answerSubmit(sequence: sequence, messageID: "\(number)", out: &out)
            guard let (sequence, _) = session.take(at: 0) else { return }
            var fields = MessageFields()
            fields.esmClass = .receipt
            let message = Message(
                fields: fields, parameters: [Parameter(.receiptedMessageID, .text("\(number)")), Parameter(.messageState, .integer(2))])
            try? out.writeMessage(.deliver, message, sequence: sequence)
        default: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard out.readableBytes > 0 else { return }
        context.writeAndFlush(wrapOutboundOut(out), promise: nil)
        out.clear()
    }
}

/// Hands over `total` messages as room comes and counts what comes back; confined to its loop.
private final class Driver: ConnectionOwner {
    var connections: [SMPPConnection] = []
    let total: Int
    var handed = 0
    var accepted = 0
    var delivered = 0
    let done: EventLoopPromise<(accepted: Int, delivered: Int)>

    init(total: Int, done: EventLoopPromise<(accepted: Int, delivered: Int)>) {
        self.total = total
        self.done = done
    }

    func now() -> Instant {
        let steady = Int64(NIODeadline.now().uptimeNanoseconds / 1000)
        return Instant(wall: 1_795_000_000_000_000 + steady, steady: steady)
    }

    func settled(_ batch: [Settled], by connection: any Connection) {
        for one in batch { if case .accepted = one.outcome { accepted += 1 } }
        check()
    }

    func heard(_ batch: [Heard], by connection: any Connection, durable: @escaping (Bool) -> Void) {
        delivered += batch.count
        durable(true)
        check()
    }

    func received(_ batch: [Inbound], by connection: any Connection, durable: @escaping (Bool) -> Void) { durable(false) }

    func roomChanged(_ connection: any Connection) {
        let count = min(connection.room, total - handed)
        guard count > 0 else { return }
        let now = now()
        let batch = (0..<count).map { index in
            Handover(
                slot: SlotReference(index: UInt32(handed + index), generation: 1), id: MessageID(high: 0, low: 0), attempt: 1, parts: 1,
                partMask: 1, partsReference: 1, messageClass: .transactional, to: PhoneNumber(digits: 447_700_900_123), from: "HARBOUR",
                text: "Your code is 483920", deadline: now.wallMilliseconds + 60_000, acceptedAt: now)
        }
        handed += count
        connection.hand(batch)
    }

    private func check() {
        if accepted == total, delivered == total { done.succeed((accepted, delivered)) }
    }
}

@Suite(.serialized) struct LoopbackTests {
    /// Runs `total` messages through real sockets; the driver's counts, or the error after 20 s.
    private func run(
        _ settings: SMPPConnectionSettings, total: Int, server tls: NIOSSLContext?
    ) async throws -> (accepted: Int, delivered: Int) {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let server = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.addHandler(SocketSMSC())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        var settings = settings
        settings.port = server.localAddress?.port ?? 0
        let loop = group.next()
        let chosen = settings
        let outcome: Result<(accepted: Int, delivered: Int), any Error>
        do {
            let value = try await loop.flatSubmit { () -> EventLoopFuture<(accepted: Int, delivered: Int)> in
                let done = loop.makePromise(of: (accepted: Int, delivered: Int).self)
                let driver = Driver(total: total, done: done)
                do {
                    driver.connections = try SMPPConnections.make(chosen, firstNumber: 1, group: 1, on: loop, owner: driver, random: { 1 })
                    for connection in driver.connections { try connection.start() }
                } catch {
                    done.fail(error)
                    return done.futureResult
                }
                let limit = loop.assumeIsolated().scheduleTask(in: .seconds(20)) {
                    done.fail(SMPPSettingsFault(setting: "", reason: driver.connections.first?.status.lastError ?? ""))
                }
                if total == 0 {
                    // Only the reason of a refused connection is wanted.
                    func look() {
                        loop.assumeIsolated().scheduleTask(in: .milliseconds(20)) {
                            let reason = driver.connections.first?.status.lastError ?? ""
                            if reason.isEmpty { look() } else { done.fail(SMPPSettingsFault(setting: "", reason: reason)) }
                        }
                    }
                    look()
                }
                let stopped = loop.makePromise(of: Void.self)
                done.futureResult.assumeIsolated().whenComplete { _ in
                    limit.cancel()
                    var open = driver.connections.count
                    for connection in driver.connections {
                        connection.stop {
                            open -= 1
                            if open == 0 { stopped.succeed() }
                        }
                    }
                }
                return stopped.futureResult.flatMap { done.futureResult }
            }.get()
            outcome = .success(value)
        } catch {
            outcome = .failure(error)
        }
        try await server.close()
        try await group.shutdownGracefully()
        return try outcome.get()
    }

    @Test("Thousands of messages over real sockets are answered and delivered, by two connections")
    func plaintext() async throws {
        var settings = World.settings(window: 50)
        settings.binds = 2
        let counts = try await run(settings, total: 5000, server: nil)
        #expect(counts == (5000, 5000))
    }

    private func files() throws -> (directory: URL, authority: String, server: NIOSSLContext) {
        let directory = FileManager.default.temporaryDirectory.appending(path: "smpp-tls-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let authority = directory.appending(path: "ca.pem").path
        try Data(TestCertificates.authority.utf8).write(to: directory.appending(path: "ca.pem"))
        try Data(TestCertificates.certificate.utf8).write(to: directory.appending(path: "c.pem"))
        try Data(TestCertificates.key.utf8).write(to: directory.appending(path: "k.pem"))
        let certificate = try NIOSSLCertificate.fromPEMBytes(Array(TestCertificates.certificate.utf8)).map {
            NIOSSLCertificateSource.certificate($0)
        }
        let key = try NIOSSLPrivateKey(bytes: Array(TestCertificates.key.utf8), format: .pem)
        let context = try NIOSSLContext(
            configuration: .makeServerConfiguration(certificateChain: certificate, privateKey: .privateKey(key)))
        return (directory, authority, context)
    }

    @Test("The same over TLS, with the authority's file and the name checked", arguments: ["localhost", "127.0.0.1"])
    func tls(host: String) async throws {
        let (directory, authority, server) = try files()
        defer { try? FileManager.default.removeItem(at: directory) }
        var settings = World.settings(window: 50)
        settings.host = host
        settings.tls = true
        settings.tlsAuthority = authority
        settings.tlsCertificate = directory.appending(path: "c.pem").path
        settings.tlsKey = directory.appending(path: "k.pem").path
        let counts = try await run(settings, total: 1000, server: server)
        #expect(counts == (1000, 1000))
    }

    @Test("A certificate that the authority did not sign, or a missing key, is refused with the reason")
    func untrusted() async throws {
        let (directory, authority, server) = try files()
        defer { try? FileManager.default.removeItem(at: directory) }
        var settings = World.settings()
        settings.tls = true
        let fault = await #expect(throws: SMPPSettingsFault.self) { _ = try await run(settings, total: 0, server: server) }
        #expect(fault?.reason.contains("CERTIFICATE_VERIFY_FAILED") == true)
        settings.tlsAuthority = authority
        settings.tlsCertificate = authority
        settings.tlsKey = "/nowhere/key.pem"
        #expect(throws: SMPPSettingsFault.self) { _ = try SMPPSocketDialer(settings) }
    }
}

import MartletModel
import NIOCore
import NIOEmbedded
import NIOPosix
import NIOSSL
import SMPP
import Testing

@testable import MartletDoors

/// The door as a whole: accounts that change, stopping, and real sockets.
@Suite struct SMPPDoorTests {
    // MARK: Accounts

    @Test("An account that is gone is unbound when its requests are answered, and its receipts come back")
    func removed() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        try bench.tell([1, 2])
        let packets = try client.read()
        try client.send(.text("open"))
        bench.door.replace([])
        #expect(bench.owner.tellers.isEmpty)
        #expect(try client.read().isEmpty)
        #expect(try client.answer(to: .text("too late")).status == .systemError)
        try client.answerDelivers(Array(packets.prefix(1)))
        #expect(bench.owner.outcomes() == ["1 heard"])
        bench.intake.releaseAll()
        let last = try client.read()
        #expect(last.map(\.command) == [.submitResponse, .unbind])
        try client.send([Packet(.unbindResponse, sequence: try #require(last.last).sequence)])
        #expect(!client.isOpen)
        #expect(bench.owner.outcomes() == ["2 notHeard"])
        let again = try bench.connect()
        try again.send(.bind(Bind(mode: .transceiver, systemID: "bank", password: "secret")))
        bench.wait(500)
        #expect(try again.read().map(\.status) == [.bindFailed])
    }

    @Test("An account that changed is told by another teller; what the old one was given comes back once")
    func changed() throws {
        let bench = SMPPBench()
        let old = try bench.bound()
        let oldTeller = try bench.teller
        try bench.tell([1, 2])
        let packets = try old.read()
        bench.door.replace([.bank { $0.password = "another" }])
        #expect(bench.owner.tellers.count == 1)
        #expect(try bench.teller !== oldTeller)
        #expect(try old.read().map(\.command) == [.unbind])
        #expect(oldTeller.room == 0)
        // With the old password nobody gets in; with the new one, beside the bind that is leaving.
        let guess = try bench.connect()
        try guess.send(.bind(Bind(mode: .transceiver, systemID: "bank", password: "secret")))
        bench.wait(500)
        #expect(try guess.read().map(\.status) == [.bindFailed])
        let fresh = try bench.connect()
        #expect(try fresh.answer(to: .bind(Bind(mode: .transceiver, systemID: "bank", password: "another"))).status == .ok)
        try old.answerDelivers(Array(packets.suffix(1)))
        #expect(bench.owner.outcomes() == ["2 heard"])
        // The unbind is never answered.
        bench.wait(9_500)
        #expect(!old.isOpen)
        #expect(fresh.isOpen)
        #expect(bench.owner.outcomes() == ["1 notHeard"])
        #expect(try bench.teller.room == 50)
    }

    @Test("Accounts that stay as they are keep their binds")
    func unchanged() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        let teller = try bench.teller
        bench.door.replace([.bank(), SMPPAccount(systemID: "second", password: "secret", source: "tight")])
        #expect(try client.read().isEmpty)
        #expect(bench.owner.tellers.contains { $0 === teller })
        #expect(bench.owner.tellers.count == 2)
        #expect(bench.door.settings.accounts.count == 2)
        _ = try bench.bound(as: "second")
    }

    @Test("An account whose new source is not there is no account any more")
    func changedToNothing() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        bench.door.replace([.bank { $0.source = "nobody" }])
        #expect(try client.read().map(\.command) == [.unbind])
        #expect(bench.owner.tellers.isEmpty)
        let again = try bench.connect()
        try again.send(.bind(Bind(mode: .transceiver, systemID: "bank", password: "secret")))
        bench.wait(500)
        #expect(try again.read().map(\.status) == [.bindFailed])
        // And is one again when the source is.
        bench.door.replace([.bank()])
        _ = try bench.bound()
    }

    // MARK: Stopping

    @Test("A stopping door takes no bind and no message, answers what is open, unbinds, and says when all is closed")
    func stops() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        let unbound = try bench.connect()
        let judged = try bench.connect()
        try judged.send(.bind(Bind(mode: .transceiver, systemID: "bank", password: "wrong")))
        try client.send(.text("open"))
        var stopped = 0
        bench.door.stop(within: .seconds(5)) { stopped += 1 }
        bench.door.stop(within: .seconds(5)) { stopped += 1 }
        #expect(!unbound.isOpen)
        #expect(!judged.isOpen)
        #expect(bench.owner.tellers.isEmpty)
        #expect(try client.answer(to: .text("late")).status == .systemError)
        bench.intake.releaseAll()
        let last = try client.read()
        #expect(last.map(\.command) == [.submitResponse, .unbind])
        #expect(stopped == 0)
        try client.send([Packet(.unbindResponse, sequence: try #require(last.last).sequence)])
        #expect(!client.isOpen)
        #expect(stopped == 2)
        let late = try bench.connect()
        #expect(!late.isOpen)
        #expect(bench.door.counters.connectionsRefused == 1)
        bench.door.stop(within: .seconds(5)) { stopped += 1 }
        #expect(stopped == 3)
        bench.wait(5_000)
    }

    @Test("Clients that do not answer the unbind are closed when the time is over")
    func stopsInTime() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        let stuck = try bench.bound()
        try stuck.send(.text("never answered"))
        try bench.tell([1])
        var isStopped = false
        bench.door.stop(within: .seconds(5)) { isStopped = true }
        bench.door.replace([.bank { $0.window = 1 }])
        #expect(bench.owner.tellers.isEmpty)
        bench.loop.advanceTime(by: .milliseconds(4_999))
        #expect(client.isOpen && stuck.isOpen && !isStopped)
        bench.loop.advanceTime(by: .milliseconds(1))
        #expect(!client.isOpen && !stuck.isOpen && isStopped)
        #expect(bench.owner.outcomes() == ["1 notHeard"])
    }

    @Test("A bind that comes while the door stops is refused")
    func bindWhileStopping() throws {
        let bench = SMPPBench()
        let bind = Bind(mode: .transceiver, systemID: "bank", password: "secret")
        bench.door.stop(within: .seconds(5)) {}
        guard case .refused(let status, let delay) = bench.door.judge(bind, from: "10.1.2.3", certificate: { nil }, at: 0) else {
            throw DoorBenchFault(text: "bound")
        }
        #expect(status == .bindFailed)
        #expect(delay == 0)
        #expect(bench.door.counters.bindsRefused == 0)
    }

    @Test("Connections beyond the maximum are closed at once")
    func maximum() throws {
        let bench = SMPPBench([.bank()], SMPPDoorSettings(maximumConnections: 1))
        let first = try bench.bound()
        let second = try bench.connect()
        #expect(!second.isOpen)
        #expect(bench.door.counters.connectionsRefused == 1)
        #expect(bench.door.counters.connectionsOpen == 1)
        try first.channel.close().wait()
        _ = try bench.bound()
        #expect(bench.door.counters.connections == 3)
    }

    // MARK: Real sockets

    private static let session: [Packet] = [
        Packet(.bind(Bind(mode: .transceiver, systemID: "bank", password: "secret")), sequence: 1), Packet(.text(), sequence: 2),
        Packet(.unbind, sequence: 3),
    ]

    @Test("Over TCP a client binds, submits and unbinds; a stopped door serves nobody")
    func overTCP() async throws {
        // At an address of its own: a port that is given back may be another test's at once.
        let world = try await SMPPWorld(SMPPDoorSettings(host: "127.0.83.3", port: 0))
        let answers = try await world.exchange(SMPPDoorTests.session)
        #expect(answers.map(\.command) == [.bindTransceiverResponse, .submitResponse, .unbindResponse])
        try await world.stop()
        await #expect(throws: (any Error).self) { try await world.exchange(SMPPDoorTests.session) }
        try await world.group.shutdownGracefully()
    }

    @Test("Over TLS the same is said, and plaintext to that port ends without a word of SMPP")
    func overTLS() async throws {
        let files = try TestFiles()
        let world = try await SMPPWorld(SMPPDoorSettings(port: 0, certificate: files.certificate, key: files.key))
        #expect(try await world.exchange(SMPPDoorTests.session, tls: try files.clientContext()).count == 3)
        #expect(try await world.exchange(SMPPDoorTests.session).isEmpty)
        try await world.end()
        files.remove()
    }

    @Test("A refused client can read why, also when it went on talking")
    func refusedOverTCP() async throws {
        let world = try await SMPPWorld(SMPPDoorSettings(port: 0))
        let bind = Packet(.bind(Bind(mode: .transceiver, systemID: "bank", password: "wrong")), sequence: 1)
        let answers = try await world.exchange([bind] + (2...50).map { Packet(.enquireLink, sequence: $0) })
        #expect(answers.map(\.status) == [.bindFailed])
        try await world.end()
    }

    @Test("Beyond the maximum a socket is closed, and the door goes on")
    func maximumOverTCP() async throws {
        let world = try await SMPPWorld(SMPPDoorSettings(port: 0, maximumConnections: 1, bindTimeout: 600_000))
        let first = try await world.connect()
        try await world.until { $0.connectionsOpen == 1 }
        let answers = try? await world.exchange(SMPPDoorTests.session)
        #expect(answers?.isEmpty ?? true)
        try await first.close()
        try await world.until { $0.connectionsOpen == 0 }
        #expect(try await world.exchange(SMPPDoorTests.session).count == 3)
        try await world.end()
    }

    @Test("A socket that says nothing is closed by the door's own clock")
    func silentOverTCP() async throws {
        let world = try await SMPPWorld(SMPPDoorSettings(port: 0, bindTimeout: 100))
        let first = try await world.connect()
        try await first.closeFuture.get()
        try await world.until { $0.connectionsOpen == 0 }
        try await world.end()
    }

    @Test("Plaintext beyond loopback is refused unless a reason is given")
    func plaintextRule() async throws {
        let open = SMPPDoorSettings(host: "0.0.0.0", port: 0)
        #expect(await SMPPWorld.fault(open) == .plaintextBeyondLoopback(host: "0.0.0.0"))
        #expect(await SMPPWorld.fault(SMPPDoorSettings(host: "0.0.0.0", port: 0, plaintextReason: "")) != nil)
        let world = try await SMPPWorld(SMPPDoorSettings(host: "0.0.0.0", port: 0, plaintextReason: "a proxy on this host ends TLS"))
        try await world.end()
    }

    @Test("What keeps the door from opening is said in words")
    func faults() async throws {
        let files = try TestFiles()
        #expect(await SMPPWorld.fault(SMPPDoorSettings(port: 0, certificate: files.certificate)) == .certificateWithoutKey)
        #expect(await SMPPWorld.fault(SMPPDoorSettings(port: 0, key: files.key)) == .certificateWithoutKey)
        let swapped = await SMPPWorld.fault(SMPPDoorSettings(port: 0, certificate: files.key, key: files.certificate))
        guard case .certificateUnreadable = swapped else { throw DoorBenchFault(text: String(describing: swapped)) }
        let unresolved = await SMPPWorld.fault(SMPPDoorSettings(host: "no.such.host.invalid", port: 0))
        guard case .cannotListen(_, _, let reason) = unresolved else { throw DoorBenchFault(text: String(describing: unresolved)) }
        #expect(reason.contains("resolve"))
        let world = try await SMPPWorld(SMPPDoorSettings(port: 0))
        let taken = await SMPPWorld.fault(SMPPDoorSettings(port: world.address.port ?? 0))
        guard case .cannotListen = taken else { throw DoorBenchFault(text: String(describing: taken)) }
        for fault: DoorFault.Reason? in [swapped, unresolved, taken, .certificateWithoutKey, .plaintextBeyondLoopback(host: "h")] {
            #expect(fault.map { DoorFault("smpp", $0).description.hasPrefix("smpp.") } == true)
        }
        try await world.end()
        files.remove()
    }

    @Test("A door that is stopped before it listens does not stay open")
    func stopBeforeListening() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let stopped = loop.makePromise(of: Void.self)
        let opened = loop.makePromise(of: SocketAddress.self)
        loop.execute {
            // At an address of its own, or another test could listen at the port by the time it is tried.
            let door = SMPPWorld.door(SMPPDoorSettings(host: "127.0.83.1", port: 0), loop)
            door.start { opened.completeWith($0.mapError { $0 as any Error }) }
            door.stop(within: .seconds(1)) { stopped.succeed() }
        }
        try await stopped.futureResult.get()
        let address = try await opened.futureResult.get()
        try await loop.submit {}.get()
        await #expect(throws: (any Error).self) { try await ClientBootstrap(group: group).connect(to: address).get() }
        try await group.shutdownGracefully()
    }
}

/// An SMPP door on a loop of its own, whose core accepts everything at once.
final class SMPPWorld: Sendable {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let address: SocketAddress
    private let bound: NIOLoopBound<SMPPDoor>

    init(_ settings: SMPPDoorSettings) async throws {
        (address, bound) = try await SMPPWorld.open(settings, group.next()).get()
    }

    /// Call on the loop.
    static func door(_ settings: SMPPDoorSettings, _ loop: any EventLoop) -> SMPPDoor {
        let intake = FakeIntake()
        intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        let start = NIODeadline.now()
        intake.clock = {
            let steady = Int64((NIODeadline.now() - start).nanoseconds / 1000)
            return Instant(wall: 1_795_370_649_000_123 + steady, steady: steady)
        }
        let sources = FakeSources()
        for source in SMPPBench.sources { sources.keys[source.name] = source }
        var settings = settings
        if settings.accounts.isEmpty { settings.accounts = [.bank()] }
        return SMPPDoor(intake: intake, sources: sources, owner: FakeTellerOwner(), settings: settings, eventLoop: loop)
    }

    private typealias Open = (SocketAddress, NIOLoopBound<SMPPDoor>)

    private static func open(_ settings: SMPPDoorSettings, _ loop: any EventLoop) -> EventLoopFuture<Open> {
        let opened = loop.makePromise(of: Open.self)
        loop.execute {
            let bound = NIOLoopBound(door(settings, loop), eventLoop: loop)
            bound.value.start { result in opened.completeWith(result.map { ($0, bound) }.mapError { $0 as any Error }) }
        }
        return opened.futureResult
    }

    /// Why a door with these settings does not open; nil when it does.
    static func fault(_ settings: SMPPDoorSettings) async -> DoorFault.Reason? {
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

    func connect() async throws -> any Channel { try await ClientBootstrap(group: group).connect(to: address).get() }

    /// Sends all at once and reads until the door closes, at most ten seconds.
    func exchange(_ packets: [Packet], tls: NIOSSLContext? = nil) async throws -> [Packet] {
        var request = ByteBuffer()
        for packet in packets { try request.writePacket(packet) }
        let loop = group.next()
        let ended = loop.makePromise(of: [Packet].self)
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: loop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        if let tls {
                            try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: tls, serverHostname: "localhost"))
                        }
                        try channel.pipeline.syncOperations.addHandler(Collector(ended: ended))
                    }
                }
                .connect(to: address).get()
        } catch {
            ended.fail(error)
            throw error
        }
        let timeout = loop.scheduleTask(in: .seconds(60)) { channel.close(promise: nil) }
        channel.writeAndFlush(request, promise: nil)
        let answers = try await ended.futureResult.get()
        timeout.cancel()
        return answers
    }

    /// Waits, at most a minute, for what the door counts.
    func until(_ holds: (SMPPDoorCounters) -> Bool) async throws {
        let bound = bound
        for _ in 0..<6000 {
            if holds(try await group.next().submit { bound.value.counters }.get()) { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw DoorBenchFault(text: "the counters did not come to it")
    }

    func stop() async throws {
        let loop = group.next()
        let stopped = loop.makePromise(of: Void.self)
        let bound = bound
        loop.execute { bound.value.stop(within: .seconds(2)) { stopped.succeed() } }
        try await stopped.futureResult.get()
    }

    func end() async throws {
        try await stop()
        try await group.shutdownGracefully()
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private var packets: [Packet] = []
        private var reader = FrameReader()
        private let ended: EventLoopPromise<[Packet]>

        init(ended: EventLoopPromise<[Packet]>) { self.ended = ended }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var bytes = unwrapInboundIn(data)
            do {
                try reader.read(&bytes) { frame in if let packet = try? Packet(frame) { packets.append(packet) } }
            } catch {
                context.close(promise: nil)
            }
        }

        func channelInactive(context: ChannelHandlerContext) { ended.succeed(packets) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

import MartletModel
import NIOCore
import NIOEmbedded
import SMPP

@testable import MartletChannels

/// SplitMix64: the same numbers for the same seed on every machine.
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

func short(_ text: String) -> ShortText { ShortText(text) ?? ShortText() }

struct DialFailed: Error {}

/// The SMSC's side of one embedded connection, driven by hand or by its `answers`.
final class TestSMSC {
    let channel: EmbeddedChannel
    var session: ServerSession
    var reader = FrameReader()
    var out = ByteBuffer()
    /// Every submit in the order of arrival.
    var submits: [(sequence: UInt32, message: Message)] = []
    /// Buffers that the connection wrote, each one write to the socket.
    var writes = 0
    var commands: [Command] = []
    var queries: [(UInt32, Query)] = []
    var cancels: [(UInt32, Cancel)] = []
    var bind: Bind?
    /// Every part that ever arrived: destination, and number from its header (0 without one).
    var arrived: [(to: String, part: UInt8)] = []
    var deliverAnswers: [(sequence: UInt32, status: CommandStatus)] = []
    unowned let world: World

    init(channel: EmbeddedChannel, world: World) {
        self.channel = channel
        self.world = world
        session = ServerSession(
            settings: ServerSession.Settings(window: 10_000, bindTimeout: .max / 4, enquireInterval: .max / 4, answerTimeout: .max / 4),
            at: world.clock)
    }

    /// Reads what the connection wrote and answers as the world's behaviour says.
    func turn() {
        while let buffer = try? channel.readOutbound(as: ByteBuffer.self) {
            writes += 1
            var incoming = buffer
            try? reader.read(&incoming) { frame in take(frame) }
        }
        flush()
    }

    private func take(_ frame: Frame) {
        commands.append(frame.header.command)
        if world.ignoresUnbind, frame.header.command == .unbind { return }
        if world.ignoresEnquire, frame.header.command == .enquireLink { return }
        if frame.header.command == .deliverResponse { deliverAnswers.append((frame.header.sequence, frame.header.status)) }
        switch session.received(frame, at: world.clock, out: &out) {
        case .bind(let bind):
            self.bind = bind
            switch world.bindStatus {
            case nil: break
            case .some(.ok): try? session.acceptBind(out: &out)
            case .some(let status): session.refuseBind(status, out: &out)
            }
        case .submit(let sequence):
            if let message = try? MessageView(frame).copied(from: frame) {
                submits.append((sequence, message))
                arrived.append(
                    (message.fields.destination.text.text, message.fields.esmClass.hasUserDataHeader ? message.shortMessage[5] - 1 : 0))
            }
            if let status = world.autoAnswer { answer(sequence, status) }
        case .query(let query, let sequence): queries.append((sequence, query))
        case .cancel(let cancel, let sequence): cancels.append((sequence, cancel))
        default: break
        }
    }

    func answerQuery(_ sequence: UInt32, _ response: QueryResponse, _ status: CommandStatus = .ok) throws {
        if status == .ok {
            _ = try session.answerQuery(sequence: sequence, response, out: &out)
        } else {
            _ = session.refuse(.query, sequence: sequence, status, out: &out)
        }
    }

    func answerCancel(_ sequence: UInt32, _ status: CommandStatus) {
        _ = session.answerCancel(sequence: sequence, status: status, out: &out)
    }

    func answer(_ sequence: UInt32, _ status: CommandStatus = .ok, id: String? = nil) {
        _ = try? session.answerSubmit(sequence: sequence, status: status, messageID: id ?? "\(sequence)", out: &out)
    }

    func deliver(_ message: Message) -> UInt32 {
        guard let (sequence, _) = session.take(at: world.clock) else { return 0 }
        try? out.writeMessage(.deliver, message, sequence: sequence)
        return sequence
    }

    func receipt(_ id: String, _ state: DeliveryState = .delivered, error: UInt16 = 0) -> UInt32 {
        var fields = MessageFields()
        fields.esmClass = .receipt
        let text = ReceiptText.compose(id: id, submitDate: "2611221804", doneDate: "2611221805", state: state, error: error)
        return deliver(Message(fields: fields, shortMessage: Array(text.utf8)))
    }

    /// Sends what was put together, in one read of the other side.
    func flush() {
        guard out.readableBytes > 0, channel.isActive else {
            out.clear()
            return
        }
        let buffer = out
        out = ByteBuffer()
        _ = try? channel.writeInbound(buffer)
    }

    func close() {
        channel.close(promise: nil)
        world.loop.run()
    }
}

/// Owner, clock, dialer and SMSCs of one connection: everything around it, on one embedded loop.
final class World: ConnectionOwner, SMPPDialer {
    let loop = EmbeddedEventLoop()
    /// Steady microseconds.
    var clock: Int64 = 7_000_000
    static let wallBase: Int64 = 1_795_000_000_000_000
    var settled: [Settled] = []
    var batches: [[Settled]] = []
    var heard: [[Heard]] = []
    var received: [[Inbound]] = []
    var inquiries: [InquiryAnswer] = []
    var durables: [(Bool) -> Void] = []
    var roomChanges = 0
    var smscs: [TestSMSC] = []
    /// Dials that fail before one succeeds.
    var failingDials = 0
    var dials: [Int64] = []
    /// Dials that stay open until they are let through.
    var holdsDials = false
    var heldDials: [(EventLoopPromise<any Channel>, EmbeddedChannel)] = []
    var bindStatus: CommandStatus? = .ok
    /// Nil: answered by hand.
    var autoAnswer: CommandStatus?
    var ignoresUnbind = false
    var ignoresEnquire = false
    /// Called inside of `roomChanged`.
    var onRoom: ((any Connection) -> Void)?
    var onSettled: (() -> Void)?
    var dialedSettings: [SMPPConnectionSettings] = []

    func now() -> Instant { Instant(wall: World.wallBase + clock, steady: clock) }

    func settled(_ batch: [Settled], by connection: any Connection) {
        settled += batch
        batches.append(batch)
        onSettled?()
    }

    func heard(_ batch: [Heard], by connection: any Connection, durable: @escaping (Bool) -> Void) {
        heard.append(batch)
        durables.append(durable)
    }

    func received(_ batch: [Inbound], by connection: any Connection, durable: @escaping (Bool) -> Void) {
        received.append(batch)
        durables.append(durable)
    }

    func asked(_ batch: [InquiryAnswer], by connection: any Connection) { inquiries += batch }

    func roomChanged(_ connection: any Connection) {
        roomChanges += 1
        onRoom?(connection)
    }

    func dial(_ handler: SMPPHandler, on loop: any EventLoop) -> EventLoopFuture<any Channel> {
        dials.append(clock)
        if failingDials > 0 {
            failingDials -= 1
            return loop.makeFailedFuture(DialFailed())
        }
        let channel = EmbeddedChannel(handler: handler, loop: self.loop)
        if holdsDials {
            let promise = loop.makePromise(of: (any Channel).self)
            heldDials.append((promise, channel))
            return promise.futureResult
        }
        connect(channel)
        return loop.makeSucceededFuture(channel)
    }

    func connect(_ channel: EmbeddedChannel) {
        smscs.append(TestSMSC(channel: channel, world: self))
        if let address = try? SocketAddress(ipAddress: "127.0.0.1", port: 2775) { channel.connect(to: address, promise: nil) }
    }

    static func settings(window: Int = 10) -> SMPPConnectionSettings {
        SMPPConnectionSettings(name: "harbour", host: "127.0.0.1", port: 2775, systemID: "martlet", password: "secret", window: window)
    }

    func connection(_ settings: SMPPConnectionSettings = settings(), seed: UInt64 = 1) -> SMPPConnection {
        var random = Seeded(seed)
        return SMPPConnection(
            name: "harbour-1", number: 1, group: 3, settings: settings, eventLoop: loop, owner: self, random: { random.next() },
            makeDialer: { [unowned self] in
                self.dialedSettings.append($0)
                return self
            })
    }

    /// A started and bound connection.
    func bound(_ settings: SMPPConnectionSettings = settings(), seed: UInt64 = 1) throws -> SMPPConnection {
        let connection = connection(settings, seed: seed)
        try connection.start()
        turn()
        return connection
    }

    var smsc: TestSMSC { smscs[smscs.count - 1] }

    /// Lets both sides talk until nothing moves.
    func turn() {
        for _ in 0..<8 {
            loop.run()
            for smsc in smscs { smsc.turn() }
        }
    }

    func advance(milliseconds: Int64, step: Int64 = 5) {
        var left = milliseconds
        while left > 0 {
            let one = min(step, left)
            clock += one * 1000
            loop.advanceTime(by: .milliseconds(one))
            for smsc in smscs { smsc.turn() }
            loop.run()
            left -= one
        }
        turn()
    }

    func handover(
        _ index: UInt32, text: String = "Your code is 483920", parts: UInt8 = 1, mask: UInt16? = nil, from: String = "HARBOUR",
        to: UInt64 = 447_700_900_123, attempt: UInt8 = 1, validity: Int64 = 3600
    ) -> Handover {
        Handover(
            slot: SlotReference(index: index, generation: 9), id: MessageID(milliseconds: 1, partition: 0, random: UInt64(index)),
            attempt: attempt, parts: parts, partMask: mask ?? (1 << UInt16(parts)) - 1, partsReference: 0x1234,
            messageClass: .transactional,
            to: PhoneNumber(digits: to), from: from, text: text, deadline: now().wallMilliseconds + validity * 1000, acceptedAt: now())
    }

    /// Outcomes by slot index and part, in the order they came.
    func outcomes(_ index: UInt32, part: UInt8 = 0) -> [Outcome] {
        settled.filter { $0.slot.index == index && $0.part == part }.map(\.outcome)
    }
}

import MartletModel
import NIOCore
import NIOEmbedded
import SMPP

@testable import MartletDoors

/// The node's side of telling back: remembers what it is told, and may look around at that moment.
final class FakeTellerOwner: TellerOwner {
    var tellers: [any Teller] = []
    private(set) var told: [(slot: SlotReference, outcome: NoticeOutcome)] = []
    private(set) var roomChanges = 0
    var onTold: (any Teller) -> Void = { _ in }
    var onRoom: (any Teller) -> Void = { _ in }

    func add(_ teller: any Teller) { tellers.append(teller) }
    func remove(_ teller: any Teller) { tellers.removeAll { $0 === teller } }

    func told(_ batch: [(slot: SlotReference, outcome: NoticeOutcome)], by teller: any Teller) {
        told += batch
        onTold(teller)
    }

    func roomChanged(_ teller: any Teller) {
        roomChanges += 1
        onRoom(teller)
    }

    /// Index of each slot with its outcome, in the order they came; forgets them.
    func outcomes() -> [String] {
        let all = told.map { "\($0.slot.index) \($0.outcome)" }
        told = []
        return all
    }
}

/// A door with its accounts on an embedded loop; clocks and ticks in the test's hand.
final class SMPPBench {
    let loop = EmbeddedEventLoop()
    let intake = FakeIntake()
    let sources = FakeSources()
    let owner = FakeTellerOwner()
    let door: SMPPDoor

    init(_ accounts: [SMPPAccount] = [.bank()], _ settings: SMPPDoorSettings = SMPPDoorSettings()) {
        for source in SMPPBench.sources { sources.keys[source.name] = source }
        door = SMPPDoor(intake: intake, sources: sources, owner: owner, settings: settings, eventLoop: loop)
        door.replace(accounts)
    }

    static let sources = [
        Source(number: 7, name: "cards", scopes: [.send, .read], defaultSender: "HARBOUR"),
        Source(number: 9, name: "reads", scopes: [.read]),
        Source(number: 10, name: "tight", scopes: [.send], senders: ["HARBOUR", "4477"], classes: [.otp], defaultClass: .otp),
        Source(number: 11, name: "nameless", scopes: [.send]),
    ]

    func connect(from peer: String = "10.1.2.3") throws -> SMPPClient {
        let client = SMPPClient(EmbeddedChannel(loop: loop), door)
        try client.channel.connect(to: SocketAddress(ipAddress: peer, port: 40_000)).wait()
        try door.attach(to: client.channel)
        return client
    }

    /// A client whose bind was accepted; its answer is read.
    func bound(
        _ mode: Bind.Mode = .transceiver, as systemID: String = "bank", version: UInt8 = 0x34, from peer: String = "10.1.2.3"
    ) throws -> SMPPClient {
        let client = try connect(from: peer)
        try client.send(.bind(Bind(mode: mode, systemID: systemID, password: "secret", interfaceVersion: version)))
        let answers = try client.read()
        guard answers.first?.status == .ok, answers.count == 1 else { throw DoorBenchFault(text: "bind answered \(answers)") }
        return client
    }

    /// Lets time pass, in milliseconds, then the door looks at its timers.
    func wait(_ milliseconds: Int64) {
        intake.instant = intake.instant.advanced(microseconds: milliseconds * 1000)
        loop.advanceTime(by: .milliseconds(milliseconds))
        door.tick()
    }

    var teller: any Teller {
        get throws {
            guard let first = owner.tellers.first else { throw DoorBenchFault(text: "no teller") }
            return first
        }
    }

    func tell(_ numbers: [Int]) throws { try teller.tell(numbers.map { SMPPBench.notice($0) }) }

    static func notice(
        _ n: Int, _ state: MessageState = .delivered, _ reason: EndReason = .none, error: UInt16 = 0, from: String = "HARBOUR",
        reference: String = "", text: String = "hello"
    ) -> Notice {
        Notice(
            slot: SlotReference(index: UInt32(n), generation: 1), id: FakeIntake.id(n), messageClass: .transactional, state: state,
            reason: reason, error: error,
            parts: 1, endedAt: 1_795_370_709_000,
            payload: Payload(to: PhoneNumber(digits: 447_700_900_123), from: from, reference: reference, text: text))
    }
}

/// The other end of one connection.
final class SMPPClient {
    let channel: EmbeddedChannel
    private var sequence: UInt32 = 0
    private var reader = FrameReader()
    /// Outlives its connections, as in a program.
    private let door: SMPPDoor

    init(_ channel: EmbeddedChannel, _ door: SMPPDoor) {
        self.channel = channel
        self.door = door
    }

    deinit { _ = try? channel.finish(acceptAlreadyClosed: true) }

    /// In one read of the socket, numbered from 1 on.
    func send(_ bodies: Packet.Body...) throws {
        try send(
            bodies.map {
                sequence += 1
                return Packet($0, sequence: sequence)
            })
    }

    func send(_ packets: [Packet]) throws {
        var bytes = ByteBuffer()
        for packet in packets { try bytes.writePacket(packet) }
        try send(bytes)
    }

    func send(_ bytes: ByteBuffer) throws { _ = try channel.writeInbound(bytes) }

    /// Everything written since the last call.
    func read() throws -> [Packet] {
        var all: [Packet] = []
        while var bytes = try channel.readOutbound(as: ByteBuffer.self) {
            try reader.read(&bytes) { frame in if let packet = try? Packet(frame) { all.append(packet) } }
        }
        return all
    }

    func answer(to body: Packet.Body) throws -> Packet {
        try send(body)
        let all = try read()
        guard let one = all.first, all.count == 1 else { throw DoorBenchFault(text: "\(all.count) answers") }
        return one
    }

    /// Answers every deliver_sm among them.
    func answerDelivers(_ packets: [Packet], _ status: CommandStatus = .ok) throws {
        let delivers = packets.filter { $0.command == .deliver }
        try send(delivers.map { Packet(.deliverResponse(messageID: ""), status: status, sequence: $0.sequence) })
    }

    var isOpen: Bool { channel.isActive }
}

extension SMPPAccount {
    static func bank(_ change: (inout SMPPAccount) -> Void = { _ in }) -> SMPPAccount {
        var account = SMPPAccount(systemID: "bank", password: "secret", source: "cards")
        change(&account)
        return account
    }
}

extension Packet.Body {
    /// A submit_sm that is fine unless it is changed.
    static func text(_ text: String = "hello", to: String = "447700900123", _ change: (inout Message) -> Void = { _ in }) -> Packet.Body {
        var message = Message(shortMessage: Array(text.utf8))
        message.fields.destination = Address(ton: 1, npi: 1, text: ShortText(to) ?? ShortText())
        message.fields.source = Address(ton: 5, npi: 0, text: ShortText("HARBOUR") ?? ShortText())
        change(&message)
        return .submit(message)
    }
}

import MartletModel
import NIOCore
import NIOEmbedded
import SMPP
import Testing

@testable import MartletDoors

/// Receipts to clients: what they say, over which bind they go, and that each is told back once.
@Suite struct SMPPReceiptTests {
    private func delivered(_ client: SMPPClient) throws -> [Message] {
        try client.read().compactMap { if case .deliver(let message) = $0.body { message } else { nil } }
    }

    private func line(_ message: Message) -> String { String(decoding: message.shortMessage, as: UTF8.self) }

    private func integer(_ tag: SMPP.Tag, _ message: Message) -> UInt32? {
        if case .integer(let value) = message.parameters.first(where: { $0.tag == tag })?.value { value } else { nil }
    }

    // MARK: Content

    @Test("A receipt goes from the handset to the sender, with the line of appendix B and the parameters")
    func content() throws {
        let bench = SMPPBench()
        let client = try bench.bound(.receiver)
        try bench.teller.tell([SMPPBench.notice(1, .failed, .undeliverable, error: 258, reference: "51966")])
        let all = try delivered(client)
        let message = try #require(all.first)
        #expect(message.fields.esmClass.isReceipt)
        #expect(message.fields.source == Address(ton: 1, npi: 1, text: ShortText(digits: 447_700_900_123)))
        #expect(message.fields.destination == Address(ton: 5, npi: 0, text: try #require(ShortText("HARBOUR"))))
        #expect(
            line(message)
                == "id:\(FakeIntake.id(1).text) sub:001 dlvrd:000 submit date:2611221804 done date:2611221805 stat:UNDELIV err:258")
        #expect(message.parameters.contains(Parameter(.receiptedMessageID, .text(FakeIntake.id(1).text))))
        #expect(integer(.messageState, message) == UInt32(DeliveryState.undeliverable.rawValue))
        #expect(message.parameters.contains(Parameter(.networkErrorCode, .octets([3, 1, 2]))))
        #expect(integer(.userMessageReference, message) == 51_966)
    }

    @Test("What receipts hold is the account's choice")
    func forms() throws {
        let text = "Grüße, your code is 123456"
        let expected: [(SMPPAccount.Receipts, parameters: Bool, tail: String)] = [
            (.full, true, " text:Gre, your code is 12"), (.parameters, true, " err:000"), (.text, false, " text:Gre, your code is 12"),
            (.plain, false, " err:000"),
        ]
        for (form, parameters, tail) in expected {
            let bench = SMPPBench([.bank { $0.receipts = form }])
            let client = try bench.bound()
            try bench.teller.tell([SMPPBench.notice(1, reference: "7", text: text)])
            let message = try #require(try delivered(client).first)
            #expect(message.parameters.isEmpty != parameters)
            #expect(line(message).hasSuffix(tail))
        }
    }

    @Test("A sender that is a number is addressed as one, and a reference that is no number of a client is left out")
    func addresses() {
        func destination(_ from: String) -> Address {
            ReceiptWriting.message(SMPPBench.notice(1, from: from, reference: "order 7"), .full).fields.destination
        }
        #expect(destination("447700900999") == Address(ton: 1, npi: 1, text: ShortText(digits: 447_700_900_999)))
        #expect(destination("4477") == Address(ton: 3, npi: 0, text: ShortText(digits: 4477)))
        // Longer than any sender is: said without it rather than not at all.
        #expect(destination(String(repeating: "A", count: 30)) == Address(ton: 5, npi: 0))
        let message = ReceiptWriting.message(SMPPBench.notice(1, reference: "order 7"), .full)
        #expect(!message.parameters.contains { $0.tag == .userMessageReference })
    }

    @Test("A message from a handset comes as it was written, long ones whole in message_payload")
    func inbound() throws {
        let bench = SMPPBench()
        let client = try bench.bound(.receiver)
        let long = String(repeating: "\u{411}", count: 200)
        for (number, text) in ["Hi {there}", long].enumerated() {
            var notice = SMPPBench.notice(number + 1, from: "7070", reference: "447700900123", text: text)
            notice.state = .received
            try bench.teller.tell([notice])
        }
        let all = try delivered(client)
        #expect(all.count == 2 && !all[0].fields.esmClass.isReceipt)
        #expect(all[0].fields.source == Address(ton: 1, npi: 1, text: ShortText(digits: 447_700_900_123)))
        #expect(all[0].fields.destination == Address(ton: 3, npi: 0, text: ShortText(digits: 7070)))
        #expect(
            all[0].shortMessage == [0x48, 0x69, 0x20, 0x1B, 0x28] + Array("there".utf8) + [0x1B, 0x29] && all[0].fields.dataCoding == 0)
        let payload = Parameter(.messagePayload, .octets((0..<200).flatMap { _ in [UInt8(0x04), 0x11] }))
        #expect(all[1].shortMessage.isEmpty && all[1].fields.dataCoding == 8 && all[1].parameters == [payload])
    }

    // MARK: Told back

    @Test("A receipt is heard when the client says so, and settled once")
    func heard() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        try bench.tell([1, 2])
        let packets = try client.read()
        #expect(packets.map(\.command) == [.deliver, .deliver])
        #expect(bench.owner.outcomes().isEmpty)
        try client.answerDelivers(packets.reversed())
        #expect(bench.owner.outcomes() == ["2 heard", "1 heard"])
        try client.answerDelivers(packets)
        try client.channel.close().wait()
        bench.wait(60_000)
        #expect(bench.owner.outcomes().isEmpty)
        #expect(bench.door.counters.receiptsHeard == 2)
    }

    @Test("A batch of receipts is one write")
    func oneWrite() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        try bench.tell(Array(1...20))
        let bytes = try #require(try client.channel.readOutbound(as: ByteBuffer.self))
        #expect(bytes.readableBytes > 20 * 100)
        #expect(try client.channel.readOutbound(as: ByteBuffer.self) == nil)
    }

    @Test("A refusal for good settles a receipt; a passing one has it told again after a pause of a second")
    func statuses() throws {
        for status in [CommandStatus.systemError, .queueFull, .throttled, .temporaryReceiverError] {
            let bench = SMPPBench()
            let client = try bench.bound()
            try bench.tell([1])
            try client.answerDelivers(try client.read(), status)
            #expect(bench.owner.outcomes() == ["1 notHeard"])
            #expect(try bench.teller.room == 0)
            let changes = bench.owner.roomChanges
            bench.wait(999)
            #expect(try bench.teller.room == 0)
            bench.wait(1)
            #expect(try bench.teller.room == 50)
            #expect(bench.owner.roomChanges == changes + 1)
            bench.wait(1000)
            #expect(bench.owner.roomChanges == changes + 1)
        }
        let bench = SMPPBench()
        let client = try bench.bound()
        try bench.tell([1, 2])
        let packets = try client.read()
        try client.answerDelivers(Array(packets.prefix(1)), .rejectMessage)
        try client.send([Packet(.genericNack, status: .ok, sequence: try #require(packets.dropFirst().first).sequence)])
        #expect(bench.owner.outcomes() == ["1 refused", "2 refused"])
        #expect(try bench.teller.room == 50)
        #expect(bench.door.counters.receiptsRefused == 2)
    }

    @Test("A receipt without an answer in time is told as not heard, once, and its late answer means nothing")
    func timesOut() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        try bench.tell([1])
        let packets = try client.read()
        bench.wait(9_999)
        #expect(bench.owner.outcomes().isEmpty)
        bench.wait(1)
        #expect(bench.owner.outcomes() == ["1 notHeard"])
        try client.answerDelivers(packets)
        #expect(bench.owner.outcomes().isEmpty)
        #expect(bench.door.counters.receiptsUnheard == 1)
    }

    @Test("A connection that is lost gives back what it was given, and what was answered in its last read stays so")
    func lost() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        try bench.tell([1, 2, 3])
        let packets = try client.read()
        var bytes = ByteBuffer()
        try bytes.writePacket(Packet(.deliverResponse(messageID: ""), sequence: try #require(packets.dropFirst().first).sequence))
        // The read is cut off before it is complete.
        client.channel.pipeline.fireChannelRead(bytes)
        try client.channel.close().wait()
        #expect(bench.owner.outcomes() == ["2 heard", "1 notHeard", "3 notHeard"])
        #expect(try bench.teller.room == 0)
    }

    @Test("A dead link is given nothing again while it is being closed")
    func deadLink() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        bench.wait(30_000)
        try bench.tell([1])
        var rooms: [Int] = []
        bench.owner.onTold = { rooms.append($0.room) }
        bench.wait(10_000)
        #expect(!client.isOpen)
        #expect(bench.owner.outcomes() == ["1 notHeard"])
        #expect(rooms == [0])
    }

    // MARK: Room

    @Test("Room is the window's, and what is given beyond it comes back at once")
    func window() throws {
        let bench = SMPPBench([.bank { $0.deliverWindow = 2 }])
        #expect(try bench.teller.room == 0)
        try bench.tell([9])
        #expect(bench.owner.outcomes() == ["9 notHeard"])
        let client = try bench.bound()
        #expect(try bench.teller.room == 2)
        try bench.tell([1, 2, 3])
        #expect(try client.read().count == 2)
        #expect(bench.owner.outcomes() == ["3 notHeard"])
        #expect(bench.door.counters.receiptsUnheard == 2)
        #expect(try bench.teller.room == 0)
    }

    @Test("Several binds share the receipts, and those that only send get none")
    func shared() throws {
        let bench = SMPPBench([.bank { $0.deliverWindow = 3 }])
        let sender = try bench.bound(.transmitter)
        let (first, second) = (try bench.bound(), try bench.bound(.receiver))
        #expect(try bench.teller.room == 6)
        try bench.tell([1, 2, 3, 4])
        #expect(try sender.read().isEmpty)
        #expect(try first.read().count == 2)
        #expect(try second.read().count == 2)
        try second.channel.close().wait()
        #expect(bench.owner.outcomes().count == 2)
        #expect(try bench.teller.room == 1)
        try bench.tell([5, 6])
        #expect(try first.read().count == 1)
        #expect(bench.owner.outcomes() == ["6 notHeard"])
    }

    @Test("What is owed when a client binds goes out behind the answer to its bind, in one write")
    func owedAtBind() throws {
        let bench = SMPPBench()
        bench.owner.onRoom = { teller in
            bench.owner.onRoom = { _ in }
            teller.tell([SMPPBench.notice(1)])
        }
        let client = try bench.connect()
        try client.send(.bind(Bind(mode: .transceiver, systemID: "bank", password: "secret")))
        var bytes = try #require(try client.channel.readOutbound(as: ByteBuffer.self))
        #expect(try client.channel.readOutbound(as: ByteBuffer.self) == nil)
        var commands: [Command] = []
        try FrameReader.walk(&bytes) { commands.append($0.header.command) }
        #expect(commands == [.bindTransceiverResponse, .deliver])
    }

    @Test("The core may give the next receipts while it is told of the last")
    func reentrant() throws {
        let bench = SMPPBench([.bank { $0.deliverWindow = 1 }])
        let client = try bench.bound()
        var next = 2
        bench.owner.onTold = { teller in
            guard next < 5, teller.room > 0 else { return }
            next += 1
            teller.tell([SMPPBench.notice(next - 1)])
        }
        try bench.tell([1])
        for _ in 1...4 {
            let packets = try client.read()
            #expect(packets.count == 1)
            try client.answerDelivers(packets)
        }
        #expect(bench.owner.outcomes() == ["1 heard", "2 heard", "3 heard", "4 heard"])
    }
}

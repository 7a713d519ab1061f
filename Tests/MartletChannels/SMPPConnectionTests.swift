import MartletModel
import NIOCore
import NIOEmbedded
import SMPP
import SMSText
import Testing

@testable import MartletChannels

@Suite struct SMPPConnectionTests {
    @Test("A connection binds, has the window as room, and writes a handover as the operator wants it")
    func submits() throws {
        let world = World()
        let connection = world.connection()
        #expect(connection.status.state == .stopped && connection.room == 0)
        try connection.start()
        try connection.start()
        #expect(connection.status.state == .binding)
        world.turn()
        #expect(connection.status.state == .bound && connection.room == 10 && connection.window == 10 && world.roomChanges > 0)
        #expect(world.smsc.bind == Bind(mode: .transceiver, systemID: "martlet", password: "secret"))
        world.smsc.writes = 0
        connection.hand([
            world.handover(1), world.handover(2, from: "447700900999", validity: 86_400), world.handover(3, text: "Zażółć", from: "+12345"),
            world.handover(4, from: "12345"),
        ])
        #expect(connection.room == 6 && connection.status.outstanding == 4)
        world.turn()
        #expect(world.smsc.writes == 1)
        let messages = world.smsc.submits.map(\.message)
        #expect(messages[0].fields.source == Address(ton: 5, npi: 0, text: short("HARBOUR")))
        #expect(messages[0].fields.destination == Address(ton: 1, npi: 1, text: short("447700900123")))
        #expect(messages[0].fields.validityPeriod.text == "000000010000000R" && messages[0].fields.registeredDelivery == 1)
        #expect(messages[0].fields.dataCoding == 0 && messages[0].fields.esmClass.rawValue == 0)
        #expect(messages[0].shortMessage == Array("Your code is 483920".utf8))
        #expect(messages[1].fields.source == Address(ton: 1, npi: 1, text: short("447700900999")))
        #expect(messages[1].fields.validityPeriod.text == "000001000000000R")
        #expect(messages[2].fields.source == Address(ton: 3, npi: 0, text: short("12345")))
        #expect(
            messages[2].fields.dataCoding == 8
                && messages[2].shortMessage == Array("Zażółć".utf16).flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] })
        #expect(messages[3].fields.source.ton == 3)
        #expect(connection.counters.messages == 4 && connection.counters.parts == 4)
    }

    @Test("Answers settle the parts they belong to, in any order, by what the status means")
    func answers() throws {
        let world = World()
        var settings = World.settings()
        settings.statuses = StatusTable(exceptions: [0x45: .permanent])
        let connection = try world.bound(settings)
        connection.hand((1...6).map { world.handover($0, attempt: UInt8($0)) })
        world.turn()
        let handedAt = world.now().wall
        world.advance(milliseconds: 5)
        let sequences = world.smsc.submits.map(\.sequence)
        world.smsc.answer(sequences[5], id: "00Ab5")
        world.smsc.answer(sequences[0], .throttled)
        world.smsc.answer(sequences[3], .invalidDestination)
        world.smsc.answer(sequences[1], .systemError)
        world.smsc.answer(sequences[2], .submitFailed)
        world.smsc.answer(sequences[4], CommandStatus(rawValue: 0x499))
        world.smsc.flush()
        #expect(world.batches.count == 1)
        #expect(world.outcomes(6) == [.accepted(providerID: "ab5")])
        #expect(world.outcomes(1) == [.throttled(status: 0x58)])
        #expect(world.outcomes(4) == [.refused(status: 0x0B)])
        #expect(world.outcomes(2) == [.deferred(status: 0x08)])
        #expect(world.outcomes(3) == [.refused(status: 0x45)])
        #expect(world.outcomes(5) == [.deferred(status: 0x499)])
        #expect(world.settled.allSatisfy { $0.handedAt == handedAt && $0.slot.generation == 9 && UInt32($0.attempt) == $0.slot.index })
        #expect(connection.counters.answers == 6 && connection.counters.throttled == 1)
        try world.smsc.out.writeAnswer(.submitResponse, messageID: "1", sequence: sequences[0])
        world.smsc.flush()
        #expect(connection.counters.answersUnknown == 1 && world.settled.count == 6)
    }

    @Test("Answers and what the owner hands over because of them leave in one write")
    func oneWrite() throws {
        let world = World()
        let connection = try world.bound(World.settings(window: 4))
        connection.hand((1...4).map { world.handover($0) })
        world.turn()
        #expect(connection.room == 0)
        var next: UInt32 = 5
        world.onRoom = { connection in
            let room = connection.room
            guard room > 0 else { return }
            connection.hand((0..<UInt32(room)).map { world.handover(next + $0) })
            next += UInt32(room)
        }
        world.smsc.writes = 0
        for submit in world.smsc.submits { world.smsc.answer(submit.sequence) }
        let receipt = world.smsc.receipt("1")
        world.smsc.flush()
        world.durables.last?(true)
        world.smsc.turn()
        #expect(next == 9 && world.smsc.submits.count == 8)
        #expect(world.smsc.writes == 2)
        #expect(world.smsc.deliverAnswers.map(\.sequence) == [receipt])
    }

    @Test("Parts that find no room wait inside and go in order as the window frees; the rest of the messages behind them too")
    func multipart() throws {
        let world = World()
        let connection = try world.bound(World.settings(window: 2))
        let text = String(repeating: "0123456789", count: 40)
        let plan = SMSText.plan(text)
        #expect(plan.parts == 3)
        connection.hand([world.handover(1, text: text, parts: 3), world.handover(2)])
        world.turn()
        #expect(world.smsc.submits.count == 2 && connection.room == 0)
        world.smsc.answer(world.smsc.submits[0].sequence)
        world.smsc.flush()
        world.turn()
        #expect(world.smsc.submits.count == 3 && connection.room == 0)
        world.autoAnswer = .ok
        world.smsc.answer(world.smsc.submits[1].sequence)
        world.smsc.flush()
        world.turn()
        #expect(world.smsc.submits.count == 4)
        for part in 0..<3 {
            let message = world.smsc.submits[part].message
            #expect(message.fields.esmClass == .userDataHeader)
            #expect(Array(message.shortMessage.prefix(6)) == [5, 0, 3, 0x34, 3, UInt8(part + 1)])
        }
        let joined = world.smsc.submits[0..<3].flatMap { $0.message.shortMessage.dropFirst(6) }
        #expect(joined == Array(text.utf8))
        #expect(world.smsc.submits[3].message.fields.esmClass == EsmClass())
        // Part 2 was answered by the behaviour before part 1's by hand: all are settled, once each.
        world.smsc.answer(world.smsc.submits[2].sequence)
        world.smsc.flush()
        #expect((0..<3).allSatisfy { world.outcomes(1, part: UInt8($0)).count == 1 } && world.outcomes(2).count == 1)
        #expect(connection.counters.messages == 2 && connection.counters.parts == 4)
    }

    @Test("Only the parts that are asked for are sent")
    func partMask() throws {
        let world = World()
        let connection = try world.bound()
        connection.hand([world.handover(1, text: String(repeating: "x", count: 400), parts: 3, mask: 0b101)])
        world.turn()
        #expect(world.smsc.submits.map { $0.message.shortMessage[5] } == [1, 3])
        world.smsc.submits.forEach { world.smsc.answer($0.sequence) }
        world.smsc.flush()
        #expect(world.settled.map(\.part) == [0, 2])
    }

    @Test("What cannot be written is said to be so, each part once, not inside of the owner's call")
    func unencodable() throws {
        let world = World()
        let connection = try world.bound()
        connection.hand([
            world.handover(1, from: ""), world.handover(2, from: "MUCH TOO LONG"), world.handover(3, from: "zażółć"),
            world.handover(4, from: "1234567890123456"), world.handover(5, text: String(repeating: "x", count: 400), parts: 2),
            world.handover(6, parts: 1, mask: 0), world.handover(7),
        ])
        #expect(world.settled.isEmpty)
        world.turn()
        for index: UInt32 in 1...4 { #expect(world.outcomes(index) == [.unencodable]) }
        #expect(world.outcomes(5) == [.unencodable] && world.outcomes(5, part: 1) == [.unencodable])
        #expect(world.outcomes(6).isEmpty && world.outcomes(7).isEmpty)
        #expect(world.smsc.submits.count == 1)
    }

    @Test("A bind that drops mid-window leaves its submits unknown and what was not written goes back; then it binds again at once")
    func loss() throws {
        let world = World()
        let connection = try world.bound(World.settings(window: 2))
        world.advance(milliseconds: 6000)
        connection.hand([world.handover(1), world.handover(2, text: String(repeating: "x", count: 300), parts: 2)])
        world.turn()
        world.smsc.answer(world.smsc.submits[0].sequence)
        // The third part moves up; then answer and loss arrive together.
        world.smsc.flush()
        world.turn()
        connection.hand([world.handover(3)])
        world.turn()
        world.smsc.answer(world.smsc.submits[1].sequence)
        world.smsc.flush()
        world.smsc.close()
        world.turn()
        #expect(world.outcomes(1) == [.accepted(providerID: "2")])
        #expect(world.outcomes(2, part: 0) == [.accepted(providerID: "3")])
        #expect(world.outcomes(2, part: 1) == [.unknown])
        #expect(world.outcomes(3).count == 1)
        #expect(connection.counters.bindsLost == 1 && connection.status.lastError == "the peer has closed the connection")
        world.advance(milliseconds: 5)
        #expect(world.smscs.count == 2 && connection.status.state == .bound && connection.room == 2)
        #expect(world.settled.count == 4)
    }

    @Test("Parts that wait inside go back as not written when the bind drops")
    func waitingAtLoss() throws {
        let world = World()
        let connection = try world.bound(World.settings(window: 1))
        connection.hand([world.handover(1, text: String(repeating: "x", count: 400), parts: 3)])
        world.turn()
        world.smsc.close()
        world.turn()
        #expect(world.outcomes(1, part: 0) == [.unknown])
        #expect(world.outcomes(1, part: 1) == [.notWritten] && world.outcomes(1, part: 2) == [.notWritten])
    }

    @Test("A handover to a connection that is not bound, or full, goes back as it was")
    func notBound() throws {
        let world = World()
        let connection = world.connection(World.settings(window: 1))
        connection.hand([world.handover(1)])
        world.turn()
        #expect(world.outcomes(1) == [.notWritten])
        try connection.start()
        world.turn()
        connection.hand([world.handover(2)])
        connection.hand([world.handover(3)])
        world.turn()
        #expect(world.outcomes(2).isEmpty && world.outcomes(3) == [.notWritten])
    }

    @Test("A part without an answer is unknown after the time-out, in order, and its late answer is only counted")
    func answerTimeout() throws {
        let world = World()
        var settings = World.settings(window: 2)
        settings.answerTimeout = 1000
        let connection = try world.bound(settings)
        connection.hand([world.handover(1)])
        world.advance(milliseconds: 500)
        connection.hand([world.handover(2)])
        world.advance(milliseconds: 700)
        #expect(world.outcomes(1) == [.unknown] && world.outcomes(2).isEmpty && connection.room == 1)
        world.advance(milliseconds: 500)
        #expect(world.outcomes(2) == [.unknown] && connection.counters.answersMissing == 2)
        world.smsc.answer(world.smsc.submits[0].sequence)
        world.smsc.flush()
        #expect(world.outcomes(1) == [.unknown] && connection.counters.answersUnknown == 1 && connection.room == 2)
    }

    @Test("Receipts of one read are one batch, answered only when durable; what is refused is asked to be kept")
    func receipts() throws {
        let world = World()
        var settings = World.settings()
        settings.profile.receiptID = .hexToDecimal
        let connection = try world.bound(settings)
        let first = world.smsc.receipt("00FF")
        let second = world.smsc.receipt("zz", .undeliverable, error: 21)
        world.smsc.flush()
        #expect(world.heard.count == 1 && world.heard[0].map(\.providerID) == ["255", "zz"])
        #expect(world.heard[0].map(\.state) == [.delivered, .undeliverable] && world.heard[0].map(\.error) == [0, 21])
        #expect(world.heard[0].allSatisfy { $0.group == 3 })
        world.turn()
        #expect(world.smsc.deliverAnswers.isEmpty)
        world.smsc.writes = 0
        world.durables[0](true)
        world.turn()
        #expect(world.smsc.deliverAnswers.map(\.sequence) == [first, second] && world.smsc.deliverAnswers.allSatisfy { $0.status == .ok })
        #expect(world.smsc.writes == 1)
        let third = world.smsc.receipt("1")
        world.smsc.flush()
        world.durables[1](false)
        world.turn()
        #expect(world.smsc.deliverAnswers.last?.sequence == third && world.smsc.deliverAnswers.last?.status == .temporaryReceiverError)
        #expect(connection.counters.receipts == 3 && connection.counters.receiptsDeferred == 1)
        _ = world.smsc.receipt("2")
        world.smsc.flush()
        world.smsc.close()
        world.durables[2](true)
        world.turn()
        #expect(world.smscs[0].deliverAnswers.count == 3)
    }

    @Test("Messages from handsets are answered when their records are durable; what cannot be kept stays with the operator")
    func inbound() throws {
        let world = World()
        let connection = try world.bound()
        var fields = MessageFields()
        fields.source = Address(ton: 1, npi: 1, text: ShortText(digits: 447_700_900_123))
        fields.destination = Address(ton: 3, npi: 0, text: ShortText(digits: 7070))
        _ = world.smsc.deliver(Message(fields: fields, shortMessage: Array("STOP".utf8)))
        fields.dataCoding = 8
        fields.esmClass = .userDataHeader
        _ = world.smsc.deliver(Message(fields: fields, shortMessage: [6, 8, 4, 0xAB, 0xCD, 2, 1, 0x04, 0x21]))
        world.smsc.flush()
        world.turn()
        #expect(world.smsc.deliverAnswers.isEmpty)
        let batch = try #require(world.received.first)
        #expect(batch[0] == Inbound(group: 3, from: "447700900123", to: "7070", octets: Array("STOP".utf8), dataCoding: 0))
        #expect(
            batch[1]
                == Inbound(
                    group: 3, from: "447700900123", to: "7070", octets: [0x04, 0x21], dataCoding: 8,
                    part: .init(kind: .header16, reference: 0xABCD, total: 2, number: 1)))
        world.durables[0](true)
        world.turn()
        #expect(world.smsc.deliverAnswers.map(\.status) == [.ok, .ok] && connection.counters.inbound == 2)
        _ = world.smsc.deliver(
            Message(
                fields: {
                    var plain = MessageFields(); plain.source = fields.source; return plain
                }(), shortMessage: [0x61],
                parameters: [
                    Parameter(.sarReference, .integer(513)), Parameter(.sarTotal, .integer(3)), Parameter(.sarNumber, .integer(2)),
                ]))
        // A header that is none, and segment parameters that are not all there: a message of one part.
        _ = world.smsc.deliver(Message(fields: fields, shortMessage: [200, 1]))
        _ = world.smsc.deliver(Message(shortMessage: [0x62], parameters: [Parameter(.sarTotal, .integer(3))]))
        world.smsc.flush()
        world.turn()
        #expect(world.received[1].map { $0.part?.reference } == [513, nil, nil] && world.received[1][0].part?.kind == .sar)
        world.durables[1](false)
        world.turn()
        #expect(world.smsc.deliverAnswers[2...].map(\.status) == Array(repeating: .temporaryReceiverError, count: 3))
        #expect(connection.counters.inboundDeferred == 3)
    }

    @Test("Unreadable receipts and data_sm are refused for good")
    func unreadable() throws {
        let world = World()
        let connection = try world.bound()
        var fields = MessageFields()
        fields.esmClass = .receipt
        _ = world.smsc.deliver(Message(fields: fields, shortMessage: Array("stat:DELIVRD".utf8)))
        try world.smsc.out.writePacket(Packet(.other(.deliver, [1, 2, 3]), sequence: 77))
        try world.smsc.out.writePacket(Packet(.other(.data, []), sequence: 78))
        world.smsc.flush()
        world.turn()
        #expect(world.smsc.deliverAnswers.map(\.status) == [.permanentReceiverError, .invalidCommandLength])
        #expect(world.smsc.commands.last == .dataResponse && world.heard.isEmpty)
        #expect(
            connection.counters.receiptsUnreadable == 3 && connection.counters.requestsRefused == 0)
    }

    @Test("Octets that cannot be followed end the connection; an answer that cannot be read leaves its part unknown")
    func brokenPeer() throws {
        let world = World()
        let connection = try world.bound()
        connection.hand([world.handover(1), world.handover(2)])
        world.turn()
        try world.smsc.out.writePacket(
            Packet(.other(.submitResponse, [UInt8](repeating: 0x31, count: 70)), sequence: world.smsc.submits[0].sequence))
        world.smsc.out.writeMultipleIntegers(UInt32(3), UInt32(0), UInt32(0), UInt32(0))
        world.smsc.flush()
        world.turn()
        #expect(world.outcomes(1) == [.unknown] && world.outcomes(2) == [.unknown])
        #expect(connection.counters.answersUnreadable == 1 && connection.status.lastError.contains("cannot follow"))
    }

    @Test("A silent peer is asked, and taken for dead when it stays silent")
    func enquire() throws {
        let world = World()
        var settings = World.settings()
        settings.enquireInterval = 1000
        settings.answerTimeout = 1000
        let connection = try world.bound(settings)
        world.advance(milliseconds: 1300)
        #expect(world.smsc.commands.contains(.enquireLink) && connection.status.state == .bound)
        world.ignoresEnquire = true
        world.advance(milliseconds: 2500)
        #expect(connection.status.lastError == "no answer to enquire_link" && world.smscs.count >= 2)
    }

    @Test("The peer's unbind is obeyed; what is open is unknown; then it binds anew")
    func peerUnbinds() throws {
        let world = World()
        let connection = try world.bound()
        connection.hand([world.handover(1)])
        world.turn()
        world.smsc.session.unbind(at: world.clock, out: &world.smsc.out)
        world.smsc.flush()
        world.turn()
        #expect(world.smscs[0].commands.contains(.unbindResponse))
        #expect(world.outcomes(1) == [.unknown] && connection.status.lastError == "the peer has unbound")
    }

    @Test("A split connection sends over its transmitter and hears over its receiver; each is kept up by itself")
    func split() throws {
        let world = World()
        var settings = World.settings()
        settings.bind = .split
        let connection = try world.bound(settings)
        #expect(world.smscs.map { $0.bind?.mode } == [.transmitter, .receiver])
        let (transmitter, receiver) = (world.smscs[0], world.smscs[1])
        connection.hand([world.handover(1)])
        world.turn()
        #expect(transmitter.submits.count == 1 && receiver.submits.isEmpty)
        transmitter.answer(transmitter.submits[0].sequence)
        transmitter.flush()
        let sequence = receiver.receipt("2")
        receiver.flush()
        world.durables[0](true)
        world.turn()
        #expect(receiver.deliverAnswers.map(\.sequence) == [sequence])
        receiver.close()
        world.turn()
        #expect(connection.status.state == .bound && connection.room == 10)
        world.advance(milliseconds: 10)
        #expect(world.smscs.count == 3 && world.smsc.bind?.mode == .receiver)
        var stopped = false
        connection.stop { stopped = true }
        world.turn()
        #expect(stopped && connection.status.state == .stopped)
    }

    @Test("A connection that nobody owns any more answers nothing and does not fall over")
    func ownerGone() throws {
        let world = World()
        let connection = try world.bound()
        #expect(connection.now() == world.now())
        var other: World? = World()
        let orphan = try #require(other?.connection())
        other = nil
        #expect(orphan.now() == Instant(wall: 0, steady: 0) && orphan.room == 0)
    }
}

import MartletModel
import NIOCore
import NIOEmbedded
import SMPP
import Testing

@testable import MartletChannels

/// Questions to an operator about messages that it took: beside the window, in small numbers, each answered once.
@Suite struct InquiryTests {
    private func inquiry(_ index: UInt32, _ what: Inquiry.What = .query, id: String? = nil, from: String = "HARBOUR") -> Inquiry {
        Inquiry(
            slot: SlotReference(index: index, generation: 9), what: what, part: 0, providerID: id ?? "\(index)", from: from,
            to: PhoneNumber(digits: 447_700_900_123))
    }

    private func results(_ world: World) -> [InquiryAnswer.Result] { world.inquiries.map(\.result) }

    @Test("A question names the message and its sender, a cancellation its recipient too; answers come back as what they mean")
    func asks() throws {
        let world = World()
        let connection = try world.bound(World.settings(window: 1))
        connection.hand([world.handover(1)])
        world.turn()
        #expect(connection.room == 0 && connection.inquiryRoom == 1)
        connection.ask([inquiry(1, id: "0A1B2C")])
        world.advance(milliseconds: 60)
        connection.ask([inquiry(2, .cancel, id: "0A1B2D")])
        world.turn()
        #expect(world.smsc.queries.map(\.1) == [Query(messageID: "0A1B2C", source: Address(ton: 5, npi: 0, text: short("HARBOUR")))])
        #expect(
            world.smsc.cancels.map(\.1) == [
                Cancel(
                    messageID: "0A1B2D", source: Address(ton: 5, npi: 0, text: short("HARBOUR")),
                    destination: Address(ton: 1, npi: 1, text: short("447700900123")))
            ])
        world.smsc.answerCancel(world.smsc.cancels[0].0, .ok)
        try world.smsc.answerQuery(
            world.smsc.queries[0].0,
            QueryResponse(messageID: "0A1B2C", finalDate: AbsoluteTime(seconds: 1_795_370_000), state: .delivered, errorCode: 4))
        world.turn()
        #expect(results(world) == [.cancelled, .state(.delivered, error: 4, endedAt: 1_795_370_000)])
        #expect(world.inquiries.map(\.slot.index) == [2, 1] && world.settled.isEmpty && connection.counters.inquiries == 2)
    }

    @Test(
        "What the operator's statuses mean",
        arguments: [
            (CommandStatus.invalidCommand, InquiryAnswer.Result.notKnown(status: 3)), (.queryFailed, .refused(status: 0x67)),
            (.invalidMessageID, .refused(status: 0x0C)), (.cancelFailed, .refused(status: 0x11)), (.throttled, .notNow(status: 0x58)),
            (.systemError, .notNow(status: 8)),
        ])
    func statuses(_ status: CommandStatus, _ result: InquiryAnswer.Result) throws {
        let world = World()
        let connection = try world.bound()
        connection.ask([inquiry(1)])
        world.turn()
        try world.smsc.answerQuery(world.smsc.queries[0].0, QueryResponse(messageID: "", state: 7), status)
        world.turn()
        #expect(results(world) == [result])
    }

    @Test("generic_nack says that the command is not known; a state that nobody knows says nothing")
    func oddAnswers() throws {
        let world = World()
        let connection = try world.bound()
        connection.ask([inquiry(1)])
        world.advance(milliseconds: 60)
        connection.ask([inquiry(2)])
        world.turn()
        world.smsc.out.writeHeaderOnly(.genericNack, status: .systemError, sequence: world.smsc.queries[0].0)
        try world.smsc.answerQuery(world.smsc.queries[1].0, QueryResponse(messageID: "2", state: 200))
        world.turn()
        #expect(results(world) == [.notKnown(status: 8), .state(.unknown, error: 0, endedAt: 0)])
    }

    @Test("No answer in time is silence, a bind lost before the answer is told as that; every inquiry is answered once")
    func silent() throws {
        let world = World()
        let connection = try world.bound()
        connection.ask([inquiry(1)])
        world.advance(milliseconds: 11_500, step: 100)
        #expect(results(world) == [.silent])
        connection.ask([inquiry(2)])
        world.turn()
        world.smsc.close()
        #expect(results(world) == [.silent, .lost] && world.inquiries.map(\.slot.index) == [1, 2])
        #expect(connection.inquiryRoom == nil)
        connection.stop {}
        world.turn()
        connection.ask([inquiry(3)])
        #expect(world.inquiries.count == 2)
        world.turn()
        #expect(results(world) == [.silent, .lost, .notAsked])
    }

    @Test("A sender or an id that cannot be written is answered without the operator, after the call")
    func unwritable() throws {
        let world = World()
        let connection = try world.bound()
        connection.ask([inquiry(1, from: "a sender that is far too long for any operator")])
        connection.ask([inquiry(2, id: String(repeating: "9", count: 70))])
        #expect(world.inquiries.isEmpty)
        world.turn()
        #expect(results(world) == [.notAsked, .notFound] && world.smsc.queries.isEmpty)
    }

    @Test("At most twenty a second, and none while the connection is held or not bound")
    func paced() throws {
        let world = World()
        let connection = world.connection()
        #expect(connection.inquiryRoom == nil)
        try connection.start()
        world.turn()
        var asked: UInt32 = 0
        for _ in 0..<200 {
            if let room = connection.inquiryRoom, room > 0 {
                asked += 1
                connection.ask([inquiry(asked)])
            }
            world.advance(milliseconds: 5)
            for query in world.smsc.queries { try world.smsc.answerQuery(query.0, QueryResponse(messageID: "", state: 1)) }
            world.smsc.queries.removeAll()
            world.turn()
        }
        #expect((15...20).contains(asked) && world.inquiries.count == Int(asked))
        connection.hold()
        #expect(connection.inquiryRoom == nil)
    }

    @Test("A tenth of the operator's rate, and of that what submits leave; none while it throttles us or is too busy for inquiries")
    func rate() throws {
        let world = World()
        var settings = World.settings()
        settings.messagesPerSecond = 30
        let connection = try world.bound(settings)
        var asked: UInt32 = 0
        for _ in 0..<100 {
            if let room = connection.inquiryRoom, room > 0 {
                asked += 1
                connection.ask([inquiry(asked)])
            }
            world.advance(milliseconds: 10)
            for query in world.smsc.queries { try world.smsc.answerQuery(query.0, QueryResponse(messageID: "", state: 1)) }
            world.smsc.queries.removeAll()
            world.turn()
        }
        #expect((2...3).contains(asked))
        world.advance(milliseconds: 1500)
        #expect(connection.inquiryRoom == 1)
        connection.hand([world.handover(1)])
        #expect(connection.inquiryRoom == 0, "the submit had the room of this moment")
        world.advance(milliseconds: 1500)
        connection.ask([inquiry(50)])
        world.turn()
        try world.smsc.answerQuery(world.smsc.queries[0].0, QueryResponse(messageID: "", state: 1), .throttled)
        world.turn()
        world.advance(milliseconds: 500)
        #expect(world.inquiries.last?.result == .notNow(status: 0x58) && connection.inquiryRoom == 0 && connection.room > 0)
        world.advance(milliseconds: 30_000)
        #expect(connection.inquiryRoom == 1)
        connection.throttled(at: world.now().steady)
        world.advance(milliseconds: 5000)
        #expect(connection.inquiryRoom == 0 && connection.room > 0)
    }

    @Test("An operator is asked by the octets of its own id; nothing more is kept of one that is in the common form")
    func rawID() throws {
        let world = World()
        let connection = try world.bound()
        for (index, id) in ["00AB", "ab"].enumerated() {
            connection.hand([world.handover(UInt32(index + 1))])
            world.turn()
            world.smsc.answer(world.smsc.submits[index].0, id: id)
            world.turn()
        }
        #expect(world.settled.map(\.outcome) == [.accepted(providerID: "ab"), .accepted(providerID: "ab")])
        #expect(world.settled.map(\.rawID) == ["00AB", ""])
        var one = inquiry(1, id: "ab")
        one.rawID = "00AB"
        connection.ask([one])
        world.turn()
        #expect(world.smsc.queries.map(\.1.messageID) == ["00AB"])
        try world.smsc.answerQuery(world.smsc.queries[0].0, QueryResponse(messageID: "00AB", state: 2))
        world.turn()
        #expect(world.inquiries.map(\.providerID) == ["ab"])
    }
}

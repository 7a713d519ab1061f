import MartletModel
import NIOCore
import NIOEmbedded
import SMPP
import Testing

@testable import MartletDoors

/// What else a client may ask, and how a connection ends.
@Suite struct SMPPRequestTests {
    private func multi(_ numbers: [String], lists: [String] = []) -> Packet.Body {
        var message = Message(shortMessage: Array("hello".utf8))
        message.fields.source = Address(ton: 5, npi: 0, text: ShortText("HARBOUR") ?? ShortText())
        let addresses = numbers.map { Destination.address(Address(ton: 1, npi: 1, text: ShortText($0) ?? ShortText())) }
        return .submitMulti(
            MultiSubmit(destinations: addresses + lists.map { .list(ShortText($0) ?? ShortText()) }, message: message))
    }

    // MARK: submit_multi

    @Test("A submit_multi is one message for each number, answered by the first id and the numbers that were refused")
    func multiPartly() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        try client.send(multi(["447700900001", "12", "447700900002", "447700900003"]))
        #expect(bench.intake.submissions.map(\.to.digits) == [447_700_900_001, 447_700_900_002, 447_700_900_003])
        bench.intake.release([2])
        bench.intake.release([0]) { _ in .refused(.noRoute) }
        #expect(try client.read().isEmpty)
        bench.intake.release([1])
        let answers = try client.read()
        let refused = [("12", CommandStatus.invalidDestination), ("447700900001", .invalidDestination)].map {
            MultiAnswer.Refused(destination: Address(ton: 1, npi: 1, text: ShortText($0.0) ?? ShortText()), status: $0.1)
        }
        // The first address that was taken, whichever was durable first.
        #expect(answers == [Packet(.submitMultiResponse(MultiAnswer(messageID: FakeIntake.id(1).text, refused: refused)), sequence: 2)])
        #expect(bench.door.counters.submits == 1)
    }

    @Test("Every message of a submit_multi has its user_message_reference, and its receipt names handset and reference beside its own id")
    func multiReference() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        guard case .submitMulti(var body) = multi(["447700900001", "447700900002"]) else { throw DoorBenchFault(text: "no submit_multi") }
        body.message.parameters = [Parameter(.userMessageReference, .integer(51_966))]
        try client.send(.submitMulti(body))
        #expect(bench.intake.submissions.map(\.reference) == ["51966", "51966"])
        bench.intake.releaseAll()
        _ = try client.read()
        // Of the second, whose id no answer told.
        var notice = SMPPBench.notice(1, reference: "51966")
        notice.payload.to = PhoneNumber(digits: 447_700_900_002)
        try bench.teller.tell([notice])
        guard case .deliver(let receipt)? = try client.read().first?.body else { throw DoorBenchFault(text: "no receipt") }
        #expect(receipt.fields.source.text == ShortText(digits: 447_700_900_002))
        #expect(String(decoding: receipt.shortMessage, as: UTF8.self).contains("id:\(FakeIntake.id(1).text) "))
        #expect(receipt.parameters.contains(Parameter(.userMessageReference, .integer(51_966))))
    }

    @Test("A submit_multi that is refused as a whole has the status of its first number, also when the core says so later")
    func multiRefused() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        #expect(try client.answer(to: multi(["12", "13"])).status == .invalidDestination)
        try client.send(multi(["447700900001", "447700900002"]))
        #expect(try client.read().isEmpty)
        bench.intake.release([0, 1]) { _ in .refused(.storage(retryAfterSeconds: 1)) }
        #expect(try client.read().map(\.status) == [.queueFull])
        #expect(bench.door.counters.submits == 0)
    }

    @Test("The rate of an account stops a submit_multi where it is used up")
    func multiRate() throws {
        let bench = SMPPBench([.bank { $0.partsPerSecond = 2 }])
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        let client = try bench.bound()
        let answer = try client.answer(to: multi(["447700900001", "447700900002", "447700900003"]))
        guard case .submitMultiResponse(let body) = answer.body else { throw DoorBenchFault(text: "\(answer)") }
        #expect(body.refused.map(\.status) == [.throttled])
        #expect(bench.intake.submissions.count == 2)
    }

    @Test("Distribution lists are refused by name, with everything beside them")
    func lists() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        #expect(try client.answer(to: multi(["447700900001"], lists: ["everybody"])).status == .invalidListName)
        #expect(bench.intake.submissions.isEmpty)
        bench.sources.keys["cards"] = nil
        #expect(try client.answer(to: multi(["447700900001"])).status == .systemError)
    }

    // MARK: query_sm, cancel_sm, replace_sm

    private func story(_ state: MessageState, _ reason: EndReason = .none, source: SourceNumber = 7) -> Story {
        Story(
            id: FakeIntake.id(1), source: source, messageClass: .transactional, state: state, reason: reason, parts: 1, createdAt: 0,
            updatedAt: 1_795_370_709_000_000, deadline: 0, reference: "", from: "HARBOUR", to: PhoneNumber(digits: 447_700_900_123),
            attempts: [], hops: [])
    }

    @Test("A query is answered by the state, and the date of an end")
    func query() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        let id = FakeIntake.id(1).text
        let end = try #require(AbsoluteTime(seconds: 1_795_370_709).text)
        let expected: [(MessageState, EndReason, DeliveryState)] = [
            (.queued, .none, .enroute), (.submitted, .none, .enroute), (.sent, .none, .enroute), (.unknown, .none, .enroute),
            (.delivered, .none, .delivered), (.expired, .noReceipt, .expired), (.cancelled, .cancelledBySource, .deleted),
            (.failed, .refused, .rejected), (.failed, .cannotBeEncoded, .rejected), (.failed, .undeliverable, .undeliverable),
        ]
        for (state, reason, shown) in expected {
            bench.intake.stories[FakeIntake.id(1)] = story(state, reason)
            let answer = try client.answer(to: .query(Query(messageID: id)))
            let date = state.isEnd ? end : ShortText()
            #expect(answer.body == .queryResponse(QueryResponse(messageID: id, finalDate: date, state: shown.rawValue)))
            #expect(answer.status == .ok)
        }
    }

    @Test("A query about nothing, about another's message, and one that cannot be answered are told apart from an answer")
    func queryRefused() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        let query = Packet.Body.query(Query(messageID: FakeIntake.id(1).text))
        #expect(try client.answer(to: .query(Query(messageID: "17"))).status == .invalidMessageID)
        #expect(try client.answer(to: query).status == .invalidMessageID)
        bench.intake.stories[FakeIntake.id(1)] = story(.delivered, source: 8)
        #expect(try client.answer(to: query).status == .invalidMessageID)
        bench.intake.storyFault = StoryFault(reason: "the disk")
        bench.intake.holdsStories = true
        try client.send(query)
        #expect(try client.read().isEmpty)
        bench.intake.releaseStories()
        #expect(try client.read().map(\.status) == [.queryFailed])
    }

    @Test("A query needs the scope read, as over HTTP, and the source's rights as they are now")
    func queryScope() throws {
        let bench = SMPPBench([.bank { $0.source = "tight" }])
        let client = try bench.bound()
        let query = Packet.Body.query(Query(messageID: FakeIntake.id(1).text))
        bench.intake.stories[FakeIntake.id(1)] = story(.delivered, source: 10)
        let refused = try client.answer(to: query)
        #expect(refused.command == .queryResponse && refused.status == .queryFailed)
        #expect(bench.door.counters.refused["ESME_RQUERYFAIL"] == 1)
        bench.sources.keys["tight"]?.scopes = [.send, .read]
        #expect(try client.answer(to: query).status == .ok)
        bench.sources.keys["tight"] = nil
        #expect(try client.answer(to: query).status == .queryFailed)
    }

    @Test("A cancel is answered by what became of it, and names its message by id alone")
    func cancel() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        let expected: [(Cancellation, CommandStatus)] = [
            (.cancelled, .ok), (.notFound, .invalidMessageID), (.tooLate, .cancelFailed), (.storage, .cancelFailed),
        ]
        for (verdict, status) in expected {
            bench.intake.cancellation = verdict
            let answer = try client.answer(to: .cancel(Cancel(messageID: FakeIntake.id(1).text)))
            #expect(answer.command == .cancelResponse)
            #expect(answer.status == status)
        }
        #expect(bench.intake.cancelled.count == 4)
        #expect(try client.answer(to: .cancel(Cancel(messageID: ""))).status == .invalidMessageID)
        #expect(bench.intake.cancelled.count == 4)
    }

    @Test("A replace is answered by what became of it; its text is in the account's alphabet")
    func replace() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        let expected: [(Replacement.Verdict, CommandStatus)] = [
            (.replaced, .ok), (.notFound, .invalidMessageID), (.tooLate, .replaceFailed), (.storage, .replaceFailed),
            (.tooManyParts, .invalidMessageLength),
        ]
        let id = FakeIntake.id(1).text
        for (verdict, status) in expected {
            bench.intake.replacement = verdict
            let answer = try client.answer(
                to: .replace(Replace(messageID: id, registeredDelivery: RegisteredDelivery(rawValue: 2), shortMessage: [0x61, 0x00])))
            #expect(answer.command == .replaceResponse && answer.status == status)
        }
        #expect(bench.intake.replaced.count == 5 && bench.intake.replaced[0].text == "a@")
        #expect(bench.intake.replaced[0].tells == .failed && bench.intake.replaced[0].validity == nil)
        let validity = try #require(ShortText("000001000000000R"))
        _ = try client.answer(to: .replace(Replace(messageID: id, validityPeriod: validity, shortMessage: [0x61])))
        #expect(bench.intake.replaced[5].validity == 86_400)
        let wrong: [(Replace, CommandStatus)] = [
            (Replace(messageID: "nobody", shortMessage: [0x61]), .invalidMessageID),
            (Replace(messageID: id, shortMessage: []), .invalidMessageLength),
            (Replace(messageID: id, scheduleDeliveryTime: validity, shortMessage: [0x61]), .invalidSchedule),
            (Replace(messageID: id, validityPeriod: try #require(ShortText("000000000000000R")), shortMessage: [0x61]), .invalidExpiry),
            (Replace(messageID: id, validityPeriod: try #require(ShortText("0123456789012345")), shortMessage: [0x61]), .invalidExpiry),
        ]
        for (replace, status) in wrong { #expect(try client.answer(to: .replace(replace)).status == status) }
        #expect(bench.intake.replaced.count == 6)
        // A card number is guarded here as in a submit.
        _ = try client.answer(to: .replace(Replace(messageID: id, shortMessage: Array("Card 4111111111111111".utf8))))
        #expect(bench.intake.replaced.count == 7 && bench.intake.replaced[6].text == "Card 411111******1111")
        #expect(bench.door.counters.cardsMasked == 1)
    }

    // MARK: What cannot be read

    @Test("A request whose body cannot be read is refused, and the next is served")
    func unreadable() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        for command in [Command.submit, .data, .submitMulti, .query, .cancel] {
            let answer = try client.answer(to: .other(command, [0x61]))
            #expect(answer.command == command.response)
            #expect(answer.status != .ok)
        }
        #expect(try client.answer(to: .other(Command(rawValue: 0x77), [])).command == .genericNack)
        #expect(bench.door.counters.refused.values.reduce(0, +) == 6)
        try client.send(.text())
        #expect(bench.intake.submissions.count == 1)
        // Answers to nothing are let be.
        try client.send(.deliverResponse(messageID: ""), .enquireLinkResponse)
        #expect(try client.read().isEmpty)
        #expect(client.isOpen)
    }

    @Test("A length that cannot be is answered by generic_nack and ends the connection; what came before it was served")
    func lengthOutOfRange() throws {
        let bench = SMPPBench()
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        let client = try bench.bound()
        var bytes = ByteBuffer()
        try bytes.writePacket(Packet(.text(), sequence: 2))
        bytes.writeMultipleIntegers(UInt32(70_000), UInt32(4), UInt32(0), UInt32(3))
        try client.send(bytes)
        let answers = try client.read()
        #expect(answers.map(\.command) == [.submitResponse, .genericNack])
        #expect(answers.last?.status == .invalidCommandLength)
        #expect(!client.isOpen)
    }

    @Test("A PDU that comes octet by octet is the same PDU")
    func octetByOctet() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        var bytes = ByteBuffer()
        try bytes.writePacket(Packet(.text("slow"), sequence: 2))
        for octet in bytes.readableBytesView { try client.send(ByteBuffer(bytes: [octet])) }
        #expect(bench.intake.submissions.map(\.text) == ["slow"])
    }

    // MARK: The end

    @Test("An unbind is answered at once when nothing is open, and what follows it is not read")
    func unbind() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        try client.send(.unbind, .text())
        #expect(try client.read().map(\.command) == [.unbindResponse])
        #expect(!client.isOpen)
        #expect(bench.intake.submissions.isEmpty)
    }

    @Test("An unbind waits for the answers that are open")
    func unbindWaits() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        try client.send(.text("a"), .text("b"), .unbind)
        #expect(try client.read().isEmpty)
        bench.intake.release([1])
        #expect(try client.read().map(\.command) == [.submitResponse])
        bench.intake.release([0])
        #expect(try client.read().map(\.command) == [.submitResponse, .unbindResponse])
        #expect(!client.isOpen)
    }

    @Test("An unbind whose open answers never come ends in time")
    func unbindTimesOut() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        try client.send(.text(), .unbind)
        bench.wait(9_999)
        #expect(client.isOpen)
        bench.wait(1)
        #expect(!client.isOpen)
        bench.intake.releaseAll()
        #expect(bench.door.counters.submits == 0)
    }

    @Test("A client that does not read is not read, and is given no receipts")
    func backPressure() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        let changes = bench.owner.roomChanges
        func autoRead() -> Bool? { client.channel.options.last { $0.option is ChannelOptions.Types.AutoReadOption }?.value as? Bool }
        client.channel.isWritable = false
        client.channel.pipeline.fireChannelWritabilityChanged()
        #expect(autoRead() == false)
        #expect(try bench.teller.room == 0)
        client.channel.isWritable = true
        client.channel.pipeline.fireChannelWritabilityChanged()
        #expect(autoRead() == true)
        #expect(try bench.teller.room == 50)
        #expect(bench.owner.roomChanges == changes + 1)
    }
}

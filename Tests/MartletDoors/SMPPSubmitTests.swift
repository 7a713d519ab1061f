import MartletModel
import NIOCore
import NIOEmbedded
import SMPP
import Testing

@testable import MartletDoors

/// submit_sm and data_sm: what the core is given, and what the client is answered.
@Suite struct SMPPSubmitTests {
    /// The one submission that this request becomes.
    private func submission(_ body: Packet.Body, _ account: SMPPAccount = .bank()) throws -> Submission {
        let bench = SMPPBench([account])
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        let client = try bench.bound()
        let answer = try client.answer(to: body)
        guard let one = bench.intake.submissions.first else { throw DoorBenchFault(text: "answered \(answer.status)") }
        return one
    }

    private func status(_ body: Packet.Body, _ account: SMPPAccount = .bank()) throws -> CommandStatus {
        let bench = SMPPBench([account])
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        let client = try bench.bound()
        let status = try client.answer(to: body).status
        #expect(bench.intake.submissions.isEmpty)
        #expect(bench.door.counters.refused == [status.name ?? "vendor": 1])
        #expect(client.isOpen)
        return status
    }

    @Test("A submit is answered when the core has answered, with the message's id")
    func answeredWhenDurable() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        try client.send(.text("Your code is 123456"))
        #expect(try client.read().isEmpty)
        let taken = try #require(bench.intake.submissions.first)
        #expect(taken.source == 7)
        #expect(taken.messageClass == .transactional)
        #expect(taken.to.international == "+447700900123")
        #expect(taken.from == "HARBOUR")
        #expect(taken.text == "Your code is 123456")
        #expect(taken.userDataHeader.isEmpty)
        #expect(taken.reference == "")
        #expect(taken.validity == MessageClass.transactional.validity)
        #expect(taken.tells == [])
        #expect(taken.receivedAt == bench.intake.instant)
        bench.intake.releaseAll()
        let answers = try client.read()
        #expect(answers == [Packet(.submitResponse(messageID: FakeIntake.id(0).text), sequence: 2)])
        #expect(bench.door.counters.submits == 1)
    }

    @Test("Answers leave in the order of the core, each with its own sequence number")
    func anyOrder() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        try client.send(.text("a"), .text("b"), .text("c"))
        bench.intake.release([2, 0, 1])
        let answers = try client.read()
        #expect(answers.map(\.sequence) == [4, 2, 3])
        #expect(
            answers.map(\.body) == [2, 0, 1].map { .submitResponse(messageID: FakeIntake.id($0).text) })
    }

    @Test("The answers of one batch and of one read are one write each")
    func oneWrite() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        try client.send(.text("a"), .text("b"), .text("c"))
        bench.intake.releaseAll()
        let first = try #require(try client.channel.readOutbound(as: ByteBuffer.self))
        #expect(try client.channel.readOutbound(as: ByteBuffer.self) == nil)
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        try client.send(.text("a"), .text("b"), .text("c"))
        let second = try #require(try client.channel.readOutbound(as: ByteBuffer.self))
        #expect(first.readableBytes == second.readableBytes)
        #expect(try client.channel.readOutbound(as: ByteBuffer.self) == nil)
    }

    @Test("Beyond its window a client is told to slow down, and goes on when answers came")
    func window() throws {
        let bench = SMPPBench([.bank { $0.window = 2 }])
        let client = try bench.bound()
        try client.send(.text("a"), .text("b"), .text("c"))
        #expect(try client.read().map(\.status) == [.throttled])
        bench.intake.releaseAll()
        #expect(try client.read().count == 2)
        try client.send(.text("d"))
        #expect(bench.intake.submissions.map(\.text) == ["a", "b", "d"])
    }

    @Test("What the core refuses is answered with the status that a client understands")
    func refusals() throws {
        let expected: [(Refusal, CommandStatus)] = [
            (.tooManyParts(parts: 300, limit: 10), .invalidMessageLength), (.noAlphabet, .rejectMessage), (.noRoute, .invalidDestination),
            (.full(retryAfterSeconds: 1), .throttled), (.storage(retryAfterSeconds: 1), .queueFull), (.stopping, .systemError),
            (.rateLimited(retryAfterSeconds: 1), .throttled), (.quotaUsedUp(retryAfterSeconds: 60), .throttled),
        ]
        let bench = SMPPBench()
        let client = try bench.bound()
        for (refusal, status) in expected {
            bench.intake.immediate = .refused(refusal)
            #expect(try client.answer(to: .text()).status == status)
            bench.intake.immediate = nil
            try client.send(.text())
            bench.intake.release([bench.intake.waiting.count - 1]) { _ in .refused(refusal) }
            #expect(try client.read().map(\.status) == [status])
        }
        #expect(bench.door.counters.submits == 0)
        #expect(bench.door.counters.refused["ESME_RTHROTTLED"] == 6)
    }

    @Test("An answer for a connection that has gone is dropped, and not counted")
    func lateAnswer() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        var multi = Message(shortMessage: [0x68])
        multi.fields.source = Address(text: ShortText("HARBOUR") ?? ShortText())
        let destination = Destination.address(Address(ton: 1, npi: 1, text: ShortText(digits: 447_700_900_123)))
        try client.send(.text(), .text(), .submitMulti(MultiSubmit(destinations: [destination], message: multi)))
        bench.intake.holdsStories = true
        try client.send(.query(Query(messageID: FakeIntake.id(1).text)))
        try client.channel.close().wait()
        bench.intake.release([0, 1, 2]) { $0 == 1 ? .refused(.noRoute) : .accepted(FakeIntake.id($0), parts: 1) }
        bench.intake.releaseStories()
        bench.loop.run()
        #expect(try client.read().isEmpty)
        #expect(bench.door.counters.submits == 0)
        #expect(bench.door.counters.refused.isEmpty)
    }

    @Test("A number may have a plus sign; a sender may be left out, or have a plus sign")
    func addresses() throws {
        #expect(try submission(.text(to: "+447700900123")).to.digits == 447_700_900_123)
        #expect(try submission(.text { $0.fields.source = Address() }).from == "HARBOUR")
        #expect(try submission(.text { $0.fields.source.text = ShortText("+4477009") ?? ShortText() }).from == "4477009")
        let allowed = try submission(.text { $0.fields.source.text = ShortText("4477") ?? ShortText() }, .bank { $0.source = "tight" })
        #expect(allowed.messageClass == .otp)
    }

    @Test(
        "Validity in either form is the message's",
        arguments: [
            (PDUTime.relative(300), 300), (.relative(700_000), 604_800), (.absolute(AbsoluteTime(seconds: 1_795_370_649 + 600)), 600),
        ] as [(PDUTime, Int64)])
    func validity(time: PDUTime, expected: Int64) throws {
        let text = try #require(time.text)
        #expect(try submission(.text { $0.fields.validityPeriod = text }).validity == expected)
    }

    @Test("Of which ends a client hears is what its registered_delivery asks")
    func registered() throws {
        let expected: [(UInt8, Submission.Tells)] = [
            (0, []), (1, [.delivered, .failed]), (2, [.failed]), (3, [.delivered]), (0x11, [.delivered, .failed]),
        ]
        for (value, tells) in expected {
            #expect(try submission(.text { $0.fields.registeredDelivery = RegisteredDelivery(rawValue: value) }).tells == tells)
        }
    }

    @Test("A client's own number for a message is kept as its reference")
    func reference() throws {
        let own = try submission(.text { $0.parameters = [Parameter(.userMessageReference, .integer(51_966))] })
        #expect(own.reference == "51966")
        #expect(try submission(.text { $0.parameters = [Parameter(.privacyIndicator, .integer(1))] }).reference == "")
        // One octet where two belong: somebody else's idea of it.
        let bench = SMPPBench()
        let client = try bench.bound()
        var bytes = ByteBuffer()
        try bytes.writePacket(Packet(.text(), sequence: 9))
        bytes.writeMultipleIntegers(Tag.userMessageReference.rawValue, UInt16(1), UInt8(7))
        bytes.setInteger(UInt32(bytes.readableBytes), at: 0)
        try client.send(bytes)
        #expect(bench.intake.submissions.map(\.reference) == [""])
    }

    // MARK: Text

    @Test("data_coding says how the text is read; 0 is the account's own alphabet")
    func alphabets() throws {
        let expected: [(UInt8, SMPPAccount.DefaultCoding, [UInt8], String)] = [
            (0, .gsm7, [0x00, 0x1B, 0x65], "@€"), (0, .ascii, [0x40, 0x61], "@a"), (0, .latin1, [0x61, 0xE9], "aé"),
            (1, .gsm7, [0x40], "@"), (3, .gsm7, [0xE9], "é"), (6, .ascii, [0xD0], "а"),
            (8, .latin1, [0x04, 0x30, 0xD8, 0x3D, 0xDE, 0x00], "а😀"), (0xF1, .latin1, [0x00, 0x61], "@a"),
        ]
        for (coding, account, octets, text) in expected {
            let taken = try submission(
                .text {
                    $0.fields.dataCoding = coding
                    $0.shortMessage = octets
                }, .bank { $0.defaultCoding = account })
            #expect(taken.text == text)
        }
    }

    @Test("A long text comes in message_payload, of a submit_sm and of a data_sm")
    func payload() throws {
        let long = String(repeating: "long text ", count: 100)
        let parameter = Parameter(.messagePayload, .octets(Array(long.utf8)))
        #expect(
            try submission(
                .text {
                    $0.shortMessage = []
                    $0.parameters = [parameter]
                }
            ).text == long)
        let bench = SMPPBench()
        let client = try bench.bound()
        let data = DataMessage(
            source: LongAddress(text: "HARBOUR"), destination: LongAddress(text: "447700900123"), registeredDelivery: 1,
            parameters: [parameter])
        try client.send(.data(data))
        #expect(bench.intake.submissions.map(\.text) == [long])
        #expect(bench.intake.submissions.first?.tells == [.delivered, .failed])
        bench.intake.releaseAll()
        #expect(try client.read() == [Packet(.dataResponse(DataAnswer(messageID: FakeIntake.id(0).text)), sequence: 2)])
    }

    @Test("A header that the client wrote is kept before its part, and so is one that its sar_ parameters stand for")
    func headers() throws {
        let cut = try submission(
            .text {
                $0.fields.esmClass = .userDataHeader
                $0.shortMessage = [5, 0, 3, 9, 2, 1] + Array("part".utf8)
            })
        #expect(cut.userDataHeader == [5, 0, 3, 9, 2, 1])
        #expect(cut.text == "part")
        let sar = [Parameter(.sarReference, .integer(0x1234)), Parameter(.sarTotal, .integer(3)), Parameter(.sarNumber, .integer(2))]
        let made = try submission(.text("part") { $0.parameters = sar })
        #expect(made.userDataHeader == [6, 8, 4, 0x12, 0x34, 3, 2])
        #expect(made.text == "part")
        let single = [Parameter(.sarReference, .integer(1)), Parameter(.sarTotal, .integer(1)), Parameter(.sarNumber, .integer(1))]
        #expect(try submission(.text { $0.parameters = single }).userDataHeader.isEmpty)
    }

    @Test("A part is read by the tables that its header names, and kept as it came for an operator that takes its alphabet")
    func nationalParts() throws {
        let turkish: [UInt8] = [11, 0, 3, 9, 2, 1, 0x24, 1, 1, 0x25, 1, 1]
        func part(_ coding: UInt8, _ header: [UInt8], _ octets: [UInt8], _ account: SMPPAccount = .bank()) throws -> Submission {
            try submission(
                .text {
                    $0.fields.esmClass = .userDataHeader
                    $0.fields.dataCoding = coding
                    $0.shortMessage = header + octets
                }, account)
        }
        let national = try part(0, turkish, [0x61, 0x1D, 0x1B, 0x73])
        #expect(national.text == "aşş" && national.userDataHeader == turkish)
        #expect(national.partOctets == [0x61, 0x1D, 0x1B, 0x73] && national.partAlphabet == 0)
        let half = try part(8, [5, 0, 3, 9, 2, 1], [0, 0x61, 0xD8, 0x3D])
        #expect(half.text == "a\u{FFFD}" && half.partOctets == [0, 0x61, 0xD8, 0x3D] && half.partAlphabet == 8)
        let latin = try part(0, [5, 0, 3, 9, 2, 1], [0xE9], .bank { $0.defaultCoding = .latin1 })
        #expect(latin.text == "é" && latin.partAlphabet == 3)
        // Longer than any part: only its text is kept.
        let long = try part(0, [5, 0, 3, 9, 2, 1], [UInt8](repeating: 0x61, count: 200))
        #expect(long.partOctets.isEmpty && long.text.utf8.count == 200)
        #expect(try submission(.text("whole")).partOctets.isEmpty)
    }

    @Test("Flash is asked for by data_coding or dest_addr_subunit, replacing by its flag")
    func wishes() throws {
        #expect(try submission(.text("x")).wishes == [])
        for coding: UInt8 in [0x10, 0xF0] { #expect(try submission(.text("x") { $0.fields.dataCoding = coding }).wishes == .flash) }
        let wide = try submission(
            .text {
                $0.fields.dataCoding = 0x18
                $0.shortMessage = [4, 0x36]
            })
        #expect(wide.wishes == .flash && wide.text == "ж")
        #expect(try submission(.text("x") { $0.parameters = [Parameter(.destinationSubunit, .integer(1))] }).wishes == .flash)
        #expect(try submission(.text("x") { $0.parameters = [Parameter(.destinationSubunit, .integer(2))] }).wishes == [])
        #expect(try submission(.text("x") { $0.fields.replaceIfPresent = 1 }).wishes == .replacesPending)
    }

    @Test("What is wrong with a submit is told by its status")
    func wrong() throws {
        let past = try #require(AbsoluteTime(seconds: 1_795_370_649).text)
        let later = try #require(RelativeTime.text(seconds: 60) as ShortText?)
        let junk = try #require(ShortText("tomorrow"))
        let expected: [(CommandStatus, (inout Message) -> Void)] = [
            (.invalidEsmClass, { $0.fields.esmClass = .receipt }),
            (.invalidPriority, { $0.fields.priority = 4 }),
            (.invalidRegisteredDelivery, { $0.fields.registeredDelivery = 0x20 }),
            (.invalidReplaceFlag, { $0.fields.replaceIfPresent = 2 }),
            (.invalidSchedule, { $0.fields.scheduleDeliveryTime = junk }),
            (.invalidSchedule, { $0.fields.scheduleDeliveryTime = later }),
            (.invalidExpiry, { $0.fields.validityPeriod = junk }),
            (.invalidExpiry, { $0.fields.validityPeriod = past }),
            (.invalidExpiry, { $0.fields.validityPeriod = ShortText("000000000000000R") ?? junk }),
            (.parameterNotAllowed, { $0.parameters = [Parameter(.messagePayload, .octets([0x61]))] }),
            (.missingParameter, { $0.parameters = [Parameter(.sarTotal, .integer(2))] }),
            (.invalidMessageLength, { $0.shortMessage = [] }),
            (.invalidMessageLength, { $0.shortMessage = Array("   ".utf8) }),
            (.invalidMessageLength, { ($0.fields.dataCoding, $0.shortMessage) = (3, [0x61, 7]) }),
            (.submitFailed, { ($0.fields.esmClass, $0.shortMessage) = (.userDataHeader, [0, 0x61]) }),
            (.submitFailed, { ($0.fields.esmClass, $0.shortMessage) = (.userDataHeader, [5, 0, 3, 1, 2, 1]) }),
            (.submitFailed, { $0.fields.dataCoding = 4 }),
            (.invalidDestination, { $0.fields.destination = Address() }),
            (.invalidDestination, { $0.fields.destination.text = ShortText("0771") ?? junk }),
            (.invalidSource, { $0.fields.source.text = ShortText("NOT{THIS}") ?? junk }),
        ]
        for (status, change) in expected { #expect(try self.status(.text("hello", change)) == status) }
        let long = [Parameter(.messagePayload, .octets([UInt8](repeating: 0x61, count: 8193)))]
        #expect(
            try status(
                .text {
                    $0.shortMessage = []
                    $0.parameters = long
                }) == .invalidMessageLength)
        let other = Packet.Body.text { $0.fields.source.text = ShortText("OTHER") ?? junk }
        #expect(try status(other, .bank { $0.source = "tight" }) == .invalidSource)
        #expect(try status(.text { $0.fields.source = Address() }, .bank { $0.source = "nameless" }) == .invalidSource)
    }

    @Test("A source that lost its right to send, or is gone, sends nothing more")
    func rightsAtRunTime() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        bench.sources.keys["cards"]?.scopes = [.read]
        #expect(try client.answer(to: .text()).status == .systemError)
        bench.sources.keys["cards"] = nil
        #expect(try client.answer(to: .text()).status == .systemError)
    }

    // MARK: Rate

    @Test("An account's rate counts parts over all its binds, and refills with time")
    func rate() throws {
        let bench = SMPPBench([.bank { $0.partsPerSecond = 3 }])
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        let (first, second) = (try bench.bound(), try bench.bound())
        let twoParts = String(repeating: "a", count: 200)
        #expect(try first.answer(to: .text(twoParts)).status == .ok)
        #expect(try second.answer(to: .text(twoParts)).status == .throttled)
        #expect(try second.answer(to: .text("one")).status == .ok)
        #expect(try first.answer(to: .text("one")).status == .throttled)
        bench.wait(334)
        #expect(
            try first.answer(
                to: .text {
                    $0.fields.esmClass = .userDataHeader
                    $0.shortMessage = [5, 0, 3, 9, 2, 1] + Array(repeating: 0x61, count: 200)
                }
            ).status == .ok)
        #expect(try first.answer(to: .text("one")).status == .throttled)
    }

    @Test("A second's worth is the most that is saved up, and a message of more parts goes when that is full")
    func partsRate() {
        var rate = PartsRate(perSecond: 2)
        func take(_ parts: Int, _ steady: Int64) -> Bool { rate.take(parts, at: steady) }
        #expect(take(5, 0))
        #expect(!take(1, 0))
        #expect(!take(1, 499_999))
        #expect(take(1, 500_000))
        #expect(take(2, 3_600_000_000))
        #expect(!take(1, 3_600_000_000))
        // A clock that was read out of order gives nothing, and takes nothing.
        #expect(!take(1, 3_599_000_000))
        var free = PartsRate(perSecond: 0)
        let taken = (0..<1000).filter { _ in free.take(255, at: 0) }
        #expect(taken.count == 1000)
    }
}

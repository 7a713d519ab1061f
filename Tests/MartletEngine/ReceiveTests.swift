import MartletModel
import SMSText
import Testing

@testable import MartletEngine

/// Messages from handsets: durable as parts, told whole, matched, answered, and heeded at once when they opt out.
@Suite("Messages from handsets")
struct ReceiveTests {
    private static let rules = InboundRules(
        rules: [
            .init(keyword: "Balance", source: 9, answer: "Your balance is on its way"), .init(to: "8080", source: 8),
            .init(to: "9090", answer: "Thank you"),
        ], optOut: .init(["STOP", "\u{421}\u{422}\u{41E}\u{41F}"], answer: "You get no more offers"), optIn: .init(["START"]),
        fallback: 5, partsWait: 60_000_000)

    private func rig() -> Rig { Rig { $0.inbound = ReceiveTests.rules } }

    private func inbound(
        _ text: String, from: String = "447700900123", to: String = "7070", part: (UInt8, UInt8)? = nil, reply: Inbound.Reply? = nil
    ) -> Inbound {
        var made = Inbound(group: 1, from: from, to: to, octets: Array(text.utf8), dataCoding: 0)
        made.part = part.flatMap { Inbound.Part(kind: .header8, reference: 77, total: $1, number: $0) }
        made.reply = reply
        return made
    }

    @discardableResult
    private func receive(_ rig: Rig, _ batch: Inbound...) -> [Record] {
        var random: UInt64 = UInt64(rig.log.count) << 8
        return rig.step {
            $0.engine.receive(
                batch,
                random: {
                    random += 1
                    return random
                }, &$0.turn)
        }
    }

    private func told(_ rig: Rig, _ source: SourceNumber) -> [Engine.Owed] { rig.engine.owed(source, room: 99) }

    @Test("Who hears of it: the rule's source, else who wrote last, else the one for the rest")
    func sources() {
        let rig = rig()
        let reply = Inbound.Reply(id: MessageID(milliseconds: 5, partition: 1, random: 1), source: 3)
        receive(
            rig, inbound("balance please"), inbound("hello"), inbound("yes", reply: reply), inbound("no", to: "8080", reply: reply))
        #expect(rig.engine.owedTotal == 4 && rig.engine.openCount == 1, "the fifth is the answer to the first")
        #expect(told(rig, 5).isEmpty, "not durable yet")
        rig.commit()
        let texts = [9, 5, 3, 8].map { told(rig, $0).map { $0.payload?.text } }
        #expect(texts == [["balance please"], ["hello"], ["yes"], ["no"]])
        #expect(rig.engine.counts.inbound == 4)
    }

    @Test("A notice has the handset, the number it wrote to and the time, and is told once over restarts and carry forward")
    func notice() throws {
        let rig = rig()
        receive(rig, inbound("hello"))
        rig.commit()
        rig.restart()
        rig.commit()
        rig.newSegment()
        rig.carry(upTo: 1)
        rig.commit()
        rig.restart(before: 2)
        rig.commit()
        let owed = told(rig, 5)
        let one = try #require(owed.first)
        #expect(owed.count == 1 && one.state == .received && one.endedAt == 1_790_000_000_000 && one.parts == 1)
        let payload = try #require(rig.sealed(one.position)).withUnsafeBytes { try Payload(reading: $0) }
        #expect(payload == Payload(to: Rig.number, from: "7070", reference: "447700900123", text: "hello"))
        rig.step { $0.engine.told([(one.slot, .heard)], teller: "core", &$0.turn) }
        rig.commit()
        #expect(rig.engine.owedTotal == 0 && rig.engine.slots.count == 0)
    }

    @Test("Where nobody is to hear of it, it is in the log and nowhere else")
    func nobody() {
        let rig = Rig()
        let records = receive(rig, inbound("hello"))
        rig.commit()
        #expect(records.map(\.body) == [.inbound(.init(total: 1, number: 0))] && records[0].header.source == 0)
        #expect(rig.engine.owedTotal == 0 && rig.engine.slots.count == 0)
    }

    @Test("Parts are durable one by one and told as one message, whatever their order; one brought twice brings no record")
    func parts() throws {
        let rig = rig()
        #expect(receive(rig, inbound("world", part: (2, 2))).map(\.body) == [.inbound(.init(total: 2, number: 2))])
        rig.commit()
        #expect(receive(rig, inbound("world", part: (2, 2))).isEmpty)
        let last = receive(rig, inbound("hello ", part: (1, 2)))
        #expect(last.map(\.body) == [.inbound(.init(total: 2, number: 0))])
        rig.commit()
        #expect(told(rig, 5).map { $0.payload?.text } == ["hello world"])
        #expect(receive(rig, inbound("hello ", part: (1, 2))).isEmpty, "known for a minute")
        #expect(rig.engine.counts.inboundRepeated == 2 && rig.engine.counts.inboundParts == 1)
        #expect(rig.engine.parts.waiting.isEmpty && rig.engine.parts.serials.isEmpty)
    }

    @Test("Parts that wait outlive restarts and trims, and the message is whole then")
    func partsLater() throws {
        let rig = rig()
        receive(rig, inbound("one ", part: (1, 3)), inbound("two ", part: (2, 3)))
        rig.commit()
        rig.newSegment()
        #expect(rig.engine.live(in: 1) > 0)
        rig.carry(upTo: 1)
        rig.commit()
        restore(rig, before: 2)
        #expect(rig.engine.parts.waiting.count == 1)
        receive(rig, inbound("three", part: (3, 3)))
        rig.commit()
        #expect(told(rig, 5).map { $0.payload?.text } == ["one two three"])
        restore(rig, before: 2)
        #expect(rig.engine.parts.waiting.isEmpty && rig.engine.owedTotal == 1)
    }

    /// As the node does it: the log folded, parts read back before anything else.
    private func restore(_ rig: Rig, before segment: UInt64 = 0, damaged: Bool = false) {
        rig.restart(before: segment)
        rig.commit()
        for part in rig.engine.partsToRestore {
            rig.engine.restore(part.id, at: part.position, damaged ? nil : rig.sealed(part.position), rig.now)
        }
    }

    @Test("A message whose parts do not all come in time is told as it is; nothing in it is a command")
    func incomplete() throws {
        let rig = rig()
        receive(rig, inbound("STOP", part: (1, 2)))
        rig.commit()
        restore(rig)
        rig.tick(seconds: 61)
        let owed = told(rig, 5)
        #expect(owed.map { $0.payload?.text } == ["STOP[...]"] && owed.first?.parts == 2)
        #expect(rig.engine.optedOutCount == 0 && rig.engine.counts.inboundIncomplete == 1 && rig.engine.openCount == 0)
        // A part that cannot be read back is not waited for.
        receive(rig, inbound("a", part: (1, 3)))
        rig.commit()
        restore(rig, damaged: true)
        #expect(rig.engine.parts.waiting.isEmpty && rig.engine.partsToRestore.isEmpty)
    }

    @Test("Parts that are all there after a restart, with no record that says so, are told with the next tick")
    func wholeAfterRestart() throws {
        let rig = rig()
        receive(rig, inbound("a", part: (1, 2)))
        rig.commit()
        let kept = rig.log
        receive(rig, inbound("b", part: (2, 2)))
        rig.commit()
        // The whole message's record is lost; its second part stands as one that came alone.
        let other = self.rig()
        other.now = rig.now
        receive(other, inbound("b", part: (2, 2)))
        other.commit()
        rig.log = kept + [(1 << 32 | 900, try #require(other.log.last).bytes)]
        restore(rig)
        rig.tick(seconds: 1)
        #expect(told(rig, 5).map { $0.payload?.text } == ["ab"])
    }

    @Test("Of more than may wait nobody is told, but they are kept and their words are heeded")
    func full() throws {
        let rig = Rig {
            $0.inbound = ReceiveTests.rules
            $0.inboundMaximum = 2
        }
        receive(rig, inbound("1"), inbound("2"), inbound("stop"))
        rig.commit()
        #expect(rig.engine.owedTotal == 2 && rig.engine.counts.inboundUntold == 1 && rig.engine.optedOutCount == 1)
        rig.restart()
        rig.commit()
        let owed = told(rig, 5)
        rig.step { $0.engine.told([(owed[0].slot, .heard)], teller: "core", &$0.turn) }
        rig.commit()
        receive(rig, inbound("4"))
        rig.commit()
        #expect(rig.engine.owedTotal == 2)
    }

    @Test("A part that is given up for room by its own arrival is told once, and leaves nothing behind")
    func givenUpByItself() throws {
        let rig = rig()
        rig.engine.parts.assembler = PartAssembler(.init(octets: 200))
        receive(rig, inbound(String(repeating: "a", count: 100), part: (1, 3)))
        receive(rig, inbound(String(repeating: "b", count: 100), part: (2, 3)))
        rig.commit()
        #expect(rig.engine.parts.waiting.isEmpty && rig.engine.parts.serials.isEmpty)
        #expect(told(rig, 5).count == 1)
    }

    // MARK: Words

    @Test("A keyword is answered from the number it was sent to, in the batch that records the question; not for ever")
    func answer() throws {
        let rig = rig()
        receive(rig, inbound("  \"BALANCE\" now"))
        rig.commit()
        let handover = try #require(rig.next())
        #expect(handover.text == "Your balance is on its way" && handover.from == "7070" && handover.to == Rig.number)
        rig.answer(handover, .accepted(providerID: "p"))
        for _ in 0..<20 {
            receive(rig, inbound("thanks", to: "9090"))
            rig.commit()
        }
        #expect(rig.engine.counts.answers == AnswerBrake.most && rig.engine.counts.answersHeldBack == 21 - AnswerBrake.most)
        rig.pass(seconds: 3600)
        receive(rig, inbound("thanks", to: "9090"))
        rig.commit()
        #expect(rig.engine.counts.answers == AnswerBrake.most + 1)
        // From a short code nothing can be answered; where no route leads, nothing is.
        receive(rig, inbound("balance", from: "7171"), inbound("balance", from: "99700900123"))
        #expect(rig.engine.counts.answers == AnswerBrake.most + 1 && rig.engine.counts.answersHeldBack == 22 - AnswerBrake.most)
    }

    @Test("An opt-out ends marketing to the number at once: what waits, and what is submitted; other classes go on")
    func optOut() throws {
        let rig = rig()
        let waiting = rig.accept(.marketing)
        let other = rig.accept(.transactional)
        receive(rig, inbound("Stop!"))
        rig.commit()
        #expect(rig.engine.optedOutCount == 1 && rig.engine.counts.optOuts == 1)
        // The answer to the opt-out and the other class go; the marketing message does not.
        var texts: [String] = []
        for _ in 0..<6 {
            if let handover = rig.next() { texts.append(handover.text) }
            rig.step { $0.engine.endUnwanted(&$0.turn) }
            rig.commit()
        }
        #expect(Set(texts) == ["You get no more offers", String(repeating: "x", count: 20)])
        #expect(rig.fate(waiting) == "suppressed opted_out" && rig.slot(other) != nil && rig.slot(waiting) == nil)
        let late = rig.accept(.marketing)
        #expect(rig.fate(late) == "suppressed opted_out" && rig.slot(late) == nil)
        #expect(rig.engine.counts.ended[8][9] == 2)
    }

    @Test("A suppressed message whose source wants to know is told of it, over a restart too")
    func suppressedTold() throws {
        let rig = rig()
        receive(rig, inbound("stop"))
        rig.commit()
        let submission = Submission(
            source: 7, messageClass: .marketing, to: Rig.number, from: "Bank", text: "offer", tells: [.failed], receivedAt: rig.now)
        rig.step { _ = $0.engine.accept(submission, random: 42, &$0.turn) }
        rig.commit()
        rig.restart()
        rig.commit()
        let owed = told(rig, 7)
        #expect(owed.map(\.state) == [.suppressed] && owed.map(\.reason) == [.optedOut] && owed[0].endedAt == 1_790_000_000_000)
    }

    @Test("Preferences outlive restarts and trims; opting in again ends them")
    func preferences() {
        let rig = rig()
        receive(rig, inbound("STOP"), inbound("stop", from: "447700900999"))
        rig.commit()
        rig.newSegment()
        rig.carry(upTo: 1)
        rig.commit()
        rig.restart(before: 2)
        rig.commit()
        #expect(rig.engine.optedOutCount == 2)
        receive(rig, inbound("start"))
        rig.commit()
        #expect(rig.engine.optedOutCount == 1 && rig.engine.counts.optIns == 1)
        #expect(rig.fate(rig.accept(.marketing)) == "queued")
        rig.restart(before: 2)
        rig.commit()
        #expect(rig.engine.optedOutCount == 1)
    }

    @Test("With as many opted out as memory is meant for no more of their classes is taken; further opt-outs are, over restarts and trims")
    func mostOptOuts() {
        let rig = Rig {
            $0.inbound = ReceiveTests.rules
            $0.optOutMaximum = 2
        }
        receive(rig, inbound("stop"))
        #expect(rig.fate(rig.accept(.marketing)) == "suppressed opted_out" && !rig.engine.hasMostOptOuts)
        receive(rig, inbound("stop", from: "447700900998"), inbound("stop", from: "447700900999"))
        rig.commit()
        #expect(rig.engine.optedOutCount == 3 && rig.engine.hasMostOptOuts)
        let other = PhoneNumber(digits: 447_700_900_555)
        guard case .refused(.full(600)) = rig.verdict(.marketing, to: other) else { return #expect(Bool(false), "taken") }
        guard case .accepted = rig.verdict(.otp, to: other), case .accepted = rig.verdict(.service, to: other) else {
            return #expect(Bool(false), "other classes go on")
        }
        #expect(rig.engine.counts.optOutRefusals == 1)
        rig.commit()
        rig.newSegment()
        rig.carry(upTo: 1)
        rig.commit()
        rig.restart(before: 2)
        rig.commit()
        #expect(rig.engine.optedOutCount == 3 && rig.engine.hasMostOptOuts)
        receive(rig, inbound("start"), inbound("start", from: "447700900999"))
        rig.commit()
        guard case .accepted = rig.verdict(.marketing, to: other) else { return #expect(Bool(false), "refused") }
    }

    @Test("A carry forward of many opt-outs goes in steps, and each is written once")
    func carriedInSteps() {
        let rig = Rig()
        for number in UInt64(1)...5000 {
            rig.step {
                let header = RecordHeader(kind: .preference, at: $0.now.wall)
                let record = Record(header: header, body: .preference(.init(number: number, unwanted: ClassSet([.marketing]))))
                $0.engine.apply(record, at: 0, $0.now)
                $0.turn.records.append(Turn.Emitted(record: record, slot: nil, sealed: .none, after: .nothing))
            }
        }
        rig.commit()
        rig.newSegment()
        var steps: [Int] = []
        for _ in 0..<3 {
            let records = rig.step { $0.engine.carry([], orphansUpTo: 1, &$0.turn) }
            steps.append(records.count { $0.header.kind == .preference })
            rig.commit()
        }
        #expect(steps == [4096, 904, 0] && rig.engine.live(in: 1) == 0)
        rig.restart(before: 2)
        #expect(rig.engine.optedOutCount == 5000)
    }

    @Test("Of many that were given up waiting for at once each tick tells so many; none is lost")
    func manyGivenUp() {
        let rig = rig()
        for number in 0..<600 {
            receive(rig, inbound("part \(number) ", from: String(447_700_900_000 + number), part: (1, 2)))
            rig.commit()
        }
        rig.pass(seconds: 61)
        var told: [Int] = []
        for _ in 0..<4 {
            told.append(rig.step { $0.engine.tick(&$0.turn) }.count { $0.header.kind == .inbound })
            rig.commit()
        }
        #expect(told == [256, 256, 88, 0])
        let texts = Set(self.told(rig, 5).compactMap { $0.payload?.text })
        #expect(rig.engine.counts.inboundIncomplete == 600 && rig.engine.owedTotal == 600 && texts.contains("part 0 [...]"))
        #expect(rig.engine.parts.waiting.isEmpty)
    }

    @Test("After a restart those that are whole or late are told some in each tick")
    func manyLate() {
        let rig = rig()
        func bring(_ rig: Rig, _ text: String, _ number: UInt8) {
            for handset in 0..<300 {
                receive(rig, inbound(text, from: String(447_700_900_000 + handset), part: (number, 2)))
                rig.commit()
            }
        }
        bring(rig, "a", 1)
        let parts = rig.log
        // The second part of each stands in the log as one that came alone, and no record says that the message is whole.
        let other = self.rig()
        bring(other, "b", 2)
        rig.log = parts + other.log.filter { $0.bytes[0] == RecordKind.inbound.rawValue }.map { ($0.position | 1 << 20, $0.bytes) }
        restore(rig)
        let ticks = (0..<3).map { _ in rig.step { $0.engine.tick(&$0.turn) }.count { $0.header.kind == .inbound } }
        #expect(ticks == [256, 44, 0] && rig.engine.owedTotal == 300 && rig.engine.parts.waiting.isEmpty)
    }

    @Test("What a message is the reply to is told after its record was carried forward")
    func replyCarried() throws {
        let rig = rig()
        let sent = MessageID(milliseconds: 5, partition: 1, random: 1)
        receive(rig, inbound("yes", reply: .init(id: sent, source: 3)))
        rig.commit()
        for segment in UInt32(1)...2 {
            rig.newSegment()
            rig.carry(upTo: segment)
            rig.commit()
            rig.restart(before: UInt64(segment) + 1)
            rig.commit()
        }
        let one = try #require(told(rig, 3).first)
        let payload = try #require(rig.sealed(one.position)).withUnsafeBytes { try Payload(reading: $0) }
        #expect(payload.inReplyTo == sent && payload.text == "yes")
    }

    @Test("Only the word alone opts out")
    func words() {
        let rules = ReceiveTests.rules
        for text in ["STOP", " stop. ", "STOP !", "\"Stop\"", "\u{441}\u{442}\u{43E}\u{43F}"] {
            #expect(rules.judge(text, to: "1", repliesTo: nil).unwanted == ClassSet([.marketing]), "\(text)")
        }
        for text in ["Stop the transfer", "unstoppable", "", "...", "sto p"] {
            #expect(rules.judge(text, to: "1", repliesTo: nil).unwanted == nil, "\(text)")
        }
        #expect(rules.judge("Start", to: "1", repliesTo: 4) == .init(source: 4, unwanted: []))
    }
}

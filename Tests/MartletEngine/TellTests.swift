import MartletModel
import Testing

@testable import MartletEngine

@Suite("Telling back and cancelling")
struct TellTests {
    private func ended(
        _ rig: Rig, _ tells: Submission.Tells = [.delivered, .failed], _ state: ReceiptState = .delivered
    ) throws -> MessageID {
        let submission = Submission(
            source: 7, messageClass: .transactional, to: Rig.number, from: "Bank", text: "hello", reference: "r", tells: tells,
            receivedAt: rig.now)
        var id: MessageID?
        rig.step {
            if case .accepted(let made, _) = $0.engine.accept(submission, random: UInt64(rig.log.count + 99), &$0.turn) { id = made }
        }
        rig.commit()
        let handover = try #require(rig.next())
        let provider = "p\(rig.log.count)"
        rig.answer(handover, .accepted(providerID: provider))
        rig.hear(provider, state)
        return try #require(id)
    }

    @Test("An end is owed once it is durable, told once, and its memory returns when that is durable")
    func told() throws {
        let rig = Rig()
        let id = try ended(rig)
        #expect(rig.engine.owed(7, room: 5).isEmpty, "its end is not durable yet")
        rig.commit()
        #expect(rig.engine.owedTotal == 1 && rig.engine.openCount == 0 && rig.engine.owedSources == [7])
        let owed = rig.engine.owed(7, room: 5)
        #expect(owed.count == 1 && owed[0].id == id && owed[0].state == .delivered && owed[0].payload?.reference == "r")
        #expect(owed[0].endedAt == rig.now.wallMilliseconds && rig.engine.owed(7, room: 5).isEmpty)
        let records = rig.step { $0.engine.told([(owed[0].slot, .heard)], teller: "bank", &$0.turn) }
        #expect(records.map(\.body) == [.told(.init(outcome: .heard, teller: "bank"))])
        #expect(rig.engine.owedTotal == 0 && rig.engine.slots.count == 1)
        rig.commit()
        #expect(rig.engine.slots.count == 0 && rig.engine.counts.told[1] == 1)
        #expect(rig.step { $0.engine.told([(owed[0].slot, .heard)], teller: "bank", &$0.turn) }.isEmpty, "a second word changes nothing")
    }

    @Test("Only the ends that were asked for are owed")
    func wishes() throws {
        let rig = Rig()
        _ = try ended(rig, [.failed])
        _ = try ended(rig, [.delivered], .undeliverable)
        _ = try ended(rig, [])
        rig.commit()
        #expect(rig.engine.owedTotal == 0 && rig.engine.slots.count == 0)
        let id = try ended(rig, [.failed], .rejected)
        rig.commit()
        #expect(rig.engine.owed(7, room: 1).map(\.id) == [id])
    }

    @Test("What was not heard goes first, in its order")
    func again() throws {
        let rig = Rig()
        let ids = try (0..<4).map { _ in try ended(rig) }
        rig.commit()
        let first = rig.engine.owed(7, room: 2)
        rig.step { $0.engine.told(first.map { ($0.slot, .notHeard) }, teller: "bank", &$0.turn) }
        #expect(rig.engine.owed(7, room: 9).map(\.id) == ids)
    }

    @Test("A restart owes what was not told durably, in the order of the ends, after a carry forward too")
    func restart() throws {
        let rig = Rig()
        let ids = try (0..<3).map { _ in
            rig.pass(seconds: 1)
            return try ended(rig)
        }
        rig.commit()
        let taken = rig.engine.owed(7, room: 1)
        rig.step { $0.engine.told([(taken[0].slot, .heard)], teller: "bank", &$0.turn) }
        rig.commit()
        rig.restart()
        rig.commit()
        #expect(rig.engine.owedTotal == 2)
        rig.newSegment()
        rig.carry(upTo: 1)
        rig.commit()
        rig.restart(before: 2)
        rig.commit()
        let owed = rig.engine.owed(7, room: 9)
        #expect(owed.map(\.id) == Array(ids[1...]) && owed.allSatisfy { $0.payload == nil && $0.state == .delivered })
        #expect(owed.allSatisfy { rig.sealed($0.position) != nil })
    }

    @Test("A payload that cannot be read back, and a source that stays away for three days, end the telling")
    func givenUp() throws {
        let rig = Rig()
        _ = try ended(rig)
        rig.commit()
        rig.newSegment()
        rig.carry(upTo: 1, damaged: true)
        rig.commit()
        #expect(rig.engine.owedTotal == 0 && rig.engine.slots.count == 0 && rig.engine.counts.told[3] == 1)
        _ = try ended(rig)
        rig.commit()
        rig.tick(seconds: 71 * 3600)
        #expect(rig.engine.owedTotal == 1)
        rig.tick(seconds: 3601)
        #expect(rig.engine.owedTotal == 0 && rig.engine.slots.count == 0 && rig.engine.counts.told[3] == 2)
    }

    @Test("A notice that is put off waits its time and holds up no other; how often it was is told with it")
    func putOff() throws {
        let rig = Rig()
        let ids = try (0..<3).map { _ in try ended(rig) }
        rig.commit()
        let first = rig.engine.owed(7, room: 1)
        #expect(first[0].tries == 0 && first[0].messageClass == .transactional && !first[0].possibleDuplicate)
        #expect(rig.step { $0.engine.told([(first[0].slot, .later(milliseconds: 5000))], teller: "h", &$0.turn) }.isEmpty)
        #expect(rig.engine.owedTotal == 3)
        let others = rig.engine.owed(7, room: 9)
        #expect(others.map(\.id) == Array(ids[1...]))
        rig.step { $0.engine.told(others.map { ($0.slot, .heard) }, teller: "h", &$0.turn) }
        rig.commit()
        rig.tick(seconds: 4.9)
        #expect(!rig.owes)
        rig.tick(seconds: 0.2)
        let again = rig.engine.owed(7, room: 9)
        #expect(again.map(\.id) == [ids[0]] && again[0].tries == 1)
        rig.step { $0.engine.told([(again[0].slot, .heard)], teller: "h", &$0.turn) }
        rig.commit()
        #expect(rig.engine.owedTotal == 0 && rig.engine.slots.count == 0 && rig.engine.wheel.count == 0)
    }

    @Test("A parked notice is told when its source asks, and not before; other sources' and older ones stay parked")
    func parked() throws {
        let rig = Rig()
        let old = try ended(rig)
        rig.commit()
        rig.pass(seconds: 100)
        let since = rig.now.wallMilliseconds
        let new = try ended(rig)
        rig.commit()
        let all = rig.engine.owed(7, room: 9)
        rig.step { $0.engine.told(all.map { ($0.slot, .parked) }, teller: "h", &$0.turn) }
        #expect(rig.engine.parked == [7: 2] && rig.engine.owedTotal == 2)
        rig.tick(seconds: 3600)
        #expect(!rig.owes)
        var cursor: UInt32 = 0
        #expect(rig.tellAgain(8, since: 0, &cursor) == 0 && cursor == 0)
        #expect(rig.tellAgain(7, since: since, &cursor) == 1)
        let told = rig.engine.owed(7, room: 9)
        #expect(told.map(\.id) == [new] && told[0].tries == 0 && rig.engine.parked == [7: 1])
        #expect(rig.tellAgain(7, since: 0, &cursor) == 2, "the one with its teller counts")
        #expect(rig.engine.owed(7, room: 9).map(\.id) == [old] && rig.engine.parked == [7: 0])
    }

    @Test("What is put off or parked goes forward with the journal, stays where it is, and is told at once by the next process")
    func carriedWhilePutOff() throws {
        let rig = Rig()
        let ids = try (0..<2).map { _ in try ended(rig) }
        rig.commit()
        let all = rig.engine.owed(7, room: 9)
        rig.step { $0.engine.told([(all[0].slot, .later(milliseconds: 3_600_000)), (all[1].slot, .parked)], teller: "h", &$0.turn) }
        rig.newSegment()
        rig.carry(upTo: 1)
        rig.commit()
        #expect(!rig.owes && rig.engine.owedTotal == 2)
        rig.restart(before: 2)
        rig.commit()
        #expect(rig.engine.owed(7, room: 9).map(\.id) == ids && rig.engine.parked.isEmpty)
    }

    @Test("What is put off again and again, parked, or waits behind others is given up when it was kept long enough")
    func keptLongEnough() throws {
        let rig = Rig()
        for _ in 0..<3 { _ = try ended(rig) }
        rig.commit()
        let all = rig.engine.owed(7, room: 9)
        rig.step {
            $0.engine.told(
                [(all[0].slot, .later(milliseconds: .max)), (all[1].slot, .parked), (all[2].slot, .later(milliseconds: 1000))], teller: "h",
                &$0.turn)
        }
        rig.tick(seconds: 2)
        #expect(rig.owes, "the third is back in the outbox")
        rig.tick(seconds: 72 * 3600)
        rig.tick(seconds: 1)
        #expect(rig.engine.owedTotal == 0 && rig.engine.slots.count == 0 && rig.engine.counts.told[3] == 3)
        #expect(rig.engine.parked == [7: 0] && rig.engine.owed(7, room: 9).isEmpty)
    }

    @Test("Telling again looks at a large table stretch by stretch")
    func stretches() throws {
        let rig = Rig()
        for _ in 0..<20_000 { _ = rig.verdict(to: PhoneNumber(digits: 33_100_000_000)) }
        let id = try ended(rig)
        rig.commit()
        var cursor: UInt32 = 0
        var count = rig.tellAgain(7, since: 0, &cursor)
        #expect(cursor == 16_384)
        count += rig.tellAgain(7, since: 0, &cursor)
        #expect(cursor == 0 && count == 1 && rig.engine.owed(7, room: 1).map(\.id) == [id])
    }

    @Test("With as many ends untold as may be, nothing more is taken that wants to be told")
    func bounded() throws {
        let rig = Rig { $0.owedMaximum = 1 }
        _ = try ended(rig)
        rig.commit()
        let wanting = Submission(
            source: 7, messageClass: .otp, to: Rig.number, from: "Bank", text: "hello", tells: [.failed], receivedAt: rig.now)
        var verdict: Engine.Verdict?
        rig.step { verdict = $0.engine.accept(wanting, random: 5, &$0.turn) }
        guard case .refused(.full) = verdict else { return #expect(Bool(false), "taken") }
        _ = rig.accept()
        #expect(rig.engine.openCount == 1)
    }

    @Test("A receipt's error code is told, after a carry forward and a restart too")
    func error() throws {
        let rig = Rig()
        let submission = Submission(
            source: 7, messageClass: .transactional, to: Rig.number, from: "Bank", text: "hello", tells: [.failed], receivedAt: rig.now)
        rig.step { _ = $0.engine.accept(submission, random: 5, &$0.turn) }
        rig.commit()
        rig.answer(try #require(rig.hand()), .accepted(providerID: "a"))
        var strays: [Engine.Stray] = []
        rig.step {
            $0.engine.hear([Heard(group: 1, providerID: "a", state: .undeliverable, error: 1027)], &$0.turn, strays: &strays)
        }
        rig.commit()
        #expect(rig.engine.owed(7, room: 1).map(\.error) == [1027])
        for segment in UInt32(1)...2 {
            rig.newSegment()
            rig.carry(upTo: segment)
            rig.commit()
            rig.restart(before: UInt64(segment) + 1)
            rig.commit()
            let owed = rig.engine.owed(7, room: 1)
            #expect(owed.map(\.error) == [1027] && owed.map(\.reason) == [.undeliverable] && owed.map(\.state) == [.failed])
        }
    }

    @Test("A message that no provider has is cancelled by its own source, once; later it is too late")
    func cancel() throws {
        let rig = Rig()
        let id = rig.accept(source: 3)
        var verdicts: [Cancellation?] = []
        rig.step { verdicts.append($0.engine.cancel(id, source: 4, &$0.turn)) }
        rig.step { verdicts.append($0.engine.cancel(id, source: 3, &$0.turn)) }
        rig.step { verdicts.append($0.engine.cancel(id, source: 3, &$0.turn)) }
        #expect(verdicts == [.notFound, .cancelled, .cancelled] && rig.fate(id) == "cancelled cancelled_by_source")
        rig.commit()
        #expect(rig.hand() == nil && rig.engine.openCount == 0)
        rig.step { verdicts.append($0.engine.cancel(id, source: 3, &$0.turn)) }
        #expect(verdicts.last == .some(nil))
        let other = rig.accept(source: 3)
        _ = try #require(rig.hand())
        rig.step { verdicts.append($0.engine.cancel(other, source: 3, &$0.turn)) }
        #expect(verdicts.last == .tooLate)
    }
}

extension Rig {
    fileprivate var owes: Bool { engine.owes(7) }
    fileprivate func tellAgain(_ source: SourceNumber, since: Int64, _ cursor: inout UInt32) -> Int {
        engine.tellAgain(source, since: since, cursor: &cursor, now: now)
    }
}

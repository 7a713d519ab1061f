import MartletModel
import Testing

@testable import MartletEngine

@Suite("Recover, carry and load")
struct RecoverTests {
    @Test("After a crash the first of each queue, as many as the credit, are flagged and go first; the rest is as it was")
    func suspects() throws {
        let rig = Rig()
        let ids = (0..<7).map { _ in rig.accept(.service) }
        let other = rig.accept(.service, source: 2)
        for _ in 0..<3 { _ = rig.hand() }
        let records = rig.restart()
        #expect(Set(records.map(\.header.id)) == Set(ids[..<4] + [other]))
        #expect(records.allSatisfy { $0.body == .resumed(.init(why: .restart)) })
        // Not one of them, nor those behind them, before that is durable.
        #expect(rig.hand() == nil && !rig.hasWork)
        rig.commit()
        var order: [MessageID] = []
        while let handover = rig.hand() {
            order.append(handover.id)
            rig.answer(handover, .accepted(providerID: "p\(order.count)"))
        }
        if !rig.engine.wanted.isEmpty { rig.load() }
        while let handover = rig.hand() { order.append(handover.id) }
        #expect(order == Array(ids[..<4]) + [other] + Array(ids[4...]))
        #expect(rig.engine.counts.possibleDuplicates == 5)
    }

    @Test("After a clean stop nothing is a suspect")
    func clean() {
        let rig = Rig()
        rig.accept()
        #expect(rig.restart(clean: true).isEmpty)
        #expect(rig.hasWork)
    }

    @Test("A code is sent again once after a crash while it is young, else it stays unknown; so does one of a clock that jumped")
    func codes() throws {
        let rig = Rig()
        let id = rig.accept(.otp)
        _ = rig.hand()
        #expect(rig.restart(after: 5).map(\.body) == [.resumed(.init(why: .restart))])
        rig.commit()
        #expect(rig.next()?.id == id)
        #expect(rig.restart(after: 1).map(\.body) == [.resumed(.init(why: .left))])
        rig.commit()
        #expect(rig.hand() == nil && rig.slot(id)?.state == .unknown)
        rig.tick(seconds: 180 + 15 * 60 + 1)
        #expect(rig.fate(id) == "expired no_receipt")

        let old = Rig()
        old.accept(.otp)
        #expect(old.restart(after: 11).map(\.body) == [.resumed(.init(why: .left))])
        let jumped = Rig()
        jumped.accept(.otp)
        jumped.pass(seconds: 0, wall: -3600)
        #expect(jumped.restart(after: 1).map(\.body) == [.resumed(.init(why: .left))])
    }

    @Test("What was tried before is a suspect whatever its place")
    func tried() throws {
        let rig = Rig()
        let ids = (0..<8).map { _ in rig.accept(.service) }
        var handed: [Handover] = []
        while let handover = rig.hand() { handed.append(handover) }
        rig.answer(handed[7], .throttled(status: 1))
        rig.commit()
        #expect(Set(rig.restart().map(\.header.id)) == Set(ids[..<4] + [ids[7]]))
        rig.commit()
        // Those behind the flagged ones may have gone meanwhile: a second crash looks at them.
        #expect(Set(rig.restart().map(\.header.id)) == Set(ids))
    }

    @Test("Without any mark of a credit nothing was ever handed over; the settings' credit stands in")
    func noMark() {
        let rig = Rig()
        let to = PhoneNumber(digits: 331_234_567)
        _ = rig.verdict(to: to)
        rig.commit()
        #expect(rig.restart().isEmpty)
        rig.configuration.creditByGroup[2] = 2
        #expect(rig.restart().count == 1)
    }

    @Test("States, masks, keys and flags come back from the log as they were")
    func fold() throws {
        let rig = Rig()
        let sent = rig.accept(parts: 2)
        let handover = try #require(rig.hand())
        rig.answer(handover, part: 0, .accepted(providerID: "a"))
        rig.answer(handover, part: 1, .accepted(providerID: "b"))
        rig.hear("a", .delivered)
        let unknown = rig.accept(.service)
        rig.answer(try #require(rig.hand()), .unknown)
        rig.commit()
        let before = rig.slot(sent)
        #expect(rig.restart(clean: true).isEmpty)
        #expect(rig.engine.counts.replayedRecords > 5)
        #expect(rig.slot(sent)?.answeredParts == before?.answeredParts && rig.slot(sent)?.deliveredParts == 1)
        #expect(rig.slot(unknown)?.state == .unknown)
        rig.hear("b", .delivered)
        #expect(rig.fate(sent) == "delivered")
        #expect(rig.tick(seconds: 0.2).map(\.body) == [.resumed(.init(why: .unknown))])
    }

    @Test("A crash between answer and adopted receipt: the receipt is adopted at the restart")
    func orphanAtRestart() throws {
        let rig = Rig()
        let id = rig.accept()
        let handover = try #require(rig.hand())
        rig.hear("a", .delivered)
        rig.answer(handover, .accepted(providerID: "a"))
        // The adoption was the last record, and it was lost.
        rig.open.removeLast()
        rig.commit()
        rig.restart()
        #expect(rig.fate(id) == "delivered" && rig.engine.orphanCount == 0)
    }

    @Test("One part refused, the other on the wire when the process died: it has failed and is not sent again")
    func refusedAtCrash() throws {
        let rig = Rig()
        let id = rig.accept(parts: 2)
        rig.answer(try #require(rig.hand()), part: 0, .refused(status: 1))
        rig.commit()
        rig.restart()
        rig.commit()
        #expect(rig.fate(id) == "failed refused" && rig.engine.slots.count == 0)
    }

    @Test("Sequences go on where the durable ones ended, also when a trim took all records of a partition")
    func sequences() {
        let rig = Rig()
        let id = rig.accept(validity: 1)
        rig.tick(seconds: 2)
        let partition = Int(id.partition)
        let newest = rig.engine.sequences[partition]
        rig.newSegment()
        #expect(rig.engine.live(in: 1) > 0)
        rig.carry(upTo: 1)
        rig.commit()
        #expect(rig.engine.live(in: 1) == 0)
        rig.restart(clean: true, before: 2)
        #expect(rig.engine.sequences[partition] >= newest + 1)
        #expect(rig.engine.creditMarks[1]?.value == 4, "the credit mark outlived its segment")
    }

    @Test("Carried messages come back whole from what a trim left, in the order of their acceptance")
    func carried() throws {
        let rig = Rig()
        let sent = rig.accept(parts: 2)
        let handover = try #require(rig.hand())
        rig.answer(handover, part: 0, .accepted(providerID: "a"))
        rig.answer(handover, part: 1, .accepted(providerID: "b"))
        let paused = rig.accept(.service)
        rig.answer(try #require(rig.hand()), .deferred(status: 1))
        rig.commit()
        let queued = (0..<5).map { _ in rig.accept(.service) }
        rig.hear("orphan", .delivered)
        rig.commit()
        rig.newSegment()
        let young = rig.accept(.service)
        rig.carry(upTo: 1)
        #expect(rig.engine.live(in: 1) > 0, "not before the copies are durable")
        rig.commit()
        #expect(rig.engine.live(in: 1) == 0 && rig.engine.moving.isEmpty)
        #expect(rig.engine.counts.carried == 7)
        let records = rig.restart(before: 2)
        #expect(Set(records.map(\.header.id)) == Set(queued[..<4] + [paused]), "the older ones are the suspects, though carried later")
        rig.commit()
        #expect(!records.map(\.header.id).contains(young))
        #expect(rig.engine.orphanCount == 1)
        #expect(rig.slot(paused)?.flags.contains(.waiting) == true && rig.slot(paused)?.strikes == 1)
        rig.hear("a", .delivered)
        rig.hear("b", .delivered)
        #expect(rig.fate(sent) == "delivered")
        // The same log, not trimmed.
        rig.restart(clean: true)
        #expect(rig.engine.openCount == 8)
    }

    @Test("What is on the wire or not durable is carried in the next round, what ended not at all")
    func notCarried() throws {
        let rig = Rig()
        rig.accept()
        let handover = try #require(rig.hand())
        let ending = rig.accept(validity: 5)
        rig.newSegment()
        var cursor: UInt32 = 0
        let found = rig.engine.carryCandidates(upTo: 1, limit: 10, cursor: &cursor)
        #expect(found.count == 1 && cursor == 0)
        let again = rig.engine.carryCandidates(upTo: 1, limit: 10, cursor: &cursor)
        #expect(again.isEmpty, "asked for once")
        rig.pass(seconds: 6)
        rig.step { $0.engine.tick(&$0.turn) }
        let items = found.map { (slot: $0.slot, sealed: rig.sealed($0.position), keyID: UInt32(1)) } + [(handover.slot, [1], 1)]
        let records = rig.step { $0.engine.carry(items + [(SlotReference(index: 0, generation: 99), nil, 0)], orphansUpTo: 0, &$0.turn) }
        #expect(records.isEmpty && rig.fate(ending) == "expired not_sent_in_time")
    }

    @Test("A payload that cannot be read is an end with that reason, when carried and when loaded")
    func damaged() throws {
        let rig = Rig()
        let id = rig.accept()
        rig.newSegment()
        rig.carry(upTo: 1, damaged: true)
        #expect(rig.fate(id) == "failed payload_lost")
        let other = Rig()
        let lost = other.accept()
        let ended = other.accept(validity: 5)
        other.restart(clean: true)
        #expect(other.hand() == nil && other.engine.wanted.count == 2)
        other.tick(seconds: 6)
        #expect(other.fate(ended) == "expired not_sent_in_time")
        other.load(true)
        #expect(other.fate(lost) == "failed payload_lost")
        other.commit()
        #expect(other.hand() == nil && other.engine.slots.count == 0)
    }

    @Test("A message whose customer was erased is cancelled with that reason; one that a provider has in part fails with it")
    func erased() throws {
        let rig = Rig()
        let id = rig.accept()
        rig.restart(clean: true)
        #expect(rig.hand() == nil)
        rig.load(erased: true)
        #expect(rig.fate(id) == "cancelled customer_erased")
        rig.commit()
        #expect(rig.hand() == nil && rig.engine.slots.count == 0)
        let other = Rig()
        let begun = other.accept(parts: 2)
        let handover = try #require(other.hand())
        other.answer(handover, part: 0, .accepted(providerID: "a"))
        other.answer(handover, part: 1, .throttled(status: 88))
        other.commit()
        other.restart(clean: true)
        other.pass(seconds: 60)
        other.tick(seconds: 60)
        #expect(other.hand() == nil)
        other.load(erased: true)
        #expect(other.fate(begun) == "failed customer_erased")
    }

    @Test("Payloads that only the log holds are read in batches and the order stays")
    func loading() throws {
        let rig = Rig { $0.ring = 1024 }
        let ids = (0..<600).map { _ in rig.accept(.service) }
        rig.restart(clean: true)
        var order: [MessageID] = []
        var rounds = 0
        while order.count < 600, rounds < 2000 {
            rounds += 1
            while let handover = rig.hand() {
                order.append(handover.id)
                rig.answer(handover, .accepted(providerID: "p\(order.count)"))
            }
            rig.load()
            rig.commit()
        }
        #expect(order == ids)
        #expect(rounds < 600)
    }

    @Test("A message that ends in a loading list or behind one is freed at once")
    func endedWhileLoading() {
        let rig = Rig()
        for _ in 0..<300 { rig.accept(.service, validity: 5) }
        rig.restart(clean: true)
        #expect(rig.hand() == nil)
        let slots = rig.engine.takeWanted()
        #expect(slots.count == 256)
        rig.tick(seconds: 6)
        #expect(rig.engine.openCount == 0 && rig.engine.slots.count == 0 && rig.engine.queued(1) == 0)
        rig.step { $0.engine.loaded(slots.map { ($0.slot, .lost) } + [(SlotReference(index: 1, generation: 77), .lost)], &$0.turn) }
        #expect(rig.hand() == nil && rig.engine.slots.count == 0)
    }

    @Test("When the first of a loading list ends before its payload is there, those behind it go on")
    func endedInFrontOfLoading() throws {
        let rig = Rig()
        rig.accept(.service, validity: 5)
        rig.restart(clean: true)
        let behind = rig.accept(.service)
        #expect(rig.hand() == nil)
        let slots = rig.engine.takeWanted()
        #expect(slots.count == 1)
        rig.tick(seconds: 6)
        #expect(rig.hand()?.id == behind)
        rig.step { $0.engine.loaded(slots.map { ($0.slot, .lost) }, &$0.turn) }
        #expect(rig.engine.openCount == 1)
    }

    @Test("A payload carried forward while it was being read from a segment that went is asked for again")
    func movedWhileLoading() throws {
        let rig = Rig()
        let id = rig.accept(.service)
        rig.newSegment()
        rig.restart(clean: true)
        #expect(rig.hand() == nil)
        let wanted = rig.engine.takeWanted()
        rig.carry(upTo: 1)
        rig.commit()
        rig.step { $0.engine.loaded(wanted.map { ($0.slot, .lost) }, &$0.turn) }
        #expect(rig.hand() == nil && rig.fate(id) == "queued")
        rig.load()
        #expect(rig.hand()?.id == id)
    }

    @Test("Records of an unknown class or an id that is not open change nothing")
    func strange() {
        let rig = Rig()
        var header = RecordHeader(kind: .accepted, messageClass: 99, parts: 1, id: MessageID(high: 5, low: 5), at: 0)
        #expect(rig.engine.apply(Record(header: header, body: .accepted(.init(receivedAt: 0))), at: 0, rig.now) == nil)
        header.kind = .ended
        #expect(rig.engine.apply(Record(header: header, body: .ended(.init(state: .failed, reason: .refused))), at: 0, rig.now) == nil)
        let carried = RecordBody.Carried(
            state: .queued, attempts: 0, resends: 0, strikes: 0, answeredParts: 0, deliveredParts: 0, failedParts: 0, unknownParts: 0,
            partsReference: 0, notBefore: 0, order: 0, providerKeys: [])
        #expect(
            rig.engine.apply(Record(header: header, body: .carried(carried)), at: 0, rig.now) == nil,
            "only a replay makes a message of a copy")
        #expect(rig.engine.openCount == 0)
    }

    @Test("Nothing goes before the end of what stood first is durable: a crash between them would leave a duplicate unflagged")
    func endedInFront() throws {
        let rig = Rig { $0.creditByGroup = [1: 1] }
        let first = rig.accept(source: 3)
        let second = rig.accept(source: 3)
        rig.step { _ = $0.engine.cancel(first, source: 3, &$0.turn) }
        #expect(rig.hand() == nil)
        rig.commit()
        #expect(rig.hand()?.id == second)
        // The process dies with the second one on the wire.
        let records = rig.restart()
        #expect(records.contains { $0.header.id == second && $0.header.kind == .resumed })
    }
}

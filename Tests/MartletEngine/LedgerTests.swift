import MartletModel
import Testing

@testable import MartletEngine

@Suite("Ledger and limits")
struct LedgerTests {
    private func statements(_ records: [Record]) -> [SourceNumber: RecordBody.Ledger] {
        var found: [SourceNumber: RecordBody.Ledger] = [:]
        for record in records { if case .ledger(let it) = record.body { found[record.header.source] = it } }
        return found
    }

    @Test("Accepted, ended and open are counted by source, and a restart counts the same from the log")
    func sums() throws {
        let rig = Rig()
        rig.accept(parts: 2, source: 3)
        rig.accept(source: 3)
        let other = rig.accept(source: 9)
        rig.answer(try #require(rig.next()), .refused(status: 1))
        rig.step { _ = $0.engine.cancel(other, source: 9, &$0.turn) }
        rig.commit()
        func check() {
            #expect(rig.engine.ledger.sources == [3, 9])
            let (three, nine) = (rig.engine.ledger[3], rig.engine.ledger[9])
            #expect(three.accepted == 2 && three.ended + UInt64(three.open) == 2 && three.drift == 0)
            #expect(nine.accepted == 1 && nine.ended == 1 && nine.open == 0 && nine.drift == 0)
            #expect(rig.engine.today(3, rig.now) == (2, 3))
            #expect(rig.engine.today(9, rig.now) == (1, 1))
            #expect(rig.engine.ledger[77].accepted == 0)
        }
        check()
        rig.restart()
        check()
    }

    @Test("Sums outlive the records they were counted from: before a segment goes they are stated anew, ends and all")
    func trims() throws {
        let rig = Rig()
        let first = rig.accept(.service, source: 3)
        rig.accept(.service, source: 3)
        rig.newSegment()
        // The mark stands before the end: the end of a message whose acceptance is gone counts by its flag.
        rig.carry(upTo: 1)
        rig.commit()
        rig.step { _ = $0.engine.cancel(first, source: 3, &$0.turn) }
        rig.commit()
        rig.restart(clean: true, before: 2)
        #expect(rig.engine.ledger[3].accepted == 2 && rig.engine.ledger[3].ended == 1 && rig.engine.ledger[3].open == 1)
        #expect(rig.engine.today(3, rig.now) == (2, 2))
        #expect(rig.engine.ledger[3].drift == 0)
        let again = rig.step { $0.engine.stateLedgers(&$0.turn) }
        #expect(statements(again)[3]?.ended == 1)
        #expect(rig.step { $0.engine.stateLedgers(&$0.turn) }.isEmpty, "nothing happened since")
    }

    @Test("A log that lost an acceptance or an end does not add up at the next start, and says by how much")
    func damage() throws {
        let rig = Rig()
        rig.accept(source: 3)
        let second = rig.accept(source: 3)
        rig.accept(source: 4)
        rig.step { _ = $0.engine.cancel(second, source: 3, &$0.turn) }
        rig.step { $0.engine.stateLedgers(&$0.turn) }
        rig.commit()
        let whole = rig.log
        func drop(_ kind: RecordKind) {
            if let place = rig.log.firstIndex(where: { $0.bytes[0] == kind.rawValue }) { rig.log.remove(at: place) }
        }
        drop(.accepted)
        rig.restart(clean: true)
        #expect(rig.engine.ledger[3].drift == 1, "one message went without an end")
        #expect(rig.engine.ledger[4].drift == 0)
        rig.log = whole
        drop(.ended)
        rig.restart(clean: true)
        #expect(rig.engine.ledger[3].drift == -1, "one ended that is open again")
    }

    @Test("The count of the table is exact although messages come and go while it goes on, and finds a sum that is wrong")
    func count() throws {
        let rig = Rig()
        for _ in 0..<9000 { rig.accept(.marketing, validity: 500, source: 3) }
        let rounds = rig.engine.ledger.rounds
        rig.tick(seconds: 0.1)
        #expect(rig.engine.ledger.rounds == rounds, "the table is larger than one step")
        // Below the place that the count has reached, and above it.
        while let handover = rig.next() { if rig.answer(handover, .refused(status: 1)).isEmpty { break } else { rig.commit() } }
        for _ in 0..<100 { rig.accept(.marketing, source: 3) }
        rig.tick(seconds: 0.1)
        #expect(rig.engine.ledger.rounds == rounds + 1 && rig.engine.ledger[3].miscount == 0)
        rig.engine.ledger.came(3, 0)
        for _ in 0..<4 { rig.tick(seconds: 0.1) }
        #expect(rig.engine.ledger[3].miscount == 1 && rig.engine.ledger[3].drift == -1)
    }

    @Test("A quota of 100 parts takes exactly 100; codes go beyond it; the next day begins anew, where the setting says")
    func quota() {
        let rig = Rig { $0.dayBegins = 3_600_000_000 }
        rig.engine.set(limits: [3: SourceLimits(dailyQuota: 100)], rig.now)
        func take(_ count: Int, _ messageClass: MessageClass = .service, parts: Int = 1) -> (taken: Int, last: Refusal?) {
            var (taken, last) = (0, Refusal?.none)
            for _ in 0..<count {
                switch rig.verdict(messageClass, parts: parts, source: 3) {
                case .accepted: taken += 1
                case .refused(let refusal): last = refusal
                }
            }
            rig.commit()
            return (taken, last)
        }
        #expect(take(40, parts: 2).taken == 40)
        let (taken, last) = take(200)
        #expect(taken == 20)
        // 14:13:20 on that day in UTC; the day ends at 1:00.
        #expect(last == .quotaUsedUp(retryAfterSeconds: 10 * 3600 + 46 * 60 + 40))
        #expect(take(3, .otp).taken == 3 && take(1, .security).taken == 1 && take(1, .marketing).taken == 0)
        #expect(rig.engine.today(3, rig.now).parts == 104)
        rig.restart(clean: true)
        #expect(rig.engine.limits(3) == SourceLimits())
        rig.engine.set(limits: [3: SourceLimits(dailyQuota: 100)], rig.now)
        #expect(rig.engine.limits(3).dailyQuota == 100 && rig.engine.limits(4).dailyQuota == 0)
        #expect(take(1).taken == 0)
        rig.newSegment()
        rig.carry(upTo: 1)
        rig.commit()
        rig.restart(clean: true, before: 2)
        rig.engine.set(limits: [3: SourceLimits(dailyQuota: 100)], rig.now)
        #expect(take(1).taken == 0, "what is used survives a trim")
        rig.pass(seconds: 11 * 3600)
        #expect(take(200).taken == 100)
        // A clock that is set back over midnight gives nobody the parts again; one that is days off must not bar for days.
        rig.pass(seconds: 0, wall: -3600)
        #expect(take(1).taken == 0)
        rig.pass(seconds: 0, wall: -3 * 86_400)
        #expect(take(1).taken == 1)
        #expect(Ledger.day(-1, 0) == -1 && Ledger.day(0, 0) == 0 && Ledger.day(0, 1) == -1)
    }

    @Test("A rate lets a burst through, then parts at its pace; security messages and codes have the same again")
    func rate() {
        let rig = Rig()
        rig.engine.set(limits: [3: SourceLimits(rate: 10, burst: 5), 1: SourceLimits(rate: 0, burst: 7)], rig.now)
        func taken(_ count: Int, _ messageClass: MessageClass = .service, parts: Int = 1) -> Int {
            (0..<count).count { _ in
                if case .accepted = rig.verdict(messageClass, parts: parts, source: 3) { true } else { false }
            }
        }
        #expect(taken(20) == 5)
        #expect(taken(20, .otp) == 5)
        guard case .refused(.rateLimited(1)) = rig.verdict(.service, source: 3) else { Issue.record("no wait is told"); return }
        rig.pass(seconds: 0.2)
        #expect(taken(20) == 2)
        // Of more parts than the burst: goes when nothing is taken ahead, and what follows pays for it.
        rig.pass(seconds: 10)
        #expect(taken(2, parts: 8) == 1)
        guard case .refused(.rateLimited(let wait)) = rig.verdict(.service, source: 3) else { Issue.record("not limited"); return }
        #expect(wait == 1)
        rig.pass(seconds: 0.39)
        #expect(taken(1) == 0)
        rig.pass(seconds: 0.02)
        #expect(taken(2) == 1)
        #expect(taken(1) == 0)
        if case .refused = rig.verdict(.service, source: 1) { Issue.record("a source without a rate is limited") }
        if case .refused = rig.verdict(.service, source: 50) { Issue.record("an unknown source is limited") }
    }

    @Test("Neither a restart nor a change of its limits gives a source a second burst; one that was silent has its own")
    func rateOverRestart() {
        let rig = Rig()
        let limits: [SourceNumber: SourceLimits] = [3: SourceLimits(rate: 10)]
        func taken() -> Int {
            (0..<20).count { _ in if case .accepted = rig.verdict(.service, source: 3) { true } else { false } }
        }
        rig.engine.set(limits: limits, rig.now)
        #expect(taken() == 10)
        rig.engine.set(limits: [3: SourceLimits(rate: 10, burst: 20)], rig.now)
        #expect(taken() == 10, "the larger burst, less what was taken of the smaller")
        rig.engine.set(limits: limits, rig.now)
        #expect(taken() == 0)
        rig.commit()
        rig.restart(after: 0.5)
        rig.engine.set(limits: limits, rig.now)
        #expect(taken() == 0)
        rig.pass(seconds: 0.5)
        #expect(taken() == 5)
        rig.commit()
        rig.restart(after: 5)
        rig.engine.set(limits: limits, rig.now)
        #expect(taken() == 10)
        rig.engine.set(limits: [:], rig.now)
        #expect(taken() == 20)
    }
}

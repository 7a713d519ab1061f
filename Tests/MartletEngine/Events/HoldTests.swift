import MartletModel
import Testing

@testable import MartletEngine

@Suite("Events held")
struct HoldTests {
    /// Seconds from the rig's beginning to the end of the quiet hours.
    private static let wait: Double = 2800

    @Test("What must not disturb now waits for its hour, is decided anew, and goes then")
    func held() throws {
        let bank = EventRig()
        guard case .accepted(let id, 0) = bank.verdict(EventBank.news, "Sale") else { return #expect(Bool(false)) }
        bank.rig.commit()
        #expect(bank.fate(id) == "planned" && bank.opened.isEmpty && !bank.rig.hasWork)
        let first = try #require(bank.decided(id))
        #expect(first.outcome == .held && first.until == EventBank.quietUntil && first.counters.isEmpty)
        #expect(bank.payload(id)?.message.to.digits == 0 && bank.payload(id)?.happened.values == [.init("shop", .text("Sale"))])
        bank.rig.tick(seconds: HoldTests.wait - 1)
        #expect(bank.rig.engine.decisionsWaiting == 0 && bank.decideDue().isEmpty)
        bank.rig.tick(seconds: 1.2)
        #expect(bank.rig.engine.decisionsWaiting == 1)
        let records = bank.decideDue()
        #expect(records.count == 1 && bank.rig.engine.decisionsWaiting == 0)
        let second = try #require(bank.decided(id))
        #expect(second.stage == .release && second.outcome == .told && second.step == 0 && second.receivedAt == 0)
        #expect(bank.rig.hand() == nil, "it leaves when its decision is durable")
        bank.rig.commit()
        let handover = try #require(bank.rig.hand())
        #expect(handover.id == id && handover.text == "news Sale for Ada" && handover.from == "Bank")
        bank.rig.answer(handover, .accepted(providerID: "a1"))
        bank.rig.commit()
        bank.rig.hear("a1", .delivered)
        bank.rig.commit()
        #expect(bank.fate(id) == "delivered" && bank.rig.engine.openCount == 0)
        let ledger = bank.rig.engine.ledger[1]
        #expect(ledger.accepted == 1 && ledger.ended == 1 && ledger.drift == 0)
    }

    @Test("The customer of then is asked: who moved, opted out or was erased meanwhile is told accordingly")
    func anew() throws {
        let bank = EventRig()
        bank.customers.add(13, phone: 447_700_900_013)
        bank.customers.add(14, phone: 447_700_900_014)
        let ids = [11, 13, 14].map { bank.accept(EventBank.news, to: $0) }
        bank.customers.all[11]?.details.addresses = [.init(number: 1, value: .phone(337_700_900_099))]
        bank.customers.all[13]?.customer.preferences = Preferences(at: 1, mutedEventTypes: [3])
        bank.customers.erased = [14]
        bank.rig.tick(seconds: HoldTests.wait + 1)
        bank.decideDue()
        bank.rig.commit()
        #expect(bank.rig.hand(2)?.to.digits == 337_700_900_099)
        #expect(bank.decided(ids[0])?.stage == .release)
        #expect(bank.fate(ids[1]) == "suppressed opted_out" && bank.fate(ids[2]) == "cancelled customer_erased")
        #expect(bank.rig.engine.openCount == 1 && bank.rig.engine.ledger[1].drift == 0)
    }

    @Test("Held over a restart, it keeps its hour; one whose hour passed meanwhile is due at once", arguments: [10.0, 4000.0])
    func restart(away: Double) throws {
        let bank = EventRig()
        let id = bank.accept(EventBank.news, "Sale")
        let before = try #require(bank.rig.slot(id))
        bank.restart(after: away)
        bank.rig.commit()
        let slot = try #require(bank.rig.slot(id))
        #expect(slot.state == .planned && slot.payloadAt == before.payloadAt && slot.role == .isEvent)
        #expect(bank.rig.engine.decisionsWaiting == (away > HoldTests.wait ? 1 : 0))
        if away < HoldTests.wait {
            bank.rig.tick(seconds: HoldTests.wait - away - 1.1)
            #expect(bank.rig.engine.decisionsWaiting == 0)
            bank.rig.tick(seconds: 1.5)
        }
        bank.decideDue()
        bank.rig.commit()
        #expect(bank.rig.next()?.text == "news Sale for Ada")
        // And once more, when it is queued.
        bank.restart()
        bank.rig.commit()
        #expect(bank.rig.slot(id)?.state == .queued && bank.rig.next()?.text == "news Sale for Ada")
    }

    @Test("A crash between the decision and the disk decides again, once")
    func crash() throws {
        let bank = EventRig()
        let id = bank.accept(EventBank.news, "Sale")
        bank.rig.tick(seconds: HoldTests.wait + 1)
        bank.decideDue()
        bank.restart()
        bank.rig.commit()
        #expect(bank.rig.slot(id)?.state == .planned && bank.rig.engine.decisionsWaiting == 1)
        #expect(bank.decideDue().count == 1)
        bank.rig.commit()
        #expect(bank.rig.next()?.id == id && bank.decideDue().isEmpty)
    }

    @Test("A rulebook of then decides: the event may be taken out, be quiet for longer, or be for nobody")
    func release() {
        let bank = EventRig()
        let ids = [bank.accept(EventBank.news), bank.accept(EventBank.order)]
        bank.book = EventBank.book(8) { rules in
            rules.events.removeAll { $0.number == EventBank.news }
            rules.quietHours[0].windows = [.init(from: 780, until: 960)]
        }
        bank.rig.tick(seconds: HoldTests.wait + 1)
        bank.decideDue()
        bank.rig.commit()
        #expect(bank.fate(ids[0]) == "suppressed unpublished")
        #expect(bank.decided(ids[1])?.outcome == .held && bank.decided(ids[1])?.until == EventBank.quietUntil + 3_600_000)
        #expect(bank.decided(ids[1])?.release == 8)
        bank.restart()
        bank.rig.commit()
        bank.rig.tick(seconds: 3600)
        bank.decideDue()
        bank.rig.commit()
        #expect(bank.rig.next()?.id == ids[1])
    }

    @Test("Without a rulebook what is due waits, until its deadline ends it")
    func noBook() {
        let bank = EventRig()
        let id = bank.accept(EventBank.news, wish: .init(deadline: 3000))
        bank.book = nil
        bank.rig.tick(seconds: HoldTests.wait + 1)
        #expect(bank.decideDue().isEmpty && bank.rig.engine.decisionsWaiting == 1)
        bank.rig.tick(seconds: 250)
        #expect(bank.fate(id) == "expired not_sent_in_time")
        bank.book = EventBank.book()
        #expect(bank.decideDue().isEmpty && bank.rig.engine.decisionsWaiting == 0)
    }

    @Test("Copied forward while it is held, and while it is being decided, it comes to the same")
    func carried() throws {
        let bank = EventRig()
        let id = bank.accept(EventBank.news, "Sale")
        bank.rig.newSegment()
        bank.rig.carry(upTo: 1)
        bank.rig.commit()
        #expect(bank.rig.slot(id)?.segment == 2)
        bank.restart(before: 2)
        bank.rig.commit()
        #expect(bank.rig.slot(id)?.state == .planned && bank.rig.slot(id)?.role == .isEvent)
        #expect(bank.rig.engine.decisionsWaiting == 0, "it keeps its hour")
        bank.rig.tick(seconds: HoldTests.wait + 1)
        let due = bank.rig.engine.takeDecisions(limit: 1)
        #expect(due.count == 1)
        let payload = try #require(bank.payload(at: due[0].position))
        // A copy forward began before the payload came.
        bank.rig.newSegment()
        var cursor: UInt32 = 0
        let candidates = bank.rig.engine.carryCandidates(upTo: 2, limit: 10, cursor: &cursor)
        #expect(candidates.count == 1)
        bank.rig.step { rig in
            rig.engine.decide(due[0].slot, payload, bank.customers.all[11]?.customer, opening: bank.customers.details, &rig.turn)
        }
        #expect(bank.rig.engine.decisionsWaiting == 1 && bank.rig.open.isEmpty)
        bank.rig.step { rig in
            rig.engine.carry(
                candidates.map { (slot: $0.slot, sealed: rig.sealed($0.position), keyID: 0) }, orphansUpTo: 2, &rig.turn)
        }
        bank.decideDue()
        bank.rig.commit()
        bank.decideDue()
        bank.rig.commit()
        #expect(bank.rig.next()?.text == "news Sale for Ada")
        bank.restart(before: 3)
        bank.rig.commit()
        #expect(bank.rig.next()?.text == "news Sale for Ada")
    }

    @Test("The record of its release stands for the whole of it, once the first one is trimmed", arguments: [true, false])
    func trimmed(isTold: Bool) throws {
        let bank = EventRig()
        let id = bank.accept(EventBank.order, wish: .init(knownAs: 9, tells: .failed))
        bank.rig.newSegment()
        if !isTold { bank.customers.all[11]?.customer.preferences = Preferences(at: 1, mutedEventTypes: [3]) }
        bank.rig.tick(seconds: HoldTests.wait + 1)
        bank.decideDue()
        bank.rig.commit()
        #expect(bank.rig.engine.livePerSegment[1] == 2, "its mark and the anchor of its source's sums, and no payload")
        let live = try #require(bank.rig.slot(id))
        bank.restart(before: 2)
        bank.rig.commit()
        let slot = try #require(bank.rig.slot(id))
        #expect(slot.state == live.state && slot.reason == live.reason && slot.payloadAt == live.payloadAt)
        #expect(slot.partsReference == live.partsReference && slot.role == live.role)
        #expect(slot.flags.contains(.owed) == !isTold && bank.rig.engine.known.count == (isTold ? 1 : 0))
        if isTold { #expect(bank.rig.next()?.text == "order Books for Ada") }
    }

    @Test("A payload that moved while it was being read is asked for again; one that is lost ends the message")
    func lost() throws {
        let bank = EventRig()
        let id = bank.accept(EventBank.news)
        bank.rig.tick(seconds: HoldTests.wait + 1)
        let due = bank.rig.engine.takeDecisions(limit: 1)
        bank.rig.newSegment()
        bank.rig.carry(upTo: 1)
        bank.rig.step { $0.engine.undecidable(due[0].slot, .lost, &$0.turn) }
        bank.rig.commit()
        #expect(bank.fate(id) == "planned" && bank.rig.engine.decisionsWaiting == 1)
        bank.decideDue(lost: true)
        bank.rig.commit()
        #expect(bank.fate(id) == "failed payload_lost" && bank.rig.engine.openCount == 0)
        // What was answered before is answered once.
        bank.rig.step { $0.engine.undecidable(due[0].slot, .lost, &$0.turn) }
        #expect(bank.rig.open.isEmpty)
    }

    @Test("Held or due, its source and an operator may take it back")
    func cancelled() {
        let bank = EventRig()
        let held = bank.accept(EventBank.news)
        let due = bank.accept(EventBank.order)
        bank.rig.step { #expect($0.engine.cancel(held, source: 1, &$0.turn) == .cancelled) }
        bank.rig.commit()
        bank.rig.tick(seconds: HoldTests.wait + 1)
        var tally = WaitingTally()
        var cursor: UInt32 = 0
        bank.rig.step { $0.engine.purge(Waiting(before: .max), &cursor, &tally, &$0.turn) }
        bank.rig.commit()
        #expect(bank.fate(held) == "cancelled cancelled_by_source" && bank.fate(due) == "cancelled cancelled_by_operator")
        #expect(tally.messages == 1 && bank.decideDue().isEmpty && bank.rig.engine.openCount == 0)
    }

    @Test("A thousand that come due at once are decided in their order, as many at a time as are asked for")
    func burst() {
        let bank = EventRig()
        let ids = (0..<300).map { _ in bank.accept(EventBank.news) }
        bank.rig.tick(seconds: HoldTests.wait + 1)
        #expect(bank.rig.engine.decisionsWaiting == 300)
        var decided: [MessageID] = []
        for _ in 0..<3 {
            decided += bank.decideDue(limit: 100).map(\.header.id)
            bank.rig.commit()
        }
        #expect(decided.count == 300 && Set(decided) == Set(ids) && bank.rig.engine.decisionsWaiting == 0)
        #expect(bank.rig.engine.queued(1) == 300)
    }

    @Test("A secret waits with what is held, and goes from there when the text is written")
    func secret() throws {
        let bank = EventRig()
        bank.book = EventBank.book { $0.events[1].parameters[0].dataClass = .secret }
        let id = bank.accept(EventBank.news, "846213")
        #expect(bank.payload(id)?.happened.values.count == 1 && bank.decided(id)?.bits == [.hasSecret])
        bank.rig.tick(seconds: HoldTests.wait + 1)
        bank.decideDue()
        bank.rig.commit()
        #expect(bank.payload(id)?.happened.values.isEmpty == true && bank.decided(id)?.bits.contains(.hasSecret) == true)
        #expect(bank.rig.next()?.text == "news 846213 for Ada")
    }
}

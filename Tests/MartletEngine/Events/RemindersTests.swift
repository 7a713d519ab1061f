import Calendar
import MartletModel
import Testing

@testable import MartletEngine

@Suite("Reminders of what is to be done")
struct RemindersTests {
    private static let known: UInt64 = 77
    private static let wish = EventRig.Wish(knownAs: known, tells: [.delivered, .failed])
    private static let day: Double = 86_400

    /// A bill whose first message arrived, ten days before it is due.
    private func told(_ bank: EventRig) throws -> MessageID {
        let id = bank.accept(EventBank.bill, wish: RemindersTests.wish)
        try arrive(bank, id)
        return id
    }

    private func arrive(_ bank: EventRig, _ id: MessageID) throws {
        let handover = try #require(bank.rig.hand())
        #expect(handover.id == id && handover.text == "bill Books for Ada")
        let providerID = "a\(id.ordinal)"
        bank.rig.answer(handover, .accepted(providerID: providerID))
        bank.rig.commit()
        bank.rig.hear(providerID, .delivered)
        bank.rig.commit()
    }

    private func remind(_ bank: EventRig, _ id: MessageID, after seconds: Double) throws {
        bank.rig.tick(seconds: seconds - 1)
        #expect(bank.rig.engine.decisionsWaiting == 0)
        bank.rig.tick(seconds: 1.2)
        bank.decideDue()
        bank.rig.commit()
        #expect(bank.decided(id)?.stage == .reminder)
        try arrive(bank, id)
    }

    @Test("Who has read it is reminded until it is due; then it is called delivered")
    func all() throws {
        let bank = EventRig()
        let id = try told(bank)
        let it = try #require(bank.decided(id))
        #expect(it.planned == 0 && it.reminder == .init(ordinal: 2, at: EventBank.due / 1000 - 172_800_000, due: EventBank.due / 1000))
        #expect(bank.fate(id) == "planned" && bank.rig.engine.owedTotal == 0)
        #expect(bank.rig.slot(id)?.role.isSuperset(of: [.untilDone, .ownOver, .isMet]) == true)
        try remind(bank, id.with(ordinal: 2), after: 8 * RemindersTests.day)
        #expect(bank.decided(id.with(ordinal: 2))?.reminder?.ordinal == 3 && bank.fate(id) == "planned")
        #expect(bank.decided(id.with(ordinal: 2))?.counters.isEmpty == true)
        #expect(bank.rig.slot(id.with(ordinal: 2)) == nil)
        bank.restart()
        bank.rig.commit()
        try remind(bank, id.with(ordinal: 3), after: RemindersTests.day - 1.2)
        #expect(bank.decided(id.with(ordinal: 3))?.reminder == nil)
        #expect(bank.fate(id) == "delivered" && bank.rig.engine.owedTotal == 1 && bank.rig.engine.openCount == 0)
        #expect(bank.rig.engine.ledger[1].accepted == 1 && bank.rig.engine.ledger[1].drift == 0)
    }

    @Test("What was done is not reminded of: the notification ends, over restarts and trims", arguments: [false, true])
    func done(restarts: Bool) throws {
        let bank = EventRig()
        let id = try told(bank)
        if restarts {
            bank.rig.newSegment()
            bank.rig.carry(upTo: 1)
            bank.rig.commit()
            bank.restart(before: 2)
            bank.rig.commit()
            #expect(bank.rig.slot(id.with(ordinal: 2))?.role == [.isEvent, .untilDone] && bank.rig.engine.known.count == 1)
        }
        bank.accept(EventBank.paid, wish: .init(ends: RemindersTests.known))
        #expect(bank.fate(id) == "cancelled completed" && bank.rig.slot(id.with(ordinal: 2)) == nil || restarts)
        #expect(bank.fate(id) == "cancelled completed" && bank.rig.engine.known.isEmpty)
        bank.rig.tick(seconds: 9 * RemindersTests.day)
        #expect(bank.decideDue().isEmpty)
    }

    @Test("Done before the first message left it is not told at all; done while that is on its way, only the rest is dropped")
    func early() throws {
        let bank = EventRig()
        let id = bank.accept(EventBank.bill, wish: RemindersTests.wish)
        bank.accept(EventBank.paid, wish: .init(ends: RemindersTests.known))
        #expect(bank.fate(id) == "cancelled completed")
        let other = EventRig()
        let late = other.accept(EventBank.bill, wish: RemindersTests.wish)
        other.rig.answer(try #require(other.rig.hand()), .accepted(providerID: "a0"))
        other.rig.commit()
        other.accept(EventBank.paid, wish: .init(ends: RemindersTests.known))
        #expect(other.fate(late) == "sent" && other.fate(late.with(ordinal: 2)) == "cancelled completed")
        other.rig.hear("a0", .delivered)
        other.rig.commit()
        #expect(other.fate(late) == "delivered")
    }

    @Test("A first message that fails leaves its reminders; the notification ends with the last one's reason, or delivered")
    func failed() throws {
        let bank = EventRig()
        let id = bank.accept(EventBank.bill, wish: RemindersTests.wish)
        bank.rig.answer(try #require(bank.rig.hand()), .refused(status: 0x0B))
        bank.rig.commit()
        #expect(bank.fate(id) == "planned refused" && bank.rig.engine.decisionsWaiting == 0, "a reminder keeps its time")
        bank.rig.tick(seconds: 8 * RemindersTests.day + 1)
        // Not told any more: the next is asked for itself.
        bank.customers.all[11]?.customer.contacts[0].isDead = true
        bank.decideDue()
        bank.rig.commit()
        #expect(bank.fate(id.with(ordinal: 2)) == "suppressed address_suppressed" && bank.fate(id) == "planned refused")
        #expect(bank.decided(id.with(ordinal: 2))?.reminder?.ordinal == 3)
        bank.restart()
        bank.rig.commit()
        bank.rig.tick(seconds: RemindersTests.day)
        bank.decideDue()
        bank.rig.commit()
        #expect(bank.fate(id) == "failed refused" && bank.rig.engine.openCount == 0 && bank.rig.engine.ledger[1].drift == 0)
    }

    @Test("With steps besides: what arrives ends the steps and not the reminders")
    func steps() throws {
        let bank = EventRig()
        bank.book = EventBank.book { $0.events[8].plan = 2 }
        let id = bank.accept(EventBank.bill, wish: RemindersTests.wish)
        #expect(bank.decided(id)?.planned == 2 && bank.decided(id)?.reminder?.ordinal == 3 && bank.rig.slot(id)?.openMembers == 2)
        bank.rig.answer(try #require(bank.rig.hand(2)), .accepted(providerID: "q1"))
        bank.rig.commit()
        bank.rig.hear("q1", .delivered, group: 2)
        bank.rig.commit()
        #expect(bank.fate(id.with(ordinal: 2)) == "cancelled not_needed" && bank.fate(id) == "planned")
        #expect(bank.rig.slot(id.with(ordinal: 3))?.state == .planned && bank.rig.slot(id)?.openMembers == 1)
        // Its source takes the reminder back: nothing is left to tell.
        bank.rig.step { #expect($0.engine.cancel(id, source: 1, &$0.turn) == .tooLate) }
        bank.rig.commit()
        #expect(bank.fate(id.with(ordinal: 3)) == "cancelled cancelled_by_source" && bank.fate(id) == "delivered")
    }

    /// At most one thing to do a day.
    private func capped() -> EventRig {
        let bank = EventRig()
        bank.book = EventBank.book { $0.caps = [FrequencyCap(key: "duties", classes: ClassSet(.actionRequired), most: 1, within: 86_400)] }
        return bank
    }

    @Test("What is held back by something that passes is reminded of all the same, over restarts and trims", arguments: [false, true])
    func suppressed(trims: Bool) throws {
        let bank = capped()
        bank.accept(EventBank.bill)
        let id = bank.accept(EventBank.bill, wish: RemindersTests.wish)
        #expect(bank.decided(id)?.reason == .capReached && bank.decided(id)?.reminder?.ordinal == 2)
        #expect(bank.fate(id) == "planned cap_reached" && bank.rig.engine.owedTotal == 0 && bank.rig.engine.known.count == 1)
        bank.restart()
        bank.rig.commit()
        if trims {
            bank.rig.newSegment()
            bank.rig.carry(upTo: 1)
            bank.rig.commit()
            bank.restart(before: 2)
            bank.rig.commit()
        }
        #expect(bank.fate(id) == "planned cap_reached" && bank.rig.engine.known.count == 1)
        let source = bank.rig.engine.ledger[1]
        #expect(source.open == 2 && source.drift == 0)
        bank.accept(EventBank.paid, wish: .init(ends: RemindersTests.known))
        #expect(bank.fate(id) == "cancelled completed" && bank.fate(id.with(ordinal: 2)) != "planned")
    }

    @Test("The reminder of what was not told itself tells it; none that can is the end, with the first one's reason")
    func suppressedFirst() throws {
        let bank = EventRig()
        bank.customers.all[11]?.customer.contacts[0].isDead = true
        let id = bank.accept(EventBank.bill, wish: RemindersTests.wish)
        bank.customers.all[12]?.customer.contacts[0].isDead = true
        let never = bank.accept(EventBank.bill, to: 12, wish: .init(tells: [.failed]))
        #expect(bank.fate(id) == "planned address_suppressed" && bank.fate(never) == "planned address_suppressed")
        bank.customers.all[11]?.customer.contacts[0].isDead = false
        bank.rig.tick(seconds: 8 * RemindersTests.day + 1)
        bank.decideDue()
        bank.rig.commit()
        try arrive(bank, id.with(ordinal: 2))
        bank.customers.all[11]?.customer.contacts[0].isDead = true
        bank.rig.tick(seconds: RemindersTests.day)
        bank.decideDue()
        bank.rig.commit()
        #expect(bank.fate(id) == "delivered" && bank.fate(never) == "suppressed address_suppressed")
        #expect(bank.rig.engine.openCount == 0 && bank.rig.engine.ledger[1].drift == 0)
    }

    @Test(
        "A first message that was held, and past its deadline when the server came back, is told no more, and reminded of",
        arguments: [false, true])
    func heldPastDeadline(stopped: Bool) throws {
        let bank = EventRig()
        bank.book = EventBank.book { $0.quietHours[0].classes = ClassSet(.actionRequired) }
        var wish = RemindersTests.wish
        wish.deadline = 4000
        let id = bank.accept(EventBank.bill, wish: wish)
        #expect(bank.fate(id) == "planned" && bank.decided(id)?.outcome == .held)
        bank.rig.pass(seconds: 5000)
        if stopped {
            bank.restart()
            bank.rig.commit()
        }
        bank.rig.tick(seconds: 0.3)
        #expect(bank.rig.engine.decisionsWaiting == 1)
        bank.decideDue()
        bank.rig.commit()
        #expect(bank.decided(id)?.reason == .heldPastDeadline && bank.decided(id)?.reminder?.ordinal == 2)
        #expect(bank.fate(id) == "planned held_past_deadline")
        bank.rig.tick(seconds: 8 * RemindersTests.day)
        bank.decideDue()
        bank.rig.commit()
        try arrive(bank, id.with(ordinal: 2))
    }

    @Test("Held past its deadline without a rulebook, or unreadable, it ends all the same", arguments: [false, true])
    func undecided(unreadable: Bool) {
        let bank = EventRig()
        bank.book = EventBank.book { $0.quietHours[0].classes = ClassSet(.actionRequired) }
        let id = bank.accept(EventBank.bill, wish: .init(deadline: 4000))
        if !unreadable { bank.book = nil }
        bank.rig.pass(seconds: 5000)
        for _ in 0..<60 {
            bank.rig.tick(seconds: 0.3)
            guard unreadable else { continue }
            for item in bank.rig.engine.takeDecisions(limit: 9) { bank.rig.engine.putOff(decision: item.slot, bank.rig.now) }
        }
        bank.rig.commit()
        #expect(bank.fate(id) == "expired not_sent_in_time" && bank.rig.engine.openCount == 0)
    }

    @Test("What the customer does not want, or nobody is to be told, is not reminded of")
    func unwanted() {
        let bank = EventRig()
        #expect(bank.fate(bank.accept(EventBank.bill, wish: .init(occurred: -90_000))) == "suppressed stale")
        bank.customers.all[11]?.customer.preferences = Preferences(at: 1, mutedEventTypes: [3])
        #expect(bank.fate(bank.accept(EventBank.bill)) == "suppressed opted_out")
        #expect(bank.fate(bank.accept(EventBank.bill, to: 99)) == "suppressed unknown_customer")
        #expect(bank.rig.engine.openCount == 0)
        let may = SuppressionReason.allCases.filter(\.mayPass)
        #expect(may == [.addressSuppressed, .noContact, .channelForbidden, .capReached, .heldPastDeadline, .budget])
    }

    @Test("A reminder that is told takes from the caps, and gives back what nobody got")
    func caps() throws {
        let bank = capped()
        let id = bank.accept(EventBank.bill, wish: RemindersTests.wish)
        try arrive(bank, id)
        let second = id.with(ordinal: 2)
        bank.rig.tick(seconds: 8 * RemindersTests.day + 1)
        bank.decideDue()
        bank.rig.commit()
        #expect(bank.decided(second)?.counters.count == 1 && bank.rig.engine.capMoments.count == 1)
        #expect(bank.fate(bank.accept(EventBank.bill, wish: .init(occurred: -1))) == "planned cap_reached")
        bank.restart(clean: true)
        bank.rig.commit()
        #expect(bank.rig.engine.capMoments.count == 1)
        // Done before it left.
        bank.accept(EventBank.paid, wish: .init(ends: RemindersTests.known))
        #expect(bank.fate(second).hasPrefix("cancelled") && bank.rig.engine.capMoments.count == 0)
        #expect(bank.fate(bank.accept(EventBank.bill)) == "queued")
    }

    @Test("Reminders whose time has passed are left out; a day is due at its end, by the customer's clocks")
    func times() throws {
        let bank = EventRig()
        bank.rig.pass(seconds: 8.5 * RemindersTests.day)
        let id = bank.accept(EventBank.bill)
        #expect(bank.decided(id)?.reminder?.at == EventBank.due / 1000 - 86_400_000)
        bank.rig.pass(seconds: RemindersTests.day)
        #expect(bank.decided(bank.accept(EventBank.bill))?.reminder == nil)
        let end: Int64 = 20_001 * 86_400_000
        #expect(Engine.due(.date(20_000), in: .utc) == end)
        #expect(Engine.due(.instant(5_000_000, offset: 7200), in: .utc) == 5000 && Engine.due(.integer(1), in: .utc) == nil)
    }
}

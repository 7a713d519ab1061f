import MartletModel
import Testing

@testable import MartletEngine

@Suite("Steps of a plan")
struct StepsTests {
    private static let first = PhoneNumber(digits: 447_700_900_011)

    /// An alert whose first message is with the quiet provider.
    private func sent(_ bank: EventRig, wish: EventRig.Wish = .init(), _ outcome: Outcome = .accepted(providerID: "q1")) throws -> MessageID
    {
        let id = bank.accept(EventBank.alert, wish: wish)
        let handover = try #require(bank.rig.hand(2))
        bank.rig.answer(handover, outcome)
        bank.rig.commit()
        return id
    }

    /// The second message, when its turn has come.
    private func second(_ bank: EventRig, _ id: MessageID) throws -> Handover {
        bank.decideDue()
        bank.rig.commit()
        let handover = try #require(bank.rig.hand())
        #expect(handover.id == id.with(ordinal: 2) && handover.text == "alert Books for Ada" && handover.to == StepsTests.first)
        return handover
    }

    @Test("What is told plans its next step by the same record, over the route of each step")
    func planned() throws {
        let bank = EventRig()
        let id = bank.accept(EventBank.alert)
        let it = try #require(bank.decided(id))
        #expect(it.planned == 2 && it.until == bank.rig.now.wallMilliseconds + 30_000 && it.bits == [] && it.step == 0)
        #expect(it.messages.map(\.when) == [.now, .later])
        let head = try #require(bank.rig.slot(id))
        let member = try #require(bank.rig.slot(id.with(ordinal: 2)))
        #expect(head.group == 2 && head.lastOrdinal == 2 && head.openMembers == 1 && !head.isMember)
        #expect(member.state == .planned && member.isMember && member.step == 1 && member.payloadAt == head.payloadAt && member.last == 0)
        #expect(bank.rig.engine.openCount == 2 && bank.rig.engine.plannedCount == 1)
        #expect(bank.rig.engine.ledger[1].open == 1 && bank.rig.engine.ledger[1].accepted == 1)
        let plan = try #require(bank.book).rules.plans[2]
        let way = EventPayload.Plan.Way(channel: .sms, route: RecordBody.Counter.hash("quiet"))
        #expect(bank.payload(id)?.plan == EventPayload.Plan(key: plan.hash, told: ChannelSet(.sms), ways: [way]))
        #expect(MemoryLayout<Slot>.stride == 120)
    }

    @Test("A silent provider: after the wait the next step goes over the other route, flagged, and its delivery ends the notification")
    func silent() throws {
        let bank = EventRig()
        let id = try sent(bank, wish: .init(tells: [.delivered, .failed]))
        bank.rig.tick(seconds: 29)
        #expect(bank.rig.engine.decisionsWaiting == 0)
        bank.rig.tick(seconds: 1.2)
        #expect(bank.rig.engine.decisionsWaiting == 1)
        let handover = try second(bank, id)
        let it = try #require(bank.decided(id.with(ordinal: 2)))
        #expect(it.stage == .step && it.step == 1 && it.bits == [.noFurtherStep] && it.counters.isEmpty && it.receivedAt == 0)
        #expect(bank.rig.slot(id.with(ordinal: 2))?.role.contains(.anyLeft) == true)
        bank.rig.answer(handover, .accepted(providerID: "a1"))
        bank.rig.commit()
        let records = bank.rig.hear("a1", .delivered).records
        #expect(records.map(\.header.kind) == [.receipt, .ended] && records.map(\.header.id.ordinal) == [2, 0])
        #expect(records[0].header.flags.contains(.possibleDuplicate) && records[0].header.flags.contains(.ends))
        bank.rig.commit()
        #expect(bank.fate(id) == "delivered" && bank.fate(id.with(ordinal: 2)) == "delivered")
        #expect(bank.rig.engine.owed(1, room: 5).map(\.id) == [id] && bank.rig.engine.openCount == 0)
        let ledger = bank.rig.engine.ledger[1]
        #expect(ledger.accepted == 1 && ledger.ended == 1 && ledger.open == 0)
    }

    @Test("What arrives in time leaves nothing of its plan behind, over a restart and a trim too", arguments: [false, true])
    func inTime(restarts: Bool) throws {
        let bank = EventRig()
        let id = try sent(bank)
        if restarts {
            bank.restart()
            bank.rig.commit()
            #expect(bank.rig.slot(id.with(ordinal: 2))?.state == .planned && bank.rig.slot(id)?.openMembers == 1)
        }
        #expect(bank.rig.hear("q1", .delivered, group: 2).records.count == 1, "what only waited goes without a record")
        bank.rig.commit()
        #expect(bank.fate(id) == "delivered" && bank.rig.slot(id.with(ordinal: 2)) == nil)
        #expect(bank.rig.engine.openCount == 0 && bank.rig.engine.plannedCount == 0)
        bank.rig.tick(seconds: 60)
        #expect(bank.decideDue().isEmpty)
        bank.restart()
        bank.rig.commit()
        #expect(bank.rig.engine.openCount == 0 && bank.rig.engine.ledger[1].drift == 0)
    }

    @Test("A refusal makes the next step due at once; when that fails too, the notification ends with the last one's reason")
    func refused() throws {
        let bank = EventRig()
        let id = try sent(bank, wish: .init(tells: .failed), .refused(status: 0x0B))
        #expect(bank.fate(id) == "planned refused" && bank.rig.engine.decisionsWaiting == 1 && bank.rig.engine.owedTotal == 0)
        let handover = try second(bank, id)
        #expect(bank.rig.slot(id.with(ordinal: 2))?.role == [.isEvent], "the first did not arrive")
        bank.rig.answer(handover, .accepted(providerID: "a1"))
        bank.rig.commit()
        bank.rig.hear("a1", .expired)
        bank.rig.commit()
        #expect(bank.fate(id) == "expired undeliverable" && bank.fate(id.with(ordinal: 2)) == "expired undeliverable")
        #expect(bank.rig.engine.owed(1, room: 5).count == 1 && bank.rig.engine.openCount == 0 && bank.rig.engine.ledger[1].drift == 0)
    }

    @Test("A crash between the delivery and the end of its notification is made up for at the next start")
    func torn() throws {
        let bank = EventRig()
        let id = try sent(bank)
        bank.rig.tick(seconds: 31)
        bank.rig.answer(try second(bank, id), .accepted(providerID: "a1"))
        bank.rig.commit()
        bank.rig.hear("a1", .delivered)
        #expect(bank.rig.open.count == 2)
        let records = bank.crash(keeping: 1)
        #expect(records.filter { $0.header.kind == .ended }.map(\.header.id) == [id])
        bank.rig.commit()
        #expect(bank.fate(id) == "delivered" && bank.rig.engine.openCount == 0 && bank.rig.engine.ledger[1].drift == 0)
        #expect(bank.restart().allSatisfy { $0.header.kind != .ended })
    }

    @Test("So is one between the end of the last message and that of its notification, and between that and what is not needed any more")
    func tornEnds() throws {
        let bank = EventRig()
        let id = try sent(bank, .refused(status: 0x0B))
        bank.rig.answer(try second(bank, id), .refused(status: 0x45))
        #expect(bank.rig.open.count == 2)
        bank.crash(keeping: 1)
        bank.rig.commit()
        #expect(bank.fate(id) == "failed refused" && bank.rig.engine.openCount == 0)

        let other = EventRig()
        let late = try sent(other)
        other.rig.tick(seconds: 31)
        other.decideDue()
        other.rig.commit()
        let records = other.rig.hear("q1", .delivered, group: 2).records
        #expect(records.map(\.header.kind) == [.receipt, .ended] && records.map(\.header.id.ordinal) == [0, 2])
        #expect(other.rig.hand() == nil, "nothing goes from its queue before its end is durable")
        other.crash(keeping: 1)
        other.rig.commit()
        #expect(other.fate(late) == "delivered" && other.fate(late.with(ordinal: 2)) == "cancelled not_needed")
        #expect(other.rig.engine.openCount == 0 && other.rig.hand() == nil)
    }

    @Test("What is on the wire when another one arrives goes on and changes nothing; back in its queue it ends")
    func onTheWire() throws {
        let bank = EventRig()
        let id = try sent(bank)
        bank.rig.tick(seconds: 31)
        let handover = try second(bank, id)
        bank.rig.hear("q1", .delivered, group: 2)
        bank.rig.commit()
        #expect(bank.fate(id) == "delivered" && bank.rig.engine.openCount == 1)
        bank.rig.answer(handover, .throttled(status: 0x58))
        bank.rig.commit()
        #expect(bank.fate(id.with(ordinal: 2)) == "cancelled not_needed" && bank.rig.engine.openCount == 0)
    }

    @Test("Once sent is enough where its step says so: nothing follows, and it is called delivered only when it is")
    func untilSent() throws {
        let bank = EventRig()
        bank.book = EventBank.book { $0.plans[2].steps[0].success = .sent }
        let id = try sent(bank)
        #expect(bank.decided(id)?.bits == [.noFallbackOnceSent])
        #expect(bank.fate(id.with(ordinal: 2)) == "cancelled not_needed" && bank.fate(id) == "sent")
        #expect(bank.rig.slot(id)?.openMembers == 0)
        bank.rig.hear("q1", .undeliverable, group: 2)
        bank.rig.commit()
        #expect(bank.fate(id) == "failed undeliverable" && bank.rig.engine.openCount == 0)
        // One that is refused was not sent.
        let other = try sent(bank, .refused(status: 0x0B))
        #expect(bank.fate(other) == "planned refused")
    }

    @Test("Its source takes back all of it, or what has not gone")
    func cancelled() throws {
        let bank = EventRig()
        let whole = bank.accept(EventBank.alert)
        bank.rig.step { #expect($0.engine.cancel(whole, source: 1, &$0.turn) == .cancelled) }
        bank.rig.commit()
        #expect(bank.fate(whole) == "cancelled cancelled_by_source" && bank.rig.engine.openCount == 0)
        let part = try sent(bank)
        bank.rig.step { #expect($0.engine.cancel(part, source: 1, &$0.turn) == .tooLate) }
        bank.rig.commit()
        #expect(bank.fate(part.with(ordinal: 2)) == "cancelled cancelled_by_source" && bank.fate(part) == "sent")
        bank.rig.hear("q1", .delivered, group: 2)
        bank.rig.commit()
        #expect(bank.fate(part) == "delivered" && bank.rig.engine.openCount == 0)
    }

    @Test("An operator's purge ends what is planned, with its notification or alone; what it counts it ends")
    func purged() throws {
        let bank = EventRig()
        let queued = bank.accept(EventBank.alert)
        let handover = try #require(bank.rig.hand(2))
        #expect(handover.id == queued)
        bank.rig.answer(handover, .accepted(providerID: "q1"))
        bank.rig.commit()
        let whole = bank.accept(EventBank.alert)
        var (expected, done) = (WaitingTally(), WaitingTally())
        var cursor: UInt32 = 0
        bank.rig.engine.count(Waiting(before: .max), &cursor, &expected)
        bank.rig.step { $0.engine.purge(Waiting(before: .max), &cursor, &done, &$0.turn) }
        bank.rig.commit()
        #expect(done == expected && done.messages == 2)
        #expect(bank.fate(whole) == "cancelled cancelled_by_operator" && bank.fate(queued) == "sent")
        #expect(bank.fate(queued.with(ordinal: 2)) == "cancelled cancelled_by_operator" && bank.rig.engine.openCount == 1)
    }

    @Test("A number that opts out while its message waits: the next step is asked, and the notification ends with that reason")
    func optedOut() throws {
        let bank = EventRig { $0.inbound = World.inboundRules }
        bank.book = EventBank.book { rules in
            rules.quietHours = []
            rules.events[2].plan = 2
        }
        let id = bank.accept(EventBank.offer)
        #expect(bank.rig.slot(id.with(ordinal: 2)) != nil)
        bank.rig.step { rig in
            _ = rig.engine.apply(
                Record(
                    header: RecordHeader(kind: .preference, at: rig.now.wall),
                    body: .preference(.init(number: rig.engine.lookups.number(StepsTests.first), unwanted: ClassSet(.marketing)))), at: 0,
                rig.now)
        }
        #expect(bank.rig.hand(2) == nil && bank.rig.engine.meetsUnwanted)
        bank.rig.step { $0.engine.endUnwanted(&$0.turn) }
        #expect(bank.fate(id) == "planned opted_out")
        bank.rig.commit()
        #expect(bank.rig.engine.queued(2) == 0)
        bank.decideDue()
        bank.rig.commit()
        #expect(bank.fate(id) == "suppressed opted_out" && bank.fate(id.with(ordinal: 2)) == "suppressed opted_out")
        #expect(bank.rig.engine.openCount == 0 && bank.rig.engine.ledger[1].drift == 0)
    }

    @Test("An outcome that stays unknown brings the next step on in place of sending again")
    func unknown() throws {
        let bank = EventRig()
        bank.book = EventBank.book { $0.plans[2].steps[0].wait = 3600 }
        let id = try sent(bank, .unknown)
        #expect(bank.fate(id) == "unknown" && bank.rig.engine.decisionsWaiting == 0)
        bank.rig.tick(seconds: 30.2)
        #expect(bank.rig.engine.decisionsWaiting == 1 && bank.rig.slot(id)?.resends == 0)
        let handover = try second(bank, id)
        #expect(bank.rig.slot(id.with(ordinal: 2))?.role.contains(.anyLeft) == true)
        // Its own outcome stays unknown, too, and nothing follows: once more, flagged.
        bank.rig.answer(handover, .unknown)
        bank.rig.commit()
        bank.rig.tick(seconds: 31)
        #expect(bank.rig.slot(id.with(ordinal: 2))?.resends == 1 && bank.rig.hand()?.id == id.with(ordinal: 2))
    }

    @Test("The first message may arrive after all while the next one is under way")
    func afterAll() throws {
        let bank = EventRig()
        let id = try sent(bank)
        bank.rig.tick(seconds: 31)
        let handover = try second(bank, id)
        // Nothing came in a day: the first message is given up, the second goes on.
        bank.rig.answer(handover, .accepted(providerID: "a1"))
        bank.rig.commit()
        bank.rig.tick(seconds: 86_400 + 950)
        #expect(bank.fate(id) == "expired no_receipt" && bank.rig.engine.openCount == 0, "both are given up")

        let other = EventRig()
        let refused = other.accept(EventBank.alert, String(repeating: "x", count: 200))
        let long = try #require(other.rig.hand(2))
        #expect(long.partMask == 3)
        other.rig.answer(long, .accepted(providerID: "q1"))
        other.rig.answer(long, part: 1, .accepted(providerID: "q2"))
        other.rig.commit()
        other.rig.hear("q1", .delivered, group: 2)
        other.rig.hear("q2", .undeliverable, group: 2)
        other.rig.commit()
        #expect(other.fate(refused) == "planned undeliverable")
        // The rest of the first is heard of and ends nothing.
        other.rig.hear("q1", .delivered, group: 2)
        #expect(other.rig.slot(refused)?.role.contains(.ownOver) == true)
    }

    @Test("Copied forward at every point and folded from what a trim leaves, it comes to the same")
    func trimmed() throws {
        let bank = EventRig()
        let id = try sent(bank)
        bank.rig.newSegment()
        bank.rig.carry(upTo: 1)
        bank.rig.commit()
        #expect(bank.rig.slot(id)?.segment == 2 && bank.rig.slot(id.with(ordinal: 2))?.segment == 2)
        bank.restart(before: 2)
        bank.rig.commit()
        #expect(bank.rig.slot(id)?.members == 2 | 1 << 5 && bank.rig.slot(id.with(ordinal: 2))?.state == .planned)
        bank.rig.tick(seconds: 31)
        bank.decideDue()
        bank.rig.commit()
        bank.rig.newSegment()
        bank.rig.carry(upTo: 2)
        bank.rig.commit()
        // The copy of the notification comes before what its message says next.
        bank.restart(before: 3)
        bank.rig.commit()
        #expect(bank.rig.slot(id.with(ordinal: 2))?.role.contains(.anyLeft) == true && bank.rig.slot(id.with(ordinal: 2))?.step == 1)
        bank.rig.hear("q1", .undeliverable, group: 2)
        bank.rig.commit()
        #expect(bank.fate(id) == "planned undeliverable")
        bank.rig.newSegment()
        bank.rig.carry(upTo: 3)
        bank.rig.commit()
        bank.restart(before: 4)
        bank.rig.commit()
        #expect(bank.rig.slot(id)?.role.contains(.ownOver) == true && bank.rig.slot(id)?.reason == .undeliverable)
        bank.rig.answer(try #require(bank.rig.next()), .refused(status: 0x0B))
        bank.rig.commit()
        #expect(bank.fate(id) == "failed refused" && bank.rig.engine.openCount == 0)
    }

    @Test("What became of a message whose records are trimmed is heard by its notification, whichever was copied first")
    func halves() throws {
        let bank = EventRig()
        let id = try sent(bank)
        bank.rig.tick(seconds: 31)
        let handover = try second(bank, id)
        bank.rig.newSegment()
        // The notification is copied, its second message fails before it is.
        var cursor: UInt32 = 0
        let candidates = bank.rig.engine.carryCandidates(upTo: 1, limit: 1, cursor: &cursor)
        #expect(bank.rig.engine.slots.number(of: candidates[0].slot) == bank.rig.engine.slots.number(of: id))
        bank.rig.step { rig in
            rig.engine.carry(candidates.map { (slot: $0.slot, sealed: rig.sealed($0.position), keyID: 0) }, orphansUpTo: 1, &rig.turn)
        }
        bank.rig.answer(handover, .refused(status: 0x0B))
        bank.rig.commit()
        let live = try #require(bank.rig.slot(id))
        #expect(live.openMembers == 0)
        bank.restart(before: 2)
        bank.rig.commit()
        let folded = try #require(bank.rig.slot(id))
        #expect(folded.members == live.members && folded.role == live.role && folded.state == live.state)
        bank.rig.hear("q1", .undeliverable, group: 2)
        bank.rig.commit()
        #expect(bank.fate(id) == "failed undeliverable" && bank.rig.engine.openCount == 0)
    }

    @Test("Another plan of a newer release begins anew without the channels told already; without the event nothing follows")
    func releases() throws {
        let bank = EventRig()
        let id = try sent(bank)
        bank.book = EventBank.book(8) { rules in
            rules.plans[2] = DeliveryPlan(key: "other", steps: [.init(channels: [.sms], wait: 0)])
        }
        bank.rig.tick(seconds: 31)
        bank.decideDue()
        bank.rig.commit()
        let it = try #require(bank.decided(id.with(ordinal: 2)))
        #expect(it.outcome == .suppressed && it.reason == .channelForbidden && it.messages.map(\.when) == [.skipped(.toldBefore)])
        #expect(bank.fate(id) == "sent" && bank.rig.slot(id)?.openMembers == 0 && bank.rig.engine.openCount == 1)
        bank.rig.hear("q1", .undeliverable, group: 2)
        bank.rig.commit()
        #expect(bank.fate(id) == "failed undeliverable")

        bank.book = EventBank.book(9)
        let last = try sent(bank, .refused(status: 0x0B))
        bank.book = EventBank.book(10) { $0.events.removeAll { $0.number == EventBank.alert } }
        bank.decideDue()
        bank.rig.commit()
        #expect(bank.fate(last.with(ordinal: 2)) == "suppressed unpublished" && bank.fate(last) == "failed refused")
        #expect(bank.rig.engine.openCount == 0 && bank.rig.engine.ledger[1].drift == 0)
    }

    @Test("Without a wait both go at once; the first that arrives ends what still waits")
    func race() throws {
        let bank = EventRig()
        bank.book = EventBank.book { $0.plans[2].steps[0].wait = 0 }
        let id = bank.accept(EventBank.alert)
        bank.rig.tick(seconds: 0.1)
        let other = try second(bank, id)
        bank.rig.answer(other, .accepted(providerID: "a1"))
        bank.rig.commit()
        bank.rig.hear("a1", .delivered)
        #expect(bank.rig.hand(2) == nil)
        bank.rig.commit()
        #expect(bank.fate(id) == "delivered" && bank.rig.hand(2) == nil && bank.rig.engine.queued(2) == 0)
        #expect(bank.rig.engine.openCount == 0 && bank.rig.engine.ledger[1].drift == 0)
    }

    @Test("A step is planned only while it is worth telling, and only where it may follow")
    func notPlanned() throws {
        let bank = EventRig()
        let short = bank.accept(EventBank.alert, wish: .init(deadline: 30))
        #expect(bank.decided(short)?.planned == 0 && bank.decided(short)?.bits == [.noFurtherStep])
        bank.book = EventBank.book { $0.plans[2].steps[0].allowsNext = false }
        let alone = bank.accept(EventBank.alert)
        #expect(bank.decided(alone)?.planned == 0 && bank.decided(alone)?.messages.count == 1)
        bank.book = EventBank.book { $0.plans[2].steps[0].route = "gone" }
        #expect(bank.rig.slot(bank.accept(EventBank.alert))?.group == 1, "a group that nobody knows is none")
    }

    @Test("A step whose deadline passes while it waits is given up; the notification ends with what went before it")
    func late() throws {
        let bank = EventRig()
        let id = bank.accept(EventBank.alert, wish: .init(deadline: 60))
        // Nobody takes it: its first message waits in its queue.
        bank.rig.tick(seconds: 31)
        bank.book = nil
        #expect(bank.decideDue().isEmpty && bank.rig.engine.decisionsWaiting == 1)
        bank.rig.tick(seconds: 30)
        bank.rig.tick(seconds: 1)
        #expect(bank.fate(id) == "expired not_sent_in_time" && bank.fate(id.with(ordinal: 2)) == "expired not_sent_in_time")
        #expect(bank.rig.engine.openCount == 0 && bank.rig.engine.queued(2) == 0)
    }

    @Test("Quiet hours hold a step as they hold a first message")
    func quiet() throws {
        let bank = EventRig()
        bank.book = EventBank.book { rules in
            rules.events[1].plan = 2
            rules.quietHours = []
        }
        let id = bank.accept(EventBank.news)
        let handover = try #require(bank.rig.hand(2))
        bank.rig.answer(handover, .refused(status: 0x0B))
        bank.rig.commit()
        bank.book = EventBank.book { $0.events[1].plan = 2 }
        bank.decideDue()
        bank.rig.commit()
        let member = id.with(ordinal: 2)
        #expect(bank.decided(member)?.stage == .step && bank.decided(member)?.outcome == .held)
        #expect(bank.decided(member)?.until == EventBank.quietUntil && bank.fate(member) == "planned")
        bank.restart()
        bank.rig.commit()
        #expect(bank.rig.engine.decisionsWaiting == 0)
        bank.rig.tick(seconds: 2802)
        bank.decideDue()
        bank.rig.commit()
        #expect(bank.rig.hand()?.id == member && bank.decided(member)?.step == 1)
    }

    @Test("Caps are taken once and given back only when nothing of any message left")
    func caps() throws {
        let bank = EventRig()
        bank.book = EventBank.book { rules in
            rules.quietHours = []
            rules.events[2].plan = 2
        }
        let counter = try #require(bank.book?.decider.counters.first)
        let id = bank.accept(EventBank.offer)
        bank.rig.answer(try #require(bank.rig.hand(2)), .refused(status: 0x0B))
        bank.rig.commit()
        bank.decideDue()
        bank.rig.commit()
        #expect(bank.rig.engine.caps.count(of: counter, for: 11, at: bank.rig.now.wall) == 1)
        bank.rig.answer(try #require(bank.rig.hand()), .refused(status: 0x0B))
        bank.rig.commit()
        #expect(bank.fate(id) == "failed refused")
        #expect(bank.rig.engine.caps.count(of: counter, for: 11, at: bank.rig.now.wall) == 0)
        bank.accept(EventBank.offer)
        bank.rig.answer(try #require(bank.rig.hand(2)), .refused(status: 0x0B))
        bank.rig.commit()
        bank.decideDue()
        bank.rig.commit()
        bank.rig.answer(try #require(bank.rig.hand()), .accepted(providerID: "a1"))
        bank.rig.commit()
        bank.rig.hear("a1", .undeliverable)
        bank.rig.commit()
        #expect(bank.rig.engine.caps.count(of: counter, for: 11, at: bank.rig.now.wall) == 1, "a provider had it")
    }
}

import MartletModel
import Testing

@testable import MartletEngine

@Suite("Events accepted")
struct AcceptEventTests {
    @Test("An event that is told is one record, acceptance and decision, and its text leaves when that is durable")
    func told() throws {
        let bank = EventRig()
        guard case .accepted(let id, 1) = bank.verdict(EventBank.payment) else { return #expect(Bool(false)) }
        #expect(id.ordinal == 0 && bank.rig.open.count == 1 && bank.rig.hand() == nil)
        bank.rig.commit()
        let handover = try #require(bank.rig.hand())
        #expect(handover.id == id && handover.text == "payment 12.50 Books for Ada" && handover.from == "Bank")
        #expect(handover.to == PhoneNumber(digits: 447_700_900_011) && handover.messageClass == .transactional)
        #expect(handover.deadline == bank.rig.now.wallMilliseconds + 86_400_000)
        bank.rig.answer(handover, .accepted(providerID: "a1"))
        bank.rig.commit()
        bank.rig.hear("a1", .delivered)
        #expect(bank.fate(id) == "delivered")
        let it = try #require(bank.decided(id))
        #expect(it.stage == .fresh && it.outcome == .told && it.reason == nil && it.step == 1 && it.channel == .sms && it.partsOnAir == 1)
        #expect(it.event == EventBank.payment && it.release == 7 && it.subject == 11 && it.bits == [.noFurtherStep])
        #expect(it.messages.map(\.when) == [.skipped(.noContact), .now])
    }

    @Test("What was read stands in the record: decided again from there, it says the same")
    func replay() throws {
        let bank = EventRig()
        for (event, subject) in [
            (EventBank.payment, SubjectNumber(11)), (EventBank.news, 11), (EventBank.draft, 12), (EventBank.payment, 99),
        ] {
            let id = bank.accept(event, to: subject)
            let payload = try #require(bank.payload(id))
            let facts = try payload.facts.withUnsafeBytes { try DecisionFacts(reading: $0, now: bank.rig.now.wall) }
            var decision = Decision()
            let book = try #require(bank.book)
            #expect(book.decider.decide(facts.event, facts.customer, facts.circumstances, into: &decision))
            let it = try #require(bank.decided(id))
            #expect(decision.reason == it.reason && Array(decision.messages) == it.messages)
        }
    }

    @Test("An event that is not told ends at once with the rule's reason, and costs its source a part")
    func suppressed() throws {
        let bank = EventRig()
        let unknown = bank.accept(EventBank.payment, to: 99)
        let draft = bank.accept(EventBank.draft)
        let late = bank.accept(EventBank.payment, wish: .init(occurred: -90_000))
        let twice = bank.accept(EventBank.order, wish: .init(duplicate: 7, isDuplicate: true))
        #expect(bank.fate(unknown) == "suppressed unknown_customer" && bank.fate(draft) == "suppressed unpublished")
        #expect(bank.fate(late) == "suppressed stale")
        #expect(bank.decided(twice)?.duplicate == 7)
        #expect(bank.rig.engine.openCount == 1, "the order is held")
        #expect(bank.opened.isEmpty, "nobody's details are opened for nothing")
        #expect(bank.decided(unknown)?.subject == 0 && bank.rig.slot(unknown) == nil)
        #expect(bank.rig.engine.today(1, bank.rig.now).parts == 4)
        let source = bank.rig.engine.ledger[1]
        #expect(source.accepted == 4 && source.ended == 3 && source.open == 1 && source.drift == 0)
        #expect(bank.rig.engine.counts.decisions[3][Int(SuppressionReason.unknownCustomer.rawValue)] == 1)
    }

    @Test("A definition that a newer release took out is accepted and not told")
    func takenOut() {
        let bank = EventRig()
        let id = bank.accept(60)
        #expect(bank.fate(id) == "suppressed unpublished")
    }

    @Test("A message that cannot be made ready says why: no address, no route, no key, a template that writes nothing")
    func obstacles() throws {
        let bank = EventRig()
        bank.customers.add(13, phone: nil)
        bank.customers.add(14, phone: 491_700_900_014)
        bank.customers.add(15, phone: 447_700_900_015)
        bank.customers.all[15]?.details.addresses = [.init(number: 1, value: .text("ada@example.com"))]
        // Whose key is destroyed while the copy still has the customer.
        bank.customers.add(16, phone: 447_700_900_016)
        bank.customers.all[16]?.customer.subject = 17
        bank.customers.erased = [17]
        for (subject, why, reason) in [
            (SubjectNumber(13), PlannedMessage.Skip.noAddress, "no_contact"), (14, .noRoute, "channel_forbidden"),
            (15, .noAddress, "no_contact"), (16, .noKey, "channel_forbidden"),
        ] {
            let id = bank.accept(EventBank.payment, to: subject)
            #expect(bank.fate(id) == "suppressed \(reason)")
            #expect(bank.decided(id)?.messages.last?.when == .skipped(why))
        }
        let id = bank.accept(EventBank.payment, "")
        #expect(bank.fate(id) == "suppressed channel_forbidden" && bank.decided(id)?.messages.last?.when == .skipped(.emptyText))
        #expect(bank.opened == [13, 14, 15, 17, 11])
        #expect(bank.rig.engine.counts.skips[Int(ChannelKind.sms.rawValue)][Int(PlannedMessage.Skip.noAddress.rawValue)] == 2)
    }

    @Test("A number that opted out gets no offer, before the customer's own record says so")
    func optedOut() throws {
        let bank = EventRig { $0.inbound = World.inboundRules }
        let quiet = bank.book?.release ?? 0
        bank.book = EventBank.book(quiet) { $0.quietHours = [] }
        #expect(bank.fate(bank.accept(EventBank.offer)) == "queued")
        let number = PhoneNumber(digits: 447_700_900_011)
        bank.rig.step { rig in
            _ = rig.engine.apply(
                Record(
                    header: RecordHeader(kind: .preference, at: rig.now.wall),
                    body: .preference(.init(number: rig.engine.lookups.number(number), unwanted: ClassSet(.marketing)))), at: 0, rig.now)
        }
        let id = bank.accept(EventBank.offer)
        #expect(bank.fate(id) == "suppressed opted_out")
        #expect(bank.decided(id)?.messages.first?.when == .skipped(.contactOptedOut))
        // It is said of class marketing alone.
        #expect(bank.fate(bank.accept(EventBank.payment)) == "queued")
    }

    @Test("Without a rulebook, beyond what the node holds, beyond a source's rate or with too much in it an event is refused")
    func refusals() {
        let bank = EventRig { $0.openMaximum = 1 }
        guard case .refused(.eventTooLarge(let bytes, 4096)) = bank.verdict(EventBank.payment, String(repeating: "x", count: 5000)) else {
            return #expect(Bool(false))
        }
        #expect(bytes > 5000 && bank.rig.open.isEmpty && bank.rig.engine.openCount == 0)
        bank.accept(EventBank.payment)
        guard case .refused(.full(1)) = bank.verdict(EventBank.payment) else { return #expect(Bool(false)) }
        bank.book = nil
        guard case .refused(.noRulebook) = bank.verdict(EventBank.payment) else { return #expect(Bool(false)) }

        let limited = EventRig()
        limited.rig.engine.set(limits: [1: SourceLimits(rate: 1, burst: 1, dailyQuota: 0)], limited.rig.now)
        guard case .accepted = limited.verdict(EventBank.draft), case .refused(.rateLimited) = limited.verdict(EventBank.draft) else {
            return #expect(Bool(false))
        }
    }

    @Test("A secret goes out and is in the text's seal alone")
    func secret() throws {
        let bank = EventRig()
        let id = bank.accept(EventBank.code, "846213")
        #expect(bank.rig.next()?.text == "code 846213 for Ada")
        let payload = try #require(bank.payload(id))
        #expect(payload.happened.values.isEmpty && bank.decided(id)?.bits.contains(.hasSecret) == true)
    }

    @Test("Its source hears of the end where it asked to; an event of two identical ids is refused")
    func tells() throws {
        let bank = EventRig()
        let id = bank.accept(EventBank.payment, to: 99, wish: .init(tells: .failed))
        #expect(bank.rig.engine.owedTotal == 1 && bank.rig.slot(id)?.flags.contains(.owed) == true)
        let it = bank.submission(EventBank.payment, "Books", minor: 1, .init())
        let facts = bank.facts(it, 11, .init())
        var verdicts: [Engine.Verdict] = []
        for _ in 0..<2 {
            bank.rig.step {
                verdicts.append(
                    $0.engine.accept(it, facts, bank.customers.all[11]?.customer, opening: bank.customers.details, random: 7, &$0.turn))
            }
        }
        guard case .accepted = verdicts[0], case .refused(.storage) = verdicts[1] else { return #expect(Bool(false)) }
    }

    @Test("After a restart what was told is queued again, what was not is over, and the sums agree")
    func restart() throws {
        let bank = EventRig()
        let told = bank.accept(EventBank.payment)
        let ended = bank.accept(EventBank.draft)
        let slot = try #require(bank.rig.slot(told))
        bank.restart()
        let again = try #require(bank.rig.slot(told))
        #expect(again.state == .queued && again.role == .isEvent && again.step == 1 && again.payloadAt == slot.payloadAt)
        #expect(again.origin == slot.origin && again.group == 1 && again.parts == 1 && bank.rig.slot(ended) == nil)
        bank.rig.commit()
        #expect(bank.rig.next()?.text == "payment 12.50 Books for Ada", "read back from the log")
        #expect(bank.rig.engine.ledger[1].drift == 0 && bank.rig.engine.ledger[1].open == 1)
    }

    @Test("The text of an event is its template's: its source replaces none, and cancels what no provider has")
    func acts() {
        let bank = EventRig()
        let id = bank.accept(EventBank.payment)
        bank.rig.step { rig in
            let change = Replacement(text: "x", validity: nil, tells: [])
            #expect(rig.engine.replace(id, source: 1, with: change, nil, &rig.turn) == .tooLate)
            #expect(rig.engine.cancel(id, source: 1, &rig.turn) == .cancelled)
        }
        #expect(bank.fate(id) == "cancelled cancelled_by_source")
    }

    @Test("A slot stays at 120 bytes")
    func size() { #expect(MemoryLayout<Slot>.stride == 120) }

    @Test("Records of an event stand in its customer's partition, of somebody unknown in that of the reference")
    func partition() {
        let bank = EventRig()
        let first = bank.accept(EventBank.payment, to: 11)
        #expect(first.partition == bank.accept(EventBank.draft, to: 11).partition)
        let facts = EventFacts(event: DecisionEvent(event: 1, occurredAt: 0), customer: 5)
        let partitions = Set((0..<200).map { bank.rig.engine.partition(of: facts, subject: SubjectNumber($0)) })
        #expect(partitions.count == partitionCount)
    }

    @Test("An explanation says what would be decided, with the text as it would go, and keeps nothing")
    func explain() throws {
        let bank = EventRig()
        let book = try #require(bank.book)
        let customer = bank.customers.all[11]?.customer
        func explain(_ event: UInt16, _ text: String = "Books", customer: Customer?, at seconds: Int64 = 0) -> Explanation? {
            let it = bank.submission(event, text, minor: 1250, .init())
            return bank.rig.engine.explain(
                it, bank.facts(it, 11, .init()), customer, opening: bank.customers.details, at: bank.rig.now.wall + seconds * 1_000_000,
                book: book)
        }
        let told = try #require(explain(EventBank.payment, customer: customer))
        #expect(told.outcome == .tell && told.release == 7 && told.plan == "push-then-sms" && told.rules.count == 17)
        #expect(told.messages.map(\.text) == [nil, "payment 12.50 Books for Ada"] && told.messages[1].parts == 1)
        #expect(told.messages[1].from == "Bank")
        let held = try #require(explain(EventBank.news, customer: customer))
        #expect(held.outcome == .hold(until: EventBank.quietUntil * 1000) && held.messages.allSatisfy { $0.text == nil })
        #expect(explain(EventBank.news, customer: customer, at: 7200)?.outcome == .tell)
        let secret = try #require(explain(EventBank.code, "1", customer: customer))
        #expect(secret.outcome == .tell && secret.messages[0].text == nil && secret.messages[0].parts == 1)
        let broken = try #require(explain(EventBank.payment, "", customer: customer))
        #expect(broken.outcome == .suppress(.channelForbidden) && broken.messages[1].obstacle == "empty_text")
        #expect(explain(EventBank.payment, customer: nil)?.outcome == .suppress(.unknownCustomer))
        #expect(explain(60, customer: customer) == nil)
        #expect(bank.rig.engine.openCount == 0 && bank.rig.open.isEmpty)
    }
}

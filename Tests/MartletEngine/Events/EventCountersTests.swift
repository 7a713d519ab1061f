import MartletModel
import Testing

@testable import MartletEngine

@Suite("Caps, limits and superseding of events")
struct EventCountersTests {
    /// Offers at any hour; at most two a day.
    private func loud() -> EventRig {
        let bank = EventRig()
        bank.book = EventBank.book(7) { $0.quietHours = [] }
        return bank
    }

    @Test("No more offers than the cap, over restarts and trims; the next goes when the first is out of its time")
    func cap() throws {
        let bank = loud()
        let ids = (0..<2).map { _ in bank.accept(EventBank.offer) }
        #expect(ids.allSatisfy { bank.fate($0) == "queued" })
        let it = try #require(bank.decided(ids[0]))
        #expect(it.counters == [RecordBody.Counter(key: RecordBody.Counter.hash("offers"), most: 2, within: 86_400)])
        #expect(it.countedAt == UInt32(bank.rig.now.wall / 1_000_000))
        #expect(bank.fate(bank.accept(EventBank.offer)) == "suppressed cap_reached")
        #expect(bank.fate(bank.accept(EventBank.offer, to: 12)) == "queued", "each customer has a cap of their own")
        bank.restart()
        bank.rig.commit()
        #expect(bank.fate(bank.accept(EventBank.offer)) == "suppressed cap_reached")
        // The records that it was counted from are trimmed.
        bank.rig.newSegment()
        for _ in 0..<3 {
            bank.rig.carry(upTo: 1)
            bank.rig.commit()
        }
        #expect(bank.rig.engine.live(in: 1) == 0)
        bank.restart(before: 2)
        bank.rig.commit()
        #expect(bank.rig.engine.capMoments.count == 3 && !bank.rig.engine.capMoments.isFull)
        #expect(bank.fate(bank.accept(EventBank.offer)) == "suppressed cap_reached")
        bank.rig.pass(seconds: 86_400)
        #expect(bank.fate(bank.accept(EventBank.offer)) == "queued")
    }

    /// A text that its source wrote, to the number of customer 11 or of nobody.
    private func text(
        _ bank: EventRig, _ messageClass: MessageClass = .marketing, of subject: SubjectNumber = 11, random: UInt64
    ) -> MessageID {
        text(bank, messageClass, for: subject == 0 ? .number : .customer(subject), random: random)
    }

    private func text(
        _ bank: EventRig, _ messageClass: MessageClass = .marketing, for party: Engine.TextParty, random: UInt64
    ) -> MessageID {
        let it = Submission(
            source: 2, messageClass: messageClass, to: PhoneNumber(digits: 447_700_900_011), from: "Bank", text: "An offer",
            tells: [.failed], receivedAt: bank.rig.now)
        guard case .accepted(let id, 1) = bank.rig.engine.accept(it, of: party, random: random, &bank.rig.turn) else { return .none }
        return id
    }

    @Test("Ready texts ask for caps and count: those of one turn together, with events, over restarts; what is too much ends suppressed")
    func texts() throws {
        let bank = loud()
        bank.accept(EventBank.offer)
        var ids: [MessageID] = []
        bank.rig.step { rig in
            ids = (1...3).map { text(bank, random: $0) }
            rig.engine.sayCounted(&rig.turn)
        }
        bank.rig.commit()
        #expect(ids.map { bank.fate($0) } == ["queued", "suppressed cap_reached", "suppressed cap_reached"])
        #expect(bank.rig.engine.owedTotal == 2 && bank.rig.engine.capMoments.count == 2 && !bank.rig.engine.hasUncounted)
        #expect(bank.rig.engine.ledger[2].accepted == 3 && bank.rig.engine.ledger[2].drift == 0)
        #expect(bank.fate(bank.accept(EventBank.offer)) == "suppressed cap_reached")
        bank.restart()
        bank.rig.commit()
        #expect(bank.rig.engine.capMoments.count == 2)
        bank.rig.step { rig in
            ids = [text(bank, random: 4), text(bank, .transactional, random: 5), text(bank, .otp, random: 6), text(bank, of: 0, random: 7)]
            rig.engine.sayCounted(&rig.turn)
        }
        bank.rig.commit()
        #expect(ids.map { bank.fate($0) } == ["suppressed cap_reached", "queued", "queued", "queued"])
        #expect(bank.rig.engine.hasCaps(of: .marketing) && !bank.rig.engine.hasCaps(of: .otp) && !bank.rig.engine.hasCaps(of: .service))
        bank.rig.pass(seconds: 86_400)
        bank.rig.step {
            ids = [text(bank, random: 8)]; $0.engine.sayCounted(&$0.turn)
        }
        bank.rig.commit()
        #expect(bank.fate(ids[0]) == "queued")
    }

    @Test(
        "Ready texts to a number that nobody has count by its hash, over restarts and trims; once it is a customer's, what came before counts too"
    )
    func numbers() {
        let bank = loud()
        func texts(_ parties: [Engine.TextParty], from random: UInt64) -> [String] {
            var ids: [MessageID] = []
            bank.rig.step { rig in
                ids = parties.enumerated().map { text(bank, for: $1, random: random + UInt64($0)) }
                rig.engine.sayCounted(&rig.turn)
            }
            bank.rig.commit()
            return ids.map { bank.fate($0) }
        }
        #expect(texts([.number, .nobody], from: 1) == ["queued", "queued"])
        #expect(bank.rig.engine.numberCapMoments.count == 1 && bank.rig.engine.capMoments.count == 0)
        bank.restart()
        bank.rig.commit()
        #expect(texts([.customer(11), .customer(11), .customer(12)], from: 10) == ["queued", "suppressed cap_reached", "queued"])
        #expect(texts([.number, .number, .nobody], from: 20) == ["queued", "suppressed cap_reached", "queued"])
        #expect(bank.rig.engine.numberCapMoments.count == 2 && bank.rig.engine.numberCaps.numbers == 1)
        bank.rig.newSegment()
        for _ in 0..<3 {
            bank.rig.carry(upTo: 1)
            bank.rig.commit()
        }
        #expect(bank.rig.engine.live(in: 1) == 0)
        bank.restart(before: 2)
        bank.rig.commit()
        #expect(bank.rig.engine.numberCapMoments.count == 2)
        #expect(texts([.number, .customer(13)], from: 30) == ["suppressed cap_reached", "suppressed cap_reached"])
        bank.rig.pass(seconds: 86_400)
        #expect(texts([.number], from: 40) == ["queued"])
    }

    @Test("A text to a number that several share counts for each of them, and is too much when it is for one")
    func shared() {
        let bank = loud()
        var ids: [MessageID] = []
        bank.accept(EventBank.offer)
        bank.rig.step { rig in
            ids =
                (1...3).map { text(bank, for: .customers([11, 12]), random: $0) } + [
                    text(bank, of: 12, random: 4), text(bank, of: 12, random: 5),
                ]
            rig.engine.sayCounted(&rig.turn)
        }
        bank.rig.commit()
        #expect(
            ids.map { bank.fate($0) } == ["queued", "suppressed cap_reached", "suppressed cap_reached", "queued", "suppressed cap_reached"])
        #expect(bank.fate(bank.accept(EventBank.offer)) == "suppressed cap_reached")
        bank.restart()
        bank.rig.commit()
        #expect(bank.rig.engine.capMoments.count == 4 && bank.rig.engine.numberCapMoments.count == 0)
    }

    @Test("An offer of which nothing was sent counts no more; one that may have arrived does", arguments: [true, false])
    func givenBack(left: Bool) throws {
        let bank = loud()
        let first = bank.accept(EventBank.offer)
        bank.accept(EventBank.offer)
        if left {
            let handover = try #require(bank.rig.hand())
            bank.rig.answer(handover, .accepted(providerID: "a"))
            bank.rig.hear("a", .undeliverable)
        } else {
            bank.rig.step { #expect($0.engine.cancel(first, source: 1, &$0.turn) == .cancelled) }
        }
        bank.rig.commit()
        #expect(bank.fate(bank.accept(EventBank.offer)) == (left ? "suppressed cap_reached" : "queued"))
        bank.restart()
        bank.rig.commit()
        #expect(bank.fate(bank.accept(EventBank.offer)) == "suppressed cap_reached")
    }

    @Test("What is held takes nothing from a cap until it goes, and then no more than there is")
    func held() {
        let bank = EventRig()
        let ids = (0..<3).map { _ in bank.accept(EventBank.offer) }
        #expect(ids.allSatisfy { bank.fate($0) == "planned" && bank.decided($0)?.counters.isEmpty == true })
        bank.rig.tick(seconds: 2801)
        bank.decideDue()
        bank.rig.commit()
        #expect(ids.map { bank.fate($0) }.sorted() == ["queued", "queued", "suppressed cap_reached"])
    }

    @Test("More events than the limit within its time are abuse, whatever was decided of them")
    func limit() throws {
        let bank = EventRig()
        let first = bank.accept(EventBank.login)
        bank.accept(EventBank.login, "")
        #expect(bank.decided(first)?.counters == [.init(key: UInt32(EventBank.login), most: 2, within: 60, isLimit: true)])
        let third = bank.accept(EventBank.login)
        #expect(bank.fate(third) == "suppressed abuse_guard")
        bank.restart()
        bank.rig.commit()
        #expect(bank.fate(bank.accept(EventBank.login)) == "suppressed abuse_guard")
        bank.rig.pass(seconds: 61)
        #expect(bank.fate(bank.accept(EventBank.login)) == "queued")
    }

    @Test("A newer event takes the place of one that waits, not of one that left, and not when it is not told itself")
    func supersedes() throws {
        let bank = EventRig()
        let first = bank.accept(EventBank.order, wish: .init(knownAs: 5, ends: 5))
        let second = bank.accept(EventBank.order, wish: .init(knownAs: 5, ends: 5))
        #expect(bank.fate(first) == "suppressed superseded" && bank.fate(second) == "planned" && bank.decided(second)?.ends == 5)
        bank.restart()
        bank.rig.commit()
        #expect(bank.rig.engine.known.count == 1)
        let late = bank.accept(EventBank.order, wish: .init(knownAs: 5, ends: 5, occurred: -90_000))
        #expect(bank.fate(late) == "suppressed stale" && bank.fate(second) == "planned")
        bank.rig.tick(seconds: 2801)
        bank.decideDue()
        bank.rig.commit()
        let handover = try #require(bank.rig.hand())
        #expect(handover.id == second)
        bank.book = EventBank.book(8) { $0.quietHours = [] }
        let third = bank.accept(EventBank.order, wish: .init(knownAs: 5, ends: 5))
        #expect(bank.fate(second) == "queued", "it is on the wire")
        #expect(bank.fate(third) == "queued" && bank.rig.engine.known[5].flatMap { bank.rig.engine.slots.number(of: $0) } != nil)
        // The newest is the one that is found, also when an older one is copied forward behind it.
        bank.rig.answer(handover, .accepted(providerID: "a"))
        bank.rig.commit()
        bank.rig.newSegment()
        bank.rig.carry(upTo: 1)
        bank.rig.commit()
        bank.rig.step { #expect($0.engine.cancel(third, source: 1, &$0.turn) == .cancelled) }
        bank.rig.commit()
        #expect(bank.rig.engine.known.isEmpty)
        bank.restart(before: 2)
        #expect(bank.rig.engine.known.isEmpty && bank.rig.engine.standing.isEmpty)
    }

    @Test("What an event asked for was done: it is told no more")
    func completed() {
        let bank = EventRig()
        let asked = bank.accept(EventBank.news, wish: .init(knownAs: 6))
        let done = bank.accept(EventBank.payment, wish: .init(ends: 6))
        #expect(bank.fate(asked) == "cancelled completed" && bank.fate(done) == "queued")
        #expect(bank.rig.engine.ledger[1].drift == 0)
    }
}

import MartletModel
import SMSText
import Testing

@testable import MartletEngine

/// Decisions as an engine recorded them, decided once more: under the release that made them, and under others.
@Suite("Deciding again")
struct RedecideTests {
    /// Every decision of the rig's log, in its order.
    private func recorded(_ bank: EventRig) throws -> [RecordedDecision] {
        try bank.rig.log.compactMap { position, bytes in
            let record = try bytes.withUnsafeBytes { try Record(reading: $0) }
            guard case .decided(let it) = record.body, let payload = bank.payload(at: position) else { return nil }
            let facts = try payload.facts.withUnsafeBytes { try DecisionFacts(reading: $0, now: record.header.at) }
            return RecordedDecision(
                id: record.header.id, at: record.header.at, made: it, facts: facts, values: payload.happened.values,
                wording: payload.wording)
        }
    }

    /// Decisions of every outcome, at any hour and in a quiet one, with a text that cannot be written and a number that opted out.
    private func busy() -> EventRig {
        let bank = EventRig()
        bank.customers.add(13, phone: nil)
        bank.customers.add(14, phone: 447_700_900_014) { $0.preferences = Preferences(at: 1, mutedEventTypes: [3]) }
        for subject: SubjectNumber in [11, 12, 13, 14, 99] {
            for event in [EventBank.payment, EventBank.news, EventBank.offer, EventBank.code, EventBank.draft, EventBank.login] {
                bank.accept(event, to: subject)
            }
        }
        for _ in 0..<3 { bank.accept(EventBank.login) }
        // No shop: its template has no text then.
        bank.accept(EventBank.payment, "")
        bank.accept(EventBank.payment, wish: .init(occurred: -90_000))
        bank.accept(EventBank.order, wish: .init(duplicate: 7, isDuplicate: true))
        bank.accept(EventBank.order, wish: .init(knownAs: 5))
        bank.rig.tick(seconds: 2801)
        bank.decideDue()
        bank.rig.commit()
        for _ in 0..<3 { bank.accept(EventBank.offer) }
        return bank
    }

    @Test("Whatever was decided, it is decided so again from its record: outcome, reason, package, messages, counters")
    func same() throws {
        let bank = busy()
        let book = try #require(bank.book)
        let all = try recorded(bank)
        for one in all { #expect(one.differences(from: book.decide(again: one)) == [], "\(one.made)") }
        let outcomes = Set(all.map(\.made.outcome))
        let reasons = Set(all.compactMap(\.made.reason))
        #expect(outcomes == Set(RecordBody.Decided.Outcome.allCases) && all.contains { $0.made.stage == .release })
        #expect(reasons.isSuperset(of: [.unknownCustomer, .unpublished, .channelForbidden, .optedOut, .capReached, .stale, .abuseGuard]))
        #expect(all.contains { $0.made.counters.contains { $0.isLimit } && $0.made.outcome == .suppressed })
    }

    @Test("An event whose definition its release took out was unpublished, and is so again")
    func takenOut() throws {
        let bank = EventRig()
        bank.accept(EventBank.news)
        bank.book = EventBank.book(8) { $0.events.removeAll { $0.number == EventBank.news } }
        bank.rig.tick(seconds: 2801)
        bank.decideDue()
        bank.rig.commit()
        let last = try #require(try recorded(bank).last)
        #expect(last.made.reason == .unpublished && last.made.release == 8)
        let again = try #require(bank.book).decide(again: last)
        #expect(last.differences(from: again) == [] && again.rule == .published)
    }

    @Test("Each field that is not as it was decided is named")
    func differences() throws {
        let bank = busy()
        let book = try #require(bank.book)
        let all = try recorded(bank)
        func changed(_ outcome: RecordBody.Decided.Outcome, _ change: (inout RecordedDecision) -> Void) throws -> [String] {
            var one = try #require(all.first { $0.made.outcome == outcome })
            change(&one)
            return one.differences(from: book.decide(again: one)).words
        }
        #expect(try changed(.told) { $0.made.package = 9 } == ["package"])
        #expect(try changed(.told) { $0.made.step = 7 } == ["step"])
        #expect(try changed(.told) { $0.made.messages.removeLast() } == ["messages"])
        #expect(try changed(.told) { $0.made.counters = [.init(key: 1, most: 1, within: 1)] } == ["counters"])
        #expect(try changed(.held) { $0.made.until += 1 } == ["until"])
        #expect(try changed(.suppressed) { $0.made.reason = .budget } == ["reason"])
        #expect(try changed(.suppressed) { $0.made.outcome = .held }.contains("outcome"))
        // What was read is what counts: other facts, another outcome.
        #expect(try changed(.told) { $0.facts.circumstances.isSuperseded = true }.contains("reason"))
        #expect(try changed(.told) { $0.facts.customer = nil }.contains("outcome"))
    }

    // MARK: Another release

    private func alternative(_ it: RecordedDecision, _ new: DecisionBook, of old: DecisionBook) -> Alternative {
        new.decide(
            instead: it, of: old,
            count: { text in
                let parts = SMSText.plan(text).parts
                return Engine.TextCount(parts: parts, submits: parts)
            }, limit: 10)
    }

    @Test("Another release is asked with the facts of then: what changes names the rule, and nothing else changes")
    func instead() throws {
        let bank = EventRig()
        let old = try #require(bank.book)
        bank.accept(EventBank.payment)
        bank.accept(EventBank.news)
        bank.accept(EventBank.draft)
        let all = try recorded(bank)
        let same = all.map { alternative($0, EventBank.book(8), of: old) }
        #expect(same.allSatisfy { $0.fields == [] && !$0.isUncertain } && same.map(\.parts) == [1, 0, 0])

        let loud = EventBank.book(8) { rules in
            rules.quietHours = []
            for place in rules.events.indices { rules.events[place].isPublished = rules.events[place].number != EventBank.payment }
        }
        let others = all.map { alternative($0, loud, of: old) }
        #expect(others.map(\.before.outcome) == [.told, .held, .suppressed])
        #expect(others.map(\.before.rule) == [nil, .quietHours, .published])
        #expect(others.map(\.after.outcome) == [.suppressed, .told, .told] && others.map(\.after.rule) == [.published, nil, nil])
        #expect(others.map(\.parts) == [0, 1, 1])
        #expect(others.allSatisfy { $0.fields.contains(.outcome) && $0.fields.contains(.parts) })
    }

    @Test("Caps are found again by their keys, wherever they stand; one of another size, or a new one, is not certain")
    func caps() throws {
        let bank = EventRig()
        bank.book = EventBank.book(7) { $0.quietHours = [] }
        let old = try #require(bank.book)
        for _ in 0..<3 { bank.accept(EventBank.offer) }
        let all = try recorded(bank)
        #expect(all.map(\.made.reason) == [nil, nil, .capReached])
        func book(_ caps: [FrequencyCap]) -> DecisionBook {
            EventBank.book(8) { rules in
                rules.quietHours = []
                rules.caps = caps
            }
        }
        let own = FrequencyCap(key: "offers", classes: ClassSet(.marketing), most: 2, within: 86_400)
        let codes = FrequencyCap(key: "a-first", classes: ClassSet(.service), most: 1, within: 60)
        let moved = all.map { alternative($0, book([codes, own]), of: old) }
        #expect(moved.allSatisfy { $0.fields == [] && !$0.isUncertain })
        func outcome(_ most: Int, _ within: Int64) -> [String] {
            all.map { one in
                let cap = FrequencyCap(key: "offers", classes: ClassSet(.marketing), most: most, within: within)
                let it = alternative(one, book([cap]), of: old)
                return "\(it.after.reason?.word ?? "told")\(it.isUncertain ? "?" : "")"
            }
        }
        #expect(outcome(1, 86_400) == ["told?", "told?", "cap_reached"])
        #expect(outcome(5, 86_400) == ["told", "told", "cap_reached?"])
        #expect(outcome(2, 604_800) == ["told?", "told?", "cap_reached"])
        let new = FrequencyCap(key: "new", classes: ClassSet(.marketing), most: 1, within: 60)
        #expect(all.map { alternative($0, book([own, new]), of: old).isUncertain } == [true, true, true])
        #expect(all.map { alternative($0, book([]), of: old).after.outcome } == [.told, .told, .told])
    }

    @Test("A limit or duplicates that nobody asked about then are not certain; without them it is")
    func memory() throws {
        let bank = EventRig()
        let old = try #require(bank.book)
        bank.accept(EventBank.login)
        let one = try #require(try recorded(bank).first)
        func isUncertain(_ change: (inout EventDefinition) -> Void) -> Bool {
            let new = EventBank.book(8) { rules in
                for place in rules.events.indices where rules.events[place].number == EventBank.login { change(&rules.events[place]) }
            }
            return alternative(one, new, of: old).isUncertain
        }
        #expect(!isUncertain { $0.limit = nil } && !isUncertain { $0.limit?.most = 9 })
        #expect(isUncertain { $0.limit?.within = 9 } && isUncertain { $0.duplicates = .init(by: [0], within: 60) })
        let without = EventBank.book(8) { $0.events.removeAll { $0.number == EventBank.login } }
        let gone = alternative(one, without, of: old)
        #expect(gone.after.reason == .unpublished && gone.after.rule == .published && !gone.isUncertain && gone.parts == 0)
        #expect(alternative(one, old, of: without).isUncertain, "an event that the release of then did not have")
    }

    @Test("Thresholds are about the parameter that the other release says, from what the event said or what that assumes")
    func amounts() throws {
        let bank = EventRig()
        let old = try #require(bank.book)
        bank.accept(EventBank.payment, minor: 1250)
        let one = try #require(try recorded(bank).first)
        func amount(_ change: (inout EventDefinition) -> Void) -> Bool {
            let new = EventBank.book(8) { rules in
                change(&rules.events[0])
                rules.events[0].isForEveryone = false
                rules.packages = [
                    Package(
                        key: "all", number: 4,
                        entries: [.init(event: 0, thresholds: [Money(minor: 1000, currency: 978)])])
                ]
            }
            var customer = one
            customer.facts.customer?.packages = [PackageSubscription(package: 4, from: 0)]
            return alternative(customer, new, of: old).after.outcome == .told
        }
        #expect(amount { _ in })
        #expect(
            !amount {
                $0.parameters.append(EventParameter(name: "fee", type: .money, assumed: .money(Money(minor: 1, currency: 978))))
                $0.threshold = $0.parameters.count - 1
            })
    }

    @Test("A text that stays keeps the parts it had; another one is written from what the event said, or cannot be")
    func parts() throws {
        let bank = EventRig()
        let old = try #require(bank.book)
        bank.accept(EventBank.payment, String(repeating: "x", count: 200))
        var all = try recorded(bank)
        #expect(all[0].made.partsOnAir == 2)
        #expect(alternative(all[0], EventBank.book(8), of: old).parts == 2)
        // Written by another version: it is counted anew.
        all[0].wording?.version = 9
        all[0].values[1].value = .text("x")
        let shorter = alternative(all[0], EventBank.book(8), of: old)
        #expect(shorter.parts == 1 && shorter.fields == .parts)
        #expect(shorter.fields.words == ["parts"])
        // A text of nothing is none.
        all[0].values.removeLast()
        #expect(alternative(all[0], EventBank.book(8), of: old).parts == nil)
    }
}

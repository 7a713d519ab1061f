import MartletModel
import SMSText

/// What another release would have decided of what was recorded.
public struct Alternative: Equatable, Sendable {
    /// As it was decided, with the rule that spoke against it.
    public var before: Redecision
    public var after: Redecision
    /// In which they differ.
    public var fields: DecisionFields
    /// Of the text, on the air; 0: nothing is told. Nil: the text cannot be written from what the record holds.
    public var parts: Int?
    /// It asks of the node's memory what nobody asked of it then: a cap or limit of another size, or duplicates.
    public var isUncertain: Bool
}

extension DecisionBook {
    /// Counts the parts of a text; nil: no alphabet has its letters.
    public typealias Counting = (String) -> Engine.TextCount?

    /// Decides what another release decided as this one would have done then: the same event, customer and circumstances, and this one's rules.
    ///
    /// Of the circumstances, caps are named by places, which differ from release to release: they are found again by their keys. One that is not
    /// there under the other release counts as not used up, one of another size as it did there; such an answer is uncertain.
    /// - Parameters:
    ///   - old: the release that decided it.
    ///   - count: how a text that is another now is counted; with a name of usual length, for no record holds the customer's.
    ///   - limit: parts that may be sent.
    public func decide(instead it: RecordedDecision, of old: DecisionBook, count: Counting, limit: Int) -> Alternative {
        var facts = it.facts
        facts.event.amount = amount(it, from: old)
        let (caps, areKnown) = usedCaps(facts, from: old)
        facts.circumstances.usedCaps = caps
        // Places of steps are of the other's plan.
        for place in facts.circumstances.exclusions.indices { facts.circumstances.exclusions[place].step = nil }
        let before = old.decide(again: it)
        let after = decide(facts, stage: it.made.stage)
        var fields = it.differences(from: after)
        let parts = parts(it, facts, after, count, limit)
        if let parts, parts != Int(it.made.partsOnAir) { fields.insert(.parts) }
        return Alternative(
            before: before, after: after, fields: fields, parts: parts,
            isUncertain: !areKnown || !asksTheSame(it.facts.event.event, as: old))
    }

    /// Of the parameter that thresholds are about here.
    private func amount(_ it: RecordedDecision, from old: DecisionBook) -> Money? {
        func parameter(_ book: DecisionBook) -> EventParameter? {
            guard let place = book.decider.place(of: it.facts.event.event) else { return nil }
            let definition = book.rules.events[place]
            return definition.threshold.flatMap { definition.parameters.indices.contains($0) ? definition.parameters[$0] : nil }
        }
        guard let own = parameter(self) else { return nil }
        if own.name == parameter(old)?.name { return it.facts.event.amount }
        if case .money(let amount)? = it.values.first(where: { $0.name == own.name })?.value { return amount }
        if case .money(let amount)? = own.assumed { return amount }
        return nil
    }

    /// Places of caps here, and whether all that the event counts for are the same as there.
    private func usedCaps(_ facts: DecisionFacts, from old: DecisionBook) -> (UInt32, areKnown: Bool) {
        guard let place = decider.place(of: facts.event.event) else { return (0, true) }
        var (used, areKnown) = (UInt32(0), true)
        let before = old.decider.place(of: facts.event.event).map { old.decider.events[$0].caps } ?? 0
        var rest = decider.events[place].caps
        while rest != 0 {
            let bit = rest.trailingZeroBitCount
            rest &= rest - 1
            let own = decider.counters[bit]
            guard let there = old.decider.counters.firstIndex(where: { $0.key == own.key }), before >> UInt32(there) & 1 == 1 else {
                areKnown = false
                continue
            }
            let other = old.decider.counters[there]
            let wasUsed = facts.circumstances.usedCaps >> UInt32(there) & 1 == 1
            if wasUsed { used |= 1 << UInt32(bit) }
            // One that lets less through is used up where the other was, one that lets more through has room where the other had.
            let letsLess = own.most <= other.most && own.within >= other.within
            let letsMore = own.most >= other.most && own.within <= other.within
            if !(wasUsed ? letsLess : letsMore) { areKnown = false }
        }
        return (used, areKnown)
    }

    /// Whether limit and duplicates of an event are what they were there.
    private func asksTheSame(_ event: UInt16, as old: DecisionBook) -> Bool {
        guard let place = decider.place(of: event) else { return true }
        let own = rules.events[place]
        guard let there = old.decider.place(of: event) else { return own.limit == nil && own.duplicates == nil }
        let other = old.rules.events[there]
        let isLimitKnown = own.limit == nil || own.limit?.within == other.limit?.within
        return isLimitKnown && (own.duplicates == nil || own.duplicates == other.duplicates)
    }

    /// In the place of the customer's name, which no record holds.
    private static let somebody = CustomerDetails(givenName: "Xxxxxx", familyName: "Xxxxxxxx")

    private func parts(
        _ it: RecordedDecision, _ facts: DecisionFacts, _ made: Redecision, _ count: Counting, _ limit: Int
    ) -> Int? {
        guard made.outcome == .told else { return 0 }
        guard made.channel == .sms, let customer = facts.customer, let place = decider.place(of: facts.event.event) else { return nil }
        let values = Engine.values(it.values, rules.events[place])
        do throws(WordingFault) {
            let worded = try wording.sms(
                event: place, values, DecisionBook.somebody, locale(of: customer), decider.zone(of: customer),
                count: { text throws(TextFault) in
                    guard let cost = count(text) else { throw TextFault.noAlphabet }
                    return cost
                }, limit: limit)
            // The very text that was sent, with the name in it.
            if let known = it.wording, known.template == worded.template, known.version == worded.version, known.version != 0,
                known.override == worded.override, known.locale == worded.locale
            {
                return Int(it.made.partsOnAir)
            }
            return worded.count.parts
        } catch {
            return nil
        }
    }
}

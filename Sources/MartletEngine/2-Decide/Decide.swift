public import MartletModel

extension Decider {
    /// Decides: a pure function of the event, what is known of its customer, this rulebook and the circumstances. Every event comes to exactly one
    /// outcome; without `asksAll` the first rule that speaks against it ends the asking.
    /// - Parameters:
    ///   - customer: nil: nobody is known by the reference that the event names.
    ///   - asksAll: every rule is asked, for `:explain`; the outcome stays that of the first that speaks against it.
    /// - Returns: false when no definition has the event's number: then there is nothing to decide, and the door refuses the event.
    @discardableResult
    public func decide(
        _ event: DecisionEvent, _ customer: borrowing Customer?, _ circumstances: Circumstances, asksAll: Bool = false,
        into decision: inout Decision
    ) -> Bool {
        decision.begin()
        guard let place = place(of: event.event) else { return false }
        let definition = events[place]
        decision.deadline = event.deadline ?? event.occurredAt &+ definition.deadline
        decision.outcome = .tell
        var asking = Asking(event: event, definition: definition, circumstances: circumstances)

        // Of the event and the moment alone.
        var isOver = take(PublishedRule.ask(asking), &decision)
        if !isOver || asksAll { isOver = take(DuplicateRule.ask(asking), &decision) || isOver }
        if !isOver || asksAll { isOver = take(SupersededRule.ask(asking), &decision) || isOver }
        if !isOver || asksAll { isOver = take(StaleRule.ask(asking, decision.deadline), &decision) || isOver }
        guard !isOver || asksAll else { return true }
        switch customer {
        case .some(let customer):
            _ = take(RuleAnswer(.customer, .passes, .isKnown), &decision)
            for rule in Decider.ofCustomer {
                isOver = take(rule(customer, self, &asking, &decision), &decision) || isOver
                if isOver, !asksAll { return true }
            }
        case .none:
            // There is nothing that the others could be asked of.
            _ = take(RuleAnswer(.customer, .suppresses(.unknownCustomer), .isUnknown), &decision)
        }
        if decision.outcome == .tell { decision.caps = definition.caps }
        return true
    }

    private typealias Rule = @Sendable (borrowing Customer, borrowing Decider, inout Asking, inout Decision) -> RuleAnswer

    /// In the order in which they are asked: what is cheap and final first, what takes from the customer's caps last.
    private static let ofCustomer: ContiguousArray<Rule> = [
        { _, _, asking, _ in AbuseRule.ask(asking) },
        { customer, decider, asking, _ in SuppressionRules.ask(customer, decider, &asking) },
        { customer, decider, asking, decision in PackageRule.ask(customer, decider, &asking, &decision) },
        { customer, decider, asking, _ in ThresholdRule.ask(customer, decider, asking) },
        { customer, decider, asking, _ in ConditionsRule.ask(customer, decider, asking) },
        { customer, _, asking, _ in WishesRule.ask(customer, &asking) },
        { customer, _, asking, _ in ConsentRule.ask(customer, &asking) },
        { customer, decider, asking, decision in ChannelsRule.ask(customer, decider, asking, &decision) },
        { customer, decider, asking, decision in QuietHoursRule.ask(customer, decider, asking, decision.deadline) },
        { customer, decider, asking, decision in BestHourRule.ask(customer, decider, asking, decision.deadline) },
        { _, _, asking, _ in CapRule.ask(asking) },
        { _, _, asking, _ in BudgetRule.ask(asking) },
    ]

    /// What the rules find on their way, for those behind them.
    struct Asking {
        let event: DecisionEvent
        let definition: Event
        let circumstances: Circumstances
        /// Channels by what stands against them so far.
        var notInPackage: ChannelSet = []
        var switchedOff: ChannelSet = []
        var notConsented: ChannelSet = []
        var withdrawn: ChannelSet = []
        var suppressed: ChannelSet = []
        /// Of the customer's subscriptions the one that holds; -1: none.
        var subscription = -1
        /// Place among the event's packages.
        var entry: Int32 = -1

        init(event: DecisionEvent, definition: Event, circumstances: Circumstances) {
            self.event = event
            self.definition = definition
            self.circumstances = circumstances
        }

        /// Before its plan began: what is asked once is asked now.
        var isFirst: Bool { if case .step = circumstances.stage { false } else { true } }
    }

    /// Keeps the answer. True: it ends the asking.
    @inline(__always)
    private func take(_ answer: RuleAnswer, _ decision: inout Decision) -> Bool {
        decision.said.append(answer)
        switch answer.verdict {
        case .passes, .ignored: return false
        case .holds(let until):
            if decision.outcome == .tell { decision.outcome = .hold(until: until) }
            return true
        case .suppresses(let reason):
            if decision.outcome == .tell { decision.outcome = .suppress(reason) }
            return true
        }
    }
}

public import MartletModel

extension DecisionBook {
    /// What each rule says to what a decision read, all of them, also behind the one that spoke against it: told in a trace. Under the release that
    /// made the decision it is what was said then.
    /// - Returns: the answers in their order, with what their sentences name by number; nil: this release has no such event.
    public func answers(_ facts: DecisionFacts) -> (said: [RuleAnswer], names: RuleNames)? {
        var decision = Decision()
        guard decider.decide(facts.event, facts.customer, facts.circumstances, asksAll: true, into: &decision) else { return nil }
        // Nothing measures what is spent yet, so that rule would say nothing.
        let said = decision.said.filter { $0.rule != .budget }
        return (Array(said), RuleNames(said, rules, currency: facts.event.amount?.currency))
    }
}

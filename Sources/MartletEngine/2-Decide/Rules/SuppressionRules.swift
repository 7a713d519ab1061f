import MartletModel

/// The customer's state, and the bank's own rules on whom not to tell. Nobody writes to the dead; who is blocked or has left hears of
/// security and of what is mandatory. A rule may hold back what is mandatory only where it says so.
enum SuppressionRules {
    static func ask(_ customer: borrowing Customer, _ decider: borrowing Decider, _ asking: inout Decider.Asking) -> RuleAnswer {
        let isForAll = asking.definition.isMandatory || asking.definition.messageClass == .security
        switch customer.status {
        case .active: break
        case .deceased: return RuleAnswer(.suppression, .suppresses(.addressSuppressed), .status, Int64(customer.status.rawValue))
        case .blocked, .closed:
            if !isForAll { return RuleAnswer(.suppression, .suppresses(.addressSuppressed), .status, Int64(customer.status.rawValue)) }
        }
        let today = customer.listed.isEmpty ? 0 : decider.localDay(of: customer, at: asking.circumstances.now)
        var last = -1
        for place in decider.suppressions.indices
        where decider.suppressions[place].isAsked(asking.definition) && decider.suppressions[place].names(customer, on: today) {
            asking.suppressed.formUnion(decider.suppressions[place].channels)
            last = place
        }
        if last < 0, asking.definition.isMandatory { return RuleAnswer(.suppression, .ignored, .isMandatory) }
        guard !asking.definition.channels.isEmpty, asking.definition.channels.isSubset(of: asking.suppressed) else {
            return RuleAnswer(.suppression, .passes, .nothingAgainst)
        }
        guard last >= 0, let list = decider.suppressions[last].list(of: customer, on: today) else {
            return RuleAnswer(.suppression, .suppresses(.addressSuppressed), .suppressionRule, Int64(last))
        }
        return RuleAnswer(.suppression, .suppresses(.addressSuppressed), .suppressionList, Int64(list))
    }
}

extension SuppressionRule {
    fileprivate func isAsked(_ definition: Decider.Event) -> Bool {
        classes.contains(definition.messageClass) && (isForMandatory || !definition.isMandatory)
    }
}

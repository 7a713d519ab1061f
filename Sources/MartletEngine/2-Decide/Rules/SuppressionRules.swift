import MartletModel

/// The customer's state, and the bank's own rules on whom not to tell. Nobody writes to the dead; who is blocked or has left hears of
/// security and of what is mandatory.
enum SuppressionRules {
    static func ask(_ customer: borrowing Customer, _ decider: borrowing Decider, _ asking: inout Decider.Asking) -> RuleAnswer {
        let isForAll = asking.definition.isMandatory || asking.definition.messageClass == .security
        switch customer.status {
        case .active: break
        case .deceased: return RuleAnswer(.suppression, .suppresses(.addressSuppressed), .status, Int64(customer.status.rawValue))
        case .blocked, .closed:
            if !isForAll { return RuleAnswer(.suppression, .suppresses(.addressSuppressed), .status, Int64(customer.status.rawValue)) }
        }
        if asking.definition.isMandatory { return RuleAnswer(.suppression, .ignored, .isMandatory) }
        var last = 0
        for place in decider.suppressions.indices
        where decider.suppressions[place].classes.contains(asking.definition.messageClass) && decider.suppressions[place].names(customer) {
            asking.suppressed.formUnion(decider.suppressions[place].channels)
            last = place
        }
        guard !asking.definition.channels.isEmpty, asking.definition.channels.isSubset(of: asking.suppressed) else {
            return RuleAnswer(.suppression, .passes, .nothingAgainst)
        }
        return RuleAnswer(.suppression, .suppresses(.addressSuppressed), .suppressionRule, Int64(last))
    }
}

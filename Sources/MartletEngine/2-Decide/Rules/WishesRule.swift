import MartletModel

/// What the customer switched off: event types, and channels. Mandatory events cannot be switched off.
enum WishesRule {
    static func ask(_ customer: borrowing Customer, _ asking: inout Decider.Asking) -> RuleAnswer {
        if asking.definition.isMandatory { return RuleAnswer(.wishes, .ignored, .isMandatory) }
        switch customer.preferences {
        case .none: return RuleAnswer(.wishes, .passes, .nothingAgainst)
        case .some(let preferences):
            if preferences.mutedEventTypes.contains(asking.definition.type) {
                return RuleAnswer(.wishes, .suppresses(.optedOut), .muted, Int64(asking.definition.type))
            }
            asking.switchedOff = preferences.channelsOff
            return RuleAnswer(.wishes, .passes, .nothingAgainst)
        }
    }
}

import MartletModel

/// What is for a purpose goes only over channels for which the customer agreed to it. What was asked and not yet confirmed is no consent.
enum ConsentRule {
    static func ask(_ customer: borrowing Customer, _ asking: inout Decider.Asking) -> RuleAnswer {
        let purpose = asking.definition.purpose
        if asking.definition.isMandatory { return RuleAnswer(.consent, .ignored, .isMandatory) }
        guard purpose != 0 else { return RuleAnswer(.consent, .ignored, .needsNoConsent) }
        var isGiven = false
        for channel in ChannelKind.all where asking.definition.channels.contains(channel) {
            switch customer.consent(purpose, channel)?.state {
            case .given: isGiven = true
            case .withdrawn: asking.withdrawn.formUnion(ChannelSet(channel))
            case .pending: asking.notConsented.formUnion(ChannelSet(channel))
            case nil:
                if asking.definition.isPresumed { isGiven = true } else { asking.notConsented.formUnion(ChannelSet(channel)) }
            }
        }
        if isGiven { return RuleAnswer(.consent, .passes, .consented, Int64(purpose)) }
        return asking.withdrawn.isEmpty
            ? RuleAnswer(.consent, .suppresses(.noConsent), .notConsented, Int64(purpose))
            : RuleAnswer(.consent, .suppresses(.optedOut), .withdrawn, Int64(purpose))
    }
}

extension ChannelKind {
    /// `allCases` builds a new array each time.
    static let all: ContiguousArray<ChannelKind> = ContiguousArray(allCases)
}

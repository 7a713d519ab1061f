import MartletModel

/// A source that runs wild, or somebody who plays with a form, does not flood a customer. Mandatory events too: what comes a hundred
/// times in a minute is not what the law asks for.
enum AbuseRule {
    static func ask(_ asking: borrowing Decider.Asking) -> RuleAnswer {
        guard asking.isFirst else { return RuleAnswer(.abuse, .ignored, .alreadyBegun) }
        let recent = asking.circumstances.recent
        return recent >= asking.definition.most
            ? RuleAnswer(.abuse, .suppresses(.abuseGuard), .tooMany, Int64(recent)) : RuleAnswer(.abuse, .passes, .fewEnough, Int64(recent))
    }
}

import MartletModel

/// A source that reports one thing twice under two keys is believed once, where the definition says by which parameters.
enum DuplicateRule {
    static func ask(_ asking: borrowing Decider.Asking) -> RuleAnswer {
        guard asking.definition.hasDuplicates else { return RuleAnswer(.duplicate, .ignored, .nothingAgainst) }
        guard asking.circumstances.stage == .fresh else { return RuleAnswer(.duplicate, .ignored, .alreadyBegun) }
        return asking.circumstances.isDuplicate
            ? RuleAnswer(.duplicate, .suppresses(.duplicateEvent), .cameBefore) : RuleAnswer(.duplicate, .passes, .firstOfItsKind)
    }
}

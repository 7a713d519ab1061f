import MartletModel

/// No customer gets more than a cap allows, whoever sends. What is told is counted when its record is made, in the customer's own partition,
/// so two sources never take the last place together.
enum CapRule {
    static func ask(_ asking: borrowing Decider.Asking) -> RuleAnswer {
        if asking.definition.isMandatory { return RuleAnswer(.cap, .ignored, .isMandatory) }
        if asking.definition.messageClass.ignoresCaps { return RuleAnswer(.cap, .ignored, .classIgnoresIt) }
        guard asking.isFirst else { return RuleAnswer(.cap, .ignored, .alreadyBegun) }
        let used = asking.definition.caps & asking.circumstances.usedCaps
        return used == 0
            ? RuleAnswer(.cap, .passes, .noneUsedUp)
            : RuleAnswer(.cap, .suppresses(.capReached), .capUsedUp, Int64(used.trailingZeroBitCount))
    }
}

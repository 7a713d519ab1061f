import MartletModel

/// What was set aside for it, such as the parts of a mailing, is not exceeded. Never asked of what concerns the customer's money or safety.
enum BudgetRule {
    static func ask(_ asking: borrowing Decider.Asking) -> RuleAnswer {
        if asking.definition.isMandatory { return RuleAnswer(.budget, .ignored, .isMandatory) }
        if asking.definition.messageClass.ignoresCaps { return RuleAnswer(.budget, .ignored, .classIgnoresIt) }
        return asking.circumstances.hasBudget
            ? RuleAnswer(.budget, .passes, .nothingAgainst) : RuleAnswer(.budget, .suppresses(.budget), .budgetUsedUp)
    }
}

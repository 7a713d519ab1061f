import MartletModel

/// Whom the event is for, as its definition says it by what the bank knows of the customer. A definition that says nothing is for all.
enum ConditionsRule {
    static func ask(_ customer: borrowing Customer, _ decider: borrowing Decider, _ asking: borrowing Decider.Asking) -> RuleAnswer {
        let conditions = asking.definition.conditions
        if conditions.isEmpty { return RuleAnswer(.conditions, .ignored, .hasNoCondition) }
        for place in conditions where !decider.conditions[Int(place)].holds(of: customer) {
            return RuleAnswer(
                .conditions, .suppresses(.conditionNotMet), .missesCondition, Int64(place - conditions.lowerBound))
        }
        return RuleAnswer(.conditions, .passes, .meetsConditions)
    }
}

import MartletModel

/// What happened too long ago is not worth telling. Of one that was held the time has passed while it waited.
enum StaleRule {
    static func ask(_ asking: borrowing Decider.Asking, _ deadline: Int64) -> RuleAnswer {
        let left = deadline &- asking.circumstances.now
        guard left <= 0 else { return RuleAnswer(.stale, .passes, .inTime, left / 1_000_000) }
        let reason: SuppressionReason = asking.circumstances.stage == .release ? .heldPastDeadline : .stale
        return RuleAnswer(.stale, .suppresses(reason), .late, -left / 1_000_000)
    }
}

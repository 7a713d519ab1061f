import MartletModel

/// Of two events about the same thing only the newer is told, when the older still waits.
enum SupersededRule {
    static func ask(_ asking: borrowing Decider.Asking) -> RuleAnswer {
        asking.circumstances.isSuperseded
            ? RuleAnswer(.superseded, .suppresses(.superseded), .newerCame) : RuleAnswer(.superseded, .passes, .nothingAgainst)
    }
}

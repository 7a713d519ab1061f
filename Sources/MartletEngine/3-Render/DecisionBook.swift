public import MartletModel

/// All of one release that deciding and writing go by: immutable, swapped whole. A class, so that taking hold of it is one count.
public final class DecisionBook: Sendable {
    public let release: UInt32
    public let rules: DecisionRules
    public let decider: Decider
    public let wording: Wording

    public init(release: UInt32, rules: DecisionRules, decider: Decider, wording: Wording) {
        self.release = release
        self.rules = rules
        self.decider = decider
        self.wording = wording
    }
}

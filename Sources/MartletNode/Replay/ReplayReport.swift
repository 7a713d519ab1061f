public import MartletEngine
public import MartletModel

/// What deciding again came to.
public struct ReplayReport: Sendable {
    /// A decision that came out otherwise than its record says.
    public struct Difference: Equatable, Sendable {
        public var id: MessageID
        /// Wall microseconds.
        public var at: Int64
        public var event: UInt16
        public var release: UInt32
        public var fields: DecisionFields
        public var recorded: ReplayVerdict
        public var again: ReplayVerdict
    }

    /// Ids, differences and damaged places that are named; of more the number is told.
    public static let named = 20

    /// Records of all kinds that were read.
    public var records = 0
    /// Recorded decisions of the wanted time, whatever became of them here.
    public private(set) var decisions = 0
    /// Those that were decided again.
    public private(set) var compared = 0
    public private(set) var differences = 0
    public private(set) var different: [Difference] = []
    /// Those whose sealed part nobody can open any more.
    public private(set) var erased = 0
    /// Texts that were written again and compared, and those that cannot be written from what is recorded.
    public private(set) var texts = 0
    public private(set) var unknownTexts: [WrittenAgain.Why: Int] = [:]
    public private(set) var damagedCount = 0
    public private(set) var damage: [RecordedDecisions.Damage] = []
    /// Those whose release is not kept, by its number.
    public private(set) var missing: [UInt32: Int] = [:]
    /// The journal does not go back to its beginning.
    public var isTrimmed = false
    /// Wall microseconds of the journal's oldest and newest record; 0: it has none.
    public var oldest: Int64 = 0
    public var newest: Int64 = 0
    /// What another rulebook would change; nil: none was asked for.
    public private(set) var changes: ReplayChanges?

    /// - Parameter other: number of the other rulebook's release, 0 for one that is none; nil: there is no other.
    public init(other: UInt32? = nil) { changes = other.map { ReplayChanges(release: $0) } }

    /// All that could be read came out as it was recorded, and nothing was damaged.
    public var isSound: Bool { differences == 0 && damagedCount == 0 && missing.isEmpty }

    mutating func damaged(_ one: RecordedDecisions.Damage) {
        damagedCount += 1
        if damage.count < ReplayReport.named { damage.append(one) }
    }

    mutating func closed(_ id: MessageID) {
        decisions += 1
        erased += 1
    }

    mutating func withoutRelease(_ it: RecordedDecision) {
        decisions += 1
        missing[it.made.release, default: 0] += 1
    }

    mutating func compared(_ it: RecordedDecision, _ again: Redecision, text: WrittenAgain = .none) {
        decisions += 1
        compared += 1
        var fields = it.differences(from: again)
        switch text {
        case .none: break
        case .same: texts += 1
        case .other:
            texts += 1
            fields.insert(.text)
        case .unknown(let why): unknownTexts[why, default: 0] += 1
        }
        guard !fields.isEmpty else { return }
        differences += 1
        guard different.count < ReplayReport.named else { return }
        different.append(
            Difference(
                id: it.id, at: it.at, event: it.made.event, release: it.made.release, fields: fields,
                recorded: ReplayVerdict(outcome: it.made.outcome, reason: it.made.reason, rule: nil), again: ReplayVerdict(again)))
    }

    mutating func compared(_ it: RecordedDecision, _ other: Alternative) {
        decisions += 1
        compared += 1
        changes?.take(it, other)
    }
}

/// What was decided, with the rule that spoke against it.
public struct ReplayVerdict: Hashable, Comparable, Sendable {
    public var outcome: RecordBody.Decided.Outcome
    public var reason: SuppressionReason?
    /// Nil: none does, or it is not known.
    public var rule: DecisionRule?

    public init(outcome: RecordBody.Decided.Outcome, reason: SuppressionReason?, rule: DecisionRule?) {
        self.outcome = outcome
        self.reason = reason
        self.rule = rule
    }

    init(_ it: Redecision) { self.init(outcome: it.outcome, reason: it.reason, rule: it.rule) }

    /// `suppressed cap_reached`, `held`, `told`.
    public var words: String { reason.map { "\(outcome.word) \($0.word)" } ?? outcome.word }

    private var order: (UInt8, UInt8, UInt8) { (outcome.rawValue, reason?.rawValue ?? 0, rule?.rawValue ?? 0) }
    public static func < (one: ReplayVerdict, other: ReplayVerdict) -> Bool { one.order < other.order }
}

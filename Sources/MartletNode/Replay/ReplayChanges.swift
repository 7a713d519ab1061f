public import MartletEngine
public import MartletModel

/// What another rulebook would have decided otherwise: which rule, for which event, for whom.
public struct ReplayChanges: Sendable {
    /// Number of its release; 0: it is none.
    public let release: UInt32
    /// Decisions that would be other ones.
    public private(set) var count = 0
    /// Those whose answer is not certain: it asks of the node's memory what was not asked then.
    public private(set) var uncertain = 0
    public private(set) var outcomes: [RecordBody.Decided.Outcome: Pair] = [:]
    /// Rules that speak against it, or hold it.
    public private(set) var rules: [DecisionRule: Pair] = [:]
    public private(set) var reasons: [SuppressionReason: Pair] = [:]
    /// Of the texts of those whose parts are known both times.
    public private(set) var parts = Pair()
    /// Decisions to tell whose text cannot be written from what their records hold.
    public private(set) var unknownParts = 0
    /// By number of the definition, and by number of the customer's segment; 0: it has none, or nobody was known.
    public private(set) var events: [UInt16: Share] = [:]
    public private(set) var segments: [UInt16: Share] = [:]
    private var kinds: [Kind: Change] = [:]
    /// Changed decisions of further kinds, when there are too many kinds.
    public private(set) var others = 0

    /// Kinds of changes that are kept apart.
    public static let most = 1000

    public struct Pair: Equatable, Sendable {
        public var before = 0
        public var after = 0
    }

    /// Of the decisions about one definition, or one segment's customers.
    public struct Share: Equatable, Sendable {
        public var decisions = 0
        /// Of those, the ones that would be other ones.
        public var changed = 0
        public var told = Pair()

        fileprivate mutating func take(_ before: ReplayVerdict, _ after: ReplayVerdict, isChanged: Bool) {
            decisions += 1
            if isChanged { changed += 1 }
            if before.outcome == .told { told.before += 1 }
            if after.outcome == .told { told.after += 1 }
        }
    }

    /// One decision that would be another one.
    public struct Changed: Equatable, Sendable {
        public var id: MessageID
        /// Wall microseconds.
        public var at: Int64
        public var event: UInt16
        /// Number of the customer, as the admin API has it; 0: nobody was known.
        public var customer: SubjectNumber
        public var segment: UInt16
        public var before: ReplayVerdict
        public var after: ReplayVerdict
        public var fields: DecisionFields
        public var isUncertain: Bool

        /// Nil: it stays as it is.
        init?(_ it: RecordedDecision, _ other: Alternative) {
            guard !other.fields.isEmpty else { return nil }
            self.init(
                id: it.id, at: it.at, event: it.made.event, customer: it.made.subject, segment: it.facts.customer?.segment ?? 0,
                before: ReplayVerdict(outcome: it.made.outcome, reason: it.made.reason, rule: other.before.rule),
                after: ReplayVerdict(other.after), fields: other.fields, isUncertain: other.isUncertain)
        }

        public init(
            id: MessageID, at: Int64, event: UInt16, customer: SubjectNumber, segment: UInt16, before: ReplayVerdict, after: ReplayVerdict,
            fields: DecisionFields, isUncertain: Bool
        ) {
            self.id = id
            self.at = at
            self.event = event
            self.customer = customer
            self.segment = segment
            self.before = before
            self.after = after
            self.fields = fields
            self.isUncertain = isUncertain
        }
    }

    public struct Kind: Hashable, Comparable, Sendable {
        /// Number of the event's definition.
        public var event: UInt16
        public var before: ReplayVerdict
        public var after: ReplayVerdict
        public var fields: DecisionFields

        public static func < (one: Kind, other: Kind) -> Bool {
            if one.event != other.event { return one.event < other.event }
            if one.before != other.before { return one.before < other.before }
            return one.after != other.after ? one.after < other.after : one.fields.rawValue < other.fields.rawValue
        }
    }

    public struct Change: Equatable, Sendable {
        public var count = 0
        public var parts = Pair()
        /// The first.
        public var ids: [MessageID] = []
    }

    init(release: UInt32) { self.release = release }

    /// Those with most decisions first.
    public var changed: [(kind: Kind, change: Change)] {
        kinds.map { (kind: $0.key, change: $0.value) }
            .sorted { $0.change.count != $1.change.count ? $0.change.count > $1.change.count : $0.kind < $1.kind }
    }

    mutating func take(_ it: RecordedDecision, _ other: Alternative) {
        let before = ReplayVerdict(outcome: it.made.outcome, reason: it.made.reason, rule: other.before.rule)
        let after = ReplayVerdict(other.after)
        outcomes[before.outcome, default: Pair()].before += 1
        outcomes[after.outcome, default: Pair()].after += 1
        if let rule = before.rule { rules[rule, default: Pair()].before += 1 }
        if let rule = after.rule { rules[rule, default: Pair()].after += 1 }
        if let reason = before.reason { reasons[reason, default: Pair()].before += 1 }
        if let reason = after.reason { reasons[reason, default: Pair()].after += 1 }
        if let now = other.parts {
            parts.before += Int(it.made.partsOnAir)
            parts.after += now
        } else {
            unknownParts += 1
        }
        if other.isUncertain { uncertain += 1 }
        events[it.made.event, default: Share()].take(before, after, isChanged: !other.fields.isEmpty)
        segments[it.facts.customer?.segment ?? 0, default: Share()].take(before, after, isChanged: !other.fields.isEmpty)
        guard !other.fields.isEmpty else { return }
        count += 1
        let kind = Kind(event: it.made.event, before: before, after: after, fields: other.fields)
        guard kinds.count < ReplayChanges.most || kinds[kind] != nil else {
            others += 1
            return
        }
        var change = kinds[kind] ?? Change()
        change.count += 1
        if let now = other.parts {
            change.parts.before += Int(it.made.partsOnAir)
            change.parts.after += now
        }
        if change.ids.count < ReplayReport.named { change.ids.append(it.id) }
        kinds[kind] = change
    }
}

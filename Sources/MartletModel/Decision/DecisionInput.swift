/// What a decision reads of an event. Names no person; accounts and cards are keyed hashes.
public struct DecisionEvent: Equatable, Sendable {
    /// Number of the event's definition.
    public var event: UInt16
    /// Wall microseconds at which it happened, as its source says.
    public var occurredAt: Int64
    /// Wall microseconds until which its source wants it told; nil: as its definition says.
    public var deadline: Int64?
    /// Of the parameter that thresholds are about.
    public var amount: Money?
    /// 0: it says of none.
    public var account: UInt64
    public var card: UInt64

    public init(event: UInt16, occurredAt: Int64, deadline: Int64? = nil, amount: Money? = nil, account: UInt64 = 0, card: UInt64 = 0) {
        self.event = event
        self.occurredAt = occurredAt
        self.deadline = deadline
        self.amount = amount
        self.account = account
        self.card = card
    }
}

/// What a decision reads of the world at its moment; everything that is neither the event's, nor the customer's, nor the rulebook's.
public struct Circumstances: Equatable, Sendable {
    /// Wall microseconds.
    public var now: Int64
    public var stage: Stage
    /// Channels over which something can be handed over at all: a connection is there. What a person holds back waits, as ready texts do.
    public var channels: ChannelSet
    /// An event with the same values came before.
    public var isDuplicate: Bool
    /// A newer event took its place while it waited.
    public var isSuperseded: Bool
    /// What was set aside for it is not used up.
    public var hasBudget: Bool
    /// Events of the same definition and customer within the definition's limit, without this one.
    public var recent: UInt32
    /// Bit n: the customer has used up the rulebook's cap of that place.
    public var usedCaps: UInt32
    /// What of the plan is left out, in the order in which it was found; nearly always nothing.
    public var exclusions: ContiguousArray<Exclusion>

    public enum Stage: Equatable, Sendable {
        /// It has just come.
        case fresh
        /// It was held, and its time has come.
        case release
        /// Its plan has begun, and the step of this place is due.
        case step(UInt8)
    }

    public init(
        now: Int64, stage: Stage = .fresh, channels: ChannelSet = .all, isDuplicate: Bool = false, isSuperseded: Bool = false,
        hasBudget: Bool = true, recent: UInt32 = 0, usedCaps: UInt32 = 0, exclusions: ContiguousArray<Exclusion> = []
    ) {
        self.now = now
        self.stage = stage
        self.channels = channels
        self.isDuplicate = isDuplicate
        self.isSuperseded = isSuperseded
        self.hasBudget = hasBudget
        self.recent = recent
        self.usedCaps = usedCaps
        self.exclusions = exclusions
    }
}

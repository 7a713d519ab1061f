/// Whether, how and when a customer is told of an event; with what each rule said. Made anew into the same value, so that its lists keep their memory.
public struct Decision: Equatable, Sendable {
    public enum Outcome: Equatable, Sendable {
        /// Now: the messages of the first step that can work; those of later steps when their turn comes.
        case tell
        /// Decided anew then, wall microseconds.
        case hold(until: Int64)
        case suppress(SuppressionReason)
    }

    public var outcome: Outcome
    /// Rules in the order in which they were asked.
    public var said: ContiguousArray<RuleAnswer>
    /// Messages in the order of the plan: those that go now, those that may follow, and those that cannot work, with why.
    public var messages: ContiguousArray<PlannedMessage>
    /// Place of the plan in the rulebook's; -1: none was looked for.
    public var plan: Int16
    /// Number of the package by which the customer is told; 0: none was needed.
    public var package: UInt16
    /// Bit n: it counts for the rulebook's cap of that place, if it is told.
    public var caps: UInt32
    /// Wall microseconds after which it is no longer worth telling.
    public var deadline: Int64

    public init() {
        outcome = .suppress(.unpublished)
        said = []
        messages = []
        plan = -1
        package = 0
        caps = 0
        deadline = 0
    }

    public mutating func begin() {
        said.removeAll(keepingCapacity: true)
        messages.removeAll(keepingCapacity: true)
        outcome = .suppress(.unpublished)
        plan = -1
        package = 0
        caps = 0
        deadline = 0
    }

    public var reason: SuppressionReason? { if case .suppress(let reason) = outcome { reason } else { nil } }
}

/// One message of a plan.
public struct PlannedMessage: Equatable, Sendable {
    /// Place of its step in the plan.
    public var step: UInt8
    public var channel: ChannelKind
    /// Number of the customer's contact point; 0: none.
    public var contact: UInt8
    public var when: When

    public enum When: Equatable, Sendable {
        case now
        /// After the steps before it.
        case later
        /// Not at all, as things are now; looked at again when its step is due.
        case skipped(Skip)
    }

    public init(step: UInt8, channel: ChannelKind, contact: UInt8, when: When) {
        self.step = step
        self.channel = channel
        self.contact = contact
        self.when = when
    }

    /// Why it could not be made ready, though the rules let it go; nil: it could, or was not to be.
    public var obstacle: Skip? { if case .skipped(let why) = when, why.isObstacle { why } else { nil } }
}

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

    /// Why a channel cannot work for this customer. Raw values will stand in records: never change one. In the order in which it is looked at: what
    /// came furthest says most.
    public enum Skip: UInt8, CaseIterable, Comparable, Sendable {
        case noTemplate = 1
        case notInPackage = 2
        case switchedOff = 3
        case noConsent = 4
        case consentWithdrawn = 5
        case suppressed = 6
        case noContact = 7
        case contactForbidden = 8
        case contactOptedOut = 9
        case contactDead = 10
        case notServed = 11

        public static func < (one: Skip, other: Skip) -> Bool { one.rawValue < other.rawValue }

        public var word: String {
            switch self {
            case .noTemplate: "no_template"
            case .notInPackage: "not_in_package"
            case .switchedOff: "switched_off"
            case .noConsent: "no_consent"
            case .consentWithdrawn: "consent_withdrawn"
            case .suppressed: "suppressed"
            case .noContact: "no_contact"
            case .contactForbidden: "contact_forbidden"
            case .contactOptedOut: "contact_opted_out"
            case .contactDead: "contact_dead"
            case .notServed: "not_served"
            }
        }

        /// Of the notification, when nothing of its plan came further.
        public var reason: SuppressionReason {
            switch self {
            case .noTemplate, .contactForbidden, .notServed: .channelForbidden
            case .notInPackage: .notInPackage
            case .noConsent: .noConsent
            case .switchedOff, .consentWithdrawn, .contactOptedOut: .optedOut
            case .suppressed, .contactDead: .addressSuppressed
            case .noContact: .noContact
            }
        }
    }

    public init(step: UInt8, channel: ChannelKind, contact: UInt8, when: When) {
        self.step = step
        self.channel = channel
        self.contact = contact
        self.when = when
    }
}

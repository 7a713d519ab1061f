/// What a door hands in of an event: what happened, to whom, with its parameters checked against the definition.
public struct EventSubmission: Sendable {
    public var source: SourceNumber
    /// As the door read the event.
    public var definition: EventDefinition
    /// By place in that definition's parameters; nil: it was not said, and has no default.
    public var values: [ParameterValue?]
    /// The bank's reference of the customer.
    public var customer: String
    /// Wall microseconds.
    public var occurredAt: Int64
    /// Wall microseconds until which it is worth telling; nil: as the definition says.
    public var deadline: Int64?
    /// What a template without a sender of its own is sent under: the source's default.
    public var sender: String?
    /// The source's own word for it, at most 64 bytes; stored sealed, given back in answers.
    public var reference: String
    /// Of which ends the source is to be told.
    public var tells: Submission.Tells
    /// Where the request belongs in its sender's tracing; nil: it did not say.
    public var trace: TraceContext?
    /// When the door had read the whole request.
    public var receivedAt: Instant
    /// What tells a second try from a second event; nil: the source gave no key.
    public var idempotency: Idempotency?

    public init(
        source: SourceNumber, definition: EventDefinition, values: [ParameterValue?], customer: String, occurredAt: Int64,
        deadline: Int64? = nil, sender: String? = nil, reference: String = "", tells: Submission.Tells = [], trace: TraceContext? = nil,
        receivedAt: Instant, idempotency: Idempotency? = nil
    ) {
        self.source = source
        self.definition = definition
        self.values = values
        self.customer = customer
        self.occurredAt = occurredAt
        self.deadline = deadline
        self.sender = sender
        self.reference = reference
        self.tells = tells
        self.trace = trace
        self.receivedAt = receivedAt
        self.idempotency = idempotency
    }

    public static let customerMaximum = 64

    /// Its values by name.
    public var named: [EventPayload.NamedValue] {
        zip(definition.parameters, values).compactMap { parameter, value in value.map { EventPayload.NamedValue(parameter.name, $0) } }
    }

    /// Whether a value of class `secret` is among what it says.
    public var hasSecret: Bool {
        zip(definition.parameters, values).contains { parameter, value in parameter.dataClass == .secret && value != nil }
    }

    /// Bytes that the event takes in its record; more than `EventPayload.Happened.maximumBytes` are refused (`Refusal.eventTooLarge`).
    public var byteCount: Int {
        EventPayload.Happened(
            event: definition.number, occurredAt: occurredAt, deadline: 0, customer: 0, account: 1, card: 1, values: named
        ).bytes.count
    }
}

/// What the node makes of an event before it is decided: hashes under the keys that only it has, and what only its memory knows.
public struct EventFacts: Sendable {
    public var event: DecisionEvent
    /// Keyed hash of the customer's reference, as customers are found by.
    public var customer: UInt64
    /// Under which it is found while it is open: by definition, customer and the values that `supersedes` or a completion go by; 0: it need not be.
    public var knownAs: UInt64
    /// Of the open one that it supersedes or completes; 0: none.
    public var ends: UInt64
    /// Of the values that `duplicates` goes by, with definition and customer; 0: it has none.
    public var duplicate: UInt64
    /// That hash came before, within the definition's time.
    public var isDuplicate: Bool

    public init(
        event: DecisionEvent, customer: UInt64, knownAs: UInt64 = 0, ends: UInt64 = 0, duplicate: UInt64 = 0, isDuplicate: Bool = false
    ) {
        self.event = event
        self.customer = customer
        self.knownAs = knownAs
        self.ends = ends
        self.duplicate = duplicate
        self.isDuplicate = isDuplicate
    }
}

/// The events that there are, as doors look them up: those of one release, immutable, swapped whole.
public struct EventCatalogue: Sendable {
    /// Another one has another.
    public let generation: UInt64
    public let release: UInt32
    private let places: [String: Int]
    private let keys: [UInt16: String]
    private let packages: [UInt16: String]
    public let definitions: [EventDefinition]

    /// - Parameter definitions: of keys that differ.
    public init(generation: UInt64, release: UInt32, _ definitions: [EventDefinition], packages: [Package] = []) {
        self.generation = generation
        self.release = release
        self.definitions = definitions
        places = Dictionary(definitions.enumerated().map { ($0.element.key, $0.offset) }, uniquingKeysWith: { first, _ in first })
        keys = Dictionary(definitions.map { ($0.number, $0.key) }, uniquingKeysWith: { first, _ in first })
        self.packages = Dictionary(packages.map { ($0.number, $0.key) }, uniquingKeysWith: { first, _ in first })
    }

    /// No rulebook is in use.
    public static let empty = EventCatalogue(generation: 0, release: 0, [])
    public var isEmpty: Bool { definitions.isEmpty }

    public subscript(key: String) -> EventDefinition? { places[key].map { definitions[$0] } }
    /// Place among `definitions`, which is the place in the rulebook's rules.
    public func place(of key: String) -> Int? { places[key] }
    /// Key of the definition with this number; nil: there is none any more.
    public func key(of number: UInt16) -> String? { keys[number] }
    /// Key of the package with this number; nil: there is none any more.
    public func package(_ number: UInt16) -> String? { packages[number] }
}

/// What would be decided of an event, with what each rule said: the answer of `:explain`. Nothing was kept.
public struct Explanation: Sendable {
    public var release: UInt32
    public var outcome: Decision.Outcome
    /// Wall microseconds after which it is no longer worth telling.
    public var deadline: Int64
    /// Number of the package by which the customer is told; 0: none was needed.
    public var package: UInt16
    /// Key of the plan; nil: none was looked for.
    public var plan: String?
    public var rules: [RuleAnswer]
    /// What the sentences of the rules call what they name.
    public var names: RuleNames
    public var messages: [Message]
    /// The open notification whose place it would take, or which it would complete; nil: there is none.
    public var ends: Ending?

    /// What would become of an open notification.
    public struct Ending: Equatable, Sendable {
        public var id: MessageID
        /// Whose it is: it is named to nobody else.
        public var source: SourceNumber
        /// `superseded` or `completed`.
        public var reason: EndReason
        /// It ends; else it goes on with what has gone already, and nothing follows.
        public var isWhole: Bool

        public init(id: MessageID, source: SourceNumber, reason: EndReason, isWhole: Bool) {
            self.id = id
            self.source = source
            self.reason = reason
            self.isWhole = isWhole
        }
    }

    public struct Message: Sendable {
        public var planned: PlannedMessage
        /// As it would go out; nil: it does not go now, or holds a secret.
        public var text: String?
        public var from: String?
        /// Parts on the air; 0: it does not go now.
        public var parts: Int
        /// Key of the template and the language that it was written in.
        public var template: String?
        public var locale: String?
        /// Why it cannot be made ready, though the rules let it go, as its skip says it; nil: it can, or the rules do not.
        public var obstacle: String?

        public init(
            planned: PlannedMessage, text: String? = nil, from: String? = nil, parts: Int = 0, template: String? = nil,
            locale: String? = nil,
            obstacle: String? = nil
        ) {
            self.planned = planned
            self.text = text
            self.from = from
            self.parts = parts
            self.template = template
            self.locale = locale
            self.obstacle = obstacle
        }
    }

    public init(
        release: UInt32, outcome: Decision.Outcome, deadline: Int64, package: UInt16 = 0, plan: String? = nil, rules: [RuleAnswer] = [],
        names: RuleNames = RuleNames(), messages: [Message] = [], ends: Ending? = nil
    ) {
        self.release = release
        self.outcome = outcome
        self.deadline = deadline
        self.package = package
        self.plan = plan
        self.rules = rules
        self.names = names
        self.messages = messages
        self.ends = ends
    }
}

/// Why nothing was explained.
public enum ExplanationFault: Error, Equatable, Sendable {
    /// No rulebook is in use, or none that has events.
    case noRulebook
    /// This node has no such release (any more).
    case noRelease(UInt32)
    /// In that release there is no such event.
    case noEvent
    /// What the node has of the customer, or of all of them, cannot be read just now.
    case unreadableCustomer
    /// The node is stopping.
    case stopping
}

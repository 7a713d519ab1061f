/// Everything the log says of one notification, oldest first: what the state and trace answers are written from.
public struct Story: Sendable {
    public var id: MessageID
    public var source: SourceNumber
    public var messageClass: MessageClass
    public var state: MessageState
    public var reason: EndReason
    public var parts: UInt8
    /// Wall microseconds, as the two that follow.
    public var createdAt: Int64
    public var updatedAt: Int64
    public var deadline: Int64
    public var reference: String
    /// As the message came with it.
    public var trace: TraceContext?
    public var from: String
    /// Customer data: the door shows it to its own source only, pages show it masked.
    public var to: PhoneNumber
    /// It may have reached the customer twice, whichever attempts the log knows of: a crash may have taken an attempt's record.
    public var possibleDuplicate: Bool
    /// The message that this one, from a handset, is a reply to; `none` when it is none.
    public var inReplyTo = MessageID.none
    /// What was decided of an event, oldest first; empty for a ready text.
    public var decisions: [Decision] = []
    public var attempts: [Attempt]
    public var hops: [Hop]
    /// Code of the last answer that an attempt brought, `Outcome.code`; nil: none was told of.
    public var lastOutcome: UInt8?
    /// The last final state that a provider reported before the end.
    public var lastReceipt: ReceiptState?
    /// Where it failed; nil: it did not, or it is not over.
    public var failedHop: FailedHop?

    public struct Decision: Sendable {
        /// Wall microseconds.
        public var at: Int64
        public var made: RecordBody.Decided

        public init(at: Int64, made: RecordBody.Decided) {
            self.at = at
            self.made = made
        }
    }

    public struct Attempt: Sendable {
        public var n: Int
        /// Which message of the notification, by its ordinal: 1 the first. Each counts its attempts from 1.
        public var message: UInt8
        public var connection: String
        public var state: MessageState
        /// One for each part that the provider answered with an id.
        public var providerIDs: [String]
        public var submittedAt: Int64
        public var possibleDuplicate: Bool
        /// One row for each part that the provider took, in the order of the parts.
        public var receipts: [PartReceipt]

        public init(
            n: Int, connection: String, state: MessageState, providerIDs: [String], submittedAt: Int64, possibleDuplicate: Bool,
            receipts: [PartReceipt] = [], message: UInt8 = 1
        ) {
            self.n = n
            self.connection = connection
            self.state = state
            self.providerIDs = providerIDs
            self.submittedAt = submittedAt
            self.possibleDuplicate = possibleDuplicate
            self.receipts = receipts
            self.message = message
        }
    }

    /// What is known of one part that a provider took.
    public struct PartReceipt: Equatable, Sendable {
        /// From 1.
        public var part: Int
        public var providerID: String
        /// Its final state, else the last passing one; nil: nothing was heard yet.
        public var state: ReceiptState?
        /// The provider's error number; 0: none.
        public var error: UInt16
        /// Wall microseconds at which it was heard; 0: nothing was.
        public var at: Int64

        public init(part: Int, providerID: String, state: ReceiptState? = nil, error: UInt16 = 0, at: Int64 = 0) {
            self.part = part
            self.providerID = providerID
            self.state = state
            self.error = error
            self.at = at
        }
    }

    public struct Hop: Sendable {
        /// Wall microseconds.
        public var at: Int64
        /// One of the stages of the flow: accept, decide, send, track, end.
        public var hop: String
        /// What happened, in words: `accepted`, `part 1 submitted to harbour-1`, `receipt DELIVRD`.
        public var what: String
        /// More, as ordered name and value; never customer data.
        public var details: [(String, String)]

        public init(at: Int64, hop: String, what: String, details: [(String, String)] = []) {
            self.at = at
            self.hop = hop
            self.what = what
            self.details = details
        }
    }

    public init(
        id: MessageID, source: SourceNumber, messageClass: MessageClass, state: MessageState, reason: EndReason, parts: UInt8,
        createdAt: Int64, updatedAt: Int64, deadline: Int64, reference: String, trace: TraceContext? = nil, from: String, to: PhoneNumber,
        possibleDuplicate: Bool = false, attempts: [Attempt], hops: [Hop]
    ) {
        self.id = id
        self.source = source
        self.messageClass = messageClass
        self.state = state
        self.reason = reason
        self.parts = parts
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.deadline = deadline
        self.reference = reference
        self.trace = trace
        self.from = from
        self.to = to
        self.possibleDuplicate = possibleDuplicate
        self.attempts = attempts
        self.hops = hops
    }
}

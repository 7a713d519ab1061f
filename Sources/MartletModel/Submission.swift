/// What a door hands in, checked for shape: one ready text to one number.
public struct Submission: Sendable {
    public var source: SourceNumber
    public var messageClass: MessageClass
    public var to: PhoneNumber
    /// Sender id as shown on the handset: up to 11 letters and digits, or a number of up to 15 digits.
    public var from: String
    public var text: String
    /// The text is one part that its sender cut, and goes out behind this header; empty otherwise.
    public var userDataHeader: [UInt8]
    /// The sender's own word for it, at most 64 bytes; stored sealed, given back in answers.
    public var reference: String
    /// Seconds from acceptance after which it is no longer worth sending.
    public var validity: Int64
    /// Of which ends the source is to be told.
    public var tells: Tells
    /// Where the request belongs in its sender's tracing; nil: it did not say.
    public var trace: TraceContext?
    /// When the door had read the whole request, for the accept histogram.
    public var receivedAt: Instant

    public struct Tells: OptionSet, Sendable {
        public let rawValue: UInt8
        @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
        public static let delivered = Tells(rawValue: 1)
        /// Every end but a delivery.
        public static let failed = Tells(rawValue: 2)
    }

    public init(
        source: SourceNumber, messageClass: MessageClass, to: PhoneNumber, from: String, text: String,
        userDataHeader: [UInt8] = [], reference: String = "", validity: Int64? = nil, tells: Tells = [],
        trace: TraceContext? = nil, receivedAt: Instant
    ) {
        self.source = source
        self.messageClass = messageClass
        self.to = to
        self.from = from
        self.text = text
        self.userDataHeader = userDataHeader
        self.reference = reference
        self.tells = tells
        self.trace = trace
        self.validity = validity ?? messageClass.validity
        self.receivedAt = receivedAt
    }
}

/// The answer to a submission, given only after its record is durable.
public enum Acceptance: Sendable {
    case accepted(MessageID, parts: UInt8)
    case refused(Refusal)
}

/// Why a submission was not taken. Nothing of it was kept.
public enum Refusal: Equatable, Sendable {
    /// The text needs more parts than the limit.
    case tooManyParts(parts: Int, limit: Int)
    /// No connection group serves this number.
    case noRoute
    /// As many messages are open as the node may hold; try later.
    case full(retryAfterSeconds: Int)
    /// The journal cannot make anything durable now (disk full or failed); try later.
    case storage(retryAfterSeconds: Int)
    /// The node is stopping.
    case stopping
}

/// A sender system as the doors see it.
public struct Source: Sendable {
    public var number: SourceNumber
    public var name: String
    public var scopes: Set<Scope>
    /// Sender ids it may use; empty: any.
    public var senders: [String]
    /// Classes it may use; empty: any.
    public var classes: [MessageClass]
    public var defaultSender: String?
    public var defaultClass: MessageClass
    /// Client certificates its keys may be used with, as the rules of settings have them; empty: none is needed.
    public var certificates: [String]

    public enum Scope: String, CaseIterable, Sendable { case send, read }

    public init(
        number: SourceNumber, name: String, scopes: Set<Scope>, senders: [String] = [], classes: [MessageClass] = [],
        defaultSender: String? = nil, defaultClass: MessageClass = .transactional, certificates: [String] = []
    ) {
        self.number = number
        self.name = name
        self.scopes = scopes
        self.senders = senders
        self.classes = classes
        self.defaultSender = defaultSender
        self.defaultClass = defaultClass
        self.certificates = certificates
    }
}

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
    /// The octets behind that header as its sender wrote them, and their alphabet as `SMSText` numbers it: an operator that takes the
    /// alphabet gets them untouched. Empty: the text says it all.
    public var partOctets: [UInt8]
    public var partAlphabet: UInt8
    public var wishes: MessageWishes
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
    /// What tells a second try from a second message; nil: the source gave no key.
    public var idempotency: Idempotency?

    public struct Tells: OptionSet, Sendable {
        public let rawValue: UInt8
        @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
        public static let delivered = Tells(rawValue: 1)
        /// Every end but a delivery.
        public static let failed = Tells(rawValue: 2)
    }

    public init(
        source: SourceNumber, messageClass: MessageClass, to: PhoneNumber, from: String, text: String,
        userDataHeader: [UInt8] = [], partOctets: [UInt8] = [], partAlphabet: UInt8 = 0, wishes: MessageWishes = [],
        reference: String = "", validity: Int64? = nil, tells: Tells = [], trace: TraceContext? = nil, receivedAt: Instant,
        idempotency: Idempotency? = nil
    ) {
        self.source = source
        self.messageClass = messageClass
        self.to = to
        self.from = from
        self.text = text
        self.userDataHeader = userDataHeader
        self.partOctets = partOctets
        self.partAlphabet = partAlphabet
        self.wishes = wishes
        self.reference = reference
        self.tells = tells
        self.trace = trace
        self.validity = validity ?? messageClass.validity
        self.receivedAt = receivedAt
        self.idempotency = idempotency
    }
}

/// How a message is to behave on the handset, where its operator can do it. Raw values are in records.
public struct MessageWishes: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// Shown at once and not kept (message class 0).
    public static let flash = MessageWishes(rawValue: 1)
    /// Takes the place of one from this sender to this number that has not been delivered yet.
    public static let replacesPending = MessageWishes(rawValue: 2)
}

/// The answer to a submission, given only after its record is durable.
public enum Acceptance: Sendable {
    case accepted(MessageID, parts: UInt8)
    /// The answer that its idempotency key had before; nothing new was taken.
    case repeated(MessageID, parts: UInt8)
    case refused(Refusal)
}

/// Why a submission was not taken. Nothing of it was kept.
public enum Refusal: Equatable, Sendable {
    /// The text needs more parts than the limit.
    case tooManyParts(parts: Int, limit: Int)
    /// None of the alphabets that the operator takes has every letter of the text.
    case noAlphabet
    /// No connection group serves this number.
    case noRoute
    /// As many messages are open as the node may hold; try later.
    case full(retryAfterSeconds: Int)
    /// The journal cannot make anything durable now (disk full or failed); try later.
    case storage(retryAfterSeconds: Int)
    /// The node is stopping.
    case stopping
    /// The source sends more parts a second than it may; try later.
    case rateLimited(retryAfterSeconds: Int)
    /// The source has used up its parts of the day; the next day begins after so many seconds.
    case quotaUsedUp(retryAfterSeconds: Int)
    /// Its idempotency key came before with another body.
    case keyReused
    /// The first request with its idempotency key has no answer yet; try later.
    case keyInFlight(retryAfterSeconds: Int)
    /// No rulebook is in use, or none that has events; try later.
    case noRulebook(retryAfterSeconds: Int)
    /// The event says more than its record may hold.
    case eventTooLarge(bytes: Int, limit: Int)
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
    public var limits: SourceLimits
    /// Client certificates its keys may be used with, as the rules of settings have them; empty: none is needed.
    public var certificates: [String]

    public enum Scope: String, CaseIterable, Sendable { case send, read }

    public init(
        number: SourceNumber, name: String, scopes: Set<Scope>, senders: [String] = [], classes: [MessageClass] = [],
        defaultSender: String? = nil, defaultClass: MessageClass = .transactional, limits: SourceLimits = SourceLimits(),
        certificates: [String] = []
    ) {
        self.number = number
        self.name = name
        self.scopes = scopes
        self.senders = senders
        self.classes = classes
        self.defaultSender = defaultSender
        self.defaultClass = defaultClass
        self.limits = limits
        self.certificates = certificates
    }
}

/// How much a source may send, over all doors together. Zero stands for no limit.
public struct SourceLimits: Equatable, Sendable {
    /// Parts a second in the long run; security messages and codes have the same again, apart from the rest.
    public var rate: Int
    /// Parts at once after a silence; 0: as many as in one second.
    public var burst: Int
    /// Parts in one day. Security messages and codes count, and are taken beyond it.
    public var dailyQuota: Int

    public init(rate: Int = 0, burst: Int = 0, dailyQuota: Int = 0) {
        self.rate = rate
        self.burst = burst
        self.dailyQuota = dailyQuota
    }

    public static let rateRange = 0...100_000
    public static let quotaRange = 0...1_000_000_000
}

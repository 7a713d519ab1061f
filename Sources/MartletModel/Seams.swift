// The seams between the core and what surrounds it. All are confined to the event loop that owns the partitions:
// called on it, answered on it. None is Sendable on purpose.

/// What every door calls. One is made by the node.
public protocol Intake: AnyObject {
    /// Answers after the record is durable, or at once when it refuses. `then` runs on the same loop, in batches.
    func submit(_ submission: Submission, then: @escaping (Acceptance) -> Void)
    /// The events that may be submitted now, of the release in use.
    var catalogue: EventCatalogue { get }
    /// As `submit`, of an event: whatever is decided of it, it is accepted. A definition that a newer release took out is accepted, too, and
    /// then not told.
    func submit(event: EventSubmission, then: @escaping (Acceptance) -> Void)
    /// What would be decided of an event; keeps nothing.
    /// - Parameters:
    ///   - at: wall microseconds to decide at; nil: now.
    ///   - release: to decide under; nil: the one in use. The event's definition is one of it.
    func explain(
        _ event: EventSubmission, at: Int64?, release: UInt32?, then: @escaping (Result<Explanation, ExplanationFault>) -> Void)
    /// The story of a notification of this source; nil when there is none. Ended ones are found in the log.
    func story(of id: MessageID, source: SourceNumber, then: @escaping (Result<Story?, StoryFault>) -> Void)
    /// Ends a message of this source that no provider has; answers after that is durable.
    func cancel(_ id: MessageID, source: SourceNumber, then: @escaping (Cancellation) -> Void)
    /// Puts another text in the place of one that no provider has; answers after that is durable.
    func replace(_ id: MessageID, source: SourceNumber, with change: Replacement, then: @escaping (Replacement.Verdict) -> Void)
    /// Messages of this source, recent first, as the log has them. Takes a few milliseconds at most, none of them on the loop.
    func search(_ search: MessageSearch, source: SourceNumber, then: @escaping (Result<SearchPage, SearchFault>) -> Void)
    /// Tells this source again what it was not heard to take of its ends since then, at once: what was parked or put off, too. What was
    /// given up (`Notice.owedMilliseconds` after its end) is owed no more.
    /// - Parameters:
    ///   - since: wall milliseconds.
    ///   - then: how many these are; nil when the node takes no work.
    func tellAgain(_ source: SourceNumber, since: Int64, then: @escaping (Int?) -> Void)
    /// Runs once at the end of the batch of answers being given out, or now when none is: where a door flushes its sockets once.
    func afterAnswers(_ flush: @escaping () -> Void)
    /// Both clocks, read now.
    func now() -> Instant
}

extension Intake {
    // Of one that takes ready texts only.
    public var catalogue: EventCatalogue { .empty }
    public func submit(event: EventSubmission, then: @escaping (Acceptance) -> Void) { then(.refused(.noRulebook(retryAfterSeconds: 5))) }
    public func explain(
        _ event: EventSubmission, at: Int64?, release: UInt32?, then: @escaping (Result<Explanation, ExplanationFault>) -> Void
    ) { then(.failure(.noRulebook)) }
}

/// What is to stand in the place of a message's text; the rest stays as it was accepted.
public struct Replacement: Sendable {
    public var text: String
    /// Seconds from now; nil: its deadline stays.
    public var validity: Int64?
    public var tells: Submission.Tells
    public init(text: String, validity: Int64?, tells: Submission.Tells) {
        self.text = text
        self.validity = validity
        self.tells = tells
    }

    public enum Verdict: Equatable, Sendable {
        case replaced
        /// It had been handed to a provider, is about to be, or has ended.
        case tooLate
        /// The new text needs more parts than the limit.
        case tooManyParts
        /// No alphabet that its operator takes has the new text.
        case noAlphabet
        /// No message of this source.
        case notFound
        /// The journal could not make it durable; it may be asked again.
        case storage
    }
}

/// What became of the wish to cancel a message.
public enum Cancellation: Equatable, Sendable {
    case cancelled
    /// It had been handed to a provider, or had ended otherwise.
    case tooLate
    /// It had been decided that its customer is not told: there is nothing to cancel.
    case suppressed
    /// No message of this source.
    case notFound
    /// The journal could not make it durable; it may be asked again.
    case storage
}

/// The log holds the message but it could not be read.
public struct StoryFault: Error, Sendable {
    public var reason: String
    public init(reason: String) { self.reason = reason }
}

/// Sender systems and their keys.
public protocol SourceDirectory: AnyObject {
    /// The source this API key belongs to; nil for an unknown or revoked key. Takes the same time for both.
    func source(presenting key: some Collection<UInt8>) -> Source?
    func source(numbered number: SourceNumber) -> Source?
    func source(named name: String) -> Source?
    /// Grows by one at each change, so that a door may keep an answer for as long as it stays the same.
    var generation: UInt64 { get }
}

/// One way out, for example an SMPP bind. Made by a channel, fed by the node.
public protocol Connection: AnyObject {
    var name: String { get }
    var number: ConnectionNumber { get }
    var group: GroupNumber { get }
    /// Most parts on the wire and not answered.
    var window: Int { get }
    /// Parts handed over and not answered.
    var outstanding: Int { get }
    /// Parts that may be handed over now: window, pace and state taken together; 0 when not bound or held.
    var room: Int { get }
    /// At most `room` parts in all. Every one is answered by `ConnectionOwner.settled`, whatever happens to the bind.
    func hand(_ batch: [Handover])
    /// The open handovers of a connection that is to end are settled as unknown.
    func stop(then: @escaping () -> Void)
    var status: ConnectionStatus { get }
    /// What is known of how receipts of its group name messages; nil: as the answers do, or as the settings say.
    var naming: (any ReceiptNaming)? { get }
    /// Inquiries that may be put to the provider now, beside the window; nil: none can be, for as long as it is not bound or never.
    var inquiryRoom: Int? { get }
    /// At most `inquiryRoom`. Every one is answered by `ConnectionOwner.asked`, whatever happens to the bind.
    func ask(_ batch: [Inquiry])
}

extension Connection {
    public var naming: (any ReceiptNaming)? { nil }
    public var inquiryRoom: Int? { nil }
    public func ask(_ batch: [Inquiry]) {
        precondition(batch.isEmpty, "a connection without room is asked nothing")
    }
}

/// How a provider's receipts name what its answers named: some write one in hexadecimal and the other in decimal. One of a connection
/// group, which all its connections share. Taught only by pairs that the core is sure of.
public protocol ReceiptNaming: AnyObject {
    /// Whether the way is known: then another reading of an id needs the strictest proof.
    var isLearnt: Bool { get }
    /// Other ids that the receipt may mean, the likeliest first; empty when it can be read in one way only.
    func otherReadings(of heard: Heard) -> [String]
    /// This receipt was for the part whose answer had this id.
    func learn(answer: String, from heard: Heard)
}

/// What a connection calls back; the node is one.
public protocol ConnectionOwner: AnyObject {
    /// Answers of one read batch.
    func settled(_ batch: [Settled], by connection: any Connection)
    /// Receipts of one read batch; `durable` runs on the loop when their records are durable: then answer the provider.
    func heard(_ batch: [Heard], by connection: any Connection, durable: @escaping (Bool) -> Void)
    /// Messages from handsets of one read batch; `durable` runs on the loop when their records are durable: then answer the provider.
    func received(_ batch: [Inbound], by connection: any Connection, durable: @escaping (Bool) -> Void)
    /// The connection has room again, or lost it.
    func roomChanged(_ connection: any Connection)
    /// What the provider said to inquiries.
    func asked(_ batch: [InquiryAnswer], by connection: any Connection)
    func now() -> Instant
}

extension ConnectionOwner {
    /// Of an owner that asks nothing.
    public func asked(_ batch: [InquiryAnswer], by connection: any Connection) {}
}

public struct ConnectionStatus: Sendable {
    public enum State: String, Sendable { case stopped, connecting, binding, bound, waiting, draining }
    public var state: State
    public var outstanding: Int
    public var lastError: String
    public var since: Int64
    public init(state: State, outstanding: Int, lastError: String, since: Int64) {
        self.state = state
        self.outstanding = outstanding
        self.lastError = lastError
        self.since = since
    }
}

/// Names an open message to a connection and back; `generation` tells a reused slot from the one that was meant.
public struct SlotReference: Hashable, Sendable {
    public var index: UInt32
    public var generation: UInt32
    @inlinable public init(index: UInt32, generation: UInt32) {
        self.index = index
        self.generation = generation
    }
}

/// One message given to a connection: all parts whose bit is set in `partMask`, in order.
public struct Handover: Sendable {
    public var slot: SlotReference
    public var id: MessageID
    public var attempt: UInt8
    public var parts: UInt8
    /// Bit n set: part n (from 0) is to be sent.
    public var partMask: UInt16
    /// Common reference of the parts of one message (concatenation, 3GPP TS 23.040, 9.2.3.24.1 and .8).
    public var partsReference: UInt16
    public var messageClass: MessageClass
    public var to: PhoneNumber
    public var from: String
    public var text: String
    /// Of a part that its sender cut: it goes out before the text, which is that part's. Empty otherwise.
    public var userDataHeader: [UInt8]
    /// The octets behind that header as its sender wrote them, and their alphabet; empty: the text says it all.
    public var partOctets: [UInt8]
    public var partAlphabet: UInt8
    public var wishes: MessageWishes
    /// How the text is to be cut, a code of `SMSText`; 0: GSM 7-bit or UCS-2 with 8-bit references.
    public var textShape: UInt32
    /// Wall milliseconds after which the provider should give up.
    public var deadline: Int64
    public var acceptedAt: Instant

    public init(
        slot: SlotReference, id: MessageID, attempt: UInt8, parts: UInt8, partMask: UInt16, partsReference: UInt16,
        messageClass: MessageClass, to: PhoneNumber, from: String, text: String, userDataHeader: [UInt8] = [], partOctets: [UInt8] = [],
        partAlphabet: UInt8 = 0, wishes: MessageWishes = [], textShape: UInt32 = 0, deadline: Int64, acceptedAt: Instant
    ) {
        self.slot = slot
        self.id = id
        self.attempt = attempt
        self.parts = parts
        self.partMask = partMask
        self.partsReference = partsReference
        self.messageClass = messageClass
        self.to = to
        self.from = from
        self.text = text
        self.userDataHeader = userDataHeader
        self.partOctets = partOctets
        self.partAlphabet = partAlphabet
        self.wishes = wishes
        self.textShape = textShape
        self.deadline = deadline
        self.acceptedAt = acceptedAt
    }
}

/// What a provider said to one part, or that it said nothing.
public struct Settled: Sendable {
    public var slot: SlotReference
    public var attempt: UInt8
    public var part: UInt8
    public var outcome: Outcome
    /// Wall microseconds when the last byte was given to the socket.
    public var handedAt: Int64
    /// The id of `accepted` as the provider wrote it, where the outcome's is not that; else empty.
    public var rawID: String
    public init(slot: SlotReference, attempt: UInt8, part: UInt8, outcome: Outcome, handedAt: Int64, rawID: String = "") {
        self.slot = slot
        self.attempt = attempt
        self.part = part
        self.outcome = outcome
        self.handedAt = handedAt
        self.rawID = rawID
    }
}

/// Normal life is not an error: each is a value, and what follows is the class's.
public enum Outcome: Sendable, Equatable {
    /// The provider took it under this id, in the form in which ids of answers and receipts are compared.
    case accepted(providerID: String)
    /// Not now (throttled, queue full): tried again later; costs no attempt.
    case throttled(status: UInt32)
    /// A passing refusal: tried again later; costs an attempt.
    case deferred(status: UInt32)
    /// Refused for good.
    case refused(status: UInt32)
    /// Written, no answer heard.
    case unknown
    /// Handed over but not one byte was written; goes back as it was.
    case notWritten
    /// Does not fit this connection's alphabet or size.
    case unencodable
}

/// A receipt as a provider sent it, its id already in the form that the answers of this group use.
public struct Heard: Sendable {
    public var group: GroupNumber
    public var providerID: String
    public var state: ReceiptState
    /// The provider's error code, as number; 0 when none.
    public var error: UInt16
    /// The id as the receipt has it, without padding and in lower case.
    public var receiptID: String
    /// Digits of the handset that the receipt speaks of; 0: it does not say, or not as a number.
    public var handset: UInt64
    public init(
        group: GroupNumber, providerID: String, state: ReceiptState, error: UInt16, receiptID: String? = nil, handset: UInt64 = 0
    ) {
        self.group = group
        self.providerID = providerID
        self.state = state
        self.error = error
        self.receiptID = receiptID ?? providerID
        self.handset = handset
    }
}

/// message_state of SMPP 3.4, section 5.2.28; raw values are in records.
public enum ReceiptState: UInt8, CaseIterable, Sendable {
    case enroute = 1, delivered, expired, deleted, undeliverable, accepted, unknown, rejected

    public var isFinal: Bool {
        switch self {
        case .enroute, .accepted: false
        case .delivered, .expired, .deleted, .undeliverable, .unknown, .rejected: true
        }
    }

    public var word: String {
        switch self {
        case .enroute: "ENROUTE"
        case .delivered: "DELIVRD"
        case .expired: "EXPIRED"
        case .deleted: "DELETED"
        case .undeliverable: "UNDELIV"
        case .accepted: "ACCEPTD"
        case .unknown: "UNKNOWN"
        case .rejected: "REJECTD"
        }
    }
}

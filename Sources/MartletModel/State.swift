/// State of one message. Raw values are in records: never change one.
public enum MessageState: UInt8, CaseIterable, Sendable {
    case queued = 1
    /// Bytes were written to the provider, its answer is open.
    case submitted = 2
    /// The provider accepted all parts.
    case sent = 3
    case delivered = 4
    case failed = 5
    case expired = 6
    case cancelled = 7
    /// Written to the wire, no answer heard. Never folded into failed or sent.
    case unknown = 8
    /// Accepted and not to be sent, for a stated reason.
    case suppressed = 9
    /// A message from a handset: it ends as it begins, and its source is told of it.
    case received = 10
    /// A decision about it is due: held, or a later step of its plan. Nothing of it is on its way.
    case planned = 11

    public var isEnd: Bool {
        switch self {
        case .delivered, .failed, .expired, .cancelled, .suppressed, .received: true
        case .queued, .submitted, .sent, .unknown, .planned: false
        }
    }

    public var word: String {
        switch self {
        case .queued: "queued"
        case .submitted: "submitted"
        case .sent: "sent"
        case .delivered: "delivered"
        case .failed: "failed"
        case .expired: "expired"
        case .cancelled: "cancelled"
        case .unknown: "unknown"
        case .suppressed: "suppressed"
        case .received: "received"
        case .planned: "planned"
        }
    }

    /// State of the obligation while it has this one message.
    public var notificationWord: String {
        switch self {
        case .queued, .submitted, .sent, .unknown, .planned: "open"
        case .delivered, .failed, .expired, .cancelled, .suppressed, .received: word
        }
    }
}

/// Why a message ended as it did. A closed list; raw values are in records.
public enum EndReason: UInt8, CaseIterable, Sendable {
    case none = 0
    /// The provider refused it for good; its status is in the attempt.
    case refused = 1
    /// The receipt says it did not reach the handset.
    case undeliverable = 2
    /// The deadline passed before a provider took it.
    case notSentInTime = 3
    /// A provider took it and its final receipt never came.
    case noReceipt = 4
    case cancelledBySource = 5
    case cancelledByOperator = 6
    /// Every attempt the class allows was made.
    case attemptsUsedUp = 7
    /// The text or sender cannot be put into the connection's alphabet or size.
    case cannotBeEncoded = 8
    /// Its text could not be read back from the journal (damage); an alarm was raised.
    case payloadLost = 9
    /// The customer wants none of it: an opt-out word, a consent withdrawn, an event or channel switched off.
    case optedOut = 10
    /// Its deadline passed while a provider had it, and the provider took it back.
    case withdrawn = 11
    /// Its customer was erased, and with the customer's key its text.
    case customerErased = 12
    /// Another message of the same notification arrived first.
    case notNeeded = 13
    /// What it asked for was done.
    case completed = 14
    // From here on 32 + `SuppressionReason`, but for its `optedOut`, which is 10.
    case unknownCustomer = 33
    case unpublished = 34
    case notInPackage = 35
    case belowThreshold = 36
    case noConsent = 37
    case addressSuppressed = 39
    case noContact = 40
    case channelForbidden = 41
    case capReached = 42
    case heldPastDeadline = 43
    case stale = 44
    case duplicateEvent = 45
    case superseded = 46
    case abuseGuard = 47
    case budget = 48
    case conditionNotMet = 49

    public var word: String {
        switch self {
        case .none: ""
        case .refused: "refused"
        case .undeliverable: "undeliverable"
        case .notSentInTime: "not_sent_in_time"
        case .noReceipt: "no_receipt"
        case .cancelledBySource: "cancelled_by_source"
        case .cancelledByOperator: "cancelled_by_operator"
        case .attemptsUsedUp: "attempts_used_up"
        case .cannotBeEncoded: "cannot_be_encoded"
        case .payloadLost: "payload_lost"
        case .optedOut: "opted_out"
        case .withdrawn: "withdrawn"
        case .customerErased: "customer_erased"
        case .notNeeded: "not_needed"
        case .completed: "completed"
        case .unknownCustomer, .unpublished, .notInPackage, .belowThreshold, .noConsent, .addressSuppressed, .noContact,
            .channelForbidden, .capReached, .heldPastDeadline, .stale, .duplicateEvent, .superseded, .abuseGuard, .budget,
            .conditionNotMet:
            suppression?.word ?? ""
        }
    }

    public var doc: String {
        switch self {
        case .none: "No reason is needed."
        case .refused: "The provider refused the message for good; its status stands in the attempt."
        case .undeliverable: "The receipt says that it did not reach the handset."
        case .notSentInTime: "The deadline passed before a provider took it."
        case .noReceipt: "A provider took it and no final receipt came."
        case .cancelledBySource: "The source cancelled it before it was handed over, or its provider forgot it at the source's wish."
        case .cancelledByOperator: "An operator of Martlet cancelled it before it was handed over."
        case .attemptsUsedUp: "Every attempt that the class allows was made."
        case .cannotBeEncoded: "Its text or sender does not fit the connection's alphabet or size."
        case .optedOut:
            "The customer wants none of it: answered with an opt-out word, withdrew the consent, or switched off the event, its channels or its address."
        case .withdrawn: "Its deadline passed while a provider had it, and the provider was told to forget it and did."
        case .customerErased: "Its customer was erased before it was handed over; address and text are gone with the customer's key."
        case .payloadLost: "Its text could not be read back from the journal because the disk damaged it; an alarm was raised."
        case .notNeeded: "Another message of the same notification arrived first."
        case .completed: "What it asked its customer for was done."
        case .unknownCustomer, .unpublished, .notInPackage, .belowThreshold, .noConsent, .addressSuppressed, .noContact,
            .channelForbidden, .capReached, .heldPastDeadline, .stale, .duplicateEvent, .superseded, .abuseGuard, .budget,
            .conditionNotMet:
            suppression?.doc ?? ""
        }
    }

    /// Of a decision not to tell, as a reason of an end.
    public init(_ suppression: SuppressionReason) {
        self = suppression == .optedOut ? .optedOut : EndReason(rawValue: EndReason.suppressions + suppression.rawValue) ?? .none
    }

    /// Which rule's reason it is; nil: none's. An opt-out may be a rule's or an answer from a handset.
    public var suppression: SuppressionReason? {
        self == .optedOut ? .optedOut : SuppressionReason(rawValue: rawValue &- EndReason.suppressions)
    }

    private static let suppressions: UInt8 = 32
}

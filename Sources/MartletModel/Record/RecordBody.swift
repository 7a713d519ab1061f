/// The clear part of a record after its header, by kind. Strings here are a provider's ids and the names of our own connections:
/// no customer data.
public enum RecordBody: Equatable, Sendable {
    case accepted(Accepted)
    case answered(Answered)
    case receipt(Receipt)
    case ended(Ended)
    case resumed(Resumed)
    case carried(Carried)
    case orphan(Orphan)
    case mark(Mark)
    case told(Told)
    case rerouted(Rerouted)
    case ledger(Ledger)
    case inbound(Inbound)
    case preference(Preference)
    /// As `carried`, so that it stands for the whole message when the record that accepted it is trimmed; parts, deadline and wishes are
    /// the header's.
    case replaced(Carried)
    case asked(Asked)
    case decided(Decided)
    case counted(Counted)
    case subscribed(Subscribed)

    public struct Accepted: Equatable, Sendable {
        /// Wall microseconds at which the door had read the whole request.
        public var receivedAt: Int64
        /// Parts on the air, where one submit carries several; 0: as many as the header's submits.
        public var partsOnAir: UInt8
        public init(receivedAt: Int64, partsOnAir: UInt8 = 0) {
            self.receivedAt = receivedAt
            self.partsOnAir = partsOnAir
        }

        /// What quotas count and the source was told.
        public func parts(_ header: RecordHeader) -> UInt8 { partsOnAir == 0 ? header.parts : partsOnAir }
    }

    public struct Answered: Equatable, Sendable {
        public var attempt: UInt8
        public var part: UInt8
        public var outcome: Outcome
        public var handedAt: Int64
        public var connection: String
        /// The provider's id as it wrote it, where the outcome's is not that; else empty.
        public var rawID: String
        public init(
            attempt: UInt8, part: UInt8, outcome: Outcome, handedAt: Int64, connection: String, rawID: String = ""
        ) {
            self.attempt = attempt
            self.part = part
            self.outcome = outcome
            self.handedAt = handedAt
            self.connection = connection
            self.rawID = rawID
        }
    }

    public struct Receipt: Equatable, Sendable {
        public var part: UInt8
        public var state: ReceiptState
        public var error: UInt16
        public var providerID: String
        /// Heard as the answer to a question of ours (query_sm), not as a receipt.
        public var isAnswer: Bool
        /// Wall seconds at which the provider says that it ended; 0: not told. Only of an answer.
        public var endedAt: Int64
        public init(part: UInt8, state: ReceiptState, error: UInt16, providerID: String, isAnswer: Bool = false, endedAt: Int64 = 0) {
            self.part = part
            self.state = state
            self.error = error
            self.providerID = providerID
            self.isAnswer = isAnswer
            self.endedAt = endedAt
        }
    }

    /// An answer that settles its part is a `receipt`; all others, and the answers to a cancellation, stand here.
    public struct Asked: Equatable, Sendable {
        public var what: Inquiry.What
        public var part: UInt8
        /// How often the message was asked about, and whether its provider was told to forget it, as a slot keeps it.
        public var tries: UInt8
        public var result: InquiryAnswer.Result
        public var providerID: String
        public var connection: String
        public init(
            what: Inquiry.What, part: UInt8, tries: UInt8, result: InquiryAnswer.Result, providerID: String, connection: String
        ) {
            self.what = what
            self.part = part
            self.tries = tries
            self.result = result
            self.providerID = providerID
            self.connection = connection
        }
    }

    public struct Ended: Equatable, Sendable {
        public var state: MessageState
        public var reason: EndReason
        public init(state: MessageState, reason: EndReason) {
            self.state = state
            self.reason = reason
        }
    }

    public struct Resumed: Equatable, Sendable {
        public var why: Why
        /// For `replanned`: how its text is planned from here on, a code of `SMSText`, and in how many submits; 0 otherwise.
        public var textShape: UInt32
        public var submits: UInt8
        /// Raw values are in records.
        public enum Why: UInt8, CaseIterable, Sendable {
            /// The answer stayed out and the class sends again.
            case unknown = 1
            /// It may have been handed over when the process died.
            case restart = 2
            /// As `restart`, but its class does not send again by itself: it stays unknown.
            case left = 3
            /// Nothing of it is out, and its operator no longer takes what was planned: planned anew.
            case replanned = 4
        }
        public init(why: Why, textShape: UInt32 = 0, submits: UInt8 = 0) {
            self.why = why
            self.textShape = textShape
            self.submits = submits
        }
    }

    public struct Carried: Equatable, Sendable {
        public var state: MessageState
        public var attempts: UInt8
        public var resends: UInt8
        public var strikes: UInt8
        public var answeredParts: UInt16
        public var deliveredParts: UInt16
        public var failedParts: UInt16
        public var unknownParts: UInt16
        /// Common reference of the parts on the wire: parts sent later must carry the same.
        public var partsReference: UInt16
        /// Wall milliseconds before which it is not tried again; 0: at once.
        public var notBefore: Int64
        /// Raw position of the record that accepted it: who is older, after that record was trimmed.
        public var order: UInt64
        /// Keyed hashes of the provider ids still waited for, with their part.
        public var providerKeys: [ProviderKey]
        /// As the newest `replanned` left it; 0: as the payload says.
        public var textShape: UInt32
        /// Of one that ended undelivered: the provider's error number in the receipt; 0: none.
        public var error: UInt16
        /// Of one that has not ended: how often its provider was asked about it, as a slot keeps it; 0: never.
        public var tries: UInt8
        /// What an event's message has beside; nil: it is none's.
        public var event: Event?

        public struct ProviderKey: Equatable, Sendable {
            public var hash: UInt64
            public var part: UInt8
            public init(hash: UInt64, part: UInt8) {
                self.hash = hash
                self.part = part
            }
        }

        public init(
            state: MessageState, attempts: UInt8, resends: UInt8, strikes: UInt8, answeredParts: UInt16, deliveredParts: UInt16,
            failedParts: UInt16,
            unknownParts: UInt16, partsReference: UInt16, notBefore: Int64, order: UInt64, providerKeys: [ProviderKey],
            textShape: UInt32 = 0, error: UInt16 = 0, tries: UInt8 = 0, event: Event? = nil
        ) {
            self.state = state
            self.attempts = attempts
            self.resends = resends
            self.strikes = strikes
            self.answeredParts = answeredParts
            self.deliveredParts = deliveredParts
            self.failedParts = failedParts
            self.unknownParts = unknownParts
            self.partsReference = partsReference
            self.notBefore = notBefore
            self.order = order
            self.providerKeys = providerKeys
            self.textShape = textShape
            self.error = error
            self.tries = tries
            self.event = event
        }
    }

    public struct Orphan: Equatable, Sendable {
        public var state: ReceiptState
        public var error: UInt16
        public var providerID: String
        public init(state: ReceiptState, error: UInt16, providerID: String) {
            self.state = state
            self.error = error
            self.providerID = providerID
        }
    }

    public struct Mark: Equatable, Sendable {
        public var what: What
        /// For `credit`: the most parts of the group that may be handed over and not yet recorded.
        public var value: UInt32
        /// For `hold`: the classes held on the header's group, as `ClassSet`; group 0 stands for all groups.
        /// For `operated`: who did what; what is beyond 255 bytes is cut off.
        public var text: String
        /// Raw values are in records.
        public enum What: UInt8, CaseIterable, Sendable {
            case started = 1
            case stopped = 2
            case credit = 3
            case operated = 4
            /// Nothing but the partition's newest sequence, kept when all its other records are trimmed.
            case head = 5
            /// Classes that a person holds back; the newest of a group counts.
            case hold = 6
        }
        public init(what: What, value: UInt32 = 0, text: String = "") {
            self.what = what
            self.value = value
            self.text = text
        }
    }

    public struct Told: Equatable, Sendable {
        public var outcome: ToldOutcome
        /// Where it heard: name of the bind or of the endpoint; empty when it was given up.
        public var teller: String
        public init(outcome: ToldOutcome, teller: String) {
            self.outcome = outcome
            self.teller = teller
        }
    }

    /// A person moved a waiting message from the header's group to another.
    public struct Rerouted: Equatable, Sendable {
        public var group: GroupNumber
        public init(group: GroupNumber) { self.group = group }
    }

    /// The sums of the header's source as of this place in the log: all records before it are in them.
    public struct Ledger: Equatable, Sendable {
        public var accepted: UInt64
        public var ended: UInt64
        /// Days since 1970 of the day that the next two are of; it begins where the node's setting says.
        public var day: Int32
        public var dayMessages: UInt64
        public var dayParts: UInt64
        public init(accepted: UInt64, ended: UInt64, day: Int32, dayMessages: UInt64, dayParts: UInt64) {
            self.accepted = accepted
            self.ended = ended
            self.day = day
            self.dayMessages = dayMessages
            self.dayParts = dayParts
        }
    }

    public struct Inbound: Equatable, Sendable {
        /// Parts of the message.
        public var total: UInt8
        /// The part that this record holds, from 1; 0: the whole message, in place of its parts.
        public var number: UInt8
        /// Parts that had not come when the message was given up waiting for.
        public var missing: UInt8
        /// The last message to the handset, when this one came soon enough after it; all zero: none.
        public var inReplyTo: MessageID
        public init(total: UInt8, number: UInt8, missing: UInt8 = 0, inReplyTo: MessageID = .none) {
            self.total = total
            self.number = number
            self.missing = missing
            self.inReplyTo = inReplyTo
        }
    }

    public struct Preference: Equatable, Sendable {
        /// Keyed hash of the customer's number.
        public var number: UInt64
        /// Classes that are not wanted, a bit each by raw value; none: opted in again.
        public var unwanted: ClassSet
        /// Keyed hash of the same number under which customers are found; 0: not known, as in a copy forward.
        public var address: UInt64
        public init(number: UInt64, unwanted: ClassSet, address: UInt64 = 0) {
            self.number = number
            self.unwanted = unwanted
            self.address = address
        }
    }

    /// What a customer said of a package; when, is the header's. The node knew the handset as this one customer's.
    public struct Subscribed: Equatable, Sendable {
        public var subject: SubjectNumber
        public var package: UInt16
        /// False: wants it no more, for no account and no card.
        public var isWanted: Bool
        /// The message that said so.
        public var message: MessageID
        public init(subject: SubjectNumber, package: UInt16, isWanted: Bool, message: MessageID) {
            self.subject = subject
            self.package = package
            self.isWanted = isWanted
            self.message = message
        }
    }

    public var kind: RecordKind {
        switch self {
        case .accepted: .accepted
        case .answered: .answered
        case .receipt: .receipt
        case .ended: .ended
        case .resumed: .resumed
        case .carried: .carried
        case .orphan: .orphan
        case .mark: .mark
        case .told: .told
        case .rerouted: .rerouted
        case .ledger: .ledger
        case .inbound: .inbound
        case .preference: .preference
        case .replaced: .replaced
        case .asked: .asked
        case .decided: .decided
        case .counted: .counted
        case .subscribed: .subscribed
        }
    }
}

/// One thing that happened, as the fold sees it. The sealed part travels beside it.
public struct Record: Equatable, Sendable {
    public var header: RecordHeader
    public var body: RecordBody

    public init(header: RecordHeader, body: RecordBody) {
        self.header = header
        self.body = body
    }
}

/// A question to a provider about one part that it took, or the wish that it forget that part.
public struct Inquiry: Sendable {
    public var slot: SlotReference
    public var what: What
    public var part: UInt8
    /// As the provider's answer to the part named it.
    public var providerID: String
    /// The same as the provider wrote it, where `providerID` is not that: an id means something only octet by octet.
    public var rawID: String
    /// Its class goes before others.
    public var isStrict: Bool
    /// Addresses of the message: a provider checks them against what it took.
    public var from: String
    public var to: PhoneNumber

    /// Raw values are in records.
    public enum What: UInt8, CaseIterable, Sendable {
        /// What became of it? (query_sm)
        case query = 1
        /// Do not deliver it any more. (cancel_sm)
        case cancel = 2

        /// Word of metrics and stories.
        public var word: String {
            switch self {
            case .query: "query"
            case .cancel: "cancel"
            }
        }
    }

    public init(
        slot: SlotReference, what: What, part: UInt8, providerID: String, rawID: String = "", isStrict: Bool = false, from: String,
        to: PhoneNumber
    ) {
        self.slot = slot
        self.what = what
        self.part = part
        self.providerID = providerID
        self.rawID = rawID
        self.isStrict = isStrict
        self.from = from
        self.to = to
    }

    /// What stands on the wire.
    public var wireID: String { rawID.isEmpty ? providerID : rawID }
}

/// What a provider said to an inquiry, or why it said nothing.
public struct InquiryAnswer: Sendable {
    public var slot: SlotReference
    public var what: Inquiry.What
    public var part: UInt8
    public var providerID: String
    public var result: Result

    public enum Result: Equatable, Sendable {
        /// How the part stands. `error` is the provider's code, 0: none; `endedAt` wall seconds, 0: not told.
        case state(ReceiptState, error: UInt16, endedAt: Int64)
        /// The provider will not deliver the part.
        case cancelled
        /// Refused with this status: the part is not known to it any more, or too late.
        case refused(status: UInt32)
        /// The provider does not know the command at all.
        case notKnown(status: UInt32)
        /// No answer came in time.
        case silent
        /// Not put to the provider, since there is no bind, or it is left alone for now.
        case notAsked
        /// Not put to the provider: its id for the part is not in the log any more.
        case notFound
        /// Put to the provider, and the bind was lost before its answer.
        case lost
        /// The provider is too busy just now: as if it had not been asked.
        case notNow(status: UInt32)

        /// Whether it was a question that the provider took.
        public var wasPut: Bool {
            switch self {
            case .state, .cancelled, .refused, .notKnown, .silent, .notFound, .lost: true
            case .notAsked, .notNow: false
            }
        }
    }

    public init(slot: SlotReference, what: Inquiry.What, part: UInt8, providerID: String, result: Result) {
        self.slot = slot
        self.what = what
        self.part = part
        self.providerID = providerID
        self.result = result
    }

    public init(_ inquiry: Inquiry, _ result: Result) {
        self.init(slot: inquiry.slot, what: inquiry.what, part: inquiry.part, providerID: inquiry.providerID, result: result)
    }
}

extension InquiryAnswer.Result {
    /// On disk; never change one. Those that were not put to a provider are in no record.
    public var code: UInt8 {
        switch self {
        case .state: 1
        case .cancelled: 2
        case .refused: 3
        case .notKnown: 4
        case .silent: 5
        case .notAsked: 6
        case .notFound: 7
        case .lost: 8
        case .notNow: 9
        }
    }

    public var status: UInt32 {
        switch self {
        case .refused(let status), .notKnown(let status), .notNow(let status): status
        case .state, .cancelled, .silent, .notAsked, .notFound, .lost: 0
        }
    }

    /// Word of metrics and stories.
    public var word: String { InquiryAnswer.Result.words[Int(code) - 1] }

    /// By code, from 1.
    public static let words = ["state", "cancelled", "refused", "not_known", "silent", "not_asked", "not_found", "lost", "not_now"]
}

/// Which inquiries a provider is sent.
public struct InquirySet: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    public static let query = InquirySet(rawValue: 1)
    public static let cancel = InquirySet(rawValue: 2)
    public static let all: InquirySet = [.query, .cancel]

    public init(_ what: Inquiry.What) {
        switch what {
        case .query: self = .query
        case .cancel: self = .cancel
        }
    }
}

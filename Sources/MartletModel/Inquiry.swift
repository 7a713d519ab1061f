/// A question to a provider about one part that it took, or the wish that it forget that part.
public struct Inquiry: Sendable {
    public var slot: SlotReference
    public var what: What
    public var part: UInt8
    /// As the provider's answer to the part named it.
    public var providerID: String
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

    public init(slot: SlotReference, what: What, part: UInt8, providerID: String, from: String, to: PhoneNumber) {
        self.slot = slot
        self.what = what
        self.part = part
        self.providerID = providerID
        self.from = from
        self.to = to
    }
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
        /// Not put to the provider, since there is no bind; or the bind was lost before its answer.
        case notAsked
        /// Not put to the provider: its id for the part is not in the log any more.
        case notFound
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
        }
    }

    public var status: UInt32 {
        switch self {
        case .refused(let status), .notKnown(let status): status
        case .state, .cancelled, .silent, .notAsked, .notFound: 0
        }
    }

    /// Word of metrics and stories.
    public var word: String { InquiryAnswer.Result.words[Int(code) - 1] }

    /// By code, from 1.
    public static let words = ["state", "cancelled", "refused", "not_known", "silent", "not_asked", "not_found"]
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

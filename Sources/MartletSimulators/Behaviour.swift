/// How a simulated operator treats what it is given: an inert value. `Fate` turns it into decisions; the admin API and the settings
/// file change it field by field.
public struct Behaviour: Sendable, Equatable {
    /// Wait before an answer, plus 0...jitter on top. Milliseconds.
    public var delayMs: UInt32 = 0
    public var jitterMs: UInt32 = 0
    /// Share of submits answered ESME_RTHROTTLED.
    public var throttlePercent: Double = 0
    /// Share of submits answered with `refuseStatus`.
    public var refusePercent: Double = 0
    /// command_status of a refusal; ESME_RSUBMITFAIL unless told.
    public var refuseStatus: UInt32 = 0x45
    /// Most submits taken in any 1000 ms, the rest is answered ESME_RTHROTTLED; 0: no limit.
    public var tps: UInt32 = 0
    /// Takes the message and never answers it.
    public var silent = false
    /// Share of submits taken and never answered.
    public var lostAnswerPercent: Double = 0
    /// Share of submits answered twice.
    public var answerTwicePercent: Double = 0
    /// Closes a bind at its n-th submit, which is taken and not answered; 0: never.
    public var dropBindAfter: UInt32 = 0
    /// While true: no connection is let live.
    public var disconnect = false

    /// False: no receipts at all, whatever registered_delivery asks.
    public var receipts = true
    /// Wait from the answer to the receipt, plus 0...jitter on top. Milliseconds.
    public var receiptAfterMs: UInt32 = 0
    public var receiptJitterMs: UInt32 = 0
    public var receiptStatus = ReceiptMix(.delivered)
    /// Share of receipts that come before the answer to their submit.
    public var receiptBeforeAnswerPercent: Double = 0
    public var duplicateReceiptPercent: Double = 0
    public var lostReceiptPercent: Double = 0
    /// Share of receipts that name a message id nobody was ever given.
    public var unknownReceiptPercent: Double = 0
    public var answerIdForm = AnswerIdForm.decimal
    public var receiptIdForm = ReceiptIdForm.asIs
    /// Sends receipted_message_id and message_state beside the text form.
    public var receiptTlvs = true
    /// A message to a phone that is switched off expires after this. Milliseconds.
    public var offExpireMs: UInt32 = 60_000

    /// How query_sm and cancel_sm are answered, and after what wait. Milliseconds.
    public var query = InquiryAnswering.truthful
    public var cancel = InquiryAnswering.truthful
    public var inquiryDelayMs: UInt32 = 0
    /// Knows a message only by the octets of the id in its answer; else by any way to write that number.
    public var exactIds = false

    public init() {}

    /// Truly; with generic_nack, as one that does not know the command; with a failure; not at all.
    public enum InquiryAnswering: String, Sendable, CaseIterable { case truthful, unknown, fail, silent }

    /// How a message id is written in submit_sm_resp: in decimal; in hexadecimal; in upper case hexadecimal with zeros in front up to 20
    /// characters.
    public enum AnswerIdForm: String, Sendable, CaseIterable { case decimal, hex, paddedUpper }

    /// How it is written in the receipt: as in the answer; in lower or upper case hexadecimal; in decimal; as in the answer, with
    /// zeros in front up to 20 characters.
    public enum ReceiptIdForm: String, Sendable, CaseIterable { case asIs, hex, upper, decimal, padded }
}

/// Final states a receipt can tell (SMPP 3.4, 5.2.28 and appendix B).
public enum ReceiptState: UInt8, Sendable, CaseIterable {
    case delivered = 2
    case expired = 3
    case deleted = 4
    case undeliverable = 5
    case unknown = 7
    case rejected = 8

    /// Seven letters, as in `stat:`.
    public var word: StaticString {
        switch self {
        case .delivered: "DELIVRD"
        case .expired: "EXPIRED"
        case .deleted: "DELETED"
        case .undeliverable: "UNDELIV"
        case .unknown: "UNKNOWN"
        case .rejected: "REJECTD"
        }
    }

    public init?(word: String) {
        guard let found = Self.allCases.first(where: { "\($0.word)" == word }) else { return nil }
        self = found
    }

    /// Three digits, as in `err:`; every operator has its own table, this one is ours.
    var errorDigits: StaticString {
        switch self {
        case .delivered: "000"
        case .expired: "027"
        case .deleted: "040"
        case .undeliverable: "011"
        case .unknown: "255"
        case .rejected: "069"
        }
    }
}

/// Which final states come, in percent that make 100 together.
public struct ReceiptMix: Sendable, Equatable {
    /// Ordered as `ReceiptState.allCases`; running sums, the last is 100.
    public let shares: [Share]

    public struct Share: Sendable, Equatable {
        public var state: ReceiptState
        public var percent: Double
    }

    public init(_ state: ReceiptState) {
        shares = [Share(state: state, percent: 100)]
    }

    /// nil unless the percentages make 100 (to a millionth).
    public init?(_ shares: [Share]) {
        let sum = shares.reduce(0.0) { $0 + $1.percent }
        guard !shares.isEmpty, shares.allSatisfy({ $0.percent >= 0 }), (sum - 100).magnitude < 1e-6 else { return nil }
        let order = ReceiptState.allCases
        self.shares = ReceiptMix.sorted(shares, by: order)
    }

    private static func sorted(_ shares: [Share], by order: [ReceiptState]) -> [Share] {
        var result: [Share] = []
        for state in order {
            for share in shares where share.state == state && share.percent > 0 { result.append(share) }
        }
        return result
    }

    /// The state at `point` in 0..<100 of the mix.
    func state(at point: Double) -> ReceiptState {
        var sum = 0.0
        for share in shares {
            sum += share.percent
            if point < sum { return share.state }
        }
        return shares.last?.state ?? .delivered
    }
}

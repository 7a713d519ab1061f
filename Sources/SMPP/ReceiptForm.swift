/// Dates of a receipt's text: YYMMDDhhmm (appendix B), with seconds, or with four digits of the year, as vendors write.
public enum ReceiptDate: String, Sendable, CaseIterable {
    /// YYMMDDhhmm.
    case minutes
    /// YYMMDDhhmmss.
    case seconds
    /// YYYYMMDDhhmmss.
    case fullYear

    /// - Parameters:
    ///   - seconds: since 1970-01-01 00:00 UTC.
    ///   - zoneMinutes: how far the zone of the text is ahead of UTC.
    /// - Returns: zeros for a year that the form cannot show.
    public func text(_ seconds: Int64, zoneMinutes: Int = 0) -> String {
        let local = CivilTime(seconds: min(max(seconds, -ReceiptDate.bound), ReceiptDate.bound) + Int64(zoneMinutes) * 60)
        let digits = local.digits(yearDigits: self == .fullYear ? 4 : 2, hasSeconds: self != .minutes)
        return digits ?? String(repeating: "0", count: self == .minutes ? 10 : self == .seconds ? 12 : 14)
    }

    /// About ten thousand years: beyond, sums of times could overflow.
    private static let bound: Int64 = 315_537_897_599

    /// Seconds since 1970 of a date in any of the three forms, told apart by length; nil for other text.
    public static func seconds(_ octets: some Collection<UInt8>, zoneMinutes: Int = 0) -> Int64? {
        guard octets.count == 10 || octets.count == 12 || octets.count == 14 else { return nil }
        var rest = Array(octets)[...]
        let local = CivilTime(digits: &rest, yearDigits: octets.count == 14 ? 4 : 2, hasSeconds: octets.count > 10)
        return local.map { $0.seconds - Int64(zoneMinutes) * 60 }
    }
}

/// What a receipt says.
public struct ReceiptFacts: Equatable, Sendable {
    /// As the peer shall see it; see `IdentifierForm`.
    public var id: String
    /// Seconds since 1970; so `done`.
    public var submitted: Int64
    public var done: Int64
    public var state: DeliveryState
    /// The network's code; 0: none.
    public var error: UInt16
    /// The beginning of the message, in ASCII; anything else is better left out.
    public var text: [UInt8]

    public init(id: String, submitted: Int64, done: Int64, state: DeliveryState, error: UInt16 = 0, text: [UInt8] = []) {
        self.id = id
        self.submitted = submitted
        self.done = done
        self.state = state
        self.error = error
        self.text = text
    }
}

/// How a server writes receipts for one peer: appendix B leaves it open, and peers' parsers differ.
public struct ReceiptForm: Hashable, Sendable {
    public enum TextField: Hashable, Sendable {
        /// No `text:` at all.
        case none
        /// `text:` with nothing after it.
        case empty
        /// The first octets of the message; appendix B says 20.
        case first(Int)
    }

    public var dates: ReceiptDate
    /// How far the zone of the dates is ahead of UTC.
    public var zoneMinutes: Int
    public var text: TextField
    /// Digits of `err` at least; appendix B says 3.
    public var errorDigits: Int
    /// receipted_message_id, message_state and, where there is a code, network_error_code beside the text. Only for peers of 3.4.
    public var hasParameters: Bool
    /// network_error_code's first octet (section 5.3.2.31): 3 is GSM.
    public var networkType: UInt8

    public init(
        dates: ReceiptDate = .minutes, zoneMinutes: Int = 0, text: TextField = .first(20), errorDigits: Int = 3, hasParameters: Bool = true,
        networkType: UInt8 = 3
    ) {
        self.dates = dates
        self.zoneMinutes = min(max(zoneMinutes, -1440), 1440)
        self.text = text
        self.errorDigits = min(max(errorDigits, 1), 10)
        self.hasParameters = hasParameters
        self.networkType = networkType
    }

    /// short_message of the receipt, at most 254 octets.
    public func octets(_ facts: ReceiptFacts) -> [UInt8] {
        let code = String(facts.error)
        let padded = String(repeating: "0", count: max(0, errorDigits - code.utf8.count)) + code
        let arrived = facts.state == .delivered ? "001" : "000"
        let submitted = dates.text(facts.submitted, zoneMinutes: zoneMinutes)
        let done = dates.text(facts.done, zoneMinutes: zoneMinutes)
        let head =
            "id:\(facts.id) sub:001 dlvrd:\(arrived) submit date:\(submitted) done date:\(done) stat:\(facts.state.word) err:\(padded)"
        var all = Array(head.utf8)
        switch text {
        case .none: break
        case .empty: all += Array(" text:".utf8)
        case .first(let count): all += Array(" text:".utf8) + facts.text.prefix(max(0, count))
        }
        return Array(all.prefix(Limits.shortMessageOctets))
    }

    /// The deliver_sm, from the recipient of the message to its sender.
    /// - Parameter isFinal: false for an intermediate notification (section 5.2.12).
    public func message(_ facts: ReceiptFacts, source: Address, destination: Address, isFinal: Bool = true) -> Message {
        var fields = MessageFields()
        fields.source = source
        fields.destination = destination
        fields.esmClass = isFinal ? .receipt : .intermediateNotification
        var parameters: [Parameter] = []
        if hasParameters {
            parameters.append(Parameter(.receiptedMessageID, .text(facts.id)))
            parameters.append(Parameter(.messageState, .integer(UInt32(facts.state.rawValue))))
            if facts.error != 0 {
                let code = [networkType, UInt8(facts.error >> 8), UInt8(facts.error & 0xFF)]
                parameters.append(Parameter(.networkErrorCode, .octets(code)))
            }
        }
        return Message(fields: fields, shortMessage: octets(facts), parameters: parameters)
    }
}

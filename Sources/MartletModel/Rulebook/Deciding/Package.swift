/// What customers connect: events they are told of, from which amounts, over which channels, for which fee. What a customer connected
/// (`PackageSubscription`) says less or more for itself.
public struct Package: Equatable, Sendable {
    public var key: String
    /// What customers' records name it by; that of the bank's definition of kind `package`.
    public var number: UInt16
    public var entries: [Entry]
    /// Nil: all that the event has templates for.
    public var channels: ChannelSet?
    public var fee: Fee?

    public struct Entry: Equatable, Sendable {
        /// Place in the rules' events.
        public var event: Int
        /// The least amounts that are told, one a currency; empty: all.
        public var thresholds: [Money]

        public init(event: Int, thresholds: [Money] = []) {
            self.event = event
            self.thresholds = thresholds
        }
    }

    /// What the customer pays; told to the bank's billing, not used in a decision.
    public struct Fee: Equatable, Sendable {
        public var amount: Money
        public var period: Period
        public enum Period: String, CaseIterable, Sendable { case day, month, year, once, message }

        public init(amount: Money, period: Period) {
            self.amount = amount
            self.period = period
        }
    }

    public init(key: String, number: UInt16, entries: [Entry] = [], channels: ChannelSet? = nil, fee: Fee? = nil) {
        self.key = key
        self.number = number
        self.entries = entries
        self.channels = channels
        self.fee = fee
    }

    /// `{"number": 17, "events": [{"event": "card-payment", "thresholds": [{"amount": "50.00", "currency": "EUR"}]}], "channels": ["sms"],
    /// "fee": {"amount": "25.00", "currency": "UAH", "period": "month"}}`.
    static func read(_ reading: DocumentReading, _ key: String, _ draft: RulebookDraft, _ findings: inout [RulebookFinding]) -> Package {
        reading.allow(["number", "events", "channels", "fee", "note"], &findings)
        _ = reading.optionalText("note", maximumBytes: 200, &findings)
        var package = Package(key: key, number: UInt16(reading.integer("number", in: 1...65_535, &findings) ?? 0))
        for element in reading.list("events", &findings) {
            element.allow(["event", "thresholds"], &findings)
            let thresholds = element.optionalList("thresholds", &findings).compactMap { money($0, &findings) }
            guard let event = draft.place(.event, element, "event", &findings) else { continue }
            if package.entries.contains(where: { $0.event == event }) {
                element.error("event", "the package has this event already", remedy: "leave one of them", &findings)
            }
            if Set(thresholds.map(\.currency)).count < thresholds.count {
                element.error("thresholds", "a currency stands there twice", remedy: "leave one amount a currency", &findings)
            }
            package.entries.append(Entry(event: event, thresholds: thresholds))
        }
        if package.entries.isEmpty, case .list? = reading.field("events") {
            reading.error("events", "the package has no events", remedy: "name the events that its customers are told of", &findings)
        }
        package.channels = reading.words("channels", of: ChannelKind.words, &findings).map { ChannelSet($0) }
        if let fee = reading.object("fee") { package.fee = readFee(fee, &findings) }
        return package
    }

    private static func readFee(_ reading: DocumentReading, _ findings: inout [RulebookFinding]) -> Fee? {
        let period = reading.word("period", of: Fee.Period.allCases.map { ($0.rawValue, $0) }, &findings)
        guard case .object(var fields) = reading.value else { return nil }
        fields["period"] = nil
        guard let amount = money(DocumentReading(.object(fields), path: reading.path), &findings), let period else { return nil }
        guard amount.minor >= 0 else {
            reading.error("amount", "it is below zero", remedy: "write what the customer pays", &findings)
            return nil
        }
        return Fee(amount: amount, period: period)
    }

    static func money(_ reading: DocumentReading, _ findings: inout [RulebookFinding]) -> Money? {
        do throws(Money.Fault) {
            return try Money(reading.value)
        } catch {
            reading.error(nil, error.message, remedy: "write {\"amount\": \"50.00\", \"currency\": \"EUR\"}", &findings)
            return nil
        }
    }
}

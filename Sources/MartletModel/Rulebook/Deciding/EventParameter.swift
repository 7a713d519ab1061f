/// One thing that an event says: its name, what form it has and who may read it.
public struct EventParameter: Equatable, Sendable {
    /// Small letter, then letters, digits and `_`: what templates call it.
    public var name: String
    public var type: ParameterType
    public var dataClass: DataClass
    /// Where an event does not say it; nil: it must.
    public var assumed: ParameterValue?
    /// Of a text, bytes of UTF-8.
    public var maximumBytes: Int

    public init(
        name: String, type: ParameterType, dataClass: DataClass = .open, assumed: ParameterValue? = nil,
        maximumBytes: Int = EventParameter.textMaximum
    ) {
        self.name = name
        self.type = type
        self.dataClass = dataClass
        self.assumed = assumed
        self.maximumBytes = maximumBytes
    }

    public static let textMaximum = 1000
    /// What texts call the customer by: `{{customer.givenName}}`.
    public static let customer = "customer"
}

/// Raw values will stand in records: never change one.
public enum ParameterType: UInt8, CaseIterable, Sendable {
    case text = 1
    case integer = 2
    case decimal = 3
    case money = 4
    case date = 5
    case time = 6
    case instant = 7
    case boolean = 8

    public var word: String {
        switch self {
        case .text: "text"
        case .integer: "integer"
        case .decimal: "decimal"
        case .money: "money"
        case .date: "date"
        case .time: "time"
        case .instant: "instant"
        case .boolean: "boolean"
        }
    }

    /// How it is written in an event.
    public var form: String {
        switch self {
        case .text: "a text in quotes"
        case .integer: "a whole number"
        case .decimal: "a decimal number in quotes, such as \"12.50\""
        case .money: "{\"amount\": \"125.50\", \"currency\": \"UAH\"}"
        case .date: "a date, such as \"2027-02-28\""
        case .time: "a time of the day, such as \"18:30\" or \"18:30:05\""
        case .instant: "a moment in RFC 3339, such as \"2027-02-28T18:30:05+02:00\""
        case .boolean: "true or false"
        }
    }

    static let words = ParameterType.allCases.map { ($0.word, $0) }
}

/// Who may read a value: what a channel may show is checked against it before a rulebook is published.
/// Raw values will stand in records: never change one.
public enum DataClass: UInt8, CaseIterable, Sendable {
    /// Anybody: the name of a shop, a rate.
    case open = 1
    /// It tells who the customer is.
    case personal = 2
    /// What the customer has, owes, earns or spends.
    case financial = 3
    /// A number of a card, an account, a document; readable only masked.
    case identifier = 4
    /// A one-time code: for the customer's eyes, never at rest in clear.
    case secret = 5

    public var word: String {
        switch self {
        case .open: "open"
        case .personal: "personal"
        case .financial: "financial"
        case .identifier: "identifier"
        case .secret: "secret"
        }
    }

    static let words = DataClass.allCases.map { ($0.word, $0) }
}

/// A value of a parameter.
public enum ParameterValue: Hashable, Sendable {
    case text(String)
    case integer(Int64)
    case decimal(ExactDecimal)
    case money(Money)
    /// Days since 1970-01-01.
    case date(Int32)
    /// Seconds since midnight.
    case time(Int32)
    /// Wall microseconds since 1970, and what its clocks were ahead of UTC, seconds.
    case instant(Int64, offset: Int32)
    case boolean(Bool)

    public var type: ParameterType {
        switch self {
        case .text: .text
        case .integer: .integer
        case .decimal: .decimal
        case .money: .money
        case .date: .date
        case .time: .time
        case .instant: .instant
        case .boolean: .boolean
        }
    }
}

extension EventParameter {
    /// What a document says of this parameter; nil: it has another form. Says nothing of the value itself, which may be personal.
    func read(_ value: JSONValue) -> ParameterValue? {
        switch (type, value) {
        case (_, .text(let text)): return read(text: text)
        case (_, .integer(let number)): return read(integer: number)
        case (.money, .object):
            do throws(Money.Fault) { return .money(try Money(value)) } catch { return nil }
        case (.boolean, .flag(let flag)): return .boolean(flag)
        default: return nil
        }
    }

    /// What a text says of this parameter; nil: it has another form.
    public func read(text: String) -> ParameterValue? {
        switch type {
        case .text: text.utf8.count <= maximumBytes ? .text(text) : nil
        case .decimal: ExactDecimal(text).map { .decimal($0) }
        case .date: CivilText.date(text).map { .date($0) }
        case .time: CivilText.time(text).map { .time($0) }
        case .instant: CivilText.instant(text).map { .instant($0.microseconds, offset: $0.offset) }
        case .integer, .money, .boolean: nil
        }
    }

    /// The same for a whole number, of which documents have those of `JSONValue.integers`.
    public func read(integer number: Int64) -> ParameterValue? {
        guard JSONValue.integers.contains(number) else { return nil }
        switch type {
        case .integer: return .integer(number)
        case .decimal: return .decimal(ExactDecimal(unscaled: number, scale: 0))
        case .text, .money, .date, .time, .instant, .boolean: return nil
        }
    }

    /// Whether a parameter may be called so.
    public static func isName(_ text: String) -> Bool {
        (1...40).contains(text.utf8.count)
            && text.utf8.enumerated().allSatisfy { index, byte in
                (97...122).contains(byte) || index > 0 && ((65...90).contains(byte) || (48...57).contains(byte) || byte == 95)
            }
    }

    static func read(_ reading: DocumentReading, _ findings: inout [RulebookFinding]) -> EventParameter? {
        reading.allow(["name", "type", "dataClass", "default", "maximum", "note"], &findings)
        _ = reading.optionalText("note", maximumBytes: 200, &findings)
        let name = reading.text("name", maximumBytes: 40, &findings)
        let type = reading.word("type", of: ParameterType.words, &findings)
        let dataClass = reading.optionalWord("dataClass", of: DataClass.words, &findings) ?? .open
        let maximum = reading.optionalInteger("maximum", in: 1...Int64(textMaximum), &findings) ?? Int64(textMaximum)
        guard let name, let type else { return nil }
        guard isName(name) else {
            reading.error(
                "name", "it is no name", remedy: "a small letter, then letters, digits and _; at most 40 of them", &findings)
            return nil
        }
        if name == customer {
            reading.error("name", "texts call the customer so", remedy: "give it another name", &findings)
            return nil
        }
        var parameter = EventParameter(name: name, type: type, dataClass: dataClass, maximumBytes: Int(maximum))
        if type != .text, reading.field("maximum") != nil {
            reading.error("maximum", "only a text has one", remedy: "take it out", &findings)
        }
        if let written = reading.field("default") {
            parameter.assumed = parameter.read(written)
            if parameter.assumed == nil {
                reading.error("default", "it does not have the form of its type", remedy: "write \(type.form)", &findings)
            }
        }
        return parameter
    }
}

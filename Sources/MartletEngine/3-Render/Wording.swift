public import Calendar
public import MartletModel
public import SMSText

/// What texts of events are written by.
public struct Wording: Sendable {
    /// Writes a text: place of the event, values by name, details, locale, zone.
    public typealias Writer =
        @Sendable (Int, [EventPayload.NamedValue], CustomerDetails, CustomerLocale, Zone) throws(WordingFault) -> (text: String, sender: String?)

    private let writer: Writer

    public init(_ writer: @escaping Writer) { self.writer = writer }

    /// The SMS of an event.
    /// - Parameters:
    ///   - event: its place in the rules.
    ///   - count: parts of a text by the rules of its operator.
    ///   - limit: most parts on the air.
    public func sms(
        event: Int, _ values: [EventPayload.NamedValue], _ details: CustomerDetails, _ locale: CustomerLocale, _ zone: Zone,
        count: (String) throws(TextFault) -> Engine.TextCount, limit: Int
    ) throws(WordingFault) -> Worded {
        let (text, sender) = try writer(event, values, details, locale, zone)
        let counted: Engine.TextCount
        do { counted = try count(text) } catch { throw .noAlphabet }
        if counted.parts > limit { throw .tooManyParts(parts: counted.parts, limit: limit) }
        return Worded(
            text: text, sender: sender, template: "", version: 0, override: 0, locale: locale.text, count: counted)
    }
}

/// A text as it goes out, and by what it was written.
public struct Worded: Sendable {
    public var text: String
    /// Nil: the template names none.
    public var sender: String?
    /// Key of the template.
    public var template: String
    public var version: UInt32
    /// 0: nothing of it was overridden.
    public var override: UInt32
    public var locale: String
    public var count: Engine.TextCount

    public init(
        text: String, sender: String?, template: String, version: UInt32, override: UInt32, locale: String, count: Engine.TextCount
    ) {
        self.text = text
        self.sender = sender
        self.template = template
        self.version = version
        self.override = override
        self.locale = locale
        self.count = count
    }
}

/// Why no text can be written. Names no value.
public enum WordingFault: Error, Equatable, Sendable {
    /// The event has no template for the channel, or none in any language that may stand in.
    case noTemplate
    /// A value is missing or has another form than the template takes; `at` names it.
    case value(at: String)
    /// None of the alphabets that the operator takes has every letter of it.
    case noAlphabet
    case tooManyParts(parts: Int, limit: Int)

    public var word: String {
        switch self {
        case .noTemplate: "no_template"
        case .value: "value_missing"
        case .noAlphabet: "no_alphabet"
        case .tooManyParts: "too_many_parts"
        }
    }
}

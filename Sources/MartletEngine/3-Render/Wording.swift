public import Calendar
public import MartletModel
public import SMSText
import Templates

/// What customers are told, compiled: for each event its text in each language. Made once a release; immutable. Rendering keeps
/// nothing, so any thread may do it.
public struct Wording: Sendable {
    /// By place in the rules' events; nil: it has none.
    private let events: ContiguousArray<Short?>

    /// The short message of one event. A class, as is each of its languages: a rendering holds two references instead of counting all that is in them.
    final class Short: Sendable {
        let fields: WordingFields
        let template: String
        let version: UInt32
        /// 0: the texts are the template's own.
        let override: UInt32
        let sender: String?
        let parts: Int?
        let languages: ContiguousArray<Language>
        /// Of `languages`, in their order.
        private let codes: ContiguousArray<CustomerLocale>
        /// Place of the standard one.
        private let standard: Int

        init(
            fields: WordingFields, template: String, version: UInt32, override: UInt32, sender: String?, parts: Int?, standard: Int,
            languages: ContiguousArray<Language>
        ) {
            self.fields = fields
            self.template = template
            self.version = version
            self.override = override
            self.sender = sender
            self.parts = parts
            self.standard = standard
            self.languages = languages
            codes = ContiguousArray(languages.map(\.code))
        }

        /// The customer's own language, `uk-UA` before `uk`, else the standard one.
        func language(of locale: CustomerLocale) -> Language { languages[Wording.place(of: locale, in: codes, standard: standard)] }
    }

    /// Which of the languages that there are a customer reads: the customer's own, `uk-UA` before `uk`, else the standard one.
    /// - Returns: its place in `codes`.
    static func place(of locale: CustomerLocale, in codes: ContiguousArray<CustomerLocale>, standard: Int) -> Int {
        var found = standard
        let general = locale.language
        for place in codes.indices {
            if codes[place] == locale { return place }
            if codes[place] == general { found = place }
        }
        return found
    }

    final class Language: Sendable {
        let code: CustomerLocale
        let locale: String
        let template: Template
        /// Whether it says anything of the customer; else no name is copied.
        let namesCustomer: Bool
        let isOverridden: Bool

        init(code: CustomerLocale, locale: String, template: Template, isOverridden: Bool) {
            self.code = code
            self.locale = locale
            self.template = template
            self.isOverridden = isOverridden
            namesCustomer = template.uses.contains { $0.path.first == EventParameter.customer }
        }
    }

    init(_ events: ContiguousArray<Short?>) { self.events = events }

    /// Writes the short message of an event.
    /// - Parameters:
    ///   - event: place in the rules' events.
    ///   - values: what the event says, by name; in the definition's order it is quickest.
    ///   - locale: what the customer reads: `DecisionBook.locale`.
    ///   - zone: where the customer's clocks are: `Decider.zone`.
    ///   - count: how the route's operator counts; asked once, and some ten times more where a text has to be shortened.
    ///   - limit: parts that may be sent.
    public func sms(
        event: Int, _ values: [EventPayload.NamedValue], _ details: CustomerDetails, _ locale: CustomerLocale, _ zone: Zone,
        count: (String) throws(TextFault) -> Engine.TextCount, limit: Int
    ) throws(WordingFault) -> Worded {
        guard events.indices.contains(event), let short = events[event] else { throw .noTemplate }
        let language = short.language(of: locale)
        let record = short.fields.record(values, language.namesCustomer ? details : nil, zone)
        let written = try Wording.write(
            language.template, record, count: count, wanted: min(short.parts ?? limit, limit), limit: limit)
        return Worded(
            text: written.text, sender: short.sender, template: short.template, version: short.version,
            override: language.isOverridden ? short.override : 0, locale: language.locale, count: written.count)
    }

    /// Whether the short message of an event says anything of the customer, in the language that this one reads.
    func namesCustomer(event: Int, _ locale: CustomerLocale) -> Bool {
        guard events.indices.contains(event), let short = events[event] else { return false }
        return short.language(of: locale).namesCustomer
    }

    /// - Parameter wanted: parts that it has at most where a value may be shortened for that.
    static func write(
        _ template: Template, _ record: Templates.Record, count: (String) throws(TextFault) -> Engine.TextCount, wanted: Int, limit: Int
    ) throws(WordingFault) -> (text: String, count: Engine.TextCount) {
        var text = try text(template, record)
        guard !text.isEmpty else { throw .empty }
        var cost: Engine.TextCount
        do throws(TextFault) { cost = try count(text) } catch { throw .noAlphabet }
        if cost.parts > wanted, let (shorter, less) = try shorter(template, record, count, wanted) { (text, cost) = (shorter, less) }
        guard cost.parts <= limit else { throw .tooManyParts(parts: cost.parts, limit: limit) }
        return (text, cost)
    }

    /// Nearly every short message fits into the stack's room; others get some of the heap.
    static func text(_ template: Template, _ record: Templates.Record) throws(WordingFault) -> String {
        let written = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1024) { buffer -> Result<String, RenderFault> in
            do throws(RenderFault) {
                let octets = try template.render(record, into: buffer).octets
                return .success(String(decoding: UnsafeBufferPointer(rebasing: buffer[..<octets]), as: UTF8.self))
            } catch {
                return .failure(error)
            }
        }
        do throws(RenderFault) {
            switch written {
            case .success(let text): return text
            case .failure(.full): return try template.text(record, octetsMax: octetsMost)
            case .failure(let fault): throw fault
            }
        } catch {
            throw WordingFault(error)
        }
    }

    /// The text with the value that has `fit` shortened; nil: there is none, or even the shortest is too long.
    private static func shorter(
        _ template: Template, _ record: Templates.Record, _ count: (String) throws(TextFault) -> Engine.TextCount, _ wanted: Int
    ) throws(WordingFault) -> (String, Engine.TextCount)? {
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: octetsMost)
        defer { buffer.deallocate() }
        var last: (text: String, count: Engine.TextCount)?
        do throws(RenderFault) {
            let rendered = try template.render(record, into: buffer) { octets in
                let text = String(decoding: octets, as: UTF8.self)
                do throws(TextFault) {
                    let cost = try count(text)
                    last = (text, cost)
                    return cost.parts <= wanted
                } catch {
                    // Some letter that no alphabet has: it may be in what is cut off.
                    return false
                }
            }
            guard rendered.fits else { return nil }
            let text = String(decoding: UnsafeBufferPointer(rebasing: buffer[..<rendered.octets]), as: UTF8.self)
            // As a rule the last that was tried.
            if let last, last.text == text { return last }
            do throws(TextFault) { return (text, try count(text)) } catch { return nil }
        } catch {
            throw WordingFault(error)
        }
    }

    /// Of a text before it is counted.
    private static let octetsMost = 65_536
}

/// A text as it goes out, and by what it was written.
public struct Worded: Sendable {
    public var text: String
    /// Nil: the template has none, and the source's is taken.
    public var sender: String?
    /// Key of the template: `sms.card-payment`.
    public var template: String
    public var version: UInt32
    /// Version of the override whose text it is; 0: the template's own.
    public var override: UInt32
    /// The language it is written in, which may be another than the customer's.
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

/// Why a text could not be written with these values. Names no value.
public enum WordingFault: Error, Equatable, Sendable {
    /// The event has no text for the channel.
    case noTemplate
    /// A value is missing or has another type than the text takes; `at` names its field.
    case value(at: String)
    /// With these values nothing would be written.
    case empty
    /// None of the alphabets that the operator takes has every letter of it.
    case noAlphabet
    case tooManyParts(parts: Int, limit: Int)
    /// It is longer than any text that is sent, or goes on for ever.
    case tooLong

    public var word: String {
        switch self {
        case .noTemplate: "no_template"
        case .value: "value_missing"
        case .empty: "empty_text"
        case .noAlphabet: "no_alphabet"
        case .tooManyParts: "too_many_parts"
        case .tooLong: "text_too_long"
        }
    }

    /// For a person.
    public var message: String {
        switch self {
        case .noTemplate: "the event has no text for this channel"
        case .value(let field): "`\(field)` has no value, or one that the text cannot write"
        case .empty: "with these values nothing would be written"
        case .noAlphabet: "none of the alphabets that the operator takes has every letter of it"
        case .tooManyParts(let parts, let limit): "it has \(parts) parts; \(limit) are the most, and it would not be sent"
        case .tooLong: "it is longer than any text that is sent, or goes on for ever"
        }
    }

    init(_ fault: RenderFault) {
        self =
            switch fault {
            case .missing(let field), .wrongType(let field): .value(at: field)
            case .full, .tooManySteps, .tooDeep: .tooLong
            }
    }
}

/// What a tag can do to its value. A closed list; the guide for editors shows each, and a test compares.
public enum Filter: String, Sendable, CaseIterable {
    case money, number, percent, date, time, datetime, weekday, month, plural, ordinal
    case mask, upper, lower
    case upperFirst = "upper-first"
    case lowerFirst = "lower-first"
    case truncate, fit
    case standard = "default"

    /// Whether it turns a typed value into text; of these a tag has one, before those that work on text.
    var writes: Bool {
        switch self {
        case .money, .number, .percent, .date, .time, .datetime, .weekday, .month, .plural, .ordinal: true
        case .mask, .upper, .lower, .upperFirst, .lowerFirst, .truncate, .fit, .standard: false
        }
    }
}

/// Types of values, as a set.
public struct ValueKinds: OptionSet, Sendable, Hashable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let text = ValueKinds(rawValue: 1)
    public static let integer = ValueKinds(rawValue: 2)
    public static let decimal = ValueKinds(rawValue: 4)
    public static let money = ValueKinds(rawValue: 8)
    public static let date = ValueKinds(rawValue: 16)
    public static let time = ValueKinds(rawValue: 32)
    public static let moment = ValueKinds(rawValue: 64)
    public static let boolean = ValueKinds(rawValue: 128)
    public static let list = ValueKinds(rawValue: 256)
    public static let record = ValueKinds(rawValue: 512)

    /// What can be written as it is.
    public static let scalars: ValueKinds = [.text, .integer, .decimal, .money, .date, .time, .moment, .boolean]
    public static let any: ValueKinds = [.scalars, .list, .record]
}

/// A tag's filters, understood.
struct FilterPlan {
    var format = Format.plain
    var accepts = ValueKinds.scalars
    var steps: [TextStep] = []
    var fallback: String?
    /// Steps that stand before the default: it does not go through them.
    var stepsBeforeFallback = 0
    var forms: [PluralCategory: String] = [:]
    var takesFractions = true
    var masked = false
    var fit: Int32 = -1
}

/// Turns filters as they are written into a plan, for one language.
struct FilterReader {
    let locale: TextLocale
    private(set) var plan = FilterPlan()
    private var written = false
    private var textual = false
    private var fitted = false

    init(_ locale: TextLocale) { self.locale = locale }

    static func plan(_ calls: [FilterCall], _ locale: TextLocale) throws(TagMistake) -> FilterPlan {
        var reader = FilterReader(locale)
        for call in calls { try reader.take(call) }
        return reader.plan
    }

    private mutating func take(_ call: FilterCall) throws(TagMistake) {
        guard let filter = Filter(rawValue: call.name) else {
            let known = Filter.allCases.map(\.rawValue).joined(separator: ", ")
            throw TagMistake(code: .unknownFilter, offset: call.offset, reason: "There is no filter `\(call.name)`; there are \(known).")
        }
        guard !fitted else { throw mistake(.filterOrder, call, "`fit` is the last filter.") }
        if filter.writes {
            guard !written, !textual else { throw mistake(.filterOrder, call, "`\(call.name)` comes first, and there is one of its kind.") }
            written = true
            try setFormat(filter, call)
        } else {
            textual = textual || filter != .standard
            try setStep(filter, call)
        }
    }

    private mutating func setFormat(_ filter: Filter, _ call: FilterCall) throws(TagMistake) {
        switch filter {
        case .money:
            plan.format = .money(try choice(call) ?? .symbol)
            plan.accepts = .money
        case .number, .percent:
            let places = try number(call, in: 0...9)
            plan.format = filter == .number ? .number(places: places) : .percent(places: places)
            plan.accepts = [.integer, .decimal]
        case .date:
            plan.format = .date(try choice(call) ?? .short)
            plan.accepts = [.date, .moment]
        case .time:
            plan.format = .time(try choice(call) ?? .short)
            plan.accepts = [.time, .moment]
        case .datetime:
            plan.format = .datetime(try choice(call) ?? .short)
            plan.accepts = .moment
        case .weekday, .month:
            try none(call)
            plan.format = filter == .weekday ? .weekday : .month
            plan.accepts = [.date, .moment]
        case .ordinal:
            try none(call)
            guard locale.tag.hasPrefix("en") else {
                throw mistake(.badArgument, call, "`ordinal` is English; this text is in \(locale.tag).")
            }
            plan.format = .ordinal
            plan.accepts = .integer
        case .plural: try setForms(call)
        case .mask, .upper, .lower, .upperFirst, .lowerFirst, .truncate, .fit, .standard: break
        }
    }

    private mutating func setStep(_ filter: Filter, _ call: FilterCall) throws(TagMistake) {
        switch filter {
        case .upper, .lower, .upperFirst, .lowerFirst:
            try none(call)
            plan.steps.append(filter == .upper ? .upper : filter == .lower ? .lower : filter == .upperFirst ? .upperFirst : .lowerFirst)
        case .truncate:
            guard let letters = try number(call, in: 1...9999) else {
                throw mistake(.badArgument, call, "`truncate` needs a count of letters.")
            }
            plan.steps.append(.truncate(letters: letters))
        case .fit:
            plan.fit = Int32(try number(call, in: 0...9999) ?? 0)
            fitted = true
        case .mask:
            plan.steps.append(.mask(try choice(call) ?? .card))
            plan.masked = true
            if !written { plan.accepts = [.text, .integer] }
        case .standard:
            guard plan.fallback == nil, call.arguments.count == 1, case .text(let text) = call.arguments[0].value,
                call.arguments[0].key == nil
            else {
                throw mistake(.badArgument, call, "`default` takes one text, once: `default: \"customer\"`.")
            }
            plan.fallback = text
            plan.stepsBeforeFallback = plan.steps.count
        case .money, .number, .percent, .date, .time, .datetime, .weekday, .month, .plural, .ordinal: break
        }
    }

    /// - Throws: `plural_form` when the language needs a form that is not there, or does not know one that is.
    private mutating func setForms(_ call: FilterCall) throws(TagMistake) {
        let known = locale.plural.known
        let names = known.map(\.rawValue).joined(separator: ", ")
        for argument in call.arguments {
            guard let key = argument.key, let category = PluralCategory(rawValue: key), case .text(let text) = argument.value else {
                throw TagMistake(
                    code: .badArgument, offset: argument.offset, reason: "`plural` takes forms by name: `one=\"day\"`; here are \(names).")
            }
            guard known.contains(category) else {
                throw TagMistake(
                    code: .pluralForm, offset: argument.offset, reason: "The language \(locale.tag) has no form `\(key)`; it has \(names).")
            }
            guard plan.forms.updateValue(text, forKey: category) == nil else {
                throw TagMistake(code: .pluralForm, offset: argument.offset, reason: "The form `\(key)` is there twice.")
            }
        }
        let lacking = locale.plural.needed.filter { plan.forms[$0] == nil }
        guard lacking.isEmpty else {
            let list = lacking.map(\.rawValue).joined(separator: ", ")
            throw mistake(.pluralForm, call, "The language \(locale.tag) needs the form \(list) too.")
        }
        plan.takesFractions = locale.plural.fractional.map { plan.forms[$0] != nil } ?? true
        plan.accepts = plan.takesFractions ? [.integer, .decimal] : .integer
        // The compiler gives the forms a place and puts its number here.
        plan.format = .plural(0)
    }

    private func none(_ call: FilterCall) throws(TagMistake) {
        guard call.arguments.isEmpty else { throw mistake(.badArgument, call, "`\(call.name)` takes nothing behind it.") }
    }

    private func choice<Style: RawRepresentable & CaseIterable>(_ call: FilterCall) throws(TagMistake) -> Style?
    where Style.RawValue == String {
        guard let first = call.arguments.first else { return nil }
        guard call.arguments.count == 1, first.key == nil, case .word(let word) = first.value, let style = Style(rawValue: word) else {
            let list = Style.allCases.map(\.rawValue).joined(separator: ", ")
            throw TagMistake(code: .badArgument, offset: first.offset, reason: "`\(call.name)` takes one of \(list).")
        }
        return style
    }

    private func number(_ call: FilterCall, in range: ClosedRange<Int>) throws(TagMistake) -> Int? {
        guard let first = call.arguments.first else { return nil }
        guard call.arguments.count == 1, first.key == nil, case .number(let number) = first.value, range.contains(number) else {
            throw TagMistake(
                code: .badArgument, offset: first.offset,
                reason: "`\(call.name)` takes a number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    private func mistake(_ code: TemplateFinding.Code, _ call: FilterCall, _ reason: String) -> TagMistake {
        TagMistake(code: code, offset: call.offset, reason: reason)
    }
}

import Testing

@testable import Templates

/// Renders `template` with `values`, as plain text in English unless said otherwise.
func rendered(
    _ template: String, _ values: [(name: String, value: Value)] = [], kind: OutputKind = .plain, locale: String = "en",
    partials: [String: String] = [:], change: (inout Template.Options) -> Void = { _ in }
) throws -> String {
    var options = Template.Options(kind, try #require(TextLocale.exact(locale)))
    change(&options)
    return try Template(template, partials: partials, options).text(Record(values))
}

/// What compiling `template` finds.
func findings(
    _ template: String, kind: OutputKind = .plain, locale: String = "en", partials: [String: String] = [:],
    change: (inout Template.Options) -> Void = { _ in }
) throws -> [TemplateFinding] {
    var options = Template.Options(kind, try #require(TextLocale.exact(locale)))
    change(&options)
    do throws(TemplateFaults) {
        _ = try Template(template, partials: partials, options)
        return []
    } catch {
        return error.findings
    }
}

extension TemplateFinding {
    /// Code and place on one line, to be compared: `bad_name 1:3`, `bad_name footer 1:3`.
    var line: String { "\(code.rawValue) \(place.partial.map { $0 + " " } ?? "")\(place.line):\(place.column)" }
}

extension Value {
    static func money(_ minor: Int64, _ code: String) throws -> Value { .money(Money(minor: minor, try #require(Currency(code)))) }

    static func decimal(_ text: String) throws -> Value { .decimal(try ExactDecimal(text: text)) }

    static func date(_ year: Int, _ month: Int, _ day: Int) throws -> Value {
        .date(try #require(CalendarDate(year: year, month: month, day: day)))
    }

    static func time(_ hour: Int, _ minute: Int, _ second: Int = 0) throws -> Value {
        .time(try #require(ClockTime(hour: hour, minute: minute, second: second)))
    }
}

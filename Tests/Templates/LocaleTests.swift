import Foundation
import Testing

@testable import Templates

/// Numbers, money, dates and plural forms against CLDR. Tests/Golden/locale-*.tsv is what babel's code writes from CLDR's tables; what is
/// ours is the code that writes the same.
@Suite("Locales")
struct LocaleTests {
    struct Line {
        let filter: String
        let value: String
        let expected: String
    }

    static func lines(_ tag: String) throws -> [Line] {
        let text = try String(contentsOf: URL(fileURLWithPath: MustacheTests.golden + "locale-\(tag).tsv"), encoding: .utf8)
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { line in
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            return parts.count == 3 ? Line(filter: parts[0], value: parts[1], expected: parts[2]) : nil
        }
    }

    static func value(_ line: Line) throws -> Value {
        let words = line.value.split(separator: " ").map(String.init)
        let kind = line.filter.prefix { $0.isLetter }
        if kind == "money" { return try .money(try #require(Int64(words[0])), words[1]) }
        if kind == "number" || kind == "percent" {
            let (coefficient, scale) = (try #require(Int64(words[0])), try #require(Int(words[1])))
            return .decimal(try #require(ExactDecimal(coefficient, scale: scale)))
        }
        if kind == "plural" { return try .decimal(line.value) }
        let numbers = line.value.split { !$0.isNumber }.compactMap { Int($0) }
        if kind == "time" { return try .time(numbers[0], numbers[1], numbers[2]) }
        guard kind == "datetime" else { return try .date(numbers[0], numbers[1], numbers[2]) }
        let day = try #require(CalendarDate(year: numbers[0], month: numbers[1], day: numbers[2])).dayNumber
        // Whatever the offset, what the clock shows is what is written.
        let offset = 7200
        let second = day * 86_400 + numbers[3] * 3600 + numbers[4] * 60 + numbers[5]
        return .moment(LocalMoment(seconds: Int64(second - offset), offset: Int32(offset)))
    }

    @Test("Every line of CLDR's numbers, money and dates is written as CLDR has it", arguments: TextLocale.all.map(\.tag))
    func written(tag: String) throws {
        let lines = try Self.lines(tag)
        #expect(lines.count > (["en", "en-GB", "uk", "ru"].contains(tag) ? 1000 : 400))
        let locale = try #require(TextLocale.exact(tag))
        for (filter, lines) in Dictionary(grouping: lines.filter { $0.filter != "plural" }, by: \.filter) {
            let template = try Template("{{v | \(filter)}}", Template.Options(.plain, locale))
            for line in lines {
                #expect(try template.text(Record([("v", try Self.value(line))])) == line.expected, "\(filter) of \(line.value)")
            }
        }
    }

    @Test("Every number takes the plural form that CLDR gives it", arguments: TextLocale.all)
    func plurals(locale: TextLocale) throws {
        let lines = try Self.lines(locale.tag).filter { $0.filter == "plural" }
        #expect(lines.count > 200)
        let forms = locale.plural.known.map { "\($0.rawValue)=\"\($0.rawValue)\"" }.joined(separator: ", ")
        let template = try Template("{{v | plural: \(forms)}}", Template.Options(.plain, locale))
        for line in lines {
            #expect(try template.text(Record([("v", try Self.value(line))])) == line.expected, "\(line.value)")
        }
    }

    @Test("A locale is found by its tag, then by what is left of it, then it is English")
    func fallback() {
        #expect(TextLocale.find("uk-UA").tag == "uk")
        #expect(TextLocale.find("en_gb").tag == "en-GB")
        #expect(TextLocale.find("EN-GB-oxendict").tag == "en-GB")
        #expect(TextLocale.find("xx-YY").tag == "en")
        #expect(TextLocale.find("").tag == "en")
        #expect(TextLocale.exact("uk-UA") == nil)
    }

    @Test("A text is chosen by the longest language that the customer's begins with, else the bank's standard")
    func choosing() {
        #expect(TextLocale.choose("uk-UA", among: ["en", "uk", "uk-UA"], standard: "en") == "uk-UA")
        #expect(TextLocale.choose("uk-UA", among: ["en", "uk"], standard: "en") == "uk")
        #expect(TextLocale.choose("pl", among: ["en", "uk"], standard: "uk") == "uk")
        #expect(TextLocale.choose("", among: [], standard: "en") == "en")
        // No list of parts is followed without end.
        #expect(TextLocale.chain(Array(repeating: "a", count: 100).joined(separator: "-")).count == 8)
    }

    @Test("Every day from 1900 to 2100 is the day of the week and of the calendar that it is in Foundation")
    func calendar() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
        for number in stride(from: -25_567, through: 47_482, by: 1) {
            let ours = CalendarDate(dayNumber: number)
            let parts = calendar.dateComponents(
                [.year, .month, .day, .weekday], from: Date(timeIntervalSince1970: Double(number) * 86_400))
            #expect(ours.year == parts.year && ours.month == parts.month && ours.day == parts.day)
            #expect((ours.weekday + 1) % 7 + 1 == parts.weekday)
            #expect(ours.dayNumber == number)
        }
    }

    @Test("Moments before 1970, of far zones and beyond all years are shown without a fault")
    func moments() {
        let eve = LocalMoment(seconds: -1, offset: 0).parts
        #expect(eve.date == CalendarDate(year: 1969, month: 12, day: 31))
        #expect(eve.time == ClockTime(hour: 23, minute: 59, second: 59))
        let ahead = LocalMoment(seconds: 0, offset: 14 * 3600).parts
        #expect(ahead.time == ClockTime(hour: 14, minute: 0))
        #expect(LocalMoment(seconds: .max, offset: 1).parts.date == CalendarDate(year: 9999, month: 12, day: 31))
        #expect(LocalMoment(seconds: .min, offset: -1).parts.date == CalendarDate(year: 1, month: 1, day: 1))
    }

    @Test("No day, time, currency or decimal is made that does not exist")
    func impossible() {
        #expect(CalendarDate(year: 2025, month: 2, day: 29) == nil)
        #expect(CalendarDate(year: 1900, month: 2, day: 29) == nil)
        #expect(CalendarDate(year: 2024, month: 2, day: 29) != nil)
        #expect(CalendarDate(year: 2026, month: 4, day: 31) == nil)
        #expect(CalendarDate(year: 0, month: 1, day: 1) == nil)
        #expect(ClockTime(hour: 24, minute: 0) == nil)
        #expect(ClockTime(hour: 0, minute: 60) == nil)
        #expect(Currency("eur") == nil)
        #expect(Currency("EURO") == nil)
        #expect(Currency("EUR")?.code == "EUR")
        #expect(ExactDecimal(1, scale: 19) == nil)
        #expect(ExactDecimal(1, scale: -1) == nil)
    }

    @Test("A currency has the digits of ISO 4217")
    func digits() {
        #expect(Currency("JPY")?.digits == 0)
        #expect(Currency("KWD")?.digits == 3)
        #expect(Currency("CLF")?.digits == 4)
        #expect(Currency("UAH")?.digits == 2)
    }
}

/// How a language, or a language in a country, writes numbers, money and dates. The facts are CLDR's; `scripts/make-locales` writes them.
///
/// A class, so that a rendering holds one reference instead of all the tables.
public final class TextLocale: Sendable {
    /// As BCP 47 has it: `uk`, `en-GB`.
    public let tag: String
    let plural: PluralRule
    let numbers: NumberFacts
    let money: SignedPattern
    let percent: SignedPattern
    let dates: DateFacts
    let symbols: [CurrencySymbol]
    /// Languages where `i` and `ı` are two letters.
    let isTurkic: Bool

    init(
        tag: String, plural: PluralRule, numbers: NumberFacts, money: SignedPattern, percent: SignedPattern, dates: DateFacts,
        symbols: [CurrencySymbol]
    ) {
        self.tag = tag
        self.plural = plural
        self.numbers = numbers
        self.money = money
        self.percent = percent
        self.dates = dates
        self.symbols = symbols
        isTurkic = tag == "tr" || tag == "az"
    }

    /// The locales that texts can be written for, in the order of their tags.
    public static var all: [TextLocale] { generated }

    /// English as the United States write it: the end of every chain.
    public static let fallback = TextLocale.en

    /// The locale of `tag`, else that of what is left when its last part is taken away, again and again, else `fallback`: `uk-UA` is `uk`.
    /// `_` does for `-`; letters count in either case.
    public static func find(_ tag: String) -> TextLocale { chain(tag).lazy.compactMap { exact($0) }.first ?? fallback }

    /// Nil when there is no locale of just this tag.
    public static func exact(_ tag: String) -> TextLocale? {
        let wanted = normal(tag)
        return all.first { normal($0.tag) == wanted }
    }

    /// Which of the `available` languages a customer gets who asked for `wanted`: the longest that `wanted` begins with, else
    /// `standard`, which need not be among them. The chain is `uk-UA`, `uk`, standard.
    public static func choose(_ wanted: String, among available: [String], standard: String) -> String {
        for step in chain(wanted) {
            if let found = available.first(where: { normal($0) == step }) { return found }
        }
        return standard
    }

    /// `tag` and what is left of it, part by part, longest first. At most eight.
    static func chain(_ tag: String) -> [String] {
        var parts = normal(tag).split(separator: "-").prefix(8)
        var steps: [String] = []
        while !parts.isEmpty {
            steps.append(parts.joined(separator: "-"))
            parts.removeLast()
        }
        return steps
    }

    private static func normal(_ tag: String) -> String {
        String(decoding: tag.utf8.lazy.map { $0 == 0x5F ? 0x2D : $0 }, as: UTF8.self).lowercased()
    }

    /// How `currency` is written here; nil when it is written by its code.
    func symbol(of currency: Currency) -> StaticString? {
        for symbol in symbols where symbol.packed == currency.packed { return symbol.symbol }
        return nil
    }
}

/// Signs of numbers, and from how many digits on the thousands are grouped.
struct NumberFacts: Sendable {
    let decimal: StaticString
    let group: StaticString
    let minus: StaticString
    /// Digits before the first group mark that a number must have to get any: 1 groups 1,234; 2 writes 1234 and 12,345.
    let groupedFrom: Int
}

/// What stands before and after a number. `¤` is the currency, `-` the minus sign, both written as the locale has them.
struct SignedPattern: Sendable {
    let before: StaticString
    let after: StaticString
    let beforeMinus: StaticString
    let afterMinus: StaticString
}

/// Names and patterns of the calendar. Patterns are CLDR's: `d MMMM y 'р'.`.
struct DateFacts: Sendable {
    /// As in a date with its day: genitive where the language has one. January first.
    let months: [StaticString]
    /// By themselves: nominative.
    let monthsAlone: [StaticString]
    let monthsShort: [StaticString]
    /// Monday first.
    let days: [StaticString]
    let daysShort: [StaticString]
    let morning: StaticString
    let afternoon: StaticString
    /// Short, medium, long, full.
    let date: [StaticString]
    /// Short, medium.
    let time: [StaticString]
    /// How a date `{1}` and a time `{0}` are joined, by the date's style.
    let join: [StaticString]
}

/// A currency and how one locale writes it.
struct CurrencySymbol: Sendable {
    let packed: UInt32
    let symbol: StaticString

    init(_ packed: UInt32, _ symbol: StaticString) {
        self.packed = packed
        self.symbol = symbol
    }
}

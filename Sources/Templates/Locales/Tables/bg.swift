// Written by scripts/make-locales; not by hand. Facts of the Unicode CLDR 47 (Unicode License v3), as babel 2.18.0 carries them.

extension TextLocale {
    static let bg = TextLocale(
        tag: "bg", plural: .one,
        numbers: NumberFacts(
            decimal: ",", group: "\u{A0}", minus: "-", groupedFrom: 2),
        money: SignedPattern(before: "", after: "\u{A0}¤", beforeMinus: "-", afterMinus: "\u{A0}¤"),
        percent: SignedPattern(before: "", after: "%", beforeMinus: "-", afterMinus: "%"),
        dates: DateFacts(
            months: [
                "януари", "февруари", "март", "април", "май", "юни", "юли", "август", "септември", "октомври", "ноември", "декември",
            ],
            monthsAlone: [
                "yanvar", "fevral", "mart", "aprel", "may", "iyun", "iyul", "avqust", "sentyabr", "oktyabr", "noyabr", "dekabr",
            ],
            monthsShort: [
                "яну", "фев", "март", "апр", "май", "юни", "юли", "авг", "сеп", "окт", "ное", "дек",
            ],
            days: [
                "понеделник", "вторник", "сряда", "четвъртък", "петък", "събота", "неделя",
            ],
            daysShort: [
                "пн", "вт", "ср", "чт", "пт", "сб", "нд",
            ],
            morning: "am", afternoon: "pm",
            date: [
                "d.MM.yy\u{202F}'г'.", "d.MM.y\u{202F}'г'.", "d MMMM y\u{202F}'г'.", "EEEE, d MMMM y\u{202F}'г'.",
            ],
            time: [
                "H:mm", "H:mm:ss",
            ],
            join: [
                "{1}, {0}", "{1}, {0}", "{1}, {0}", "{1}, {0}",
            ]),
        symbols: [
            .init(0x42474E, "лв."), .init(0x455552, "€"), .init(0x555344, "щ.д."),
        ]
    )
}

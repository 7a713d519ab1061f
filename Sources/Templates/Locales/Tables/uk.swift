// Written by scripts/make-locales; not by hand. Facts of the Unicode CLDR 47 (Unicode License v3), as babel 2.18.0 carries them.

extension TextLocale {
    static let uk = TextLocale(
        tag: "uk", plural: .eastSlavic,
        numbers: NumberFacts(
            decimal: ",", group: "\u{A0}", minus: "-", groupedFrom: 1),
        money: SignedPattern(before: "", after: "\u{A0}¤", beforeMinus: "-", afterMinus: "\u{A0}¤"),
        percent: SignedPattern(before: "", after: "%", beforeMinus: "-", afterMinus: "%"),
        dates: DateFacts(
            months: [
                "січня", "лютого", "березня", "квітня", "травня", "червня", "липня", "серпня", "вересня", "жовтня", "листопада",
                "грудня",
            ],
            monthsAlone: [
                "січень", "лютий", "березень", "квітень", "травень", "червень", "липень", "серпень", "вересень", "жовтень",
                "листопад", "грудень",
            ],
            monthsShort: [
                "січ.", "лют.", "бер.", "квіт.", "трав.", "черв.", "лип.", "серп.", "вер.", "жовт.", "лист.", "груд.",
            ],
            days: [
                "понеділок", "вівторок", "середа", "четвер", "пʼятниця", "субота", "неділя",
            ],
            daysShort: [
                "пн", "вт", "ср", "чт", "пт", "сб", "нд",
            ],
            morning: "дп", afternoon: "пп",
            date: [
                "dd.MM.yy", "d MMM y\u{202F}'р'.", "d MMMM y\u{202F}'р'.", "EEEE, d MMMM y\u{202F}'р'.",
            ],
            time: [
                "HH:mm", "HH:mm:ss",
            ],
            join: [
                "{1}, {0}", "{1}, {0}", "{1}, {0}", "{1}, {0}",
            ]),
        symbols: [
            .init(0x4A5059, "¥"), .init(0x554148, "₴"),
        ]
    )
}

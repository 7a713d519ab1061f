// Written by scripts/make-locales; not by hand. Facts of the Unicode CLDR 47 (Unicode License v3), as babel 2.18.0 carries them.

extension TextLocale {
    static let sk = TextLocale(
        tag: "sk", plural: .westSlavic,
        numbers: NumberFacts(
            decimal: ",", group: "\u{A0}", minus: "-", groupedFrom: 1),
        money: SignedPattern(before: "", after: "\u{A0}¤", beforeMinus: "-", afterMinus: "\u{A0}¤"),
        percent: SignedPattern(before: "", after: "\u{A0}%", beforeMinus: "-", afterMinus: "\u{A0}%"),
        dates: DateFacts(
            months: [
                "januára", "februára", "marca", "apríla", "mája", "júna", "júla", "augusta", "septembra", "októbra", "novembra",
                "decembra",
            ],
            monthsAlone: [
                "január", "február", "marec", "apríl", "máj", "jún", "júl", "august", "september", "október", "november", "december",
            ],
            monthsShort: [
                "jan", "feb", "mar", "apr", "máj", "jún", "júl", "aug", "sep", "okt", "nov", "dec",
            ],
            days: [
                "pondelok", "utorok", "streda", "štvrtok", "piatok", "sobota", "nedeľa",
            ],
            daysShort: [
                "po", "ut", "st", "št", "pi", "so", "ne",
            ],
            morning: "AM", afternoon: "PM",
            date: [
                "d. M. y", "d. M. y", "d. MMMM y", "EEEE d. MMMM y",
            ],
            time: [
                "H:mm", "H:mm:ss",
            ],
            join: [
                "{1} {0}", "{1}, {0}", "{1}, {0}", "{1}, {0}",
            ]),
        symbols: [
            .init(0x455552, "€"), .init(0x494C53, "NIS"), .init(0x4D584E, "MX$"),
        ]
    )
}

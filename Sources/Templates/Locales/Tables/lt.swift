// Written by scripts/make-locales; not by hand. Facts of the Unicode CLDR 47 (Unicode License v3), as babel 2.18.0 carries them.

extension TextLocale {
    static let lt = TextLocale(
        tag: "lt", plural: .lithuanian,
        numbers: NumberFacts(
            decimal: ",", group: "\u{A0}", minus: "−", groupedFrom: 1),
        money: SignedPattern(before: "", after: "\u{A0}¤", beforeMinus: "-", afterMinus: "\u{A0}¤"),
        percent: SignedPattern(before: "", after: "\u{A0}%", beforeMinus: "-", afterMinus: "\u{A0}%"),
        dates: DateFacts(
            months: [
                "sausio", "vasario", "kovo", "balandžio", "gegužės", "birželio", "liepos", "rugpjūčio", "rugsėjo", "spalio",
                "lapkričio", "gruodžio",
            ],
            monthsAlone: [
                "sausis", "vasaris", "kovas", "balandis", "gegužė", "birželis", "liepa", "rugpjūtis", "rugsėjis", "spalis",
                "lapkritis", "gruodis",
            ],
            monthsShort: [
                "saus.", "vas.", "kov.", "bal.", "geg.", "birž.", "liep.", "rugp.", "rugs.", "spal.", "lapkr.", "gruod.",
            ],
            days: [
                "pirmadienis", "antradienis", "trečiadienis", "ketvirtadienis", "penktadienis", "šeštadienis", "sekmadienis",
            ],
            daysShort: [
                "pr", "an", "tr", "kt", "pn", "št", "sk",
            ],
            morning: "priešpiet", afternoon: "popiet",
            date: [
                "y-MM-dd", "y-MM-dd", "y 'm'. MMMM d 'd'.", "y 'm'. MMMM d 'd'., EEEE",
            ],
            time: [
                "HH:mm", "HH:mm:ss",
            ],
            join: [
                "{1} {0}", "{1} {0}", "{1} {0}", "{1} {0}",
            ]),
        symbols: [
            .init(0x455552, "€")
        ]
    )
}

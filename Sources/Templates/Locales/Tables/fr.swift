// Written by scripts/make-locales; not by hand. Facts of the Unicode CLDR 47 (Unicode License v3), as babel 2.18.0 carries them.

extension TextLocale {
    static let fr = TextLocale(
        tag: "fr", plural: .lessThanTwoOrMillions,
        numbers: NumberFacts(
            decimal: ",", group: "\u{202F}", minus: "-", groupedFrom: 1),
        money: SignedPattern(before: "", after: "\u{A0}¤", beforeMinus: "-", afterMinus: "\u{A0}¤"),
        percent: SignedPattern(before: "", after: "\u{A0}%", beforeMinus: "-", afterMinus: "\u{A0}%"),
        dates: DateFacts(
            months: [
                "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
                "décembre",
            ],
            monthsAlone: [
                "yanvar", "fevral", "mart", "aprel", "may", "iyun", "iyul", "avqust", "sentyabr", "oktyabr", "noyabr", "dekabr",
            ],
            monthsShort: [
                "janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.",
            ],
            days: [
                "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche",
            ],
            daysShort: [
                "lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim.",
            ],
            morning: "AM", afternoon: "PM",
            date: [
                "dd/MM/y", "d MMM y", "d MMMM y", "EEEE d MMMM y",
            ],
            time: [
                "HH:mm", "HH:mm:ss",
            ],
            join: [
                "{1} {0}", "{1}, {0}", "{1}, {0}", "{1}, {0}",
            ]),
        symbols: [
            .init(0x415544, "$AU"), .init(0x42524C, "R$"), .init(0x434144, "$CA"), .init(0x455552, "€"), .init(0x474250, "£GB"),
            .init(0x494C53, "₪"), .init(0x494E52, "₹"), .init(0x4B5257, "₩"), .init(0x4D584E, "$MX"), .init(0x4E5A44, "$NZ"),
            .init(0x534744, "$SG"), .init(0x555344, "$US"), .init(0x564E44, "₫"),
        ]
    )
}

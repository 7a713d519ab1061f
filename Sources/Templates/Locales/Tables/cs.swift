// Written by scripts/make-locales; not by hand. Facts of the Unicode CLDR 47 (Unicode License v3), as babel 2.18.0 carries them.

extension TextLocale {
    static let cs = TextLocale(
        tag: "cs", plural: .westSlavic,
        numbers: NumberFacts(
            decimal: ",", group: "\u{A0}", minus: "-", groupedFrom: 1),
        money: SignedPattern(before: "", after: "\u{A0}¤", beforeMinus: "-", afterMinus: "\u{A0}¤"),
        percent: SignedPattern(before: "", after: "\u{A0}%", beforeMinus: "-", afterMinus: "\u{A0}%"),
        dates: DateFacts(
            months: [
                "ledna", "února", "března", "dubna", "května", "června", "července", "srpna", "září", "října", "listopadu",
                "prosince",
            ],
            monthsAlone: [
                "leden", "únor", "březen", "duben", "květen", "červen", "červenec", "srpen", "září", "říjen", "listopad", "prosinec",
            ],
            monthsShort: [
                "led", "úno", "bře", "dub", "kvě", "čvn", "čvc", "srp", "zář", "říj", "lis", "pro",
            ],
            days: [
                "pondělí", "úterý", "středa", "čtvrtek", "pátek", "sobota", "neděle",
            ],
            daysShort: [
                "po", "út", "st", "čt", "pá", "so", "ne",
            ],
            morning: "dop.", afternoon: "odp.",
            date: [
                "dd.MM.yy", "d. M. y", "d. MMMM y", "EEEE d. MMMM y",
            ],
            time: [
                "H:mm", "H:mm:ss",
            ],
            join: [
                "{1} {0}", "{1} {0}", "{1} {0}", "{1} {0}",
            ]),
        symbols: [
            .init(0x415544, "AU$"), .init(0x42524C, "R$"), .init(0x434144, "CA$"), .init(0x434E59, "CN¥"), .init(0x435A4B, "Kč"),
            .init(0x455552, "€"), .init(0x474250, "£"), .init(0x4A5059, "JP¥"), .init(0x4B5257, "₩"), .init(0x4D584E, "MX$"),
            .init(0x4E5A44, "NZ$"), .init(0x555344, "US$"),
        ]
    )
}

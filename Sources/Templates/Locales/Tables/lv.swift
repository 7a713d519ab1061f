// Written by scripts/make-locales; not by hand. Facts of the Unicode CLDR 47 (Unicode License v3), as babel 2.18.0 carries them.

extension TextLocale {
    static let lv = TextLocale(
        tag: "lv", plural: .latvian,
        numbers: NumberFacts(
            decimal: ",", group: "\u{A0}", minus: "-", groupedFrom: 2),
        money: SignedPattern(before: "", after: "\u{A0}¤", beforeMinus: "-", afterMinus: "\u{A0}¤"),
        percent: SignedPattern(before: "", after: "%", beforeMinus: "-", afterMinus: "%"),
        dates: DateFacts(
            months: [
                "janvāris", "februāris", "marts", "aprīlis", "maijs", "jūnijs", "jūlijs", "augusts", "septembris", "oktobris",
                "novembris", "decembris",
            ],
            monthsAlone: [
                "yanvar", "fevral", "mart", "aprel", "may", "iyun", "iyul", "avqust", "sentyabr", "oktyabr", "noyabr", "dekabr",
            ],
            monthsShort: [
                "janv.", "febr.", "marts", "apr.", "maijs", "jūn.", "jūl.", "aug.", "sept.", "okt.", "nov.", "dec.",
            ],
            days: [
                "pirmdiena", "otrdiena", "trešdiena", "ceturtdiena", "piektdiena", "sestdiena", "svētdiena",
            ],
            daysShort: [
                "pirmd.", "otrd.", "trešd.", "ceturtd.", "piektd.", "sestd.", "svētd.",
            ],
            morning: "priekšp.", afternoon: "pēcp.",
            date: [
                "dd.MM.yy", "y. 'gada' d. MMM", "y. 'gada' d. MMMM", "EEEE, y. 'gada' d. MMMM",
            ],
            time: [
                "HH:mm", "HH:mm:ss",
            ],
            join: [
                "{1} {0}", "{1} {0}", "{1} {0}", "{1} {0}",
            ]),
        symbols: [
            .init(0x415544, "AU$"), .init(0x42524C, "R$"), .init(0x434144, "CA$"), .init(0x434E59, "CN¥"), .init(0x455552, "€"),
            .init(0x474250, "£"), .init(0x494C53, "₪"), .init(0x494E52, "₹"), .init(0x4A5059, "¥"), .init(0x4B5257, "₩"),
            .init(0x4D584E, "MX$"), .init(0x4E5A44, "NZ$"), .init(0x544842, "฿"), .init(0x555344, "$"), .init(0x564E44, "₫"),
        ]
    )
}

// Written by scripts/make-locales; not by hand. Facts of the Unicode CLDR 47 (Unicode License v3), as babel 2.18.0 carries them.

extension TextLocale {
    static let de = TextLocale(
        tag: "de", plural: .oneWithoutFraction,
        numbers: NumberFacts(
            decimal: ",", group: ".", minus: "-", groupedFrom: 1),
        money: SignedPattern(before: "", after: "\u{A0}¤", beforeMinus: "-", afterMinus: "\u{A0}¤"),
        percent: SignedPattern(before: "", after: "\u{A0}%", beforeMinus: "-", afterMinus: "\u{A0}%"),
        dates: DateFacts(
            months: [
                "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember",
            ],
            monthsAlone: [
                "yanvar", "fevral", "mart", "aprel", "may", "iyun", "iyul", "avqust", "sentyabr", "oktyabr", "noyabr", "dekabr",
            ],
            monthsShort: [
                "Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez.",
            ],
            days: [
                "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag",
            ],
            daysShort: [
                "Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa.", "So.",
            ],
            morning: "AM", afternoon: "PM",
            date: [
                "dd.MM.yy", "dd.MM.y", "d. MMMM y", "EEEE, d. MMMM y",
            ],
            time: [
                "HH:mm", "HH:mm:ss",
            ],
            join: [
                "{1}, {0}", "{1}, {0}", "{1}, {0}", "{1}, {0}",
            ]),
        symbols: [
            .init(0x415544, "AU$"), .init(0x42524C, "R$"), .init(0x434144, "CA$"), .init(0x434E59, "CN¥"), .init(0x455552, "€"),
            .init(0x474250, "£"), .init(0x494C53, "₪"), .init(0x494E52, "₹"), .init(0x4A5059, "¥"), .init(0x4B5257, "₩"),
            .init(0x4D584E, "MX$"), .init(0x4E5A44, "NZ$"), .init(0x544842, "฿"), .init(0x555344, "$"), .init(0x564E44, "₫"),
        ]
    )
}

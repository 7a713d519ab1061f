// Written by scripts/make-locales; not by hand. Facts of the Unicode CLDR 47 (Unicode License v3), as babel 2.18.0 carries them.

extension TextLocale {
    static let it = TextLocale(
        tag: "it", plural: .oneOrMillions,
        numbers: NumberFacts(
            decimal: ",", group: ".", minus: "-", groupedFrom: 2),
        money: SignedPattern(before: "", after: "\u{A0}¤", beforeMinus: "-", afterMinus: "\u{A0}¤"),
        percent: SignedPattern(before: "", after: "%", beforeMinus: "-", afterMinus: "%"),
        dates: DateFacts(
            months: [
                "gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre", "ottobre", "novembre",
                "dicembre",
            ],
            monthsAlone: [
                "yanvar", "fevral", "mart", "aprel", "may", "iyun", "iyul", "avqust", "sentyabr", "oktyabr", "noyabr", "dekabr",
            ],
            monthsShort: [
                "gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott", "nov", "dic",
            ],
            days: [
                "lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica",
            ],
            daysShort: [
                "lun", "mar", "mer", "gio", "ven", "sab", "dom",
            ],
            morning: "AM", afternoon: "PM",
            date: [
                "dd/MM/yy", "d MMM y", "d MMMM y", "EEEE d MMMM y",
            ],
            time: [
                "HH:mm", "HH:mm:ss",
            ],
            join: [
                "{1}, {0}", "{1}, {0}", "{1} {0}", "{1} {0}",
            ]),
        symbols: [
            .init(0x415544, "A$"), .init(0x434144, "CA$"), .init(0x434E59, "CN¥"), .init(0x455552, "€"), .init(0x474250, "£"),
            .init(0x494C53, "₪"), .init(0x4E5A44, "NZ$"), .init(0x544842, "฿"),
        ]
    )
}

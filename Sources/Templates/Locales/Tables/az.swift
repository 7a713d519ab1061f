// Written by scripts/make-locales; not by hand. Facts of the Unicode CLDR 47 (Unicode License v3), as babel 2.18.0 carries them.

extension TextLocale {
    static let az = TextLocale(
        tag: "az", plural: .one,
        numbers: NumberFacts(
            decimal: ",", group: ".", minus: "-", groupedFrom: 1),
        money: SignedPattern(before: "", after: "\u{A0}¤", beforeMinus: "-", afterMinus: "\u{A0}¤"),
        percent: SignedPattern(before: "", after: "%", beforeMinus: "-", afterMinus: "%"),
        dates: DateFacts(
            months: [
                "yanvar", "fevral", "mart", "aprel", "may", "iyun", "iyul", "avqust", "sentyabr", "oktyabr", "noyabr", "dekabr",
            ],
            monthsAlone: [
                "yanvar", "fevral", "mart", "aprel", "may", "iyun", "iyul", "avqust", "sentyabr", "oktyabr", "noyabr", "dekabr",
            ],
            monthsShort: [
                "yan", "fev", "mar", "apr", "may", "iyn", "iyl", "avq", "sen", "okt", "noy", "dek",
            ],
            days: [
                "bazar ertəsi", "çərşənbə axşamı", "çərşənbə", "cümə axşamı", "cümə", "şənbə", "bazar",
            ],
            daysShort: [
                "B.e.", "Ç.a.", "Ç.", "C.a.", "C.", "Ş.", "B.",
            ],
            morning: "AM", afternoon: "PM",
            date: [
                "dd.MM.yy", "d MMM y", "d MMMM y", "d MMMM y, EEEE",
            ],
            time: [
                "HH:mm", "HH:mm:ss",
            ],
            join: [
                "{1} {0}", "{1} {0}", "{1} {0}", "{1} {0}",
            ]),
        symbols: [
            .init(0x415544, "A$"), .init(0x415A4E, "₼"), .init(0x42524C, "R$"), .init(0x434144, "CA$"), .init(0x434E59, "CN¥"),
            .init(0x455552, "€"), .init(0x474250, "£"), .init(0x494C53, "₪"), .init(0x494E52, "₹"), .init(0x4A5059, "JP¥"),
            .init(0x4B5257, "₩"), .init(0x4D584E, "MX$"), .init(0x4E5A44, "NZ$"), .init(0x544842, "฿"), .init(0x555344, "US$"),
            .init(0x564E44, "₫"),
        ]
    )
}

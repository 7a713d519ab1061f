// Written by scripts/make-locales; not by hand. Facts of the Unicode CLDR 47 (Unicode License v3), as babel 2.18.0 carries them.

extension TextLocale {
    static let es = TextLocale(
        tag: "es", plural: .oneAlwaysOrMillions,
        numbers: NumberFacts(
            decimal: ",", group: ".", minus: "-", groupedFrom: 2),
        money: SignedPattern(before: "", after: "\u{A0}¤", beforeMinus: "-", afterMinus: "\u{A0}¤"),
        percent: SignedPattern(before: "", after: "\u{A0}%", beforeMinus: "-", afterMinus: "\u{A0}%"),
        dates: DateFacts(
            months: [
                "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
                "diciembre",
            ],
            monthsAlone: [
                "yanvar", "fevral", "mart", "aprel", "may", "iyun", "iyul", "avqust", "sentyabr", "oktyabr", "noyabr", "dekabr",
            ],
            monthsShort: [
                "ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic",
            ],
            days: [
                "lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo",
            ],
            daysShort: [
                "lun", "mar", "mié", "jue", "vie", "sáb", "dom",
            ],
            morning: "a.\u{202F}m.", afternoon: "p.\u{202F}m.",
            date: [
                "d/M/yy", "d MMM y", "d 'de' MMMM 'de' y", "EEEE, d 'de' MMMM 'de' y",
            ],
            time: [
                "H:mm", "H:mm:ss",
            ],
            join: [
                "{1}, {0}", "{1}, {0}", "{1}, {0}", "{1}, {0}",
            ]),
        symbols: [
            .init(0x455552, "€"), .init(0x544842, "฿"), .init(0x555344, "US$"), .init(0x564E44, "₫"),
        ]
    )
}

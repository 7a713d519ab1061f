// Written by scripts/make-locales; not by hand. Facts of the Unicode CLDR 47 (Unicode License v3), as babel 2.18.0 carries them.

extension TextLocale {
    static let kk = TextLocale(
        tag: "kk", plural: .one,
        numbers: NumberFacts(
            decimal: ",", group: "\u{A0}", minus: "-", groupedFrom: 1),
        money: SignedPattern(before: "", after: "\u{A0}¤", beforeMinus: "-", afterMinus: "\u{A0}¤"),
        percent: SignedPattern(before: "", after: "%", beforeMinus: "-", afterMinus: "%"),
        dates: DateFacts(
            months: [
                "қаңтар", "ақпан", "наурыз", "сәуір", "мамыр", "маусым", "шілде", "тамыз", "қыркүйек", "қазан", "қараша", "желтоқсан",
            ],
            monthsAlone: [
                "Қаңтар", "Ақпан", "Наурыз", "Сәуір", "Мамыр", "Маусым", "Шілде", "Тамыз", "Қыркүйек", "Қазан", "Қараша", "Желтоқсан",
            ],
            monthsShort: [
                "қаң.", "ақп.", "нау.", "сәу.", "мам.", "мау.", "шіл.", "там.", "қыр.", "қаз.", "қар.", "жел.",
            ],
            days: [
                "дүйсенбі", "сейсенбі", "сәрсенбі", "бейсенбі", "жұма", "сенбі", "жексенбі",
            ],
            daysShort: [
                "дс", "сс", "ср", "бс", "жм", "сб", "жс",
            ],
            morning: "AM", afternoon: "PM",
            date: [
                "dd.MM.yy", "y\u{202F}'ж'. dd MMM", "y\u{202F}'ж'. d MMMM", "y\u{202F}'ж'. d MMMM, EEEE",
            ],
            time: [
                "HH:mm", "HH:mm:ss",
            ],
            join: [
                "{1}, {0}", "{1}, {0}", "{1}, {0}", "{1}, {0}",
            ]),
        symbols: [
            .init(0x415544, "A$"), .init(0x42524C, "R$"), .init(0x434144, "CA$"), .init(0x434E59, "CN¥"), .init(0x455552, "€"),
            .init(0x474250, "£"), .init(0x494C53, "₪"), .init(0x494E52, "₹"), .init(0x4A5059, "JP¥"), .init(0x4B5257, "₩"),
            .init(0x4B5A54, "₸"), .init(0x4D584E, "MX$"), .init(0x4E5A44, "NZ$"), .init(0x525542, "₽"), .init(0x544842, "฿"),
            .init(0x555344, "$"), .init(0x564E44, "₫"),
        ]
    )
}

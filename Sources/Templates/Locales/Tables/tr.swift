// Written by scripts/make-locales; not by hand. Facts of the Unicode CLDR 47 (Unicode License v3), as babel 2.18.0 carries them.

extension TextLocale {
    static let tr = TextLocale(
        tag: "tr", plural: .one,
        numbers: NumberFacts(
            decimal: ",", group: ".", minus: "-", groupedFrom: 1),
        money: SignedPattern(before: "¤", after: "", beforeMinus: "-¤", afterMinus: ""),
        percent: SignedPattern(before: "%", after: "", beforeMinus: "-%", afterMinus: ""),
        dates: DateFacts(
            months: [
                "Ocak", "Şubat", "Mart", "Nisan", "Mayıs", "Haziran", "Temmuz", "Ağustos", "Eylül", "Ekim", "Kasım", "Aralık",
            ],
            monthsAlone: [
                "yanvar", "fevral", "mart", "aprel", "may", "iyun", "iyul", "avqust", "sentyabr", "oktyabr", "noyabr", "dekabr",
            ],
            monthsShort: [
                "Oca", "Şub", "Mar", "Nis", "May", "Haz", "Tem", "Ağu", "Eyl", "Eki", "Kas", "Ara",
            ],
            days: [
                "Pazartesi", "Salı", "Çarşamba", "Perşembe", "Cuma", "Cumartesi", "Pazar",
            ],
            daysShort: [
                "Pzt", "Sal", "Çar", "Per", "Cum", "Cmt", "Paz",
            ],
            morning: "ÖÖ", afternoon: "ÖS",
            date: [
                "d.MM.y", "d MMM y", "d MMMM y", "d MMMM y EEEE",
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
            .init(0x4D584E, "MX$"), .init(0x4E5A44, "NZ$"), .init(0x544842, "฿"), .init(0x545259, "₺"), .init(0x555344, "$"),
            .init(0x564E44, "₫"),
        ]
    )
}

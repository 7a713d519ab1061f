// Written by scripts/make-locales; not by hand. Facts of the Unicode CLDR 47 (Unicode License v3), as babel 2.18.0 carries them.

extension TextLocale {
    static let ro = TextLocale(
        tag: "ro", plural: .romanian,
        numbers: NumberFacts(
            decimal: ",", group: ".", minus: "-", groupedFrom: 1),
        money: SignedPattern(before: "", after: "\u{A0}¤", beforeMinus: "-", afterMinus: "\u{A0}¤"),
        percent: SignedPattern(before: "", after: "\u{A0}%", beforeMinus: "-", afterMinus: "\u{A0}%"),
        dates: DateFacts(
            months: [
                "ianuarie", "februarie", "martie", "aprilie", "mai", "iunie", "iulie", "august", "septembrie", "octombrie",
                "noiembrie", "decembrie",
            ],
            monthsAlone: [
                "yanvar", "fevral", "mart", "aprel", "may", "iyun", "iyul", "avqust", "sentyabr", "oktyabr", "noyabr", "dekabr",
            ],
            monthsShort: [
                "ian.", "feb.", "mar.", "apr.", "mai", "iun.", "iul.", "aug.", "sept.", "oct.", "nov.", "dec.",
            ],
            days: [
                "luni", "marți", "miercuri", "joi", "vineri", "sâmbătă", "duminică",
            ],
            daysShort: [
                "lun.", "mar.", "mie.", "joi", "vin.", "sâm.", "dum.",
            ],
            morning: "a.m.", afternoon: "p.m.",
            date: [
                "dd.MM.y", "d MMM y", "d MMMM y", "EEEE, d MMMM y",
            ],
            time: [
                "HH:mm", "HH:mm:ss",
            ],
            join: [
                "{1}, {0}", "{1}, {0}", "{1}, {0}", "{1}, {0}",
            ]),
        symbols: []
    )
}

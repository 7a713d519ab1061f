// Written by scripts/make-locales; not by hand. Facts of the Unicode CLDR 47 (Unicode License v3), as babel 2.18.0 carries them.

extension TextLocale {
    static let hu = TextLocale(
        tag: "hu", plural: .one,
        numbers: NumberFacts(
            decimal: ",", group: "\u{A0}", minus: "-", groupedFrom: 2),
        money: SignedPattern(before: "", after: "\u{A0}¤", beforeMinus: "-", afterMinus: "\u{A0}¤"),
        percent: SignedPattern(before: "", after: "%", beforeMinus: "-", afterMinus: "%"),
        dates: DateFacts(
            months: [
                "január", "február", "március", "április", "május", "június", "július", "augusztus", "szeptember", "október",
                "november", "december",
            ],
            monthsAlone: [
                "yanvar", "fevral", "mart", "aprel", "may", "iyun", "iyul", "avqust", "sentyabr", "oktyabr", "noyabr", "dekabr",
            ],
            monthsShort: [
                "jan.", "febr.", "márc.", "ápr.", "máj.", "jún.", "júl.", "aug.", "szept.", "okt.", "nov.", "dec.",
            ],
            days: [
                "hétfő", "kedd", "szerda", "csütörtök", "péntek", "szombat", "vasárnap",
            ],
            daysShort: [
                "H", "K", "Sze", "Cs", "P", "Szo", "V",
            ],
            morning: "de.", afternoon: "du.",
            date: [
                "y. MM. dd.", "y. MMM d.", "y. MMMM d.", "y. MMMM d., EEEE",
            ],
            time: [
                "H:mm", "H:mm:ss",
            ],
            join: [
                "{1} {0}", "{1} {0}", "{1} {0}", "{1} {0}",
            ]),
        symbols: [
            .init(0x485546, "Ft"), .init(0x4A5059, "¥"),
        ]
    )
}

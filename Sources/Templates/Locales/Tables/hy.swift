// Written by scripts/make-locales; not by hand. Facts of the Unicode CLDR 47 (Unicode License v3), as babel 2.18.0 carries them.

extension TextLocale {
    static let hy = TextLocale(
        tag: "hy", plural: .lessThanTwo,
        numbers: NumberFacts(
            decimal: ",", group: "\u{A0}", minus: "-", groupedFrom: 2),
        money: SignedPattern(before: "", after: "\u{A0}¤", beforeMinus: "-", afterMinus: "\u{A0}¤"),
        percent: SignedPattern(before: "", after: "%", beforeMinus: "-", afterMinus: "%"),
        dates: DateFacts(
            months: [
                "հունվարի", "փետրվարի", "մարտի", "ապրիլի", "մայիսի", "հունիսի", "հուլիսի", "օգոստոսի", "սեպտեմբերի", "հոկտեմբերի",
                "նոյեմբերի", "դեկտեմբերի",
            ],
            monthsAlone: [
                "հունվար", "փետրվար", "մարտ", "ապրիլ", "մայիս", "հունիս", "հուլիս", "օգոստոս", "սեպտեմբեր", "հոկտեմբեր", "նոյեմբեր",
                "դեկտեմբեր",
            ],
            monthsShort: [
                "հնվ", "փտվ", "մրտ", "ապր", "մյս", "հնս", "հլս", "օգս", "սեպ", "հոկ", "նոյ", "դեկ",
            ],
            days: [
                "երկուշաբթի", "երեքշաբթի", "չորեքշաբթի", "հինգշաբթի", "ուրբաթ", "շաբաթ", "կիրակի",
            ],
            daysShort: [
                "երկ", "երք", "չրք", "հնգ", "ուր", "շբթ", "կիր",
            ],
            morning: "AM", afternoon: "PM",
            date: [
                "dd.MM.yy", "dd MMM, y թ.", "dd MMMM, y թ.", "y թ. MMMM d, EEEE",
            ],
            time: [
                "HH:mm", "HH:mm:ss",
            ],
            join: [
                "{1}, {0}", "{1}, {0}", "{1}, {0}", "{1}, {0}",
            ]),
        symbols: [
            .init(0x414D44, "֏"), .init(0x415544, "A$"), .init(0x42524C, "R$"), .init(0x434144, "CA$"), .init(0x434E59, "CN¥"),
            .init(0x455552, "€"), .init(0x474250, "£"), .init(0x494C53, "₪"), .init(0x494E52, "₹"), .init(0x4A5059, "JP¥"),
            .init(0x4B5257, "₩"), .init(0x4D584E, "MX$"), .init(0x4E5A44, "NZ$"), .init(0x544842, "฿"), .init(0x555344, "$"),
            .init(0x564E44, "₫"),
        ]
    )
}

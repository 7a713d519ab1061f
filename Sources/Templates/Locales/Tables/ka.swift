// Written by scripts/make-locales; not by hand. Facts of the Unicode CLDR 47 (Unicode License v3), as babel 2.18.0 carries them.

extension TextLocale {
    static let ka = TextLocale(
        tag: "ka", plural: .one,
        numbers: NumberFacts(
            decimal: ",", group: "\u{A0}", minus: "-", groupedFrom: 2),
        money: SignedPattern(before: "", after: "\u{A0}¤", beforeMinus: "-", afterMinus: "\u{A0}¤"),
        percent: SignedPattern(before: "", after: "%", beforeMinus: "-", afterMinus: "%"),
        dates: DateFacts(
            months: [
                "იანვარი", "თებერვალი", "მარტი", "აპრილი", "მაისი", "ივნისი", "ივლისი", "აგვისტო", "სექტემბერი", "ოქტომბერი",
                "ნოემბერი", "დეკემბერი",
            ],
            monthsAlone: [
                "yanvar", "fevral", "mart", "aprel", "may", "iyun", "iyul", "avqust", "sentyabr", "oktyabr", "noyabr", "dekabr",
            ],
            monthsShort: [
                "იან", "თებ", "მარ", "აპრ", "მაი", "ივნ", "ივლ", "აგვ", "სექ", "ოქტ", "ნოე", "დეკ",
            ],
            days: [
                "ორშაბათი", "სამშაბათი", "ოთხშაბათი", "ხუთშაბათი", "პარასკევი", "შაბათი", "კვირა",
            ],
            daysShort: [
                "ორშ", "სამ", "ოთხ", "ხუთ", "პარ", "შაბ", "კვი",
            ],
            morning: "AM", afternoon: "PM",
            date: [
                "dd.MM.yy", "d MMM. y", "d MMMM, y", "EEEE, dd MMMM, y",
            ],
            time: [
                "HH:mm", "HH:mm:ss",
            ],
            join: [
                "{1}, {0}", "{1}, {0}", "{1}, {0}", "{1}, {0}",
            ]),
        symbols: [
            .init(0x42524C, "R$"), .init(0x434144, "CA$"), .init(0x455552, "€"), .init(0x474250, "£"), .init(0x47454C, "₾"),
            .init(0x4D584E, "MX$"), .init(0x555344, "US$"),
        ]
    )
}

// Written by scripts/make-locales; not by hand. Facts of the Unicode CLDR 47 (Unicode License v3), as babel 2.18.0 carries them.

extension TextLocale {
    static let en = TextLocale(
        tag: "en", plural: .oneWithoutFraction,
        numbers: NumberFacts(
            decimal: ".", group: ",", minus: "-", groupedFrom: 1),
        money: SignedPattern(before: "¤", after: "", beforeMinus: "-¤", afterMinus: ""),
        percent: SignedPattern(before: "", after: "%", beforeMinus: "-", afterMinus: "%"),
        dates: DateFacts(
            months: [
                "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
                "December",
            ],
            monthsAlone: [
                "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
                "December",
            ],
            monthsShort: [
                "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
            ],
            days: [
                "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
            ],
            daysShort: [
                "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun",
            ],
            morning: "AM", afternoon: "PM",
            date: [
                "M/d/yy", "MMM d, y", "MMMM d, y", "EEEE, MMMM d, y",
            ],
            time: [
                "h:mm\u{202F}a", "h:mm:ss\u{202F}a",
            ],
            join: [
                "{1}, {0}", "{1}, {0}", "{1}, {0}", "{1}, {0}",
            ]),
        symbols: [
            .init(0x415544, "A$"), .init(0x42524C, "R$"), .init(0x434144, "CA$"), .init(0x434E59, "CN¥"), .init(0x455552, "€"),
            .init(0x474250, "£"), .init(0x494C53, "₪"), .init(0x494E52, "₹"), .init(0x4A5059, "¥"), .init(0x4B5257, "₩"),
            .init(0x4D584E, "MX$"), .init(0x4E5A44, "NZ$"), .init(0x555344, "$"), .init(0x564E44, "₫"),
        ]
    )
}

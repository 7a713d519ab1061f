// Written by scripts/make-locales; not by hand. Facts of the Unicode CLDR 47 (Unicode License v3), as babel 2.18.0 carries them.

extension TextLocale {
    static let ru = TextLocale(
        tag: "ru", plural: .eastSlavic,
        numbers: NumberFacts(
            decimal: ",", group: "\u{A0}", minus: "-", groupedFrom: 1),
        money: SignedPattern(before: "", after: "\u{A0}¤", beforeMinus: "-", afterMinus: "\u{A0}¤"),
        percent: SignedPattern(before: "", after: "\u{A0}%", beforeMinus: "-", afterMinus: "\u{A0}%"),
        dates: DateFacts(
            months: [
                "января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября", "декабря",
            ],
            monthsAlone: [
                "январь", "февраль", "март", "апрель", "май", "июнь", "июль", "август", "сентябрь", "октябрь", "ноябрь", "декабрь",
            ],
            monthsShort: [
                "янв.", "февр.", "мар.", "апр.", "мая", "июн.", "июл.", "авг.", "сент.", "окт.", "нояб.", "дек.",
            ],
            days: [
                "понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье",
            ],
            daysShort: [
                "пн", "вт", "ср", "чт", "пт", "сб", "вс",
            ],
            morning: "AM", afternoon: "PM",
            date: [
                "dd.MM.y", "d MMM y\u{202F}'г'.", "d MMMM y\u{202F}'г'.", "EEEE, d MMMM y\u{202F}'г'.",
            ],
            time: [
                "HH:mm", "HH:mm:ss",
            ],
            join: [
                "{1}, {0}", "{1}, {0}", "{1}, {0}", "{1}, {0}",
            ]),
        symbols: [
            .init(0x415544, "A$"), .init(0x42524C, "R$"), .init(0x434144, "CA$"), .init(0x434E59, "CN¥"), .init(0x455552, "€"),
            .init(0x474250, "£"), .init(0x494C53, "₪"), .init(0x494E52, "₹"), .init(0x4A5059, "¥"), .init(0x4B5257, "₩"),
            .init(0x4D584E, "MX$"), .init(0x4E5A44, "NZ$"), .init(0x525542, "₽"), .init(0x544842, "฿"), .init(0x544D54, "ТМТ"),
            .init(0x554148, "₴"), .init(0x555344, "$"), .init(0x564E44, "₫"),
        ]
    )
}

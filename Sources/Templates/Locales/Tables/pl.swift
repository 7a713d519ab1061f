// Written by scripts/make-locales; not by hand. Facts of the Unicode CLDR 47 (Unicode License v3), as babel 2.18.0 carries them.

extension TextLocale {
    static let pl = TextLocale(
        tag: "pl", plural: .polish,
        numbers: NumberFacts(
            decimal: ",", group: "\u{A0}", minus: "-", groupedFrom: 2),
        money: SignedPattern(before: "", after: "\u{A0}¤", beforeMinus: "-", afterMinus: "\u{A0}¤"),
        percent: SignedPattern(before: "", after: "%", beforeMinus: "-", afterMinus: "%"),
        dates: DateFacts(
            months: [
                "stycznia", "lutego", "marca", "kwietnia", "maja", "czerwca", "lipca", "sierpnia", "września", "października",
                "listopada", "grudnia",
            ],
            monthsAlone: [
                "styczeń", "luty", "marzec", "kwiecień", "maj", "czerwiec", "lipiec", "sierpień", "wrzesień", "październik",
                "listopad", "grudzień",
            ],
            monthsShort: [
                "sty", "lut", "mar", "kwi", "maj", "cze", "lip", "sie", "wrz", "paź", "lis", "gru",
            ],
            days: [
                "poniedziałek", "wtorek", "środa", "czwartek", "piątek", "sobota", "niedziela",
            ],
            daysShort: [
                "pon.", "wt.", "śr.", "czw.", "pt.", "sob.", "niedz.",
            ],
            morning: "AM", afternoon: "PM",
            date: [
                "d.MM.y", "d MMM y", "d MMMM y", "EEEE, d MMMM y",
            ],
            time: [
                "HH:mm", "HH:mm:ss",
            ],
            join: [
                "{1}, {0}", "{1}, {0}", "{1} {0}", "{1} {0}",
            ]),
        symbols: [
            .init(0x42524C, "R$"), .init(0x455552, "€"), .init(0x504C4E, "zł"),
        ]
    )
}

/// Tables of `Transliteration`. Letters of a row are single scalars (NFC).
extension Transliteration {
    /// Latin letters with marks, by the ASCII letter that is left without them (canonical decomposition of U+00C0-U+024F and
    /// U+1E00-U+1EFF).
    static let marked: [(base: String, letters: String)] = [
        ("A", "ÀÁÂÃÄÅĀĂĄǍǞǠǺȀȂȦḀẠẢẤẦẨẪẬẮẰẲẴẶ"),
        ("B", "ḂḄḆ"),
        ("C", "ÇĆĈĊČḈ"),
        ("D", "ĎḊḌḎḐḒ"),
        ("E", "ÈÉÊËĒĔĖĘĚȄȆȨḔḖḘḚḜẸẺẼẾỀỂỄỆ"),
        ("F", "Ḟ"),
        ("G", "ĜĞĠĢǦǴḠ"),
        ("H", "ĤȞḢḤḦḨḪ"),
        ("I", "ÌÍÎÏĨĪĬĮİǏȈȊḬḮỈỊ"),
        ("J", "Ĵ"),
        ("K", "ĶǨḰḲḴ"),
        ("L", "ĹĻĽḶḸḺḼ"),
        ("M", "ḾṀṂ"),
        ("N", "ÑŃŅŇǸṄṆṈṊ"),
        ("O", "ÒÓÔÕÖŌŎŐƠǑǪǬȌȎȪȬȮȰṌṎṐṒỌỎỐỒỔỖỘỚỜỞỠỢ"),
        ("P", "ṔṖ"),
        ("R", "ŔŖŘȐȒṘṚṜṞ"),
        ("S", "ŚŜŞŠȘṠṢṤṦṨ"),
        ("T", "ŢŤȚṪṬṮṰ"),
        ("U", "ÙÚÛÜŨŪŬŮŰŲƯǓǕǗǙǛȔȖṲṴṶṸṺỤỦỨỪỬỮỰ"),
        ("V", "ṼṾ"),
        ("W", "ŴẀẂẄẆẈ"),
        ("X", "ẊẌ"),
        ("Y", "ÝŶŸȲẎỲỴỶỸ"),
        ("Z", "ŹŻŽẐẒẔ"),
        ("a", "àáâãäåāăąǎǟǡǻȁȃȧḁạảấầẩẫậắằẳẵặ"),
        ("b", "ḃḅḇ"),
        ("c", "çćĉċčḉ"),
        ("d", "ďḋḍḏḑḓ"),
        ("e", "èéêëēĕėęěȅȇȩḕḗḙḛḝẹẻẽếềểễệ"),
        ("f", "ḟ"),
        ("g", "ĝğġģǧǵḡ"),
        ("h", "ĥȟḣḥḧḩḫẖ"),
        ("i", "ìíîïĩīĭįǐȉȋḭḯỉị"),
        ("j", "ĵǰ"),
        ("k", "ķǩḱḳḵ"),
        ("l", "ĺļľḷḹḻḽ"),
        ("m", "ḿṁṃ"),
        ("n", "ñńņňǹṅṇṉṋ"),
        ("o", "òóôõöōŏőơǒǫǭȍȏȫȭȯȱṍṏṑṓọỏốồổỗộớờởỡợ"),
        ("p", "ṕṗ"),
        ("r", "ŕŗřȑȓṙṛṝṟ"),
        ("s", "śŝşšșṡṣṥṧṩ"),
        ("t", "ţťțṫṭṯṱẗ"),
        ("u", "ùúûüũūŭůűųưǔǖǘǚǜȕȗṳṵṷṹṻụủứừửữự"),
        ("v", "ṽṿ"),
        ("w", "ŵẁẃẅẇẉẘ"),
        ("x", "ẋẍ"),
        ("y", "ýÿŷȳẏẙỳỵỷỹ"),
        ("z", "źżžẑẓẕ"),
    ]

    /// Latin letters that do not decompose.
    static let unmarked: [(from: Unicode.Scalar, to: String)] = [
        ("Æ", "AE"), ("æ", "ae"), ("Œ", "OE"), ("œ", "oe"), ("ß", "ss"), ("ẞ", "SS"), ("Ø", "O"), ("ø", "o"), ("Đ", "D"), ("đ", "d"),
        ("Ð", "D"), ("ð", "d"), ("Þ", "Th"), ("þ", "th"), ("Ł", "L"), ("ł", "l"), ("Ħ", "H"), ("ħ", "h"), ("ı", "i"), ("Ŋ", "Ng"),
        ("ŋ", "ng"), ("Ŧ", "T"), ("ŧ", "t"), ("Ə", "E"), ("ə", "e"), ("ĸ", "k"), ("ſ", "s"), ("ƒ", "f"), ("Ĳ", "IJ"), ("ĳ", "ij"),
        ("ŀ", "l"), ("Ŀ", "L"), ("ŉ", "'n"), ("Ɖ", "D"), ("ɖ", "d"), ("Ɨ", "I"), ("Ʉ", "U"), ("ȷ", "j"), ("Ǆ", "DZ"), ("ǅ", "Dz"),
        ("ǆ", "dz"), ("Ǉ", "LJ"), ("ǈ", "Lj"), ("ǉ", "lj"), ("Ǌ", "NJ"), ("ǋ", "Nj"), ("ǌ", "nj"), ("ª", "a"), ("º", "o"),
    ]

    /// Signs that word processors put in, as a keyboard has them.
    static let signs: [(from: String, to: String)] = [
        ("\u{201C}\u{201D}\u{201E}\u{201F}\u{AB}\u{BB}\u{2033}\u{2036}\u{301D}\u{301E}", "\""),
        ("\u{2018}\u{2019}\u{201A}\u{201B}\u{2032}\u{2035}\u{2039}\u{203A}\u{B4}\u{60}\u{2B9}\u{2BB}\u{2BC}\u{2BD}\u{2C8}", "'"),
        ("\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2015}\u{2043}\u{2212}\u{FE58}\u{FE63}", "-"),
        ("\u{2026}", "..."), ("\u{2025}", ".."), ("\u{2022}\u{2023}\u{25AA}\u{25CF}\u{B7}\u{2219}", "-"),
        (
            "\u{9}\u{A0}\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}\u{2007}\u{2008}\u{2009}\u{200A}"
                + "\u{202F}\u{205F}\u{3000}",
            " "
        ),
        ("\u{2028}\u{2029}\u{85}\u{B}", "\n"), ("\u{AD}\u{200B}\u{2060}\u{FEFF}", ""),
        ("\u{2044}\u{2215}\u{F7}", "/"), ("\u{D7}", "x"), ("\u{2217}", "*"), ("\u{223C}\u{2DC}\u{FF5E}", "~"), ("\u{2223}", "|"),
        ("\u{2192}", "->"), ("\u{2190}", "<-"), ("\u{2264}", "<="), ("\u{2265}", ">="), ("\u{B1}", "+/-"), ("\u{203C}", "!!"),
        ("\u{2116}", "No"), ("\u{2122}", "(TM)"), ("\u{A9}", "(c)"), ("\u{AE}", "(R)"), ("\u{A6}", "|"), ("\u{A2}", "c"),
        ("\u{BC}", "1/4"), ("\u{BD}", "1/2"), ("\u{BE}", "3/4"), ("\u{B9}", "1"), ("\u{B2}", "2"), ("\u{B3}", "3"),
        ("\u{FB00}", "ff"), ("\u{FB01}", "fi"), ("\u{FB02}", "fl"), ("\u{FB03}", "ffi"), ("\u{FB04}", "ffl"),
        ("\u{20B4}", "UAH"), ("\u{20BD}", "RUB"), ("\u{20BA}", "TRY"), ("\u{20B8}", "KZT"), ("\u{20BC}", "AZN"), ("\u{20BE}", "GEL"),
        ("\u{20B9}", "INR"), ("\u{20BF}", "BTC"), ("\u{20AA}", "ILS"), ("\u{20A9}", "KRW"), ("\u{20AB}", "VND"), ("\u{20A6}", "NGN"),
    ]

    /// Letters of other scripts that look like a Latin one, in both cases.
    static let lookAlikeRows: [(from: String, to: String)] = [
        ("АВЕКМНОРСТУХІЈЅԚԜӀ", "ABEKMHOPCTYXIJSQWI"), ("аеорсухіјѕԁһԛԝӏ", "aeopcyxijsdhqwl"),
        ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX"), ("ο", "o"),
    ]

    /// By small letter: Latin at the start of a word, and inside it.
    typealias Cyrillic = [Unicode.Scalar: (first: String, inside: String)]

    /// The official Ukrainian table (Cabinet of Ministers, resolution 55 of 27 January 2010). Soft sign and apostrophe are dropped, and
    /// зг is zgh: both in the code. Russian letters as in the passport table.
    static let ukrainianLetters: Cyrillic = {
        var table = russianLetters
        let own: Cyrillic = [
            "г": ("h", "h"), "ґ": ("g", "g"), "є": ("ye", "ie"), "ж": ("zh", "zh"), "и": ("y", "y"), "і": ("i", "i"), "ї": ("yi", "i"),
            "й": ("y", "i"), "х": ("kh", "kh"), "ц": ("ts", "ts"), "щ": ("shch", "shch"), "ю": ("yu", "iu"), "я": ("ya", "ia"),
            "ь": ("", ""),
        ]
        table.merge(own) { $1 }
        return table
    }()

    /// As in passports (ICAO Doc 9303, part 3, section 6, table B), with the letters of the neighbours. Soft sign: none.
    static let russianLetters: Cyrillic = {
        let pairs: [(Unicode.Scalar, String)] = [
            ("а", "a"), ("б", "b"), ("в", "v"), ("г", "g"), ("д", "d"), ("е", "e"), ("ё", "e"), ("ж", "zh"), ("з", "z"), ("и", "i"),
            ("й", "i"), ("к", "k"), ("л", "l"), ("м", "m"), ("н", "n"), ("о", "o"), ("п", "p"), ("р", "r"), ("с", "s"), ("т", "t"),
            ("у", "u"), ("ф", "f"), ("х", "kh"), ("ц", "ts"), ("ч", "ch"), ("ш", "sh"), ("щ", "shch"), ("ъ", "ie"), ("ы", "y"),
            ("ь", ""), ("э", "e"), ("ю", "iu"), ("я", "ia"),
            ("ґ", "g"), ("є", "ie"), ("і", "i"), ("ї", "i"), ("ў", "u"), ("ђ", "d"), ("ѓ", "g"), ("ѕ", "dz"), ("ј", "j"), ("љ", "lj"),
            ("њ", "nj"), ("ћ", "c"), ("ќ", "k"), ("џ", "dz"),
        ]
        var table: Cyrillic = [:]
        for (letter, latin) in pairs { table[letter] = (latin, latin) }
        return table
    }()

    // MARK: - Look-up

    static let signTable: [Unicode.Scalar: String] = {
        var table: [Unicode.Scalar: String] = [:]
        for (from, to) in signs {
            for scalar in from.unicodeScalars { table[scalar] = to }
        }
        // Full-width forms of ASCII.
        for value in UInt32(0xFF01)...0xFF5E {
            guard let from = Unicode.Scalar(value), let to = Unicode.Scalar(value - 0xFEE0), table[from] == nil else { continue }
            table[from] = String(Character(to))
        }
        return table
    }()

    static let baseTable: [Unicode.Scalar: String] = {
        var table: [Unicode.Scalar: String] = [:]
        for (base, letters) in marked {
            for scalar in letters.unicodeScalars { table[scalar] = base }
        }
        for (from, to) in unmarked { table[from] = to }
        return table
    }()

    static let lookAlikeTable: [Unicode.Scalar: Unicode.Scalar] = {
        var table: [Unicode.Scalar: Unicode.Scalar] = [:]
        for (from, to) in lookAlikeRows {
            for (letter, latin) in zip(from.unicodeScalars, to.unicodeScalars) { table[letter] = latin }
        }
        return table
    }()
}

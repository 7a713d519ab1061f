/// Tables of the national languages that are offered for sending (3GPP TS 23.038 release 17, annex A), and of what the default
/// alphabet is made of, in the shape that counting, writing and reading need.
extension GSM7 {
    /// One locking shift table with one single shift table. A class, so that a cutter holds one reference.
    final class Tables: Sendable {
        /// Letter of each code.
        let letters: [Unicode.Scalar]
        /// Letter of each code behind the escape; a code without one has its letter of `letters` (6.2.1.1, note), and a second
        /// escape is shown as a space.
        let extensionTable: [Unicode.Scalar]
        /// Code of each scalar below U+0400: 0...0x7F, or `extended | code`, or `none`.
        let codes: [UInt8]
        /// The same of the two letters above that some table has.
        let euro: UInt8
        let infinity: UInt8

        init(letters: [Unicode.Scalar], extensions: [(code: UInt8, letter: Unicode.Scalar)]) {
            self.letters = letters
            var table = letters
            table[Int(GSM7.escape)] = " "
            var codes = [UInt8](repeating: GSM7.none, count: 0x400)
            var high: [UInt32: UInt8] = [:]
            for (code, letter) in extensions {
                table[Int(code)] = letter
                if letter.value < 0x400 {
                    codes[Int(letter.value)] = GSM7.extended | code
                } else {
                    high[letter.value] = GSM7.extended | code
                }
            }
            // Second, so that one septet wins over two.
            for (code, letter) in letters.enumerated() where code != Int(GSM7.escape) {
                if letter.value < 0x400 { codes[Int(letter.value)] = UInt8(code) } else { high[letter.value] = UInt8(code) }
            }
            for (from, to) in GSM7.sameLetters where from.value < 0x400 { codes[Int(from.value)] = codes[Int(to.value)] }
            self.extensionTable = table
            self.codes = codes
            euro = high[0x20AC] ?? GSM7.none
            infinity = high[0x221E] ?? GSM7.none
        }

        /// As `codes`, for letters from U+0400 up.
        func high(_ scalar: UInt32) -> UInt8 {
            switch scalar {
            case 0x20AC: euro
            case 0x221E: infinity
            case 0x202F: 0x20
            case 0x2126: codes[0x3A9]
            case 0x212A: codes[0x4B]
            case 0x212B: codes[0xC5]
            default: GSM7.none
            }
        }
    }

    /// The default alphabet and its extension table.
    static let standard = Tables(letters: letters, extensions: extensionLetters)

    /// National Language Identifiers with tables here: 1 Turkish, 2 Spanish, 3 Portuguese (6.2.1.2.4).
    private static let languages: UInt8 = 4

    /// Every pair, `locking * languages + single`.
    private static let pairs: [Tables] = (0..<languages * languages).map { pair in
        let locking = lockingChanges[Int(pair / languages)]
        let single = singleShifts[Int(pair % languages)]
        var table = letters
        for (code, letter) in locking { table[Int(code)] = letter }
        return Tables(letters: table, extensions: extensionLetters + single)
    }

    /// The tables that a header names. An identifier that is unknown here means the default table, as the specification wants
    /// from a phone (TS 23.040, 9.2.3.24.15 and .16).
    static func tables(locking: UInt8, single: UInt8) -> Tables {
        let locking = locking < languages ? locking : 0
        let single = single < languages ? single : 0
        return locking == 0 && single == 0 ? standard : pairs[Int(locking * languages + single)]
    }

    /// By National Language Identifier: what a locking shift table has elsewhere than the default alphabet (A.3). Spanish has none.
    private static let lockingChanges: [[(code: UInt8, letter: Unicode.Scalar)]] = [
        [],
        [(0x04, "€"), (0x07, "ı"), (0x0B, "Ğ"), (0x0C, "ğ"), (0x1C, "Ş"), (0x1D, "ş"), (0x40, "İ"), (0x60, "ç")],
        [],
        [
            (0x04, "ê"), (0x06, "ú"), (0x07, "í"), (0x08, "ó"), (0x09, "ç"), (0x0B, "Ô"), (0x0C, "ô"), (0x0E, "Á"), (0x0F, "á"),
            (0x12, "ª"), (0x13, "Ç"), (0x14, "À"), (0x15, "∞"), (0x16, "^"), (0x17, "\\"), (0x18, "€"), (0x19, "Ó"), (0x1A, "|"),
            (0x1C, "Â"), (0x1D, "â"), (0x1E, "Ê"), (0x24, "º"), (0x40, "Í"), (0x5B, "Ã"), (0x5C, "Õ"), (0x5D, "Ú"), (0x60, "~"),
            (0x7B, "ã"), (0x7C, "õ"), (0x7D, "`"),
        ],
    ]

    /// By National Language Identifier: what a single shift table has beside the default extension table (A.2). The Greek letters of the
    /// Portuguese one have their codes of the default alphabet: they serve texts in the locking table.
    private static let singleShifts: [[(code: UInt8, letter: Unicode.Scalar)]] = [
        [],
        [(0x47, "Ğ"), (0x49, "İ"), (0x53, "Ş"), (0x63, "ç"), (0x67, "ğ"), (0x69, "ı"), (0x73, "ş")],
        [
            (0x09, "ç"), (0x41, "Á"), (0x49, "Í"), (0x4F, "Ó"), (0x55, "Ú"), (0x61, "á"), (0x69, "í"), (0x6F, "ó"), (0x75, "ú"),
        ],
        [
            (0x05, "ê"), (0x09, "ç"), (0x0B, "Ô"), (0x0C, "ô"), (0x0E, "Á"), (0x0F, "á"), (0x12, "Φ"), (0x13, "Γ"), (0x15, "Ω"),
            (0x16, "Π"), (0x17, "Ψ"), (0x18, "Σ"), (0x19, "Θ"), (0x1F, "Ê"), (0x41, "À"), (0x49, "Í"), (0x4F, "Ó"), (0x55, "Ú"),
            (0x5B, "Ã"), (0x5C, "Õ"), (0x61, "Â"), (0x69, "í"), (0x6F, "ó"), (0x75, "ú"), (0x7B, "ã"), (0x7C, "õ"), (0x7F, "â"),
        ],
    ]

    /// As `composed`, for letters that only a national table or ISO 8859-1 has.
    static let composedBeyond: [(base: Unicode.Scalar, mark: Unicode.Scalar, letter: Unicode.Scalar)] = [
        ("A", "\u{300}", "À"), ("A", "\u{301}", "Á"), ("A", "\u{302}", "Â"), ("A", "\u{303}", "Ã"), ("E", "\u{300}", "È"),
        ("E", "\u{302}", "Ê"), ("E", "\u{308}", "Ë"), ("I", "\u{300}", "Ì"), ("I", "\u{301}", "Í"), ("I", "\u{302}", "Î"),
        ("I", "\u{308}", "Ï"), ("O", "\u{300}", "Ò"), ("O", "\u{301}", "Ó"), ("O", "\u{302}", "Ô"), ("O", "\u{303}", "Õ"),
        ("U", "\u{300}", "Ù"), ("U", "\u{301}", "Ú"), ("U", "\u{302}", "Û"), ("Y", "\u{301}", "Ý"), ("a", "\u{301}", "á"),
        ("a", "\u{302}", "â"), ("a", "\u{303}", "ã"), ("c", "\u{327}", "ç"), ("e", "\u{302}", "ê"), ("e", "\u{308}", "ë"),
        ("i", "\u{301}", "í"), ("i", "\u{302}", "î"), ("i", "\u{308}", "ï"), ("o", "\u{301}", "ó"), ("o", "\u{302}", "ô"),
        ("o", "\u{303}", "õ"), ("u", "\u{301}", "ú"), ("u", "\u{302}", "û"), ("y", "\u{301}", "ý"), ("y", "\u{308}", "ÿ"),
        ("G", "\u{306}", "Ğ"), ("g", "\u{306}", "ğ"), ("I", "\u{307}", "İ"), ("S", "\u{327}", "Ş"), ("s", "\u{327}", "ş"),
    ]
}

extension Alphabet {
    /// Tables of the septets; those of the default alphabet for what is not counted in septets.
    var tables: GSM7.Tables { rawValue < 0x20 ? GSM7.standard : GSM7.tables(locking: lockingShift, single: singleShift) }
}

/// The GSM 7-bit default alphabet and its extension table (3GPP TS 23.038 release 17, 6.2.1 and 6.2.1.1).
///
/// National language tables (6.2.1.2, annex A) stand beside it: operators and handsets support them unevenly, so they are used only
/// where `TextOptions` allows them.
public enum GSM7 {
    /// Septet that announces one of the extension table.
    public static let escape: UInt8 = 0x1B

    /// The 128 letters in the order of their code. The place of 0x1B is the escape itself, which no letter has.
    static let letters: [Unicode.Scalar] = Array(
        ("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1B}ÆæßÉ" + " !\"#¤%&'()*+,-./0123456789:;<=>?"
            + "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§" + "¿abcdefghijklmnopqrstuvwxyzäöñüà").unicodeScalars)

    /// Code after the escape, and its letter. 0x0A is the page break (form feed).
    static let extensionLetters: [(code: UInt8, letter: Unicode.Scalar)] = [
        (0x0A, "\u{0C}"), (0x14, "^"), (0x28, "{"), (0x29, "}"), (0x2F, "\\"), (0x3C, "["), (0x3D, "~"), (0x3E, "]"), (0x40, "|"),
        (0x65, "€"),
    ]

    /// Letters that are written as another one because nothing a reader can see or a phone can keep is lost:
    /// singletons that Unicode itself defines as the same letter (canonical equivalence), and spaces that only forbid a
    /// line break, which a short message cannot express. Formatted amounts ("1 234,56") are full of the latter, and
    /// one of them would halve the room.
    static let sameLetters: [(from: Unicode.Scalar, to: Unicode.Scalar)] = [
        ("\u{00A0}", " "), ("\u{202F}", " "),
        ("\u{037E}", ";"), ("\u{2126}", "Ω"), ("\u{212A}", "K"), ("\u{212B}", "Å"),
    ]

    /// A base letter followed by a combining mark that is canonically the same as one letter of the alphabet (NFC).
    static let composed: [(base: Unicode.Scalar, mark: Unicode.Scalar, letter: Unicode.Scalar)] = [
        ("a", "\u{300}", "à"), ("e", "\u{300}", "è"), ("i", "\u{300}", "ì"), ("o", "\u{300}", "ò"), ("u", "\u{300}", "ù"),
        ("e", "\u{301}", "é"), ("E", "\u{301}", "É"),
        ("n", "\u{303}", "ñ"), ("N", "\u{303}", "Ñ"),
        ("a", "\u{308}", "ä"), ("o", "\u{308}", "ö"), ("u", "\u{308}", "ü"), ("A", "\u{308}", "Ä"), ("O", "\u{308}", "Ö"),
        ("U", "\u{308}", "Ü"),
        ("a", "\u{30A}", "å"), ("A", "\u{30A}", "Å"), ("C", "\u{327}", "Ç"),
    ]

    // MARK: - Look-up

    /// In `Tables.codes`: no such letter. It is the escape in the extension table, the one place that is no letter in any table (0x7F is:
    /// the Portuguese â).
    static let none: UInt8 = 0x9B
    /// In `Tables.codes`: the rest is a code of the extension table.
    static let extended: UInt8 = 0x80

    /// The letter that `base` (ASCII) and the combining mark make together, where any alphabet here has it.
    static func composedLetter(_ base: UInt8, _ mark: UInt32) -> Unicode.Scalar? {
        for entry in composed where entry.base.value == UInt32(base) && entry.mark.value == mark { return entry.letter }
        for entry in composedBeyond where entry.base.value == UInt32(base) && entry.mark.value == mark { return entry.letter }
        return nil
    }

    // MARK: - Packing (6.1.2.1)

    /// Septets to octets, least significant bit first.
    /// - Parameters:
    ///   - septets: one an octet, each below 0x80 (a higher bit is dropped).
    ///   - afterHeader: octets of user data header before the text; the text then starts at the next septet border, so 0...6 fill bits.
    /// - Returns: the packed text without the header. The number of septets must travel beside it (TP-User-Data-Length), since
    ///   seven zero bits at the end are also an `@`.
    public static func pack(_ septets: some Sequence<UInt8>, afterHeader headerOctets: Int = 0) -> [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(septets.underestimatedCount * 7 / 8 + 1)
        var held = UInt32(0)
        var bits = fillBits(headerOctets)
        var any = false
        for septet in septets {
            any = true
            held |= UInt32(septet & 0x7F) << UInt32(bits)
            bits += 7
            while bits >= 8 {
                octets.append(UInt8(truncatingIfNeeded: held))
                held >>= 8
                bits -= 8
            }
        }
        if any, bits > 0 { octets.append(UInt8(truncatingIfNeeded: held)) }
        return octets
    }

    /// Octets back to at most `count` septets; fewer when the octets end before.
    public static func unpack(_ octets: some Sequence<UInt8>, count: Int, afterHeader headerOctets: Int = 0) -> [UInt8] {
        var septets: [UInt8] = []
        var held = UInt32(0)
        var bits = 0
        var skip = fillBits(headerOctets)
        for octet in octets {
            held |= UInt32(octet) << UInt32(bits)
            bits += 8
            if skip > 0 {
                held >>= UInt32(skip)
                bits -= skip
                skip = 0
            }
            while bits >= 7, septets.count < count {
                septets.append(UInt8(held & 0x7F))
                held >>= 7
                bits -= 7
            }
            if septets.count >= count { break }
        }
        return septets
    }

    /// Bits from the end of the header to the next septet border.
    static func fillBits(_ headerOctets: Int) -> Int { (7 - headerOctets * 8 % 7) % 7 }
}

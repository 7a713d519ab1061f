/// The two ISO alphabets of one octet a letter (SMPP 3.4, 5.2.19: 3 and 6).
enum OctetAlphabet {
    /// Octet of a scalar in ISO 8859-1 or -5, or nil. A narrow no-break space is written as a no-break space, and letters that Unicode
    /// defines as the same as another one as that one: nothing is lost.
    @inline(__always)
    static func octet(_ scalar: UInt32, _ alphabet: Alphabet) -> UInt8? {
        alphabet == .latin1 ? latin1(scalar) : alphabet == .cyrillic ? cyrillic(scalar) : nil
    }

    private static func latin1(_ scalar: UInt32) -> UInt8? {
        switch scalar {
        case 0..<0x100: UInt8(truncatingIfNeeded: scalar)
        case 0x202F: 0xA0
        case 0x037E: 0x3B
        case 0x212A: 0x4B
        case 0x212B: 0xC5
        default: nil
        }
    }

    private static func cyrillic(_ scalar: UInt32) -> UInt8? {
        switch scalar {
        case 0...0xA0, 0xAD: UInt8(truncatingIfNeeded: scalar)
        case 0x401...0x40C, 0x40E...0x44F, 0x451...0x45C, 0x45E, 0x45F: UInt8(truncatingIfNeeded: scalar - 0x360)
        case 0x00A7: 0xFD
        case 0x2116: 0xF0
        case 0x202F: 0xA0
        case 0x037E: 0x3B
        case 0x212A: 0x4B
        default: nil
        }
    }

    /// Octet of the letter that `base` (ASCII) and the combining mark make together, or nil. ISO 8859-5 has no such letter.
    static func composition(_ base: UInt8, _ mark: UInt32, _ alphabet: Alphabet) -> UInt8? {
        guard alphabet == .latin1, let letter = GSM7.composedLetter(base, mark), letter.value < 0x100 else { return nil }
        return UInt8(truncatingIfNeeded: letter.value)
    }

    /// Scalar of an octet in ISO 8859-5.
    static func scalar(cyrillic octet: UInt8) -> UInt32 {
        switch octet {
        case 0...0xA0, 0xAD: UInt32(octet)
        case 0xF0: 0x2116
        case 0xFD: 0x00A7
        default: UInt32(octet) + 0x360
        }
    }
}

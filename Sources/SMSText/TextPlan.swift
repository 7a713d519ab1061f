/// The two alphabets a short message can be written in (3GPP TS 23.038, 6.2.1 and 6.2.3).
public enum Alphabet: UInt8, Sendable, Hashable {
    /// GSM 7-bit default alphabet with its extension table. Its unit is the septet.
    case gsm7 = 0
    /// UCS-2, in practice UTF-16 big-endian. Its unit is the 16-bit code unit.
    case ucs2 = 8

    /// The SMPP `data_coding` of a text in this alphabet (SMPP 3.4, 5.2.19).
    public var dataCoding: UInt8 { rawValue }

    /// Units that fit one message without a header: 160 septets, 70 UTF-16 units.
    public var unitsMax: Int {
        switch self {
        case .gsm7: 160
        case .ucs2: 70
        }
    }
}

/// How the parts of one long message are marked as belonging together (3GPP TS 23.040).
public enum Concatenation: Sendable, Hashable {
    /// 8-bit reference, `05 00 03 ref total n` (9.2.3.24.1): what every handset and operator knows.
    case udh8
    /// 16-bit reference, `06 08 04 ref ref total n` (9.2.3.24.8): fewer collisions, one octet more.
    case udh16

    /// Octets of the user data header, its length octet included: 6 or 7.
    public var headerOctets: Int {
        switch self {
        case .udh8: 6
        case .udh16: 7
        }
    }

    /// Units left for text in each of several parts: of 140 octets the header takes 6 or 7, which is
    /// 7 or 8 septets, or (7 leaves an odd octet) 3 or 4 UTF-16 units.
    public func unitsMax(of alphabet: Alphabet) -> Int {
        switch (alphabet, self) {
        case (.gsm7, .udh8): 153
        case (.gsm7, .udh16): 152
        case (.ucs2, .udh8): 67
        case (.ucs2, .udh16): 66
        }
    }
}

/// What a text will cost on the air, known before anything is encoded.
public struct TextPlan: Sendable, Hashable {
    public let alphabet: Alphabet
    /// Messages on the air: 1, or as many as the cutting rules need. Over `SMSText.partsMax` the text can be planned but not encoded.
    public let parts: Int
    /// Septets (extension characters count 2) or UTF-16 units of the whole text, headers not counted.
    public let units: Int
    /// The first letter that is in no GSM 7-bit table and so forces UCS-2; nil in GSM 7-bit.
    public let firstForcing: Unicode.Scalar?
    public let concatenation: Concatenation

    /// Whether each part starts with a user data header (set the UDHI bit in SMPP's `esm_class`).
    public var hasHeader: Bool { parts > 1 }
    /// The SMPP `data_coding` of every part.
    public var dataCoding: UInt8 { alphabet.dataCoding }
    /// Units one part of this plan can hold.
    public var unitsPerPart: Int { hasHeader ? concatenation.unitsMax(of: alphabet) : alphabet.unitsMax }
}

/// Why a text could not be encoded. No case says anything about the text itself.
public enum TextFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// The total is one octet in the header: at most 255 parts.
    case tooManyParts(Int)
    /// Parts are numbered from 0 to `parts - 1`.
    case noSuchPart(Int, of: Int)
    /// The plan was not made from this text.
    case planOfAnotherText

    public var description: String {
        switch self {
        case .tooManyParts(let parts): "text needs \(parts) parts, at most \(SMSText.partsMax) can be numbered"
        case .noSuchPart(let part, let parts): "no part \(part) in a text of \(parts) parts (numbered from 0)"
        case .planOfAnotherText: "the plan was made from another text"
        }
    }
}

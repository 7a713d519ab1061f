/// The alphabets a short message can be written in (3GPP TS 23.038, 6.2; SMPP 3.4, 5.2.19). Raw values may be kept: never change one.
///
/// National language tables (TS 23.038, 6.2.1.2 and annex A) are alphabets of their own here: a text in one of them travels
/// with `data_coding` of GSM 7-bit and says in its user data header which table the phone must use.
public enum Alphabet: UInt8, Sendable, Hashable, CaseIterable {
    /// GSM 7-bit default alphabet with its extension table. Its unit is the septet.
    case gsm7 = 0
    /// ASCII on the way to the operator, which turns it into GSM 7-bit: only letters that both have, counted in septets.
    case ascii = 1
    /// ISO 8859-1. Its unit is the octet.
    case latin1 = 3
    /// Eight-bit data, no text at all: see `SMSText.plan(binaryOctets:concatenation:)`. Its unit is the octet.
    case binary = 4
    /// ISO 8859-5, Latin and Cyrillic (without the Ukrainian ґ). Its unit is the octet.
    case cyrillic = 6
    /// UCS-2, in practice UTF-16 big-endian. Its unit is the 16-bit code unit.
    case ucs2 = 8
    /// GSM 7-bit with the Turkish single shift table (A.2.1): Ğ ğ İ ı Ş ş ç cost two septets.
    case turkishShift = 0x21
    /// The Turkish locking shift table (A.3.1): they cost one, and è ì Ø ø Æ æ ¡ ¿ are gone.
    case turkishLocking = 0x31
    /// GSM 7-bit with the Spanish single shift table (A.2.2): Á Í Ó Ú á í ó ú ç. There is no Spanish locking table.
    case spanishShift = 0x22
    /// GSM 7-bit with the Portuguese single shift table (A.2.3).
    case portugueseShift = 0x23
    /// The Portuguese locking shift table (A.3.3), where most Greek, German and Nordic letters are gone.
    case portugueseLocking = 0x33

    /// The SMPP `data_coding` of a text in this alphabet (SMPP 3.4, 5.2.19). What an operator means may differ: `AlphabetProfile`.
    public var dataCoding: UInt8 { rawValue < 0x20 ? rawValue : 0 }

    /// Words for people.
    public var name: String {
        switch self {
        case .gsm7: "GSM 7-bit"
        case .ascii: "ASCII"
        case .latin1: "ISO 8859-1"
        case .binary: "8-bit data"
        case .cyrillic: "ISO 8859-5"
        case .ucs2: "UCS-2"
        case .turkishShift: "GSM 7-bit, Turkish single shift"
        case .turkishLocking: "GSM 7-bit, Turkish locking shift"
        case .spanishShift: "GSM 7-bit, Spanish single shift"
        case .portugueseShift: "GSM 7-bit, Portuguese single shift"
        case .portugueseLocking: "GSM 7-bit, Portuguese locking shift"
        }
    }

    /// Units that fit one message: 160 septets, 140 octets, 70 UTF-16 units; 155 septets when a header names a national table.
    public var unitsMax: Int {
        switch self {
        case .gsm7, .ascii: 160
        case .latin1, .binary, .cyrillic: 140
        case .ucs2: 70
        case .turkishShift, .turkishLocking, .spanishShift, .portugueseShift, .portugueseLocking: units(afterHeader: messageHeaderOctets)
        }
    }

    /// National Language Identifier of the single shift table that the header must name, 0: none (TS 23.038, 6.2.1.2.4).
    public var singleShift: UInt8 { rawValue >> 4 == 2 ? rawValue & 0x0F : 0 }
    /// The same of the locking shift table.
    public var lockingShift: UInt8 { rawValue >> 4 == 3 ? rawValue & 0x0F : 0 }

    /// How a text becomes octets.
    enum Form {
        case septets, ascii, octets, utf16
    }

    var form: Form {
        switch self {
        case .gsm7, .turkishShift, .turkishLocking, .spanishShift, .portugueseShift, .portugueseLocking: .septets
        case .ascii: .ascii
        case .latin1, .binary, .cyrillic: .octets
        case .ucs2: .utf16
        }
    }

    /// Octets that one unit takes on the way to the operator, septets unpacked.
    var octetsPerUnit: Int { self == .ucs2 ? 2 : 1 }

    /// Octets of the header elements that name the table, 3 each (TS 23.040, 9.2.3.24.15 and .16).
    var languageOctets: Int { rawValue >= 0x20 ? 3 : 0 }

    /// Octets of the header of a message of one part.
    var messageHeaderOctets: Int { languageOctets == 0 ? 0 : languageOctets + 1 }

    /// Units that are left of 140 octets behind a header of so many octets. Septets begin at a septet border (TS 23.040, 9.2.3.24).
    func units(afterHeader octets: Int) -> Int {
        switch form {
        case .septets, .ascii: 160 - (octets * 8 + 6) / 7
        case .octets: 140 - octets
        case .utf16: (140 - octets) / 2
        }
    }
}

extension [Alphabet] {
    /// Both Turkish tables, the denser one first.
    public static let turkish: [Alphabet] = [.turkishLocking, .turkishShift]
    /// The Spanish table.
    public static let spanish: [Alphabet] = [.spanishShift]
    /// Both Portuguese tables, the denser one first.
    public static let portuguese: [Alphabet] = [.portugueseLocking, .portugueseShift]
}

/// How the parts of one long message are marked as belonging together (3GPP TS 23.040; SMPP 3.4, 5.3.2.22 to 24 and 5.3.2.32).
///
/// Raw values may be kept: never change one.
public enum Concatenation: UInt8, Sendable, Hashable, CaseIterable {
    /// 8-bit reference, `05 00 03 ref total n` (9.2.3.24.1): what every handset and operator knows.
    case udh8 = 0
    /// 16-bit reference, `06 08 04 ref ref total n` (9.2.3.24.8): fewer collisions, one octet more.
    case udh16
    /// TLVs sar_msg_ref_num, sar_total_segments, sar_segment_seqnum beside each part. The operator writes the header
    /// from them, so the room in a part is that of `udh8`.
    case sar
    /// The whole text in one submit, in the TLV message_payload. The operator cuts it; the parts on the air cost the same.
    case payload

    /// Octets of the user data header that marks a part on the way to the operator, its length octet included.
    public var headerOctets: Int {
        switch self {
        case .udh8: 6
        case .udh16: 7
        case .sar, .payload: 0
        }
    }

    /// Octets of that header on the air, where the operator adds its own: an 8-bit reference is assumed.
    var airHeaderOctets: Int { self == .udh16 ? 7 : 6 }

    /// Units left for text in each of several parts: of 140 octets the header takes 6 or 7, which is
    /// 7 or 8 septets, or (7 leaves an odd octet) 3 or 4 UTF-16 units; a national table takes 3 octets more.
    public func unitsMax(of alphabet: Alphabet) -> Int {
        alphabet.units(afterHeader: airHeaderOctets + alphabet.languageOctets)
    }
}

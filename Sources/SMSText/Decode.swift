extension SMSText {
    /// How the octets of a short message are to be read.
    public enum Coding: Sendable, Hashable {
        /// One septet an octet.
        case gsm7, ascii, latin1
        /// ISO 8859-5.
        case cyrillic
        /// UTF-16 big-endian.
        case ucs2

        /// Of an SMPP `data_coding` (SMPP 3.4, 5.2.19): 0, 1, 3, 6, 8, and the same alphabets with a message class or a waiting
        /// indication (3GPP TS 23.038, 4: 0x10-0x13, 0xC0-0xDF and 0xF0-0xF3 GSM 7-bit, 0x18-0x1B and 0xE0-0xEF UCS-2). Nil for what is
        /// not text or not known here.
        public init?(dataCoding: UInt8) {
            switch dataCoding {
            case 0x00, 0x10...0x13, 0xC0...0xDF, 0xF0...0xF3: self = .gsm7
            case 0x01: self = .ascii
            case 0x03: self = .latin1
            case 0x06: self = .cyrillic
            case 0x08, 0x18...0x1B, 0xE0...0xEF: self = .ucs2
            default: return nil
            }
        }

        /// The alphabet, septets in the default tables.
        public var alphabet: Alphabet {
            switch self {
            case .gsm7: .gsm7
            case .ascii: .ascii
            case .latin1: .latin1
            case .cyrillic: .cyrillic
            case .ucs2: .ucs2
            }
        }

        /// Of an alphabet; nil for binary.
        public init?(_ alphabet: Alphabet) {
            switch alphabet {
            case .gsm7, .turkishShift, .turkishLocking, .spanishShift, .portugueseShift, .portugueseLocking: self = .gsm7
            case .ascii: self = .ascii
            case .latin1: self = .latin1
            case .cyrillic: self = .cyrillic
            case .ucs2: self = .ucs2
            case .binary: return nil
            }
        }
    }

    /// The text of octets that came without their user data header. Never fails: what cannot be read becomes U+FFFD (an octet
    /// outside the alphabet, half a surrogate pair, half a unit, an escape with nothing behind it, any octet of an unknown coding).
    public static func decode(_ octets: UnsafeRawBufferPointer, dataCoding: UInt8) -> String {
        decode(octets, Coding(dataCoding: dataCoding))
    }

    /// The same where the coding is known, nil for one that is not.
    /// - Parameter header: of the part, taken off its octets: names the national tables of septets.
    public static func decode(_ octets: UnsafeRawBufferPointer, _ coding: Coding?, header: UserDataHeader? = nil) -> String {
        // No octet becomes more than three of UTF-8: U+FFFD is the longest that one octet gives (with it every letter of the tables),
        // and two octets or four give a letter of at most three or four.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: octets.count * 3 + 1) { room in
            var out = UTF8Writer(room)
            switch coding {
            case .gsm7:
                let tables = header.map { GSM7.tables(locking: $0.lockingShift, single: $0.singleShift) } ?? GSM7.standard
                decodeGSM7(octets, tables, into: &out)
            case .ascii:
                for octet in octets { out.put(octet < 0x80 ? UInt32(octet) : replacement) }
            case .latin1:
                for octet in octets { out.put(UInt32(octet)) }
            case .cyrillic:
                for octet in octets { out.put(OctetAlphabet.scalar(cyrillic: octet)) }
            case .ucs2:
                decodeUTF16(octets, into: &out)
            case nil:
                for _ in octets { out.put(replacement) }
            }
            return String(decoding: UnsafeBufferPointer(rebasing: room[..<out.count]), as: UTF8.self)
        }
    }

    public static func decode(_ octets: some Collection<UInt8>, dataCoding: UInt8) -> String {
        decode(octets, Coding(dataCoding: dataCoding))
    }

    public static func decode(_ octets: some Collection<UInt8>, _ coding: Coding?, header: UserDataHeader? = nil) -> String {
        let text = octets.withContiguousStorageIfAvailable { decode(UnsafeRawBufferPointer($0), coding, header: header) }
        if let text { return text }
        return Array(octets).withUnsafeBytes { decode($0, coding, header: header) }
    }

    private static let replacement: UInt32 = 0xFFFD

    private static func decodeGSM7(_ octets: UnsafeRawBufferPointer, _ tables: GSM7.Tables, into out: inout UTF8Writer) {
        let letters = tables.letters
        let extensionTable = tables.extensionTable
        var at = 0
        while at < octets.count {
            let octet = octets[at]
            at += 1
            if octet >= 0x80 {
                out.put(replacement)
            } else if octet != GSM7.escape {
                out.put(letters[Int(octet)].value)
            } else if at < octets.count, octets[at] < 0x80 {
                out.put(extensionTable[Int(octets[at])].value)
                at += 1
            } else {
                out.put(replacement)
            }
        }
    }

    private static func decodeUTF16(_ octets: UnsafeRawBufferPointer, into out: inout UTF8Writer) {
        var at = 0
        while at + 1 < octets.count {
            let unit = UInt32(octets[at]) << 8 | UInt32(octets[at + 1])
            at += 2
            guard unit >= 0xD800, unit < 0xE000 else {
                out.put(unit)
                continue
            }
            // A surrogate: a pair only when its low half follows.
            var scalar = replacement
            if unit < 0xDC00, at + 1 < octets.count {
                let low = UInt32(octets[at]) << 8 | UInt32(octets[at + 1])
                if low >= 0xDC00, low < 0xE000 {
                    scalar = 0x1_0000 + (unit - 0xD800) << 10 + (low - 0xDC00)
                    at += 2
                }
            }
            out.put(scalar)
        }
        if at < octets.count { out.put(replacement) }
    }
}

/// Writes scalars as UTF-8 into room that the caller has made large enough.
private struct UTF8Writer {
    let room: UnsafeMutableBufferPointer<UInt8>
    var count = 0

    init(_ room: UnsafeMutableBufferPointer<UInt8>) { self.room = room }

    @inline(__always)
    mutating func put(_ scalar: UInt32) {
        if scalar < 0x80 {
            put(octet: scalar)
        } else if scalar < 0x800 {
            put(octet: 0xC0 | scalar >> 6)
            put(octet: 0x80 | scalar & 0x3F)
        } else {
            if scalar < 0x1_0000 {
                put(octet: 0xE0 | scalar >> 12)
            } else {
                put(octet: 0xF0 | scalar >> 18)
                put(octet: 0x80 | scalar >> 12 & 0x3F)
            }
            put(octet: 0x80 | scalar >> 6 & 0x3F)
            put(octet: 0x80 | scalar & 0x3F)
        }
    }

    @inline(__always)
    private mutating func put(octet: UInt32) {
        room[count] = UInt8(truncatingIfNeeded: octet)
        count &+= 1
    }
}

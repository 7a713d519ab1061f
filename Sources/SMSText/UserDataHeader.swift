/// What Martlet's side of the air needs of a user data header (3GPP TS 23.040, 9.2.3.24): which part of which message this is.
public struct UserDataHeader: Sendable, Hashable {
    /// Of the concatenation elements the last one counts, as the specification says; one with a total or number of 0, or a number
    /// over the total, is ignored (9.2.3.24.1).
    public struct Concatenated: Sendable, Hashable {
        public let kind: Concatenation
        public let reference: UInt16
        /// 1...255.
        public let total: UInt8
        /// From 1.
        public let number: UInt8
    }

    public let concatenation: Concatenated?
    /// Octets of the header, its length octet included: the text starts there.
    public let octets: Int

    /// Reads the header at the front of a part; nil when it is malformed: empty, longer than the part, an element that does not
    /// fit, or a concatenation element of the wrong length. Elements of other kinds are skipped.
    public static func parse(_ part: UnsafeRawBufferPointer) -> UserDataHeader? {
        guard let length = part.first else { return nil }
        let end = 1 + Int(length)
        guard end <= part.count else { return nil }
        var concatenation: Concatenated?
        var at = 1
        while at < end {
            guard at + 2 <= end else { return nil }
            let kind = part[at]
            let octets = Int(part[at + 1])
            let value = at + 2
            guard value + octets <= end else { return nil }
            switch kind {
            case 0x00:
                guard octets == 3 else { return nil }
                concatenation =
                    checked(.udh8, reference: UInt16(part[value]), total: part[value + 1], number: part[value + 2]) ?? concatenation
            case 0x08:
                guard octets == 4 else { return nil }
                let reference = UInt16(part[value]) << 8 | UInt16(part[value + 1])
                concatenation = checked(.udh16, reference: reference, total: part[value + 2], number: part[value + 3]) ?? concatenation
            default:
                break
            }
            at = value + octets
        }
        return UserDataHeader(concatenation: concatenation, octets: end)
    }

    public static func parse(_ part: [UInt8]) -> UserDataHeader? {
        part.withUnsafeBytes { parse($0) }
    }

    private static func checked(_ kind: Concatenation, reference: UInt16, total: UInt8, number: UInt8) -> Concatenated? {
        guard total > 0, number > 0, number <= total else { return nil }
        return Concatenated(kind: kind, reference: reference, total: total, number: number)
    }

    /// Writes a header with one concatenation element at the front of `out`; returns its octets.
    static func write(
        _ kind: Concatenation, reference: UInt16, total: Int, number: Int, to out: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        let low = UInt8(truncatingIfNeeded: reference)
        switch kind {
        case .udh8:
            out[0] = 0x05
            out[1] = 0x00
            out[2] = 0x03
            out[3] = low
        case .udh16:
            out[0] = 0x06
            out[1] = 0x08
            out[2] = 0x04
            out[3] = UInt8(reference >> 8)
            out[4] = low
        }
        out[kind.headerOctets - 2] = UInt8(truncatingIfNeeded: total)
        out[kind.headerOctets - 1] = UInt8(truncatingIfNeeded: number)
        return kind.headerOctets
    }
}

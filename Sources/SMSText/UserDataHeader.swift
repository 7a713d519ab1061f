/// What Martlet's side of the air needs of a user data header (3GPP TS 23.040, 9.2.3.24): which part of which message this is, and
/// which national tables its septets are in.
public struct UserDataHeader: Sendable, Hashable {
    /// Of the concatenation elements the last one counts, as the specification says; one with a total or number of 0, or a number
    /// over the total, is ignored (9.2.3.24.1).
    public struct Concatenated: Sendable, Hashable {
        /// `.udh8`, `.udh16`, or `.sar` when SMPP's TLVs say it instead of a header.
        public let kind: Concatenation
        public let reference: UInt16
        /// 1...255.
        public let total: UInt8
        /// From 1.
        public let number: UInt8

        /// Nil for a total or number of 0, or a number over the total.
        public init?(kind: Concatenation, reference: UInt16, total: UInt8, number: UInt8) {
            guard total > 0, number > 0, number <= total else { return nil }
            self.kind = kind
            self.reference = reference
            self.total = total
            self.number = number
        }
    }

    public let concatenation: Concatenated?
    /// National Language Identifier of the single shift table (element 0x24, 9.2.3.24.15); 0: the default extension table.
    public let singleShift: UInt8
    /// The same of the locking shift table (element 0x25, 9.2.3.24.16); 0: the default alphabet.
    public let lockingShift: UInt8
    /// Octets of the header, its length octet included: the text starts there.
    public let octets: Int

    /// Reads the header at the front of a part; nil when it is malformed: empty, longer than the part, an element that does not
    /// fit, or a concatenation element of the wrong length. Elements of other kinds are skipped.
    public static func parse(_ part: UnsafeRawBufferPointer) -> UserDataHeader? {
        guard let length = part.first else { return nil }
        let end = 1 + Int(length)
        guard end <= part.count else { return nil }
        var concatenation: Concatenated?
        var singleShift: UInt8 = 0
        var lockingShift: UInt8 = 0
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
                    Concatenated(kind: .udh8, reference: UInt16(part[value]), total: part[value + 1], number: part[value + 2])
                    ?? concatenation
            case 0x08:
                guard octets == 4 else { return nil }
                let reference = UInt16(part[value]) << 8 | UInt16(part[value + 1])
                concatenation =
                    Concatenated(kind: .udh16, reference: reference, total: part[value + 2], number: part[value + 3]) ?? concatenation
            case 0x24 where octets == 1:
                singleShift = part[value]
            case 0x25 where octets == 1:
                lockingShift = part[value]
            default:
                break
            }
            at = value + octets
        }
        return UserDataHeader(concatenation: concatenation, singleShift: singleShift, lockingShift: lockingShift, octets: end)
    }

    public static func parse(_ part: [UInt8]) -> UserDataHeader? {
        part.withUnsafeBytes { parse($0) }
    }

    /// Writes the header of one submit of `plan` at the front of `out`; returns its octets, which are `plan.headerOctets`.
    static func write(_ plan: TextPlan, reference: UInt16, number: Int, to out: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var end = 1
        func put(_ octet: UInt8) {
            out[end] = octet
            end += 1
        }
        if plan.parts > 1, plan.concatenation.headerOctets > 0 {
            let wide = plan.concatenation == .udh16
            put(wide ? 0x08 : 0x00)
            put(wide ? 4 : 3)
            if wide { put(UInt8(reference >> 8)) }
            put(UInt8(truncatingIfNeeded: reference))
            put(UInt8(truncatingIfNeeded: plan.parts))
            put(UInt8(truncatingIfNeeded: number))
        }
        func put(_ element: UInt8, language: UInt8) {
            guard language > 0 else { return }
            put(element)
            put(1)
            put(language)
        }
        put(0x24, language: plan.alphabet.singleShift)
        put(0x25, language: plan.alphabet.lockingShift)
        out[0] = UInt8(truncatingIfNeeded: end - 1)
        return end
    }
}

extension UserDataHeader {
    /// Of a part whose header was taken off: the tables that its septets are in.
    public init(singleShift: UInt8, lockingShift: UInt8) {
        self.init(concatenation: nil, singleShift: singleShift, lockingShift: lockingShift, octets: 0)
    }
}

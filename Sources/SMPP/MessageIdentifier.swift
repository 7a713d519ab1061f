/// Message ids of answers and receipts in one form, so that they can be matched: many SMSCs answer in hexadecimal and send
/// receipts in decimal, pad with zeros, or change the case.
public enum MessageIdentifier {
    /// How a receipt's id becomes the answer's.
    public enum Conversion: String, CaseIterable, Sendable {
        case asIs
        /// The receipt is hexadecimal, the answer decimal.
        case hexToDecimal
        /// The receipt is decimal, the answer hexadecimal.
        case decimalToHex
    }

    /// Leading zeros away (one digit stays), ASCII letters in lower case, blanks at both ends away.
    public static func canonical(_ octets: UnsafeRawBufferPointer) -> String {
        let range = significant(octets)
        return String(unsafeUninitializedCapacity: max(1, range.count)) { target in
            var count = 0
            for index in range {
                // Octets outside of ASCII cannot stand in an id; a mark keeps the text well-formed.
                target[count] = octets[index] < 0x80 ? ReceiptText.lower(octets[index]) : 0x3F
                count += 1
            }
            return count
        }
    }

    /// The id as it stands, where that is not its canonical form; else, and where it is not ASCII, empty. An SMSC that is asked about a
    /// message may compare every octet.
    public static func given(_ octets: UnsafeRawBufferPointer, unlike canonical: String) -> String {
        var canonical = canonical
        let isSame = canonical.withUTF8 { $0.count == octets.count && octets.elementsEqual($0) }
        if isSame || octets.contains(where: { $0 >= 0x80 }) { return "" }
        return String(decoding: octets, as: UTF8.self)
    }

    public static func canonical(_ text: String) -> String {
        var copy = text
        return copy.withUTF8 { canonical(UnsafeRawBufferPointer($0)) }
    }

    /// A receipt's id in the canonical form of answers. One that is not a number of the expected base, or exceeds 128 bits, stays as it is.
    public static func fromReceipt(_ octets: UnsafeRawBufferPointer, _ conversion: Conversion) -> String {
        switch conversion {
        case .asIs: return canonical(octets)
        case .hexToDecimal:
            guard let value = number(octets, base: 16) else { return canonical(octets) }
            return String(value)
        case .decimalToHex:
            guard let value = number(octets, base: 10) else { return canonical(octets) }
            return String(value, radix: 16)
        }
    }

    public static func fromReceipt(_ text: String, _ conversion: Conversion) -> String {
        var copy = text
        return copy.withUTF8 { fromReceipt(UnsafeRawBufferPointer($0), conversion) }
    }

    /// Whether two ids name the same message when written alike but for padding, case and blanks.
    public static func areEqual(_ one: String, _ other: String) -> Bool { canonical(one) == canonical(other) }

    /// The number that an id names in this base; nil for other text and above 128 bits.
    static func number(_ text: String, base: UInt128) -> UInt128? {
        var copy = text
        return copy.withUTF8 { number(UnsafeRawBufferPointer($0), base: base) }
    }

    private static func significant(_ octets: UnsafeRawBufferPointer) -> Range<Int> {
        var start = 0
        var end = octets.count
        while start < end, octets[start] <= 0x20 { start += 1 }
        while end > start, octets[end - 1] <= 0x20 { end -= 1 }
        while start + 1 < end, octets[start] == 0x30 { start += 1 }
        return start..<end
    }

    private static func number(_ octets: UnsafeRawBufferPointer, base: UInt128) -> UInt128? {
        let range = significant(octets)
        if range.isEmpty { return nil }
        var value: UInt128 = 0
        for index in range {
            let octet = ReceiptText.lower(octets[index])
            let digit: UInt8
            switch octet {
            case 48...57: digit = octet - 48
            case 97...102: digit = octet - 87
            default: return nil
            }
            guard UInt128(digit) < base else { return nil }
            let (shifted, overflow) = value.multipliedReportingOverflow(by: base)
            let (sum, carried) = shifted.addingReportingOverflow(UInt128(digit))
            if overflow || carried { return nil }
            value = sum
        }
        return value
    }
}

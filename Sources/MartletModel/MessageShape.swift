/// What a ready message's values must look like, whichever door brings them. Each door says it in its own words.
public enum MessageShape {
    /// Seven days, in seconds: the longest that any class may be worth sending.
    public static let validity: ClosedRange<Int64> = 1...604_800
    public static let referenceBytes = 64
    public static let numericSenderDigits = 15
    public static let namedSenderBytes = 11

    public enum Fault: Equatable, Sendable {
        case controlCharacter
        case blank
        case tooLong
    }

    /// A text holds more than white space, and no control characters but line feed, carriage return, tab and form feed.
    public static func text(_ text: String) -> Fault? {
        var text = text
        // Letters beyond ASCII are looked at one by one only when nothing else was there to read.
        let (hasControl, hasVisible, hasWide) = text.withUTF8 { bytes in
            var hasControl = false
            var hasVisible = false
            var hasWide = false
            for byte in bytes {
                if byte >= 0x80 {
                    hasWide = true
                } else if byte > 0x20 {
                    if byte == 0x7F { hasControl = true } else { hasVisible = true }
                } else if byte < 0x20, byte != 0x0A, byte != 0x0D, byte != 0x09, byte != 0x0C {
                    hasControl = true
                }
            }
            return (hasControl, hasVisible, hasWide)
        }
        if hasControl { return .controlCharacter }
        if hasVisible || hasWide && text.unicodeScalars.contains(where: { !$0.properties.isWhitespace }) { return nil }
        return .blank
    }

    /// At most 64 bytes of UTF-8 without control characters.
    public static func reference(_ text: String) -> Fault? {
        if text.utf8.count > referenceBytes { return .tooLong }
        if text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return .controlCharacter }
        return nil
    }

    /// 1...15 digits, or 1...11 printable ASCII characters of the GSM default alphabet (3GPP TS 23.038, section 6.2.1) with a letter among
    /// them. An address field of alphanumeric type holds 11 septets (3GPP TS 23.040, section 9.1.2.5), and the extension table's
    /// characters would take two.
    public static func isSender(_ text: String) -> Bool {
        let bytes = text.utf8
        guard let first = bytes.first, let last = bytes.last, first != 0x20, last != 0x20 else { return false }
        var digits = 0
        var letters = 0
        for byte in bytes {
            switch byte {
            case 0x30...0x39: digits += 1
            case 0x41...0x5A, 0x61...0x7A: letters += 1
            // [ \ ] ^ ` { | } ~ are not in the default table.
            case 0x5B...0x5E, 0x60, 0x7B...0x7E: return false
            case 0x20...0x7A: break
            default: return false
            }
        }
        if digits == bytes.count { return digits <= numericSenderDigits }
        return letters > 0 && bytes.count <= namedSenderBytes
    }
}

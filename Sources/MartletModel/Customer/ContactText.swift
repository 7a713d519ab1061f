// Addresses of customers as people and other systems write them, and the one form of each that is kept, hashed and sent to. Desk and
// node use these, so that both find the same customer by the same address.

extension PhoneNumber {
    /// Reads an international number as it is written: `+` or `00`, then 7...15 digits (E.164, section 6.2.1), among which blanks, hyphens,
    /// dots, slashes and brackets are passed over. A national number is refused (`missingPlus`): which country it is of, nobody here knows.
    public static func written(_ text: some Sequence<UInt8>) throws(Fault) -> PhoneNumber {
        var plain: [UInt8] = []
        plain.reserveCapacity(24)
        for byte in text {
            switch byte {
            case 0x20, 0x28, 0x29, 0x2D, 0x2E, 0x2F: continue
            default: plain.append(byte)
            }
            // Long before any number ends; the rest decides nothing.
            if plain.count > 20 { throw .tooLong }
        }
        if plain.starts(with: [0x30, 0x30]) { plain.replaceSubrange(0..<2, with: [0x2B]) }
        return try parse(plain)
    }
}

/// A mail address (RFC 5321, section 4.1.2; RFC 6531 for letters beyond ASCII), without what hardly anybody has: quoted local parts,
/// comments, address literals.
public struct MailAddress: Hashable, Sendable {
    /// As it is sent to: as it was written, its domain in small letters.
    public let text: String

    public enum Fault: Error, Equatable, Sendable {
        case missingAt, localPart, domain, tooLong
    }

    /// For a value that went through `written` before, such as one read from a record.
    public init(text: String) { self.text = text }

    /// Blanks at both ends are passed over. The local part has 1...64 bytes of UTF-8 without blanks, control characters and
    /// `"(),:;<>@[\]`; the domain labels of letters, digits and hyphens, at least two, in ASCII (`xn--` for others), 254 bytes in all.
    public static func written(_ text: some Collection<UInt8>) throws(Fault) -> MailAddress {
        var bytes = Array(text)
        while bytes.last == 0x20 { bytes.removeLast() }
        while bytes.first == 0x20 { bytes.removeFirst() }
        guard let at = bytes.lastIndex(of: 0x40) else { throw .missingAt }
        guard bytes.count <= 254 else { throw .tooLong }
        guard (1...64).contains(at), isLocal(bytes[..<at]) else { throw .localPart }
        var label = 0
        var dots = 0
        for index in bytes.index(after: at)..<bytes.count {
            switch bytes[index] {
            case 0x41...0x5A: bytes[index] |= 0x20
            case 0x61...0x7A, 0x30...0x39: break
            case 0x2D: guard label > 0 else { throw .domain }
            case 0x2E:
                guard label > 0, bytes[index - 1] != 0x2D else { throw .domain }
                (label, dots) = (-1, dots + 1)
            default: throw .domain
            }
            label += 1
            guard label <= 63 else { throw .domain }
        }
        guard dots > 0, label > 0, bytes.last != 0x2D else { throw .domain }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .localPart }
        return MailAddress(text: text)
    }

    private static func isLocal(_ bytes: ArraySlice<UInt8>) -> Bool {
        var last: UInt8 = 0x2E
        for byte in bytes {
            switch byte {
            case 0...0x20, 0x7F, 0x22, 0x28, 0x29, 0x2C, 0x3A, 0x3B, 0x3C, 0x3E, 0x40, 0x5B, 0x5C, 0x5D: return false
            case 0x2E: guard last != 0x2E else { return false }
            default: break
            }
            last = byte
        }
        return last != 0x2E
    }

    /// What is hashed: ASCII capitals as small letters. Servers may tell `Anna@` from `anna@`; none that people use does.
    public var folded: [UInt8] { text.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 } }

    /// What screens show.
    public var masked: String { Mask.mail(text) }
}

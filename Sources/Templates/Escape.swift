/// What the text is written into; it decides how a value is escaped.
public enum OutputKind: String, Sendable, CaseIterable {
    /// A short message, a subject, a title: nothing is escaped.
    case plain
    /// The body of a letter: `& < > " '` become references, so that a value is text in an element and in a quoted attribute.
    case html
    /// The inside of a JSON string: `"`, `\` and control characters.
    case json
    /// An address: whatever is not unreserved (RFC 3986, section 2.3) becomes `%XX`, so that a value never ends the part that it stands in.
    case link
}

extension Output {
    /// Escapes what was written since `start`, in place.
    mutating func escape(from start: Int, as kind: OutputKind) {
        switch kind {
        case .plain: return
        case .html: widen(from: start, Self.reference)
        case .json: widen(from: start, Self.escapeJSON)
        case .link: widen(from: start, Self.escapeLink)
        }
    }

    /// Two passes: what it grows by, then from the end. A text without such letters costs one look at each byte.
    private mutating func widen(from start: Int, _ escaped: (UInt8) -> Letters?) {
        var growth = 0
        for index in start..<count {
            if let letters = escaped(base[index]) { growth += letters.count - 1 }
        }
        guard growth > 0 else { return }
        guard count + growth <= capacity else { return fail() }
        var to = count + growth
        var from = count
        while from > start {
            from -= 1
            // From the end, so that nothing is overwritten before it was read.
            if let letters = escaped(base[from]) {
                to -= letters.count
                for index in 0..<letters.count { base[to + index] = letters[index] }
            } else {
                to -= 1
                base[to] = base[from]
            }
        }
        grow(by: growth)
    }

    @inline(__always)
    private static func reference(_ byte: UInt8) -> Letters? {
        switch byte {
        case 0x26: Letters(literal: "&amp;")
        case 0x3C: Letters(literal: "&lt;")
        case 0x3E: Letters(literal: "&gt;")
        case 0x22: Letters(literal: "&quot;")
        case 0x27: Letters(literal: "&#39;")
        default: nil
        }
    }

    @inline(__always)
    private static func escapeJSON(_ byte: UInt8) -> Letters? {
        switch byte {
        case 0x22: return Letters(literal: "\\\"")
        case 0x5C: return Letters(literal: "\\\\")
        case 0x0A: return Letters(literal: "\\n")
        case 0x0D: return Letters(literal: "\\r")
        case 0x09: return Letters(literal: "\\t")
        case 0..<0x20, 0x7F:
            var letters = Letters(literal: "\\u00")
            letters.append(hex(byte >> 4, ten: 0x61))
            letters.append(hex(byte & 15, ten: 0x61))
            return letters
        default: return nil
        }
    }

    @inline(__always)
    private static func escapeLink(_ byte: UInt8) -> Letters? {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: return nil
        default:
            var letters = Letters(literal: "%")
            letters.append(hex(byte >> 4, ten: 0x41))
            letters.append(hex(byte & 15, ten: 0x41))
            return letters
        }
    }

    /// - Parameter ten: the letter of ten, small in JSON and large in addresses (RFC 3986, section 2.1).
    private static func hex(_ digit: UInt8, ten: UInt8) -> UInt8 { digit < 10 ? 0x30 + digit : ten + digit - 10 }
}

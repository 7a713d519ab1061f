/// What the text is written into; it decides how a value is escaped.
public enum OutputKind: String, Sendable, CaseIterable {
    /// A short message, a subject, a title: nothing is escaped.
    case plain
    /// The body of a letter: `& < > " '` become references, so that a value is text in an element and in a quoted attribute.
    case html
    /// The inside of a JSON string: `"`, `\` and control characters.
    case json
}

extension Output {
    /// Escapes what was written since `start`, in place.
    mutating func escape(from start: Int, as kind: OutputKind) {
        switch kind {
        case .plain: return
        case .html: widen(from: start, Self.reference)
        case .json: widen(from: start, Self.escapeJSON)
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
            letters.append(hex(byte >> 4))
            letters.append(hex(byte & 15))
            return letters
        default: return nil
        }
    }

    private static func hex(_ digit: UInt8) -> UInt8 { digit < 10 ? 0x30 + digit : 0x57 + digit }
}

// The two scanners of the reader: strings and numbers.

extension JSONReader {
    /// A string, the reader standing on its opening quote.
    mutating func text() throws(JSONFault) -> JSONText {
        let start = offset + 1
        var at = start
        var hasEscapes = false
        while true {
            // Eight octets at once, up to the first that needs a look.
            while at + 8 <= body.count {
                let stops = Self.stops(body.loadUnaligned(fromByteOffset: at, as: UInt64.self).littleEndian)
                if stops == 0 {
                    at &+= 8
                } else {
                    at &+= stops.trailingZeroBitCount >> 3
                    break
                }
            }
            guard at < body.count else { throw JSONFault(offset: body.count, reason: .truncated) }
            let octet = body[at]
            switch octet {
            case 0x22:
                offset = at + 1
                return JSONText(body, start..<at, hasEscapes: hasEscapes)
            case 0x5C:
                hasEscapes = true
                at = try escape(at)
            case 0..<0x20:
                throw JSONFault(offset: at, reason: .controlCharacter)
            case 0x20..<0x80:
                at += 1
            default:
                // Letters beyond ASCII rarely come alone.
                repeat { at = try beyondASCII(at) } while at < body.count && body[at] >= 0x80
            }
        }
    }

    /// Top bit of each lane that is a quote, a backslash, a control character or beyond ASCII. A lane above a true one may be
    /// wrongly marked (borrows run upwards), so only the lowest counts.
    @inline(__always)
    private static func stops(_ octets: UInt64) -> UInt64 {
        let ones = UInt64(0x0101_0101_0101_0101)
        let quote = octets ^ (ones &* 0x22)
        let backslash = octets ^ (ones &* 0x5C)
        let marked = ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash) | ((octets &- ones &* 0x20) & ~octets) | octets
        return marked & (ones &* 0x80)
    }

    /// Past an escape that starts at `at`; a surrogate pair is one escape.
    private func escape(_ at: Int) throws(JSONFault) -> Int {
        guard at + 1 < body.count else { throw JSONFault(offset: body.count, reason: .truncated) }
        switch body[at + 1] {
        case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74:
            return at + 2
        case 0x75:
            let unit = try hexadecimal(at + 2, of: at)
            switch unit {
            case 0xD800..<0xDC00:
                guard at + 6 < body.count else { throw JSONFault(offset: body.count, reason: .truncated) }
                guard body[at + 6] == 0x5C else { throw JSONFault(offset: at, reason: .loneSurrogate) }
                guard at + 7 < body.count else { throw JSONFault(offset: body.count, reason: .truncated) }
                guard body[at + 7] == 0x75 else { throw JSONFault(offset: at, reason: .loneSurrogate) }
                guard case 0xDC00..<0xE000 = try hexadecimal(at + 8, of: at + 6) else {
                    throw JSONFault(offset: at, reason: .loneSurrogate)
                }
                return at + 12
            case 0xDC00..<0xE000:
                throw JSONFault(offset: at, reason: .loneSurrogate)
            default:
                return at + 6
            }
        default:
            throw JSONFault(offset: at, reason: .invalidEscape)
        }
    }

    private func hexadecimal(_ start: Int, of escape: Int) throws(JSONFault) -> UInt16 {
        var value = UInt16(0)
        for at in start..<start + 4 {
            guard at < body.count else { throw JSONFault(offset: body.count, reason: .truncated) }
            let digit = Self.hexDigit(body[at])
            guard digit < 16 else { throw JSONFault(offset: escape, reason: .invalidEscape) }
            value = value << 4 | UInt16(digit)
        }
        return value
    }

    /// 0...15, or 0xFF.
    @inline(__always)
    static func hexDigit(_ octet: UInt8) -> UInt8 {
        switch octet {
        case 0x30...0x39: octet - 0x30
        case 0x41...0x46: octet - 0x37
        case 0x61...0x66: octet - 0x57
        default: 0xFF
        }
    }

    /// Past one letter of two to four octets (Unicode 15, table 3-7: no overlong forms, no surrogates, nothing over U+10FFFF).
    @inline(__always)
    private func beyondASCII(_ at: Int) throws(JSONFault) -> Int {
        let first = body[at]
        let more: Int
        var low = UInt8(0x80)
        var high = UInt8(0xBF)
        switch first {
        case 0xC2...0xDF:
            more = 1
        case 0xE0...0xEF:
            more = 2
            if first == 0xE0 { low = 0xA0 }
            if first == 0xED { high = 0x9F }
        case 0xF0...0xF4:
            more = 3
            if first == 0xF0 { low = 0x90 }
            if first == 0xF4 { high = 0x8F }
        default:
            throw JSONFault(offset: at, reason: .invalidUTF8)
        }
        for next in at + 1...at + more {
            guard next < body.count else { throw JSONFault(offset: body.count, reason: .truncated) }
            guard body[next] >= low, body[next] <= high else { throw JSONFault(offset: at, reason: .invalidUTF8) }
            low = 0x80
            high = 0xBF
        }
        return at + more + 1
    }

    struct Number {
        var lowerBound: Int
        /// Neither fraction nor exponent.
        var isInteger: Bool
    }

    /// A number, wherever it stands behind white space; the reader is left behind it.
    mutating func number() throws(JSONFault) -> Number {
        let kind = try kind()
        guard kind == .number else { throw fault(.wrongKind(wanted: .number, found: kind)) }
        let start = offset
        var at = start
        if body[at] == 0x2D { at += 1 }
        // No digit may follow a leading zero.
        if at < body.count, body[at] == 0x30 {
            at += 1
            if at < body.count, body[at] >= 0x30, body[at] <= 0x39 { throw JSONFault(offset: at, reason: .invalidNumber) }
        } else {
            at = try digits(at)
        }
        var isInteger = true
        if at < body.count, body[at] == 0x2E {
            isInteger = false
            at = try digits(at + 1)
        }
        if at < body.count, body[at] | 0x20 == 0x65 {
            isInteger = false
            at += 1
            if at < body.count, body[at] == 0x2B || body[at] == 0x2D { at += 1 }
            at = try digits(at)
        }
        offset = at
        return Number(lowerBound: start, isInteger: isInteger)
    }

    /// Past one or more digits.
    private func digits(_ start: Int) throws(JSONFault) -> Int {
        guard start < body.count else { throw JSONFault(offset: body.count, reason: .truncated) }
        var at = start
        while at < body.count, body[at] >= 0x30, body[at] <= 0x39 { at &+= 1 }
        guard at > start else { throw JSONFault(offset: at, reason: .invalidNumber) }
        return at
    }
}

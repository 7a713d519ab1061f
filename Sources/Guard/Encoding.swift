// Text forms of keys. Strict both ways: one text for one value, so that a flipped bit is always seen.

enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    static func text(_ bytes: some Sequence<UInt8>) -> String {
        var out: [UInt8] = []
        for byte in bytes {
            out.append(digits[Int(byte >> 4)])
            out.append(digits[Int(byte & 15)])
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Eight lower-case digits.
    static func text(_ word: UInt32) -> String {
        text([24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> UInt32($0)) })
    }

    /// Lower-case digits only, an even number of them.
    static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        var out: [UInt8] = []
        var high: UInt8?
        for character in text.utf8 {
            let digit: UInt8
            switch character {
            case 48...57: digit = character - 48
            case 97...102: digit = character - 87
            default: return nil
            }
            if let first = high {
                out.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return high == nil ? out : nil
    }

    static func word(_ text: some StringProtocol) -> UInt32? {
        guard let all = bytes(text), all.count == 4 else { return nil }
        return all.reduce(0) { $0 << 8 | UInt32($1) }
    }
}

/// RFC 4648, sections 4 (with padding) and 5 (URL-safe, without).
enum Base64 {
    private static let standard = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let urlSafe = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func text(_ bytes: [UInt8]) -> String {
        String(decoding: encoded(bytes, standard, padding: true), as: UTF8.self)
    }

    static func urlText(_ bytes: [UInt8]) -> [UInt8] { encoded(bytes, urlSafe, padding: false) }

    private static func encoded(_ bytes: [UInt8], _ alphabet: [UInt8], padding: Bool) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count + 2) / 3 * 4)
        var place = 0
        while place < bytes.count {
            let left = bytes.count - place
            let word =
                UInt32(bytes[place]) << 16
                | (left > 1 ? UInt32(bytes[place + 1]) << 8 : 0)
                | (left > 2 ? UInt32(bytes[place + 2]) : 0)
            for index in 0..<4 {
                if index <= min(left, 3) {
                    out.append(alphabet[Int(word >> UInt32(18 - 6 * index) & 63)])
                } else if padding {
                    out.append(0x3D)
                }
            }
            place += 3
        }
        return out
    }

    /// The standard alphabet with padding. Nil for any other character, wrong padding, or unused bits that are not zero.
    static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        let all = Array(text.utf8)
        guard all.count % 4 == 0 else { return nil }
        var out: [UInt8] = []
        out.reserveCapacity(all.count / 4 * 3)
        for start in stride(from: 0, to: all.count, by: 4) {
            let isLast = start + 4 == all.count
            let padding = isLast ? all[start...].reversed().prefix { $0 == 0x3D }.count : 0
            guard padding <= 2 else { return nil }
            var word: UInt32 = 0
            for index in 0..<4 {
                var digit: UInt32 = 0
                if index < 4 - padding {
                    guard let value = value(of: all[start + index]) else { return nil }
                    digit = value
                }
                word = word << 6 | digit
            }
            guard padding != 1 || word & 0xFF == 0, padding != 2 || word & 0xFFFF == 0 else { return nil }
            out.append(UInt8(word >> 16))
            if padding < 2 { out.append(UInt8(word >> 8 & 0xFF)) }
            if padding < 1 { out.append(UInt8(word & 0xFF)) }
        }
        return out
    }

    private static func value(of character: UInt8) -> UInt32? {
        switch character {
        case 65...90: UInt32(character - 65)
        case 97...122: UInt32(character - 71)
        case 48...57: UInt32(character + 4)
        case 43: 62
        case 47: 63
        default: nil
        }
    }
}

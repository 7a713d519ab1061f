/// Card numbers in texts (PCI DSS 4.0.1, requirements 3.4.1 and 4.2.2): found by their schemes' first digits and lengths and by the Luhn
/// check digit (ISO/IEC 7812-1), in digits of any script, with spaces, dashes and dots between them.
///
/// A text without 13 digits near each other costs one pass over its bytes.
public enum CardNumbers {
    /// What is done about a text that has one.
    public enum Policy: String, CaseIterable, Sendable {
        /// All but its first six and last four digits become `*`.
        case mask
        /// The message is not taken.
        case refuse
        /// Nothing: texts go out as they come.
        case off
    }

    public enum Verdict: Equatable, Sendable {
        case clean
        /// The text as it may go out; as many characters as before.
        case masked(String)
        case refused
    }

    public static func examine(_ text: String, _ policy: Policy) -> Verdict {
        guard policy != .off, mayHold(text) else { return .clean }
        var scan = CardScan(text)
        guard scan.run() else { return .clean }
        return policy == .refuse ? .refused : .masked(scan.masked)
    }

    /// Shortest and longest card number, in digits (ISO/IEC 7812-1 allows 8 to 19; no card in use has fewer than 13).
    static let digits = 13...19
    /// Most separators between two digits of one number.
    static let gap = 3

    /// Whether so many digits stand near each other; other characters of more than a byte that may be digits count as some.
    static func mayHold(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            // The whole first, without a branch a byte: most texts end here.
            var candidates = 0
            for byte in bytes { candidates &+= byte &- 0x30 < 10 || byte >= 0xD9 ? 1 : 0 }
            guard candidates >= digits.lowerBound else { return false }
            var found = 0
            var passed = 0
            for byte in bytes {
                switch byte {
                case 0x30...0x39, 0xD9, 0xDB, 0xDF, 0xE0, 0xE1, 0xEA, 0xEF, 0xF0:
                    found += 1
                    passed = 0
                    if found >= digits.lowerBound { return true }
                case 0x20, 0x09, 0x2D, 0x2E, 0xC2, 0xE2, 0xE3:
                    passed += 1
                    if passed > gap { found = 0 }
                case 0x80...0xBF: break
                default: found = 0
                }
            }
            return false
        }
    }

    /// Lengths, as bits, of the cards whose numbers begin with these six digits; 0: no scheme has them.
    static func lengths(of prefix: ArraySlice<UInt8>) -> UInt32 {
        let six = prefix.prefix(6).reduce(0) { $0 * 10 + Int($1) }
        func bits(_ lengths: ClosedRange<Int>) -> UInt32 { lengths.reduce(0) { $0 | 1 << UInt32($1) } }
        switch six {
        case 220_000...220_499: return bits(16...19)  // Mir
        case 222_100...272_099: return bits(16...16)  // Mastercard
        case 300_000...305_999, 309_500...309_599, 360_000...369_999, 380_000...399_999: return bits(14...19)  // Diners Club
        case 340_000...349_999, 370_000...379_999: return bits(15...15)  // American Express
        case 352_800...358_999: return bits(16...19)  // JCB
        case 400_000...499_999: return bits(13...13) | bits(16...16) | bits(18...19)  // Visa
        case 500_000...509_999, 560_000...589_999, 630_000...639_999, 670_000...679_999: return bits(13...19)  // Maestro and debit cards
        case 510_000...559_999: return bits(16...16)  // Mastercard
        case 600_000...629_999, 640_000...669_999, 680_000...699_999: return bits(16...19)  // Discover, UnionPay, RuPay and others
        default: return 0
        }
    }
}

/// One look at a text that may hold card numbers, character by character.
private struct CardScan {
    private var scalars: [Unicode.Scalar]
    /// Digits of the run being read, where they stand, and whether a separator or the run's end comes after each.
    private var digits: [UInt8] = []
    private var places: [Int] = []
    private var ends: [Bool] = []

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    var masked: String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    /// Masks what it finds.
    /// - Returns: whether there was any.
    mutating func run() -> Bool {
        var found = false
        var passed = 0
        for (place, scalar) in scalars.enumerated() {
            if let digit = CardScan.digit(scalar) {
                if passed > 0, !ends.isEmpty { ends[ends.count - 1] = true }
                passed = 0
                digits.append(digit)
                places.append(place)
                ends.append(false)
            } else if !digits.isEmpty {
                passed += 1
                if passed > CardNumbers.gap || !CardScan.isSeparator(scalar) {
                    if endRun() { found = true }
                    passed = 0
                }
            }
        }
        return endRun() || found
    }

    private mutating func endRun() -> Bool {
        defer {
            digits.removeAll(keepingCapacity: true)
            places.removeAll(keepingCapacity: true)
            ends.removeAll(keepingCapacity: true)
        }
        guard digits.count >= CardNumbers.digits.lowerBound else { return false }
        ends[ends.count - 1] = true
        var found = false
        var start = 0
        while start + CardNumbers.digits.lowerBound <= digits.count {
            if start == 0 || ends[start - 1], let count = card(at: start) {
                for place in places[start + 6..<start + count - 4] { scalars[place] = "*" }
                found = true
                start += count
            } else {
                start += 1
            }
        }
        return found
    }

    /// - Returns: digits of the longest card number that begins there.
    private func card(at start: Int) -> Int? {
        let lengths = CardNumbers.lengths(of: digits[start...])
        guard lengths != 0 else { return nil }
        var longest: Int?
        // Every second digit is doubled, from the right: which ones is known at the end, so both sums are kept.
        var sums = (even: 0, odd: 0)
        for count in 1...min(CardNumbers.digits.upperBound, digits.count - start) {
            let digit = Int(digits[start + count - 1])
            let doubled = digit < 5 ? digit * 2 : digit * 2 - 9
            if count % 2 == 0 { sums = (sums.even + digit, sums.odd + doubled) } else { sums = (sums.even + doubled, sums.odd + digit) }
            guard ends[start + count - 1], lengths & 1 << UInt32(count) != 0, (count % 2 == 0 ? sums.even : sums.odd) % 10 == 0 else {
                continue
            }
            if !isTelephone(start, count), !isAccount(from: places[start], to: places[start + count - 1]) { longest = count }
        }
        return longest
    }

    /// A number that is written with a plus sign has at most 15 digits in all (E.164).
    private func isTelephone(_ start: Int, _ count: Int) -> Bool {
        guard let first = places.first, first > 0, scalars[first - 1] == "+" || scalars[first - 1] == "\u{FF0B}" else { return false }
        return start + count <= 15
    }

    /// Whether these digits stand in an account number whose own check digits are right (IBAN: ISO 13616, modulo 97).
    private func isAccount(from first: Int, to last: Int) -> Bool {
        for start in stride(from: first, through: max(0, first - 40), by: -1) {
            guard start + 3 < scalars.count, start == 0 || !CardScan.isAlphanumeric(scalars[start - 1]),
                CardScan.isUpper(scalars[start]), CardScan.isUpper(scalars[start + 1]), CardScan.isDigit(scalars[start + 2]),
                CardScan.isDigit(scalars[start + 3])
            else { continue }
            var characters: [Unicode.Scalar] = []
            var place = start
            while place < scalars.count, characters.count < 34 {
                if CardScan.isAlphanumeric(scalars[place]) {
                    characters.append(scalars[place])
                } else if scalars[place] != " " {
                    break
                }
                place += 1
                if place > last, characters.count >= 15, CardScan.remainder(characters) == 1 { return true }
            }
        }
        return false
    }

    private static func remainder(_ characters: [Unicode.Scalar]) -> Int {
        var rest = 0
        for scalar in characters[4...] + characters[..<4] {
            let value = scalar.value <= 0x39 ? Int(scalar.value) - 0x30 : Int(scalar.value & 0x5F) - 0x37
            rest = (rest * (value < 10 ? 10 : 100) + value) % 97
        }
        return rest
    }

    private static func isUpper(_ scalar: Unicode.Scalar) -> Bool { ("A"..."Z").contains(scalar) }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

    private static func isAlphanumeric(_ scalar: Unicode.Scalar) -> Bool {
        isDigit(scalar) || ("A"..."Z").contains(scalar) || ("a"..."z").contains(scalar)
    }

    private static func digit(_ scalar: Unicode.Scalar) -> UInt8? {
        if scalar.isASCII { return isDigit(scalar) ? UInt8(scalar.value - 0x30) : nil }
        guard scalar.properties.numericType == .decimal, let value = scalar.properties.numericValue else { return nil }
        return UInt8(value)
    }

    /// Spaces, dashes and dots of any kind, and what is not seen at all.
    private static func isSeparator(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20, 0x09, 0x2D, 0x2E, 0xA0, 0xAD, 0x2000...0x200D, 0x2010...0x2015, 0x202F, 0x205F, 0x2060, 0x2212, 0x3000, 0xFE63, 0xFEFF,
            0xFF0D:
            true
        default: false
        }
    }
}

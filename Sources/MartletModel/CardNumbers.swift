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

    /// Whether a look at every character is worth it: a number of ASCII digits that is a card's by first digits, length and check digit, or
    /// so many characters near each other that may be digits of other scripts.
    static func mayHold(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            // The whole first, without a branch a byte: most texts end here.
            var candidates = 0
            for byte in bytes { candidates &+= byte &- 0x30 < 10 || byte >= 0xD9 ? 1 : 0 }
            guard candidates >= digits.lowerBound else { return false }
            var run = CardRun()
            for byte in bytes {
                switch byte {
                case 0x30...0x39: run.digit(byte &- 0x30)
                case 0x80...0xBF: break
                case 0xD9, 0xDB, 0xDF, 0xE0, 0xE1, 0xEA, 0xEF, 0xF0: run.wide()
                case 0x20, 0x09, 0x2D, 0x2E, 0xC2, 0xE2, 0xE3: run.separator()
                default: run.end()
                }
                if run.isPromising { return true }
            }
            run.end()
            return run.isPromising
        }
    }

    /// Lengths, as bits, of the cards whose numbers begin with these six digits; 0: no scheme has them.
    static func lengths(of prefix: Int) -> UInt32 {
        func bits(_ lengths: ClosedRange<UInt32>) -> UInt32 { (1 << (lengths.upperBound + 1)) - (1 << lengths.lowerBound) }
        switch prefix {
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

/// Digits near each other, as the bytes of a text bring them.
private struct CardRun {
    private(set) var isPromising = false
    /// The newest digits, four bits each, and whether a group of digits begins with each of them.
    private var history: UInt128 = 0
    private var starts: UInt32 = 0
    private var count = 0
    private var passed = 0
    private var hasWide = false

    mutating func digit(_ value: UInt8) {
        history = history << 4 | UInt128(value)
        starts = starts << 1 | (count == 0 || passed > 0 ? 1 : 0)
        count += 1
        passed = 0
        if hasWide, count >= CardNumbers.digits.lowerBound { isPromising = true }
    }

    /// A character of another script that may be a digit.
    mutating func wide() {
        hasWide = true
        digit(0)
    }

    mutating func separator() {
        if count > 0, passed == 0 { examine() }
        passed += 1
        if passed > CardNumbers.gap { clear() }
    }

    mutating func end() {
        if count > 0, passed == 0 { examine() }
        clear()
    }

    private mutating func clear() {
        count = 0
        passed = 0
        hasWide = false
    }

    /// A group of digits ended.
    private mutating func examine() {
        guard count >= CardNumbers.digits.lowerBound else { return }
        for length in CardNumbers.digits.lowerBound...min(CardNumbers.digits.upperBound, count) where starts >> UInt32(length - 1) & 1 != 0
        {
            var prefix = 0
            for place in 1...6 { prefix = prefix * 10 + value(length - place) }
            guard CardNumbers.lengths(of: prefix) >> UInt32(length) & 1 != 0 else { continue }
            var sum = 0
            for place in 0..<length {
                let digit = value(place)
                sum += place % 2 == 0 ? digit : digit < 5 ? digit * 2 : digit * 2 - 9
            }
            if sum % 10 == 0 { isPromising = true }
        }
    }

    /// Counted from the newest.
    private func value(_ place: Int) -> Int { Int(truncatingIfNeeded: history >> UInt128(4 * place) & 15) }
}

/// One look at a text that may hold card numbers, character by character.
private struct CardScan {
    private struct Digit {
        var value: UInt8
        /// A separator or the end of the run comes after it.
        var ends: Bool
        /// Index of its character.
        var place: Int32
    }

    private var scalars: [Unicode.Scalar]
    /// The run being read.
    private var digits: [Digit] = []

    init(_ text: String) {
        scalars = []
        scalars.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars { scalars.append(scalar) }
        digits.reserveCapacity(32)
    }

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
        for place in scalars.indices {
            let scalar = scalars[place]
            if let value = CardScan.digit(scalar) {
                if passed > 0, !digits.isEmpty { digits[digits.count - 1].ends = true }
                passed = 0
                digits.append(Digit(value: value, ends: false, place: Int32(truncatingIfNeeded: place)))
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
        defer { digits.removeAll(keepingCapacity: true) }
        guard digits.count >= CardNumbers.digits.lowerBound else { return false }
        digits[digits.count - 1].ends = true
        var found = false
        var start = 0
        while start + CardNumbers.digits.lowerBound <= digits.count {
            if start == 0 || digits[start - 1].ends, let count = card(at: start) {
                for digit in digits[start + 6..<start + count - 4] { scalars[Int(digit.place)] = "*" }
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
        var prefix = 0
        for digit in digits[start..<start + 6] { prefix = prefix * 10 + Int(digit.value) }
        let lengths = CardNumbers.lengths(of: prefix)
        guard lengths != 0 else { return nil }
        var longest: Int?
        // Every second digit is doubled, from the right: which ones is known at the end, so both sums are kept.
        var sums = (even: 0, odd: 0)
        for count in 1...min(CardNumbers.digits.upperBound, digits.count - start) {
            let last = digits[start + count - 1]
            let digit = Int(last.value)
            let doubled = digit < 5 ? digit * 2 : digit * 2 - 9
            if count % 2 == 0 { sums = (sums.even + digit, sums.odd + doubled) } else { sums = (sums.even + doubled, sums.odd + digit) }
            guard last.ends, lengths & 1 << UInt32(count) != 0, (count % 2 == 0 ? sums.even : sums.odd) % 10 == 0 else { continue }
            if !isTelephone(start, count), !isAccount(from: Int(digits[start].place), to: Int(last.place)) { longest = count }
        }
        return longest
    }

    /// A number that is written with a plus sign has at most 15 digits in all (E.164).
    private func isTelephone(_ start: Int, _ count: Int) -> Bool {
        guard let first = digits.first.map({ Int($0.place) }), first > 0, scalars[first - 1] == "+" || scalars[first - 1] == "\u{FF0B}"
        else { return false }
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

    private static func isUpper(_ scalar: Unicode.Scalar) -> Bool { scalar.value &- 0x41 < 26 }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { scalar.value &- 0x30 < 10 }

    private static func isAlphanumeric(_ scalar: Unicode.Scalar) -> Bool { isDigit(scalar) || (scalar.value & ~0x20) &- 0x41 < 26 }

    private static func digit(_ scalar: Unicode.Scalar) -> UInt8? {
        if scalar.value < 0x80 { return isDigit(scalar) ? UInt8(truncatingIfNeeded: scalar.value &- 0x30) : nil }
        // Below U+0660 there is none.
        guard scalar.value >= 0x660, scalar.properties.numericType == .decimal, let value = scalar.properties.numericValue else {
            return nil
        }
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

/// Ways to write a text with fewer letters, each a pure function from text to text, switched on per route and never by itself: every one
/// of them changes what the customer reads. Letters that GSM 7-bit has stay as they are, but for look-alikes in a word of another script.
public enum Transliteration: String, Sendable, Hashable, CaseIterable {
    /// Quotes, dashes, ellipsis, spaces and signs of word processors become those of a keyboard; invisible ones go; signs of
    /// currencies become their codes.
    case typographic
    /// Cyrillic and Greek letters that look like Latin ones, in words that are otherwise Latin, and Greek capitals: they become the
    /// Latin ones, where the whole word then fits GSM 7-bit.
    case lookAlikes
    /// Latin letters with marks that GSM 7-bit lacks lose them: ż to z, ç to c, but é stays.
    case baseLetters
    /// Cyrillic to Latin, official Ukrainian table of 2010.
    case ukrainian
    /// Cyrillic to Latin, as in Russian passports (ICAO Doc 9303).
    case russian

    public func apply(to text: String) -> String {
        switch self {
        case .typographic: Self.replace(text) { Self.signTable[$0] }
        case .lookAlikes: Self.withoutLookAlikes(text)
        case .baseLetters: Self.withBaseLetters(text)
        case .ukrainian: Self.latin(text, Self.ukrainianLetters, ukrainian: true)
        case .russian: Self.latin(text, Self.russianLetters, ukrainian: false)
        }
    }

    /// One after the other.
    public static func apply(_ steps: [Transliteration], to text: String) -> String {
        steps.reduce(text) { $1.apply(to: $0) }
    }

    // MARK: - Steps

    /// Whether the default tables of GSM 7-bit have the letter.
    static func inGSM7(_ scalar: Unicode.Scalar) -> Bool {
        let tables = GSM7.standard
        return (scalar.value < 0x400 ? tables.codes[Int(scalar.value)] : tables.high(scalar.value)) != GSM7.none
    }

    private static func replace(_ text: String, _ replacement: (Unicode.Scalar) -> String?) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if let other = replacement(scalar) { result.append(contentsOf: other.unicodeScalars) } else { result.append(scalar) }
        }
        return String(result)
    }

    private static func withBaseLetters(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var previous: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            if (0x300..<0x370).contains(scalar.value), let base = previous, base.value < 0x80, base.properties.isAlphabetic {
                // A mark stays where it makes a letter of GSM 7-bit; another one goes, its letter stays the base of what follows.
                guard let letter = GSM7.composedLetter(UInt8(base.value), scalar.value), inGSM7(letter) else { continue }
                result.append(scalar)
            } else if !inGSM7(scalar), let other = baseTable[scalar] {
                result.append(contentsOf: other.unicodeScalars)
            } else {
                result.append(scalar)
            }
            previous = scalar
        }
        return String(result)
    }

    private static func withoutLookAlikes(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var word: [Unicode.Scalar] = []
        for scalar in text.unicodeScalars {
            if scalar.properties.isAlphabetic {
                word.append(scalar)
            } else {
                result.append(contentsOf: withoutLookAlikes(word: word))
                word.removeAll(keepingCapacity: true)
                result.append(scalar)
            }
        }
        result.append(contentsOf: withoutLookAlikes(word: word))
        return String(result)
    }

    /// The word in Latin letters, when that makes it fit GSM 7-bit and it is plainly not of the other script.
    private static func withoutLookAlikes(word: [Unicode.Scalar]) -> [Unicode.Scalar] {
        let isGreekCapitals = word.allSatisfy { (0x391...0x3A9).contains($0.value) }
        let hasLatin = word.contains { $0.value < 0x250 }
        guard isGreekCapitals || hasLatin else { return word }
        let other = word.map { inGSM7($0) ? $0 : lookAlikeTable[$0] ?? $0 }
        return other.allSatisfy(inGSM7) ? other : word
    }

    // MARK: - Cyrillic

    private static func latin(_ text: String, _ table: Cyrillic, ukrainian: Bool) -> String {
        let letters = composed(text)
        var result = String.UnicodeScalarView()
        var inWord = false
        for (at, letter) in letters.enumerated() {
            let next = at + 1 < letters.count ? letters[at + 1] : nil
            if ukrainian, inWord, isApostrophe(letter), let next, table[small(next)] != nil { continue }
            guard var latin = table[small(letter)].map({ inWord ? $0.inside : $0.first }) else {
                result.append(letter)
                inWord = letter.properties.isAlphabetic
                continue
            }
            let previous = at > 0 ? letters[at - 1] : nil
            if ukrainian, small(letter) == "г", let previous, small(previous) == "з" { latin = "gh" }
            inWord = true
            guard letter.properties.isUppercase else {
                result.append(contentsOf: latin.unicodeScalars)
                continue
            }
            // Щука, ЩУКА, and at the end of a word as the letter before.
            let all = next.map { $0.properties.isAlphabetic } ?? false ? next?.properties.isUppercase : inCapitals(previous)
            let head = latin.prefix(1).uppercased()
            let tail = all ?? false ? latin.dropFirst().uppercased() : String(latin.dropFirst())
            result.append(contentsOf: head.unicodeScalars)
            result.append(contentsOf: tail.unicodeScalars)
        }
        return String(result)
    }

    private static func inCapitals(_ scalar: Unicode.Scalar?) -> Bool { scalar?.properties.isUppercase ?? false }

    private static func isApostrophe(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "'" || scalar == "\u{2019}" || scalar == "\u{2BC}"
    }

    private static func small(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar.value {
        case 0x410...0x42F: Unicode.Scalar(scalar.value + 0x20) ?? scalar
        case 0x400...0x40F: Unicode.Scalar(scalar.value + 0x50) ?? scalar
        case 0x490: "ґ"
        default: scalar
        }
    }

    /// й, ї, ё, ў and their capitals as one scalar each.
    private static func composed(_ text: String) -> [Unicode.Scalar] {
        var letters: [Unicode.Scalar] = []
        letters.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            if scalar == "\u{306}" || scalar == "\u{308}", let base = letters.last, let whole = composed(base, scalar) {
                letters[letters.count - 1] = whole
            } else {
                letters.append(scalar)
            }
        }
        return letters
    }

    static func composed(_ base: Unicode.Scalar, _ mark: Unicode.Scalar) -> Unicode.Scalar? {
        switch (base, mark) {
        case ("и", "\u{306}"): "й"
        case ("И", "\u{306}"): "Й"
        case ("у", "\u{306}"): "ў"
        case ("У", "\u{306}"): "Ў"
        case ("і", "\u{308}"): "ї"
        case ("І", "\u{308}"): "Ї"
        case ("е", "\u{308}"): "ё"
        case ("Е", "\u{308}"): "Ё"
        default: nil
        }
    }
}

/// How the bank had to do with a customer elsewhere: a word of the bank's own, 1 to 32 of a-z, 0-9, _ and -, a letter first.
///
/// What a word means the bank says in a definition of the kind `contact-kind` with the same code; Martlet asks for none, so that a file with a new
/// kind can be taken over before somebody defined it.
public struct ContactKind: Hashable, Sendable {
    public let word: String

    /// Nil: it has not the form.
    public init?(word: some StringProtocol) {
        let isSign = { (octet: UInt8) in (97...122).contains(octet) || (48...57).contains(octet) || octet == 95 || octet == 45 }
        guard (1...ContactKind.octets).contains(word.utf8.count), word.utf8.first.map({ (97...122).contains($0) }) == true,
            word.utf8.allSatisfy(isSign)
        else { return nil }
        self.word = String(word)
    }

    static let octets = 32
    /// For faults.
    static let form = "1 to 32 of a-z, 0-9, _ and -, a letter first, such as branch, call_centre, social_page, letter or visit"

    /// Those that rows hold as a number. The numbers are in rows: never change one.
    private static let numbered: [(number: UInt8, word: String)] = [
        (1, "branch"), (2, "call_centre"), (3, "social_page"), (4, "letter"), (5, "visit"),
    ]

    /// As a row holds it; 0: the word stands before the summary, sealed with it.
    var number: UInt8 { ContactKind.numbered.first { $0.word == word }?.number ?? 0 }

    /// Nil: it stands before the summary, or a later version gave it a number.
    init?(number: UInt8) {
        guard let known = ContactKind.numbered.first(where: { $0.number == number }) else { return nil }
        word = known.word
    }
}

/// What is sealed of a contact: its summary, and before that its kind where that has no number, with a byte for its length.
struct ContactWords: Equatable, Sendable {
    var kind: ContactKind
    var summary: String

    var bytes: [UInt8] {
        let summary = Array(summary.utf8)
        return kind.number == 0 ? [UInt8(kind.word.utf8.count)] + Array(kind.word.utf8) + summary : summary
    }

    init(kind: ContactKind, summary: String) {
        self.kind = kind
        self.summary = summary
    }

    /// - Parameter number: the row's.
    /// - Returns: nil: the bytes are none of this version.
    init?(_ bytes: [UInt8], number: UInt8) {
        if number == 0 {
            guard let count = bytes.first, count > 0, bytes.count > Int(count),
                let kind = ContactKind(word: String(decoding: bytes[1...Int(count)], as: UTF8.self))
            else { return nil }
            self.init(kind: kind, summary: String(decoding: bytes[(1 + Int(count))...], as: UTF8.self))
        } else {
            guard let kind = ContactKind(number: number) else { return nil }
            self.init(kind: kind, summary: String(decoding: bytes, as: UTF8.self))
        }
    }
}

public import MartletModel

/// What happens to messages from handsets: words that opt out and in, keywords with their answer, and who hears of the rest.
/// Immutable; swapped whole.
public struct InboundRules: Equatable, Sendable {
    public struct Rule: Equatable, Sendable {
        /// The number or name it was sent to, as the provider writes it; empty: any.
        public var to: String
        /// First words of the text with blanks between them, in whatever case; empty: any text. Of a rule with a package the whole of the text.
        public var keyword: String
        /// Who hears of it; nil: who sent the last message to that handset.
        public var source: SourceNumber?
        /// Sent back at once; empty: nothing is.
        public var answer: String
        /// What the customer says of a package with these words.
        public var package: PackageWish?
        private let words: [String]

        public init(
            to: String = "", keyword: String = "", source: SourceNumber? = nil, answer: String = "", package: PackageWish? = nil
        ) {
            self.to = to
            self.keyword = keyword.lowercased()
            self.source = source
            self.answer = answer
            self.package = package
            words = self.keyword.split(whereSeparator: \.isWhitespace).map(String.init)
        }

        /// "Card off the table" is no word on a package: such a word stands alone.
        fileprivate func fits(_ text: [String], to: String) -> Bool {
            guard self.to.isEmpty || self.to == to else { return false }
            return package == nil ? text.starts(with: words) : text == words
        }
    }

    public struct PackageWish: Equatable, Sendable {
        public var package: UInt16
        public var isWanted: Bool
        public init(_ package: UInt16, isWanted: Bool) {
            self.package = package
            self.isWanted = isWanted
        }
    }

    public struct Words: Equatable, Sendable {
        public var words: Set<String>
        public var answer: String
        public init(_ words: [String], answer: String = "") {
            self.words = Set(words.map { $0.lowercased() })
            self.answer = answer
        }
    }

    /// In order: the first that fits counts.
    public var rules: [Rule]
    /// A text that is nothing but one of these.
    public var optOut: Words
    public var optIn: Words
    /// What an opt-out is for.
    public var unwanted: ClassSet
    /// Sent back for a word on a package from a number that is not one customer's, and where it cannot be heeded now; empty: nothing is.
    public var unknownAnswer: String
    public var laterAnswer: String
    /// Who hears of what no rule and no earlier message decides; nil: nobody, it stays in the log.
    public var fallback: SourceNumber?
    /// Microseconds after a message to a handset in which what comes from it is a reply.
    public var window: Int64
    /// Microseconds to wait for the parts of a long message.
    public var partsWait: Int64

    public init(
        rules: [Rule] = [], optOut: Words = Words([]), optIn: Words = Words([]), unwanted: ClassSet = ClassSet([.marketing]),
        unknownAnswer: String = "", laterAnswer: String = "", fallback: SourceNumber? = nil, window: Int64 = 86_400_000_000,
        partsWait: Int64 = 600_000_000
    ) {
        self.rules = rules
        self.optOut = optOut
        self.optIn = optIn
        self.unwanted = unwanted
        self.unknownAnswer = unknownAnswer
        self.laterAnswer = laterAnswer
        self.fallback = fallback
        self.window = window
        self.partsWait = partsWait
    }

    /// Whether a word on a package may come: then the node says whose number it is.
    public var hasPackages: Bool { rules.contains { $0.package != nil } }

    struct Verdict: Equatable {
        var source: SourceNumber?
        var answer = ""
        /// What the customer wants no more; empty: wants all again; nil: says nothing of it.
        var unwanted: ClassSet?
        var package: PackageWish?
    }

    /// - Parameter repliesTo: who sent the last message to the handset.
    func judge(_ text: String, to: String, repliesTo: SourceNumber?) -> Verdict {
        let words = text.lowercased().split(whereSeparator: \.isWhitespace).map(InboundRules.bare).filter { !$0.isEmpty }
        let alone = words.count == 1 ? words[0] : ""
        let rule = rules.first { $0.fits(words, to: to) }
        // 0 is the command line, which hears nothing.
        let source = rule?.source ?? (repliesTo == 0 ? nil : repliesTo) ?? fallback
        if !alone.isEmpty, !unwanted.isEmpty, optOut.words.contains(alone) {
            return Verdict(source: source, answer: optOut.answer, unwanted: unwanted)
        }
        if !alone.isEmpty, optIn.words.contains(alone) { return Verdict(source: source, answer: optIn.answer, unwanted: []) }
        return Verdict(source: source, answer: rule?.answer ?? "", package: rule?.package)
    }

    /// Without the quotes and full stops that people put around a word they were asked to send.
    private static func bare(_ word: Substring) -> String {
        var word = word
        while let first = word.first, !first.isLetter, !first.isNumber { word.removeFirst() }
        while let last = word.last, !last.isLetter, !last.isNumber { word.removeLast() }
        return String(word)
    }
}

/// Answers to one handset, so that two machines do not talk to each other for ever.
struct AnswerBrake {
    /// Answers to one number in an hour.
    static let most = 10
    private static let numbers = 100_000
    private static let hour: Int64 = 3_600_000_000
    private var given: [UInt64: Int] = [:]
    private var since: Int64 = 0

    /// - Parameters:
    ///   - number: keyed hash.
    ///   - steady: microseconds.
    mutating func take(_ number: UInt64, at steady: Int64) -> Bool {
        if steady - since >= AnswerBrake.hour || given.count >= AnswerBrake.numbers {
            given.removeAll(keepingCapacity: true)
            since = steady
        }
        guard given[number, default: 0] < AnswerBrake.most else { return false }
        given[number, default: 0] += 1
        return true
    }
}

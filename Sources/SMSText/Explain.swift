extension SMSText {
    /// Tells a person what a text costs and why, and which spelling would cost less. Changes nothing by itself.
    /// Cost: some passes over the text, in memory of its size; not for the path of every message.
    /// - Throws: `.noAlphabet`.
    public static func explain(_ text: String, _ options: TextOptions = .standard) throws(TextFault) -> TextExplanation {
        let plan = try plan(text, options: options)
        let used = unitsOfLastPart(text, plan)
        let wanted = options.alphabets.first { $0.form != .utf16 && $0 != .binary } ?? .gsm7
        var letters: [Unicode.Scalar: TextExplanation.Letter] = [:]
        var order: [Unicode.Scalar] = []
        var more = 0
        if plan.alphabet != wanted {
            let latinised = Transliteration.lookAlikes.apply(to: text).unicodeScalars
            forEachLacking(text, wanted) { scalar, position in
                if letters[scalar] == nil {
                    guard order.count < TextExplanation.lettersMax else {
                        more += 1
                        return
                    }
                    order.append(scalar)
                    letters[scalar] = TextExplanation.Letter(scalar: scalar, cheaper: cheaper(scalar, latinised))
                }
                letters[scalar]?.count += 1
                if let count = letters[scalar]?.positions.count, count < TextExplanation.positionsMax {
                    letters[scalar]?.positions.append(position)
                }
            }
        }
        return TextExplanation(
            plan: plan, unitsInLastPart: used, unitsLeftInLastPart: plan.unitsPerPart - used, wanted: wanted,
            forcing: order.compactMap { letters[$0] }, furtherForcing: more, offers: offers(text, plan, options, wanted))
    }

    private static func unitsOfLastPart(_ text: String, _ plan: TextPlan) -> Int {
        guard plan.parts > 1 else { return plan.units }
        var text = text
        return text.withUTF8 { utf8 in
            let cutter = Cutter(utf8, plan.alphabet.tables)
            var start = 0
            for _ in 1..<plan.parts { start = cutter.partEnd(from: start, limit: plan.unitsPerPart, plan.alphabet) }
            let rest = Cutter(UnsafeBufferPointer(rebasing: utf8[start...]), plan.alphabet.tables)
            return rest.units(plan.alphabet) ?? 0
        }
    }

    private static func forEachLacking(_ text: String, _ alphabet: Alphabet, _ body: (Unicode.Scalar, Int) -> Void) {
        var text = text
        text.withUTF8 { utf8 in
            let cutter = Cutter(utf8, alphabet.tables)
            var at = 0
            var position = 0
            while at < utf8.count {
                let letter = cutter.lacks(at, alphabet)
                if letter.lacks { body(letter.scalar, position) }
                at += letter.octets
                position += 1
            }
        }
    }

    /// The nearest spelling of one letter; nil when nothing here writes it otherwise.
    /// - Parameter latinised: the text without look-alikes: a letter that it still has is no look-alike but a letter of its script.
    private static func cheaper(_ scalar: Unicode.Scalar, _ latinised: String.UnicodeScalarView) -> String? {
        if invisible.contains(scalar) || (0x300..<0x370).contains(scalar.value) { return "" }
        if let sign = Transliteration.signTable[scalar] { return sign }
        if let letter = Transliteration.lookAlikeTable[scalar] { return latinised.contains(scalar) ? nil : String(Character(letter)) }
        return Transliteration.baseTable[scalar]
    }

    /// Marks of direction and joiners: in a text that then fits GSM 7-bit they do nothing.
    private static let invisible: Set<Unicode.Scalar> = [
        "\u{200C}", "\u{200D}", "\u{200E}", "\u{200F}", "\u{202A}", "\u{202B}", "\u{202C}", "\u{202D}", "\u{202E}", "\u{2066}", "\u{2067}",
        "\u{2068}", "\u{2069}", "\u{61C}", "\u{FE0E}", "\u{FE0F}",
    ]

    /// Spellings that change more and more, each only where it costs less than all before it.
    private static func offers(_ text: String, _ plan: TextPlan, _ options: TextOptions, _ wanted: Alphabet) -> [TextExplanation.Offer] {
        guard plan.alphabet != wanted else { return [] }
        var best = plan
        var offers: [TextExplanation.Offer] = []
        func offer(_ spelling: TextExplanation.Spelling, _ text: String) {
            guard let next = try? SMSText.plan(text, options: options) else { return }
            let isRoomier = next.parts == best.parts && next.alphabet == wanted && best.alphabet != wanted
            guard next.parts < best.parts || isRoomier else { return }
            best = next
            offers.append(TextExplanation.Offer(spelling: spelling, text: text, plan: next))
        }
        var visible = String.UnicodeScalarView()
        for scalar in text.unicodeScalars where !invisible.contains(scalar) { visible.append(scalar) }
        let typed = Transliteration.apply([.typographic, .lookAlikes], to: String(visible))
        offer(.typographic, typed)
        let plain = Transliteration.baseLetters.apply(to: typed)
        offer(.baseLetters, plain)
        let isUkrainian = typed.unicodeScalars.contains { "іїєґІЇЄҐ".unicodeScalars.contains($0) }
        offer(.latin, (isUkrainian ? Transliteration.ukrainian : .russian).apply(to: plain))
        return offers
    }
}

/// What a text costs and why, for people. Holds the text itself in its offers: not for logs.
public struct TextExplanation: Sendable, Hashable {
    /// Distinct letters named, and positions named for each.
    public static let lettersMax = 64
    public static let positionsMax = 16

    public let plan: TextPlan
    /// Of `plan.unitsPerPart`.
    public let unitsInLastPart: Int
    public let unitsLeftInLastPart: Int
    /// The alphabet that would have been cheaper: the first one allowed that is not UCS-2.
    public let wanted: Alphabet
    /// Every letter that `wanted` lacks, in order of first appearance, at most `lettersMax`; empty when the text is in `wanted`.
    public let forcing: [Letter]
    /// Occurrences of letters that were too many to name.
    public let furtherForcing: Int
    /// Cheaper spellings, the one that changes least first, each cheaper than those before it; empty when there is none.
    public let offers: [Offer]

    /// A letter that forces another alphabet.
    public struct Letter: Sendable, Hashable {
        public let scalar: Unicode.Scalar
        public internal(set) var count = 0
        /// The first places, counted in Unicode scalars from 0.
        public internal(set) var positions: [Int] = []
        /// How it could be written instead, "" for not at all; nil: nothing near it.
        public let cheaper: String?

        init(scalar: Unicode.Scalar, cheaper: String?) {
            self.scalar = scalar
            self.cheaper = cheaper
        }

        /// `U+2019`, for lists and logs.
        public var codePoint: String {
            let digits = String(scalar.value, radix: 16, uppercase: true)
            return "U+\(String(repeating: "0", count: max(0, 4 - digits.utf8.count)))\(digits)"
        }
    }

    /// How much an offer changes.
    public enum Spelling: String, Sendable, Hashable {
        /// Quotes, dashes, spaces, signs, invisible marks, look-alikes of other scripts: what a reader hardly sees.
        case typographic
        /// Letters lose their marks too.
        case baseLetters
        /// Cyrillic is written in Latin too.
        case latin
    }

    public struct Offer: Sendable, Hashable {
        public let spelling: Spelling
        public let text: String
        /// What it would then cost.
        public let plan: TextPlan
    }

    /// One line without a word of the text: `2 parts of UCS-2, 71 units, 4 in the last part, 63 left; 2 letters force it`.
    public var summary: String {
        let parts = "\(plan.parts) part\(plan.parts == 1 ? "" : "s")"
        let room = "\(plan.units) units, \(unitsInLastPart) in the last part, \(unitsLeftInLastPart) left"
        let number = "\(forcing.count)\(furtherForcing > 0 ? " or more" : "")"
        let letters = forcing.isEmpty ? "" : "; \(number) letter\(forcing.count == 1 ? " forces" : "s force") it"
        return "\(parts) of \(plan.alphabet.name), \(room)\(letters)"
    }
}

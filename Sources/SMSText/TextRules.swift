/// What one operator makes of texts: the alphabets and forms it takes, and how far a text may be spelled otherwise to cost less. The one
/// value that counting and cutting both go by.
public struct TextRules: Sendable, Hashable {
    /// The alphabets that the operator has a number for.
    public let options: TextOptions
    /// The same for a message that is shown at once: those with a number for that. Empty where there is none.
    public let flash: TextOptions
    /// Tried one after the other, each on what the one before made, in the order of `Transliteration.allCases`.
    public let spellings: [Transliteration]

    /// - Parameter hasFlash: false where the operator shows nothing at once: such a message then goes like any other.
    public init(
        options: TextOptions = .standard, profile: AlphabetProfile = .standard, hasFlash: Bool = true, spellings: [Transliteration] = []
    ) {
        let known = profile.allowed(options.alphabets)
        self.options = TextOptions(alphabets: known, concatenation: options.concatenation)
        let shown = hasFlash ? known.filter { profile.dataCoding(for: $0, flash: true) != nil } : []
        flash = TextOptions(alphabets: shown, concatenation: options.concatenation)
        self.spellings = Transliteration.allCases.filter { spellings.contains($0) }
    }

    /// GSM 7-bit or UCS-2, 8-bit references, the text as it was given.
    public static let standard = TextRules()

    /// The cheapest way to write a text: of the text as it is and its allowed spellings the one with the fewest parts, and of equals the one
    /// that changes least. So nothing is spelled otherwise unless that saves a part, or no alphabet has the text as it is. A message that is
    /// to be shown at once takes an alphabet that can be, if one has the text; else any.
    ///
    /// Cost: as `SMSText.plan`; a text of several parts is planned once more for each spelling.
    /// - Throws: `.noAlphabet`.
    public func plan(_ text: String, flash isFlash: Bool = false) throws(TextFault) -> (plan: TextPlan, shape: TextShape) {
        if isFlash, !flash.alphabets.isEmpty, let found = cheapest(text, flash) { return found }
        guard let found = cheapest(text, options) else { throw .noAlphabet }
        return found
    }

    private func cheapest(_ text: String, _ options: TextOptions) -> (plan: TextPlan, shape: TextShape)? {
        var best = TextRules.plan(text, options)
        var mask: UInt8 = 0
        if !spellings.isEmpty, best.map({ $0.parts > 1 && $0.alphabet != .gsm7 }) ?? true {
            var spelled = text
            var steps: UInt8 = 0
            for step in spellings {
                spelled = step.apply(to: spelled)
                steps |= step.bit
                guard let next = TextRules.plan(spelled, options), best.map({ next.parts < $0.parts }) ?? true else { continue }
                best = next
                mask = steps
            }
        }
        return best.map { ($0, TextShape(plan: $0, steps: mask)) }
    }

    private static func plan(_ text: String, _ options: TextOptions) -> TextPlan? {
        do {
            return try SMSText.plan(text, options: options)
        } catch {
            // No alphabet has it: another spelling may.
            return nil
        }
    }

    /// Whether what was planned so is still what the operator takes. What other rules would make of the text does not matter.
    public func takes(_ shape: TextShape) -> Bool {
        options.alphabets.contains(shape.alphabet) && (shape.parts == 1 || shape.concatenation == options.concatenation)
    }
}

/// The few bytes of a plan from which the same text is planned and cut the same way again, whatever the rules say by then.
public struct TextShape: Sendable, Hashable {
    public let alphabet: Alphabet
    public let concatenation: Concatenation
    /// Spellings applied, by `Transliteration.bit`.
    public let steps: UInt8
    /// On the air, 1...255.
    public let parts: Int

    init(plan: TextPlan, steps: UInt8) {
        alphabet = plan.alphabet
        concatenation = plan.concatenation
        self.steps = steps
        parts = min(plan.parts, SMSText.partsMax)
    }

    /// Of a plan of the text as it was given.
    public init(_ plan: TextPlan) { self.init(plan: plan, steps: 0) }

    /// As it is kept: alphabet, concatenation, steps, parts, from the lowest byte up. Never 0. Never change what a value means.
    public var code: UInt32 {
        UInt32(alphabet.rawValue) | UInt32(concatenation.rawValue) << 8 | UInt32(steps) << 16 | UInt32(parts) << 24
    }

    /// Nil for a number that no version wrote.
    public init?(code: UInt32) {
        guard let alphabet = Alphabet(rawValue: UInt8(code & 0xFF)), alphabet != .binary,
            let concatenation = Concatenation(rawValue: UInt8(code >> 8 & 0xFF)), code >> 24 > 0
        else { return nil }
        self.alphabet = alphabet
        self.concatenation = concatenation
        steps = UInt8(code >> 16 & 0xFF)
        parts = Int(code >> 24)
    }

    /// Messages to submit.
    public var submits: Int { concatenation == .payload ? 1 : parts }

    /// The text as it goes out.
    public func spelled(_ text: String) -> String {
        steps == 0 ? text : Transliteration.apply(Transliteration.allCases.filter { steps & $0.bit != 0 }, to: text)
    }

    /// The plan of a text that `spelled` made; nil when it does not come out as it was, since another version counts otherwise.
    public func plan(_ spelled: String) -> TextPlan? {
        guard let plan = SMSText.plan(spelled, in: alphabet, concatenation), plan.parts == parts else { return nil }
        return plan
    }
}

extension Transliteration {
    /// In `TextShape.steps`; never change one.
    public var bit: UInt8 {
        switch self {
        case .typographic: 1
        case .lookAlikes: 2
        case .baseLetters: 4
        case .ukrainian: 8
        case .russian: 16
        }
    }
}

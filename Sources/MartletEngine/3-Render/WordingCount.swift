import MartletModel
import SMSText

extension WordingPreview {
    /// What a short message costs, and why.
    public struct SMS: Equatable, Sendable {
        /// Nil: whom the source says.
        public var sender: String?
        public var parts: Int
        /// Messages that are submitted for it.
        public var submits: Int
        /// `GSM 7-bit`, `UCS-2`.
        public var alphabet: String
        /// Letters of that alphabet, all parts together, and how many would still go into the last part.
        public var units: Int
        public var left: Int
        /// As it goes out, where the operator's profile spells it otherwise.
        public var spelled: String?
        /// Those that the cheaper alphabet lacks: the first 64, and how often there are others.
        public var letters: [Letter] = []
        public var further = 0
        /// Spellings that would cost less, the one that changes least first.
        public var offers: [Offer] = []

        public struct Letter: Equatable, Sendable {
            public var letter: String
            /// `U+2019`.
            public var code: String
            public var count: Int
            /// The first places, counted in letters (Unicode scalars) from 0.
            public var positions: [Int]
            /// What could stand there instead, empty for nothing; nil: nothing near it.
            public var cheaper: String?
        }

        public struct Offer: Equatable, Sendable {
            /// `typographic`, `baseLetters`, `latin`.
            public var spelling: String
            public var text: String
            public var parts: Int
            public var alphabet: String
        }
    }

    /// - Returns: nil, with the fault: the operator has no alphabet for it. A fault beside a count: it is too long to be sent.
    func count(_ text: String, _ rules: TextRules, _ limit: Int) -> (SMS?, WordingFault?) {
        do throws(TextFault) {
            let (plan, shape) = try rules.plan(text)
            let spelled = shape.spelled(text)
            let it = try SMSText.explain(spelled, rules.options)
            var sms = SMS(
                sender: override?.sender ?? template.sender, parts: plan.parts, submits: plan.submits, alphabet: plan.alphabet.name,
                units: it.plan.units, left: it.unitsLeftInLastPart, spelled: shape.steps == 0 ? nil : spelled)
            sms.letters = it.forcing.map {
                SMS.Letter(letter: String($0.scalar), code: $0.codePoint, count: $0.count, positions: $0.positions, cheaper: $0.cheaper)
            }
            sms.further = it.furtherForcing
            sms.offers = it.offers.map {
                SMS.Offer(spelling: $0.spelling.rawValue, text: $0.text, parts: $0.plan.parts, alphabet: $0.plan.alphabet.name)
            }
            return (sms, plan.parts > limit ? .tooManyParts(parts: plan.parts, limit: limit) : nil)
        } catch {
            return (nil, .noAlphabet)
        }
    }
}

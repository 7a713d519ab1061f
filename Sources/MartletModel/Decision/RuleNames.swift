/// What people call the things that rules' answers name by number. An explanation is read by people, who know the package `cards`, not 18.
public struct RuleNames: Equatable, Sendable {
    var package: String?
    var eventType: String?
    var purpose: String?
    var cap: String?
    /// ISO 4217, of the event's amount and so of the threshold that it was compared with; 0: it has none.
    var currency: UInt16 = 0

    /// Nothing has a name: numbers stand in sentences, amounts in the smallest unit.
    public init() {}

    /// - Parameter rules: of the release that decided.
    public init(_ answers: some Sequence<RuleAnswer>, _ rules: DecisionRules, currency: UInt16?) {
        self.currency = currency ?? 0
        for answer in answers {
            switch answer.because {
            case .connected: package = rules.packages.first { $0.number == answer.number }?.key
            case .muted: eventType = rules.eventTypes.first { $0.number == answer.number }?.key
            case .consented, .notConsented, .withdrawn: purpose = rules.purposes.first { $0.number == answer.number }?.key
            case .capUsedUp: cap = rules.caps.indices.contains(Int(answer.number)) ? rules.caps[Int(answer.number)].key : nil
            default: break
            }
        }
    }

    /// A threshold with its currency: `500.00 UAH`.
    func amount(_ minor: Int64) -> String { Money(minor: minor, currency: currency).words ?? String(minor) }
}

extension Money {
    /// With all digits of its currency and its code; nil: the currency is not known here.
    var words: String? {
        guard let currency = Currency.of(number: currency) else { return nil }
        let digits = String(minor.magnitude)
        let places = Int(currency.digits)
        let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
        let fraction = places == 0 ? "" : ".\(padded.suffix(places))"
        return "\(minor < 0 ? "-" : "")\(padded.dropLast(places))\(fraction) \(currency.code)"
    }
}

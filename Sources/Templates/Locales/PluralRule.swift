/// The forms that languages have for numbers (CLDR, "Language Plural Rules").
public enum PluralCategory: String, Sendable, CaseIterable {
    case zero, one, two, few, many, other

    var index: Int {
        switch self {
        case .zero: 0
        case .one: 1
        case .two: 2
        case .few: 3
        case .many: 4
        case .other: 5
        }
    }
}

/// What the rules look at (UTS 35, part 3, "Plural Operand Meanings"), of the number as it is shown: 1.50 has two digits behind the point.
struct PluralOperands {
    /// Digits before the point.
    let whole: UInt64
    /// Count of digits behind the point, zeros at the end too.
    let places: Int
    /// Digits behind the point as a number, zeros at the end too.
    let fraction: UInt64
    /// Whether the number is a whole one, however it is shown.
    var isWhole: Bool { fraction == 0 }

    init(magnitude: UInt64, scale: Int) {
        let unit = tenTo(scale)
        whole = magnitude / unit
        fraction = magnitude % unit
        places = scale
    }
}

/// Cardinal rules, one case for all languages that have the same.
enum PluralRule: Sendable {
    /// English, German, Estonian: one is 1 without digits behind the point.
    case oneWithoutFraction
    /// Italian: the same, and whole millions are many.
    case oneOrMillions
    /// Bulgarian, Hungarian, Turkish, Georgian, Kazakh, Azerbaijani: one is 1 however it is shown.
    case one
    /// Spanish: the same, and whole millions are many.
    case oneAlwaysOrMillions
    /// Armenian: one is 0 and 1 and what lies between 0 and 2.
    case lessThanTwo
    /// French: the same, and whole millions are many.
    case lessThanTwoOrMillions
    /// Ukrainian, Russian.
    case eastSlavic
    case polish
    /// Czech, Slovak.
    case westSlavic
    case romanian
    case lithuanian
    case latvian

    func category(_ number: PluralOperands) -> PluralCategory {
        let whole = number.whole
        switch self {
        case .oneWithoutFraction: return whole == 1 && number.places == 0 ? .one : .other
        case .oneOrMillions: return whole == 1 && number.places == 0 ? .one : Self.million(number)
        case .one: return whole == 1 && number.isWhole ? .one : .other
        case .oneAlwaysOrMillions: return whole == 1 && number.isWhole ? .one : Self.million(number)
        case .lessThanTwo: return whole <= 1 ? .one : .other
        case .lessThanTwoOrMillions: return whole <= 1 ? .one : Self.million(number)
        case .eastSlavic: return number.places == 0 ? Self.eastSlavic(whole) : .other
        case .polish: return number.places == 0 ? Self.polish(whole) : .other
        case .westSlavic:
            guard number.places == 0 else { return .many }
            return whole == 1 ? .one : (2...4).contains(whole) ? .few : .other
        case .romanian:
            if whole == 1 && number.places == 0 { return .one }
            return number.places > 0 || whole == 0 || (1...19).contains(whole % 100) ? .few : .other
        case .lithuanian: return Self.lithuanian(number)
        case .latvian: return Self.latvian(number)
        }
    }

    /// Forms without which a whole number could not be written. Millions do with `other` where a template has no `many`.
    var needed: [PluralCategory] {
        switch self {
        case .oneWithoutFraction, .oneOrMillions, .one, .oneAlwaysOrMillions, .lessThanTwo, .lessThanTwoOrMillions: [.one, .other]
        case .eastSlavic, .polish: [.one, .few, .many]
        case .westSlavic, .romanian, .lithuanian: [.one, .few, .other]
        case .latvian: [.zero, .one, .other]
        }
    }

    /// The form of numbers with a fraction that whole numbers do not need. Without it a template takes whole numbers only.
    var fractional: PluralCategory? {
        switch self {
        case .eastSlavic, .polish: .other
        case .westSlavic, .lithuanian: .many
        case .oneWithoutFraction, .oneOrMillions, .one, .oneAlwaysOrMillions, .lessThanTwo, .lessThanTwoOrMillions, .romanian, .latvian: nil
        }
    }

    /// Forms that a template may give.
    var known: [PluralCategory] {
        switch self {
        case .oneOrMillions, .oneAlwaysOrMillions, .lessThanTwoOrMillions: needed + [.many]
        case .oneWithoutFraction, .one, .lessThanTwo, .romanian, .latvian, .eastSlavic, .polish, .westSlavic, .lithuanian:
            needed + (fractional.map { [$0] } ?? [])
        }
    }

    private static func million(_ number: PluralOperands) -> PluralCategory {
        number.whole != 0 && number.whole % 1_000_000 == 0 && number.places == 0 ? .many : .other
    }

    private static func eastSlavic(_ whole: UInt64) -> PluralCategory {
        if (11...14).contains(whole % 100) { return .many }
        switch whole % 10 {
        case 1: return .one
        case 2...4: return .few
        default: return .many
        }
    }

    private static func polish(_ whole: UInt64) -> PluralCategory {
        if whole == 1 { return .one }
        return (2...4).contains(whole % 10) && !(12...14).contains(whole % 100) ? .few : .many
    }

    private static func lithuanian(_ number: PluralOperands) -> PluralCategory {
        guard number.isWhole else { return .many }
        if (11...19).contains(number.whole % 100) { return .other }
        switch number.whole % 10 {
        case 0: return .other
        case 1: return .one
        default: return .few
        }
    }

    private static func latvian(_ number: PluralOperands) -> PluralCategory {
        let (whole, fraction) = (number.whole, number.fraction)
        if number.isWhole {
            if whole % 10 == 0 || (11...19).contains(whole % 100) { return .zero }
        } else if number.places == 2, (11...19).contains(fraction % 100) {
            return .zero
        }
        if number.isWhole { return whole % 10 == 1 ? .one : .other }
        // Two digits behind the point: their own last digit, but for 11; another count: the last digit alone.
        if number.places == 2 { return fraction % 10 == 1 && fraction % 100 != 11 ? .one : .other }
        return fraction % 10 == 1 ? .one : .other
    }
}

/// 10 to the power of 0...19; what lies outside is held at the nearest.
func tenTo(_ power: Int) -> UInt64 {
    var value: UInt64 = 1
    for _ in 0..<min(max(power, 0), 19) { value *= 10 }
    return value
}

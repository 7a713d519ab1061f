/// How a server writes its message ids. Answers and receipts may each have a form of their own, as many SMSCs do.
public struct IdentifierForm: Hashable, Sendable {
    public enum Base: String, Sendable, CaseIterable { case decimal, hexadecimal }

    public var base: Base
    /// Digits at least, filled with zeros on the left; 0 ... 64.
    public var width: Int
    /// Hexadecimal letters in upper case.
    public var isUppercase: Bool

    public init(_ base: Base = .decimal, width: Int = 0, isUppercase: Bool = false) {
        self.base = base
        self.width = min(max(width, 0), Limits.messageIDOctets)
        self.isUppercase = isUppercase
    }

    public func text(_ number: UInt128) -> String {
        let digits = String(number, radix: base == .decimal ? 10 : 16, uppercase: isUppercase)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    /// The number of an id that was written in this base, whatever its padding, case and blanks; nil for other text.
    public func number(_ text: String) -> UInt128? {
        MessageIdentifier.number(text, base: base == .decimal ? 10 : 16)
    }
}

/// Learns how one SMSC's receipts name what its answers named, from pairs of both that belong together. A pure value, small enough to
/// keep per provider; feed it from traffic and ask it which form to try first.
///
/// A pair counts only when it tells the conversions apart: "7" and "7" fit all of them. What was learnt is given up when a recent
/// majority speaks against it, so that a provider that changes its system is followed.
public struct IdentifierLearner: Equatable, Sendable {
    public typealias Conversion = MessageIdentifier.Conversion

    /// Telling pairs before anything is taken for learnt.
    public static let needed = 3
    /// Counts are halved when one reaches this, so that old traffic fades.
    static let ceiling = 256

    private var asIs = 0
    private var hexToDecimal = 0
    private var decimalToHex = 0
    /// Pairs that fit no conversion.
    public private(set) var strangers = 0

    public init() {}

    /// One that knew this before, such as in an earlier run: as certain as the fewest pairs would make it, so that traffic can still
    /// speak against it.
    public init(known conversion: Conversion) {
        switch conversion {
        case .asIs: asIs = IdentifierLearner.needed
        case .hexToDecimal: hexToDecimal = IdentifierLearner.needed
        case .decimalToHex: decimalToHex = IdentifierLearner.needed
        }
    }

    /// What fits at least nine in ten of the telling pairs; nil while that is not known.
    public var learnt: Conversion? {
        let total = asIs + hexToDecimal + decimalToHex
        guard total >= IdentifierLearner.needed else { return nil }
        return Conversion.allCases.first { 10 * count($0) >= 9 * total }
    }

    /// The conversions in the order worth trying.
    public var order: [Conversion] {
        // A stable sort: what was seen as often stays in the order of the cases.
        Conversion.allCases.enumerated().sorted { (count($0.element), $1.offset) > (count($1.element), $0.offset) }.map(\.element)
    }

    public func count(_ conversion: Conversion) -> Int {
        switch conversion {
        case .asIs: asIs
        case .hexToDecimal: hexToDecimal
        case .decimalToHex: decimalToHex
        }
    }

    /// Ids of answers, in canonical form, that a receipt's id may mean, the likeliest first and each once. A few, never more than the
    /// conversions; an owner looks them up and calls `observe` with the one it knows.
    public func candidates(receipt: String) -> [String] {
        var all: [String] = []
        for conversion in order {
            let candidate = MessageIdentifier.fromReceipt(receipt, conversion)
            if !all.contains(candidate) { all.append(candidate) }
        }
        return all
    }

    /// An answer's id and a receipt's id that are known to be of one message.
    public mutating func observe(answer: String, receipt: String) {
        let wanted = MessageIdentifier.canonical(answer)
        let fitting = Conversion.allCases.filter { IdentifierLearner.fits($0, receipt: receipt, wanted) }
        guard let only = fitting.first else {
            strangers = min(strangers + 1, IdentifierLearner.ceiling)
            return
        }
        guard fitting.count == 1 else { return }
        switch only {
        case .asIs: asIs += 1
        case .hexToDecimal: hexToDecimal += 1
        case .decimalToHex: decimalToHex += 1
        }
        if max(asIs, hexToDecimal, decimalToHex) >= IdentifierLearner.ceiling {
            (asIs, hexToDecimal, decimalToHex, strangers) = (asIs / 2, hexToDecimal / 2, decimalToHex / 2, strangers / 2)
        }
    }
    /// A conversion fits only where it applies: an id that is no number of its base says nothing for it.
    private static func fits(_ conversion: Conversion, receipt: String, _ wanted: String) -> Bool {
        switch conversion {
        case .asIs: MessageIdentifier.canonical(receipt) == wanted
        case .hexToDecimal: MessageIdentifier.number(receipt, base: 16).map { String($0) } == wanted
        case .decimalToHex: MessageIdentifier.number(receipt, base: 10).map { String($0, radix: 16) } == wanted
        }
    }
}

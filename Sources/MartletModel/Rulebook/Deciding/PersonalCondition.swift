/// What a customer has to be like to be told of an event: of one of these segments, tiers and units, or with such a value of an attribute.
public struct PersonalCondition: Equatable, Sendable {
    /// Each list that is not empty must hold the customer's.
    public var segments: [UInt16]
    public var tiers: [UInt16]
    public var units: [UInt16]
    public var attribute: Attribute?

    public struct Attribute: Equatable, Sendable {
        public var number: UInt16
        public var test: Test

        public init(_ number: UInt16, _ test: Test) {
            self.number = number
            self.test = test
        }
    }

    public enum Test: Equatable, Sendable {
        /// Who has no value has none of these.
        case isOne([CustomerAttribute.Value])
        /// Who has no value passes.
        case isNone([CustomerAttribute.Value])
        /// Numbers, both ends in it. Who has no value, or another kind of one, does not lie in between.
        case isWithin(least: Int64?, most: Int64?)
        /// Days since 1970-01-01, as above.
        case isDayWithin(first: Int32?, last: Int32?)
    }

    public init(segments: [UInt16] = [], tiers: [UInt16] = [], units: [UInt16] = [], attribute: Attribute? = nil) {
        self.segments = segments
        self.tiers = tiers
        self.units = units
        self.attribute = attribute
    }

    public func holds(of customer: borrowing Customer) -> Bool {
        (segments.isEmpty || segments.contains(customer.segment)) && (tiers.isEmpty || tiers.contains(customer.tier))
            && (units.isEmpty || units.contains(customer.unit)) && (attribute?.holds(of: customer) ?? true)
    }
}

extension PersonalCondition.Attribute {
    fileprivate func holds(of customer: borrowing Customer) -> Bool {
        for place in customer.attributes.indices where customer.attributes[place].attribute == number {
            return test.passes(customer.attributes[place].value)
        }
        if case .isNone = test { return true }
        return false
    }
}

extension PersonalCondition.Test {
    func passes(_ value: CustomerAttribute.Value) -> Bool {
        switch self {
        case .isOne(let values): return values.contains { $0.says(value) }
        case .isNone(let values): return !values.contains { $0.says(value) }
        case .isWithin(let least, let most):
            switch value {
            case .integer(let number): return number >= least ?? .min && number <= most ?? .max
            case .decimal(let unscaled, let scale):
                return least.map { Self.compare(unscaled, scale, $0) >= 0 } ?? true
                    && most.map { Self.compare(unscaled, scale, $0) <= 0 } ?? true
            case .text, .date, .boolean: return false
            }
        case .isDayWithin(let first, let last):
            guard case .date(let day) = value else { return false }
            return day >= first ?? .min && day <= last ?? .max
        }
    }

    /// -1, 0, 1: the decimal is below the number, is it, is above it.
    fileprivate static func compare(_ unscaled: Int64, _ scale: UInt8, _ number: Int64) -> Int {
        var power: Int64 = 1
        for _ in 0..<min(scale, 18) { power *= 10 }
        let (whole, rest) = unscaled.quotientAndRemainder(dividingBy: power)
        return whole == number ? Int(rest.signum()) : whole < number ? -1 : 1
    }
}

extension CustomerAttribute.Value {
    /// Whether a customer's value is this one of a rulebook, which writes whole numbers for decimals too.
    fileprivate func says(_ value: CustomerAttribute.Value) -> Bool {
        guard case .integer(let number) = self, case .decimal(let unscaled, let scale) = value else { return self == value }
        return PersonalCondition.Test.compare(unscaled, scale, number) == 0
    }
}

// MARK: - As a rulebook writes it

extension PersonalCondition {
    static let most = 16
    static let mostValues = 100

    /// `[{"segments": [3]}, {"attribute": 21, "is": ["student"]}, {"attribute": 2, "atLeast": 1000}]`: all have to hold.
    static func list(_ reading: DocumentReading, _ findings: inout [RulebookFinding]) -> [PersonalCondition] {
        let elements = reading.optionalList("conditions", &findings)
        if elements.count > most {
            reading.error("conditions", "\(elements.count) conditions; \(most) are the most", remedy: "write fewer", &findings)
        }
        return elements.prefix(most).map { read($0, &findings) }
    }

    private static func read(_ reading: DocumentReading, _ findings: inout [RulebookFinding]) -> PersonalCondition {
        reading.allow(["segments", "tiers", "units", "attribute", "is", "isNot", "atLeast", "atMost", "from", "until"], &findings)
        var condition = PersonalCondition(
            segments: reading.numbers("segments", &findings), tiers: reading.numbers("tiers", &findings),
            units: reading.numbers("units", &findings))
        if reading.field("attribute") == nil {
            for word in tests where reading.field(word) != nil {
                reading.error(word, "there is no attribute", remedy: "name the attribute by its number", &findings)
            }
        } else if let number = reading.optionalInteger("attribute", in: 1...65_535, &findings), let test = test(reading, &findings) {
            condition.attribute = Attribute(UInt16(number), test)
        }
        if case .object = reading.value, condition == PersonalCondition(), reading.field("attribute") == nil {
            reading.error(nil, "it names no customers", remedy: "name segments, tiers, units or an attribute", &findings)
        }
        return condition
    }

    private static let tests = ["is", "isNot", "atLeast", "atMost", "from", "until"]

    private static func test(_ reading: DocumentReading, _ findings: inout [RulebookFinding]) -> Test? {
        let kinds = [["is"], ["isNot"], ["atLeast", "atMost"], ["from", "until"]].filter { $0.contains { reading.field($0) != nil } }
        guard kinds.count == 1 else {
            reading.error(
                "attribute", kinds.isEmpty ? "it is not said what its value has to be" : "its value is asked for in two ways",
                remedy: "write one of is, isNot, atLeast with atMost, from with until", &findings)
            return nil
        }
        switch kinds[0][0] {
        case "is": return .isOne(values(reading, "is", &findings))
        case "isNot": return .isNone(values(reading, "isNot", &findings))
        case "atLeast":
            let least = reading.optionalInteger("atLeast", in: .min ... .max, &findings)
            let most = reading.optionalInteger("atMost", in: .min ... .max, &findings)
            return span(reading, "atMost", least, most, &findings) ? .isWithin(least: least, most: most) : nil
        default:
            let (first, last) = (day(reading, "from", &findings), day(reading, "until", &findings))
            return span(reading, "until", first, last, &findings) ? .isDayWithin(first: first, last: last) : nil
        }
    }

    private static func span<Bound: Comparable>(
        _ reading: DocumentReading, _ field: String, _ least: Bound?, _ most: Bound?, _ findings: inout [RulebookFinding]
    ) -> Bool {
        guard let least, let most, most < least else { return true }
        reading.error(field, "nothing lies in between", remedy: "write the smaller one first", &findings)
        return false
    }

    private static func day(_ reading: DocumentReading, _ field: String, _ findings: inout [RulebookFinding]) -> Int32? {
        guard reading.field(field) != nil, let text = reading.optionalText(field, maximumBytes: 10, &findings) else { return nil }
        let day = CivilText.date(text)
        if day == nil { reading.error(field, "it is no date", remedy: "write it as 2027-02-28", &findings) }
        return day
    }

    private static func values(
        _ reading: DocumentReading, _ field: String, _ findings: inout [RulebookFinding]
    ) -> [CustomerAttribute.Value] {
        let elements = reading.list(field, &findings)
        if elements.isEmpty || elements.count > mostValues {
            reading.error(field, "it has \(elements.count) values", remedy: "write 1 to \(mostValues)", &findings)
        }
        var found: [CustomerAttribute.Value] = []
        for element in elements.prefix(mostValues) {
            switch element.value {
            case .text(let text): found.append(.text(text))
            case .integer(let number): found.append(.integer(number))
            case .flag(let flag): found.append(.boolean(flag))
            default:
                element.error(nil, "it is \(element.value.kind)", remedy: "write a text, a whole number, true or false", &findings)
            }
        }
        return found
    }
}

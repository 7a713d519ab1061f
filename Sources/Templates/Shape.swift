/// What values will look like: the parameters that an event declares. A template is checked against it before it is published.
public struct Shape: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        case text, integer, decimal, money, date, time, moment, boolean, list, record
    }

    public let kind: Kind
    /// Letters of a text, digits before the point of a number or an amount, items of a list; nil: as many as there can be.
    public let longest: Int?
    /// Whether there may be no value.
    public private(set) var isOptional = false
    /// Of a record.
    public let fields: [Field]
    /// Of a list: what each item looks like, one entry.
    private let items: [Shape]

    public struct Field: Sendable, Equatable {
        public let name: String
        public let shape: Shape

        public init(_ name: String, _ shape: Shape) {
            self.name = name
            self.shape = shape
        }
    }

    private init(_ kind: Kind, longest: Int? = nil, fields: [Field] = [], items: [Shape] = []) {
        self.kind = kind
        self.longest = longest
        self.fields = fields
        self.items = items
    }

    public static func text(letters: Int? = nil) -> Shape { Shape(.text, longest: letters) }
    public static func integer(digits: Int? = nil) -> Shape { Shape(.integer, longest: digits) }
    public static func decimal(digits: Int? = nil) -> Shape { Shape(.decimal, longest: digits) }
    public static func money(digits: Int? = nil) -> Shape { Shape(.money, longest: digits) }
    public static let date = Shape(.date)
    public static let time = Shape(.time)
    public static let moment = Shape(.moment)
    public static let boolean = Shape(.boolean)
    public static func list(of item: Shape, longest: Int? = nil) -> Shape { Shape(.list, longest: longest, items: [item]) }
    public static func record(_ fields: [Field]) -> Shape { Shape(.record, fields: fields) }

    /// The same, where there may be no value.
    public var orMissing: Shape {
        var shape = self
        shape.isOptional = true
        return shape
    }

    /// The same, where there is a value: a section was entered for it.
    var certain: Shape {
        var shape = self
        shape.isOptional = false
        return shape
    }

    var item: Shape? { items.first }

    func field(_ name: String) -> Shape? { fields.first { $0.name == name }?.shape }

    var kinds: ValueKinds {
        switch kind {
        case .text: .text
        case .integer: .integer
        case .decimal: .decimal
        case .money: .money
        case .date: .date
        case .time: .time
        case .moment: .moment
        case .boolean: .boolean
        case .list: .list
        case .record: .record
        }
    }
}

/// One place where a template uses a field.
public struct FieldUse: Sendable, Equatable {
    /// Names, outermost first; none for `.`, what the innermost section is about.
    public let path: [String]
    /// Sections around it, outermost first, those around the partial too: where its first name is looked for.
    public let sections: [[String]]
    /// Types that it can be of.
    public let accepts: ValueKinds
    /// Whether it decides about a section instead of being written.
    public let isCondition: Bool
    /// Whether only a part of it is shown, so that what may not be told may stand here.
    public let isMasked: Bool
    /// Whether the template says what is written when there is no value.
    public let hasDefault: Bool
    /// Whether it is a part of an address within markup.
    public let isInAddress: Bool
    public let place: Place
}

/// What came of comparing a template with the shape of its values.
public struct TemplateCheck: Sendable, Equatable {
    public let findings: [TemplateFinding]
    /// How long the text can be.
    public let length: LengthBound
}

/// Letters (Unicode scalars) of a rendered text.
public struct LengthBound: Sendable, Equatable {
    public var least: Int
    /// Nil: there is no bound.
    public var most: Int?

    static let none = LengthBound(least: 0, most: 0)

    static func + (one: LengthBound, other: LengthBound) -> LengthBound {
        let most = one.most.flatMap { first in other.most.map { first.addingReportingOverflow($0) } }
        return LengthBound(least: one.least + other.least, most: most.flatMap { $0.overflow ? nil : $0.partialValue })
    }

    func times(_ most: Int?) -> LengthBound {
        if self.most == 0 { return .none }
        let product = most.flatMap { count in self.most.map { $0.multipliedReportingOverflow(by: count) } }
        return LengthBound(least: 0, most: product.flatMap { $0.overflow ? nil : $0.partialValue })
    }
}

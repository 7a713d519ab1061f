/// What a template is filled with. Typed, so that a filter knows what it writes and a check before publishing can compare.
///
/// Nothing in a value is ever read as template text: a value goes to the output, escaped by the output's kind, and nowhere else.
public enum Value: Sendable, Equatable {
    case missing
    case text(String)
    case integer(Int64)
    case decimal(ExactDecimal)
    case money(Money)
    case date(CalendarDate)
    case time(ClockTime)
    case moment(LocalMoment)
    case boolean(Bool)
    case list([Value])
    case record(Record)

    /// Whether a section is entered: not for what is missing, `false`, an empty list and an empty text. Zero is a value.
    var holds: Bool {
        switch self {
        case .missing: false
        case .boolean(let value): value
        case .list(let items): !items.isEmpty
        case .text(let text): !text.isEmpty
        case .integer, .decimal, .money, .date, .time, .moment, .record: true
        }
    }
}

/// Fields by name, in the order of whoever made it. Names are looked for one by one: a record of an event has a dozen of them.
public struct Record: Sendable, Equatable {
    public private(set) var names: [String]
    public private(set) var values: [Value]

    public init() {
        names = []
        values = []
    }

    /// Of two fields with one name the first is found.
    public init(_ fields: [(name: String, value: Value)]) {
        names = fields.map(\.name)
        values = fields.map(\.value)
    }

    public mutating func add(_ name: String, _ value: Value) {
        names.append(name)
        values.append(value)
    }

    /// Gives the field at `index` another value, so that one record serves many renderings. An index outside of it changes nothing.
    public mutating func set(_ index: Int, _ value: Value) {
        guard values.indices.contains(index) else { return }
        values[index] = value
    }

    /// The value of `name`, looked for first at `place`, where a record of the same make has it; nil when there is no such field.
    func find(_ name: String, near place: Int) -> Value? {
        if place < names.count, names[place] == name { return values[place] }
        for index in names.indices where names[index] == name { return values[index] }
        return nil
    }
}

/// A number as it was written: `coefficient` / 10 ^ `scale`. `1.50` is (150, 2) and keeps its zero.
public struct ExactDecimal: Sendable, Equatable {
    public var coefficient: Int64
    /// Digits behind the point: 0...18.
    public private(set) var scale: UInt8

    /// Nil when `scale` is outside 0...18.
    public init?(_ coefficient: Int64, scale: Int) {
        guard (0...18).contains(scale) else { return nil }
        self.coefficient = coefficient
        self.scale = UInt8(scale)
    }
}

/// An amount in the smallest unit of its currency: 1050 and EUR are 10.50 euros, 1050 and JPY are 1050 yen.
public struct Money: Sendable, Equatable {
    public var minor: Int64
    public var currency: Currency

    public init(minor: Int64, _ currency: Currency) {
        self.minor = minor
        self.currency = currency
    }
}

/// A currency by its code of ISO 4217, three capital letters.
public struct Currency: Sendable, Equatable, Hashable {
    /// The letters, the first in the highest of three bytes.
    let packed: UInt32

    /// Nil unless `code` is three letters A to Z. Whether the code is assigned is not looked at.
    public init?(_ code: some StringProtocol) {
        var packed: UInt32 = 0
        guard code.utf8.count == 3 else { return nil }
        for byte in code.utf8 {
            guard byte >= 0x41, byte <= 0x5A else { return nil }
            packed = packed << 8 | UInt32(byte)
        }
        self.packed = packed
    }

    /// The three letters.
    public var code: String {
        String(decoding: [UInt8(packed >> 16 & 0xFF), UInt8(packed >> 8 & 0xFF), UInt8(packed & 0xFF)], as: UTF8.self)
    }

    /// Digits behind the point (ISO 4217, list one: "minor unit"): 2 but for those named here.
    public var digits: Int {
        let text = packed
        if Self.none.contains(text) { return 0 }
        if Self.three.contains(text) { return 3 }
        return Self.four.contains(text) ? 4 : 2
    }

    private static func pack(_ codes: String) -> [UInt32] {
        codes.split(separator: " ").map { $0.utf8.reduce(0) { $0 << 8 | UInt32($1) } }
    }

    private static let none = pack("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF")
    private static let three = pack("BHD IQD JOD KWD LYD OMR TND")
    private static let four = pack("CLF UYW")
}

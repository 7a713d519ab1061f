/// A JSON document (RFC 8259) whose numbers are whole: a fraction is written as text, so that its digits stay what they are.
///
/// Two values are equal when their canonical bytes are: texts that only look alike (é as one character or as two) differ, as their hashes do.
public indirect enum JSONValue: Sendable {
    case null
    case flag(Bool)
    /// -(2^53 - 1)...2^53 - 1: what every JSON reader takes for the same number.
    case integer(Int64)
    case text(String)
    case list([JSONValue])
    case object([String: JSONValue])

    public static let integers: ClosedRange<Int64> = -9_007_199_254_740_991...9_007_199_254_740_991
    /// Lists and objects within each other.
    public static let depthMaximum = 32

    /// The value of a field; nil: this is no object, or has no such field.
    public subscript(_ field: String) -> JSONValue? {
        guard case .object(let fields) = self else { return nil }
        return fields[field]
    }

    /// In words for findings, which never repeat a value.
    public var kind: String {
        switch self {
        case .null: "null"
        case .flag: "true or false"
        case .integer: "a number"
        case .text: "a text"
        case .list: "a list"
        case .object: "an object"
        }
    }
}

extension JSONValue: Hashable {
    public static func == (one: JSONValue, other: JSONValue) -> Bool {
        switch (one, other) {
        case (.null, .null): true
        case (.flag(let a), .flag(let b)): a == b
        case (.integer(let a), .integer(let b)): a == b
        case (.text(let a), .text(let b)): a.utf8.elementsEqual(b.utf8)
        case (.list(let a), .list(let b)): a == b
        case (.object(let a), .object(let b)):
            a.count == b.count
                && zip(a.inOrder, b.inOrder).allSatisfy { $0.key.utf8.elementsEqual($1.key.utf8) && $0.value == $1.value }
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(canonical) }
}

extension [String: JSONValue] {
    /// As the canonical form has them (RFC 8785, section 3.2.3): by UTF-16 units.
    var inOrder: [(key: String, value: JSONValue)] { sorted { $0.key.utf16.lexicographicallyPrecedes($1.key.utf16) } }
}

extension JSONValue {
    /// The canonical form (RFC 8785): no blanks, fields in order, nothing escaped that need not be. What is hashed and stored.
    public var canonical: [UInt8] {
        var out: [UInt8] = []
        write(to: &out)
        return out
    }

    private func write(to out: inout [UInt8]) {
        switch self {
        case .null: out.append(contentsOf: "null".utf8)
        case .flag(let flag): out.append(contentsOf: (flag ? "true" : "false").utf8)
        case .integer(let number): out.append(contentsOf: String(number).utf8)
        case .text(let text): JSONValue.write(text, to: &out)
        case .list(let list):
            out.append(UInt8(ascii: "["))
            for (index, value) in list.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                value.write(to: &out)
            }
            out.append(UInt8(ascii: "]"))
        case .object(let fields):
            out.append(UInt8(ascii: "{"))
            for (index, field) in fields.inOrder.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                JSONValue.write(field.key, to: &out)
                out.append(UInt8(ascii: ":"))
                field.value.write(to: &out)
            }
            out.append(UInt8(ascii: "}"))
        }
    }

    /// RFC 8785, section 3.2.2.2: short escapes where there are any, four hexadecimal digits for other control characters.
    private static func write(_ text: String, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): out.append(contentsOf: [UInt8(ascii: "\\"), byte])
            case 8: out.append(contentsOf: "\\b".utf8)
            case 9: out.append(contentsOf: "\\t".utf8)
            case 10: out.append(contentsOf: "\\n".utf8)
            case 12: out.append(contentsOf: "\\f".utf8)
            case 13: out.append(contentsOf: "\\r".utf8)
            case 0..<0x20: out.append(contentsOf: "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8)
            default: out.append(byte)
            }
        }
        out.append(UInt8(ascii: "\""))
    }
}

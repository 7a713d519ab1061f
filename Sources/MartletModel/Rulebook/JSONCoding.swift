/// For the bodies of the admin API, whose other fields are read by Codable.
extension JSONValue: Codable {
    public init(from decoder: any Decoder) throws { self = try JSONValue.read(decoder, 0) }

    private static func read(_ decoder: any Decoder, _ depth: Int) throws -> JSONValue {
        let place = decoder.codingPath
        guard depth <= depthMaximum else {
            throw DecodingError.dataCorrupted(.init(codingPath: place, debugDescription: "too many lists and objects within each other"))
        }
        if let fields = try? decoder.container(keyedBy: Field.self) {
            var object: [String: JSONValue] = [:]
            for field in fields.allKeys { object[field.stringValue] = try read(try fields.superDecoder(forKey: field), depth + 1) }
            return .object(object)
        }
        if var elements = try? decoder.unkeyedContainer() {
            var list: [JSONValue] = []
            while !elements.isAtEnd { list.append(try read(try elements.superDecoder(), depth + 1)) }
            return .list(list)
        }
        let single = try decoder.singleValueContainer()
        if single.decodeNil() { return .null }
        if let flag = try? single.decode(Bool.self) { return .flag(flag) }
        if let text = try? single.decode(String.self) { return .text(text) }
        guard let number = try? single.decode(Int64.self), integers.contains(number) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: place, debugDescription: "numbers are whole, below 2^53; write a fraction as a text"))
        }
        return .integer(number)
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .object(let fields):
            var container = encoder.container(keyedBy: Field.self)
            for (key, value) in fields { try container.encode(value, forKey: Field(key)) }
        case .list(let list):
            var container = encoder.unkeyedContainer()
            for value in list { try container.encode(value) }
        case .null, .flag, .integer, .text:
            var container = encoder.singleValueContainer()
            switch self {
            case .flag(let flag): try container.encode(flag)
            case .integer(let number): try container.encode(number)
            case .text(let text): try container.encode(text)
            case .null, .list, .object: try container.encodeNil()
            }
        }
    }

    private struct Field: CodingKey {
        let stringValue: String
        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.stringValue = stringValue }
        var intValue: Int? { nil }
        init?(intValue: Int) { nil }
    }
}

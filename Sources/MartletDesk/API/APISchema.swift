import MartletModel

/// What a member of a body or an answer means beyond its type.
struct APIField: Sendable {
    var doc: String?
    /// The words that it can be; of a list, those of its elements.
    var words: [String]?

    init(_ doc: String? = nil, words: [String]? = nil) {
        self.doc = doc
        self.words = words
    }
}

/// A type that says more of its members than their types do.
protocol APIExplained {
    static var explained: [String: APIField] { get }
}

/// The JSON Schema (2020-12) of a body or an answer. It is read off the type: its own `init(from:)` is asked for its members, so that what is
/// described and what is decoded cannot differ.
struct APISchema: Sendable {
    /// A reference into `components/schemas`.
    var node: APINode
    /// What it refers to, by name.
    var components: [String: APINode]

    /// - Parameter isBody: of a request, where what the type does not know is refused, and null is as good as nothing.
    static func of(_ type: any Decodable.Type, _ name: String, isBody: Bool = false) -> APISchema {
        APISchema(node: reference(name), components: [name: SchemaDecoder.read(type, isBody: isBody)])
    }

    /// `items` and `next`.
    static func page(of type: any Decodable.Type, _ name: String, besides: KeyValuePairs<String, APINode?> = [:]) -> APISchema {
        let cursor = APINode.map(["type": .text("string"), "description": .text("Where the list goes on; not there: that was all.")])
        let properties = APINode.map(["items": .map(["type": .text("array"), "items": reference(name)]), "next": cursor]).with(besides)
        let required = ["items"] + besides.map(\.key)
        return APISchema(
            node: reference("\(name)Page"),
            components: [
                name: SchemaDecoder.read(type, isBody: false),
                "\(name)Page": .map(["type": .text("object"), "required": .texts(required), "properties": properties]),
            ])
    }

    static func list(of type: any Decodable.Type, _ name: String) -> APISchema {
        APISchema(
            node: .map(["type": .text("array"), "items": reference(name)]), components: [name: SchemaDecoder.read(type, isBody: false)])
    }

    static func reference(_ name: String) -> APINode { .map(["$ref": .text("#/components/schemas/\(name)")]) }
}

/// Asks a type for its members: answers each question with the least value there is, and notes what was asked.
private struct SchemaDecoder: Decoder {
    /// What was found out about one value.
    final class Found {
        var node = APINode.map([:])
        var properties: [(name: String, found: Found, isOptional: Bool)] = []
        var isObject = false
        var items: Found?
        /// Members that the type asked about before it read them: they may be absent.
        var optional: Set<String> = []
        /// What the type that has it as a member says of it.
        var more: [String: APINode] = [:]

        func schema(isBody: Bool) -> APINode {
            .map(more.sorted { $0.key < $1.key }.reduce(into: members(isBody: isBody)) { $0.append(.init(name: $1.key, value: $1.value)) })
        }

        private func members(isBody: Bool) -> [APINode.Member] {
            guard case .map(let members) = type(isBody: isBody) else { return [] }
            return members
        }

        private func type(isBody: Bool) -> APINode {
            if let items { return .map(["type": .text("array"), "items": items.schema(isBody: isBody)]) }
            guard isObject else { return node }
            let members = properties.map { property in
                let schema = property.found.schema(isBody: isBody)
                return APINode.Member(name: property.name, value: property.isOptional && isBody ? schema.orNull : schema)
            }
            let required = properties.filter { !$0.isOptional }.map(\.name)
            return .map([
                "type": .text("object"), "required": required.isEmpty ? nil : .texts(required), "properties": .map(members),
                "additionalProperties": isBody ? .flag(false) : nil,
            ])
        }
    }

    let found: Found
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    static func read(_ type: any Decodable.Type, isBody: Bool) -> APINode {
        let found = Found()
        // A type that takes none of the values offered shows as one without members, which a test finds.
        _ = try? value(type, found)
        return found.schema(isBody: isBody)
    }

    static func value<Value: Decodable>(_ type: Value.Type, _ found: Found) throws -> Value {
        if type == [String: String].self {
            found.node = .map(["type": .text("object"), "additionalProperties": .map(["type": .text("string")])])
            return try Value(from: SchemaDecoder(found: Found()))
        }
        if type == APIMoment.self, let first = APIMoment(milliseconds: 0) as? Value {
            found.node = .map(["type": .text("string"), "format": .text("date-time")])
            return first
        }
        // Any JSON: the schema that is empty.
        if type == JSONValue.self { return try Value(from: SchemaDecoder(found: Found())) }
        if let words = type as? any CaseIterable.Type, let first = words.words(found) as? Value { return first }
        let value = try Value(from: SchemaDecoder(found: found))
        if let explained = type as? any APIExplained.Type {
            for (name, field) in explained.explained {
                guard let property = found.properties.first(where: { $0.name == name })?.found else { continue }
                let words = field.words.map { APINode.texts($0) }
                (property.items ?? property).more["enum"] = words
                property.more["description"] = field.doc.map { .text($0) }
            }
        }
        return value
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        found.isObject = true
        return KeyedDecodingContainer(Members<Key>(found: found))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let items = Found()
        found.items = items
        return Elements(items: items)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { Single(found: found) }

    private struct Members<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let found: Found
        var codingPath: [any CodingKey] { [] }
        var allKeys: [Key] { [] }

        /// Asked by `decodeIfPresent` alone.
        func contains(_ key: Key) -> Bool {
            found.optional.insert(key.stringValue)
            return true
        }

        func decodeNil(forKey key: Key) throws -> Bool { false }

        private func member(_ key: Key) -> Found {
            let member = Found()
            found.properties.append((key.stringValue, member, found.optional.contains(key.stringValue)))
            return member
        }

        func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value { try SchemaDecoder.value(type, member(key)) }

        func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
            try SchemaDecoder(found: member(key)).container(keyedBy: type)
        }

        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            try SchemaDecoder(found: member(key)).unkeyedContainer()
        }

        func superDecoder() throws -> any Decoder { SchemaDecoder(found: found) }
        func superDecoder(forKey key: Key) throws -> any Decoder { SchemaDecoder(found: member(key)) }
    }

    private struct Elements: UnkeyedDecodingContainer {
        let items: Found
        var currentIndex = 0
        var codingPath: [any CodingKey] { [] }
        var count: Int? { 1 }
        var isAtEnd: Bool { currentIndex > 0 }

        mutating func decodeNil() throws -> Bool { false }

        mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
            currentIndex += 1
            return try SchemaDecoder.value(type, items)
        }

        mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
            currentIndex += 1
            return try SchemaDecoder(found: items).container(keyedBy: type)
        }

        mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
            currentIndex += 1
            return try SchemaDecoder(found: items).unkeyedContainer()
        }

        mutating func superDecoder() throws -> any Decoder { SchemaDecoder(found: items) }
    }

    private struct Single: SingleValueDecodingContainer {
        let found: Found
        var codingPath: [any CodingKey] { [] }

        func decodeNil() -> Bool { false }

        func decode(_ type: Bool.Type) throws -> Bool {
            found.node = .map(["type": .text("boolean")])
            return false
        }

        func decode(_ type: String.Type) throws -> String {
            found.node = .map(["type": .text("string")])
            return ""
        }

        func decode(_ type: Double.Type) throws -> Double {
            found.node = .map(["type": .text("number")])
            return 0
        }

        func decode(_ type: Float.Type) throws -> Float { Float(try decode(Double.self)) }

        private func integer<Value: FixedWidthInteger>() -> Value {
            let small = Value.bitWidth < 64
            found.node = .map([
                "type": .text("integer"), "format": small ? nil : .text("int64"),
                "minimum": Value.isSigned && !small ? nil : .integer(Int64(clamping: Value.min)),
                "maximum": small ? .integer(Int64(clamping: Value.max)) : nil,
            ])
            return 0
        }

        func decode(_ type: Int.Type) throws -> Int { integer() }
        func decode(_ type: Int8.Type) throws -> Int8 { integer() }
        func decode(_ type: Int16.Type) throws -> Int16 { integer() }
        func decode(_ type: Int32.Type) throws -> Int32 { integer() }
        func decode(_ type: Int64.Type) throws -> Int64 { integer() }
        func decode(_ type: UInt.Type) throws -> UInt { integer() }
        func decode(_ type: UInt8.Type) throws -> UInt8 { integer() }
        func decode(_ type: UInt16.Type) throws -> UInt16 { integer() }
        func decode(_ type: UInt32.Type) throws -> UInt32 { integer() }
        func decode(_ type: UInt64.Type) throws -> UInt64 { integer() }
        func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try SchemaDecoder.value(type, found) }
    }
}

extension APINode {
    /// JSON Schema's way to say that null is taken too.
    fileprivate var orNull: APINode {
        if case .text(let type)? = self["type"] {
            guard case .list(let words)? = self["enum"] else { return with(["type": .texts([type, "null"])]) }
            return .map(["oneOf": .list([with(["enum": .list(words)]), .map(["type": .text("null")])])])
        }
        return self
    }
}

extension CaseIterable {
    /// Of an enumeration with words as raw values: notes them.
    /// - Returns: the first; nil: it has no words.
    fileprivate static func words(_ found: SchemaDecoder.Found) -> Self? {
        let words = allCases.compactMap { ($0 as? any RawRepresentable)?.rawValue as? String }
        guard !words.isEmpty, words.count == allCases.count else { return nil }
        found.node = .map(["type": .text("string"), "enum": .texts(words)])
        return allCases.first
    }
}

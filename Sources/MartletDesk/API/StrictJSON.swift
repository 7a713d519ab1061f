import FoundationEssentials

/// Reads JSON into a `Decodable` and names what does not fit by path: a field that is missing, of another type, or that the type never
/// looked at, which is a mistyped name. `JSONDecoder` alone passes over the last in silence.
enum StrictJSON {
    static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
        let root: Node
        do {
            root = try JSONDecoder().decode(Node.self, from: Data(bytes))
        } catch {
            throw APIProblem(APIErrors.malformedJSON)
        }
        let seen = Seen()
        var faults: [FieldFault] = []
        var value: Value?
        do {
            value = try Value(from: StrictDecoder(node: root, path: "", codingPath: [], seen: seen))
        } catch let fault as FieldFault {
            faults.append(fault)
        } catch DecodingError.dataCorrupted(let context) {
            faults.append(FieldFault(StrictJSON.path(context.codingPath), "malformed", context.debugDescription))
        }
        faults = seen.missing + faults
        // Where a field of another type stopped the reading, what was not looked at yet is no fault.
        if value != nil { faults += seen.unknown() }
        guard let value, faults.isEmpty else { throw DeskFault.invalid(faults) }
        return value
    }

    static func path(_ keys: [any CodingKey]) -> String {
        keys.reduce("") { path, key in
            if let index = key.intValue { return "\(path)[\(index)]" }
            return path.isEmpty ? key.stringValue : "\(path).\(key.stringValue)"
        }
    }
}

/// Any JSON value.
enum Node: Decodable, Sendable {
    case null
    case flag(Bool)
    case integer(Int64)
    case number(Double)
    case text(String)
    case list([Node])
    case object([String: Node])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let object = try? container.decode([String: Node].self) {
            self = .object(object)
        } else if let list = try? container.decode([Node].self) {
            self = .list(list)
        } else if let integer = try? container.decode(Int64.self) {
            self = .integer(integer)
        } else if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else {
            self = .number(try container.decode(Double.self))
        }
    }
}

/// Which members of which objects were looked at. Confined to one decoding.
private final class Seen {
    private var members: [String: (object: [String: Node], looked: Set<String>)] = [:]
    /// Texts that had to be there: read on as if they were empty, so that all that is missing is named at once.
    var missing: [FieldFault] = []

    func look(_ member: String, of object: [String: Node], at path: String) {
        members[path, default: (object, [])].looked.insert(member)
    }

    /// An object that is read at all.
    func open(_ object: [String: Node], at path: String) { _ = members[path, default: (object, [])] }

    func unknown() -> [FieldFault] {
        members.flatMap { path, entry in
            entry.object.keys.filter { !entry.looked.contains($0) }.map {
                FieldFault(path.isEmpty ? $0 : "\(path).\($0)", "unknown_field", "there is no such field")
            }
        }.sorted { $0.path < $1.path }
    }
}

private struct StrictDecoder: Decoder {
    var node: Node
    var path: String
    var codingPath: [any CodingKey]
    var seen: Seen
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func fault(_ expected: String) -> FieldFault { FieldFault(path, "type", "it is not \(expected)") }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let object) = node else { throw fault("an object") }
        seen.open(object, at: path)
        return KeyedDecodingContainer(Members<Key>(decoder: self, object: object))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .list(let list) = node else { throw fault("a list") }
        return Elements(decoder: self, list: list)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { Single(decoder: self) }

    func flag() throws -> Bool {
        guard case .flag(let flag) = node else { throw fault("true or false") }
        return flag
    }

    func text() throws -> String {
        guard case .text(let text) = node else { throw fault("a text") }
        return text
    }

    func number() throws -> Double {
        switch node {
        case .number(let number): return number
        case .integer(let integer): return Double(integer)
        default: throw fault("a number")
        }
    }

    func integer<Value: FixedWidthInteger>() throws -> Value {
        guard case .integer(let integer) = node else { throw fault("a whole number") }
        guard let value = Value(exactly: integer) else { throw FieldFault(path, "range", "the number is out of range") }
        return value
    }

    func any<Value: Decodable>(_ type: Value.Type) throws -> Value { try Value(from: self) }
}

private struct Members<Key: CodingKey>: KeyedDecodingContainerProtocol {
    var decoder: StrictDecoder
    var object: [String: Node]
    var codingPath: [any CodingKey] { decoder.codingPath }
    var allKeys: [Key] {
        // Whoever asks for all takes whatever comes.
        for name in object.keys { decoder.seen.look(name, of: object, at: decoder.path) }
        return object.keys.sorted().compactMap { Key(stringValue: $0) }
    }

    private func member(_ key: Key) -> StrictDecoder? {
        let name = key.stringValue
        decoder.seen.look(name, of: object, at: decoder.path)
        guard let node = object[name] else { return nil }
        let path = decoder.path.isEmpty ? name : "\(decoder.path).\(name)"
        return StrictDecoder(node: node, path: path, codingPath: decoder.codingPath + [key], seen: decoder.seen)
    }

    private func required(_ key: Key) throws -> StrictDecoder {
        if let member = member(key) { return member }
        throw missing(key)
    }

    private func missing(_ key: Key) -> FieldFault {
        FieldFault(decoder.path.isEmpty ? key.stringValue : "\(decoder.path).\(key.stringValue)", "required", "it is missing")
    }

    func contains(_ key: Key) -> Bool { member(key) != nil }

    func decodeNil(forKey key: Key) throws -> Bool {
        if case .null = try required(key).node { return true }
        return false
    }

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try required(key).flag() }
    func decode(_ type: String.Type, forKey key: Key) throws -> String {
        if let member = member(key) { return try member.text() }
        decoder.seen.missing.append(missing(key))
        return ""
    }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try required(key).number() }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { Float(try required(key).number()) }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try required(key).integer() }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try required(key).integer() }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try required(key).integer() }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try required(key).integer() }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try required(key).integer() }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try required(key).integer() }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try required(key).integer() }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try required(key).integer() }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try required(key).integer() }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try required(key).integer() }
    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value { try required(key).any(type) }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
        try required(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { try required(key).unkeyedContainer() }
    func superDecoder() throws -> any Decoder { decoder }
    func superDecoder(forKey key: Key) throws -> any Decoder { try required(key) }
}

private struct Elements: UnkeyedDecodingContainer {
    var decoder: StrictDecoder
    var list: [Node]
    var currentIndex = 0
    var codingPath: [any CodingKey] { decoder.codingPath }
    var count: Int? { list.count }
    var isAtEnd: Bool { currentIndex >= list.count }

    private struct Index: CodingKey {
        var intValue: Int?
        var stringValue: String { intValue.map { String($0) } ?? "" }
        init(intValue: Int) { self.intValue = intValue }
        init?(stringValue: String) { nil }
    }

    private mutating func next() throws -> StrictDecoder {
        guard !isAtEnd else { throw FieldFault(decoder.path, "required", "the list is too short") }
        defer { currentIndex += 1 }
        return StrictDecoder(
            node: list[currentIndex], path: "\(decoder.path)[\(currentIndex)]",
            codingPath: decoder.codingPath + [Index(intValue: currentIndex)], seen: decoder.seen)
    }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd, case .null = list[currentIndex] else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode(_ type: Bool.Type) throws -> Bool { try next().flag() }
    mutating func decode(_ type: String.Type) throws -> String { try next().text() }
    mutating func decode(_ type: Double.Type) throws -> Double { try next().number() }
    mutating func decode(_ type: Float.Type) throws -> Float { Float(try next().number()) }
    mutating func decode(_ type: Int.Type) throws -> Int { try next().integer() }
    mutating func decode(_ type: Int8.Type) throws -> Int8 { try next().integer() }
    mutating func decode(_ type: Int16.Type) throws -> Int16 { try next().integer() }
    mutating func decode(_ type: Int32.Type) throws -> Int32 { try next().integer() }
    mutating func decode(_ type: Int64.Type) throws -> Int64 { try next().integer() }
    mutating func decode(_ type: UInt.Type) throws -> UInt { try next().integer() }
    mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try next().integer() }
    mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try next().integer() }
    mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try next().integer() }
    mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try next().integer() }
    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try next().any(type) }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
        try next().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try next().unkeyedContainer() }
    mutating func superDecoder() throws -> any Decoder { try next() }
}

private struct Single: SingleValueDecodingContainer {
    var decoder: StrictDecoder
    var codingPath: [any CodingKey] { decoder.codingPath }

    func decodeNil() -> Bool {
        if case .null = decoder.node { return true }
        return false
    }

    func decode(_ type: Bool.Type) throws -> Bool { try decoder.flag() }
    func decode(_ type: String.Type) throws -> String { try decoder.text() }
    func decode(_ type: Double.Type) throws -> Double { try decoder.number() }
    func decode(_ type: Float.Type) throws -> Float { Float(try decoder.number()) }
    func decode(_ type: Int.Type) throws -> Int { try decoder.integer() }
    func decode(_ type: Int8.Type) throws -> Int8 { try decoder.integer() }
    func decode(_ type: Int16.Type) throws -> Int16 { try decoder.integer() }
    func decode(_ type: Int32.Type) throws -> Int32 { try decoder.integer() }
    func decode(_ type: Int64.Type) throws -> Int64 { try decoder.integer() }
    func decode(_ type: UInt.Type) throws -> UInt { try decoder.integer() }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try decoder.integer() }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try decoder.integer() }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try decoder.integer() }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try decoder.integer() }
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try decoder.any(type) }
}

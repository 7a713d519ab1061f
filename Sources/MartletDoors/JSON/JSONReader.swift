/// A strict pull decoder over the octets of one body (RFC 8259): no tree, no copy; strings are made only where asked for.
///
/// Checked on the way: grammar, escapes, surrogate pairs, control characters, UTF-8 (outside strings only ASCII is allowed
/// anyway), depth, keys that stand twice in one object (skipped objects included), and that nothing follows the value.
/// ```swift
/// let limit = try JSONReader.read(body) { reader throws(JSONFault) in
///     var limit: Int64?
///     var members = try reader.object()
///     while let key = try reader.key(in: &members) {
///         switch key {
///         case "limit": limit = try reader.integer()
///         default: try reader.skip()
///         }
///     }
///     return limit
/// }
/// ```
/// Every value must be read or skipped before the next key, element or the end is asked for. Cost: about 1 ns an octet.
public struct JSONReader: ~Copyable {
    let body: UnsafeRawBufferPointer
    /// Octets read so far: where the next value, or white space before it, starts.
    public internal(set) var offset = 0
    private var depth = 0
    private let depthMax: Int
    var keys: JSONKeys

    private init(_ body: UnsafeRawBufferPointer, depthMax: Int, keys: JSONKeys) {
        self.body = body
        self.depthMax = depthMax
        self.keys = keys
    }

    /// Reads one body as a whole.
    /// - Parameters:
    ///   - depthMax: objects and arrays that may be open at once.
    ///   - decode: reads exactly one value; the reader, and every `JSONText` it gives, is valid only inside.
    public static func read<Value>(
        _ body: UnsafeRawBufferPointer, depthMax: Int = 16, _ decode: (inout JSONReader) throws(JSONFault) -> Value
    ) throws(JSONFault) -> Value {
        let result = withUnsafeTemporaryAllocation(of: JSONKeys.Entry.self, capacity: JSONKeys.room) { room in
            var reader = JSONReader(body, depthMax: depthMax, keys: JSONKeys(room))
            do throws(JSONFault) {
                try reader.start()
                let value = try decode(&reader)
                try reader.end()
                return Result<Value, JSONFault>.success(value)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private mutating func start() throws(JSONFault) {
        if body.count >= 3, body[0] == 0xEF, body[1] == 0xBB, body[2] == 0xBF { throw JSONFault(offset: 0, reason: .byteOrderMark) }
        skipSpace()
        if offset == body.count { throw fault(.empty) }
    }

    private mutating func end() throws(JSONFault) {
        skipSpace()
        if offset < body.count { throw fault(.trailing) }
    }

    // MARK: - Values

    /// What the next value is, seen by its first character.
    public mutating func kind() throws(JSONFault) -> JSONKind {
        switch try peek() {
        case 0x22: return .string
        case 0x7B: return .object
        case 0x5B: return .array
        case 0x2D, 0x30...0x39: return .number
        case 0x74, 0x66: return .boolean
        case 0x6E: return .null
        default: throw fault(.unexpectedCharacter)
        }
    }

    public mutating func string() throws(JSONFault) -> JSONText {
        guard try peek() == 0x22 else { throw try wrong(.string) }
        return try text()
    }

    /// An integer as JSON writes it, exactly: `1.0` and `1e3` are none.
    public mutating func integer() throws(JSONFault) -> Int64 {
        let number = try number()
        let start = number.lowerBound
        guard number.isInteger else {
            offset = start
            throw fault(.notAnInteger)
        }
        let negative = body[start] == 0x2D
        // Summed below zero, where Int64 has one number more.
        var value = Int64(0)
        for at in (negative ? start + 1 : start)..<offset {
            let (tens, over) = value.multipliedReportingOverflow(by: 10)
            let (sum, under) = tens.subtractingReportingOverflow(Int64(body[at] &- 0x30))
            if over || under {
                offset = start
                throw fault(.integerOutOfRange)
            }
            value = sum
        }
        if negative { return value }
        guard value != .min else {
            offset = start
            throw fault(.integerOutOfRange)
        }
        return -value
    }

    /// Any number, as it is written: ASCII, no escapes.
    public mutating func numberText() throws(JSONFault) -> JSONText {
        let start = try number().lowerBound
        return JSONText(body, start..<offset, hasEscapes: false)
    }

    public mutating func boolean() throws(JSONFault) -> Bool {
        switch try peek() {
        case 0x74:
            try literal("true")
            return true
        case 0x66:
            try literal("false")
            return false
        default:
            throw try wrong(.boolean)
        }
    }

    /// Goes past a `null` and says so; anything else stays unread.
    public mutating func isNull() throws(JSONFault) -> Bool {
        guard try peek() == 0x6E else { return false }
        try literal("null")
        return true
    }

    /// Goes past one value of any kind, checking all of it. Returns its place in the body.
    @discardableResult
    public mutating func skip() throws(JSONFault) -> Range<Int> {
        let kind = try kind()
        let start = offset
        switch kind {
        case .string: _ = try text()
        case .number: _ = try number()
        case .boolean: _ = try boolean()
        case .null: _ = try isNull()
        case .object:
            var members = try object()
            while try key(in: &members) != nil { try skip() }
        case .array:
            var elements = try array()
            while try next(in: &elements) { try skip() }
        }
        return start..<offset
    }

    // MARK: - Objects and arrays

    /// An object that is being read.
    public struct Members: ~Copyable {
        fileprivate var isFirst = true
        fileprivate var isOpen = true
        var keys: JSONKeys.OfOneObject
    }

    /// An array that is being read.
    public struct Elements: ~Copyable {
        fileprivate var isFirst = true
        fileprivate var isOpen = true
    }

    /// Opens an object; `key(in:)` then walks it.
    public mutating func object() throws(JSONFault) -> Members {
        guard try peek() == 0x7B else { throw try wrong(.object) }
        try open()
        return Members(keys: keys.open())
    }

    /// The next key, with the reader at its value; nil when the object has ended.
    public mutating func key(in members: inout Members) throws(JSONFault) -> JSONText? {
        guard members.isOpen else { return nil }
        if try peek() == 0x7D {
            offset += 1
            depth -= 1
            members.isOpen = false
            keys.close(members.keys)
            return nil
        }
        if members.isFirst {
            members.isFirst = false
        } else {
            try expect(0x2C)
        }
        guard try peek() == 0x22 else { throw fault(.unexpectedCharacter) }
        let key = try text()
        try expect(0x3A)
        guard keys.add(key, to: &members.keys, in: body) else { throw JSONFault(offset: key.offset - 1, reason: .duplicateKey) }
        return key
    }

    /// Opens an array; `next(in:)` then walks it.
    public mutating func array() throws(JSONFault) -> Elements {
        guard try peek() == 0x5B else { throw try wrong(.array) }
        try open()
        return Elements()
    }

    /// Whether there is one more element, with the reader at it; false when the array has ended.
    public mutating func next(in elements: inout Elements) throws(JSONFault) -> Bool {
        guard elements.isOpen else { return false }
        if try peek() == 0x5D {
            offset += 1
            depth -= 1
            elements.isOpen = false
            return false
        }
        if elements.isFirst {
            elements.isFirst = false
        } else {
            try expect(0x2C)
            // `]` here is a comma too many; it starts no value, so reading the element refuses it.
        }
        return true
    }

    private mutating func open() throws(JSONFault) {
        guard depth < depthMax else { throw fault(.tooDeep) }
        depth += 1
        offset += 1
    }

    // MARK: - Leaves

    func fault(_ reason: JSONFault.Reason) -> JSONFault { JSONFault(offset: offset, reason: reason) }

    private mutating func wrong(_ wanted: JSONKind) throws(JSONFault) -> JSONFault {
        fault(.wrongKind(wanted: wanted, found: try kind()))
    }

    @inline(__always)
    private mutating func skipSpace() {
        while offset < body.count {
            let octet = body[offset]
            guard octet <= 0x20, octet == 0x20 || octet == 0x0A || octet == 0x0D || octet == 0x09 else { return }
            offset &+= 1
        }
    }

    /// The next octet that is no white space, not consumed.
    @inline(__always)
    private mutating func peek() throws(JSONFault) -> UInt8 {
        // Bodies made by programs have little white space.
        if offset < body.count, body[offset] > 0x20 { return body[offset] }
        skipSpace()
        guard offset < body.count else { throw fault(.truncated) }
        return body[offset]
    }

    @inline(__always)
    private mutating func expect(_ octet: UInt8) throws(JSONFault) {
        guard try peek() == octet else { throw fault(.unexpectedCharacter) }
        offset &+= 1
    }

    private mutating func literal(_ word: StaticString) throws(JSONFault) {
        for at in 0..<word.utf8CodeUnitCount {
            guard offset + at < body.count else { throw JSONFault(offset: body.count, reason: .truncated) }
            guard body[offset + at] == word.utf8Start[at] else { throw fault(.invalidLiteral) }
        }
        offset += word.utf8CodeUnitCount
    }
}

/// Why bytes are no customer record, naming the field. Holds nothing of what the bytes said.
public enum CustomerFault: Error, Equatable, Sendable, CustomStringConvertible {
    case truncated(field: String)
    case badValue(field: String)
    case tooMany(field: String, limit: Int)
    case tooLong(field: String, limit: Int)
    /// Sections stand in rising order, each once.
    case outOfOrder(section: UInt8)
    /// A later version that is not additive.
    case unknownVersion(UInt8)

    public var description: String {
        switch self {
        case .truncated(let field): "the record ends within \(field)"
        case .badValue(let field): "\(field) has a value that no version wrote"
        case .tooMany(let field, let limit): "more than \(limit) \(field)"
        case .tooLong(let field, let limit): "\(field) is longer than \(limit) bytes"
        case .outOfOrder(let section): "section \(section) is not in rising order"
        case .unknownVersion(let version): "customer record version \(version) is not known"
        }
    }
}

/// Reads fields one after the other; runs out loudly, naming the field.
struct FieldReader {
    private let bytes: UnsafeRawBufferPointer
    private(set) var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { offset == bytes.count }

    mutating func byte(_ field: StaticString) throws(CustomerFault) -> UInt8 {
        guard offset < bytes.count else { throw .truncated(field: "\(field)") }
        defer { offset += 1 }
        return bytes[offset]
    }

    /// Little-endian.
    mutating func fixed<Value: FixedWidthInteger>(_ field: StaticString) throws(CustomerFault) -> Value {
        let size = MemoryLayout<Value>.size
        guard size <= bytes.count - offset else { throw .truncated(field: "\(field)") }
        defer { offset += size }
        return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
    }

    /// Seven bits a byte, lowest first, in no more bytes than it needs: one spelling for each value.
    mutating func varint(_ field: StaticString) throws(CustomerFault) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = try byte(field)
            guard shift < 63 || next <= 1 else { throw .badValue(field: "\(field)") }
            value |= UInt64(next & 127) << shift
            if next < 128 {
                guard next != 0 || shift == 0 else { throw .badValue(field: "\(field)") }
                return value
            }
            shift += 7
        }
    }

    mutating func number<Value: FixedWidthInteger & UnsignedInteger>(_ field: StaticString) throws(CustomerFault) -> Value {
        guard let value = Value(exactly: try varint(field)) else { throw .badValue(field: "\(field)") }
        return value
    }

    /// Small magnitudes of either sign are short: 0, -1, 1, -2...
    mutating func signed(_ field: StaticString) throws(CustomerFault) -> Int64 {
        let code = try varint(field)
        return Int64(bitPattern: code >> 1) ^ -Int64(bitPattern: code & 1)
    }

    /// A length, and the reader of so many bytes.
    mutating func inner(_ field: StaticString) throws(CustomerFault) -> FieldReader {
        let count = try varint(field)
        guard count <= UInt64(bytes.count - offset) else { throw .truncated(field: "\(field)") }
        defer { offset += Int(count) }
        return FieldReader(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Int(count)]))
    }

    /// A length, and so many bytes of UTF-8.
    mutating func text(_ field: StaticString, limit: Int) throws(CustomerFault) -> String {
        let part = try inner(field)
        guard part.bytes.count <= limit else { throw .tooLong(field: "\(field)", limit: limit) }
        return try part.asText(field)
    }

    /// All that is left, as UTF-8.
    func asText(_ field: StaticString) throws(CustomerFault) -> String {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
        guard let text = String(validating: rest, as: UTF8.self) else { throw .badValue(field: "\(field)") }
        return text
    }

    /// All that is left.
    var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[offset...]) }
}

/// Writes what `FieldReader` reads, at the end of an array.
struct FieldWriter {
    var bytes: [UInt8]

    init(_ bytes: consuming [UInt8]) { self.bytes = bytes }

    mutating func byte(_ value: UInt8) { bytes.append(value) }

    mutating func fixed<Value: FixedWidthInteger>(_ value: Value) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func varint(_ value: some FixedWidthInteger & UnsignedInteger) {
        var rest = UInt64(value)
        while rest >= 128 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 128)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func signed(_ value: Int64) { varint(UInt64(bitPattern: value << 1 ^ value >> 63)) }

    /// A length, then what `body` writes.
    mutating func inner(_ body: (inout FieldWriter) throws(CustomerFault) -> Void) throws(CustomerFault) {
        let start = bytes.count
        bytes.append(0)
        try body(&self)
        let count = bytes.count - start - 1
        if count < 128 {
            bytes[start] = UInt8(count)
        } else {
            var length = FieldWriter([])
            length.varint(UInt(count))
            bytes.replaceSubrange(start...start, with: length.bytes)
        }
    }

    mutating func section(_ tag: UInt8, _ body: (inout FieldWriter) throws(CustomerFault) -> Void) throws(CustomerFault) {
        bytes.append(tag)
        try inner(body)
    }

    mutating func text(_ text: String, _ field: StaticString, limit: Int) throws(CustomerFault) {
        let count = text.utf8.count
        guard count <= limit else { throw .tooLong(field: "\(field)", limit: limit) }
        varint(UInt(count))
        bytes.append(contentsOf: text.utf8)
    }
}

/// Walks the sections of a record: tag, length, bytes; in rising order, each once. The caller passes over tags it does not know.
func eachSection(
    _ input: inout FieldReader, _ take: (_ tag: UInt8, inout FieldReader) throws(CustomerFault) -> Void
) throws(CustomerFault) {
    var last: UInt8 = 0
    while !input.isAtEnd {
        let tag = try input.byte("section")
        guard tag > last else { throw .outOfOrder(section: tag) }
        last = tag
        var part = try input.inner("section")
        try take(tag, &part)
    }
}

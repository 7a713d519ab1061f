/// Why bytes are no document; the place is counted in bytes from the beginning.
public struct JSONFault: Error, Equatable, Sendable, CustomStringConvertible {
    public var offset: Int
    public var problem: String
    public var description: String { "byte \(offset): \(problem)" }
}

extension JSONValue {
    /// Reads one document, strictly by RFC 8259: no second field of a name, no half surrogate, no fraction, nothing behind it.
    /// - Parameter maximumBytes: longer bytes are refused unread.
    public init(reading bytes: [UInt8], maximumBytes: Int) throws(JSONFault) {
        guard bytes.count <= maximumBytes else { throw JSONFault(offset: 0, problem: "it is longer than \(maximumBytes) bytes") }
        var reading = JSONReading(bytes: bytes)
        reading.skipBlanks()
        self = try reading.value(depth: 0)
        reading.skipBlanks()
        guard reading.offset == bytes.count else { throw reading.fault("something stands behind the document") }
    }
}

/// A place in the bytes of a document.
private struct JSONReading {
    let bytes: [UInt8]
    var offset = 0

    func fault(_ problem: String) -> JSONFault { JSONFault(offset: offset, problem: problem) }
    var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    mutating func skipBlanks() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { offset += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        offset += 1
        return true
    }

    private mutating func take(word: StaticString) -> Bool {
        let end = offset + word.utf8CodeUnitCount
        guard end <= bytes.count else { return false }
        let isThere = word.withUTF8Buffer { bytes[offset..<end].elementsEqual($0) }
        if isThere { offset = end }
        return isThere
    }

    mutating func value(depth: Int) throws(JSONFault) -> JSONValue {
        guard depth <= JSONValue.depthMaximum else {
            throw fault("more than \(JSONValue.depthMaximum) lists and objects within each other")
        }
        switch next {
        case UInt8(ascii: "{"): return try object(depth)
        case UInt8(ascii: "["): return try list(depth)
        case UInt8(ascii: "\""): return .text(try text())
        case let byte? where byte == UInt8(ascii: "-") || (48...57).contains(byte): return .integer(try integer())
        case nil: throw fault("the document ends here")
        default:
            if take(word: "null") { return .null }
            if take(word: "true") { return .flag(true) }
            if take(word: "false") { return .flag(false) }
            throw fault("a value is expected")
        }
    }

    private mutating func object(_ depth: Int) throws(JSONFault) -> JSONValue {
        offset += 1
        var fields: [String: JSONValue] = [:]
        skipBlanks()
        if take(UInt8(ascii: "}")) { return .object([:]) }
        repeat {
            skipBlanks()
            guard next == UInt8(ascii: "\"") else { throw fault("the name of a field is expected") }
            let at = offset
            let name = try text()
            skipBlanks()
            guard take(UInt8(ascii: ":")) else { throw fault("a colon is expected") }
            skipBlanks()
            let value = try value(depth: depth + 1)
            guard fields.updateValue(value, forKey: name) == nil else { throw JSONFault(offset: at, problem: "the field is there twice") }
            skipBlanks()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw fault("a comma or } is expected") }
        return .object(fields)
    }

    private mutating func list(_ depth: Int) throws(JSONFault) -> JSONValue {
        offset += 1
        var list: [JSONValue] = []
        skipBlanks()
        if take(UInt8(ascii: "]")) { return .list([]) }
        repeat {
            skipBlanks()
            list.append(try value(depth: depth + 1))
            skipBlanks()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw fault("a comma or ] is expected") }
        return .list(list)
    }

    private mutating func integer() throws(JSONFault) -> Int64 {
        let begin = offset
        if next == UInt8(ascii: "-") { offset += 1 }
        let digits = offset
        while let byte = next, (48...57).contains(byte) { offset += 1 }
        guard offset > digits, offset == digits + 1 || bytes[digits] != UInt8(ascii: "0") else {
            throw JSONFault(offset: begin, problem: "it is no number")
        }
        if let byte = next, [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains(byte) {
            throw JSONFault(offset: begin, problem: "numbers are whole; write a fraction as a text")
        }
        guard let number = Int64(String(decoding: bytes[begin..<offset], as: UTF8.self)), JSONValue.integers.contains(number),
            number != 0 || begin == digits
        else {
            throw JSONFault(offset: begin, problem: "numbers lie between -(2^53 - 1) and 2^53 - 1")
        }
        return number
    }

    private mutating func text() throws(JSONFault) -> String {
        let begin = offset
        offset += 1
        var units: [UInt8] = []
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                guard let text = String(validating: units, as: UTF8.self) else {
                    throw JSONFault(offset: begin, problem: "the text is no UTF-8")
                }
                return text
            case UInt8(ascii: "\\"):
                offset += 1
                try escape(&units)
            case 0..<0x20: throw fault("a control character stands in a text; escape it")
            default:
                units.append(byte)
                offset += 1
            }
        }
        throw fault("a text does not end")
    }

    private mutating func escape(_ units: inout [UInt8]) throws(JSONFault) {
        guard let byte = next else { throw fault("a text does not end") }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): units.append(byte)
        case UInt8(ascii: "b"): units.append(8)
        case UInt8(ascii: "t"): units.append(9)
        case UInt8(ascii: "n"): units.append(10)
        case UInt8(ascii: "f"): units.append(12)
        case UInt8(ascii: "r"): units.append(13)
        case UInt8(ascii: "u"):
            var code = UInt32(try unit())
            if (0xD800..<0xDC00).contains(code) {
                guard take(word: "\\u") else { throw fault("half of a surrogate pair") }
                let low = UInt32(try unit())
                guard (0xDC00..<0xE000).contains(low) else { throw fault("half of a surrogate pair") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw fault("half of a surrogate pair") }
            units.append(contentsOf: String(Character(scalar)).utf8)
        default: throw fault("there is no such escape")
        }
    }

    private mutating func unit() throws(JSONFault) -> UInt16 {
        let end = offset + 4
        guard end <= bytes.count else { throw fault("four hexadecimal digits are expected") }
        var code: UInt16 = 0
        for byte in bytes[offset..<end] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw fault("four hexadecimal digits are expected") }
            code = code << 4 | UInt16(digit)
        }
        offset = end
        return code
    }
}

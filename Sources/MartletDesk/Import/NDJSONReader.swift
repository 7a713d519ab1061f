/// Reads NDJSON: an object a line (RFC 8259), its members as cells of a row. A text is its letters; a number, true and false are as they are written;
/// null is as if it were not there; a list of these is its items with `|` between; an object holds members whose names begin with the
/// outer one's and a dot. Empty lines are passed over.
struct NDJSONReader {
    static let lineBytes = 262_144

    private(set) var line: Int
    /// Names met so far, and their places among the columns.
    private(set) var names: [String] = []
    private var places: [String: Int] = [:]

    /// Names that a file can have at most.
    static let namesMaximum = 512

    init(line: Int = 1) { self.line = line }

    /// Adds the next line to `block`; false: the file is at its end.
    mutating func next(_ file: ImportFile, into block: inout RowBlock) throws(ImportFault) -> Bool {
        while true {
            var (length, searched, isEnd) = (0, 0, false)
            while true {
                let end = file.withBytes { bytes in bytes[searched...].firstIndex(of: 0x0A) }
                if let end {
                    length = end
                    break
                }
                searched = file.available
                if isEnd || searched > NDJSONReader.lineBytes {
                    length = searched
                    break
                }
                isEnd = try !file.more()
            }
            if length == 0, isEnd { return false }
            let isWhole = file.withBytes { length < $0.count }
            if !isWhole, !isEnd {
                block.end(line: line, fault: FieldFault("line", "length", "longer than \(NDJSONReader.lineBytes) bytes"))
                try skipLine(file)
                return true
            }
            let fault = file.withBytes { bytes -> FieldFault?? in
                let text = UnsafeRawBufferPointer(rebasing: bytes[..<length])
                return text.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) ? .none : .some(read(text, &block))
            }
            file.consume(isWhole ? length + 1 : length)
            line += 1
            if let fault {
                block.end(line: line - 1, fault: fault)
                return true
            }
            if isEnd, !isWhole { return false }
        }
    }

    private mutating func skipLine(_ file: ImportFile) throws(ImportFault) {
        while true {
            let end = file.withBytes { $0.firstIndex(of: 0x0A) }
            if let end {
                file.consume(end + 1)
                break
            }
            file.consume(file.available)
            if try !file.more() { break }
        }
        line += 1
    }

    private mutating func read(_ text: UnsafeRawBufferPointer, _ block: inout RowBlock) -> FieldFault? {
        var input = JSONPull(text)
        do throws(JSONPull.Fault) {
            try members(&input, prefix: "", depth: 0, &block)
            try input.end()
            return nil
        } catch {
            return FieldFault("line", "malformed", "no JSON object: \(error.reason) at byte \(error.at + 1)")
        }
    }

    private mutating func members(
        _ input: inout JSONPull, prefix: String, depth: Int, _ block: inout RowBlock
    ) throws(JSONPull.Fault) {
        guard depth < 3 else { throw input.fault("objects within objects") }
        try input.expect("{")
        if input.take("}") { return }
        repeat {
            let name = prefix + (try input.text())
            try input.expect(":")
            switch input.peek() {
            case UInt8(ascii: "{"): try members(&input, prefix: "\(name).", depth: depth + 1, &block)
            case UInt8(ascii: "["):
                var joined: [UInt8] = []
                try input.expect("[")
                if !input.take("]") {
                    repeat {
                        if !joined.isEmpty { joined.append(UInt8(ascii: "|")) }
                        joined.append(contentsOf: try input.scalar() ?? [])
                    } while input.take(",")
                    try input.expect("]")
                }
                block.append(joined, column: try place(of: name, input))
            default: if let value = try input.scalar() { block.append(value, column: try place(of: name, input)) }
            }
        } while input.take(",")
        try input.expect("}")
    }

    private mutating func place(of name: String, _ input: JSONPull) throws(JSONPull.Fault) -> Int {
        if let known = places[name] { return known }
        guard names.count < NDJSONReader.namesMaximum, name.utf8.count <= 128 else { throw input.fault("too many names, or one too long") }
        places[name] = names.count
        names.append(name)
        return names.count - 1
    }
}

/// JSON read token after token, without a tree.
struct JSONPull {
    struct Fault: Error, Equatable {
        var at: Int
        var reason: String
    }

    private let bytes: UnsafeRawBufferPointer
    private var at = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    func fault(_ reason: String) -> Fault { Fault(at: at, reason: reason) }

    private mutating func skip() {
        while at < bytes.count, [0x20, 0x09, 0x0D, 0x0A].contains(bytes[at]) { at += 1 }
    }

    mutating func peek() -> UInt8? {
        skip()
        return at < bytes.count ? bytes[at] : nil
    }

    mutating func take(_ sign: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: sign) else { return false }
        at += 1
        return true
    }

    mutating func expect(_ sign: Unicode.Scalar) throws(Fault) {
        guard take(sign) else { throw fault("expected \(sign)") }
    }

    mutating func end() throws(Fault) {
        if peek() != nil { throw fault("something behind the object") }
    }

    mutating func text() throws(Fault) -> String {
        guard let text = String(validating: try letters(), as: UTF8.self) else { throw fault("a text that is not UTF-8") }
        return text
    }

    /// Text, number, true or false as bytes; nil: null.
    mutating func scalar() throws(Fault) -> [UInt8]? {
        switch peek() {
        case UInt8(ascii: "\"")?: return try letters()
        case nil: throw fault("the end")
        default:
            let start = at
            while at < bytes.count, !",]} \t\r".utf8.contains(bytes[at]) { at += 1 }
            let word = Array(bytes[start..<at])
            if word == Array("null".utf8) { return nil }
            if word == Array("true".utf8) || word == Array("false".utf8) || JSONPull.isNumber(word) { return word }
            throw Fault(at: start, reason: "no value")
        }
    }

    /// RFC 8259, section 6.
    private static func isNumber(_ word: [UInt8]) -> Bool {
        var rest = word[...]
        func digits(_ rest: inout ArraySlice<UInt8>) -> Int {
            let count = rest.prefix { (48...57).contains($0) }.count
            rest = rest.dropFirst(count)
            return count
        }
        if rest.first == 0x2D { rest = rest.dropFirst() }
        let isZero = rest.first == 0x30
        let whole = digits(&rest)
        guard whole > 0, !isZero || whole == 1 else { return false }
        if rest.first == 0x2E {
            rest = rest.dropFirst()
            if digits(&rest) == 0 { return false }
        }
        if rest.first == 0x65 || rest.first == 0x45 {
            rest = rest.dropFirst()
            if rest.first == 0x2B || rest.first == 0x2D { rest = rest.dropFirst() }
            if digits(&rest) == 0 { return false }
        }
        return rest.isEmpty
    }

    /// Section 7.
    private mutating func letters() throws(Fault) -> [UInt8] {
        try expect("\"")
        var out: [UInt8] = []
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case 0x22: return out
            case 0..<0x20: throw fault("a control character in a text")
            case 0x5C: try escape(&out)
            default: out.append(byte)
            }
        }
        throw fault("the end within a text")
    }

    private mutating func escape(_ out: inout [UInt8]) throws(Fault) {
        guard at < bytes.count else { throw fault("the end within a text") }
        let sign = bytes[at]
        at += 1
        switch sign {
        case 0x22, 0x5C, 0x2F: out.append(sign)
        case UInt8(ascii: "b"): out.append(8)
        case UInt8(ascii: "f"): out.append(12)
        case UInt8(ascii: "n"): out.append(10)
        case UInt8(ascii: "r"): out.append(13)
        case UInt8(ascii: "t"): out.append(9)
        case UInt8(ascii: "u"):
            var code = try unit()
            if (0xD800..<0xDC00).contains(code) {
                guard at + 1 < bytes.count, bytes[at] == 0x5C, bytes[at + 1] == UInt8(ascii: "u") else { throw fault("half a letter") }
                at += 2
                let low = try unit()
                guard (0xDC00..<0xE000).contains(low) else { throw fault("half a letter") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw fault("half a letter") }
            out.append(contentsOf: UTF8.encode(scalar) ?? .init())
        default: throw fault("an escape that is none")
        }
    }

    /// Four hexadecimal digits.
    private mutating func unit() throws(Fault) -> UInt32 {
        guard at + 4 <= bytes.count else { throw fault("the end within a text") }
        var value: UInt32 = 0
        for _ in 0..<4 {
            switch bytes[at] {
            case 48...57: value = value << 4 | UInt32(bytes[at] - 48)
            case 65...70: value = value << 4 | UInt32(bytes[at] - 55)
            case 97...102: value = value << 4 | UInt32(bytes[at] - 87)
            default: throw fault("no hexadecimal digit")
            }
            at += 1
        }
        return value
    }
}

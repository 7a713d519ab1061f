/// Reads CSV by RFC 4180: fields with or without quotes, a quote within quotes doubled, lines ended by CR LF or LF, also by the end of the file.
/// A byte order mark at the beginning is passed over, and so are empty lines. Stricter than many: a quote within a field without quotes, and
/// letters behind a closing quote, are faults of their row; reading goes on with the next line.
struct CSVReader {
    /// Longest field, and longest row, in bytes. A row that is longer (a quote that nobody closed) is refused, and reading goes on behind
    /// the line on which it begins.
    static let fieldBytes = 8192
    static let rowBytes = 262_144

    private let separator: UInt8
    /// Fields of a row; nil: any number.
    var width: Int?
    /// Line that is read next, from 1.
    private(set) var line: Int

    init(separator: UInt8, width: Int?, line: Int = 1) {
        self.separator = separator
        self.width = width
        self.line = line
    }

    private enum Outcome {
        case row(octets: Int, lines: Int)
        /// Refused: go on behind so many bytes.
        case bad(octets: Int, lines: Int, reason: String)
        case empty(octets: Int)
        /// The row does not end in what is at hand.
        case short
    }

    /// Adds the next row to `block`; false: the file is at its end.
    mutating func next(_ file: ImportFile, into block: inout RowBlock) throws(ImportFault) -> Bool {
        if file.position == 0 {
            while file.available < 3, try file.more() {}
            if file.withBytes({ $0.starts(with: [0xEF, 0xBB, 0xBF]) }) { file.consume(3) }
        }
        var isEnd = false
        while true {
            let outcome = file.withBytes { read($0, isEnd: isEnd, &block) }
            switch outcome {
            case .row(let octets, let lines):
                let fault = width.flatMap { width in
                    block.pending == width
                        ? nil : FieldFault("line", "fields", "\(block.pending) fields instead of \(width)")
                }
                block.end(line: line, fault: fault)
                file.consume(octets)
                line += lines
                return true
            case .bad(let octets, let lines, let reason):
                block.end(line: line, fault: FieldFault("line", "malformed", reason))
                file.consume(octets)
                line += lines
                return true
            case .empty(let octets):
                file.consume(octets)
                if octets == 0 { return false }
                line += 1
            case .short:
                block.drop()
                isEnd = try !file.more()
            }
        }
    }

    private func read(_ bytes: UnsafeRawBufferPointer, isEnd: Bool, _ block: inout RowBlock) -> Outcome {
        if bytes.isEmpty { return isEnd ? .empty(octets: 0) : .short }
        if bytes[0] == 0x0A { return .empty(octets: 1) }
        if bytes[0] == 0x0D, bytes.count > 1, bytes[1] == 0x0A { return .empty(octets: 2) }
        var at = 0
        var lines = 0
        var column = 0
        while true {
            block.begin(column: column)
            column += 1
            var problem: String?
            if at < bytes.count, bytes[at] == 0x22 {
                problem = quoted(bytes, &at, &lines, &block)
                if problem == nil, at >= bytes.count, !isEnd { return over(bytes, at, lines) }
            } else {
                let start = at
                while at < bytes.count, bytes[at] != separator, bytes[at] != 0x0A, bytes[at] != 0x22 { at += 1 }
                if at < bytes.count, bytes[at] == 0x22 { problem = "a quote within a field without quotes" }
                if at >= bytes.count, !isEnd { return over(bytes, at, lines) }
                var end = at
                if at >= bytes.count || bytes[at] == 0x0A, end > start, bytes[end - 1] == 0x0D { end -= 1 }
                block.extend(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
            }
            if problem == nil, block.lastCount > CSVReader.fieldBytes {
                problem = "field \(column) is longer than \(CSVReader.fieldBytes) bytes"
            }
            if let problem { return skip(bytes, at, lines, isEnd, problem) }
            if at >= bytes.count { return .row(octets: at, lines: lines + 1) }
            if bytes[at] == 0x0A { return .row(octets: at + 1, lines: lines + 1) }
            at += 1
            if column > 4096 { return skip(bytes, at, lines, isEnd, "more than 4096 fields") }
        }
    }

    /// From the opening quote to what follows the closing one.
    private func quoted(_ bytes: UnsafeRawBufferPointer, _ at: inout Int, _ lines: inout Int, _ block: inout RowBlock) -> String? {
        at += 1
        var start = at
        while at < bytes.count {
            let byte = bytes[at]
            if byte == 0x0A { lines += 1 }
            guard byte == 0x22 else {
                at += 1
                continue
            }
            block.extend(UnsafeRawBufferPointer(rebasing: bytes[start..<at]))
            at += 1
            if at < bytes.count, bytes[at] == 0x22 {
                block.extend(0x22)
                at += 1
                start = at
                continue
            }
            if at + 1 < bytes.count, bytes[at] == 0x0D, bytes[at + 1] == 0x0A { at += 1 }
            if at >= bytes.count || bytes[at] == separator || bytes[at] == 0x0A { return nil }
            // Half a line end, or the file's last byte.
            guard bytes[at] == 0x0D, at + 1 >= bytes.count else { return "letters behind a closing quote" }
            at += 1
            return nil
        }
        return "a quote that is never closed"
    }

    private func over(_ bytes: UnsafeRawBufferPointer, _ at: Int, _ lines: Int) -> Outcome {
        bytes.count > CSVReader.rowBytes ? skip(bytes, bytes.count, lines, true, "a row longer than \(CSVReader.rowBytes) bytes") : .short
    }

    /// Passes over the rest of the line at which a fault was met; of a quote that is never closed, of the line where the row begins.
    private func skip(_ bytes: UnsafeRawBufferPointer, _ at: Int, _ lines: Int, _ isEnd: Bool, _ reason: String) -> Outcome {
        var (end, lines) = (at, lines)
        if at >= bytes.count {
            // It may still be closed by what is not read yet.
            if !isEnd, bytes.count <= CSVReader.rowBytes { return .short }
            (end, lines) = (0, 0)
        }
        while end < bytes.count, bytes[end] != 0x0A { end += 1 }
        if end >= bytes.count {
            if !isEnd, bytes.count <= CSVReader.rowBytes { return .short }
            return .bad(octets: bytes.count, lines: lines + 1, reason: reason)
        }
        return .bad(octets: end + 1, lines: lines + 1, reason: reason)
    }
}

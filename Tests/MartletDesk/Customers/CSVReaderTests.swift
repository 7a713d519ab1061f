import Foundation
import Testing

@testable import MartletDesk

/// CSV and NDJSON as rows: what was written is read, and what cannot be read is one row and no more.
@Suite("Desk: rows of files") struct RowReadingTests {
    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    private struct Read: Equatable {
        var line: Int
        var cells: [String]
        var reason: String?
    }

    private func file(_ bytes: some Collection<UInt8>) throws -> ImportFile {
        let path = FileManager.default.temporaryDirectory.appending(path: "rows-\(UUID().uuidString)").path
        try Data(bytes).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try ImportFile(path)
    }

    private func rows(_ block: RowBlock) -> [Read] {
        block.rows.map { row in
            Read(
                line: row.line,
                cells: block.cells[row.cells].map { String(decoding: block.bytes[Int($0.start)..<Int($0.end)], as: UTF8.self) },
                reason: row.fault?.message)
        }
    }

    private func csv(_ bytes: some Collection<UInt8>, separator: Character = ",", width: Int? = nil) throws -> [Read] {
        let file = try file(bytes)
        var reader = CSVReader(separator: separator.asciiValue ?? 44, width: width)
        var block = RowBlock()
        while try reader.next(file, into: &block) {}
        #expect(file.position == bytes.count)
        return rows(block)
    }

    private func ndjson(_ text: String) throws -> (rows: [Read], names: [String]) {
        let file = try file(Array(text.utf8))
        var reader = NDJSONReader()
        var block = RowBlock()
        while try reader.next(file, into: &block) {}
        return (rows(block), reader.names)
    }

    @Test("What a writer of RFC 4180 writes is read back, whatever the letters, line ends and separator", arguments: 0..<200)
    func written(seed: UInt64) throws {
        var dice = Generator(state: seed)
        let separator: Character = [",", ";", "\t"].randomElement(using: &dice) ?? ","
        let letters: [Character] = ["a", "ż", "\"", ",", ";", "\t", "\n", " ", "😀", "-", "0"]
        let width = Int.random(in: 2...5, using: &dice)
        let rows = (0..<Int.random(in: 1...30, using: &dice)).map { _ in
            (0..<width).map { _ in
                String((0..<Int.random(in: 0...6, using: &dice)).compactMap { _ in letters.randomElement(using: &dice) })
            }
        }
        var text = Bool.random(using: &dice) ? "\u{FEFF}" : ""
        for (index, row) in rows.enumerated() {
            let fields = row.map { field -> String in
                let must = field.contains { $0 == "\"" || $0 == separator || $0 == "\n" }
                guard must || Bool.random(using: &dice) else { return field }
                return "\"\(field.replacingOccurrences(of: "\"", with: "\"\""))\""
            }
            text += fields.joined(separator: String(separator))
            // The last line may have no end.
            if index < rows.count - 1 || Bool.random(using: &dice) { text += Bool.random(using: &dice) ? "\r\n" : "\n" }
        }
        let read = try csv(Array(text.utf8), separator: separator, width: width)
        #expect(read.map(\.cells) == rows, "seed \(seed)")
        #expect(read.allSatisfy { $0.reason == nil }, "seed \(seed)")
    }

    @Test("Any bytes are read to their end, each line in one row at most", arguments: 0..<200)
    func anything(seed: UInt64) throws {
        var dice = Generator(state: seed &+ 1_000_000)
        let alphabet: [UInt8] = [0x22, 0x2C, 0x0A, 0x0D, 0x61, 0xFF, 0x00, 0x20, 0x7B, 0x7D, 0x3A]
        let bytes = (0..<Int.random(in: 0...400, using: &dice)).compactMap { _ in alphabet.randomElement(using: &dice) }
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).count
        let read = try csv(bytes, width: 2)
        #expect(read.count <= lines && read.map(\.line) == read.map(\.line).sorted(), "seed \(seed)")
        #expect(read.allSatisfy { $0.reason != nil || $0.cells.count == 2 }, "seed \(seed)")
        #expect(try ndjson(String(decoding: bytes, as: UTF8.self)).rows.count <= lines, "seed \(seed)")
    }

    @Test("A row that is none is refused with its line, and the next line is read")
    func faults() throws {
        let text = "a,b\n1,2,3\n\n\"x\"y,2\nq\"r,2\n\"two\nlines\",5\nend,6"
        let read = try csv(Array(text.utf8), width: 2)
        #expect(read.map(\.line) == [1, 2, 4, 5, 6, 8])
        #expect(
            read.map(\.reason) == [
                nil, "3 fields instead of 2", "letters behind a closing quote", "a quote within a field without quotes", nil, nil,
            ])
        #expect(read[4].cells == ["two\nlines", "5"])
    }

    @Test("A quote that nobody closes takes its own line with it, also in a file larger than memory holds at once")
    func unclosed() throws {
        let rest = (1...120_000).map { "row\($0),value" }
        let read = try csv(Array("a,\"b\n\(rest.joined(separator: "\n"))\n".utf8), width: 2)
        #expect(read.count == 120_001)
        #expect(read[0] == Read(line: 1, cells: [], reason: "a quote that is never closed") || read[0].reason?.contains("longer") == true)
        #expect(read[120_000] == Read(line: 120_001, cells: ["row120000", "value"], reason: nil))
    }

    @Test("A field that is too long is refused, one at the limit is not")
    func long() throws {
        let limit = String(repeating: "x", count: CSVReader.fieldBytes)
        let read = try csv(Array("\(limit),1\n\(limit)x,2\n".utf8), width: 2)
        #expect(read.map(\.reason) == [nil, "field 1 is longer than 8192 bytes"])
    }

    @Test("An object's members are cells: texts, numbers, lists with a bar between, objects by their path")
    func members() throws {
        let read = try ndjson(
            #"""
            {"reference": "a\u00e9\ud83d\ude00\n", "n": -1.5e3, "t": true, "no": null, "list": ["x", 2], "o": {"p": "q"}, "e": []}

            {"n": 7, "new": "b"}
            """#)
        #expect(read.names == ["reference", "n", "t", "list", "o.p", "e", "new"])
        #expect(read.rows.map(\.line) == [1, 3])
        #expect(read.rows[0].cells == ["aé😀\n", "-1.5e3", "true", "x|2", "q", ""])
        #expect(read.rows[1].cells == ["7", "b"])
    }

    @Test(
        "What is no object is a row with the reason, and the next line is read",
        arguments: [
            "[1]", "{\"a\": 01}", "{\"a\": }", "{\"a\": \"\\x\"}", "{\"a\": \"\\ud800\"}", "{\"a\": 1} 2", "{\"a\" 1}", "{", "{\"a\": \"b",
            "{\"a\":{\"b\":{\"c\":{\"d\":1}}}}", "{\"a\": [[1]]}", "nonsense",
        ])
    func noObject(line: String) throws {
        let read = try ndjson("\(line)\n{\"a\": 1}\n")
        #expect(read.rows.count == 2)
        #expect(read.rows[0].reason?.hasPrefix("no JSON object: ") == true && read.rows[0].cells.isEmpty)
        #expect(read.rows[1].cells == ["1"])
    }

    @Test("A line that is too long is refused, and the next one is read")
    func longLine() throws {
        let read = try ndjson("{\"a\": \"\(String(repeating: "x", count: 3_000_000))\"}\n{\"a\": 1}")
        #expect(read.rows.map(\.reason) == ["longer than 262144 bytes", nil] && read.rows[1].line == 2)
    }
}

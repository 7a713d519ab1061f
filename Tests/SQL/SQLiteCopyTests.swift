import Foundation
import Testing

@testable import SQL

@Suite("SQL: copies of a SQLite file")
struct SQLiteCopyTests {
    private func with(_ body: (_ folder: String, SQLStore) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "copy-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = SQLStore(.sqlite(file: "\(folder)/a.db"), statements: StatementSet())
        try await store.transaction { try $0.define("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)") }
        try await body(folder, store)
        await store.close()
    }

    private func holds(_ folder: String, _ word: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted().filter { name in
            try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")).firstRange(of: Data(word.utf8)) != nil
        }
    }

    @Test("A copy beside an open store holds what was committed, is its owner's alone, and nothing that was deleted")
    func copies() async throws {
        try await with { folder, store in
            try await store.transaction { try $0.define("INSERT INTO t VALUES (1, 'mango'), (2, 'papaya')") }
            try await store.transaction { try $0.define("DELETE FROM t WHERE id = 2") }
            try SQLiteCopy.make(of: "\(folder)/a.db", to: "\(folder)/b.db")
            #expect(try SQLiteCopy.findings(of: "\(folder)/b.db").isEmpty)
            #expect(try FileManager.default.attributesOfItem(atPath: "\(folder)/b.db")[.posixPermissions] as? Int == 0o600)
            let held = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/b.db"))
            #expect(held.firstRange(of: Data("mango".utf8)) != nil && held.firstRange(of: Data("papaya".utf8)) == nil)
            #expect(throws: SQLFault.self) { try SQLiteCopy.make(of: "\(folder)/a.db", to: "\(folder)/b.db") }
            #expect(throws: SQLFault.self) { try SQLiteCopy.make(of: "\(folder)/none.db", to: "\(folder)/c.db") }
            #expect(throws: SQLFault.self) { try SQLiteCopy.findings(of: "\(folder)/none.db") }
        }
    }

    @Test("A damaged file is named, by a copy and by the check")
    func damage() async throws {
        try await with { folder, store in
            try await store.transaction { session in
                for number in 0..<2000 { try session.define("INSERT INTO t VALUES (\(number), 'a text of some length, number \(number)')") }
            }
            try SQLiteCopy.make(of: "\(folder)/a.db", to: "\(folder)/b.db")
            var bytes = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/b.db"))
            for place in 4096 * 3..<4096 * 3 + 200 { bytes[place] = 0xFF }
            try bytes.write(to: URL(fileURLWithPath: "\(folder)/c.db"))
            var isNamed = false
            do throws(SQLFault) { isNamed = try !SQLiteCopy.findings(of: "\(folder)/c.db").isEmpty } catch { isNamed = true }
            #expect(isNamed)
            #expect(throws: SQLFault.self) { try SQLiteCopy.make(of: "\(folder)/c.db", to: "\(folder)/d.db") }
        }
    }

    @Test("What was deleted is in no file of an open store once its log was cut")
    func cut() async throws {
        try await with { folder, store in
            let long = String(repeating: "mulberry ", count: 2000)
            try await store.transaction { try $0.define("INSERT INTO t VALUES (1, 'papaya'), (2, '\(long)')") }
            #expect(try holds(folder, "papaya").isEmpty == false)
            try await store.transaction { try $0.define("DELETE FROM t") }
            try await store.cutLog()
            #expect(try holds(folder, "papaya") == [])
            #expect(try holds(folder, "mulberry") == [])
        }
    }
}

import Testing

@testable import SQL

/// Statements and files as text: what each engine is given.
@Suite("SQL: text")
struct TextTests {
    @Test("Parameters become dollars, but not in strings, quoted names and comments")
    func parameters() {
        let statement = Statement("a", "SELECT '?1', \"?2\", 'it''s ?3' -- ?4\nFROM t WHERE a=?1 AND b = ?12;")
        #expect(statement.postgres == "SELECT '?1', \"?2\", 'it''s ?3' -- ?4\nFROM t WHERE a=$1 AND b = $12;")
        #expect(statement.parameters == 12)
    }

    @Test("Two statements of one name, and a parameter that is nowhere, are named")
    func registration() {
        #expect(throws: StatementSet.Fault.twice("a")) { _ = try StatementSet([Statement("a", "SELECT 1"), Statement("a", "SELECT 2")]) }
        #expect(throws: StatementSet.Fault.gap("b", parameter: 2)) { _ = try StatementSet([Statement("b", "SELECT ?1, ?3")]) }
        #expect(throws: StatementSet.Fault.gap("b", parameter: 1)) { _ = try StatementSet([Statement("b", "SELECT ?2, ?")]) }
    }

    @Test("A line for one engine is not given to the other, and types have the engine's names")
    func guards() {
        let text = "a BIGINT, b SMALLINT, c BYTEA, 'BYTEA ?1' ?1\n) STRICT; -- @sqlite\n); -- @postgres"
        #expect(Migration.sql(text, for: .sqlite) == "a INTEGER, b INTEGER, c BLOB, 'BYTEA ?1' ?1\n) STRICT; -- @sqlite")
        #expect(Migration.sql(text, for: .postgres) == "a BIGINT, b SMALLINT, c BYTEA, 'BYTEA ?1' ?1\n); -- @postgres")
    }

    @Test("A file's name has its number, and one line says which programs may still work with what it leaves")
    func files() throws {
        #expect(throws: MigrationFault.name("1-a.sql")) { _ = try Migration(file: "1-a.sql", text: "-- @oldest 1") }
        #expect(throws: MigrationFault.name("0000-a.sql")) { _ = try Migration(file: "0000-a.sql", text: "-- @oldest 1") }
        for text in ["", "-- @oldest 0", "-- @oldest 3", "-- @oldest x", "-- @oldest 1\n-- @oldest 1"] {
            #expect(throws: MigrationFault.oldest("0002-a.sql")) { _ = try Migration(file: "0002-a.sql", text: text) }
        }
        let second = try Migration(file: "0002-b.sql", text: "-- @oldest 1\n")
        #expect(throws: MigrationFault.order("0002-b.sql")) { _ = try Migrator([second]) }
        #expect(try Migrator([]).newest == 0)
        #expect(try Migration(file: "0001-a.sql", text: "-- @oldest 1").checksum != second.checksum)
        #expect(second.checksum.utf8.count == 16)
    }

    @Test("Every fault says what happened, without a value of a row")
    func words() {
        let faults: [SQLFault] = [
            .busy(waiting: 3), .cancelled, .timedOut(during: "a"), .away(since: 1, problem: "p"), .lost(during: "a"), .commitUnknown,
            .conflict(statement: "a", code: "40001"), .constraint(statement: "a", name: "c"),
            .refused(statement: "a", code: "1", problem: "p"), .readOnly(statement: "a"), .full(statement: "a"),
            .disk(statement: "a", problem: "p"), .corrupt(statement: "a"), .parameters(statement: "a", problem: "p"),
            .row(statement: "a", column: "c", problem: "p"), .tooManyRows(statement: "a", maximum: 1), .unknownStatement("a"),
            .connect(problem: "p"), .setting(name: "url", problem: "p"), .closed,
        ]
        #expect(Set(faults.map(\.description)).count == faults.count)
        #expect(SQLFault.busy(waiting: 3).description == "the store is busy: 3 calls wait already; try later")
        let migration: [MigrationFault] = [
            .name("a"), .oldest("a"), .order("a"), .changed("a"), .unknown(number: 1, name: "a"), .tooNew(number: 2, name: "a", oldest: 2),
            .pending(["a"]), .failed(file: "a", .closed),
        ]
        #expect(Set(migration.map(\.description)).count == migration.count && migration.allSatisfy { $0.description.contains("a") })
    }
}

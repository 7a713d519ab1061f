import MartletStore
import Testing

@testable import SQL

/// That a statement is taken by both engines is not yet that it does the same on both: here each one runs.
@Suite("Store: all statements run")
struct StatementRunTests {
    /// What a call of a statement came to.
    enum Outcome: Equatable, Sendable {
        case changed(Int)
        /// Sorted: where a statement gives no order, the engines differ.
        case rows([String])
        case refused
    }

    private struct Undo: Error { var outcome: Outcome }

    /// The values of one call: all alike, of rows that are there or of new ones, or rising from place to place.
    static let calls: [@Sendable (_ place: Int) -> Int] = [{ _ in 1 }, { $0 + 1 }, { _ in 9 }]

    @Test("Every registered statement runs on both engines, and does the same on each")
    func runs() async throws {
        let (types, tables) = try await catalogue()
        let lite = try await outcomes(.sqlite, types, tables)
        let postgres = try await outcomes(.postgres, types, tables)
        let all = try StoreStatements.all().all
        #expect(Set(all.map(\.id)) == Set(lite.keys) && all.count == types.count && tables.count > 30)
        var touching = 0
        for statement in all {
            let (one, other) = (lite[statement.id] ?? [], postgres[statement.id] ?? [])
            #expect(one == other, "\(statement.id): SQLite \(one), PostgreSQL \(other)")
            #expect(one.contains { $0 != .refused }, "\(statement.id) is refused whatever it is given")
            if one.contains(where: { $0 != .refused && $0 != .changed(0) && $0 != .rows([]) }) { touching += 1 }
        }
        // Most find a row or change one: what is the same on both engines is more than that nothing was there.
        #expect(touching * 10 > all.count * 8, "\(touching) of \(all.count)")
    }

    /// Types of every statement's parameters and of every table's columns, as PostgreSQL knows them.
    private func catalogue() async throws -> (types: [StatementID: [String]], tables: [String: [(name: String, type: String)]]) {
        let all = try StoreStatements.all().all
        return try await StoreSchemaTests.with(.postgres) { store in
            try await store.transaction { session in
                for (index, statement) in all.enumerated() {
                    try session.define("PREPARE typed_\(index) AS " + statement.sql.replacing(#/\?(\d+)/#) { "$\($0.1)" })
                }
                let prepared = try session.look(
                    Statement(
                        "test.types",
                        "SELECT name, array_to_string(parameter_types::text[], ',') AS types FROM pg_prepared_statements WHERE name LIKE 'typed%'"
                    ))
                var types: [StatementID: [String]] = [:]
                for row in prepared {
                    guard let index = Int(try row.text("name").dropFirst("typed_".count)) else { continue }
                    types[all[index].id] = try row.text("types").split(separator: ",").map(String.init)
                }
                let columns = try session.look(
                    Statement(
                        "test.columns",
                        """
                        SELECT c.relname::text AS name, a.attname::text AS field, format_type(a.atttypid, NULL) AS type
                        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
                        AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum
                        """))
                var tables: [String: [(name: String, type: String)]] = [:]
                for row in columns { tables[try row.text("name"), default: []].append((try row.text("field"), try row.text("type"))) }
                return (types, tables)
            }
        }
    }

    private func outcomes(
        _ engine: SQLStore.Engine, _ types: [StatementID: [String]], _ tables: [String: [(name: String, type: String)]]
    ) async throws -> [StatementID: [Outcome]] {
        try await StoreSchemaTests.with(engine) { store in
            try await store.transaction { session in
                for (table, columns) in tables {
                    // Those that the schema gives a row have one.
                    let isEmpty = try session.look(Statement("test.first", "SELECT 1 AS one FROM \(table) LIMIT 1")).isEmpty
                    guard isEmpty else { continue }
                    var batch = SQLBatch(table: table, columns: columns.map(\.name))
                    for number in 1...3 { batch.append(columns.map { StatementRunTests.sample($0.type, number) }) }
                    try session.bulk(batch)
                }
            }
            var found: [StatementID: [Outcome]] = [:]
            for statement in try StoreStatements.all().all {
                let types = types[statement.id] ?? []
                for call in StatementRunTests.calls {
                    let values = types.enumerated().map { StatementRunTests.sample($0.element, call($0.offset)) }
                    found[statement.id, default: []].append(try await StatementRunTests.run(statement, values, store))
                }
            }
            return found
        }
    }

    /// In a transaction that is taken back.
    private static func run(_ statement: Statement, _ values: [SQLValue], _ store: SQLStore) async throws -> Outcome {
        do {
            try await store.transaction { session in
                let answers = statement.sql.hasPrefix("SELECT") || statement.sql.hasPrefix("WITH") || statement.sql.contains("RETURNING")
                throw Undo(
                    outcome: answers
                        ? .rows(try session.rows(statement.id, values).map { "\($0.values)" }.sorted())
                        : .changed(try session.run(statement.id, values)))
            }
            return .refused
        } catch let undo as Undo {
            return undo.outcome
        } catch is SQLFault {
            return .refused
        }
    }

    /// Row, or value, of this number: ids and quarters of an hour lie in a month that has its partitions.
    private static func sample(_ type: String, _ number: Int) -> SQLValue {
        switch type {
        case "bytea": .bytes(StoreSchemaTests.id(UInt8(truncatingIfNeeded: number)))
        case "text": .text("a\(number)")
        case "integer": .integer(SearchSlot.of(StoreSchemaTests.now) + Int64(number))
        default: .number(number)
        }
    }
}

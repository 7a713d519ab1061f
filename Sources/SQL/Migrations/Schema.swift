/// What a database holds, in lines that can be compared: tables, columns with their types, indexes. Partitions are left out; code makes
/// them, not a file.
public enum Schema {
    /// How a database differs from what its files make.
    public struct Difference: Sendable, Equatable {
        /// Not there, or otherwise.
        public var missing: [String]
        /// There, and from no file: the bank's own, or left over.
        public var foreign: [String]
        /// Statements that the database does not take.
        public var refused: [String]

        public init(missing: [String], foreign: [String], refused: [String]) {
            self.missing = missing
            self.foreign = foreign
            self.refused = refused
        }

        public var isSound: Bool { missing.isEmpty && refused.isEmpty }
    }

    /// Compares with a schema made from the files now: in memory for SQLite, in a transaction that is rolled back for PostgreSQL. Then
    /// prepares every statement of the store.
    /// - Throws: `MigrationFault` when the files do not fit the database, `SQLFault` when it cannot be asked.
    public static func check(_ store: SQLStore, _ migrator: Migrator) async throws -> Difference {
        try await migrator.verify(store)
        let engine = store.engine
        let actual = try await store.read { session in try lines(session, engine) }
        let wanted = try await fresh(store, migrator)
        var refused: [String] = []
        for statement in store.statements.all {
            do {
                try await store.read { session in try session.prepare(statement) }
            } catch let fault as SQLFault {
                switch fault {
                case .refused, .parameters, .constraint: refused.append(fault.description)
                default: throw fault
                }
            }
        }
        return Difference(
            missing: wanted.filter { !actual.contains($0) }, foreign: actual.filter { !wanted.contains($0) }, refused: refused)
    }

    private struct Seen: Error { var lines: [String] }

    private static func fresh(_ store: SQLStore, _ migrator: Migrator) async throws -> [String] {
        switch store.engine {
        case .sqlite:
            let memory = SQLStore(.sqlite(file: ""), statements: StatementSet())
            do {
                let built = try await memory.transaction { session -> [String] in
                    try migrator.build(session, .sqlite)
                    return try Schema.lines(session, .sqlite)
                }
                await memory.close()
                return built
            } catch {
                await memory.close()
                throw error
            }
        case .postgres:
            do {
                try await store.transaction { session in
                    try session.define("CREATE SCHEMA store_check; SET LOCAL search_path TO store_check")
                    try migrator.build(session, .postgres)
                    throw Seen(lines: try lines(session, .postgres))
                }
                return []
            } catch let seen as Seen {
                return seen.lines
            }
        }
    }

    static func tables(_ session: SQLSession, _ engine: SQLStore.Engine) throws(SQLFault) -> [String] {
        var names: [String] = []
        for row in try session.look(engine == .sqlite ? sqliteTables : postgresTables) { names.append(try row.text("name")) }
        return names
    }

    /// Sorted.
    static func lines(_ session: SQLSession, _ engine: SQLStore.Engine) throws(SQLFault) -> [String] {
        var lines = try tables(session, engine).map { "table \($0)" }
        for row in try session.look(engine == .sqlite ? sqliteColumns : postgresColumns) {
            let null = try row.integer("required") == 0 ? "" : " NOT NULL"
            lines.append("column \(try row.text("relation")).\(try row.text("name")) \(try row.text("type"))\(null)")
        }
        for row in try session.look(engine == .sqlite ? sqliteIndexes : postgresIndexes) {
            let name = try row.optionalText("name").map { " \($0)" } ?? ""
            let kind = try row.integer("is_unique") == 0 ? "index" : "unique index"
            let part = try row.integer("is_partial") == 0 ? "" : ", partial"
            lines.append("\(kind)\(name) on \(try row.text("relation")) (\(try row.text("columns"))\(part))")
        }
        return lines.sorted()
    }

    private static let sqliteTables = Statement(
        "schema.tables", "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name")
    private static let sqliteColumns = Statement(
        "schema.columns",
        """
        SELECT m.name AS relation, c.name AS name, c.type AS type, c."notnull" AS required
        FROM sqlite_schema m JOIN pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY 1, 2
        """)
    private static let sqliteIndexes = Statement(
        "schema.indexes",
        """
        SELECT m.name AS relation, CASE i.origin WHEN 'c' THEN i.name END AS name, i."unique" AS is_unique, i.partial AS is_partial,
            (SELECT group_concat(c.name, ', ') FROM pragma_index_info(i.name) c) AS columns
        FROM sqlite_schema m JOIN pragma_index_list(m.name) i
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY 1, 5
        """)

    private static let postgresTables = Statement(
        "schema.tables",
        """
        SELECT c.relname AS name FROM pg_class c
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1
        """)
    private static let postgresColumns = Statement(
        "schema.columns",
        """
        SELECT c.relname AS relation, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1, 2
        """)
    private static let postgresIndexes = Statement(
        "schema.indexes",
        """
        SELECT c.relname AS relation, i.relname AS name, x.indisunique AS is_unique, x.indpred IS NOT NULL AS is_partial,
            (SELECT string_agg(pg_get_indexdef(x.indexrelid, n, false), ', ' ORDER BY n) FROM generate_series(1, x.indnkeyatts) n) AS columns
        FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
        WHERE c.relnamespace = current_schema()::regnamespace AND NOT c.relispartition AND c.relkind IN ('r', 'p') ORDER BY 1, 2
        """)
}

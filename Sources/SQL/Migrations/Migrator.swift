/// Brings a database to the schema of a program: each file in a transaction of its own, by one program at a time.
public struct Migrator: Sendable {
    public let migrations: [Migration]
    /// Number of the newest file; 0: there is none.
    public var newest: Int { migrations.last?.number ?? 0 }

    /// - Throws: `.order` unless the numbers are 1, 2, 3....
    public init(_ migrations: [Migration]) throws(MigrationFault) {
        for (index, migration) in migrations.enumerated() where migration.number != index + 1 { throw .order(migration.file) }
        self.migrations = migrations
    }

    /// A file as the database remembers it.
    public struct Applied: Sendable, Equatable {
        public var number: Int
        public var file: String
        public var checksum: String
        public var oldest: Int
        /// Wall milliseconds.
        public var at: Int64
    }

    private static let table = """
        CREATE TABLE IF NOT EXISTS migration (
            number SMALLINT NOT NULL PRIMARY KEY,
            file TEXT NOT NULL,
            checksum TEXT NOT NULL,
            oldest SMALLINT NOT NULL,
            applied_at BIGINT NOT NULL
        ) STRICT; -- @sqlite
        ); -- @postgres
        """
    /// Two programs that start at once: the second waits, and finds the work done. "MIGRATE" in bytes.
    private static let lock: Int64 = 0x4D_4947_5241_5445

    private static let list = Statement(
        "migration.list", "SELECT number, file, checksum, oldest, applied_at FROM migration ORDER BY number")
    private static let add = Statement(
        "migration.add", "INSERT INTO migration (number, file, checksum, oldest, applied_at) VALUES (?1, ?2, ?3, ?4, ?5)")

    /// Applies what is not applied yet.
    /// - Parameters:
    ///   - now: wall milliseconds.
    ///   - limit: of each file; an index over a large table takes its time.
    /// - Returns: the files applied now.
    /// - Throws: `MigrationFault`, or `SQLFault` where no file is to blame.
    @discardableResult
    public func migrate(_ store: SQLStore, now: Int64, limit: Duration = .seconds(3600)) async throws -> [String] {
        let engine = store.engine
        try await store.transaction(repeats: 3, limit: limit) { session in
            try Migrator.lock(session, engine)
            try session.define(Migration.sql(Migrator.table, for: engine))
        }
        var done: [String] = []
        for migration in migrations {
            let isNew = try await store.transaction(limit: limit) { session -> Bool in
                try Migrator.lock(session, engine)
                let applied = try self.applied(session)
                if applied.contains(where: { $0.number == migration.number }) { return false }
                do throws(SQLFault) {
                    try session.define(migration.sql(for: engine))
                    _ = try session.look(
                        Migrator.add,
                        [
                            .number(migration.number), .text(migration.file), .text(migration.checksum), .number(migration.oldest),
                            .integer(now),
                        ])
                } catch {
                    throw MigrationFault.failed(file: migration.file, error)
                }
                return true
            }
            if isNew { done.append(migration.file) }
        }
        return done
    }

    /// Whether this program can work with the database as it is.
    /// - Throws: `MigrationFault`, `.pending` where files are missing.
    public func verify(_ store: SQLStore) async throws {
        let engine = store.engine
        let applied = try await store.read { session -> [Applied] in
            try Schema.tables(session, engine).contains("migration") ? try self.applied(session) : []
        }
        let pending = migrations.filter { migration in !applied.contains { $0.number == migration.number } }
        if !pending.isEmpty { throw MigrationFault.pending(pending.map(\.file)) }
    }

    private static func lock(_ session: SQLSession, _ engine: SQLStore.Engine) throws(SQLFault) {
        // SQLite has one writer anyway.
        if engine == .postgres { try session.define("SELECT pg_advisory_xact_lock(\(lock))") }
    }

    /// What is applied, when all of it is known to this program or allows it.
    private func applied(_ session: SQLSession) throws -> [Applied] {
        let applied = try session.look(Migrator.list).map { row in
            Applied(
                number: try row.integer("number", as: Int.self), file: try row.text("file"), checksum: try row.text("checksum"),
                oldest: try row.integer("oldest", as: Int.self), at: try row.integer("applied_at"))
        }
        for entry in applied {
            if let own = migrations.first(where: { $0.number == entry.number }) {
                if own.checksum != entry.checksum { throw MigrationFault.changed(own.file) }
            } else if entry.number <= newest {
                throw MigrationFault.unknown(number: entry.number, name: entry.file)
            } else if entry.oldest > newest {
                throw MigrationFault.tooNew(number: entry.number, name: entry.file, oldest: entry.oldest)
            }
        }
        return applied
    }

    /// All files in one open transaction, for a schema that is looked at and thrown away.
    func build(_ session: SQLSession, _ engine: SQLStore.Engine) throws {
        try session.define(Migration.sql(Migrator.table, for: engine))
        for migration in migrations {
            do throws(SQLFault) {
                try session.define(migration.sql(for: engine))
            } catch {
                throw MigrationFault.failed(file: migration.file, error)
            }
        }
    }
}

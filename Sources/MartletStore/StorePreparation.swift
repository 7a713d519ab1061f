public import SQL

extension StoreSchema {
    /// What every program does before it works with the store. SQLite belongs to this program and is brought up to date; a PostgreSQL server
    /// is the bank's, whose administrator decides when its tables change, so it is only looked at.
    /// - Parameter now: wall milliseconds.
    /// - Returns: the files applied now.
    /// - Throws: `MigrationFault`, which names the files that are missing, or `SQLFault`.
    @discardableResult public static func ready(_ store: SQLStore, now: Int64) async throws -> [String] {
        if store.engine == .sqlite { return try await prepare(store, now: now) }
        try await migrator().verify(store)
        return []
    }

    /// Brings the store to this program: applies what is not applied yet, draws the installation's name where there is none, and makes
    /// room for this month and the next, so that a program that starts then finds its place. Safe to repeat.
    /// - Parameter now: wall milliseconds.
    /// - Returns: the files applied now.
    /// - Throws: `MigrationFault`, `SQLFault`.
    @discardableResult public static func prepare(_ store: SQLStore, now: Int64) async throws -> [String] {
        let done = try await migrator().migrate(store, now: now)
        let installation = String(UInt64.random(in: .min ... .max), radix: 16)
        let engine = store.engine
        try await store.transaction { session in
            try session.run(StoreStatements.metaOnce, [.text("installation"), .text(installation)])
            let month = HistoryMonth(of: now)
            for month in [month, month.next] { try month.ensure(session, engine) }
        }
        return done
    }
}

import Testing

@testable import SQL

/// Numbered files against both engines.
@Suite("SQL: migrations")
struct MigrationTests {
    private let first =
        "-- @oldest 1\nCREATE TABLE a (id BIGINT NOT NULL PRIMARY KEY, t TEXT\n) STRICT; -- @sqlite\n); -- @postgres\nCREATE INDEX a_t ON a (t) WHERE t IS NOT NULL;\n"
    private let second =
        "-- @oldest 1\nCREATE TABLE b (id BYTEA NOT NULL PRIMARY KEY\n) STRICT; -- @sqlite\n); -- @postgres\nINSERT INTO a (id, t) VALUES (1, 'x; -- y');\n"

    private func migrator(_ texts: String...) throws -> Migrator {
        try Migrator(texts.enumerated().map { try Migration(file: "000\($0.offset + 1)-\($0.offset).sql", text: $0.element) })
    }

    /// Of a call that must fail.
    private func fault(_ body: () async throws -> Void) async throws -> MigrationFault {
        do {
            try await body()
        } catch let fault as MigrationFault {
            return fault
        }
        throw TestStore.NotFailed()
    }

    @Test("Files are applied once, in order, by whoever comes first; and then the database is sound", arguments: SQLStore.Engine.allCases)
    func apply(engine: SQLStore.Engine) async throws {
        let address = try await TestStore.address(engine)
        let statements = [Statement("a.list", "SELECT id FROM a WHERE t = ?1 ORDER BY id")]
        try await TestStore.with(address, statements, isEmpty: false) { store in
            let (one, two) = (try migrator(first), try migrator(first, second))
            #expect(try await fault { try await two.verify(store) } == .pending(["0001-0.sql", "0002-1.sql"]))
            #expect(try await one.migrate(store, now: 5) == ["0001-0.sql"])
            #expect(try await fault { _ = try await Schema.check(store, two) } == .pending(["0002-1.sql"]))
            try await TestStore.with(address, statements, isEmpty: false) { other in
                async let here = two.migrate(store, now: 6)
                async let there = two.migrate(other, now: 7)
                let done = try await here + there
                #expect(done == ["0002-1.sql"])
            }
            #expect(try await two.migrate(store, now: 8).isEmpty)
            #expect(try await Schema.check(store, two).isSound)
            #expect(try await store.read { try $0.rows("a.list", [.text("x; -- y")]).count } == 1)
        }
    }

    @Test("A file that was edited, one from nowhere, and a database that is too new are each named", arguments: SQLStore.Engine.allCases)
    func changed(engine: SQLStore.Engine) async throws {
        try await TestStore.with(engine, []) { store in
            try await migrator(first, second).migrate(store, now: 1)
            #expect(try await fault { try await migrator(first + " ", second).migrate(store, now: 2) } == .changed("0001-0.sql"))
            // An older program goes on as long as the newer file says so.
            #expect(try await migrator(first).migrate(store, now: 2).isEmpty)
            try await migrator(first).verify(store)
            try await migrator(first, second, "-- @oldest 2\nDROP TABLE b;").migrate(store, now: 3)
            #expect(try await fault { try await migrator(first).verify(store) } == .tooNew(number: 3, name: "0003-2.sql", oldest: 2))
            try await migrator(first, second).verify(store)
            try await store.transaction { try $0.define("INSERT INTO migration VALUES (0, 'x.sql', '', 1, 1)") }
            #expect(try await fault { try await migrator(first, second).verify(store) } == .unknown(number: 0, name: "x.sql"))
        }
    }

    @Test("A file that fails is named and leaves nothing behind", arguments: SQLStore.Engine.allCases)
    func failing(engine: SQLStore.Engine) async throws {
        try await TestStore.with(engine, []) { store in
            let broken = try migrator(first, second + "CREATE NONSENSE;")
            let fault = try await fault { try await broken.migrate(store, now: 1) }
            guard case .failed(file: "0002-1.sql", .refused) = fault else { throw fault }
            #expect(try await migrator(first, second).migrate(store, now: 2) == ["0002-1.sql"])
            let check = try await self.fault {
                _ = try await Schema.check(store, try migrator(first, second)); throw MigrationFault.name("sound")
            }
            #expect(check == .name("sound"))
        }
    }

    @Test("A check names what is missing, what is foreign, and statements that are refused", arguments: SQLStore.Engine.allCases)
    func check(engine: SQLStore.Engine) async throws {
        let statements = [Statement("good", "SELECT id FROM a ORDER BY id"), Statement("bad", "SELECT c FROM a ORDER BY id")]
        try await TestStore.with(engine, statements) { store in
            let migrator = try migrator(first, second)
            try await migrator.migrate(store, now: 1)
            try await store.transaction {
                try $0.define("DROP INDEX a_t; CREATE UNIQUE INDEX own ON b (id); ALTER TABLE b ADD COLUMN more TEXT")
            }
            let found = try await Schema.check(store, migrator)
            #expect(found.missing == ["index a_t on a (t, partial)"])
            #expect(
                found.foreign.contains { $0.hasPrefix("unique index own on b (id") }
                    && found.foreign.contains { $0.hasPrefix("column b.more ") })
            #expect(found.foreign.contains("table thing"))
            #expect(found.refused.count == 1 && found.refused.allSatisfy { $0.hasPrefix("bad: refused") } && !found.isSound)
        }
    }
}

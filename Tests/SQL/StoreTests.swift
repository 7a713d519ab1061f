import Foundation
import Testing

@testable import SQL

/// Everything a store promises, against both engines.
@Suite("SQL: store")
struct StoreTests {
    @Test("Values come back as they went in, by statement and in bulk", arguments: SQLStore.Engine.allCases)
    func values(engine: SQLStore.Engine) async throws {
        let rows: [[SQLValue]] = [
            [.integer(.min), .number(-32_768), .number(Int32.min), .text(""), .bytes([])],
            [.integer(.max), .number(32_767), .number(Int32.max), .text("Zürich ❤ 'quoted' \\ \t"), .bytes([0, 255, 10, 92])],
            [.integer(7), .null, .number(nil as Int?), .text(nil), .bytes(nil)],
        ]
        try await TestStore.with(engine) { store in
            let changed = try await store.transaction { session in try rows.map { try session.run(Things.add, $0) } }
            #expect(changed == [1, 1, 1])
            let listed = try await store.read { try $0.rows("thing.list") }
            #expect(listed.map(\.values) == [rows[0], rows[2], rows[1]])
            #expect(listed[2].columns == Things.columns)
            try await store.transaction { session in
                try session.define("DELETE FROM thing")
                var batch = SQLBatch(table: "thing", columns: Things.columns)
                for row in rows { batch.append(row) }
                try session.bulk(batch)
            }
            #expect(try await store.read { try $0.rows("thing.list").map(\.values) } == [rows[0], rows[2], rows[1]])
        }
    }

    @Test("A row is read by type, and what does not fit names statement and column", arguments: SQLStore.Engine.allCases)
    func rows(engine: SQLStore.Engine) async throws {
        try await TestStore.with(engine) { store in
            try await store.transaction { try $0.run(Things.add, [.integer(300), .number(1), .null, .text("a"), .bytes([1])]) }
            let row = try #require(try await store.read { try $0.row("thing.list") })
            #expect(try row.integer("id") == 300)
            #expect(try row.integer("small", as: UInt8.self) == 1)
            #expect(try row.text("name") == "a")
            #expect(try row.bytes("body") == [1])
            #expect(try row.optionalInteger("middle") == nil)
            #expect(try row.optionalText("middle") == nil)
            #expect(try row.optionalBytes("middle") == nil)
            func wrong(_ column: String, _ problem: String) -> SQLFault { .row(statement: "thing.list", column: column, problem: problem) }
            #expect(throws: wrong("id", "is out of range")) { _ = try row.integer("id", as: UInt8.self) }
            #expect(throws: wrong("middle", "is null")) { _ = try row.integer("middle") }
            #expect(throws: wrong("middle", "is null")) { _ = try row.text("middle") }
            #expect(throws: wrong("middle", "is null")) { _ = try row.bytes("middle") }
            #expect(throws: wrong("name", "holds text, not an integer")) { _ = try row.integer("name") }
            #expect(throws: wrong("id", "holds an integer, not text")) { _ = try row.text("id") }
            #expect(throws: wrong("name", "holds text, not bytes")) { _ = try row.bytes("name") }
            #expect(throws: wrong("body", "holds bytes, not text")) { _ = try row.text("body") }
            #expect(throws: wrong("other", "is not in the result")) { _ = try row.text("other") }
            let real = try await TestStore.fault { _ = try await store.read { try $0.rows("real") } }
            guard case .row(statement: "real", column: "x", _) = real else { throw real }
        }
    }

    @Test("That a table is missing is told from every other refusal", arguments: SQLStore.Engine.allCases)
    func missingTable(engine: SQLStore.Engine) async throws {
        try await TestStore.with(engine) { store in
            for (sql, isMissing) in [("SELECT 1 FROM nowhere", true), ("SELECT nowhere FROM thing", false), ("CREATE NONSENSE", false)] {
                let fault = try await TestStore.fault { try await store.transaction { try $0.define(sql) } }
                guard case .refused = fault else { throw fault }
                #expect(fault.isMissingTable == isMissing, "\(sql): \(fault)")
            }
            #expect(!SQLFault.closed.isMissingTable)
        }
    }

    @Test("A wrong call is a fault that names it, and does nothing", arguments: SQLStore.Engine.allCases)
    func wrongCalls(engine: SQLStore.Engine) async throws {
        try await TestStore.with(engine) { store in
            let unknown = try await TestStore.fault { _ = try await store.read { try $0.rows("nothing") } }
            #expect(unknown == .unknownStatement("nothing"))
            let values = try await TestStore.fault { _ = try await store.transaction { try $0.run(Things.add, [.null]) } }
            #expect(values == .parameters(statement: "thing.add", problem: "takes 5 values and was given 1"))
            let zero = try await TestStore.fault { _ = try await store.transaction { try $0.run(Things.add, Things.row(1, name: "a\0b")) } }
            #expect(zero == .parameters(statement: "thing.add", problem: "a text holds a zero character"))
            let misfit = try await TestStore.fault {
                try await store.transaction { try $0.run(Things.add, [.text("x"), .null, .null, .null, .null]) }
            }
            #expect(misfit == .parameters(statement: "thing.add", problem: "a value does not fit its column"))
            try await store.transaction { session in for id in 1...3 { try session.run(Things.add, Things.row(Int64(id))) } }
            let many = try await TestStore.fault { _ = try await store.read { try $0.rows("thing.list", maximum: 2) } }
            #expect(many == .tooManyRows(statement: "thing.list", maximum: 2))
            let refused = try await TestStore.fault { try await store.transaction { try $0.define("CREATE NONSENSE") } }
            guard case .refused(statement: "definition", _, _) = refused else { throw refused }
            let kept = Kept()
            try await store.transaction { kept.session = $0 }
            #expect(throws: SQLFault.closed) { _ = try kept.session?.rows("thing.list") }
        }
    }

    @Test("A transaction happens whole or not at all, also when its body passes over a fault", arguments: SQLStore.Engine.allCases)
    func atomic(engine: SQLStore.Engine) async throws {
        struct Own: Error {}
        try await TestStore.with(engine) { store in
            await #expect(throws: Own.self) {
                try await store.transaction { session in
                    try session.run(Things.add, Things.row(1))
                    throw Own()
                }
            }
            let fault = try await TestStore.fault {
                try await store.transaction { session in
                    try session.run(Things.add, Things.row(2, name: "secret"))
                    _ = try? session.run(Things.add, Things.row(3, name: "secret"))
                    _ = try? session.run(Things.add, Things.row(4))
                }
            }
            #expect(fault == .constraint(statement: "thing.add", name: engine == .sqlite ? "thing.name" : "thing_name"))
            #expect(try await store.read { try $0.row("thing.count")?.integer("n") } == 0)
        }
    }

    @Test("Who reads cannot write", arguments: SQLStore.Engine.allCases)
    func readOnly(engine: SQLStore.Engine) async throws {
        try await TestStore.with(engine) { store in
            let fault = try await TestStore.fault { _ = try await store.read { try $0.run(Things.add, Things.row(1)) } }
            #expect(fault == .readOnly(statement: "thing.add"))
        }
    }

    @Test("A reader sees one state of the database, whatever is committed meanwhile", arguments: SQLStore.Engine.allCases)
    func snapshot(engine: SQLStore.Engine) async throws {
        try await TestStore.with(engine) { store in
            let gate = Gate()
            async let counts = store.read { session -> [Int64] in
                let before = try session.row("thing.count")?.integer("n") ?? -1
                gate.pass()
                return [before, try session.row("thing.count")?.integer("n") ?? -1]
            }
            await gate.awaitEntry()
            try await store.transaction { try $0.run(Things.add, Things.row(1)) }
            gate.release()
            #expect(try await counts == [0, 0])
            #expect(try await store.read { try $0.row("thing.count")?.integer("n") } == 1)
        }
    }

    @Test("Of the common dialect: upsert with a guard and RETURNING", arguments: SQLStore.Engine.allCases)
    func upsert(engine: SQLStore.Engine) async throws {
        try await TestStore.with(engine) { store in
            let names = try await store.transaction { session in
                try ["a", "a", "b"].map { try session.rows("thing.upsert", [.integer(1), .text($0), .number(1)]).map(\.values) }
            }
            #expect(names == [[[.text("a")]], [], [[.text("b")]]])
        }
    }

    @Test("In bulk: any number of rows; one that does not fit takes all with it", arguments: SQLStore.Engine.allCases)
    func bulk(engine: SQLStore.Engine) async throws {
        try await TestStore.with(engine) { store in
            for range in [0..<0, 0..<1, 1..<32, 32..<33, 33..<5000] {
                try await store.transaction(durability: .relaxed) { session in
                    var batch = SQLBatch(table: "thing", columns: ["id", "name", "body"])
                    batch.reserve(range.count)
                    for id in range { batch.append(.number(id), .text("n\(id)"), .bytes(Array(repeating: 1, count: 100))) }
                    #expect(batch.count == range.count && batch.isEmpty == range.isEmpty)
                    try session.bulk(batch)
                    batch.removeAll()
                    try session.bulk(batch)
                }
            }
            for wrong in [SQLValue.text("x"), .bytes([1])] {
                let fault = try await TestStore.fault {
                    try await store.transaction { session in
                        var batch = SQLBatch(table: "thing", columns: ["id", "small"])
                        batch.append(.integer(9000), .number(1))
                        batch.append(.integer(9001), wrong)
                        try session.bulk(batch)
                    }
                }
                guard case .parameters(statement: "bulk thing", _) = fault else { throw fault }
            }
            let twice = try await TestStore.fault {
                try await store.transaction { session in
                    var batch = SQLBatch(table: "thing", columns: ["id"])
                    batch.append(.integer(1))
                    try session.bulk(batch)
                }
            }
            guard case .constraint(statement: "bulk thing", _) = twice else { throw twice }
            #expect(try await store.read { try $0.row("thing.count")?.integer("n") } == 5000)
        }
    }

    @Test(
        "A batch merges: the newer row stays, or the one that is there; again in the same transaction", arguments: SQLStore.Engine.allCases)
    func merge(engine: SQLStore.Engine) async throws {
        try await TestStore.with(engine) { store in
            func merge(_ rows: [(Int64, Int, String)], _ merge: SQLMerge) -> @Sendable (SQLSession) throws -> Void {
                { session in
                    var batch = SQLBatch(table: "thing", columns: ["id", "small", "name"])
                    for row in rows { batch.append(.integer(row.0), .number(row.1), .text(row.2)) }
                    try session.bulk(batch, merge: merge)
                }
            }
            let newest = SQLMerge(key: ["id"], newest: "small")
            let first = merge([(2, 5, "b5"), (1, 5, "a5")], newest)
            let second = merge([(1, 4, "a4"), (2, 6, "b6"), (3, 1, "c1")], newest)
            try await store.transaction { session in
                try first(session)
                try second(session)
            }
            let third = merge([(3, 9, "c9"), (4, 1, "d1")], SQLMerge(key: ["id"]))
            try await store.transaction { try third($0) }
            let names = try await store.read { try $0.rows("thing.list").map { try $0.text("name") } }
            #expect(names == ["a5", "b6", "c1", "d1"])
        }
    }

    @Test("When as much waits as may, the next call is told so at once", arguments: SQLStore.Engine.allCases)
    func busy(engine: SQLStore.Engine) async throws {
        var options = TestStore.options
        options.readers = 1
        options.waiting = 1
        try await TestStore.with(engine, options: options) { store in
            let gate = Gate()
            async let first: Void = store.read { _ in gate.pass() }
            await gate.awaitEntry()
            async let second: Void = store.read { _ in }
            while store.state.waiting == 0 { await Task.yield() }
            #expect(store.state.running == 1)
            #expect(try await TestStore.fault { try await store.read { _ in } } == .busy(waiting: 1))
            gate.release()
            _ = try await (first, second)
        }
    }

    @Test(
        "A call that waits ends with its own time limit, or when it is cancelled, though all workers are stuck",
        arguments: SQLStore.Engine.allCases)
    func waiting(engine: SQLStore.Engine) async throws {
        var options = TestStore.options
        options.readers = 1
        try await TestStore.with(engine, options: options) { store in
            let gate = Gate()
            async let first: Void = store.read { _ in gate.pass() }
            await gate.awaitEntry()
            let late = try await TestStore.fault { try await store.read(limit: .milliseconds(30)) { _ in } }
            #expect(late == .timedOut(during: "waiting"))
            let waiting = Task { try await store.read { _ in } }
            while store.state.waiting == 0 { await Task.yield() }
            waiting.cancel()
            #expect(try await TestStore.fault { try await waiting.value } == .cancelled)
            let never = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await store.read { _ in }
            }
            #expect(try await TestStore.fault { try await never.value } == .cancelled)
            gate.release()
            try await first
        }
    }

    @Test("A statement without end is ended by its time limit, or with its task; the store works on", arguments: SQLStore.Engine.allCases)
    func running(engine: SQLStore.Engine) async throws {
        var options = TestStore.options
        options.readers = 1
        try await TestStore.with(engine, options: options) { store in
            // Connected, so that the limit is the statement's.
            try await store.read { _ in }
            let late = try await TestStore.fault { _ = try await store.read(limit: .milliseconds(500)) { try $0.rows("endless") } }
            #expect(late == .timedOut(during: "endless"))
            #expect(store.state.lastFault == late && store.state.lastFaultAt != nil)
            let gate = Gate()
            let running = Task {
                try await store.transaction { session in
                    gate.pass()
                    _ = try session.rows("endless")
                }
            }
            await gate.awaitEntry()
            gate.release()
            running.cancel()
            #expect(try await TestStore.fault { try await running.value } == .cancelled)
            // Between statements it is seen too.
            let between = try await TestStore.fault {
                try await store.transaction(limit: .milliseconds(50)) { session in
                    while true { try session.run(Things.add, Things.row(1)); try session.define("DELETE FROM thing") }
                }
            }
            guard case .timedOut = between else { throw between }
            #expect(try await store.read { try $0.row("thing.count")?.integer("n") } == 0)
        }
    }

    @Test("A closed store says so; its state was told before", arguments: SQLStore.Engine.allCases)
    func closed(engine: SQLStore.Engine) async throws {
        var options = TestStore.options
        options.writers = 1
        try await TestStore.with(engine, options: options) { store in
            #expect(store.state.isConnected && store.state.awaySince == nil && store.state.lastFault == nil)
            let gate = Gate()
            async let last = store.transaction { session in
                gate.pass()
                return try session.run(Things.add, Things.row(1))
            }
            await gate.awaitEntry()
            async let ended: Void = store.close()
            while try await TestStore.fault({ try await store.transaction(limit: .milliseconds(20)) { _ in } }) != .closed {}
            gate.release()
            #expect(try await last == 1)
            await ended
            #expect(!store.state.isConnected)
        }
    }
}

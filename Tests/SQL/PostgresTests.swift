import Foundation
import PostgresServer
import Testing

@testable import SQL

/// What only a server over there can do to a store.
@Suite("SQL: PostgreSQL")
struct PostgresTests {
    private func awayProblem(_ address: StoreAddress) async throws -> String {
        let store = SQLStore(address, statements: StatementSet(), options: TestStore.options)
        let fault = try await TestStore.fault { try await store.read { _ in } }
        #expect(!store.state.isConnected && store.state.awaySince != nil)
        await store.close()
        guard case .away(_, let problem) = fault else { throw fault }
        return problem
    }

    @Test("A connection that the server ends in a transaction is reported as lost; the next call has a new one")
    func terminated() async throws {
        let server = try await PostgresServer.shared()
        let database = try await server.makeDatabase()
        try await TestStore.with(StoreAddress(url: server.url(database), directory: "")) { store in
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(database)' AND application_name = 'store'"
            let fault = try await TestStore.fault {
                try await store.transaction { session in
                    try session.run(Things.add, Things.row(1))
                    try server.sql(end, in: "postgres")
                    try session.run(Things.add, Things.row(2))
                }
            }
            #expect(fault == .lost(during: "thing.add"))
            #expect(try await store.transaction { try $0.run(Things.add, Things.row(3)) } == 1)
            // Ended while nothing was asked of them: nobody hears of it.
            try server.sql(end, in: "postgres")
            for _ in 0..<4 { #expect(try await store.read { try $0.row("thing.count")?.integer("n") } == 1) }
        }
    }

    @Test("The tests' own server ends when the shell that watches it is killed, so that none outlives a run")
    func orphaned() async throws {
        let process = try await PostgresServer.own().orphan()
        #expect(process > 1)
        // Whoever inherits it may take its time to bury it.
        func lives() -> Bool {
            guard let line = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return false }
            return line[(line.lastIndex(of: ")") ?? line.startIndex)...].split(separator: " ").dropFirst().first != "Z"
        }
        for _ in 0..<1500 where lives() { try await Task.sleep(for: .milliseconds(20)) }
        #expect(!lives())
    }

    @Test("A server that dies in a transaction: lost, then away at once, then back by itself")
    func killed() async throws {
        let server = try await PostgresServer.own()
        try await TestStore.with(StoreAddress(url: server.url("postgres"), directory: "")) { store in
            let fault = try await TestStore.fault {
                try await store.transaction { session in
                    try session.run(Things.add, Things.row(1))
                    server.kill()
                    try session.run(Things.add, Things.row(2))
                }
            }
            #expect(fault == .lost(during: "thing.add"))
            let away = try await TestStore.fault {
                while true { do { try await store.read { _ in } } catch SQLFault.lost {} }
            }
            guard case .away(let since, _) = away else { throw away }
            #expect(since > 0 && store.state.lastFault != nil)
            while store.state.isConnected { try await Task.sleep(for: .milliseconds(5)) }
            try await server.restart()
            while !store.state.isConnected { try await Task.sleep(for: .milliseconds(5)) }
            try await heal(store)
            #expect(try await store.read { try $0.row("thing.count")?.integer("n") } == 0)

            // Frozen: open connections that say nothing.
            let frozen = try await TestStore.fault {
                try await store.transaction(limit: .seconds(1)) { session in
                    server.freeze()
                    try session.run(Things.add, Things.row(1))
                }
            }
            #expect(frozen == .timedOut(during: "thing.add"))
            let cut = try await TestStore.fault { try await store.read(limit: .milliseconds(200)) { _ in } }
            guard [SQLFault.timedOut(during: "begin"), .timedOut(during: "waiting")].contains(cut) else { throw cut }
            server.thaw()
            try await heal(store)

            // A batch larger than what the sockets hold.
            let full = try await TestStore.fault {
                try await store.transaction(limit: .seconds(1)) { session in
                    var batch = SQLBatch(table: "thing", columns: ["id", "body"])
                    for id in 0..<400 { batch.append(.number(id), .bytes(Array(repeating: 1, count: 100_000))) }
                    server.freeze()
                    try session.bulk(batch)
                }
            }
            #expect(full == .timedOut(during: "bulk thing"))
            server.thaw()
            try await heal(store)

            // Frozen behind the last statement: whether the commit happened is not known, and not guessed.
            let unknown = try await TestStore.fault {
                try await store.transaction(limit: .seconds(1)) { session in
                    try session.run(Things.add, Things.row(5))
                    server.freeze()
                }
            }
            // The state's last fault may be that of the next try to connect by now.
            #expect(unknown == .commitUnknown && store.state.lastFault != nil)
            server.thaw()
            try await heal(store)
        }
        server.kill()
    }

    /// Both lanes, each by itself.
    private func heal(_ store: SQLStore) async throws {
        for _ in 0..<1000 {
            do {
                try await store.read(limit: .seconds(2)) { _ in }
                try await store.transaction(limit: .seconds(2)) { _ in }
                return
            } catch is SQLFault {
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        Issue.record("the store did not come back")
    }

    @Test("A conflict is run again as often as the caller said, and otherwise told")
    func conflict() async throws {
        try await TestStore.with(.postgres) { store in
            try await store.transaction { try $0.run(Things.add, [.integer(1), .number(0), .null, .null, .null]) }
            func add(_ repeats: Int, first: Gate) async throws {
                let tries = Counter()
                try await store.transaction(.serializable, repeats: repeats) { session in
                    let value = try session.row("thing.list")?.integer("small") ?? 0
                    if tries.next() == 1 { first.pass() }
                    try session.run("thing.small", [.integer(1), .integer(value + 1)])
                }
            }
            let (one, two) = (Gate(), Gate())
            async let first: Void = add(0, first: one)
            async let second: Void = add(3, first: two)
            await one.awaitEntry()
            await two.awaitEntry()
            one.release()
            try await first
            two.release()
            try await second
            #expect(try await store.read { try $0.row("thing.list")?.integer("small") } == 2)
            let (three, four) = (Gate(), Gate())
            async let third: Void = add(0, first: three)
            let fourth = Task { try await add(0, first: four) }
            await three.awaitEntry()
            await four.awaitEntry()
            three.release()
            try await third
            four.release()
            #expect(try await TestStore.fault { try await fourth.value } == .conflict(statement: "thing.small", code: "40001"))
        }
    }

    @Test("A wrong password is told, without the password; the right one is taken")
    func password() async throws {
        let server = try await PostgresServer.shared()
        let database = try await server.makeDatabase()
        try server.sql("DROP ROLE IF EXISTS locked; CREATE ROLE locked LOGIN PASSWORD 'right'", in: database)
        let url = server.url(database, user: "locked")
        let problem = try await awayProblem(StoreAddress(url: url, directory: "", password: "wrong-one"))
        #expect(problem.contains("password authentication failed") && !problem.contains("wrong-one"))
        let store = SQLStore(try StoreAddress(url: url, directory: "", password: "right"), statements: StatementSet())
        try await store.read { _ in }
        await store.close()
        try server.sql("DROP ROLE locked", in: database)
    }

    @Test("Over TLS: a certificate of our authority that names the host is taken, another is not, and no TLS is not for this server")
    func tls() async throws {
        let server = try await PostgresServer.shared()
        func address(_ host: String, _ tls: PostgresAddress.TLS, _ authority: String) throws -> StoreAddress {
            try StoreAddress(url: "postgresql://owner@\(host):\(server.port)/postgres", directory: "", tls: tls, authority: authority)
        }
        for (host, tls) in [("localhost", PostgresAddress.TLS.verifyFull), ("127.0.0.1", .verifyAuthority)] {
            let store = SQLStore(try address(host, tls, server.certificate), statements: StatementSet())
            try await store.read { _ in }
            await store.close()
        }
        #expect(try await awayProblem(address("127.0.0.1", .verifyFull, server.certificate)).contains("does not match host name"))
        #expect(try await awayProblem(address("localhost", .verifyFull, PostgresAddress.usualAuthority)).contains("certificate"))
        #expect(try await awayProblem(address("localhost", .off, server.certificate)).contains("no encryption"))
    }

    @Test(
        "An address that is no address, holds a secret, or leaves this machine without TLS is refused by the setting's name",
        arguments: [
            ("postgresql://a@db.example/x", PostgresAddress.TLS.off, "tls"), ("postgresql://a@10.0.0.1,localhost/x", .off, "tls"),
            ("postgresql://a@localhost/x?hostaddr=10.0.0.1", .off, "tls"), ("postgresql://a@128.0.0.1.example/x", .off, "tls"),
            ("postgresql://a@127.evil.example.com/x", .off, "tls"), ("postgresql://a:secret@localhost/x", .verifyFull, "url"),
            ("postgresql://a@db.example/x?sslmode=disable", .verifyFull, "url"), ("postgresql://[", .verifyFull, "url"),
            ("sqlite:", .off, "url"), ("sqlite://host/x", .off, "url"), ("mysql://x", .off, "url"), ("", .off, "url"),
        ])
    func refused(url: String, tls: PostgresAddress.TLS, setting: String) throws {
        let fault = #expect(throws: SQLFault.self) { _ = try StoreAddress(url: url, directory: "", tls: tls) }
        guard case .setting(name: setting, let problem)? = fault else { throw try #require(fault) }
        #expect(!problem.contains("secret") && !(fault?.description ?? "").isEmpty)
    }

    @Test("Addresses of this machine need no TLS; another has it, checked, without being asked")
    func addresses() throws {
        for host in ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "%2Fvar%2Frun", ""] {
            _ = try StoreAddress(url: "postgres://a@\(host)/x", directory: "", tls: .off)
        }
        guard case .postgres(let far) = try StoreAddress(url: "postgresql://a@db.example:5433/x", directory: "") else { return }
        #expect(far.parameters.contains { $0 == ("sslmode", "verify-full") } && far.parameters.contains { $0.name == "sslrootcert" })
        #expect(try StoreAddress(url: "postgresql://a@db.example/x", directory: "").description == "PostgreSQL, database x at db.example")
        #expect(try StoreAddress(url: "sqlite:h.db", directory: "/d").description == "SQLite, /d/h.db")
        #expect(try StoreAddress(url: "sqlite:/e/h.db", directory: "/d").description == "SQLite, /e/h.db")
        #expect(StoreAddress.sqlite(file: "").description == "SQLite in memory")
    }
}

final class Counter: Sendable {
    private let lock = NSLock()
    nonisolated(unsafe) private var value = 0  // under `lock`
    func next() -> Int {
        lock.withLock {
            value += 1
            return value
        }
    }
}

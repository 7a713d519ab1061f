import Foundation
import PostgresServer
import Testing

@testable import SQL

/// Where a store of PostgreSQL is looked for, and what of it can be read on the way.
@Suite("SQL: the way to PostgreSQL")
struct PostgresPlaceTests {
    private func parameters(_ url: String, tls: PostgresAddress.TLS = .off) throws -> [String: String] {
        try Dictionary(PostgresAddress(url: url, tls: tls).parameters.map { ($0.name, $0.value) }) { $1 }
    }

    @Test("What decides where a store is and how it is reached is given, or the variable that would decide it is named")
    func environment() throws {
        func deciding(_ url: String, _ environment: [String: String]) throws -> [String] {
            let given = try PostgresAddress(url: url, tls: .off).parameters.filter { !$0.value.isEmpty }.map(\.name)
            return PostgresEnvironment.deciding(beside: given) { environment[$0] }
        }
        let all = [
            "PGHOST": "10.0.0.5", "PGHOSTADDR": "10.0.0.5", "PGPORT": "1", "PGSSLMODE": "disable", "PGPASSFILE": "/p",
            "PGGSSENCMODE": "prefer",
            "PGTARGETSESSIONATTRS": "any", "PGCLIENTENCODING": "LATIN1", "PGSSLROOTCERT": "/r", "PGAPPNAME": "a",
        ]
        #expect(try deciding("postgresql://m@127.0.0.1/h", all) == ["PGHOSTADDR"])
        #expect(try deciding("postgresql://m@localhost/h", all).isEmpty)
        #expect(try Set(deciding("postgresql://m@/h", all)) == ["PGHOST", "PGHOSTADDR"])
        #expect(try Set(deciding("postgresql://m@/h?host=", all)) == ["PGHOST", "PGHOSTADDR"])
        for name in [
            "PGSERVICE", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGOPTIONS", "PGSSLCERT", "PGSSLMINPROTOCOLVERSION", "PGCHANNELBINDING",
        ] {
            #expect(try deciding("postgresql://localhost", [name: "x"]) == [name])
            #expect(try deciding("postgresql://localhost", [name: ""]).isEmpty)
        }
    }

    @Test("localhost is loopback whatever a resolver says; a list keeps its order and its ports")
    func loopback() throws {
        let one = try parameters("postgresql://m@localhost/h")
        #expect(one["host"] == "localhost,localhost" && one["hostaddr"] == "127.0.0.1,::1" && one["port"] == "5432")
        let list = try parameters("postgresql://m@localhost:1,db.example:2/h", tls: .verifyFull)
        #expect(list["host"] == "localhost,localhost,db.example" && list["hostaddr"] == "127.0.0.1,::1," && list["port"] == "1,1,2")
        let far = try parameters("postgresql://m@db.example:7/h", tls: .verifyFull)
        #expect(far["hostaddr"] == nil && far["port"] == "7" && far["sslmode"] == "verify-full")
        // An address decides where it is given, entry by entry.
        #expect(throws: SQLFault.self) { _ = try parameters("postgresql://m@/h?host=db.example,a&hostaddr=,127.0.0.1") }
        #expect(throws: SQLFault.self) { _ = try parameters("postgresql://m@127.0.0.+1/h") }
        #expect(try parameters("postgresql://m@/h?host=db.example&hostaddr=127.0.0.1")["host"] == "db.example")
    }

    @Test(
        "A connection without TLS is used on this machine alone, wherever a name led",
        arguments: [
            (true, "db.example", "10.0.0.5", true), (false, "db.example", "10.0.0.5", false), (false, "localhost", "10.0.0.5", false),
            (false, "localhost", "127.0.0.1", true), (false, "localhost", "::1", true), (false, "/run/postgresql", "", true),
            (false, "@martlet", "", true), (false, "localhost", "", false),
        ])
    func used(hasTLS: Bool, host: String, address: String, may: Bool) {
        #expect(PostgresAddress.mayBeUsed(hasTLS: hasTLS, host: host, address: address) == may)
    }

    @Test("On the way to a server lies a request for TLS and then TLS: no user, database, password or statement can be read")
    func nothingInClear() async throws {
        let server = try await PostgresServer.shared()
        let database = try await server.makeDatabase()
        try server.sql("DROP ROLE IF EXISTS reader_by_wire; CREATE ROLE reader_by_wire LOGIN PASSWORD 'mango-by-wire'", in: database)
        let tap = try Wiretap(to: server.port, answering: nil)
        let address = try StoreAddress(
            url: "postgresql://reader_by_wire@localhost:\(tap.port)/\(database)", directory: "", password: "mango-by-wire",
            authority: server.certificate)
        let store = SQLStore(address, statements: StatementSet(), options: TestStore.options)
        try await store.read { _ in }
        await store.close()
        let heard = tap.end().filter { !$0.isEmpty }
        #expect(!heard.isEmpty)
        for stream in heard {
            #expect(Array(stream.prefix(8)) == Wiretap.request)
            // A record of TLS: handshake, version 3.
            #expect(Array(stream.dropFirst(8).prefix(2)) == [0x16, 3])
            let text = String(decoding: stream, as: UTF8.self)
            for word in ["reader_by_wire", database, "mango-by-wire", "application_name", "BEGIN", "SET "] { #expect(!text.contains(word)) }
        }
        // The tap hears what is in clear: the same without TLS, which loopback allows, and which this server turns away.
        let open = try Wiretap(to: server.port, answering: nil)
        let plain = try StoreAddress(url: "postgresql://reader_by_wire@localhost:\(open.port)/\(database)", directory: "", tls: .off)
        let bare = SQLStore(plain, statements: StatementSet(), options: TestStore.options)
        _ = try await TestStore.fault { try await bare.read { _ in } }
        await bare.close()
        #expect(open.end().contains { String(decoding: $0, as: UTF8.self).contains("reader_by_wire") })
        try server.sql("DROP ROLE reader_by_wire", in: database)
    }

    @Test("A server, or whoever stands in its place, that has no TLS hears of nothing but the request for it")
    func downgrade() async throws {
        let tap = try Wiretap(to: 1, answering: [UInt8(ascii: "N")])
        let address = try StoreAddress(url: "postgresql://owner@localhost:\(tap.port)/secrets", directory: "", password: "mango")
        let store = SQLStore(address, statements: StatementSet(), options: TestStore.options)
        let fault = try await TestStore.fault { try await store.read { _ in } }
        await store.close()
        guard case .away(_, let problem) = fault else { throw fault }
        #expect(problem.contains("SSL"))
        let heard = tap.end().filter { !$0.isEmpty }
        #expect(!heard.isEmpty && heard.allSatisfy { $0 == Wiretap.request })
    }
}

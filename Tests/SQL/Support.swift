import Foundation
import PostgresServer
import Testing

@testable import SQL

/// A store of either engine, empty, for one test.
struct TestStore {
    static func address(_ engine: SQLStore.Engine) async throws -> StoreAddress {
        switch engine {
        case .sqlite: return .sqlite(file: try folder() + "/test.db")
        case .postgres:
            let server = try await PostgresServer.shared()
            return try await StoreAddress(url: server.url(server.makeDatabase()), directory: "")
        }
    }

    static func folder() throws -> String {
        let path = FileManager.default.temporaryDirectory.appending(path: "store-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    static func with(
        _ engine: SQLStore.Engine, _ statements: [Statement] = Things.all, options: SQLStore.Options = options,
        _ body: (SQLStore) async throws -> Void
    ) async throws {
        try await with(try await address(engine), statements, options: options, body)
    }

    static func with(
        _ address: StoreAddress, _ statements: [Statement] = Things.all, options: SQLStore.Options = options, isEmpty: Bool = true,
        _ body: (SQLStore) async throws -> Void
    ) async throws {
        let store = SQLStore(address, statements: try StatementSet(statements), options: options)
        do {
            if isEmpty { try await store.transaction { try $0.define(Migration.sql(Things.table, for: store.engine)) } }
            try await body(store)
        } catch {
            await store.close()
            throw error
        }
        await store.close()
        if case .sqlite(let file) = address, isEmpty {
            try FileManager.default.removeItem(atPath: (file as NSString).deletingLastPathComponent)
        }
    }

    static var options: SQLStore.Options {
        var options = SQLStore.Options()
        options.backoff = Backoff(first: .milliseconds(10), longest: .milliseconds(50))
        options.connectLimit = .milliseconds(1500)
        return options
    }

    /// The fault of a call that must fail.
    static func fault<Result>(_ body: () async throws -> Result) async throws -> SQLFault {
        do {
            _ = try await body()
        } catch let fault as SQLFault {
            return fault
        }
        throw NotFailed()
    }

    struct NotFailed: Error {}
}

/// A table for everything.
enum Things {
    static let table = """
        CREATE TABLE thing (
            id BIGINT NOT NULL PRIMARY KEY,
            small SMALLINT,
            middle INTEGER,
            name TEXT,
            body BYTEA
        ) STRICT; -- @sqlite
        ); -- @postgres
        CREATE UNIQUE INDEX thing_name ON thing (name);
        """
    static let add = StatementID("thing.add")
    static let all = [
        Statement(add, "INSERT INTO thing (id, small, middle, name, body) VALUES (?1, ?2, ?3, ?4, ?5)"),
        Statement("thing.list", "SELECT id, small, middle, name, body FROM thing ORDER BY id"),
        Statement("thing.count", "SELECT CAST(count(*) AS BIGINT) AS n FROM thing"),
        Statement("thing.small", "UPDATE thing SET small = ?2 WHERE id = ?1"),
        Statement(
            "thing.upsert",
            """
            INSERT INTO thing (id, name, small) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET name = excluded.name
            WHERE thing.name IS DISTINCT FROM excluded.name RETURNING name
            """),
        Statement(
            "endless",
            """
            WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < 20000000000)
            SELECT CAST(count(*) AS BIGINT) AS c FROM n
            """),
        Statement("real", "SELECT CAST(1 AS DOUBLE PRECISION) AS x"),
    ]
    static let columns = ["id", "small", "middle", "name", "body"]

    static func row(_ id: Int64, name: String? = nil) -> [SQLValue] { [.integer(id), .null, .null, .text(name), .null] }
}

/// A session that its body kept, which it should not.
final class Kept: Sendable {
    nonisolated(unsafe) var session: SQLSession?  // written by one body, read after it
}

/// Lets a body inside a store's thread wait for a test.
final class Gate: Sendable {
    private let entered = DispatchSemaphore(value: 0)
    private let open = DispatchSemaphore(value: 0)

    /// In a body: says that it is there, and waits.
    func pass() {
        entered.signal()
        open.wait()
    }

    func awaitEntry() async {
        await withCheckedContinuation { done in
            DispatchQueue.global().async {
                self.entered.wait(); done.resume()
            }
        }
    }
    func release() { open.signal() }
}

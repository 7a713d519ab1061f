import Foundation
import Testing

@testable import SQL

/// What only a file can do to a store.
@Suite("SQL: SQLite")
struct SQLiteTests {
    @Test("A full disk is told as one, and nothing of the transaction is there")
    func full() async throws {
        try await TestStore.with(.sqlite) { store in
            // SQLite's own bound gives the same error as the disk's.
            let fault = try await TestStore.fault {
                try await store.transaction { session in
                    try session.define("PRAGMA max_page_count = 40")
                    var batch = SQLBatch(table: "thing", columns: ["id", "body"])
                    for id in 0..<1000 { batch.append(.number(id), .bytes(Array(repeating: 1, count: 1000))) }
                    try session.bulk(batch)
                }
            }
            #expect(fault == .full(statement: "bulk thing") && store.state.lastFault == fault)
            #expect(try await store.read { try $0.row("thing.count")?.integer("n") } == 0)
        }
    }

    @Test("A database that may not be written says so")
    func readOnly() async throws {
        try await TestStore.with(.sqlite) { store in
            try await store.transaction { try $0.define("PRAGMA query_only = 1") }
            let fault = try await TestStore.fault { try await store.transaction { try $0.run(Things.add, Things.row(1)) } }
            guard case .readOnly = fault else { throw fault }
        }
    }

    @Test("A damaged page is reported as damage, by the statement that met it")
    func corrupt() async throws {
        let folder = try TestStore.folder()
        let file = "\(folder)/test.db"
        try await TestStore.with(.sqlite(file: "\(folder)/test.db"), isEmpty: false) { store in
            try await store.transaction { session in
                try session.define(Migration.sql(Things.table, for: .sqlite))
                var batch = SQLBatch(table: "thing", columns: ["id", "body"])
                for id in 0..<1000 { batch.append(.number(id), .bytes(Array(repeating: 1, count: 500))) }
                try session.bulk(batch)
            }
        }
        #expect(!FileManager.default.fileExists(atPath: "\(file)-wal"), "a closed store leaves one file")
        let handle = try #require(FileHandle(forUpdatingAtPath: file))
        try handle.seek(toOffset: 4096 * 20)
        try handle.write(contentsOf: Data(repeating: 0xA5, count: 4096 * 4))
        try handle.close()
        try await TestStore.with(.sqlite(file: file), isEmpty: false) { store in
            let fault = try await TestStore.fault { try await store.read { try $0.rows("thing.list") } }
            #expect(fault == .corrupt(statement: "thing.list"))
            #expect(store.state.lastFault == .corrupt(statement: "thing.list"))
        }
        try Data(repeating: 0x41, count: 8192).write(to: URL(filePath: file))
        try await TestStore.with(.sqlite(file: file), isEmpty: false) { store in
            let fault = try await TestStore.fault { try await store.read { try $0.rows("thing.list") } }
            #expect(fault.description.contains("damaged"))
        }
        try FileManager.default.removeItem(atPath: folder)
    }

    @Test("A file whose directory comes later is opened then; it is its owner's alone")
    func later() async throws {
        let folder = try TestStore.folder()
        let file = "\(folder)/inner/test.db"
        try await TestStore.with(.sqlite(file: file), isEmpty: false) { store in
            let fault = try await TestStore.fault { try await store.read { _ in } }
            guard case .away = fault else { throw fault }
            try FileManager.default.createDirectory(atPath: "\(folder)/inner", withIntermediateDirectories: false)
            while !store.state.isConnected { try await Task.sleep(for: .milliseconds(5)) }
            try await store.transaction { try $0.define(Migration.sql(Things.table, for: .sqlite)) }
            let rights = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
            #expect(rights == 0o600)
        }
        try FileManager.default.removeItem(atPath: folder)
    }

    @Test("Another process that writes is waited for, then told as a conflict, or run again where the caller said so")
    func conflict() async throws {
        let address = try await TestStore.address(.sqlite)
        try await TestStore.with(address) { store in
            try await TestStore.with(address, isEmpty: false) { other in
                let gate = Gate()
                async let writing: Void = other.transaction { _ in gate.pass() }
                await gate.awaitEntry()
                let fault = try await TestStore.fault { try await store.transaction { try $0.run(Things.add, Things.row(1)) } }
                guard case .conflict(_, code: "SQLITE_BUSY") = fault else { throw fault }
                async let again = store.transaction(repeats: 1000) { try $0.run(Things.add, Things.row(1)) }
                gate.release()
                try await writing
                #expect(try await again == 1)
            }
        }
    }
}

import Foundation
import PostgresServer
import SQL
import Testing

@testable import MartletStore

/// The schema and the statements of the store, on both engines.
@Suite("Store: schema")
struct StoreSchemaTests {
    static func with<Result>(
        _ engine: SQLStore.Engine, statements: StatementSet? = nil, _ body: (SQLStore) async throws -> Result
    ) async throws -> Result {
        let address: StoreAddress
        switch engine {
        case .sqlite: address = .sqlite(file: "")
        case .postgres:
            let server = try await PostgresServer.shared()
            address = try await StoreAddress(url: server.url(server.makeDatabase()), directory: "")
        }
        var options = SQLStore.Options()
        // In memory there is one connection.
        options.readers = 1
        let store = SQLStore(address, statements: try statements ?? StoreStatements.all(), options: options)
        do {
            try await StoreSchema.migrator().migrate(store, now: 1)
            try await store.transaction { session in
                for number in [HistoryMonth(of: now).number, HistoryMonth(of: now).number + 1] {
                    try HistoryMonth(number: number).ensure(session, engine)
                    try HistoryMonth(number: number).ensure(session, engine)
                }
            }
            let result = try await body(store)
            await store.close()
            return result
        } catch {
            await store.close()
            throw error
        }
    }

    /// In November 2026.
    static let now: Int64 = 1_795_400_000_000

    static func id(_ ordinal: UInt8, after milliseconds: Int64 = 0) -> [UInt8] {
        var id = HistoryMonth.firstID(now + milliseconds)
        (id[6], id[8], id[15]) = (0x70, 0x80, ordinal)
        return id
    }

    @Test(
        "A migrated store is sound: nothing is missing, nothing is foreign, every statement is taken", arguments: SQLStore.Engine.allCases)
    func sound(engine: SQLStore.Engine) async throws {
        try await StoreSchemaTests.with(engine) { store in
            let difference = try await Schema.check(store, StoreSchema.migrator())
            #expect(difference == Schema.Difference(missing: [], foreign: [], refused: []))
            #expect(try await StoreSchema.migrator().migrate(store, now: 2).isEmpty)
        }
    }

    @Test("Meta, cursors, principals and audit: each statement does what it says", arguments: SQLStore.Engine.allCases)
    func administration(engine: SQLStore.Engine) async throws {
        try await StoreSchemaTests.with(engine) { store in
            try await store.transaction { session in
                #expect(try session.run(StoreStatements.metaOnce, [.text("installation"), .text("a")]) == 1)
                #expect(try session.run(StoreStatements.metaOnce, [.text("installation"), .text("b")]) == 0)
                #expect(try session.row(StoreStatements.meta, [.text("installation")])?.text("value") == "a")

                for (sequence, changed) in [(5, 1), (5, 0), (4, 0), (9, 1)] {
                    let values: [SQLValue] = [.text("history"), .number(3), .number(sequence), .number(sequence * 100), .integer(now)]
                    #expect(try session.run(StoreStatements.moveCursor, values) == changed)
                }
                let cursor = try session.row(StoreStatements.cursors, [.text("history")])
                #expect(cursor?.values == [.number(3), .number(9), .number(900), .integer(now)])

                let key = SQLValue.bytes(Array(repeating: 7, count: 32))
                let mac = SQLValue.bytes(Array(repeating: 9, count: 16))
                let principal: [SQLValue] = [.number(1), .number(1), .text("anna"), key, .text("audit.read"), .null, .integer(now), mac]
                #expect(try session.run(PrincipalStatements.add, principal) == 1)
                #expect(try session.row(PrincipalStatements.byKey, [key])?.text("name") == "anna")
                let revoke: [SQLValue] = [.number(1), .number(1), key, .text(""), .null, .integer(now + 1), mac]
                #expect(try session.run(PrincipalStatements.change, revoke) == 1)
                #expect(try session.run(PrincipalStatements.change, revoke) == 0)
                let page = try session.rows(PrincipalStatements.page, [.text(""), .number(10)])
                #expect(try page.map { try $0.optionalInteger("revoked_at") } == [now + 1])
                #expect(try session.row(PrincipalStatements.byName, [.text("anna")])?.integer("version") == 2)
                #expect(try session.row(PrincipalStatements.newestID)?.integer("id") == 1)

                #expect(try session.run(StoreStatements.lockAudit) == 1)
                for sequence in 1...3 {
                    let own = SQLValue.bytes([UInt8(sequence)])
                    try session.run(
                        StoreStatements.addAudit,
                        [
                            .number(sequence), .integer(now * 1000), .text("principal:anna"), .text("audit.read"), .text("m"),
                            .text("done"), .null, .null, .bytes([UInt8(sequence - 1)]), own, .number(0), .null,
                        ])
                }
                #expect(try session.row(StoreStatements.newestAudit)?.bytes("hash") == [3])
                let entries = try session.rows(StoreStatements.audit, [.number(3), .number(1)])
                #expect(try entries.map { try $0.integer("sequence") } == [2])
                let forward = try session.rows(StoreStatements.auditForward, [.number(1), .number(10)])
                #expect(try forward.map { try $0.integer("sequence") } == [2, 3])
            }
        }
    }

    @Test("History is written in bulk and found by id, by search, by state and by time", arguments: SQLStore.Engine.allCases)
    func history(engine: SQLStore.Engine) async throws {
        try await StoreSchemaTests.with(engine) { store in
            try await store.transaction { session in try fill(session) }
            try await store.read { session in
                let range: [SQLValue] = [.bytes(id(0)), .bytes(id(255))]
                #expect(try session.row(HistoryStatements.notification, range)?.integer("source") == 7)
                #expect(try session.row(HistoryStatements.messages, range)?.bytes("sealed") == [1, 2, 3])
                let state = try session.row(HistoryStatements.states, range)
                #expect(try state?.integer("state") == 5)
                #expect(try state?.integer("sequence") == 12)
                #expect(try session.row(HistoryStatements.attempts, range)?.text("connection") == "north")
                #expect(try session.row(HistoryStatements.receipts, range)?.text("provider_id") == "p1")
                #expect(try session.row(HistoryStatements.inbound, [.bytes(id(0, after: 60)), .bytes(id(255, after: 60))]) != nil)

                let newest = SearchSlot.of(now + 86_400_000)
                func search(_ hash: Int64, below: [UInt8], maximum: Int = 10) throws -> [[UInt8]] {
                    try session.rows(
                        HistoryStatements.search,
                        [
                            .number(SearchKind.phone.rawValue), .integer(hash), .integer(newest), .integer(newest - 100), .bytes(below),
                            .number(maximum),
                        ]
                    ).map { try $0.bytes("id") }
                }
                let end = HistoryMonth.firstID(now + 86_400_000)
                #expect(try search(-77, below: end) == [id(1, after: 900_000), id(1)])
                #expect(try search(-77, below: end, maximum: 1) == [id(1, after: 900_000)])
                #expect(try search(-77, below: id(1, after: 900_000)) == [id(1)])
                #expect(try search(78, below: end).isEmpty)

                let bounds: [SQLValue] = [.bytes(end), .bytes(HistoryMonth.firstID(now))]
                let ends = try session.rows(HistoryStatements.undelivered, [.number(5)] + bounds + [.number(10)])
                #expect(try ends.map { try $0.integer("reason") } == [1])
                let recent = try session.rows(HistoryStatements.recent, bounds + [.number(10)])
                #expect(try recent.map { try $0.optionalInteger("state") } == [nil, 5])
            }
            guard engine == .postgres else { return }
            try await store.transaction { try HistoryMonth(of: now).drop($0) }
            let place = try await history(store, at: HistoryMonth(of: now))
            #expect(place == nil)
        }
    }

    /// What a row of a month without a place says; nil: its fault, as it should.
    private func history(_ store: SQLStore, at month: HistoryMonth) async throws -> Int? {
        do {
            return try await store.transaction { session -> Int in
                try fill(session)
                return 1
            }
        } catch SQLFault.constraint {
            return nil
        }
    }

    @Sendable private func fill(_ session: SQLSession) throws {
        let now = StoreSchemaTests.now
        var notifications = SQLBatch(
            table: "notification", columns: ["id", "source", "class", "received_at", "deadline", "key_id"])
        var messages = SQLBatch(table: "message", columns: ["id", "channel", "parts", "key_id", "sealed"])
        var lookup = SQLBatch(table: "lookup", columns: ["slot", "kind", "hash", "id"])
        for after: Int64 in [0, 900_000] {
            notifications.append(.bytes(id(0, after: after)), .number(7), .number(4), .integer(now + after), .integer(now), .number(1))
            messages.append(.bytes(id(1, after: after)), .number(1), .number(2), .number(1), .bytes([1, 2, 3]))
            lookup.append(
                .integer(SearchSlot.of(now + after)), .number(SearchKind.phone.rawValue), .number(-77), .bytes(id(1, after: after)))
        }
        for batch in [notifications, messages, lookup] { try session.bulk(batch) }
        // The newest state wins, in whichever order they come.
        for (sequence, state) in [(12, 5), (11, 3)] {
            var states = SQLBatch(
                table: "state",
                columns: ["id", "sequence", "state", "reason", "flags", "route", "attempts", "changed_at", "ended_at", "mac"])
            states.append(
                .bytes(id(0)), .number(sequence), .number(state), .number(1), .number(0), .number(1), .number(1), .integer(now),
                .integer(now), .bytes([1]))
            try session.bulk(states, merge: SQLMerge(key: ["id"], newest: "sequence"))
        }
        var ends = SQLBatch(table: "undelivered", columns: ["id", "state", "reason", "source"])
        ends.append(.bytes(id(0)), .number(5), .number(1), .number(7))
        try session.bulk(ends, merge: SQLMerge(key: ["state", "id"]))
        var attempts = SQLBatch(
            table: "attempt",
            columns: ["id", "sequence", "attempt", "part", "outcome", "status", "handed_at", "answered_at", "connection", "provider_id"])
        attempts.append(
            .bytes(id(1)), .number(10), .number(1), .number(0), .number(1), .number(0), .integer(now), .integer(now), .text("north"),
            .text("p1"))
        var receipts = SQLBatch(table: "receipt", columns: ["id", "sequence", "part", "state", "error", "heard_at", "provider_id"])
        receipts.append(.bytes(id(1)), .number(12), .number(0), .number(5), .number(3), .integer(now), .text("p1"))
        var inbound = SQLBatch(
            table: "inbound", columns: ["id", "source", "route", "received_at", "parts", "missing", "key_id", "sealed"])
        inbound.append(
            .bytes(id(0, after: 60)), .number(7), .number(1), .integer(now), .number(1), .number(0), .number(1), .bytes([9]))
        for batch in [attempts, receipts, inbound] { try session.bulk(batch) }
    }

    private func id(_ ordinal: UInt8, after milliseconds: Int64 = 0) -> [UInt8] { StoreSchemaTests.id(ordinal, after: milliseconds) }
    private var now: Int64 { StoreSchemaTests.now }
}

/// The files of `sql/` as part of the program.
@Suite("Reference of the schema")
struct StoreFilesReferenceTests {
    @Test("The program carries the files of sql/ as they are")
    func fresh() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let folder = root.appending(path: "sql").path
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".sql") }.sorted()
        let files = try names.map { (name: $0, text: try String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8)) }
        let page = root.appending(path: "Sources/MartletStore/StoreSchemaFiles.swift").path
        let text = StoreSchema.source(of: files)
        if ProcessInfo.processInfo.environment["UPDATE_REFERENCE"] == "1" {
            try text.write(toFile: page, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOfFile: page, encoding: .utf8) == text)
        #expect(try StoreSchema.migrator().newest == files.count)
        #expect(StoreSchema.files.map(\.text) == files.map(\.text))
    }
}

@Suite("Store: months")
struct HistoryMonthTests {
    @Test("A month begins where the one before it ends, over leap years and centuries")
    func months() {
        #expect(HistoryMonth(of: 0).number == 0 && HistoryMonth(number: 0).start == 0)
        #expect(HistoryMonth(of: 1_795_400_000_000) == HistoryMonth(number: 56 * 12 + 10))
        // 1 March 2000, 1 March 2100: the one after a leap day, the other not.
        #expect(HistoryMonth(number: 30 * 12 + 2).start == 951_868_800_000 && HistoryMonth(number: 130 * 12 + 2).start == 4_107_542_400_000)
        for number in 0..<2400 {
            let month = HistoryMonth(number: number)
            #expect(HistoryMonth(of: month.start) == month && HistoryMonth(of: month.next.start - 1) == month && month < month.next)
        }
    }

    @Test("An id's first bytes are its moment, and a slot is a quarter of an hour of them")
    func ids() {
        #expect(HistoryMonth.firstID(0x0102_0304_0506) == [1, 2, 3, 4, 5, 6] + [UInt8](repeating: 0, count: 10))
        #expect(SearchSlot.of(899_999) == 0 && SearchSlot.of(900_000) == 1)
        #expect(HistoryMonth(number: 600).start % SearchSlot.milliseconds == 0)
    }
}

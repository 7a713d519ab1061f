import Foundation
import Guard
import MartletStore
import PostgresServer
import SQL
import Testing

@testable import MartletDesk

/// A desk over a store of its own, and a clock that stands.
enum ReferenceRig {
    static let rowKey = Secret(Array(repeating: 7, count: 32))
    static let now: Int64 = 1_795_400_000_000_000

    static func with(_ engine: SQLStore.Engine, _ body: (Desk, Units) async throws -> Void) async throws {
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
        let store = SQLStore(address, statements: try StoreStatements.all(), options: options)
        do {
            try await StoreSchema.migrator().migrate(store, now: 1)
            let desk = Desk(store: store, chain: "test", now: { now })
            try await body(desk, Units(desk, rowKey: rowKey))
        } catch {
            await store.close()
            throw error
        }
        await store.close()
    }

    static func caller(_ unit: Int64? = nil, _ name: String = "anna", _ rights: Set<Right> = Set(Right.allCases)) -> Caller {
        Caller(name: "principal:\(name)", rights: rights, unit: unit)
    }

    /// What the audit says was done: act and object, oldest first.
    static func audit(_ desk: Desk) async throws -> [String] {
        try await desk.store.read { session in
            try session.rows(StoreStatements.auditForward, [.number(0), .number(1000)])
                .map { "\(try $0.text("act")) \(try $0.text("object")) \(try $0.text("outcome"))" }
        }
    }

    /// A hand in the database.
    static func tamper(_ desk: Desk, _ sql: String) async throws {
        try await desk.store.transaction { try $0.define(sql) }
    }

    static func fault(_ body: () async throws -> Void) async -> DeskFault? {
        do {
            try await body()
            return nil
        } catch {
            return error as? DeskFault ?? .broken("\(error)")
        }
    }
}

/// The fields that a fault names.
extension DeskFault {
    var paths: [String] {
        switch self {
        case .invalid(let faults): faults.map { "\($0.path) \($0.code)" }
        case .conflict(let field, _): ["\(field) conflict"]
        default: ["\(self)"]
        }
    }
}

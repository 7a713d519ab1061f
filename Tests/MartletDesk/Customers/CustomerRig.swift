import Foundation
import Guard
import MartletModel
import MartletStore
import PostgresServer
import SQL
import Testing

@testable import MartletDesk

/// A store of either engine and keys of its own, for customers.
struct CustomerRig {
    let store: SQLStore
    let customers: Customers
    let folder: String
    let vault: CustomerVault
    let keys: KeyStore

    /// In November 2026, wall microseconds.
    static let now: Int64 = 1_795_400_000_000_000
    static let anna = Caller(name: "principal:anna", rights: Set(Right.allCases), reason: "complaint 17")

    static func with(
        _ engine: SQLStore.Engine, names: CustomerNames = .numbers, _ body: (CustomerRig) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "customers-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let address: StoreAddress
        switch engine {
        case .sqlite: address = .sqlite(file: "\(folder)/history.db")
        case .postgres:
            let server = try await PostgresServer.shared()
            address = try await StoreAddress(url: server.url(server.makeDatabase()), directory: "")
        }
        let master = try MasterKey.create(at: "\(folder)/master.key")
        let keys = try KeyStore(directory: "\(folder)/keys", master: master, access: .owner(create: true))
        let vault = CustomerVault(
            keys, try SubjectKeys(directory: "\(folder)/keys/subjects", master: master, access: .owner(create: true)))
        let store = SQLStore(address, statements: try StoreStatements.all())
        do {
            try await StoreSchema.migrator().migrate(store, now: 1)
            let desk = Desk(store: store, chain: "martlet-test") { CustomerRig.now }
            try await body(
                CustomerRig(store: store, customers: desk.customers(vault, names: names), folder: folder, vault: vault, keys: keys))
        } catch {
            await store.close()
            throw error
        }
        await store.close()
    }

    /// Somebody with a phone, a mail address, a package and an attribute.
    static func wish(_ reference: String = "40-118-220") -> CustomerWish {
        var wish = CustomerWish()
        wish.reference = reference
        wish.givenName = "Wanda"
        wish.familyName = "Testowa"
        wish.locale = "pl-PL"
        wish.unit = 7
        wish.contacts = [
            .init(kind: "phone", value: "+44 7700 900123"), .init(kind: "email", value: "Wanda@Mail.Example", isVerified: true),
        ]
        wish.packages = [.init(package: 3, from: 20_000, until: nil, channels: ["sms"], isPaused: false, thresholds: [])]
        wish.attributes = [.init(attribute: "loyalty_points", value: "120")]
        return wish
    }

    /// Everything that stands in tables about customers, as bytes one behind the other: what is not in here is in no row.
    func allBytes() async throws -> [UInt8] {
        try await store.read { session in
            var all: [UInt8] = []
            func add(_ rows: [SQLRow]) {
                for value in rows.flatMap(\.values) {
                    switch value {
                    case .bytes(let bytes): all += bytes
                    case .text(let text): all += text.utf8
                    case .integer(let number): withUnsafeBytes(of: number.bigEndian) { all += $0 }
                    case .null: break
                    }
                }
            }
            let rows = try session.rows(CustomerStatements.changes, [.integer(0), .number(5000)])
            add(rows)
            for row in rows {
                let subject = try row.integer("subject")
                add(try session.rows(ConsentStatements.page, [.integer(subject), .integer(0), .number(500)]))
                add(try session.rows(PackageStatements.page, [.integer(subject), .integer(0), .number(500)]))
                add(try session.rows(ContactStatements.page, [.integer(subject), .integer(.max), .integer(0), .number(500)]))
            }
            return all
        }
    }

    func change(_ sql: String) async throws { try await store.transaction { try $0.define(sql) } }

    func write(_ text: String, _ name: String) throws -> String {
        try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        return "\(folder)/\(name)"
    }

    /// Of a call that must fail.
    static func fault<Result>(_ body: () async throws -> Result) async throws -> DeskFault {
        do {
            _ = try await body()
        } catch let fault as DeskFault {
            return fault
        }
        throw NotFailed()
    }

    struct NotFailed: Error {}
}

extension [UInt8] {
    func holds(_ part: some Collection<UInt8>) -> Bool { firstRange(of: part) != nil }

    /// A hash as a column or a packed list has it.
    func holds(_ hash: UInt64) -> Bool { Swift.withUnsafeBytes(of: hash.bigEndian) { holds(Array($0)) } }
}

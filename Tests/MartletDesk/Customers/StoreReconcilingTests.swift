import Foundation
import Guard
import Journal
import MartletModel
import MartletStore
import SQL
import Testing

@testable import MartletDesk

@Suite("Customers: store and keys after a restore") struct StoreReconcilingTests {
    private static let caller = Caller.system("reconcile")

    /// The same store with other keys of customers.
    private static func customers(_ rig: CustomerRig, _ name: String, _ body: (SubjectKeys) throws -> Void = { _ in }) throws -> Customers {
        let master = try MasterKey.load(from: "\(rig.folder)/master.key")
        let keys = try KeyStore(directory: "\(rig.folder)/keys", master: master, access: .reader)
        let subjects = try SubjectKeys(directory: "\(rig.folder)/\(name)", master: master, access: .owner(create: true))
        try body(subjects)
        return Customers(desk: rig.customers.desk, vault: CustomerVault(keys, subjects), names: .numbers)
    }

    private static func reconcile(_ customers: Customers, _ rig: CustomerRig, givesUp: Bool = false) async throws -> StoreReconciling.Report
    {
        try await StoreReconciling(customers, journal: "\(rig.folder)/journal", folder: "\(rig.folder)/desk").run(
            givesUp: givesUp, by: caller)
    }

    private static func wish(_ number: Int) -> CustomerWish {
        var wish = CustomerRig.wish("r\(number)")
        wish.contacts = [.init(kind: "phone", value: "+4477009001\(10 + number)")]
        return wish
    }

    @Test(
        "Who was erased behind the backup, of the store or of the keys, is erased again, and the node gets its customers anew",
        arguments: SQLStore.Engine.allCases)
    func erasedAgain(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            for number in 1...4 { _ = try await rig.customers.add(Self.wish(number), by: CustomerRig.anna) }
            _ = try rig.vault.subjects.exportBackup(to: "\(rig.folder)/backup")
            try await rig.customers.erase(3, by: CustomerRig.anna)
            // The store is older than the list: the row of 2 is there, its key is not. The keys are older than the store: 3 has one.
            let customers = try Self.customers(rig, "older") { subjects in
                _ = try subjects.restore(from: "\(rig.folder)/backup", time: 1)
                try subjects.erase([2], time: 2)
            }
            try await rig.change("INSERT INTO cursor (follower, partition, sequence, position, updated_at) VALUES ('local', 0, 4, 4, 1)")
            let report = try await Self.reconcile(customers, rig)
            #expect(report == .init(customers: 4, erasedAgain: 1, keysErased: 1, history: .otherLog))
            #expect(try await customers.find(phone: "+447700900112", by: CustomerRig.anna).isEmpty)
            #expect(try await customers.find(phone: "+447700900111", by: CustomerRig.anna).map(\.id) == [1])
            #expect(customers.vault.subjects.key(3).key == nil && customers.vault.subjects.key(4).key != nil)
            #expect(try await rig.store.read { try $0.rows(StoreStatements.cursors, [.text("local")]).isEmpty })
            #expect(try await Self.reconcile(customers, rig) == .init(customers: 4, history: .otherLog))
        }
    }

    @Test(
        "Lost keys are counted, given up only when that is said; no number is given out a second time", arguments: SQLStore.Engine.allCases)
    func lost(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            for number in 1...3 { _ = try await rig.customers.add(Self.wish(number), by: CustomerRig.anna) }
            try await CustomerKeysCheck.run(rig.store, rig.vault.subjects)
            let customers = try Self.customers(rig, "empty")
            let fault = try await CustomerRig.fault { try await CustomerKeysCheck.run(rig.store, customers.vault.subjects) }
            guard case .broken(let words) = fault else { throw CustomerRig.NotFailed() }
            #expect(words.contains("up to number 3") && words.contains("martlet keys restore"))
            #expect(try await Self.reconcile(customers, rig) == .init(customers: 3, lost: 3, history: .otherLog))
            try await CustomerKeysCheck.run(rig.store, customers.vault.subjects)
            #expect(try await Self.reconcile(customers, rig, givesUp: true) == .init(customers: 3, lost: 3, givenUp: 3, history: .otherLog))
            #expect(try await customers.find(phone: "+447700900111", by: CustomerRig.anna).isEmpty)
            #expect(try await customers.add(Self.wish(1), by: CustomerRig.anna).id == 4)
            try await rig.verifyAudit(entries: 3 + 1 + 3 + 1 + 1)
            let reader = Caller(name: "principal:c", rights: [.readCustomers])
            #expect(
                try await CustomerRig.fault { try await StoreReconciling(customers, journal: "", folder: "").run(by: reader) }
                    == .forbidden(.eraseCustomers))
        }
    }

    @Test(
        "Damaged rows are set aside and named, all others are reconciled; who was erased is erased again, damaged or not",
        arguments: SQLStore.Engine.allCases)
    func damaged(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            for number in 1...5 { _ = try await rig.customers.add(Self.wish(number), by: CustomerRig.anna) }
            _ = try rig.vault.subjects.exportBackup(to: "\(rig.folder)/backup")
            let customers = try Self.customers(rig, "older") { subjects in
                _ = try subjects.restore(from: "\(rig.folder)/backup", time: 1)
                try subjects.erase([2, 4], time: 2)
            }
            // The last one says that it was changed long after all others.
            try await rig.change("UPDATE customer SET unit = unit + 1 WHERE subject IN (1, 2)")
            try await rig.change("UPDATE customer SET change = change + 1000000 WHERE subject = 5")
            let report = try await Self.reconcile(customers, rig)
            #expect(report == .init(customers: 5, erasedAgain: 2, damaged: [1, 5], history: .otherLog))
            #expect(try await customers.setAside(after: 0, limit: 9) == [1, 5])
            #expect(try await customers.find(phone: "+447700900113", by: CustomerRig.anna).map(\.id) == [3])
            #expect(try await customers.find(phone: "+447700900112", by: CustomerRig.anna).isEmpty)
            let entry = try await rig.store.read { try $0.rows(StoreStatements.auditForward, [.number(0), .number(1000)]).last }
            #expect(try entry?.text("outcome") == "done: 2 erased again, 0 keys, 0 lost, 0 given up, 2 damaged")
            try await rig.change("UPDATE customer SET unit = unit - 1 WHERE subject = 1")
            try await customers.erase(5, by: CustomerRig.anna)
            #expect(try await Self.reconcile(customers, rig) == .init(customers: 5, history: .otherLog))
        }
    }

    @Test("A database that was not migrated yet has no customers; one that refuses, or is away, is no answer")
    func highest() async throws {
        let empty = SQLStore(.sqlite(file: ""), statements: try StoreStatements.all())
        #expect(try await CustomerKeysCheck.highest(empty) == 0)
        try await empty.transaction { try $0.define("CREATE TABLE customer (name TEXT)") }
        await #expect(throws: SQLFault.self) { try await CustomerKeysCheck.highest(empty) }
        await empty.close()
        await #expect(throws: SQLFault.self) { try await CustomerKeysCheck.highest(empty) }
    }

    @Test(
        "Keys of customers may begin anew only where neither the store nor the node's copy ever had a customer",
        arguments: SQLStore.Engine.allCases)
    func mayBegin(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let local = "\(rig.folder)/copies"
            #expect(try await CustomerKeysCheck.mayBegin(rig.store, local: local))
            try FileManager.default.createDirectory(atPath: local, withIntermediateDirectories: true)
            #expect(try await CustomerKeysCheck.mayBegin(rig.store, local: local))
            let made = try await rig.customers.add(Self.wish(1), by: CustomerRig.anna)
            #expect(try await !CustomerKeysCheck.mayBegin(rig.store, local: local))
            // One who was erased had a key too.
            try await rig.customers.erase(made.id, by: CustomerRig.anna)
            #expect(try await !CustomerKeysCheck.mayBegin(rig.store, local: local))
            await #expect(throws: (any Error).self) { try await CustomerKeysCheck.mayBegin(rig.store, local: "\(rig.folder)/master.key") }
        }
        // The node's copy says it without a database.
        let away = SQLStore(.sqlite(file: "/nowhere/at/all.db"), statements: try StoreStatements.all())
        let folder = FileManager.default.temporaryDirectory.appending(path: "may-begin-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        await #expect(throws: SQLFault.self) { try await CustomerKeysCheck.mayBegin(away, local: folder) }
        try Data().write(to: URL(fileURLWithPath: "\(folder)/customers-7.base"))
        #expect(try await !CustomerKeysCheck.mayBegin(away, local: folder))
        await away.close()
    }

    @Test(
        "A history that is ahead of a restored log goes on from the log's end; one that is behind stays",
        arguments: SQLStore.Engine.allCases)
    func place(engine: SQLStore.Engine) async throws {
        try await ProjectorTests.with(engine) { rig in
            for number in 0..<20 { try rig.message(number) }
            rig.commit()
            try await rig.projector().catchUp()
            let master = try MasterKey.load(from: "\(rig.directory)/master.key")
            let subjects = try SubjectKeys(directory: "\(rig.directory)/keys/subjects", master: master, access: .owner(create: true))
            let customers = rig.desk.customers(CustomerVault(rig.keys, subjects))
            func reconcile() async throws -> StoreReconciling.HistoryPlace {
                try await StoreReconciling(customers, journal: "\(rig.directory)/journal", folder: "\(rig.directory)/desk").run(
                    by: Self.caller
                ).history
            }
            #expect(try await reconcile() == .follows)
            let before = try await rig.store.read { try HistoryWriter.place($0) }
            try await rig.store.transaction { try $0.define("UPDATE cursor SET position = position + 100000 WHERE partition = -1") }
            #expect(try await reconcile() == .movedBack)
            let after = try await rig.store.read { try HistoryWriter.place($0) }
            #expect(after.position == before.position && after.sequences.isEmpty && after.journal == before.journal)
            // The node was told of a store that had more, or of another log: it is told what this one has.
            try FileManager.default.createDirectory(atPath: "\(rig.directory)/desk", withIntermediateDirectories: true)
            let cursor = PlaceFile("\(rig.directory)/desk/\(LogKeeper.name)")
            let journal = try #require(before.journal)
            for told in [
                PlaceFile.Place(journal: journal, position: .max), PlaceFile.Place(journal: JournalID(high: 1, low: 1), position: 8),
            ] {
                try cursor.replace(told)
                #expect(try await reconcile() == .follows)
                #expect(try cursor.read() == PlaceFile.Place(journal: journal, position: before.position))
            }
            #expect(try await reconcile() == .follows)
            for number in 20..<25 { try rig.message(number) }
            rig.commit()
            try await rig.projector().catchUp()
            #expect(try await rig.counts(["notification"]) == [25])
        }
    }
}

import ArgumentParser
import Foundation
import Guard
import MartletNode
import Testing

@testable import martlet

/// `martlet keys` and `martlet store` for backup and restore, as an operator meets them; what is in a backup is proved elsewhere.
@Suite("Backup: verbs")
struct BackupCommandTests {
    let folder: String
    var data: String { "\(folder)/data" }
    var place: [String] { ["--config", "\(folder)/martlet.yaml", "--data", data] }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "backup-verbs-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: "\(folder)/data", withIntermediateDirectories: true)
        try settings(master: "master.key")
        let master = try MasterKey.create(at: "\(folder)/master.key")
        _ = try KeyStore(directory: "\(data)/keys", master: master, access: .owner(create: true))
        let subjects = try SubjectKeys(directory: "\(data)/keys/subjects", master: master, access: .owner(create: true))
        _ = try subjects.make(3)
    }

    func settings(master: String, store: String = "sqlite:history.db") throws {
        try """
        keys: {master: \(folder)/\(master)}
        store: {url: "\(store)", tls: "off"}
        connections:
          - {name: a, group: g, host: 127.0.0.1, systemId: m}

        """.write(toFile: "\(folder)/martlet.yaml", atomically: true, encoding: .utf8)
    }

    private func run(_ arguments: String...) async throws -> Int32 {
        var command = try Martlet.parseAsRoot(arguments + place)
        do {
            if var asynchronous = command as? any AsyncParsableCommand { try await asynchronous.run() } else { try command.run() }
            return 0
        } catch let code as ExitCode {
            return code.rawValue
        }
    }

    private func end() { try? FileManager.default.removeItem(atPath: folder) }

    @Test("Keys are saved, checked, and come back where they are lost; damage and a wrong master key are named by the exit code")
    func keys() async throws {
        defer { end() }
        let backup = "\(folder)/keys"
        #expect(try await run("keys", "backup", backup) == 0)
        #expect(try await run("keys", "backup", backup) == 1)
        #expect(try await run("keys", "check", backup) == 0)
        #expect(try await run("keys", "check") == 0)
        try FileManager.default.removeItem(atPath: "\(data)/keys")
        #expect(try await run("keys", "check") == 1)
        try Data(repeating: 1, count: 24).write(to: URL(fileURLWithPath: "\(folder)/bad"))
        #expect(try await run("keys", "restore", backup, "--erased", "\(folder)/bad") == 1)
        #expect(try await run("keys", "restore", backup, "--erased", "\(folder)/none") == 1)
        do {
            let node = try DirectoryLock(data)
            #expect(try await run("keys", "restore", backup) == ExitStatus.dataInUse)
            withExtendedLifetime(node) {}
        }
        #expect(try await run("keys", "restore", backup) == 0)
        #expect(try await run("keys", "check") == 0)
        do {
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(data)/keys/subjects/00000000.chunk"))
            try handle.seek(toOffset: 4096 + 48)
            try handle.write(contentsOf: [1, 2, 3])
            try handle.close()
        }
        #expect(try await run("keys", "check") == 1)
        #expect(try await run("keys", "backup", "\(folder)/keys2") == 1)
        #expect(try await run("keys", "restore", backup) == 0)
        #expect(try await run("keys", "check") == 0)
        try FileManager.default.removeItem(atPath: "\(backup)/subjects")
        #expect(try await run("keys", "restore", backup) == 0)

        _ = try MasterKey.create(at: "\(folder)/other.key")
        try settings(master: "other.key")
        #expect(try await run("keys", "check") == ExitStatus.badSettings)
        #expect(try await run("keys", "backup", "\(folder)/keys3") == ExitStatus.badSettings)
        #expect(try await run("keys", "restore", backup) == ExitStatus.badSettings)
        try settings(master: "none.key")
        #expect(try await run("keys", "check") == ExitStatus.badSettings)
    }

    @Test("A damaged check, seed or head of keys is brought back; a key that is damaged on both sides is told by the exit code")
    func damagedKeys() async throws {
        defer { end() }
        let backup = "\(folder)/keys"
        do {
            let master = try MasterKey.load(from: "\(folder)/master.key")
            let keys = try KeyStore(directory: "\(data)/keys", master: master, access: .owner(create: false))
            try keys.prepare(days: 20_779...20_779, classes: [1, 2])
        }
        #expect(try await run("keys", "backup", backup) == 0)
        for name in ["check", "seed", "subjects/head"] {
            try "nonsense\n".write(toFile: "\(data)/keys/\(name)", atomically: true, encoding: .utf8)
            #expect(try await run("keys", "check") == 1)
            #expect(try await run("keys", "restore", backup) == 0)
            #expect(try await run("keys", "check") == 0)
        }
        try "nonsense\n".write(toFile: "\(backup)/00000001.key", atomically: true, encoding: .utf8)
        #expect(try await run("keys", "restore", backup) == 0)
        #expect(try await run("keys", "check") == 0)
        try "nonsense\n".write(toFile: "\(data)/keys/00000001.key", atomically: true, encoding: .utf8)
        #expect(try await run("keys", "restore", backup) == 1)
        #expect(try await run("keys", "check") == 1)
    }

    @Test("A list of erasures whose end was cut short is heeded, one that is damaged refused; with a backup of no customers too")
    func lists() async throws {
        defer { end() }
        let (backup, list) = ("\(folder)/keys", "\(folder)/list")
        #expect(try await run("keys", "backup", backup) == 0)
        func lookup(_ number: UInt32) throws -> Bool {
            let master = try MasterKey.load(from: "\(folder)/master.key")
            return try SubjectKeys(directory: "\(data)/keys/subjects", master: master, access: .reader).key(number).key != nil
        }
        do {
            let master = try MasterKey.load(from: "\(folder)/master.key")
            let elsewhere = try SubjectKeys(directory: "\(folder)/elsewhere", master: master, access: .owner(create: true))
            _ = try elsewhere.make(3)
            try elsewhere.erase([2, 3], time: 1)
        }
        let whole = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/elsewhere/erased"))
        try whole.prefix(24 + 11).write(to: URL(fileURLWithPath: list))
        #expect(try await run("keys", "restore", backup, "--erased", list) == 0)
        #expect(try !lookup(2) && lookup(3))
        // The backup has no customers: those here are held against the list.
        try FileManager.default.removeItem(atPath: "\(backup)/subjects")
        try (whole.prefix(3) + Data([7]) + whole.dropFirst(4)).write(to: URL(fileURLWithPath: list))
        #expect(try await run("keys", "restore", backup, "--erased", list) == 1)
        #expect(try lookup(3))
        #expect(try await run("keys", "restore", backup) == 0)
        #expect(try lookup(3))
        try whole.write(to: URL(fileURLWithPath: list))
        #expect(try await run("keys", "restore", backup, "--erased", list) == 0)
        #expect(try !lookup(3) && lookup(1))
        // Nowhere to erase anybody: refused before a key is brought.
        try FileManager.default.removeItem(atPath: "\(data)/keys")
        #expect(try await run("keys", "restore", backup, "--erased", list) == 1)
        #expect(!FileManager.default.fileExists(atPath: "\(data)/keys"))
        #expect(try await run("keys", "restore", backup) == 0)
        #expect(try await run("keys", "check") == 0)
    }

    @Test("A new master key is brought in, once and again, and the old one is refused from then on")
    func rewrap() async throws {
        defer { end() }
        _ = try MasterKey.create(at: "\(folder)/new.key")
        #expect(try await run("keys", "rewrap", "\(folder)/master.key") == ExitStatus.badSettings)
        #expect(try await run("keys", "rewrap", "\(folder)/none.key") == ExitStatus.badSettings)
        #expect(try await run("keys", "rewrap", "\(folder)/new.key") == 0)
        #expect(try await run("keys", "rewrap", "\(folder)/new.key") == 0)
        #expect(try await run("keys", "check") == ExitStatus.badSettings)
        try settings(master: "new.key")
        #expect(try await run("keys", "check") == 0)
    }

    @Test("A store is saved, is not written over, and comes back behind its keys")
    func store() async throws {
        defer { end() }
        let backup = "\(folder)/store"
        #expect(try await run("store", "backup", "\(folder)/early") == 1)
        #expect(try await run("store", "migrate") == 0)
        try "{}".write(toFile: "\(data)/sources.json", atomically: true, encoding: .utf8)
        #expect(try await run("store", "backup", backup) == 0)
        #expect(try await run("store", "backup", backup) == 1)
        // It is there; then a desk is; then keys are not.
        #expect(try await run("store", "restore", backup) == 1)
        for name in ["history.db", "history.db-wal", "history.db-shm", "sources.json"] {
            try? FileManager.default.removeItem(atPath: "\(data)/\(name)")
        }
        do {
            let desk = try DirectoryLock("\(data)/desk")
            #expect(try await run("store", "restore", backup) == ExitStatus.dataInUse)
            #expect(try await run("store", "reconcile") == ExitStatus.dataInUse)
            withExtendedLifetime(desk) {}
        }
        try FileManager.default.moveItem(atPath: "\(data)/keys", toPath: "\(data)/away")
        #expect(try await run("store", "restore", backup) == ExitStatus.badSettings)
        #expect(try await run("store", "reconcile") == ExitStatus.badSettings)
        try FileManager.default.moveItem(atPath: "\(data)/away", toPath: "\(data)/keys")
        #expect(try await run("store", "restore", "\(folder)/early") == 1)
        #expect(try await run("store", "restore", "\(folder)/none") == 1)
        try? FileManager.default.removeItem(atPath: "\(data)/history.db")
        #expect(try await run("store", "restore", backup) == 0)
        #expect(FileManager.default.fileExists(atPath: "\(data)/sources.json"))
        #expect(try await run("store", "check") == 0)
        // Once more over what is there: refused, and said that it is whole.
        #expect(try await run("store", "restore", backup) == 1)
        // Damage in the copy is found before it is believed.
        try? FileManager.default.removeItem(atPath: "\(data)/history.db")
        try? FileManager.default.removeItem(atPath: "\(data)/history.db-wal")
        let file = URL(fileURLWithPath: "\(backup)/store.db")
        var bytes = try Data(contentsOf: file)
        for place in 4096 * 2..<bytes.count where place % 3 == 0 { bytes[place] = 0xA5 }
        try bytes.write(to: file)
        #expect(try await run("store", "restore", backup) == 1)
    }

    @Test(
        "A restore of the store that was killed at any step goes on with the same directory; with another one it does not, and no desk starts"
    )
    func interrupted() async throws {
        defer { end() }
        let (backup, other, db) = ("\(folder)/store", "\(folder)/other", "\(data)/history.db")
        #expect(try await run("store", "migrate") == 0)
        try "{}".write(toFile: "\(data)/sources.json", atomically: true, encoding: .utf8)
        #expect(try await run("store", "backup", backup) == 0)
        try FileManager.default.copyItem(atPath: backup, toPath: other)
        let mark = try String(contentsOfFile: "\(backup)/backup", encoding: .utf8)
        try "\(mark)again\n".write(toFile: "\(other)/backup", atomically: true, encoding: .utf8)
        let restoring = StoreRestoring(data: data)
        #expect(restoring.last() == nil && restoring.obstacle == nil)

        /// As a killed run left it.
        func left(_ left: StoreRestoring.Left, store: Data?, small: Bool) throws {
            for name in ["history.db", "history.db-wal", "history.db-shm", "sources.json", "desk/restore"] {
                try? FileManager.default.removeItem(atPath: "\(data)/\(name)")
            }
            try FileManager.default.createDirectory(atPath: "\(data)/desk", withIntermediateDirectories: true)
            try restoring.note(.init(left: left, from: backup, mark: mark))
            try store?.write(to: URL(fileURLWithPath: db))
            if small { try "{}".write(toFile: "\(data)/sources.json", atomically: true, encoding: .utf8) }
            for name in (store == nil ? ["history.db"] : []) + (small ? [] : ["sources.json"]) + ["desk/restore"] {
                try "half".write(toFile: "\(data)/\(name).unfinished", atomically: true, encoding: .utf8)
            }
        }
        let states: [(StoreRestoring.Left, Bool, Bool)] = [
            (.store, false, false), (.store, true, false), (.files, true, false), (.files, true, true), (.reconcile, true, true),
        ]
        for (index, state) in states.enumerated() {
            // Read each time: that the copy was checked may leave a trace in its head.
            let copy = try Data(contentsOf: URL(fileURLWithPath: "\(backup)/store.db"))
            try left(state.0, store: state.1 ? copy : nil, small: state.2)
            #expect(restoring.obstacle?.contains(backup) == true)
            if state.0 != .reconcile { #expect(try await run("store", "reconcile") == 1) }
            if state.1 { #expect(try await run("store", "restore", other) == 1, "state \(index)") }
            #expect(try await run("store", "restore", backup) == 0, "state \(index)")
            #expect(restoring.last()?.left == .nothing && restoring.obstacle == nil)
            #expect(try await run("store", "check") == 0)
            #expect(try String(contentsOfFile: "\(data)/sources.json", encoding: .utf8) == "{}")
            #expect(!FileManager.default.fileExists(atPath: "\(db).unfinished"))
        }
        // A file that came there otherwise is not taken for the backup's, neither one of its length nor one with a log beside it.
        let saved = try Data(contentsOf: URL(fileURLWithPath: "\(backup)/store.db"))
        var foreign = saved
        foreign[foreign.count - 1] ^= 1
        for store in [Data("other".utf8), saved + Data([0]), foreign] {
            try left(.store, store: store, small: false)
            #expect(try await run("store", "restore", backup) == 1)
            #expect(try Data(contentsOf: URL(fileURLWithPath: db)) == store)
        }
        try left(.store, store: saved, small: false)
        try Data([1]).write(to: URL(fileURLWithPath: "\(db)-wal"))
        #expect(try await run("store", "restore", backup) == 1)
        // Nothing came yet: another backup may take its place. What cannot be understood is no reason to start.
        try left(.store, store: nil, small: false)
        #expect(try await run("store", "restore", other) == 0)
        try "nonsense".write(toFile: restoring.path, atomically: true, encoding: .utf8)
        #expect(restoring.last()?.left == .store && restoring.obstacle != nil)
        // A reconciliation ends a restore of which only that was left.
        try left(.reconcile, store: saved, small: true)
        #expect(try await run("store", "reconcile") == 0)
        #expect(restoring.last()?.left == .nothing)
    }

    @Test("Of a PostgreSQL database the small files are saved, and how to save the rest is said; engines are not mixed")
    func postgres() async throws {
        defer { end() }
        #expect(try await run("store", "migrate") == 0)
        #expect(try await run("store", "backup", "\(folder)/sqlite") == 0)
        try settings(master: "master.key", store: "postgresql://m@127.0.0.1:1/none")
        #expect(try await run("store", "backup", "\(folder)/postgres") == 0)
        #expect(try await run("store", "restore", "\(folder)/sqlite") == 1)
        #expect(try await run("store", "restore", "\(folder)/postgres") == 1)
        try settings(master: "master.key")
        #expect(try await run("store", "restore", "\(folder)/postgres") == 1)
    }
}

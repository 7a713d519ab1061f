import Crypto
import Glibc
import Testing

@testable import Guard

/// Each test damages files of a store or of its backup, restores, and looks at every file.
@Suite("Key store: restore where both sides are damaged")
struct KeyStoreRestoreTests {
    let scratch = Scratch()
    let master = masterKey()
    var directory: String { scratch.file("keys") }
    var backup: String { scratch.file("backup") }

    /// A store of four keys and its backup.
    func made() throws -> Secret {
        let store = try KeyStore(directory: directory, master: master, access: .owner(create: true))
        try store.prepare(days: 20_779...20_780, classes: [1, 2])
        _ = try KeyStore.backUp(directory, master: master, to: backup)
        return store.lookupHashKey
    }

    func damage(_ name: String) {
        var bytes = scratch.read(name)
        bytes[bytes.count - 9] ^= 4
        scratch.put(name, bytes)
    }

    func restore() throws -> KeyStore.RestoreReport { try KeyStore.restore(directory, master: master, from: backup) }

    @Test("What is damaged in the backup is named and not copied; a key that is good in neither place is lost, and said so")
    func bothDamaged() throws {
        _ = try made()
        for name in ["backup/00000001.key", "backup/00000002.key", "keys/00000002.key", "keys/00000003.key"] { damage(name) }
        let good = scratch.read("keys/00000001.key")
        let report = try restore()
        let named = ["00000001.key", "00000002.key"].map { KeyStoreFault.damaged(path: "\(backup)/\($0)") }
        #expect(report == .init(keys: 1, damage: named, lost: ["00000002.key"]) && !report.isWhole)
        #expect(scratch.read("keys/00000001.key") == good)
        let store = try KeyStore(directory: directory, master: master, access: .reader)
        #expect(store.damage == [.damaged(path: "\(directory)/00000002.key")])
        // Missing here and damaged there is lost too; where all is good here, the backup's damage is all there is to say.
        unlink("\(directory)/00000002.key")
        #expect(try restore() == .init(damage: named, lost: ["00000002.key"]))
    }

    @Test("A damaged key that the backup never had is lost; one whose destruction was cut short is not")
    func unknownToBackup() throws {
        _ = try made()
        do {
            let store = try KeyStore(directory: directory, master: master, access: .owner(create: false))
            try store.prepare(days: 20_781...20_781, classes: [1, 2])
        }
        damage("keys/00000005.key")
        scratch.put("keys/00000006.key", [UInt8](repeating: 0, count: 100))
        #expect(try restore() == .init(lost: ["00000005.key"]))
    }

    @Test("A damaged check or seed comes back, alone and together, and the store opens with the hash keys of before")
    func checkAndSeed() throws {
        let hashes = try made()
        for names in [["check"], ["seed"], ["check", "seed"]] {
            for name in names { damage("keys/\(name)") }
            #expect(throws: KeyStoreFault.self) { try KeyStore(directory: directory, master: master, access: .owner(create: false)) }
            #expect(try restore() == .init(files: names.sorted(by: >)), "\(names)")
            let store = try KeyStore(directory: directory, master: master, access: .owner(create: false))
            #expect(store.lookupHashKey == hashes && store.damage.isEmpty)
        }
        // The key id in the words of the check: it names another master key, and what is beside it opens all the same.
        scratch.put(
            "keys/check", scratch.read("keys/check").enumerated().map { $0.offset == 23 ? ($0.element == 48 ? 49 : 48) : $0.element })
        #expect(throws: KeyStoreFault.self) { try KeyStore(directory: directory, master: master, access: .reader) }
        #expect(try restore() == .init(files: ["check"]))
        #expect(try KeyStore(directory: directory, master: master, access: .reader).lookupHashKey == hashes)
    }

    @Test("A backup whose check, next or seed is damaged gives what is good in it, and the file is named")
    func damagedBackup() throws {
        let hashes = try made()
        for name in ["check", "next", "seed"] { damage("backup/\(name)") }
        // Nothing is left that proves the master key.
        #expect(throws: KeyStoreFault.damaged(path: "\(backup)/check")) { try restore() }
        damage("backup/seed")
        unlink("\(directory)/00000001.key")
        var report = try restore()
        #expect(report == .init(keys: 1, damage: [.damaged(path: "\(backup)/check"), .damaged(path: "\(backup)/next")]))
        scratch.put("backup/check", scratch.read("keys/check"))
        unlink("\(backup)/next")
        damage("backup/seed")
        // That it is of this installation is shown by a key that both have.
        unlink("\(directory)/00000002.key")
        report = try restore()
        #expect(report.keys == 1 && report.damage == [.damaged(path: "\(backup)/seed"), .incomplete(directory: backup, file: "next")])
        #expect(try KeyStore(directory: directory, master: master, access: .reader).lookupHashKey == hashes)
        // Good in neither place: nothing is changed.
        damage("keys/seed")
        unlink("\(directory)/00000003.key")
        #expect(throws: KeyStoreFault.damaged(path: "\(backup)/seed")) { try restore() }
        #expect(!scratch.names("keys").contains("00000003.key"))
        unlink("\(backup)/seed")
        #expect(throws: KeyStoreFault.incomplete(directory: backup, file: "seed")) { try restore() }
        scratch.put("backup/rewrap", [1])
        #expect(throws: KeyStoreFault.rewrapping(directory: backup)) { try restore() }
        #expect(throws: KeyStoreFault.missing(directory: "/nowhere")) { try KeyStore.restore(directory, master: master, from: "/nowhere") }
    }

    @Test("Keys are never mixed where nothing shows that both are of one installation")
    func kin() throws {
        _ = try made()
        let other = KeyStoreFault.otherInstallation(directory: directory, backup: backup)
        func forget() {
            for name in scratch.names("keys") { unlink("\(directory)/\(name)") }
        }
        func another(_ master: MasterKey) throws {
            forget()
            let store = try KeyStore(directory: directory, master: master, access: .owner(create: true))
            try store.prepare(days: 20_779...20_779, classes: [1])
        }
        // The same number, another key, and a seed that says nothing.
        try another(master)
        damage("keys/seed")
        #expect(throws: other) { try restore() }
        // No number in common.
        try another(master)
        unlink("\(backup)/00000001.key")
        damage("keys/seed")
        #expect(throws: other) { try restore() }
        // Another master key, whose check is whole, then damaged beyond its words.
        try another(masterKey(9))
        #expect(throws: KeyStoreFault.wrongMasterKey(directory: directory, expected: masterKey(9).idText, given: master.idText)) {
            try restore()
        }
        scratch.write("keys/check", "nonsense\n")
        #expect(throws: other) { try restore() }
        // A damaged check alone stands for nothing.
        forget()
        scratch.write("keys/check", "nonsense\n")
        #expect(try restore().files == ["seed", "check"])
    }
}

import Crypto
import Glibc
import Testing

@testable import Guard

@Suite("Key store: backup and restore")
struct KeyStoreBackupTests {
    let scratch = Scratch()
    let master = masterKey()
    var directory: String { scratch.file("keys") }
    var backup: String { scratch.file("backup") }

    func made() throws -> (lookup: Secret, keys: [DataKey]) {
        let store = try KeyStore(directory: directory, master: master, access: .owner(create: true))
        try store.prepare(days: 20_779...20_780, classes: [1, 2])
        return (store.lookupHashKey, try [1, 2].map { try store.key(class: $0, day: 20_779) })
    }

    func forget() {
        for name in scratch.names("keys") { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }

    @Test("A lost store comes back with its hash keys, and no number that may have been given since is given again")
    func lost() throws {
        let made = try made()
        #expect(try KeyStore.backUp(directory, master: master, to: backup) == KeyStore.BackupReport(keys: 4))
        forget()
        #expect(try KeyStore.restore(directory, master: master, from: backup) == .init(keys: 4, files: ["seed", "check"]))
        let store = try KeyStore(directory: directory, master: master, access: .owner(create: false))
        #expect(store.lookupHashKey == made.lookup && store.damage.isEmpty)
        for key in made.keys { #expect(store.key(id: key.id)?.symmetric == key.symmetric) }
        try store.prepare(days: 20_781...20_781, classes: [1])
        #expect(try store.key(class: 1, day: 20_781).id == 5 + KeyStore.numbersLeftOut)
        // Once more it brings nothing and leaves no number out.
        #expect(try KeyStore.restore(directory, master: master, from: backup) == .init())
        let again = try KeyStore(directory: directory, master: master, access: .owner(create: false))
        #expect(try again.key(class: 9, day: 1).id == 6 + KeyStore.numbersLeftOut)
    }

    @Test("Interrupted after any file, the next call ends it; a damaged key is mended, a good one stays")
    func interrupted() throws {
        let made = try made()
        _ = try KeyStore.backUp(directory, master: master, to: backup)
        let files = scratch.names("backup").filter { $0 != "check" && $0 != "next" }
        for count in 0...files.count {
            forget()
            mkdir(directory, 0o700)
            for name in files.prefix(count) { scratch.put("keys/\(name)", scratch.read("backup/\(name)")) }
            _ = try KeyStore.restore(directory, master: master, from: backup)
            let store = try KeyStore(directory: directory, master: master, access: .owner(create: false))
            #expect(store.damage.isEmpty && store.lookupHashKey == made.lookup, "after \(count)")
        }
        scratch.put("keys/00000001.key", Array("nonsense\n".utf8))
        #expect(try KeyStore.restore(directory, master: master, from: backup) == .init(keys: 1))
        #expect(try KeyStore(directory: directory, master: master, access: .reader).damage.isEmpty)
    }

    @Test("A damaged key is named and left out of the copy; an existing directory is not written over")
    func damage() throws {
        _ = try made()
        scratch.put("keys/00000002.key", Array("nonsense\n".utf8))
        let report = try KeyStore.backUp(directory, master: master, to: backup)
        #expect(report.keys == 3 && report.damage == [.damaged(path: "\(directory)/00000002.key")])
        #expect(throws: KeyStoreFault.exists(path: backup)) { try KeyStore.backUp(directory, master: master, to: backup) }
        #expect(throws: KeyStoreFault.self) { try KeyStore.backUp(directory, master: master, to: "\(backup)/no/place") }
        #expect(KeyStoreFault.exists(path: "/k").description.contains("does not"))
    }

    @Test("Keys of two installations are never mixed, a wrong master key brings nothing, an unfinished copy is none")
    func refusals() throws {
        _ = try made()
        _ = try KeyStore.backUp(directory, master: master, to: backup)
        let held = scratch.names("keys").map { scratch.read("keys/\($0)") }
        #expect(throws: KeyStoreFault.self) { try KeyStore.restore(directory, master: masterKey(9), from: backup) }
        #expect(scratch.names("keys").map { scratch.read("keys/\($0)") } == held)
        forget()
        _ = try made()
        let fault = KeyStoreFault.otherInstallation(directory: directory, backup: backup)
        #expect(throws: fault) { try KeyStore.restore(directory, master: master, from: backup) }
        #expect(fault.description.contains("two installations"))
        scratch.put("keys/rewrap", [1])
        #expect(throws: KeyStoreFault.rewrapping(directory: directory)) { try KeyStore.restore(directory, master: master, from: backup) }
        unlink("\(backup)/check")
        #expect(throws: KeyStoreFault.incomplete(directory: backup, file: "check")) {
            try KeyStore.restore(directory, master: master, from: backup)
        }
        #expect(throws: KeyStoreFault.self) { try KeyStore.restore("\(scratch.path)/no/keys", master: master, from: backup) }
    }
}

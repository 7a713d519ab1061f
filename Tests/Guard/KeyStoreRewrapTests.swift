import Crypto
import Glibc
import Testing

@testable import Guard

@Suite("Key store: a new master key")
struct KeyStoreRewrapTests {
    let scratch = Scratch()
    let old = masterKey()
    let new = masterKey(50)
    var directory: String { scratch.file("keys") }

    func opened(_ master: MasterKey) throws -> KeyStore {
        try KeyStore(directory: directory, master: master, access: .owner(create: false))
    }

    func made() throws -> (keys: [DataKey], lookup: Secret, files: [String: [UInt8]]) {
        let store = try KeyStore(directory: directory, master: old, access: .owner(create: true))
        try store.prepare(days: 20_779...20_780, classes: [1, 2])
        let keys = try [1, 2].map { try store.key(class: $0, day: 20_779) }
        var files: [String: [UInt8]] = [:]
        for name in scratch.names("keys") { files[name] = scratch.read("keys/\(name)") }
        return (keys, store.lookupHashKey, files)
    }

    @Test("All keys and hash keys are the same under the new master key, and the old one is refused")
    func change() throws {
        let made = try made()
        var steps: [Int] = []
        try KeyStore.rewrap(directory: directory, from: old, to: new) { done, all in steps.append(done * 100 + all) }
        #expect(steps == (1...7).map { $0 * 100 + 7 })
        let store = try opened(new)
        #expect(store.damage.isEmpty && store.lookupHashKey == made.lookup)
        for key in made.keys { #expect(store.key(id: key.id)?.symmetric == key.symmetric) }
        #expect(try store.key(class: 9, day: 1).id == 5)
        #expect(throws: KeyStoreFault.wrongMasterKey(directory: directory, expected: new.idText, given: old.idText)) { try opened(old) }
        // Done once, it is done.
        try KeyStore.rewrap(directory: directory, from: old, to: new)
        #expect(scratch.names("keys").contains("rewrap") == false)
    }

    @Test("Interrupted after any file the store opens with neither key, says why, and the second call ends it")
    func interrupted() throws {
        let made = try made()
        let names = made.files.keys.sorted()
        try KeyStore.rewrap(directory: directory, from: old, to: new)
        let wrapped = Dictionary(uniqueKeysWithValues: names.map { ($0, scratch.read("keys/\($0)")) })
        let mark = try WrappedLine.make("martlet-rewrap v1 \(old.idText) \(new.idText)", SymmetricKey(size: .bits256), master: new)
        for done in 0...names.count {
            for (index, name) in names.enumerated() { scratch.put("keys/\(name)", (index < done ? wrapped : made.files)[name] ?? []) }
            scratch.put("keys/rewrap", mark)
            for key in [old, new] { #expect(throws: KeyStoreFault.rewrapping(directory: directory)) { try opened(key) } }
            try KeyStore.rewrap(directory: directory, from: old, to: new)
            let store = try opened(new)
            #expect(store.damage.isEmpty && store.lookupHashKey == made.lookup, "after \(done)")
            for key in made.keys { #expect(store.key(id: key.id)?.symmetric == key.symmetric) }
        }
        #expect(KeyStoreFault.rewrapping(directory: "/k").description.contains("both master keys"))
    }

    @Test("A wrong old key changes nothing; a damaged key file stays as it is and is named")
    func refusals() throws {
        #expect(throws: KeyStoreFault.self) { try KeyStore.rewrap(directory: directory, from: old, to: new) }
        mkdir(directory, 0o700)
        #expect(throws: KeyStoreFault.missing(directory: directory)) { try KeyStore.rewrap(directory: directory, from: old, to: new) }
        let made = try made()
        #expect(throws: KeyStoreFault.self) { try KeyStore.rewrap(directory: directory, from: masterKey(3), to: new) }
        for (name, bytes) in made.files { #expect(scratch.read("keys/\(name)") == bytes) }
        scratch.put("keys/00000001.key", Array("nonsense\n".utf8))
        try KeyStore.rewrap(directory: directory, from: old, to: new)
        #expect(try opened(new).damage == [.damaged(path: "\(directory)/00000001.key")])
        // Begun with another pair of keys.
        let mark = try WrappedLine.make("martlet-rewrap v1 00000000 \(new.idText)", SymmetricKey(size: .bits256), master: new)
        scratch.put("keys/rewrap", mark)
        #expect(throws: KeyStoreFault.self) { try KeyStore.rewrap(directory: directory, from: old, to: new) }
    }
}

import Crypto
import Glibc
import Testing

@testable import Guard

@Suite("Key store")
struct KeyStoreTests {
    let scratch = Scratch()
    let master = masterKey()
    var directory: String { scratch.file("keys") }

    func opened(_ access: KeyStore.Access = .owner(create: true), with key: MasterKey? = nil) throws -> KeyStore {
        try KeyStore(directory: directory, master: key ?? master, access: access)
    }

    @Test("A new store has a check, a seed and a number file, all private")
    func creation() throws {
        _ = try opened()
        #expect(scratch.names("keys") == ["check", "next", "seed"])
        var status = stat()
        #expect(stat(directory, &status) == 0 && status.st_mode & 0o777 == 0o700)
    }

    @Test("Keys and hash keys are the same after a restart, and each class and day has its own")
    func restart() throws {
        let first = try opened()
        try first.prepare(days: 20_779...20_780, classes: [1, 2, 3])
        let keys = try [1, 2, 3].flatMap { try [first.key(class: $0, day: 20_779), first.key(class: $0, day: 20_780)] }
        #expect(Set(keys.map(\.id)).count == 6)
        let again = try opened(.owner(create: false))
        for key in keys {
            let same = try #require(again.key(id: key.id))
            #expect(same.symmetric == key.symmetric && same.messageClass == key.messageClass && same.day == key.day)
            #expect(try again.key(class: key.messageClass, day: key.day).id == key.id)
        }
        #expect(again.partitionHashKey == first.partitionHashKey && again.lookupHashKey == first.lookupHashKey)
        #expect(first.partitionHashKey != first.lookupHashKey)
        #expect(again.customerHashKey == first.customerHashKey && again.phoneHashKey == first.phoneHashKey)
        #expect(again.emailHashKey == first.emailHashKey && again.rowKey == first.rowKey)
        let purposes = [
            first.partitionHashKey, first.lookupHashKey, first.customerHashKey, first.phoneHashKey, first.emailHashKey, first.rowKey,
            first.scopeHashKey, first.customerTokenKey,
        ]
        #expect(again.scopeHashKey == first.scopeHashKey && again.customerTokenKey == first.customerTokenKey)
        #expect(Set(purposes.map { $0.withBytes { Array($0) } }).count == 8)
        #expect(again.damage.isEmpty)
        #expect(again.keys(before: 20_780) == [1, 2, 3] && again.keys(before: 20_781).count == 6)
    }

    @Test("The number of an account or card has one hash however it is written, and one as an account that is not its hash as a card")
    func scopes() throws {
        let hashes = CustomerHashes(try opened())
        let account = hashes.account("UA21 3223 1300 0002 6007 2335 6600 1")
        #expect(account == hashes.account("ua213223130000026007233566001") && account != 0)
        #expect(account != hashes.account("UA213223130000026007233566002") && account != hashes.card("UA213223130000026007233566001"))
        #expect(hashes.card("4242-42") == hashes.card("4242 42") && hashes.card(" -.") == 0 && hashes.account("") == 0)
        #expect(hashes.account("Ж1") != hashes.account("1") && CustomerHashes.scopeText(" a-1Ж") == "A1Ж")
    }

    @Test("A file written by another implementation opens, and its key is the one that was wrapped")
    func knownAnswer() throws {
        _ = try opened()
        scratch.write(
            "keys/00000007.key",
            "martlet-data-key v1 00000007 3 20779 AAECAwQFBgcICQoLck0JZDkl5N+0DbL445k5j6X6jU12Dfkt9XYcIxJR18P/afcWD6AcU0NHiu4bF77K\n")
        let key = try #require(try opened().key(id: 7))
        #expect(key.symmetric.withUnsafeBytes { Array($0) } == Array(100..<132))
        #expect(key.messageClass == 3 && key.day == 20_779)
        // A number seen in a file is never given out again, whatever the number file says.
        #expect(try opened().key(class: 4, day: 20_779).id == 8)
    }

    @Test("A wrong master key is refused before anything else, naming both ids")
    func wrongMaster() throws {
        let store = try opened()
        _ = try store.key(class: 1, day: 1)
        let other = masterKey(9)
        let fault = #expect(throws: KeyStoreFault.self) { _ = try opened(.owner(create: true), with: other) }
        #expect(fault == .wrongMasterKey(directory: directory, expected: master.idText, given: other.idText))
        #expect(fault?.description.contains("keys.master") == true)
        scratch.write("keys/check.0.unfinished", "")
        #expect(throws: KeyStoreFault.self) { _ = try opened(.owner(create: true), with: other) }
        #expect(scratch.names("keys").contains("check.0.unfinished"))
    }

    @Test("A store that is not there is made only when that is asked for")
    func missing() throws {
        #expect(throws: KeyStoreFault.missing(directory: directory)) { _ = try opened(.owner(create: false)) }
        #expect(throws: KeyStoreFault.missing(directory: directory)) { _ = try opened(.reader) }
        mkdir(directory, 0o700)
        #expect(throws: KeyStoreFault.missing(directory: directory)) { _ = try opened(.reader) }
        _ = try opened()
    }

    @Test("A store that lost one of its own files is refused by that file's name")
    func incomplete() throws {
        for file in ["check", "seed", "next"] {
            let other = Scratch()
            let path = other.file("keys")
            let store = try KeyStore(directory: path, master: master, access: .owner(create: true))
            _ = try store.key(class: 1, day: 1)
            unlink("\(path)/\(file)")
            let fault = #expect(throws: KeyStoreFault.self) {
                _ = try KeyStore(directory: path, master: master, access: .owner(create: true))
            }
            #expect(fault == .incomplete(directory: path, file: file))
        }
    }

    @Test("A store whose making was interrupted after any of its steps is made to the end")
    func interruptedCreation() throws {
        for lost in [["check", "seed", "next"], ["seed", "next"], ["next"]] {
            let other = Scratch()
            let path = other.file("keys")
            _ = try KeyStore(directory: path, master: master, access: .owner(create: true))
            for file in lost { unlink("\(path)/\(file)") }
            other.write("keys/\(lost[0]).0badc0de.unfinished", "half a li")
            let store = try KeyStore(directory: path, master: master, access: .owner(create: true))
            #expect(try store.key(class: 1, day: 1).id == 1)
            #expect(other.names("keys") == ["00000001.key", "check", "next", "seed"])
        }
    }

    @Test("A crash between writing a key and renaming it leaves no key and no reused number")
    func interruptedKey() throws {
        let store = try opened()
        let first = try store.key(class: 1, day: 1)
        // What the disk shows when the process dies there: the number is taken, the key has only its unfinished file.
        let reserved = try opened()
        _ = try reserved.key(class: 2, day: 1)
        rename("\(directory)/00000002.key", "\(directory)/00000002.key.1234abcd.unfinished")
        let again = try opened()
        #expect(!scratch.names("keys").contains { $0.hasSuffix(".unfinished") })
        #expect(again.key(id: 2) == nil)
        #expect(try again.key(class: 2, day: 1).id == 3)
        #expect(try again.key(class: 1, day: 1).id == first.id)
    }

    @Test("A flipped bit in any byte of the store's own files refuses the store")
    func flippedStoreFiles() throws {
        _ = try opened()
        for file in ["check", "seed", "next"] {
            let good = scratch.read("keys/\(file)")
            for place in good.indices {
                var bad = good
                bad[place] ^= 1 << UInt8(place & 7)
                scratch.put("keys/\(file)", bad)
                #expect(throws: KeyStoreFault.self, "\(file) byte \(place)") { _ = try opened() }
            }
            scratch.put("keys/\(file)", good)
        }
        _ = try opened()
    }

    @Test("A flipped bit in any byte of a key file closes that key alone, and says so")
    func flippedKeyFiles() throws {
        let store = try opened()
        try store.prepare(days: 1...1, classes: [1, 12])
        let name = "keys/00000002.key"
        let good = scratch.read(name)
        for place in good.indices {
            for bit in [0, 1, 4, 5, 7] as [UInt8] {
                var bad = good
                bad[place] ^= 1 << bit
                scratch.put(name, bad)
                let again = try opened(.reader)
                #expect(again.damage == [.damaged(path: scratch.file(name))], "byte \(place) bit \(bit)")
                #expect(again.key(id: 2) == nil && again.key(id: 1) != nil)
            }
        }
        // A damaged key of today is no reason to stop: the next record gets a new one.
        let again = try opened()
        #expect(try again.key(class: 12, day: 1).id == 3)
    }

    @Test("A key file under another key's name does not open")
    func swapped() throws {
        let store = try opened()
        try store.prepare(days: 1...1, classes: [1, 2])
        scratch.put("keys/00000002.key", scratch.read("keys/00000001.key"))
        let again = try opened()
        #expect(again.key(id: 2) == nil && again.damage.count == 1)
    }

    @Test("Key files that are empty, too long, open to others or no files are damage, each named")
    func unusableKeyFiles() throws {
        _ = try opened()
        scratch.write("keys/00000001.key", "")
        scratch.write("keys/00000002.key", String(repeating: "x", count: 500))
        scratch.write("keys/00000003.key", "x", mode: 0o644)
        mkdir("\(directory)/00000004.key", 0o700)
        symlink("00000005.key", "\(directory)/00000005.key")
        scratch.write("keys/not-a-key.key", "ignored")
        let store = try opened()
        #expect(store.damage.map { "\($0)".contains(directory) } == [true, true, true, true, true])
        #expect(store.damage[2] == .unreadable(path: "\(directory)/00000003.key", reason: "mode 644 opens it to others, chmod 600 it"))
        #expect(try store.key(class: 1, day: 1).id == 6)
    }

    @Test("A destroyed key is gone from memory and disk, and its number never comes back")
    func destroy() throws {
        let store = try opened()
        var cache = DataKeyCache(store)
        let old = try cache.key(class: 1, day: 1)
        #expect(try cache.key(class: 1, day: 1).id == old.id)
        try store.destroy(id: old.id)
        try store.destroy(id: old.id)
        #expect(store.key(id: old.id) == nil)
        let new = try cache.key(class: 1, day: 1)
        #expect(new.id == old.id + 1)
        try store.destroy(id: new.id)
        let again = try opened()
        #expect(again.key(id: old.id) == nil && again.key(id: new.id) == nil)
        #expect(try again.key(class: 1, day: 1).id == new.id + 1)
        #expect(scratch.names("keys").filter { $0.hasSuffix(".key") } == ["00000003.key"])
    }

    @Test("A loop's cache tells classes and days apart that share a place")
    func cachePlaces() throws {
        let store = try opened()
        var cache = DataKeyCache(store)
        for (messageClass, day) in [(1, 1), (17, 1), (1, 5), (1, 1), (17, 5), (1, 5)] as [(UInt8, Int32)] {
            let key = try cache.key(class: messageClass, day: day)
            #expect(key.messageClass == messageClass && key.day == day)
            #expect(try cache.key(class: messageClass, day: day).id == key.id)
        }
        #expect(scratch.names("keys").filter { $0.hasSuffix(".key") }.count == 4)
    }

    @Test("A reader opens old and new keys, and can neither make nor destroy one")
    func reader() throws {
        let owner = try opened()
        let old = try owner.key(class: 1, day: 1)
        scratch.write("keys/next.0badc0de.unfinished", "the node is at work")
        let reader = try opened(.reader)
        let new = try owner.key(class: 2, day: 1)
        #expect(reader.key(id: old.id)?.symmetric == old.symmetric && reader.key(id: new.id)?.symmetric == new.symmetric)
        #expect(reader.key(id: 99) == nil)
        #expect(throws: KeyStoreFault.readOnly(directory: directory)) { _ = try reader.key(class: 9, day: 9) }
        #expect(throws: KeyStoreFault.readOnly(directory: directory)) { try reader.destroy(id: 1) }
        #expect(scratch.names("keys").contains("next.0badc0de.unfinished"))
    }

    @Test("More keys than the cache holds are all found, from their files")
    func boundedCache() throws {
        let store = try KeyStore(directory: directory, master: master, access: .owner(create: true), cachedKeys: 64)
        try store.prepare(days: 1...25, classes: Array(1...8))
        let again = try KeyStore(directory: directory, master: master, access: .owner(create: false), cachedKeys: 64)
        for id in 1...200 as ClosedRange<UInt32> {
            #expect(store.key(id: id)?.id == id)
            #expect(again.key(id: id)?.id == id)
        }
        #expect(store.key(id: 201) == nil && store.key(id: 0) == nil)
    }

    @Test("A destruction that was interrupted between the zeros and the removal is ended at the next start")
    func interruptedDestruction() throws {
        let old = try opened().key(class: 1, day: 1)
        scratch.put("keys/00000001.key", [UInt8](repeating: 0, count: 90))
        let reader = try opened(.reader)
        #expect(reader.damage.isEmpty && reader.key(id: old.id) == nil && scratch.names("keys").contains("00000001.key"))
        let owner = try opened()
        #expect(owner.damage.isEmpty && owner.key(id: old.id) == nil && !scratch.names("keys").contains("00000001.key"))
        #expect(try owner.key(class: 1, day: 1).id == 2)
    }

    @Test("A key whose file is lost while the node runs is replaced for new records")
    func lostWhileRunning() throws {
        let store = try KeyStore(directory: directory, master: master, access: .owner(create: true), cachedKeys: 64)
        try store.prepare(days: 1...10, classes: Array(1...8))
        #expect(try store.key(class: 1, day: 1).id == 1)
        scratch.write("keys/00000002.key", "no key")
        try store.prepare(days: 11...20, classes: Array(1...8))
        #expect(store.key(id: 2) == nil)
        #expect(try store.key(class: 2, day: 1).id == 161)
    }

    @Test("A disk that refuses to write is a typed fault, and the store goes on once it writes again")
    func cannotWrite() throws {
        let store = try opened()
        rename(directory, scratch.file("away"))
        scratch.write("keys", "a file in the way")
        let fault = #expect(throws: KeyStoreFault.self) { _ = try store.key(class: 1, day: 1) }
        guard case .cannotWrite(_, let reason) = fault else {
            Issue.record("another fault: \(String(describing: fault))")
            return
        }
        #expect(reason == "create: Not a directory")
        #expect(throws: KeyStoreFault.self) { try store.destroy(id: 1) }
        #expect(throws: KeyStoreFault.self) { _ = try opened() }
        unlink(directory)
        rename(scratch.file("away"), directory)
        #expect(try store.key(class: 1, day: 1).id == 1)
        #expect(throws: KeyStoreFault.self) {
            _ = try KeyStore(directory: scratch.file("no/such/keys"), master: master, access: .owner(create: true))
        }
        scratch.write("file", "")
        #expect(throws: KeyStoreFault.self) {
            _ = try KeyStore(directory: scratch.file("file/keys"), master: master, access: .owner(create: true))
        }
    }

    @Test("A write that fails leaves the old file whole and nothing beside it")
    func replaceFails() throws {
        mkdir(scratch.file("target"), 0o700)
        scratch.write("target/full", "")
        #expect(throws: DiskFault.self) { try PrivateFile.replace(scratch.file("target"), [1, 2, 3]) }
        #expect(scratch.names() == ["target"])
        let old = scratch.write("old", "old")
        #expect(throws: DiskFault(path: old, step: "create", code: EEXIST)) { try PrivateFile.write(old, [1]) }
        #expect(scratch.read("old") == Array("old".utf8))
        #expect(throws: DiskFault.self) { try PrivateFile.write("/dev/full/x", [1]) }
        #expect(throws: DiskFault(path: scratch.path, step: "list more than 1 files", code: EOVERFLOW)) {
            try PrivateFile.names(in: scratch.path, atMost: 1)
        }
        #expect(throws: DiskFault.self) { try PrivateFile.sync(directory: scratch.file("none")) }
    }

    @Test("When every number is used the store says so and makes nothing")
    func exhausted() throws {
        _ = try opened()
        let line = try WrappedLine.make("martlet-next-key v1 7fffffff", .init(size: .bits256), master: master)
        scratch.put("keys/next", line)
        let store = try opened()
        #expect(throws: KeyStoreFault.exhausted(directory: directory)) { _ = try store.key(class: 1, day: 1) }
        #expect(!scratch.names("keys").contains { $0.hasSuffix(".key") })
    }

    @Test("Threads that ask at once for the same class and day get one key; readers never fail meanwhile")
    func concurrency() async throws {
        let store = try opened()
        let stable = try store.key(class: 200, day: 0)
        let ids = await withTaskGroup(of: [UInt32].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    (1...20 as ClosedRange<Int32>).map { day in
                        (try? store.key(class: 1, day: day).id) ?? 0
                    } + (0..<200).map { _ in store.key(id: stable.id)?.id ?? 0 }
                }
            }
            group.addTask {
                for id in 500...520 as ClosedRange<UInt32> { try? store.destroy(id: id) }
                return []
            }
            return await group.reduce(into: [[UInt32]]()) { $0.append($1) }
        }
        let answers = ids.filter { !$0.isEmpty }
        #expect(answers.count == 8 && Set(answers).count == 1)
        #expect(Set(answers[0].prefix(20)).count == 20 && !answers[0].contains(0))
        #expect(scratch.names("keys").filter { $0.hasSuffix(".key") }.count == 21)
    }

    @Test("A key that one thread destroys is never seen again by another once that returned")
    func destroyWhileReading() async throws {
        let store = try KeyStore(directory: directory, master: master, access: .owner(create: true), cachedKeys: 64)
        try store.prepare(days: 1...30, classes: [1, 2, 3, 4])
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for id in 1...60 as ClosedRange<UInt32> { try? store.destroy(id: id) } }
            for _ in 0..<3 {
                group.addTask { for round in 0..<5 { for id in 1...120 as ClosedRange<UInt32> { _ = (round, store.key(id: id)) } } }
            }
        }
        for id in 1...120 as ClosedRange<UInt32> { #expect((store.key(id: id) == nil) == (id <= 60)) }
    }

    @Test("A day is counted from 1970 in UTC, before it too")
    func days() {
        #expect(DataKey.day(ofMicroseconds: 0) == 0)
        #expect(DataKey.day(ofMicroseconds: 86_399_999_999) == 0)
        #expect(DataKey.day(ofMicroseconds: 86_400_000_000) == 1)
        #expect(DataKey.day(ofMicroseconds: -1) == -1)
        #expect(DataKey.day(ofMicroseconds: -86_400_000_000) == -1)
        #expect(DataKey.day(ofMicroseconds: -86_400_000_001) == -2)
        #expect(DataKey.day(ofMicroseconds: 1_795_370_000_000_000) == 20_779)
    }

    @Test("No fault or description of a key holds a byte of it")
    func descriptions() throws {
        let key = try opened().key(class: 1, day: 1)
        var dumped = ""
        dump(key, to: &dumped)
        #expect("\(key)" == "data key 00000001" && !dumped.contains("symmetric"))
        let all: [KeyStoreFault] = [
            .wrongMasterKey(directory: "/k", expected: "a", given: "b"), .missing(directory: "/k"),
            .incomplete(directory: "/k", file: "seed"),
            .damaged(path: "/k"), .unreadable(path: "/k", reason: "r"), .cannotWrite(path: "/k", reason: "r"), .readOnly(directory: "/k"),
            .exhausted(directory: "/k"), .cipher,
        ]
        for fault in all { #expect(fault.description.hasPrefix("key store: ")) }
    }
}

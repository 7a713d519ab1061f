import Crypto
import Glibc
import Testing

@testable import Guard

@Suite("Subject keys: backup, restore, a new master key", .serialized)
struct SubjectBackupTests {
    let store = SubjectScratch()
    var backup: String { store.scratch.file("backup") }

    @Test("A lost store comes back whole from its backup, but for what was erased since, by either list")
    func lostStore() throws {
        let keys: [SubjectKey]
        do {
            let owner = try store.owner()
            keys = try owner.make(20)
            try owner.erase([1], time: 1)
            #expect(try owner.exportBackup(to: backup) == SubjectKeyReport(keys: 19, erased: 1))
            _ = try owner.make(5)
            try owner.erase([2, 3, 24], time: 2)
        }
        // Everything is gone but the list, which was kept apart, and of that only the first entries.
        let list = store.read(store.list)
        for name in store.scratch.names("subjects") { unlink("\(store.directory)/\(name)") }
        store.put(store.list, Array(list.prefix(48)))
        let owner = try store.owner()
        let report = try owner.restore(from: backup, erased: [3, 24], time: 3)
        #expect(report == SubjectRestoreReport(restored: 17, keptErased: 2))
        for key in keys { #expect(owner.key(key.number) == (key.number < 4 ? .erased : .key(key))) }
        #expect(owner.key(24) == .erased && owner.key(21) == .unknown)
        #expect(try owner.make(1)[0].number == 25)
        #expect(try owner.restore(from: backup, time: 4) == SubjectRestoreReport(restored: 0, keptErased: 2))
        let check = try owner.verify()
        #expect(check.keys == 18 && check.erased == 4)
        #expect(check.findings == [.emptySlots(from: 21, through: 23)])
    }

    @Test("A number that the backup knows is not given out again, and neither is one left out, over restarts")
    func floor() throws {
        do {
            let owner = try store.owner()
            _ = try owner.make(20)
            try owner.erase([20], time: 1)
            _ = try owner.exportBackup(to: backup)
        }
        let second = SubjectScratch()
        do {
            let owner = try second.owner()
            #expect(try owner.restore(from: backup, time: 2).restored == 19)
            #expect(owner.next == 21)
            try owner.leaveOut(below: 70_000)
        }
        let owner = try second.owner()
        #expect(owner.next == 70_000 && owner.damage.isEmpty)
        #expect(try owner.make(1)[0].number == 70_000)
        #expect(owner.key(20) == .erased)
    }

    @Test("Damage is mended from the backup; good keys here stay as they are")
    func mending() throws {
        let owner = try store.owner()
        let keys = try owner.make(20)
        _ = try owner.exportBackup(to: backup)
        store.poke(store.chunk, at: place(4), [1, 2, 3])
        store.poke(store.chunk, at: place(9), [UInt8](repeating: 0, count: 48))
        store.poke("\(backup)/00000000.chunk", at: place(9), [1])
        let later = try owner.make(1)[0]
        let report = try owner.restore(from: backup, time: 1)
        #expect(report.restored == 1 && report.findings.findings == [.damagedKey(9)])
        #expect(owner.key(4) == .key(keys[3]) && owner.key(9) == .unknown && owner.key(21) == .key(later))
    }

    @Test("A backup is named for what it lacks, refuses another master key, and is never written over")
    func badBackup() throws {
        let owner = try store.owner()
        _ = try owner.make(20)
        try owner.erase([5], time: 1)
        _ = try owner.exportBackup(to: backup)
        #expect(throws: SubjectKeyFault.exists(path: backup)) { try owner.exportBackup(to: backup) }
        #expect(throws: SubjectKeyFault.self) { try owner.exportBackup(to: store.scratch.file("no/such/place")) }
        #expect(throws: SubjectKeyFault.missing(directory: "/nowhere")) { try owner.restore(from: "/nowhere", time: 0) }
        let other = SubjectScratch()
        #expect(throws: SubjectKeyFault.self) { try other.owner(masterKey(9)).restore(from: backup, time: 0) }
        store.poke("\(backup)/erased", at: 3, [9])
        unlink("\(backup)/00000000.chunk")
        var report = try owner.restore(from: backup, time: 1)
        #expect(report.findings.findings == [.damagedErasure(entry: 0), .missingChunk(path: "\(backup)/00000000.chunk")])
        store.put("\(backup)/erased", Array(store.read("\(backup)/erased").prefix(5)))
        report = try owner.restore(from: backup, time: 1)
        #expect(report.findings.findings == [.cutErasure(entry: 0), .missingChunk(path: "\(backup)/00000000.chunk")])
        #expect(throws: SubjectKeyFault.unknownNumber(.max)) { try owner.restore(from: backup, erased: [.max], time: 0) }
        #expect(throws: SubjectKeyFault.readOnly(directory: store.directory)) { try store.reader().restore(from: backup, time: 0) }
    }

    @Test("A list kept outside is heeded without a backup: who is on it is erased, and none of its numbers is given out again")
    func eraseListed() throws {
        let owner = try store.owner()
        let keys = try owner.make(5)
        try owner.erase([1], time: 1)
        let (erased, findings) = try owner.erase(listed: [1, 3, 3, 70_000], time: 2)
        #expect(erased == 1 && findings.isSound)
        #expect(owner.key(1) == .erased && owner.key(3) == .erased && owner.key(70_000) == .erased && owner.key(2) == .key(keys[1]))
        #expect(try owner.make(1)[0].number == 70_001)
        #expect(try SubjectErasureCopy.content(of: store.list).numbers == [1, 3, 70_000])
        #expect(throws: SubjectKeyFault.unknownNumber(0)) { try owner.erase(listed: [0], time: 2) }
        store.poke(store.list, at: 0, [9])
        #expect(try owner.erase(listed: [2], time: 3).findings.findings == [.damagedErasure(entry: 0)])
        #expect(owner.key(2) == .erased)
    }

    @Test("A damaged head, or one that is missing, comes back from the backup, and then the store opens and is restored")
    func mendHead() throws {
        let keys: [SubjectKey]
        do {
            let owner = try store.owner()
            keys = try owner.make(20)
            _ = try owner.exportBackup(to: backup)
            _ = try owner.make(1)
            #expect(throws: SubjectKeyFault.inUse(directory: store.directory)) {
                try SubjectKeys.mendHead(store.directory, master: masterKey(), from: backup)
            }
            withExtendedLifetime(owner) {}
        }
        let head = "\(store.directory)/head"
        for bytes: [UInt8]? in [Array("nonsense\n".utf8), nil] {
            unlink(head)
            if let bytes { store.put(head, bytes) }
            #expect(throws: SubjectKeyFault.self) { try store.owner() }
            #expect(throws: SubjectKeyFault.self) { try SubjectKeys.mendHead(store.directory, master: masterKey(9), from: backup) }
            #expect(throws: SubjectKeyFault.self) { try SubjectKeys.mendHead(store.directory, master: masterKey(), from: "/nowhere") }
            #expect(try SubjectKeys.mendHead(store.directory, master: masterKey(), from: backup))
            let owner = try store.owner()
            #expect(owner.key(20) == .key(keys[19]) && owner.next == 22)
            #expect(try owner.restore(from: backup, time: 1) == SubjectRestoreReport())
        }
        #expect(try !SubjectKeys.mendHead(store.directory, master: masterKey(), from: backup))
        #expect(throws: SubjectKeyFault.self) { try SubjectKeys.mendHead(store.directory, master: masterKey(9), from: backup) }
        let empty = SubjectScratch()
        #expect(try !SubjectKeys.mendHead(empty.directory, master: masterKey(), from: backup))
        mkdir(empty.directory, 0o700)
        #expect(try !SubjectKeys.mendHead(empty.directory, master: masterKey(), from: backup))
    }

    @Test("A tool beside the owner makes a backup too")
    func exportByReader() throws {
        let owner = try store.owner()
        _ = try owner.make(3)
        #expect(try store.reader().exportBackup(to: backup) == SubjectKeyReport(keys: 3))
        let second = SubjectScratch()
        #expect(try second.owner().restore(from: backup, time: 0).restored == 3)
    }

    @Test("A new master key wraps every key anew while all is in use, and the old one opens nothing more")
    func newMaster() throws {
        let (old, new) = (masterKey(), masterKey(50))
        let keys: [SubjectKey]
        do {
            let owner = try store.owner(old)
            keys = try (0..<9).flatMap { _ in try owner.make(8192) }
            try owner.erase([4], time: 1)
            store.poke(store.chunk, at: place(6), [1])
        }
        let before = store.read(store.chunk)
        let owner = try store.owner(new, previous: old)
        let reader = try store.reader(new, previous: old)
        var cache = SubjectKeyCache(reader)
        for number: UInt32 in [1, 4, 5, 70_000] { _ = cache.key(number) }
        // Interrupted after the first file.
        #expect(try owner.rewrap { done, _ in done < 1 } == false)
        let between = try owner.make(1)[0]
        #expect(throws: SubjectKeyFault.self) { try store.reader(new) }
        for key in [keys[0], keys[4], keys[69_999], between] {
            let found = cache.key(key.number)
            #expect(found == .key(key))
            #expect(owner.key(key.number) == .key(key) && reader.key(key.number) == .key(key))
        }
        var steps: [Int] = []
        #expect(
            try owner.rewrap { done, all in
                steps.append(done * 10 + all); return true
            })
        #expect(steps == [12, 22])
        // In the file that took the old one's place.
        try owner.erase([5], time: 2)
        let found = cache.key(5)
        #expect(found == .erased)
        let after = store.read(store.chunk)
        #expect(before[place(1)..<place(2)] != after[place(1)..<place(2)])
        let later = try store.reader(new)
        #expect(later.key(4) == .erased && later.key(5) == .erased && later.key(6) == .damaged)
        for key in keys.dropFirst(6) where key.number % 97 == 0 { #expect(later.key(key.number) == .key(key)) }
        #expect(throws: SubjectKeyFault.self) { try store.reader(old) }
        let report = try later.verify()
        #expect(report.keys == 9 * 8192 - 2 && report.findings == [.damagedKey(6)])
    }

    @Test("Who opens with the old key alone, or the new alone, in the middle of a change is refused; with both it goes on")
    func interruptedChange() throws {
        let (old, new) = (masterKey(), masterKey(50))
        do { _ = try store.owner(old).make(3) }
        do { #expect(try store.owner(new, previous: old).rewrap { _, _ in false } == false) }
        #expect(throws: SubjectKeyFault.wrongMasterKey(path: store.chunk, expected: new.idText, given: old.idText)) { try store.owner(old) }
        #expect(throws: SubjectKeyFault.self) { try store.owner(new) }
        do {
            let owner = try store.owner(new, previous: old)
            #expect(owner.damage.isEmpty)
            #expect(try owner.rewrap())
        }
        #expect(try store.owner(new).verify() == SubjectKeyReport(keys: 3))
    }

    @Test("A file marked as replaced whose successor never came is the file again at the next opening")
    func leftRetired() throws {
        do { _ = try store.owner().make(3) }
        store.poke(store.chunk, at: SubjectChunk.retired.offset, SubjectChunk.retired.word)
        let reader = try store.reader()
        var cache = SubjectKeyCache(reader)
        #expect(reader.key(2).key != nil)
        let found = cache.key(2)
        #expect(found.key != nil)
        let owner = try store.owner()
        #expect(owner.damage.isEmpty && owner.key(2).key != nil)
        #expect(store.peek(store.chunk, at: SubjectChunk.retired.offset, 8) == [UInt8](repeating: 0, count: 8))
        // The store's own backup never holds the mark.
        store.poke(store.chunk, at: SubjectChunk.retired.offset, SubjectChunk.retired.word)
        _ = try reader.exportBackup(to: backup)
        #expect(store.peek("\(backup)/00000000.chunk", at: SubjectChunk.retired.offset, 8) == [UInt8](repeating: 0, count: 8))
    }
}

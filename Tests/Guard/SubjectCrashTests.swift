import Crypto
import Glibc
import Testing

@testable import Guard

/// What a crash, a power cut or a bad disk leaves, made by hand; then the store is opened again.
@Suite("Subject keys after a crash", .serialized)
struct SubjectCrashTests {
    let store = SubjectScratch()

    @Test("A slot torn at any of its bytes is that slot and no other, and is named")
    func tornSlot() throws {
        do { _ = try store.owner().make(5) }
        let whole = store.peek(store.chunk, at: place(1), 5 * 48)
        for tear in 1..<48 {
            let torn = Array(whole[96..<96 + tear]) + [UInt8](repeating: 0, count: 48 - tear)
            store.poke(store.chunk, at: place(3), torn)
            let owner = try store.owner()
            #expect(owner.damage == [.damagedKey(3)], "torn at \(tear)")
            #expect(owner.key(3) == .damaged && owner.key(2).key != nil && owner.key(4).key != nil)
            #expect(owner.next == 6)
        }
        store.poke(store.chunk, at: place(3), Array(whole[96..<144]))
        #expect(try store.owner().verify() == SubjectKeyReport(keys: 5))
    }

    @Test("A batch cut short by a crash: what is there of it is never given to another subject")
    func tornBatch() throws {
        do { _ = try store.owner().make(5) }
        // The last of three slots reached the disk, half of the second, nothing of the first.
        let slots = try (6...8).flatMap { number in
            try #require(plainKey.withUnsafeBytes { SubjectSlot.wrap($0, UInt32(number), with: SubjectMaster(masterKey()).wrapping) })
        }
        store.poke(store.chunk, at: place(7), [UInt8](repeating: 0, count: 24) + slots[72...])
        let owner = try store.owner()
        #expect(owner.damage == [.damagedKey(7)])
        #expect(try owner.make(1)[0].number == 9)
        let report = try owner.verify()
        #expect(report.findings == [.emptySlots(from: 6, through: 6), .damagedKey(7)] && report.findingCount == 2)
    }

    @Test("An erasure cut short before, in or after its slot is finished by the next opening")
    func erasure() throws {
        do { _ = try store.owner().make(5) }
        let slot = store.peek(store.chunk, at: place(3), 48)
        for done in 0...48 {
            store.put(store.list, SubjectErasures.entry(SubjectErasure(number: 3, time: 9)))
            store.poke(store.chunk, at: place(3), Array(SubjectSlot.erased[..<done] + slot[done...]))
            #expect(try store.reader().verify().isSound == (done == 48))
            let owner = try store.owner()
            #expect(owner.damage == (done == 48 ? [] : [.unfinishedErasure(3)]) && owner.key(3) == .erased, "after \(done) bytes")
            #expect(try owner.verify() == SubjectKeyReport(keys: 4, erased: 1))
        }
    }

    @Test("An entry of the list cut short at any byte is named, was never acknowledged, and is taken off by the owner")
    func tornList() throws {
        do {
            let owner = try store.owner()
            _ = try owner.make(5)
            try owner.erase([1], time: 1)
        }
        let entry = store.read(store.list)
        #expect(entry.count == 24)
        for cut in 1..<24 {
            store.put(store.list, entry + Array(SubjectErasures.entry(SubjectErasure(number: 2, time: 2))[..<cut]))
            #expect(try store.reader().verify().findings == [.cutErasure(entry: 1)], "cut at \(cut)")
            let owner = try store.owner()
            #expect(owner.damage == [.cutErasure(entry: 1)] && owner.key(2).key != nil, "cut at \(cut)")
            #expect(store.read(store.list) == entry, "cut at \(cut)")
            if cut == 23 { try owner.erase([4], time: 3) }
        }
        let owner = try store.owner()
        #expect(owner.damage.isEmpty && owner.key(4) == .erased && store.read(store.list).count == 48)
    }

    @Test("A flipped bit anywhere in slots, list or head of a file is named, and nothing else is lost")
    func flips() throws {
        let keys: [SubjectKey]
        do {
            let owner = try store.owner()
            keys = try owner.make(40)
            try owner.erase([7, 8], time: 1)
        }
        var random = Seeded(state: 20_261_123)
        for _ in 0..<150 {
            let (path, offset): (String, Int) =
                switch Int.random(in: 0..<4, using: &random) {
                case 0: (store.list, Int.random(in: 0..<48, using: &random))
                case 1: (store.chunk, Int.random(in: 0..<48, using: &random))
                default: (store.chunk, place(1) + Int.random(in: 0..<40 * 48, using: &random))
                }
            let was = store.peek(path, at: offset, 1)
            store.poke(path, at: offset, [was[0] ^ 1 << UInt8.random(in: 0..<8, using: &random)])
            let reader = try store.reader()
            let report = try reader.verify()
            let place = "\(path.hasSuffix("erased") ? "list" : "chunk") byte \(offset)"
            if path == store.list {
                #expect(report.findings.contains(.damagedErasure(entry: offset / 24)), "\(place)")
            } else if offset < 48 {
                #expect(report.findings == [.damagedHeader(path: store.chunk)], "\(place)")
            } else {
                let number = UInt32((offset - 4096) / 48)
                #expect(report.findings.count == 1, "\(place)")
                #expect(report.findings == [[7, 8].contains(number) ? .unfinishedErasure(number) : .damagedKey(number)], "\(place)")
                #expect(reader.key(number) == .damaged, "\(place)")
            }
            for key in keys where report.findings.isEmpty == false && (path == store.list || offset < 48) && ![7, 8].contains(key.number) {
                #expect(reader.key(key.number) == .key(key), "\(place)")
            }
            store.poke(path, at: offset, was)
        }
        #expect(try store.reader().verify() == SubjectKeyReport(keys: 38, erased: 2))
    }

    @Test("Slots that were swapped, copied or overwritten are named")
    func swaps() throws {
        do { _ = try store.owner().make(40) }
        let three = store.peek(store.chunk, at: place(3), 48)
        let nine = store.peek(store.chunk, at: place(9), 48)
        store.poke(store.chunk, at: place(3), nine)
        #expect(try store.reader().verify().findings == [.damagedKey(3)])
        store.poke(store.chunk, at: place(9), three)
        #expect(try store.reader().verify().findings == [.damagedKey(3), .damagedKey(9)])
        store.poke(store.chunk, at: place(3), [UInt8](repeating: 0, count: 96))
        store.poke(store.chunk, at: place(20), SubjectSlot.erased)
        #expect(
            try store.reader().verify().findings == [.emptySlots(from: 3, through: 4), .damagedKey(9), .unlistedErasure(20)])
    }

    @Test("A file cut at any place keeps what is left of it; the numbers of the rest are not given out again")
    func truncation() throws {
        let keys: [SubjectKey]
        do { keys = try store.owner().make(6) }
        let whole = store.read(store.chunk)
        let cuts = [0, 1, 47, 48, 4095] + Array(4096...(4096 + 7 * 48)) + [200_000, whole.count - 1]
        for cut in cuts {
            store.put(store.chunk, Array(whole[..<min(cut, whole.count)]))
            let report = try store.reader().verify()
            #expect(report.findings.contains(.shortChunk(path: store.chunk, bytes: cut)), "\(cut)")
            // One opening for each whole slot is enough; each mends the file.
            guard cut % 48 < 3 || cut > 5000 else { continue }
            let owner = try store.owner()
            #expect(owner.damage.first == .shortChunk(path: store.chunk, bytes: cut), "\(cut)")
            #expect(owner.next == 65_536 && owner.key(70_000) == .unknown)
            for key in keys where cut >= 4096 {
                let isThere = place(key.number) + 48 <= cut
                #expect(owner.key(key.number) == .key(key) || !isThere, "\(cut): \(key)")
                #expect(owner.key(key.number).key == nil || isThere, "\(cut): \(key)")
            }
        }
    }

    @Test("A file that is gone is named, and its numbers are not given out again; a reader says damaged, not unknown")
    func missingFile() throws {
        do { _ = try store.owner().make(6) }
        unlink(store.chunk)
        let reader = try store.reader()
        #expect(reader.key(2) == .damaged)
        #expect(try reader.verify().findings == [.missingChunk(path: store.chunk)])
        let owner = try store.owner()
        #expect(owner.damage == [.missingChunk(path: store.chunk)] && owner.next == 65_536)
        #expect(owner.key(2) == .unknown && reader.key(2) == .unknown)
        #expect(try owner.make(2).map(\.number) == [65_536, 65_537])
        // A reader that mapped a file when it was short, and now it is whole.
        #expect(reader.key(65_537).key != nil)
    }

    @Test("A new file whose head was not counted yet is counted at the next opening; what a write left is cleared away")
    func uncounted() throws {
        do { _ = try store.owner().make(1) }
        try SubjectHead(chunks: 0, floor: 1).write(store.directory, SubjectMaster(masterKey()))
        store.put("\(store.directory)/00000001.chunk.0.unfinished", [1])
        // No name that a store has; left alone.
        store.put("\(store.directory)/ffffffff.chunk", [1])
        do {
            let owner = try store.owner()
            #expect(owner.damage.isEmpty && owner.next == 2 && owner.key(1).key != nil)
        }
        #expect(store.scratch.names("subjects") == ["00000000.chunk", "ffffffff.chunk", "head", "lock"])
        #expect(try SubjectHead.read(store.directory, SubjectMasters(current: SubjectMaster(masterKey()), previous: nil))?.head.chunks == 1)
    }

    @Test("A head that is gone, cut or altered refuses the store by the file's name")
    func head() throws {
        do { _ = try store.owner().make(1) }
        let path = "\(store.directory)/head"
        let whole = store.read(path)
        for cut in 1..<whole.count {
            store.put(path, Array(whole[..<cut]))
            #expect(throws: SubjectKeyFault.self) { try store.owner() }
        }
        for index in whole.indices {
            var altered = whole
            altered[index] ^= 1
            store.put(path, altered)
            let fault = #expect(throws: SubjectKeyFault.self) { try store.owner() }
            #expect(fault?.description.contains(path) == true)
        }
        unlink(path)
        #expect(throws: SubjectKeyFault.incomplete(directory: store.directory, file: "head")) { try store.owner() }
        store.put(path, whole)
        chmod(path, 0o644)
        #expect(throws: SubjectKeyFault.self) { try store.owner() }
        chmod(path, 0o600)
        #expect(try store.owner().damage.isEmpty)
    }

    @Test("A write that fails gives its numbers to nobody, and an erasure that failed is done again whole")
    func failedWrites() throws {
        let owner = try store.owner()
        _ = try owner.make(4)
        rename(store.chunk, store.chunk + ".away")
        #expect(throws: SubjectKeyFault.self) { try owner.make(2) }
        #expect(throws: SubjectKeyFault.self) { try owner.erase([2], time: 1) }
        rename(store.chunk + ".away", store.chunk)
        #expect(try owner.make(1)[0].number == 7)
        #expect(owner.key(2).key != nil)
        try owner.erase([2], time: 2)
        #expect(owner.key(2) == .erased)
        unlink(store.list)
        mkdir(store.list, 0o700)
        #expect(throws: SubjectKeyFault.self) { try owner.erase([3], time: 3) }
        #expect(owner.key(3).key != nil)
        rmdir(store.list)
    }
}

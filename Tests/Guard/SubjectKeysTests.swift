import Crypto
import Glibc
import Testing

@testable import Guard

@Suite("Subject keys")
struct SubjectKeysTests {
    let store = SubjectScratch()

    @Test("Keys have numbers in a row from 1, each another key, and are the same after a restart and for a reader")
    func making() throws {
        var made: [SubjectKey] = []
        do {
            let owner = try store.owner()
            made = try owner.make(3) + owner.make(1) + owner.make(500)
            #expect(owner.next == 505)
            #expect(owner.key(3) == .key(made[2]))
        }
        #expect(made.map(\.number) == Array(1...504))
        #expect(Set(made.map { $0.symmetric.withUnsafeBytes { Array($0) } }).count == 504)
        let again = try store.owner(create: false)
        let reader = try store.reader()
        for key in made {
            #expect(again.key(key.number) == .key(key))
            #expect(reader.key(key.number) == .key(key))
        }
        #expect(again.damage.isEmpty && again.next == 505)
        #expect(try again.make(1)[0].number == 505)
        for number: UInt32 in [0, 506, 65_536, .max] {
            #expect(again.key(number) == .unknown)
            #expect(reader.key(number) == .unknown)
        }
        #expect(try again.verify() == SubjectKeyReport(keys: 505))
    }

    @Test("Files are private and hold no key in clear; a subject takes 48 bytes")
    func files() throws {
        let owner = try store.owner()
        let keys = try owner.make(20)
        #expect(store.scratch.names("subjects") == ["00000000.chunk", "head", "lock"])
        let bytes = store.read(store.chunk)
        #expect(bytes.count == 4096 + 65_536 * 48)
        let used = Array(bytes.prefix(4096 + 21 * 48))
        for key in keys {
            let clear = key.symmetric.withUnsafeBytes { Array($0) }
            #expect(!used.indices.dropLast(31).contains { used[$0] == clear[0] && Array(used[$0..<$0 + 32]) == clear })
        }
        var status = stat()
        #expect(stat(store.directory, &status) == 0 && status.st_mode & 0o777 == 0o700)
        for name in store.scratch.names("subjects") {
            #expect(stat("\(store.directory)/\(name)", &status) == 0 && status.st_mode & 0o077 == 0, "\(name)")
        }
        #expect("\(keys[0]) \(keys[0].customMirror.children.count)" == "subject key 1 1")
        #expect(owner.key(1).key?.number == 1 && owner.key(99).key == nil)
    }

    @Test("A slot wrapped by another implementation of RFC 3394 opens, and is what this one writes")
    func knownAnswer() throws {
        // Wrapping key 00 ... 1f; plaintext: key 64 ... 83, number 00000007, SK01. Computed with OpenSSL 3.0 (`enc -id-aes256-wrap`).
        let wrapping = SymmetricKey(data: plainKey)
        let slot = try #require(
            Hex.bytes("df686640a14876ffbcba7bc54f2a3a92d13c9a3f74238f6584f2cdc70c06ad71da4189f5503c359db60029206467756f"))
        let key = slot.withUnsafeBytes { SubjectSlot.unwrap($0, 7, with: wrapping) }
        #expect(key?.withUnsafeBytes { Array($0) } == Array(100..<132))
        #expect(slot.withUnsafeBytes { SubjectSlot.unwrap($0, 8, with: wrapping) } == nil)
        #expect(Array(UInt8(100)..<132).withUnsafeBytes { SubjectSlot.wrap($0, 7, with: wrapping) } == slot)
    }

    @Test("A batch may cross from one file into the next")
    func crossing() throws {
        let owner = try store.owner()
        for _ in 0..<7 { _ = try owner.make(8192) }
        #expect(owner.next == 57_345)
        let keys = try owner.make(8192)
        #expect(store.scratch.names("subjects").filter { $0.hasSuffix("chunk") } == ["00000000.chunk", "00000001.chunk"])
        let reader = try store.reader()
        var cache = SubjectKeyCache(reader)
        for key in keys {
            #expect(owner.key(key.number) == .key(key))
            let found = cache.key(key.number)
            #expect(found == .key(key))
        }
        #expect(keys.last?.number == 65_536)
        try owner.erase([65_535, 65_536], time: 1)
        #expect(reader.key(65_535) == .erased && reader.key(65_536) == .erased && reader.key(65_534) == .key(keys[8189]))
    }

    @Test("A reader beside the owner sees a new key, a new file and an erasure at the next look-up, cached or not")
    func beside() throws {
        let owner = try store.owner()
        let reader = try store.reader()
        var cache = SubjectKeyCache(reader, capacity: 64)
        var found = cache.key(1)
        #expect(found == .unknown)
        let keys = try owner.make(200)
        for key in keys {
            for _ in 0..<2 {
                found = cache.key(key.number)
                #expect(found == .key(key))
            }
        }
        try owner.erase([5, 200], time: 7)
        for number: UInt32 in [5, 200] {
            found = cache.key(number)
            #expect(found == .erased)
            #expect(reader.key(number) == .erased && owner.key(number) == .erased)
        }
        found = cache.key(6)
        #expect(found == .key(keys[5]))
        found = cache.key(0)
        #expect(found == .unknown)
        found = cache.key(.max)
        #expect(found == .unknown)
        #expect(try reader.verify() == SubjectKeyReport(keys: 198, erased: 2))
    }

    @Test("An erased number is erased for good: over restarts, called again, and it is never given out again")
    func erasing() throws {
        do {
            let owner = try store.owner()
            _ = try owner.make(10)
            try owner.erase([2, 10], time: 1_700_000_000_000_000)
            try owner.erase([2, 3], time: 1_700_000_000_000_001)
            try owner.erase([], time: 0)
        }
        #expect(store.peek(store.chunk, at: place(2), 48) == SubjectSlot.erased)
        let owner = try store.owner()
        #expect(owner.key(2) == .erased && owner.key(3) == .erased && owner.key(10) == .erased)
        #expect(try owner.make(1)[0].number == 11)
        var listed: [SubjectErasure] = []
        try SubjectErasures.read(store.list) { _, erasure in if let erasure { listed.append(erasure) } }
        #expect(listed.map(\.number) == [2, 10, 3])
        #expect(listed.map(\.time) == [1_700_000_000_000_000, 1_700_000_000_000_000, 1_700_000_000_000_001])
        #expect(owner.damage.isEmpty)
    }

    @Test("What is sealed with a subject's key opens with it alone, and not once it is erased")
    func sealing() throws {
        let owner = try store.owner()
        let keys = try owner.make(2)
        let text = Array("+44 7700 900123".utf8)
        var sealed = [UInt8](repeating: 0, count: Sealer.sealedCount(text.count))
        var sealer = Sealer()
        let context = SealContext(high: 1, low: 1, kind: 9)
        let count = try text.withUnsafeBytes { text in
            try sealed.withUnsafeMutableBytes { try sealer.seal(text, context: context, key: keys[0], into: $0) }
        }
        #expect(count == sealed.count)
        let key = try #require(owner.key(1).key)
        #expect(try sealed.withUnsafeBytes { try Sealer.open($0, context: context, key: key) } == text)
        #expect(throws: SealFault.notAuthentic(keyID: 2)) {
            try sealed.withUnsafeBytes { try Sealer.open($0, context: context, key: keys[1]) }
        }
        try owner.erase([1], time: 0)
        #expect(owner.key(1).key == nil)
    }

    @Test("What is asked wrongly is refused by name")
    func refusals() throws {
        #expect(throws: SubjectKeyFault.missing(directory: store.directory)) { try store.owner(create: false) }
        #expect(throws: SubjectKeyFault.missing(directory: store.directory)) { try store.reader() }
        let owner = try store.owner()
        #expect(throws: SubjectKeyFault.inUse(directory: store.directory)) { try store.owner() }
        let reader = try store.reader()
        #expect(throws: SubjectKeyFault.readOnly(directory: store.directory)) { try reader.make(1) }
        #expect(throws: SubjectKeyFault.readOnly(directory: store.directory)) { try reader.erase([1], time: 0) }
        for count in [0, -1, 8193] {
            #expect(throws: SubjectKeyFault.batchSize(given: count, maximum: 8192)) { try owner.make(count) }
        }
        #expect(throws: SubjectKeyFault.unknownNumber(1)) { try owner.erase([1], time: 0) }
        _ = try owner.make(1)
        #expect(throws: SubjectKeyFault.unknownNumber(0)) { try owner.erase([1, 0], time: 0) }
        #expect(owner.key(1).key != nil)
        #expect(throws: SubjectKeyFault.batchSize(given: 8193, maximum: 8192)) {
            try owner.erase([UInt32](repeating: 1, count: 8193), time: 0)
        }
        let other = masterKey(9)
        let fault = #expect(throws: SubjectKeyFault.self) { try store.reader(other) }
        #expect(fault == .wrongMasterKey(path: "\(store.directory)/head", expected: masterKey().idText, given: other.idText))
    }

    @Test("The store ends where its numbers end, and says so")
    func exhaustion() throws {
        let owner = try store.owner()
        _ = try owner.make(1)
        // As if all but the last file had been used: only the numbers matter here.
        try owner.locked { (writer: inout SubjectKeys.Writer) throws(SubjectKeyFault) in writer.next = .max >> 1 }
        #expect(throws: SubjectKeyFault.exhausted(directory: store.directory)) { try owner.make(2) }
    }

    @Test("Every fault names its place and a remedy, every finding its place")
    func descriptions() {
        let faults: [SubjectKeyFault] = [
            .wrongMasterKey(path: "/k", expected: "1", given: "2"), .missing(directory: "/k"), .incomplete(directory: "/k", file: "head"),
            .damaged(path: "/k", reason: "r"), .unreadable(path: "/k", reason: "r"), .cannotWrite(path: "/k", reason: "r"),
            .readOnly(directory: "/k"), .inUse(directory: "/k"), .exhausted(directory: "/k"), .exists(path: "/k"),
        ]
        for fault in faults { #expect(fault.description.contains("/k") && fault.description.hasPrefix("subject keys: ")) }
        #expect(SubjectKeyFault.batchSize(given: 9000, maximum: 8192).description.contains("9000"))
        #expect(SubjectKeyFault.unknownNumber(77).description.contains("77") && SubjectKeyFault.cipher.description.contains("cipher"))
        let findings: [SubjectKeyFinding] = [
            .damagedKey(77), .emptySlots(from: 77, through: 77), .emptySlots(from: 77, through: 80), .unfinishedErasure(77),
            .unlistedErasure(77), .missingChunk(path: "/77"), .shortChunk(path: "/77", bytes: 1), .damagedHeader(path: "/77"),
            .damagedErasure(entry: 77), .cutErasure(entry: 77),
        ]
        for finding in findings { #expect(finding.description.contains("77")) }
    }
}

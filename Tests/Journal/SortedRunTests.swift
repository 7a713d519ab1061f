import Glibc
import Testing

@testable import Journal

@Suite struct SortedRunTests {
    private static let wide = RunKind(mark: 7, words: 4)
    private static let narrow = RunKind(mark: 8, words: 2)

    private func journal(_ disk: SimulatedDisk) throws -> Journal { try Rig(disk.disk).journal }

    @Test("Look-ups agree with a sorted array: keys that come often, keys that never came, every bound", arguments: [2, 3, 4])
    func lookUp(words: Int) throws {
        let disk = SimulatedDisk()
        let journal = try journal(disk)
        let kind = RunKind(mark: 5, words: words)
        var random = Seeded(UInt64(words))
        for count in [0, 1, 126, 127, 128, 255, 256, 3000] {
            // Few different keys, so that one fills whole pages.
            let entries = (0..<count).map { number in
                RunEntry(
                    key: random.next() % 5, first: UInt64(number) * 8, second: words > 2 ? random.next() : 0,
                    third: words > 3 ? random.next() : 0)
            }
            try journal.writeRun(3, kind, newest: 99, entries)
            var met: [RunEntry] = []
            let run = try journal.run(3, kind) { met.append($0) }
            #expect(run.count == count && run.newest == 99 && run.segment == 3 && run.kind == kind)
            #expect(met == entries.sorted(by: RunEntry.isBefore))
            for key in UInt64(0)..<7 {
                let all = Array(met.filter { $0.key == key }.reversed())
                #expect(try run.entries(of: key, limit: .max) == all)
                #expect(try run.entries(of: key, limit: 0).isEmpty)
                #expect(try run.find([key, 99, key]) == [all.first, nil, all.first])
                for bound in [0, 7, 8, 1000, UInt64(count) * 8, .max] {
                    let wanted = all.filter { $0.first <= bound }
                    #expect(try run.entries(of: key, through: bound, limit: 200) == Array(wanted.prefix(200)), "\(count) \(key) \(bound)")
                }
            }
        }
        #expect(disk.names("/j").filter { $0.hasSuffix(".run.tmp") }.isEmpty)
    }

    @Test("A run that is missing, cut, flipped at any bit, of another kind, segment or journal is refused at opening")
    func damaged() throws {
        let disk = SimulatedDisk()
        let journal = try journal(disk)
        let kind = SortedRunTests.narrow
        #expect(throws: IndexError.missing) { try journal.run(1, kind) }
        try journal.writeRun(1, kind, (0..<600).map { RunEntry(key: $0 / 3, first: $0) })
        let path = "/j/0000000001.run"
        let whole = try #require(disk.contents(path))
        #expect(whole.count == 4 * 4096)
        // All of the header, and of each page some.
        for bit in Array(0..<64 * 8) + Array(stride(from: 4096 * 8, to: whole.count * 8, by: 41)) {
            disk.flip(path, bit: bit)
            #expect(throws: IndexError.damaged, "bit \(bit)") { try journal.run(1, kind) }
            disk.flip(path, bit: bit)
        }
        for cut in Array(0..<64) + Array(stride(from: 64, to: whole.count, by: 509)) {
            disk.set(path, Array(whole[..<cut]))
            #expect(throws: IndexError.damaged) { try journal.run(1, kind) }
        }
        disk.set(path, whole)
        _ = try journal.run(1, kind)
        #expect(throws: IndexError.damaged) { try journal.run(1, SortedRunTests.wide) }
        #expect(throws: IndexError.damaged) { try journal.run(1, RunKind(mark: 9, words: 2)) }
        disk.set("/j/0000000002.run", whole)
        #expect(throws: IndexError.damaged) { try journal.run(2, kind) }
        let other = SimulatedDisk(seed: 99)
        let stranger = try self.journal(other)
        other.set(path, whole)
        #expect(throws: IndexError.damaged) { try stranger.run(1, kind) }
    }

    @Test("Pages that pass, but stand in each other's place or out of order, are damage")
    func shuffled() throws {
        let disk = SimulatedDisk()
        let journal = try journal(disk)
        let kind = SortedRunTests.narrow
        try journal.writeRun(1, kind, (0..<510).map { RunEntry(key: $0, first: 0) })
        let path = "/j/0000000001.run"
        var bytes = try #require(disk.contents(path))
        let page = Array(bytes[4096..<8192])
        bytes.replaceSubrange(4096..<8192, with: bytes[8192..<12288])
        bytes.replaceSubrange(8192..<12288, with: page)
        disk.set(path, bytes)
        #expect(throws: IndexError.damaged) { try journal.run(1, kind) }
    }

    @Test("A page that rots after opening is an error, never a wrong entry; a run that is removed is missing")
    func rot() throws {
        let disk = SimulatedDisk()
        let journal = try journal(disk)
        let kind = SortedRunTests.wide
        try journal.writeRun(1, kind, (0..<300).map { RunEntry(key: $0, first: $0 * 2, second: $0 * 3, third: $0 * 4) })
        let run = try journal.run(1, kind)
        let path = "/j/0000000001.run"
        let size = try #require(disk.contents(path)).count
        for bit in stride(from: 4096 * 8, to: size * 8, by: 97) {
            disk.flip(path, bit: bit)
            for key in [UInt64(0), 126, 127, 299] {
                do throws(IndexError) {
                    let found = try run.entries(of: key, limit: 2)
                    #expect(found == [RunEntry(key: key, first: key * 2, second: key * 3, third: key * 4)])
                } catch { #expect(error == .damaged) }
            }
            disk.flip(path, bit: bit)
        }
        let whole = try #require(disk.contents(path))
        disk.set(path, Array(whole[..<4096]))
        #expect(throws: IndexError.damaged) { try run.find([5]) }
        disk.set(path, whole)
        disk.inject(.init(operations: ["pread"], nth: 1, persistent: true, code: EIO))
        let failure = IndexError.failure(JournalFailure(kind: .io, errno: EIO, operation: .read))
        #expect(throws: failure) { try run.find([5]) }
        #expect(throws: failure) { try journal.run(1, kind) }
        disk.inject(.init(operations: ["open"], nth: 1, persistent: true, code: EACCES))
        #expect(throws: IndexError.failure(JournalFailure(kind: .io, errno: EACCES, operation: .open))) { try journal.run(1, kind) }
        disk.inject(nil)
        #expect(disk.disk.unlink(path) == 0)
        #expect(throws: IndexError.missing) { try run.find([5]) }
    }

    @Test("Writing fails without leavings, and the old run stays")
    func writing() throws {
        let disk = SimulatedDisk()
        let journal = try journal(disk)
        let kind = SortedRunTests.narrow
        try journal.writeRun(1, kind, [RunEntry(key: 1, first: 8)])
        #expect(eventually { journal.state.spares == 2 })
        for operation in ["open", "pwrite", "fsync", "rename", "syncDirectory"] {
            disk.inject(.init(operations: [operation], nth: 1, persistent: false, code: EIO))
            #expect(throws: IndexError.self) { try journal.writeRun(1, kind, [RunEntry(key: 2, first: 16)]) }
            disk.inject(nil)
            #expect(disk.names("/j").filter { $0.hasSuffix(".run.tmp") }.isEmpty)
            if operation != "syncDirectory" { #expect(try journal.run(1, kind).find([1, 2]) == [RunEntry(key: 1, first: 8), nil]) }
        }
    }

    @Test("A directory of runs keeps them apart from the journal's, tells and removes them; a trim takes the journal's own")
    func directory() throws {
        let disk = SimulatedDisk()
        let rig = try Rig(disk.disk)
        let journal = rig.journal
        let place = RunDirectory("/j/keys", disk: disk.disk)
        #expect(try place.prepare() == [])
        for segment in [UInt32(4), 2] { try journal.writeRun(segment, SortedRunTests.wide, in: place, [RunEntry(key: 1, first: 2)]) }
        disk.set("/j/keys/0000000009.run.tmp", [1])
        #expect(try place.prepare() == [2, 4])
        #expect(disk.names("/j/keys").sorted() == ["0000000002.run", "0000000004.run"])
        #expect(throws: IndexError.missing) { try journal.run(2, SortedRunTests.wide) }
        #expect(try journal.run(2, SortedRunTests.wide, in: place).count == 1)
        try place.remove(2)
        try place.remove(2)
        #expect(try place.prepare() == [4])
        disk.inject(.init(operations: ["unlink"], nth: 1, persistent: true, code: EIO))
        #expect(throws: JournalFailure.self) { try place.remove(4) }
        disk.inject(.init(operations: ["makeDirectory"], nth: 1, persistent: true, code: EACCES))
        #expect(throws: JournalFailure.self) { try place.prepare() }
        disk.inject(nil)

        var model: Records = [:]
        for number in 0..<40 { try rig.put([record(number, 1000)], into: &model) }
        try journal.writeRun(1, SortedRunTests.narrow, [])
        journal.trim(before: 2)
        #expect(eventually { !disk.names("/j").contains("0000000001.run") })
        // One written behind the trim's back goes at the next opening.
        try journal.writeRun(1, SortedRunTests.narrow, [])
        journal.close()
        _ = try Rig(disk.disk)
        #expect(!disk.names("/j").contains("0000000001.run"))
    }
}

import Glibc
import Synchronization
import Testing
import Threads

@testable import Journal

@Suite struct ReaderTests {
    @Test("Any committed record is read by its position, of any size, singly and in batches")
    func byPosition() throws {
        var options = Rig.small
        options.batchSize = 16 << 10
        options.segmentSize = 128 << 10
        options.recordSize = 12 << 10
        var model: Records = [:]
        let rig = try Rig(SimulatedDisk().disk, "/j", options)
        for number in 0..<60 { try rig.put([record(number, 1 + number * 200), record(number, 7)], into: &model) }
        let reader = rig.journal.reader()
        let positions = Array(model.keys)
        for (position, result) in zip(positions, reader.read(positions)) { #expect(try result.get() == model[position]) }
        let known = try #require(positions.min())
        let far: [Position] = [Position(journalSegment: 1, offset: 127 << 10), Position(journalSegment: 99, offset: 4144)]
        for wrong in [0, 1, known + 8, known - 8, known + 1] + far {
            #expect(throws: ReadError.self, "\(wrong)") { try reader.read(at: wrong) }
        }
        let last = try #require(rig.journal.segments.last)
        #expect(throws: ReadError.notFound) { try reader.read(at: Position(journalSegment: last.number, offset: UInt32(last.end))) }
        if case .failure(.trimmed) = reader.read([0])[0] {} else { Issue.record("position 0 was read") }
    }

    @Test("A rotten record is an error, never wrong bytes; its neighbours are read")
    func rot() throws {
        let sample = try Sample(clean: true)
        let rig = try Rig(sample.disk.disk)
        let keys = sample.model.keys.sorted()
        for bit in 0..<(8 + 5) * 8 {
            sample.disk.flip(sample.path(1), bit: Int(keys[0].journalOffset) * 8 + bit)
            #expect(throws: ReadError.damaged) { try rig.journal.reader().read(at: keys[0]) }
            #expect(try rig.journal.reader().read(at: keys[1]) == sample.model[keys[1]])
            sample.disk.flip(sample.path(1), bit: Int(keys[0].journalOffset) * 8 + bit)
        }
        sample.disk.inject(.init(operations: ["pread"], nth: 1, persistent: false, code: EIO))
        let unread = ReadError.failure(JournalFailure(kind: .io, errno: EIO, operation: .read))
        #expect(throws: unread) { try rig.journal.reader().read(at: keys[0]) }
        sample.disk.inject(.init(operations: ["open"], nth: 1, persistent: false, code: EMFILE))
        let unopened = ReadError.failure(JournalFailure(kind: .io, errno: EMFILE, operation: .open))
        #expect(throws: unopened) { try rig.journal.reader().read(at: keys[0]) }
    }

    @Test("A scan hands on what lies between two positions and says where to go on; damage is left out")
    func scan() throws {
        let disk = SimulatedDisk()
        var model: Records = [:]
        let rig = try Rig(disk.disk)
        for number in 0..<60 { try rig.put([record(number, 300), record(number, 200)], into: &model) }
        let reader = rig.journal.reader()
        let keys = model.keys.sorted()
        func scanned(_ from: Position, _ upTo: Position) throws -> (Records, Position) {
            var found: Records = [:]
            let next = try reader.scan(from: from, upTo: upTo) { found[$0] = [UInt8]($1) }
            return (found, next)
        }
        let (all, end) = try scanned(0, .max)
        #expect(all == model && end == rig.journal.state.committed)
        let nothing = try scanned(end, .max)
        #expect(nothing.0.isEmpty && nothing.1 == end)
        for (from, to) in [(0, 5), (3, 4), (7, 90), (30, 119), (119, 119)] {
            let (part, next) = try scanned(keys[from], keys[to])
            #expect(Set(part.keys) == Set(keys[from..<to]) && next == keys[to])
        }
        // In steps, as a follower goes.
        var at: Position = 0
        var steps: Records = [:]
        for number in 60..<90 {
            try rig.put([record(number, 500)], into: &model)
            at = try reader.scan(from: at) { steps[$0] = [UInt8]($1) }
        }
        #expect(steps == model)
        disk.flip("/j/0000000001.log", bit: (Int(keys[2].journalOffset) + 20) * 8)
        model[keys[2]] = nil
        #expect(try scanned(0, .max).0 == model)
        struct Stop: Error {}
        #expect(throws: Stop.self) { try reader.scan { _, _ in throw Stop() } }
    }

    @Test("A scan of segments longer than its window finds every record, damaged or not")
    func windows() throws {
        let directory = Scratch()
        var options = Options()
        options.segmentSize = 32 << 20
        options.spares = 1
        options.sync = false
        let rig = try Rig(.system, directory.path, options)
        var model: Records = [:]
        for number in 0..<50 { try rig.put([record(number, 100), [UInt8](repeating: UInt8(number), count: 400_000)], into: &model) }
        var found: Records = [:]
        try rig.journal.reader().scan { found[$0] = [UInt8]($1) }
        #expect(found == model)
        let hit = model.keys.sorted()[50]
        let file = open("\(directory.path)/0000000001.log", O_WRONLY)
        pwrite(file, [UInt8](repeating: 0xEE, count: 64), 64, off_t(hit.journalOffset) - 40)
        close(file)
        found = [:]
        try rig.journal.reader().scan { found[$0] = [UInt8]($1) }
        model[hit] = nil
        #expect(found == model)
        rig.journal.close()
    }

    @Test("Readers beside the writer see every committed record, right, while segments are rolled and trimmed")
    func concurrent() throws {
        let directory = Scratch()
        var options = Rig.small
        options.sync = false
        let rig = try Rig(.system, directory.path, options)
        let written = Monitor<[(Position, Int)]>([])
        let stop = Atomic<Bool>(false)
        let wrong = Atomic<Int>(0)
        let read = Atomic<Int>(0)
        let reader = rig.journal.reader()
        @Sendable func follow(_ seed: UInt64) {
            var random = Seeded(seed)
            while !stop.load(ordering: .acquiring) {
                guard let (position, number) = written.locked({ $0.randomElement(using: &random) }) else { continue }
                do throws(ReadError) {
                    if try reader.read(at: position) != record(number, 1 + number % 700) { wrong.add(1, ordering: .relaxed) }
                    read.add(1, ordering: .relaxed)
                } catch  where error == .trimmed {} catch { wrong.add(1, ordering: .relaxed) }
            }
        }
        let threads = [1, 2].compactMap { seed in Worker("reader") { follow(UInt64(seed)) } }
        var model: Records = [:]
        for number in 0..<3000 {
            try rig.put([record(number, 1 + number % 700)], into: &model)
            let position = try #require(rig.last.keys.first)
            written.locked { $0.append((position, number)) }
            if number % 50 == 49, let last = rig.journal.segments.last?.number, last > 3 { rig.journal.trim(before: last - 2) }
            if number % 500 == 499 { #expect(try Journal.verify(directory.path).damage == []) }
        }
        #expect(eventually { read.load(ordering: .relaxed) > 1000 })
        stop.store(true, ordering: .releasing)
        for thread in threads { thread.join() }
        #expect(wrong.load(ordering: .relaxed) == 0)
        rig.journal.close()
    }

    @Test("The last reference may go in the writer's own callback")
    func lastReference() throws {
        let directory = Scratch()
        let done = Monitor(false)
        var rig: Rig? = try Rig(.system, directory.path)
        _ = try rig?.appender.append(count: 3) { $0.initializeMemory(as: UInt8.self, repeating: 3) }
        let batch = try #require(rig?.appender.cut())
        let journal = try #require(rig?.journal)
        let box = Monitor<Journal?>(journal)
        journal.write(batch) { _, _ in
            usleep(50_000)
            box.locked { $0 = nil }
            done.change { $0 = true }
        }
        rig = nil
        #expect(done.wait(timeout: 60_000_000_000, until: { $0 }) { $0 })
    }
}

@Suite struct TrimTests {
    @Test("Trimmed segments are recycled as zeros, their indexes go, reading them says trimmed, the last one stays")
    func recycle() throws {
        let disk = SimulatedDisk()
        var model: Records = [:]
        let rig = try Rig(disk.disk)
        for number in 0..<60 { try rig.put([record(number, 1000)], into: &model) }
        let first = try #require(model.keys.min())
        let reader = rig.journal.reader()
        _ = try reader.read(at: first)
        try rig.journal.writeIndex(1, [(IndexKey(high: 1, low: 1), first)])
        let last = try #require(rig.journal.segments.last?.number)
        rig.journal.trim(before: last - 1)
        #expect(rig.journal.segments.map(\.number) == [last - 1, last])
        #expect(throws: ReadError.trimmed) { try reader.read(at: first) }
        #expect(throws: ReadError.trimmed) { try reader.scan(from: first) { _, _ in } }
        #expect(eventually { disk.names("/j").filter { $0.hasSuffix(".log") }.count == 2 })
        #expect(throws: IndexError.missing) { try rig.journal.index(1) }
        rig.journal.trim(before: .max)
        #expect(rig.journal.segments.map(\.number) == [last])
        // What was recycled is all zero, and is used.
        rig.journal.close()
        for name in disk.names("/j") where name.hasPrefix("spare-") && !name.hasSuffix(".tmp") {
            #expect(disk.contents("/j/\(name)")?.allSatisfy { $0 == 0 } == true)
        }
        model = model.filter { $0.key.journalSegment == last }
        let again = try Rig(disk.disk)
        #expect(again.replayed == model && again.recovery.isSound)
        #expect(again.journal.segments.first?.firstOrdinal ?? 0 > 0)
    }

    @Test("A file that cannot be taken away is tried again, and no younger one before it")
    func trimAgain() throws {
        let disk = SimulatedDisk()
        var model: Records = [:]
        let rig = try Rig(disk.disk)
        for number in 0..<60 { try rig.put([record(number, 1000)], into: &model) }
        #expect(eventually { rig.journal.state.spares == 2 })
        let before = disk.names("/j").filter { $0.hasSuffix(".log") }
        disk.inject(.init(operations: ["rename", "unlink"], nth: 1, persistent: true, code: EIO))
        rig.journal.trim(before: 4)
        #expect(eventually { rig.journal.state.upkeepFailures >= 2 })
        #expect(disk.names("/j").filter { $0.hasSuffix(".log") } == before)
        disk.inject(nil)
        #expect(eventually { disk.names("/j").filter { $0.hasSuffix(".log") }.first == "0000000004.log" })
        rig.journal.close()
    }

    @Test("A file that cannot be taken away is counted, and found again at the next opening")
    func trimFails() throws {
        let disk = SimulatedDisk()
        var model: Records = [:]
        let rig = try Rig(disk.disk)
        for number in 0..<30 { try rig.put([record(number, 1000)], into: &model) }
        #expect(eventually { rig.journal.state.spares == 2 })
        disk.inject(.init(operations: ["rename", "unlink", "syncDirectory"], nth: 1, persistent: true, code: EIO))
        rig.journal.trim(before: 3)
        #expect(eventually { rig.journal.state.upkeepFailures >= 1 })
        disk.inject(nil)
        rig.journal.abandon()
        #expect(try Rig(disk.disk).replayed == model)
    }
}

@Suite struct VerifyTests {
    @Test("A second opening is refused, by this process and by another")
    func inUse() throws {
        let directory = Scratch()
        let rig = try Rig(.system, directory.path)
        #expect(throws: JournalError.inUse) { try Rig(.system, directory.path) }
        #expect(try otherProcessLocks(directory.path) == false)
        rig.journal.close()
        #expect(try otherProcessLocks(directory.path))
        try Rig(.system, directory.path).journal.close()
    }

    /// Whether flock(1) gets the lock.
    private func otherProcessLocks(_ directory: String) throws -> Bool {
        var child = pid_t()
        let texts: [String] = ["flock", "-n", "\(directory)/lock", "true"]
        let words: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) }
        defer { for word in words { free(word) } }
        let result = posix_spawnp(&child, "flock", nil, nil, words + [nil], environ)
        try #require(result == 0)
        var status: Int32 = 0
        waitpid(child, &status, 0)
        return status == 0
    }

    @Test("Verifying counts what is there, names damage with its place, and changes nothing, running or stopped")
    func verify() throws {
        let directory = Scratch()
        var model: Records = [:]
        let rig = try Rig(.system, directory.path)
        for number in 0..<40 { try rig.put([record(number, 700)], into: &model) }
        let running = try Journal.verify(directory.path)
        #expect(running.records == 40 && running.isSound && !running.stoppedCleanly && running.journal == rig.journal.id)
        #expect(running.segments.map(\.number) == rig.journal.segments.map(\.number))
        rig.journal.close()
        #expect(try Journal.verify(directory.path).stoppedCleanly)
        let hit = try #require(model.keys.min())
        let file = open("\(directory.path)/0000000001.log", O_RDWR)
        pwrite(file, [0x5A], 1, off_t(hit.journalOffset) + 100)
        close(file)
        let report = try Journal.verify(directory.path)
        #expect(report.records == 39 && report.lost == 1 && !report.isSound)
        #expect(report.damage.first?.segment == 1 && report.damage.first?.offset == 4096)
        #expect(access("\(directory.path)/quarantine", F_OK) != 0)
        let missing = JournalError.failure(JournalFailure(kind: .io, errno: ENOENT, operation: .list))
        #expect(throws: missing) { try Journal.verify("/nowhere/at/all") }
    }

    @Test("Verifying beside a node that trims: segments gone between the listing and the reading are no damage")
    func trimmedMeanwhile() throws {
        let sample = try Sample(clean: true, runs: 5)
        let disk = sample.disk.disk
        // The first is listed and then gone; the first two; the second is not listed any more, and the first is gone as well;
        // the third was not listed yet.
        let cases: [(gone: [UInt32], hidden: [String])] = [
            ([1], []), ([1, 2], []), ([1, 2], ["0000000002.log"]), ([], ["0000000003.log"]), ([1, 2, 3, 4], []),
        ]
        for (gone, hidden) in cases {
            let kept = gone.map { ($0, sample.disk.contents(sample.path($0))) }
            var beside = disk
            beside.list = { path, names in
                let result = disk.list(path, &names)
                names.removeAll { hidden.contains($0) }
                for segment in gone { sample.disk.set(sample.path(segment), nil) }
                return result
            }
            let report = try Journal.verify("/j", disk: beside)
            #expect(report.damage == [] && report.stoppedCleanly, "\(gone) \(hidden)")
            for (segment, contents) in kept { sample.disk.set(sample.path(segment), contents) }
        }
    }

    @Test("Verifying reads again what a writer has just changed")
    func readAgain() throws {
        let sample = try Sample(clean: true, runs: 2)
        let disk = sample.disk.disk
        // The last segment's header is read before it is written, the batches after.
        let header = Monitor(0)
        var beside = disk
        beside.pread = { file, into, offset in
            let count = disk.pread(file, into, offset)
            if into.count == 64, offset == 0,
                header.locked({
                    $0 += 1; return $0
                }) == 2
            {
                into.initializeMemory(as: UInt8.self, repeating: 0)
            }
            return count
        }
        let report = try Journal.verify("/j", disk: beside)
        #expect(report.damage == [] && report.records == 18 && report.neverBegun == [])
    }

    @Test("A directory where none can be made is an error")
    func noDirectory() {
        let missing = JournalError.failure(JournalFailure(kind: .io, errno: ENOENT, operation: .makeDirectory))
        #expect(throws: missing) { try Rig(.system, "/nowhere/at/all") }
        #expect(throws: JournalError.self) { try Rig(.system, "/dev/null") }
    }
}

@Suite struct IndexTests {
    private func journal(_ disk: SimulatedDisk) throws -> Journal { try Rig(disk.disk).journal }

    private func key(_ number: Int) -> IndexKey { IndexKey(high: UInt64(number), low: UInt64(number) &* 3) }

    @Test("A key gives the last of its positions; an absent key gives none")
    func lookUp() throws {
        let disk = SimulatedDisk()
        let journal = try journal(disk)
        for count in [0, 1, 10, 11, 5000] {
            var entries: [(key: IndexKey, position: Position)] = []
            for number in 0..<count { entries.append((key(number), Position(journalSegment: 7, offset: UInt32(8 + number * 8)))) }
            for number in 0..<count where number % 3 == 0 {
                entries.append((key(number), Position(journalSegment: 7, offset: UInt32(1 << 20 + number))))
            }
            // Order does not matter: the highest position is the last.
            for number in 0..<count where number % 5 == 0 { entries.append((key(number), Position(journalSegment: 7, offset: 4))) }
            try journal.writeIndex(7, entries)
            let index = try journal.index(7)
            #expect(index.count == count && index.segment == 7)
            for number in 0..<count {
                let offset = number % 3 == 0 ? UInt32(1 << 20 + number) : UInt32(8 + number * 8)
                #expect(try index.position(of: key(number)) == Position(journalSegment: 7, offset: offset))
            }
            for number in count..<count + 200 { #expect(try index.position(of: key(number)) == nil) }
        }
        #expect(disk.names("/j").filter { $0.hasSuffix(".idx.tmp") }.isEmpty)
    }

    @Test("An index that is missing, cut, flipped at any bit, or another's is refused at opening")
    func damaged() throws {
        let disk = SimulatedDisk()
        let journal = try journal(disk)
        #expect(throws: IndexError.missing) { try journal.index(1) }
        try journal.writeIndex(1, (0..<9).map { (key($0), Position(journalSegment: 1, offset: UInt32($0 + 1))) })
        let path = "/j/0000000001.idx"
        let whole = try #require(disk.contents(path))
        for bit in 0..<whole.count * 8 {
            // Bytes 44...59 of the header are covered by its checksum like the rest.
            disk.flip(path, bit: bit)
            #expect(throws: IndexError.damaged, "bit \(bit)") { try journal.index(1) }
            disk.flip(path, bit: bit)
        }
        for cut in 0..<whole.count {
            disk.set(path, Array(whole[..<cut]))
            #expect(throws: IndexError.damaged) { try journal.index(1) }
        }
        disk.set(path, whole)
        _ = try journal.index(1)
        disk.set("/j/0000000002.idx", whole)
        #expect(throws: IndexError.damaged) { try journal.index(2) }
        let other = SimulatedDisk(seed: 99)
        let stranger = try self.journal(other)
        other.set(path, whole)
        #expect(throws: IndexError.damaged) { try stranger.index(1) }
    }

    @Test("A slot that rots after opening is an error, never a wrong position")
    func rot() throws {
        let disk = SimulatedDisk()
        let journal = try journal(disk)
        try journal.writeIndex(1, (0..<9).map { (key($0), Position(journalSegment: 1, offset: UInt32($0 + 1))) })
        let index = try journal.index(1)
        let path = "/j/0000000001.idx"
        let size = try #require(disk.contents(path)).count
        for bit in 64 * 8..<size * 8 {
            disk.flip(path, bit: bit)
            for number in 0..<9 {
                do throws(IndexError) {
                    #expect(try index.position(of: key(number)) == Position(journalSegment: 1, offset: UInt32(number + 1)))
                } catch { #expect(error == .damaged) }
            }
            disk.flip(path, bit: bit)
        }
        disk.set(capacity: .max)
        disk.inject(.init(operations: ["pread"], nth: 1, persistent: true, code: EIO))
        #expect(throws: IndexError.failure(JournalFailure(kind: .io, errno: EIO, operation: .read))) { try index.position(of: key(1)) }
        #expect(throws: IndexError.failure(JournalFailure(kind: .io, errno: EIO, operation: .read))) { try journal.index(1) }
        disk.inject(.init(operations: ["open"], nth: 1, persistent: true, code: EACCES))
        #expect(throws: IndexError.failure(JournalFailure(kind: .io, errno: EACCES, operation: .open))) { try journal.index(1) }
    }

    @Test("Writing fails without leavings, and the old index stays; entries of another segment are refused")
    func writing() throws {
        let disk = SimulatedDisk()
        let journal = try journal(disk)
        try journal.writeIndex(1, [(key(1), Position(journalSegment: 1, offset: 8))])
        #expect(eventually { journal.state.spares == 2 })
        for operation in ["open", "pwrite", "fsync", "rename", "syncDirectory"] {
            disk.inject(.init(operations: [operation], nth: 1, persistent: false, code: EIO))
            #expect(throws: IndexError.self) { try journal.writeIndex(1, [(key(2), Position(journalSegment: 1, offset: 16))]) }
            disk.inject(nil)
            #expect(disk.names("/j").filter { $0.hasSuffix(".idx.tmp") }.isEmpty)
            if operation != "syncDirectory" {
                #expect(try journal.index(1).position(of: key(1)) == Position(journalSegment: 1, offset: 8))
            }
        }
        let stranger = Position(journalSegment: 2, offset: 8)
        #expect(throws: IndexError.otherSegment(stranger)) { try journal.writeIndex(1, [(key(1), stranger)]) }
        #expect(throws: IndexError.otherSegment(1 << 32)) { try journal.writeIndex(1, [(key(1), 1 << 32)]) }
    }
}

import Glibc
import Synchronization
import Testing
import Threads

@testable import Journal

/// Everything a follower hands on, call after call.
private struct Followed {
    var records: Records = [:]
    var order: [Position] = []
    var missing: [Follower.Missing] = []
    var at: Position = 0

    /// Until the durable end, or until nothing more can be read.
    mutating func run(_ follower: Follower, bytes: Int = 3000) throws {
        for _ in 0..<100_000 {
            let step = try follower.read(from: at, bytes: bytes) { position, record in
                records[position] = [UInt8](record)
                order.append(position)
            }
            missing += step.missing
            if step.next == at, step.isAtEnd { return }
            if step.isStalled, step.next == at {
                // As often as a caller that waits would come before damage is believed.
                let again = try (0..<20).reduce(false) { moved, _ in
                    guard !moved else { return true }
                    let step = try follower.read(from: at, bytes: bytes) { records[$0] = [UInt8]($1) }
                    missing += step.missing
                    defer { at = step.next }
                    return step.next != at
                }
                if !again { return }
                continue
            }
            at = step.next
        }
        Issue.record("a follower that never comes to an end")
    }
}

@Suite struct FollowerTests {
    static let options: Options = {
        var options = Rig.small
        options.publishesEnd = true
        return options
    }()

    @Test("A follower hands on every durable record once and in order, over segments and openings, from any record on")
    func follows() throws {
        let disk = SimulatedDisk()
        var model: Records = [:]
        var rig = try Rig(disk.disk, "/j", Self.options)
        let follower = Follower("/j", disk: disk.disk)
        var found = Followed()
        try found.run(follower)
        #expect(found.records.isEmpty && found.at == 0)
        for number in 0..<120 {
            try rig.put([record(number, 300), record(number + 1000, 1 + number * 9)], into: &model)
            if number % 7 == 0 { try found.run(follower) }
            if number % 40 == 39 {
                rig.journal.close()
                rig = try Rig(disk.disk, "/j", Self.options)
            }
        }
        try found.run(follower)
        #expect(found.records == model && found.missing.isEmpty)
        #expect(found.order == model.keys.sorted())
        #expect(try follower.end()?.ordinal == UInt64(model.count))
        let keys = model.keys.sorted()
        for start in [0, 1, 50, 100, 239] {
            var part = Followed(at: keys[start])
            try part.run(Follower("/j", disk: disk.disk))
            #expect(part.order == Array(keys[start...]))
        }
        rig.journal.close()
        // Of a journal that nobody has open the end stays published.
        var again = Followed()
        try again.run(Follower("/j", disk: disk.disk))
        #expect(again.records == model)
    }

    @Test("What a power cut takes back was never handed on", arguments: 0..<60)
    func powerCut(operations: Int) throws {
        let disk = SimulatedDisk()
        var model: Records = [:]
        let rig = try Rig(disk.disk, "/j", Self.options)
        for number in 0..<20 { try rig.put([record(number, 500)], into: &model) }
        let follower = Follower("/j", disk: disk.disk)
        var found = Followed()
        disk.cutPower(afterOperations: operations)
        for number in 20..<40 {
            try rig.put([record(number, 700), record(number, 20)], into: &model)
            if !disk.isDead { try? found.run(follower) }
        }
        rig.journal.abandon()
        disk.restore()
        let again = try Rig(disk.disk, "/j", Self.options)
        for (position, bytes) in found.records { #expect(again.replayed[position] == bytes) }
        try again.put([record(99, 10)], into: &model)
        try found.run(follower)
        #expect(found.records == again.replayed.merging(again.last) { one, _ in one })
        #expect(found.missing.isEmpty)
    }

    @Test("A failed write or sync that moves the batch to another file loses a follower nothing", arguments: 1..<24)
    func rebuilt(nth: Int) throws {
        let disk = SimulatedDisk()
        var model: Records = [:]
        let rig = try Rig(disk.disk, "/j", Self.options)
        let follower = Follower("/j", disk: disk.disk)
        var found = Followed()
        try rig.put([record(1, 100)], into: &model)
        try found.run(follower)
        disk.inject(.init(operations: ["pwrite", "fdatasync"], nth: nth, persistent: false, code: EIO))
        for number in 2..<14 {
            try rig.put([record(number, 900)], into: &model)
            try found.run(follower)
        }
        disk.inject(nil)
        // An end that could not be published is published with the next batch.
        try rig.put([record(99, 9)], into: &model)
        try found.run(follower)
        #expect(found.records == model && found.missing.isEmpty)
        #expect(rig.journal.state.failures + rig.journal.state.markFailures + rig.journal.state.upkeepFailures > 0)
    }

    @Test("A gap left by a trim is named with its records; a segment with a second name is read after its trim, whole")
    func trims() throws {
        let disk = SimulatedDisk()
        var model: Records = [:]
        let rig = try Rig(disk.disk, "/j", Self.options)
        let follower = Follower("/j", disk: disk.disk)
        var found = Followed()
        try rig.put([record(0, 100)], into: &model)
        try found.run(follower)
        for number in 1..<80 { try rig.put([record(number, 1000)], into: &model) }
        let last = try #require(rig.journal.segments.last?.number)
        let spill = Spill("/j", disk: disk.disk)
        #expect(try spill.segments() == [])
        #expect(try spill.journal().map(\.segment) == rig.journal.segments.map(\.number))
        #expect(try spill.keep([3, 4]) == [3, 4])
        #expect(try spill.keep([3, 99]) == [3])
        rig.journal.trim(before: last)
        #expect(eventually { disk.names("/j").filter { $0.hasSuffix(".log") }.count == 1 && rig.journal.state.spares == 2 })
        // Those that had no second name are used again, the others are not.
        for number in 80..<120 { try rig.put([record(number, 1000)], into: &model) }
        let gone = model.keys.filter { ($0.journalSegment < last && $0.journalSegment != 3 && $0.journalSegment != 4) }
        let lost = gone.filter { found.records[$0] == nil }
        try found.run(follower)
        #expect(Set(found.records.keys) == Set(model.keys).subtracting(lost))
        for (position, bytes) in found.records { #expect(bytes == model[position]) }
        #expect(found.missing.map(\.kind) == [.trimmed, .trimmed])
        #expect(found.missing.reduce(0) { $0 + ($1.lost ?? 0) } == lost.count)
        // Known again from here on.
        var fresh = Followed(at: Position(journalSegment: 1, offset: 4096))
        try fresh.run(Follower("/j", disk: disk.disk))
        #expect(fresh.missing.first?.lost == nil)
        // Nothing is made ready meanwhile.
        #expect(eventually { rig.journal.state.spares == 2 })
        let before = disk.used
        disk.set(capacity: before + 100)
        #expect(try spill.room() == 100)
        // Nobody else has its bytes.
        try spill.drop(before: 4)
        #expect(try spill.segments().map(\.segment) == [4])
        #expect(try spill.room() > 100 && spill.room() == 100 + before - disk.used)
        disk.inject(.init(operations: ["room"], nth: 1, persistent: false, code: EIO))
        #expect(throws: JournalFailure.self) { _ = try spill.room() }
        disk.inject(nil)
        disk.set(capacity: .max)
        #expect(throws: JournalFailure.self) {
            disk.inject(.init(operations: ["link"], nth: 1, persistent: false, code: EXDEV))
            _ = try spill.keep([last])
        }
    }

    @Test("Damage is passed over with what can be saved around it; in the segment being written only when something good follows")
    func damage() throws {
        let disk = SimulatedDisk()
        var model: Records = [:]
        let rig = try Rig(disk.disk, "/j", Self.options)
        for number in 0..<30 { try rig.put([record(number, 300), record(number + 500, 200)], into: &model) }
        let keys = model.keys.sorted()
        let finished = try #require(keys.first)
        disk.flip("/j/0000000001.log", bit: (Int(finished.journalOffset) + 20) * 8)
        var found = Followed()
        let follower = Follower("/j", disk: disk.disk)
        try found.run(follower)
        model[finished] = nil
        #expect(found.records == model)
        #expect(found.missing.map(\.kind) == [.damaged] && found.missing.first?.lost == 1)

        // The last batch: nothing good behind it, so it may yet be whole.
        try rig.put([record(77, 300)], into: &model)
        let newest = try #require(rig.last.keys.first)
        let name = "/j/\(Names.digits(newest.journalSegment)).log"
        disk.flip(name, bit: (Int(newest.journalOffset) + 20) * 8)
        let before = found.at
        try found.run(follower)
        #expect(found.at == before && found.records[newest] == nil)
        disk.flip(name, bit: (Int(newest.journalOffset) + 20) * 8)
        try found.run(follower)
        #expect(found.records == model && found.missing.count == 1)
        // Again, and this time another one follows.
        try rig.put([record(78, 300)], into: &model)
        let broken = try #require(rig.last.keys.first)
        disk.flip("/j/\(Names.digits(broken.journalSegment)).log", bit: (Int(broken.journalOffset) + 20) * 8)
        try rig.put([record(79, 30)], into: &model)
        try found.run(follower)
        model[broken] = nil
        #expect(found.records == model && found.missing.count == 2)
    }

    @Test("A journal that comes back shorter than it was read says so and goes on")
    func cutBack() throws {
        let disk = SimulatedDisk()
        var model: Records = [:]
        let rig = try Rig(disk.disk, "/j", Self.options)
        try rig.put([record(1, 100)], into: &model)
        let old = try #require(disk.contents("/j/0000000001.log"))
        try rig.put([record(2, 100)], into: &model)
        let follower = Follower("/j", disk: disk.disk)
        var found = Followed()
        try found.run(follower)
        rig.journal.abandon()
        disk.set("/j/0000000001.log", old)
        let again = try Rig(disk.disk, "/j", Self.options)
        var second: Records = [:]
        try again.put([record(3, 50)], into: &second)
        try found.run(follower)
        #expect(found.missing.map(\.kind) == [.cutBack])
        #expect(found.records == model.merging(second) { one, _ in one })
    }

    @Test(
        "A journal that comes back without whole segments that were read says so, and what it writes then is read; an old place says nothing"
    )
    func segmentsLost() throws {
        let disk = SimulatedDisk()
        var model: Records = [:]
        let rig = try Rig(disk.disk, "/j", Self.options)
        try rig.put([record(1, 100)], into: &model)
        rig.journal.abandon()
        let (old, place) = (try #require(disk.contents("/j/0000000001.log")), try #require(disk.contents("/j/committed")))
        let more = try Rig(disk.disk, "/j", Self.options)
        try more.put([record(2, 100), record(3, 900)], into: &model)
        let follower = Follower("/j", disk: disk.disk)
        var found = Followed()
        try found.run(follower)
        #expect(found.at.journalSegment == 2)
        more.journal.abandon()
        // The place alone goes back, as a power cut may leave it: the reader waits.
        let newest = try #require(disk.contents("/j/committed"))
        disk.set("/j/committed", place)
        for _ in 0..<3 { try found.run(follower) }
        disk.set("/j/committed", newest)
        try found.run(follower)
        #expect(found.missing.isEmpty)
        // The second segment goes too.
        disk.set("/j/committed", place)
        disk.set("/j/0000000002.log", nil)
        disk.set("/j/0000000001.log", old)
        try found.run(follower)
        let again = try Rig(disk.disk, "/j", Self.options)
        try found.run(follower)
        var second: Records = [:]
        try again.put([record(4, 50)], into: &second)
        try found.run(follower)
        try again.put([record(5, 1500)], into: &second)
        try found.run(follower)
        #expect(found.missing.map(\.kind) == [.cutBack])
        #expect(second.allSatisfy { found.records[$0.key] == $0.value })
    }

    @Test("The file of a place tells its place, and nothing else: other bytes, torn ones and none are no place")
    func places() throws {
        let disk = SimulatedDisk()
        let file = PlaceFile("/j/cursor", disk: disk.disk)
        #expect(try file.read() == nil)
        let place = PlaceFile.Place(journal: JournalID(high: 1, low: 2), position: 77, ordinal: 5)
        try file.replace(place)
        #expect(try file.read() == place)
        for bit in stride(from: 0, to: 64 * 8, by: 5) {
            disk.flip("/j/cursor", bit: bit)
            #expect(try file.read() == nil)
            disk.flip("/j/cursor", bit: bit)
        }
        disk.set("/j/cursor", Array((disk.contents("/j/cursor") ?? []).prefix(63)))
        #expect(try file.read() == nil)
        disk.inject(.init(operations: ["rename"], nth: 1, persistent: false, code: EIO))
        #expect(throws: JournalFailure.self) { try file.replace(place) }
        disk.inject(.init(operations: ["open"], nth: 1, persistent: false, code: EACCES))
        #expect(throws: JournalFailure.self) { try file.read() }
    }

    @Test("Beside a writer under load that rolls and trims what was read, every record comes once, right and in order")
    func beside() throws {
        let directory = Scratch()
        var options = Self.options
        options.sync = false
        let rig = try Rig(.system, directory.path, options)
        let total = 4000
        let read = Atomic<UInt64>(0)
        let wrong = Atomic<Int>(0)
        let seen = Atomic<Int>(0)
        let path = directory.path
        let thread = Worker("follower") {
            // Files of its own, as another process has them.
            let follower = Follower(path)
            var at: Position = 0
            var next = 0
            while next < total {
                guard
                    let step = try? follower.read(
                        from: at, bytes: 5000,
                        { _, bytes in
                            if [UInt8](bytes) != record(next, 1 + next % 700) { wrong.add(1, ordering: .relaxed) }
                            next += 1
                        }), step.missing.isEmpty
                else {
                    wrong.add(1, ordering: .relaxed)
                    return
                }
                at = step.next
                read.store(at, ordering: .releasing)
                seen.store(next, ordering: .releasing)
            }
        }
        var model: Records = [:]
        for number in 0..<total {
            try rig.put([record(number, 1 + number % 700)], into: &model)
            if number % 20 == 0 { rig.journal.trim(before: Position(read.load(ordering: .acquiring)).journalSegment) }
        }
        #expect(eventually { seen.load(ordering: .acquiring) == total || wrong.load(ordering: .relaxed) > 0 })
        thread?.join()
        #expect(wrong.load(ordering: .relaxed) == 0)
        rig.journal.close()
    }
}

import Glibc
import Testing

@testable import Journal

@Suite struct FaultTests {
    static let kinds: [(Set<String>, Int32, Bool)] = [
        (["pwrite"], EIO, false), (["pwrite"], ENOSPC, false), (["pwrite"], EIO, true), (["fdatasync"], EIO, false),
        (["fsync"], EIO, false), (["rename"], EIO, false), (["syncDirectory"], EIO, false), (["open"], EMFILE, false),
        (["link", "unlink"], EROFS, false), (["pread"], EIO, false),
        (["pwrite", "fdatasync", "fsync", "rename", "syncDirectory", "open"], EIO, false), (["pwrite", "fdatasync"], EINTR, false),
    ]

    /// Fails the n-th call, n = 1, 2, 3... until a run ends without the fault; then the power is cut. What was reported durable
    /// must be there, what was not asked for must not.
    @Test("Whatever call fails, once or for good, nothing reported durable is missing after a power cut", arguments: kinds.indices)
    func everyCall(kind: Int) throws {
        let (operations, code, short) = Self.kinds[kind]
        for persistent in [false, true] {
            // An interrupted call is repeated for as long as it is interrupted.
            if code == EINTR, persistent { continue }
            var nth = 1
            var survived = false
            while !survived, nth < 400 {
                let disk = SimulatedDisk(seed: UInt64(nth * 31 + kind))
                disk.inject(.init(operations: operations, nth: nth, persistent: persistent, code: code, short: short))
                let (model, maybe) = try workload(disk, nth)
                survived = disk.fired == 0
                disk.inject(nil)
                disk.cutPower()
                disk.restore()
                let rig = try Rig(disk.disk)
                try compare(rig, model, maybe, "\(operations) persistent \(persistent) n \(nth)")
                // And it goes on.
                var after = rig.replayed
                #expect(try rig.put([record(1, 77)], into: &after) == [.durable])
                rig.journal.close()
                #expect(try recover(disk.disk).1 == after)
                nth += 1
            }
            #expect(survived)
        }
    }

    private func compare(_ rig: Rig, _ model: Records, _ maybe: [Records], _ note: String) throws {
        var expected = model
        // A batch that failed is there whole or not at all.
        for batch in maybe where batch.allSatisfy({ rig.replayed[$0.key] == $0.value }) { expected.merge(batch) { _, new in new } }
        #expect((rig.replayed == expected) == true, "\(note): \(rig.replayed.count) for \(expected.count)")
        #expect(rig.recovery.isSound, "\(note): \(rig.recovery.damage)")
    }

    /// Opens, writes batches over several segments, trims, closes; tolerates every failure. Returns what was reported durable,
    /// and the batches that were not.
    private func workload(_ disk: SimulatedDisk, _ seed: Int) throws -> (Records, [Records]) {
        var model: Records = [:]
        var maybe: [Records] = []
        for run in 0..<2 {
            let rig: Rig
            do { rig = try Rig(disk.disk) } catch is JournalError { continue }
            for number in 0..<14 {
                let records = (0..<3).map { record(seed + number * 3 + $0, 200 + 100 * $0) }
                var batch: Records = [:]
                do {
                    let results = try rig.put(records, into: &batch)
                    if !results.allSatisfy({ $0 == .durable }) { maybe.append(rig.last) } else { model.merge(batch) { _, new in new } }
                } catch is AppendError { break }
                if rig.journal.state.isStopped { break }
            }
            if run == 0 { rig.journal.close() } else { rig.journal.abandon() }
        }
        return (model, maybe)
    }
}

@Suite struct RebuildTests {
    @Test("A failed sync is got around once in 60 s: the batch is durable, positions stay, the failed file is kept")
    func around() throws {
        let disk = SimulatedDisk()
        var model: Records = [:]
        let rig = try Rig(disk.disk)
        #expect(try rig.put([record(1, 100)], into: &model) == [.durable])
        let reader = rig.journal.reader()
        let first = try #require(model.keys.first)
        #expect(try reader.read(at: first) == record(1, 100))
        disk.inject(.init(operations: ["fdatasync"], nth: 1, persistent: false, code: EIO))
        #expect(try rig.put([record(2, 100), record(3, 1)], into: &model) == [.durable])
        disk.inject(nil)
        #expect(rig.journal.state.failures == 1 && !rig.journal.state.isStopped)
        #expect(disk.contents("/j/0000000001.failed") != nil)
        for (position, bytes) in model { #expect(try reader.read(at: position) == bytes) }
        // After the time is over the next failure is a first one again.
        disk.advance(seconds: 61)
        // The fault is for the commit, not for the making of spares.
        #expect(eventually { rig.journal.state.spares == 2 })
        disk.inject(.init(operations: ["pwrite"], nth: 1, persistent: false, code: EIO))
        #expect(try rig.put([record(4, 100)], into: &model) == [.durable])
        disk.inject(nil)
        #expect(rig.journal.state.failures == 2)
        disk.cutPower()
        disk.restore()
        let again = try Rig(disk.disk)
        #expect(again.replayed == model && again.recovery.failed == [1] && again.recovery.isSound)
    }

    @Test("A second failure within 60 s stops the journal until it is opened anew; nothing further is written")
    func second() throws {
        let disk = SimulatedDisk()
        var model: Records = [:]
        let rig = try Rig(disk.disk)
        try rig.put([record(1, 100)], into: &model)
        disk.inject(.init(operations: ["fdatasync"], nth: 1, persistent: true, code: EIO))
        #expect(try rig.put([record(2, 100)], into: &model) == [.durable])
        disk.advance(seconds: 50)
        #expect(try rig.put([record(3, 100)], into: &model) == [.failed(JournalFailure(kind: .io, errno: EIO, operation: .sync))])
        disk.inject(nil)
        #expect(rig.journal.state.isStopped)
        let stopped = JournalFailure(kind: .stopped, errno: EIO, operation: .sync)
        #expect(try rig.put([record(4, 100)], into: &model) == [.failed(stopped)])
        #expect(stopped.description == "journal sync failed: stopped, errno 5")
        rig.journal.close()
        disk.cutPower()
        disk.restore()
        let again = try Rig(disk.disk)
        #expect(model.allSatisfy { again.replayed[$0.key] == $0.value } && !again.recovery.stoppedCleanly)
        #expect(try again.put([record(5, 100)], into: &model) == [.durable])
    }

    @Test("A durable part that does not pass its checksums is not copied: the batch fails")
    func damagedPrefix() throws {
        let disk = SimulatedDisk()
        var model: Records = [:]
        let rig = try Rig(disk.disk)
        try rig.put([record(1, 100)], into: &model)
        disk.flip("/j/0000000001.log", bit: 4200 * 8)
        disk.inject(.init(operations: ["fdatasync"], nth: 1, persistent: false, code: EIO))
        #expect(try rig.put([record(2, 9)], into: &model) == [.failed(JournalFailure(kind: .damaged, operation: .read))])
    }

    @Test("Of many failed segments the last four are kept")
    func failedBound() throws {
        let disk = SimulatedDisk()
        var model: Records = [:]
        for _ in 0..<7 {
            let rig = try Rig(disk.disk)
            disk.inject(.init(operations: ["fdatasync"], nth: 2, persistent: false, code: EIO))
            #expect(try rig.put([record(1, 100)], into: &model) == [.durable])
            disk.inject(nil)
            rig.journal.close()
        }
        #expect(disk.names("/j").filter { $0.hasSuffix(".failed") }.count == 4)
        #expect(try recover(disk.disk).1 == model)
    }

    @Test("With the disk full new spares fail and the journal is low; the reserve takes writes; space back clears it")
    func full() throws {
        let disk = SimulatedDisk()
        var model: Records = [:]
        let rig = try Rig(disk.disk)
        #expect(eventually { rig.journal.state.spares == 2 } && !rig.journal.state.isLow)
        try rig.put([record(0, 10)], into: &model)
        #expect(eventually { rig.journal.state.spares == 2 })
        disk.set(capacity: disk.used)
        // Two spares hold for two more segments; then nothing is left and the write fails as full.
        var results: [WriteResult] = []
        var number = 1
        while results.allSatisfy({ $0 == .durable }), number < 200 {
            results = try rig.put([record(number, 1400)], into: &model)
            number += 1
            if rig.journal.segments.count == 2 { #expect(eventually { rig.journal.state.isLow }) }
        }
        #expect(results == [.failed(JournalFailure(kind: .full, errno: ENOSPC, operation: .write))])
        #expect(rig.journal.segments.count == 4 && rig.journal.state.upkeepFailures > 0)
        rig.journal.close()
        // Opened while full: low at once. Trimming or room makes it whole again.
        let again = try Rig(disk.disk)
        #expect(again.replayed == model && again.journal.state.isLow)
        disk.set(capacity: .max)
        #expect(eventually { !again.journal.state.isLow && again.journal.state.spares == 2 })
        #expect(try again.put([record(1, 1)], into: &model) == [.durable])
        again.journal.close()
    }

    @Test("Calls that fail while opening are errors with their names, and a later opening works")
    func opening() throws {
        let calls: [(String, JournalFailure.Operation)] = [
            ("makeDirectory", .makeDirectory), ("open", .open), ("lock", .lock), ("list", .list), ("syncDirectory", .syncDirectory),
            ("fdatasync", .sync), ("status", .status),
        ]
        for (operation, name) in calls {
            let failure = JournalError.failure(JournalFailure(kind: .io, errno: EIO, operation: name))
            let sample = try Sample(clean: true)
            sample.disk.inject(.init(operations: [operation], nth: 1, persistent: true, code: EIO))
            #expect(throws: failure, "\(operation)") { try Rig(sample.disk.disk) }
            sample.disk.inject(nil)
            #expect(try Rig(sample.disk.disk).replayed == sample.model)
        }
        let sample = try Sample(clean: true)
        sample.disk.inject(.init(operations: ["list"], nth: 1, persistent: true, code: EIO))
        let failure = JournalError.failure(JournalFailure(kind: .io, errno: EIO, operation: .list))
        #expect(throws: failure) { try Journal.verify("/j", disk: sample.disk.disk) }
    }

    @Test("An error from replay ends the opening and frees the directory")
    func replayThrows() throws {
        struct Enough: Error {}
        let sample = try Sample(clean: true)
        #expect(throws: Enough.self) { _ = try Journal.open("/j", Rig.small, disk: sample.disk.disk) { _, _ in throw Enough() } }
        #expect(try Rig(sample.disk.disk).replayed == sample.model)
    }
}

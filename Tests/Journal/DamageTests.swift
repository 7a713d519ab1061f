import Testing

@testable import Journal

/// A small journal on a simulated disk, its files, and what it holds.
struct Sample {
    let disk = SimulatedDisk()
    var model: Records = [:]
    var segments: [UInt32] = []

    init(clean: Bool, runs: Int = 2) throws {
        for run in 0..<runs {
            let rig = try Rig(disk.disk)
            for batch in 0..<3 {
                let number = run * 100 + batch * 10
                try rig.put([record(number, 5), record(number + 1, 40), record(number + 2, 33)], into: &model)
            }
            if run == runs - 1, !clean { rig.journal.abandon() } else { rig.journal.close() }
        }
        for name in disk.names("/j") where name.hasPrefix("spare") { disk.set("/j/\(name)", nil) }
        segments = try recover(disk.disk).0.segments.map(\.number)
    }

    func path(_ segment: UInt32) -> String { Names(directory: "/j").segment(segment) }
}

@Suite struct DamageTests {
    @Test("Every single flipped bit is detected or harmless: no wrong record, and no other record lost", arguments: [true, false])
    func everyBit(clean: Bool) throws {
        let sample = try Sample(clean: clean)
        var tried = 0
        for segment in sample.segments {
            let path = sample.path(segment)
            let end = try #require(recover(sample.disk.disk).0.segments.first { $0.number == segment }?.end)
            let bytes = Array(0..<64) + [100, 4095] + Array(4096..<end + 80) + [16383]
            for byte in bytes {
                for bit in 0..<8 {
                    sample.disk.flip(path, bit: byte * 8 + bit)
                    let (report, records) = try recover(sample.disk.disk)
                    check(sample, report, records, segment, byte)
                    sample.disk.flip(path, bit: byte * 8 + bit)
                    tried += 1
                }
            }
        }
        #expect(tried > 10_000)
        #expect(try recover(sample.disk.disk).1 == sample.model)
    }

    private func check(_ sample: Sample, _ report: Report, _ records: Records, _ segment: UInt32, _ byte: Int) {
        for (position, bytes) in records where sample.model[position] != bytes {
            Issue.record("wrong record after a flip at \(segment):\(byte)")
            return
        }
        let missing = sample.model.keys.filter { records[$0] == nil }
        guard !missing.isEmpty else { return }
        // Only the record that holds the bit, or whose frame does.
        let hit = missing.allSatisfy { position in
            let start = Int(position.journalOffset)
            return position.journalSegment == segment && (start..<start + Format.framed(sample.model[position]?.count ?? 0)).contains(byte)
        }
        if missing.count > 1 || !hit || report.isSound || report.lost != 1 {
            Issue.record("flip at \(segment):\(byte) lost \(missing.count) records, reported \(report.lost), sound \(report.isSound)")
        }
    }

    @Test("A file cut at any byte loses only what lay behind the cut", arguments: [true, false])
    func everyTruncation(clean: Bool) throws {
        let sample = try Sample(clean: clean)
        for segment in sample.segments {
            let path = sample.path(segment)
            let whole = try #require(sample.disk.contents(path))
            let end = try #require(recover(sample.disk.disk).0.segments.first { $0.number == segment }?.end)
            for cut in Array(0..<70) + Array(4090..<end + 3) {
                sample.disk.set(path, Array(whole[..<cut]))
                let (report, records) = try recover(sample.disk.disk)
                let isLast = segment == sample.segments.last
                for (position, bytes) in sample.model {
                    let behind = position.journalSegment == segment && Int(position.journalOffset) + 8 + bytes.count > cut
                    if let found = records[position] {
                        if found != bytes { Issue.record("wrong record after a cut at \(cut)") }
                    } else if !behind, !isLast {
                        Issue.record("record before the cut at \(cut) lost")
                    }
                }
                // A segment that has a successor remembers its end: nothing is lost in silence.
                if !isLast, records.count < sample.model.count, report.isSound || report.lost != sample.model.count - records.count {
                    Issue.record("cut at \(cut) lost \(sample.model.count - records.count), reported \(report.lost)")
                }
            }
            sample.disk.set(path, whole)
        }
    }

    @Test("A batch torn at any byte leaves all before it, nothing of itself, and is no damage")
    func everyTear() throws {
        let sample = try Sample(clean: false)
        let segment = try #require(sample.segments.last)
        let path = sample.path(segment)
        let whole = try #require(sample.disk.contents(path))
        let end = try #require(recover(sample.disk.disk).0.segments.last?.end)
        let last = sample.model.keys.sorted().suffix(3)
        let start = Int(last[last.startIndex].journalOffset) - Format.batchHeader
        for cut in start..<end - Format.batchTrailer {
            sample.disk.set(path, Array(whole[..<cut]) + [UInt8](repeating: 0, count: whole.count - cut))
            let (report, records) = try recover(sample.disk.disk)
            #expect(records.count == sample.model.count - 3 || records.count == sample.model.count, "cut at \(cut)")
            #expect(report.isSound, "cut at \(cut)")
            if cut > start { #expect(report.tornEnd == TornEnd(segment: segment, offset: start) || records.count == sample.model.count) }
        }
        // And it stays so: written on behind it, the torn batch is no damage at later openings.
        sample.disk.set(path, Array(whole[..<(end - 60)]) + [UInt8](repeating: 0, count: whole.count - end + 60))
        var model = sample.model
        for key in last { model[key] = nil }
        for run in 0..<3 {
            let rig = try Rig(sample.disk.disk)
            #expect(rig.replayed == model && rig.recovery.isSound)
            #expect((rig.recovery.tornEnd != nil) == (run == 0))
            try rig.put([record(run, 30)], into: &model)
            rig.journal.close()
        }
    }

    @Test("A batch of which any sectors are missing is torn, never damage, and is dropped whole or kept whole")
    func missingSectors() throws {
        for seed in 0..<300 {
            var random = Seeded(UInt64(seed))
            let disk = SimulatedDisk()
            var model: Records = [:]
            let rig = try Rig(disk.disk)
            try rig.put([record(seed, 1 + Int(random.next() % 1200))], into: &model)
            let before = model
            let records = (0..<Int(1 + random.next() % 5)).map { record($0, 1 + Int(random.next() % 300)) }
            try rig.put(records, into: &model)
            rig.journal.abandon()
            let report = try recover(disk.disk).0
            let start = Int(try #require(model.keys.filter { before[$0] == nil }.min()).journalOffset) - Format.batchHeader
            let end = try #require(report.segments.last?.end)
            var bytes = try #require(disk.contents("/j/0000000001.log"))
            var gone = 0
            for sector in (start / 512)...((end - 1) / 512) where random.next() % 2 == 0 {
                for byte in max(start, sector * 512)..<min(end, sector * 512 + 512) { bytes[byte] = 0 }
                gone += 1
            }
            disk.set("/j/0000000001.log", bytes)
            let (found, left) = try recover(disk.disk)
            #expect(found.isSound, "seed \(seed)")
            // Whole when what is missing is the trailer only.
            #expect(gone == 0 || left == before || left == model, "seed \(seed)")
        }
    }

    @Test("Bytes of an older use of a segment are never taken for records")
    func stale() throws {
        let sample = try Sample(clean: false, runs: 1)
        let old = try #require(sample.disk.contents(sample.path(1)))
        // A second segment begun properly, the old bytes still behind its header and its only batch.
        var model = sample.model
        let rig = try Rig(sample.disk.disk)
        try rig.put([record(1, 20)], into: &model)
        rig.journal.abandon()
        var second = try #require(sample.disk.contents(sample.path(2)))
        let end = try #require(recover(sample.disk.disk).0.segments.last?.end)
        second.replaceSubrange(end..., with: old[end...])
        sample.disk.set(sample.path(2), second)
        #expect(try recover(sample.disk.disk).1 == model)
        // Even in the very places where they stood.
        second.replaceSubrange(4096..., with: old[4096...])
        sample.disk.set(sample.path(2), second)
        let left = try recover(sample.disk.disk).1
        #expect(left == sample.model)
    }

    @Test("Damage is quarantined once, reported at each opening with what it cost, and writing goes on")
    func quarantine() throws {
        let sample = try Sample(clean: true)
        sample.disk.flip(sample.path(1), bit: (4096 + 48 + 8 + 2) * 8)
        var model = sample.model
        model[Position(journalSegment: 1, offset: 4096 + 48)] = nil
        for run in 0..<2 {
            let rig = try Rig(sample.disk.disk)
            #expect(rig.replayed == model)
            let damage = try #require(rig.recovery.damage.first)
            #expect(damage.kind == .batches && damage.segment == 1 && damage.offset == 4096 && damage.salvaged == 2 && damage.lost == 1)
            #expect(rig.recovery.salvaged == 2 && rig.recovery.lost == 1 && rig.recovery.damageCount == 1)
            let name = try #require(damage.quarantined)
            #expect(sample.disk.contents("/j/\(name)")?.count == damage.length)
            #expect(sample.disk.names("/j/quarantine").count == 1)
            try rig.put([record(run, 9)], into: &model)
            rig.journal.close()
        }
    }

    @Test("A quarantine that cannot be written does not stop an opening")
    func quarantineFails() throws {
        for operation in ["makeDirectory", "list", "pwrite", "fsync"] {
            let sample = try Sample(clean: true)
            sample.disk.flip(sample.path(1), bit: 4150 * 8)
            let rig = try {
                // The directory itself is made and listed, and the last batch settled, before the quarantine is.
                let nth = operation == "fsync" ? 1 : 2
                sample.disk.inject(.init(operations: [operation], nth: nth, persistent: false, code: 28))
                defer { sample.disk.inject(nil) }
                return try Rig(sample.disk.disk)
            }()
            #expect(rig.recovery.damageCount == 1 && rig.recovery.damage[0].quarantined == nil, "\(operation)")
        }
    }

    @Test("A segment that is gone from the middle is reported with the records it held")
    func missingSegment() throws {
        let sample = try Sample(clean: true, runs: 3)
        sample.disk.set(sample.path(2), nil)
        let (report, records) = try recover(sample.disk.disk)
        #expect(records.count == 18)
        #expect(report.damage.map(\.kind) == [.segment] && report.damage[0].segment == 2 && report.lost == 9)
    }

    @Test("Zeros where batches were, in a finished segment, are damage with its losses counted")
    func zeroed() throws {
        let sample = try Sample(clean: true)
        var bytes = try #require(sample.disk.contents(sample.path(1)))
        let keys = sample.model.keys.sorted()
        let from = Int(keys[3].journalOffset) - 48
        let to = Int(keys[6].journalOffset) - 48
        for index in from..<to { bytes[index] = 0 }
        sample.disk.set(sample.path(1), bytes)
        let (report, records) = try recover(sample.disk.disk)
        #expect(records.count == 15 && report.lost == 3 && report.damage.map(\.offset) == [from])
        for index in from..<bytes.count { bytes[index] = 0 }
        sample.disk.set(sample.path(1), bytes)
        let rest = try recover(sample.disk.disk)
        #expect(rest.1.count == 12 && rest.0.lost == 6)
    }

    @Test("Zeros in the middle of the last segment are damage when good batches follow")
    func zeroedLast() throws {
        let sample = try Sample(clean: false, runs: 1)
        var bytes = try #require(sample.disk.contents(sample.path(1)))
        let keys = sample.model.keys.sorted()
        for index in Int(keys[3].journalOffset) - 48..<Int(keys[6].journalOffset) - 48 { bytes[index] = 0 }
        sample.disk.set(sample.path(1), bytes)
        let (report, records) = try recover(sample.disk.disk)
        #expect(records.count == 6 && report.lost == 3 && report.tornEnd == nil)
    }

    @Test("Random overwriting of any stretch never yields a record that was not written")
    func garbage() throws {
        for seed in 0..<400 {
            let sample = try Sample(clean: seed % 2 == 0, runs: 2)
            var random = Seeded(UInt64(seed))
            let segment = sample.segments[Int(random.next() % UInt64(sample.segments.count))]
            var bytes = try #require(sample.disk.contents(sample.path(segment)))
            let from = Int(random.next() % 5200)
            let to = min(from + Int(random.next() % 900) + 1, bytes.count)
            for index in from..<to { bytes[index] = UInt8(truncatingIfNeeded: random.next()) }
            sample.disk.set(sample.path(segment), bytes)
            let (report, records) = try recover(sample.disk.disk)
            for (position, bytes) in records { #expect(sample.model[position] == bytes, "seed \(seed)") }
            if records.count < sample.model.count { #expect(!report.isSound || report.tornEnd != nil, "seed \(seed)") }
        }
    }

    @Test("Sectors the disk cannot read cost their own records only")
    func unreadable() throws {
        let sample = try Sample(clean: true)
        sample.disk.inject(.init(operations: ["pread"], nth: 3, persistent: false, code: 5))
        #expect(try recover(sample.disk.disk).1 == sample.model)
        #expect(sample.disk.fired == 1)
        // The first large read of segment 1 and the small one that follows it.
        let disk = sample.disk.disk
        var bad = disk
        bad.pread = { file, into, offset in
            offset < 4096 + 300 && offset + into.count > 4096 + 200 ? -5 : disk.pread(file, into, offset)
        }
        let (report, records) = try recover(bad)
        #expect(records.isEmpty && report.damage.filter { $0.kind == .unreadable }.count == 2 && !report.isSound)
    }

    @Test("Files without a header, empty or short, are segments never begun: removed, not an error")
    func neverBegun() throws {
        for contents in [[], [0], [UInt8](repeating: 0, count: 100), [UInt8](repeating: 0, count: 16384), Array("JSEGM".utf8)] {
            let sample = try Sample(clean: true)
            sample.disk.set(sample.path(3), contents)
            let rig = try Rig(sample.disk.disk)
            #expect(rig.replayed == sample.model && rig.recovery.neverBegun == [3] && rig.recovery.isSound)
            #expect(sample.disk.contents(sample.path(3)) == nil)
            var model = sample.model
            try rig.put([record(1, 1)], into: &model)
            #expect(rig.journal.segments.map(\.number) == [1, 2, 4])
            rig.journal.close()
            let again = try Rig(sample.disk.disk)
            #expect(again.replayed == model && again.recovery.isSound)
        }
    }

    @Test("Leavings of work cut short are cleared away; strangers stay")
    func leftovers() throws {
        let sample = try Sample(clean: true)
        let leavings: Set<String> = ["spare-7.tmp", "0000000009.tmp", "0000000001.idx.tmp", "0000000007.idx", "spare-3"]
        let strangers: Set<String> = ["notes.txt", "12.log", "00000000x1.log", "0000000000.log", "spare-x"]
        for name in leavings.union(strangers) { sample.disk.set("/j/\(name)", [1]) }
        let rig = try Rig(sample.disk.disk)
        #expect(rig.replayed == sample.model)
        rig.journal.close()
        let names = Set(sample.disk.names("/j"))
        #expect(names.isDisjoint(with: leavings))
        #expect(names.isSuperset(of: strangers))
    }

    @Test("A newer format, another journal's segment, and no number left are refused by name")
    func refusals() throws {
        func header(_ change: (inout SegmentHeader) -> Void) -> [UInt8] {
            var header = SegmentHeader(
                segment: 9, journal: JournalID(high: 1, low: 2), createdAt: 1, firstOrdinal: 0, previousSegment: 0, previousEnd: 0)
            change(&header)
            var bytes = [UInt8](repeating: 0, count: 16384)
            bytes.withUnsafeMutableBytes { memory in if let base = memory.baseAddress { header.encode(into: base) } }
            return bytes
        }
        let sample = try Sample(clean: true)
        sample.disk.set(sample.path(9), header { $0.version = 2 })
        #expect(throws: JournalError.newerFormat(segment: 9, version: 2)) { try Rig(sample.disk.disk) }
        sample.disk.set(sample.path(9), header { _ in })
        #expect(throws: JournalError.foreign(segment: 9)) { try Rig(sample.disk.disk) }
        #expect(throws: JournalError.foreign(segment: 9)) { try Journal.verify("/j", disk: sample.disk.disk) }
        let other = SimulatedDisk()
        other.set(sample.path(.max), header { $0.segment = .max })
        #expect(throws: JournalError.exhausted) { try Rig(other.disk) }
    }
}

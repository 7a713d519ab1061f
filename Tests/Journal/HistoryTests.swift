import Testing

@testable import Journal

@Suite struct HistoryTests {
    @Test("Random histories of writing, trimming, stopping, power cuts and failing calls agree with a model", arguments: 0..<60)
    func history(seed: Int) throws {
        var random = Seeded(UInt64(seed) &* 977 &+ 5)
        let disk = SimulatedDisk(seed: UInt64(seed))
        var options = Rig.small
        options.spares = 1 + seed % 3
        var durable: Records = [:]
        var maybe: [Records] = []
        var floor: UInt32 = 0
        for run in 0..<8 {
            let rig = try Rig(disk.disk, "/j", options)
            let note = "seed \(seed) run \(run)"
            #expect(rig.recovery.isSound, "\(note): \(rig.recovery.damage)")
            #expect(rig.order == rig.order.sorted(), "\(note)")
            check(rig.replayed, durable, maybe, floor, note)
            durable = rig.replayed
            maybe = []
            if random.next() % 3 == 0 { disk.cutPower(afterOperations: Int(random.next() % 60)) }
            if random.next() % 4 == 0 {
                let nth = Int(random.next() % 30) + 1
                disk.inject(.init(operations: ["pwrite", "fdatasync", "rename", "syncDirectory"], nth: nth, persistent: false, code: 5))
            }
            for step in 0..<Int(random.next() % 30) {
                var batch: Records = [:]
                let records = (0...Int(random.next() % 6)).map { record(seed + run + step + $0, 1 + Int(random.next() % 700)) }
                let results = try rig.put(records, into: &batch)
                if results.allSatisfy({ $0 == .durable }) { durable.merge(batch) { _, new in new } } else { maybe.append(rig.last) }
                if rig.journal.state.isStopped { break }
                if random.next() % 8 == 0, let last = rig.journal.segments.last?.number {
                    let before = last - UInt32(random.next() % UInt64(min(3, last)))
                    rig.journal.trim(before: before)
                    floor = max(floor, before)
                    durable = durable.filter { $0.key.journalSegment >= floor }
                }
            }
            switch random.next() % 3 {
            case 0: rig.journal.close()
            case 1: rig.journal.abandon()
            default:
                disk.cutPower()
                rig.journal.abandon()
            }
            disk.inject(nil)
            disk.cutPower()
            disk.restore()
            disk.advance(seconds: 100)
        }
    }

    private func check(_ found: Records, _ durable: Records, _ maybe: [Records], _ floor: UInt32, _ note: String) {
        for (position, bytes) in durable where found[position] != bytes {
            Issue.record("\(note): durable record at \(position.journalSegment):\(position.journalOffset) is missing or wrong")
        }
        var allowed = durable
        for records in maybe { allowed.merge(records) { _, new in new } }
        // Trimmed segments may come back after a cut, with what they held; nothing else may.
        for (position, bytes) in found where position.journalSegment >= floor && allowed[position] != bytes {
            Issue.record("\(note): a record nobody wrote, at \(position.journalSegment):\(position.journalOffset)")
        }
    }
}

import Glibc
@testable import Journal
import Testing

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
        for batch in maybe where batch.keys.contains(where: { rig.replayed[$0] != nil }) { expected.merge(batch) { _, new in new } }
        #expect(rig.replayed == expected, "\(note)")
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
                    if !results.allSatisfy({ $0 == .durable }) { maybe.append([:]) } else { model.merge(batch) { _, new in new } }
                } catch is AppendError { break }
                if rig.journal.state.isStopped { break }
            }
            if run == 0 { rig.journal.close() } else { rig.journal.abandon() }
        }
        return (model, maybe)
    }
}

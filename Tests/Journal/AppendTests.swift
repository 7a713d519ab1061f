import CJournal
import Testing

@testable import Journal

@Suite struct AppendTests {
    @Test("Records come back whole, in order, at the positions that appending gave")
    func roundTrip() throws {
        let disk = SimulatedDisk()
        var model: Records = [:]
        let rig = try Rig(disk.disk)
        #expect(rig.recovery.isEmpty && rig.recovery.isSound && rig.journal.state.committed == 0)
        for number in 0..<200 {
            #expect(try rig.put([record(number, 1 + number * 7 % 900), record(number, 3)], into: &model) == [.durable])
        }
        #expect(rig.journal.segments.count > 3)
        #expect(rig.journal.segments.last?.isCurrent == true)
        let state = rig.journal.state
        #expect(state.records == 400 && state.batches == 200 && state.bytes > 0 && state.lastCommit > 0 && state.failures == 0)
        #expect(state.takeSlowestCommit() >= state.lastCommit && state.takeSlowestCommit() == 0)
        rig.journal.close()
        let again = try Rig(disk.disk)
        #expect(again.replayed == model && again.replayed.count == 400)
        #expect(again.order == again.order.sorted())
        #expect(again.recovery.stoppedCleanly && again.recovery.isSound && again.recovery.tornEnd == nil)
        #expect(again.recovery.records == 400 && again.recovery.batches == 201 && again.journal.id == rig.journal.id)
    }

    @Test("After opening, writing goes on in a fresh segment, and ordinals go on")
    func freshSegment() throws {
        let disk = SimulatedDisk()
        var model: Records = [:]
        for run in 1...4 {
            let rig = try Rig(disk.disk)
            #expect(rig.replayed == model)
            try rig.put([record(run, 10), record(run, 20)], into: &model)
            let last = try #require(rig.journal.segments.last)
            #expect(last.number == UInt32(run) && last.firstOrdinal == UInt64(run - 1) * 2)
            if run % 2 == 0 { rig.journal.close() } else { rig.journal.abandon() }
        }
    }

    @Test("Opening and closing without a write leaves the segments as they were")
    func idleOpenings() throws {
        let disk = SimulatedDisk()
        var model: Records = [:]
        try {
            let rig = try Rig(disk.disk); try rig.put([record(1, 50)], into: &model); rig.journal.close()
        }()
        for _ in 0..<3 { try Rig(disk.disk).journal.close() }
        let rig = try Rig(disk.disk)
        #expect(rig.replayed == model && rig.journal.segments.map(\.number) == [1] && rig.recovery.stoppedCleanly)
    }

    @Test("A record of no bytes or too many is refused, and nothing changes")
    func sizes() throws {
        let rig = try Rig(SimulatedDisk().disk)
        for size in [0, -1, 1537, .max] {
            #expect(throws: AppendError.size(size, limit: 1536)) { try rig.appender.append(count: size) { _ in } }
        }
        #expect(rig.appender.pendingRecords == 0 && rig.appender.cut() == nil)
        _ = try rig.appender.append(count: 1536) { $0.initializeMemory(as: UInt8.self, repeating: 1) }
        #expect(rig.appender.pendingRecords == 1 && rig.appender.pendingBytes == 1544)
        #expect(rig.flush() == [.durable])
        #expect(rig.appender.pendingBytes == 0)
    }

    @Test("Batches that fill up wait in order; at the limit appending says behind, and goes on after a write")
    func behind() throws {
        let rig = try Rig(SimulatedDisk().disk)
        var appended: [Position] = []
        let refused = #expect(throws: AppendError.self) {
            for number in 0..<100 { appended.append(try record(number, 1500).withUnsafeBytes { try rig.appender.append($0) }) }
        }
        #expect(refused == .behind && appended.count == 8)
        #expect(rig.flush() == Array(repeating: .durable, count: 8))
        var model: Records = [:]
        #expect(try rig.put([record(9, 100)], into: &model) == [.durable])
        let reader = rig.journal.reader()
        for (number, position) in appended.enumerated() { #expect(try reader.read(at: position) == record(number, 1500)) }
    }

    @Test("A batch handed over out of order fails, and stops the journal rather than leave a gap")
    func order() throws {
        let rig = try Rig(SimulatedDisk().disk)
        _ = try rig.appender.append(count: 5) { $0.initializeMemory(as: UInt8.self, repeating: 1) }
        let lost = rig.appender.cut()
        #expect(lost?.records == 1 && lost?.start == Position(journalSegment: 1, offset: 4096))
        _ = try rig.appender.append(count: 5) { $0.initializeMemory(as: UInt8.self, repeating: 2) }
        #expect(rig.flush() == [.failed(JournalFailure(kind: .order, operation: .commit))])
        #expect(rig.journal.state.isStopped)
    }

    @Test("A closed journal answers closed, and closing twice is harmless")
    func closed() throws {
        let rig = try Rig(SimulatedDisk().disk)
        _ = try rig.appender.append(count: 5) { $0.initializeMemory(as: UInt8.self, repeating: 1) }
        rig.journal.close()
        rig.journal.close()
        #expect(rig.flush() == [.failed(JournalFailure(kind: .closed, operation: .commit))])
    }

    @Test("Settings out of range are refused in words")
    func options() {
        let changes: [(inout Options) -> Void] = [
            { $0.batchSize = 100 }, { $0.batchSize = 2049 }, { $0.segmentSize = 8192 }, { $0.segmentSize = 2 << 30 },
            { $0.recordSize = 0 }, { $0.recordSize = 2040 }, { $0.spares = 0 }, { $0.batchesInMemory = 1 },
        ]
        for change in changes {
            var options = Rig.small
            change(&options)
            let error = #expect(throws: JournalError.self) { _ = try Rig(SimulatedDisk().disk, "/j", options) }
            guard case .options? = error else { Issue.record("not an options error"); continue }
        }
    }

    @Test("CRC32C gives the published check value, by instruction and by table, at every length and alignment")
    func checksum() {
        let digits = Array("123456789".utf8)
        #expect(cj_crc32c(0, digits, 9) == 0xE306_9283 && cj_crc32c_table(0, digits, 9) == 0xE306_9283)
        let bytes = record(1, 300)
        bytes.withUnsafeBytes { memory in
            for start in 0..<8 {
                for length in 0..<280 {
                    guard let base = memory.baseAddress else { return }
                    #expect(cj_crc32c(7, base + start, length) == cj_crc32c_table(7, base + start, length))
                }
            }
        }
        #expect(cj_crc32c_word(0, 0x3837_3635_3433_3231) == cj_crc32c(0, digits, 8))
        #expect((0...1).contains(cj_crc32c_is_hardware()))
    }
}

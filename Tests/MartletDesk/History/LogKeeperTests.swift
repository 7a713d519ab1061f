import Journal
import MartletModel
import MartletStore
import SQL
import Synchronization
import Testing

@testable import MartletDesk

@Suite("History: what the log keeps for it") struct LogKeeperTests {
    private func keeper(_ rig: ProjectorRig, _ thread: OwnThread, journal: Int, spill: Int) -> LogKeeper {
        LogKeeper(
            thread, journal: "\(rig.directory)/journal", folder: "\(rig.directory)/desk", limits: .init(journal: journal, spill: spill))
    }

    private func fill(_ rig: ProjectorRig, _ messages: Range<Int>) throws {
        for number in messages {
            try rig.message(number)
            if number % 20 == 0 { rig.commit() }
        }
        rig.commit()
    }

    /// The history misses what is gone, once, and says so.
    private func expectGap(_ rig: ProjectorRig) async throws {
        let projector = rig.projector()
        // It began before, so that what is gone is missed.
        try await rig.store.transaction { session in
            let place: [SQLValue] = [.text("history"), .number(-1), .number(1), .integer(1 << 32 | 4096), .number(0)]
            try session.run(StoreStatements.moveCursor, place)
        }
        try await projector.catchUp()
        #expect(projector.figures.read.gaps == 1)
        #expect(try await rig.audit().first?.text("outcome").hasPrefix("trimmed") == true)
    }

    @Test("What is durable of another log says nothing of this one, and of one that was cut back no more than there is")
    func ofThisLog() {
        var values = ProjectorFigures.Values()
        let (one, other) = (JournalID(high: 1, low: 1), JournalID(high: 2, low: 2))
        #expect(values.durable(of: PlaceFile.Place(journal: one, position: 50)) == 0)
        (values.journal, values.durable) = (one, 80)
        #expect(values.durable(of: PlaceFile.Place(journal: one, position: 100)) == 80)
        #expect(values.durable(of: PlaceFile.Place(journal: one, position: 50)) == 50)
        #expect(values.durable(of: PlaceFile.Place(journal: other, position: 100)) == 0)
    }

    @Test("The node is told of what the store has on disk, by whole segments, and of nothing that it lacks")
    func told() async throws {
        try await ProjectorTests.with(.sqlite) { rig in
            let thread = try #require(OwnThread.started("history-log"))
            defer { thread.stop() }
            let keeper = keeper(rig, thread, journal: 1 << 30, spill: 1 << 30)
            #expect(try await keeper.keep(durable: { _ in 0 }) == nil)
            try fill(rig, 0..<1200)
            let file = PlaceFile("\(rig.directory)/desk/history-cursor")
            #expect(try await keeper.keep(durable: { _ in 0 })?.told == 0)
            #expect(try file.read()?.position == 0)
            let some = Position(journalSegment: 2, offset: 8192)
            #expect(try await keeper.keep(durable: { _ in some })?.told == some)
            #expect(try file.read()?.position == some)
            // One that does not know better never takes back what was told.
            #expect(try await self.keeper(rig, thread, journal: 1 << 30, spill: 1 << 30).keep(durable: { _ in 0 })?.told == some)
        }
    }

    @Test("Near the journal's cap segments get a second name and are read after their trim; the rest of the log follows without a gap")
    func spills() async throws {
        try await ProjectorTests.with(.sqlite) { rig in
            let thread = try #require(OwnThread.started("history-log"))
            defer { thread.stop() }
            try fill(rig, 0..<1600)
            let current = try #require(rig.segments.last?.number)
            // Room for two segments: the others are kept apart.
            let keeper = keeper(rig, thread, journal: 700 << 10, spill: 1 << 30)
            let report = try #require(try await keeper.keep(durable: { _ in 0 }))
            #expect(report.segments == Int(current) - 2 && report.dropped.isEmpty)
            #expect(report.told.journalSegment == current - 1)
            rig.trim(before: report.told.journalSegment)
            let spill = Spill("\(rig.directory)/journal")
            for _ in 0..<500 where try spill.journal().count > 2 { try await Task.sleep(for: .milliseconds(10)) }
            try fill(rig, 1600..<1700)
            let projector = rig.projector()
            try await projector.catchUp()
            #expect(projector.figures.read.gaps == 0)
            #expect(try await rig.counted() == 6800)
            // What the store has needs no second name any more.
            #expect(try await keeper.keep(durable: { _ in projector.figures.read.durable })?.segments == 0)
            #expect(try spill.segments().isEmpty)
        }
    }

    @Test("Over its own cap the oldest of what is kept goes, says so, and stands in the audit as a gap")
    func full() async throws {
        try await ProjectorTests.with(.sqlite) { rig in
            let thread = try #require(OwnThread.started("history-log"))
            defer { thread.stop() }
            try fill(rig, 0..<1600)
            let keeper = keeper(rig, thread, journal: 350 << 10, spill: 600 << 10)
            let report = try #require(try await keeper.keep(durable: { _ in 0 }))
            #expect(report.segments == 2 && !report.dropped.isEmpty)
            rig.trim(before: report.told.journalSegment)
            let spill = Spill("\(rig.directory)/journal")
            for _ in 0..<500 where try spill.journal().count > 2 { try await Task.sleep(for: .milliseconds(10)) }
            try await expectGap(rig)
        }
    }

    @Test("The volume keeps room for the journal at its cap: the oldest of what is kept goes, once, and stands in the audit as a gap")
    func room() async throws {
        try await ProjectorTests.with(.sqlite) { rig in
            let thread = try #require(OwnThread.started("history-log"))
            defer { thread.stop() }
            try fill(rig, 0..<2400)
            let volume = Volume("\(rig.directory)/journal")
            let (segment, cap) = (ProjectorRig.options.segmentSize, 700 << 10)
            let keeper = LogKeeper(
                thread, journal: "\(rig.directory)/journal", folder: "\(rig.directory)/desk",
                limits: .init(journal: cap, spill: 1 << 30, segment: segment), disk: volume.disk)
            // As much as it takes with the two segments that the journal has alone.
            volume.set(cap + 4 * segment - 2 * segment)
            let all = try #require(try await keeper.keep(durable: { _ in 0 }))
            #expect(all.segments > 3 && all.dropped.isEmpty)
            rig.trim(before: all.told.journalSegment)
            let spill = Spill("\(rig.directory)/journal")
            for _ in 0..<500 where try spill.journal().count > 2 { try await Task.sleep(for: .milliseconds(10)) }
            // A byte less, then what two segments take.
            volume.set(cap + 4 * segment - 2 * segment - 1)
            let one = try #require(try await keeper.keep(durable: { _ in 0 }))
            #expect(one.dropped.map(\.segment) == [1] && one.dropped.map(\.cause) == [.room] && one.told == all.told)
            volume.set(cap + 4 * segment - 2 * segment - 2 * segment)
            let more = try #require(try await keeper.keep(durable: { _ in 0 }))
            #expect(more.dropped.map(\.segment) == [2, 3] && more.segments == all.segments - 3)
            #expect(try spill.segments().first?.segment == 4)
            volume.set(1 << 40)
            #expect(try await keeper.keep(durable: { _ in 0 })?.dropped.isEmpty == true)
            try await expectGap(rig)
        }
    }

    @Test("A segment that the journal still has when it is given up is not kept again; a volume that cannot be asked is an error")
    func givenUpOnce() async throws {
        try await ProjectorTests.with(.sqlite) { rig in
            let thread = try #require(OwnThread.started("history-log"))
            defer { thread.stop() }
            try fill(rig, 0..<1600)
            let volume = Volume("\(rig.directory)/journal")
            let keeper = LogKeeper(
                thread, journal: "\(rig.directory)/journal", folder: "\(rig.directory)/desk",
                limits: .init(journal: 700 << 10, spill: 1 << 30, segment: 256 << 10), disk: volume.disk)
            volume.set(0)
            let first = try #require(try await keeper.keep(durable: { _ in 0 }))
            #expect(first.segments == 0 && first.told == 0 && first.dropped.count == rig.segments.count - 2)
            let second = try #require(try await keeper.keep(durable: { _ in 0 }))
            #expect(second.segments == 0 && second.dropped.isEmpty)
            volume.set(1 << 40)
            try fill(rig, 1600..<2400)
            #expect(try await keeper.keep(durable: { _ in 0 })?.segments ?? 0 > 0)
            volume.set(-5)
            await #expect(throws: JournalFailure.self) { _ = try await keeper.keep(durable: { _ in 0 }) }
        }
    }

    @Test("A repair writes anew what was changed or is gone, and counts nothing", arguments: SQLStore.Engine.allCases)
    func repairs(engine: SQLStore.Engine) async throws {
        try await ProjectorTests.with(engine) { rig in
            try fill(rig, 0..<60)
            let projector = rig.projector()
            try await projector.catchUp()
            let before = try await rig.counts(ProjectorTests.tables)
            try await rig.store.transaction { session in
                try session.define(
                    "UPDATE state SET reason = 9; UPDATE notification SET source = 3; DELETE FROM receipt; DELETE FROM lookup")
            }
            #expect(try await rig.state(rig.id(5)) == nil)
            try await projector.repair()
            #expect(try await rig.counts(ProjectorTests.tables) == before)
            #expect(try await rig.state(rig.id(5))?.told == ToldOutcome.heard.rawValue)
            #expect(try await rig.rows(HistoryStatements.notification, rig.id(5)).first?.integer("source") == 7)
            #expect(try await rig.counted() == 240)
            try await projector.repair()
            #expect(try await rig.counts(ProjectorTests.tables) == before)
        }
    }

    @Test("Another journal in the place of the one that was read is read from its beginning, and said")
    func anotherJournal() async throws {
        try await ProjectorTests.with(.sqlite) { rig in
            try fill(rig, 0..<20)
            try await rig.store.transaction { session in
                for (partition, sequence, position) in [(-1, 5, 900 << 32), (-2, 11, 12), (3, 100_000, 900 << 32)] {
                    let place: [SQLValue] = [.text("history"), .number(partition), .number(sequence), .number(position), .number(0)]
                    try session.run(StoreStatements.moveCursor, place)
                }
            }
            let projector = rig.projector()
            try await projector.catchUp()
            #expect(try await rig.counted() == 80)
            #expect(try await rig.audit().map { try $0.text("outcome") } == ["cut-back, 0 record(s) missing"])
        }
    }
}

/// The machine's disk, with as much room as a test says.
private final class Volume: Sendable {
    private let journal: String
    /// Free bytes, and what the segments took then.
    private let room = Mutex((free: 1 << 40, taken: 0))

    init(_ journal: String) { self.journal = journal }

    var disk: Disk {
        var disk = Disk.system
        disk.room = { [self] _ in room.withLock { $0.free + $0.taken - taken() } }
        return disk
    }

    func set(_ bytes: Int) { room.withLock { $0 = (bytes, taken()) } }

    /// A segment with two names takes its bytes once.
    private func taken() -> Int {
        let spill = Spill(journal)
        guard let files = try? spill.journal() + spill.segments() else { return 0 }
        return Dictionary(files.map { ($0.segment, $0.bytes) }, uniquingKeysWith: { one, _ in one }).values.reduce(0, +)
    }
}

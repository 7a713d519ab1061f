import Journal

/// Keeps the log for as long as the history lacks it: tells the node by a file what it may trim, and gives segments that would go before
/// their time, because the journal nears its cap, a second name. Needs no database: it is wanted most while that is away.
///
/// What it keeps never takes the journal's room: the oldest goes while the volume could still hold a journal that grows to its cap with nobody
/// here to make room for it.
actor LogKeeper {
    struct Limits: Sendable {
        /// The journal's own cap, bytes: over it the node trims whatever the history lacks.
        var journal = 4 << 30
        /// Bytes of segments kept beyond that; 0: none.
        var spill = 16 << 30
        /// Bytes of one segment.
        var segment = 64 << 20

        /// What the volume must have for the journal, taken or free: its cap, and what it makes ahead of it.
        var room: Int { journal + LogKeeper.ahead * segment }
    }

    /// Why a segment went although the history lacks it.
    enum Cause: String, Sendable {
        case cap = "history.spill is reached"
        case room = "the volume keeps room for the journal"
    }

    struct Report: Sendable {
        /// Raw position before which the log may be trimmed.
        var told: UInt64
        /// Raw position at which the log ends.
        var end: UInt64
        var segments = 0
        var bytes = 0
        var dropped: [(segment: UInt32, cause: Cause)] = []
    }

    private let thread: OwnThread
    private let limits: Limits
    private let follower: Follower
    private let spill: Spill
    private let folder: String
    private let file: PlaceFile
    private let disk: Disk
    private var told: UInt64 = 0
    private var isTold = false
    /// The newest that was given up: not kept again while the journal still has it.
    private var givenUp: UInt32 = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// - Parameter folder: of the desk; the file `history-cursor` is made there.
    init(_ thread: OwnThread, journal: String, folder: String, limits: Limits, disk: Disk = .system) {
        self.thread = thread
        self.limits = limits
        follower = Follower(journal, disk: disk)
        self.folder = folder
        self.disk = disk
        spill = Spill(journal, disk: disk)
        file = PlaceFile("\(folder)/\(LogKeeper.name)", disk: disk)
    }

    static let name = "history-cursor"
    /// Share of the journal's cap at which segments get a second name, so that it is there before the node trims.
    private static let margin = (part: 3, of: 4)
    /// Segments that the journal has or makes beyond its cap: two spares, one in the making, and the one that takes it over the cap.
    private static let ahead = 4

    /// - Parameter known: raw position up to which the store has the log on disk, as far as is known, given the log and where it ends; 0: nothing is.
    /// - Returns: nil: there is no log yet.
    func keep(durable known: @Sendable (PlaceFile.Place) -> Position) throws -> Report? {
        guard let end = try follower.end() else { return nil }
        let durable = known(end)
        if !isTold, let before = try file.read(), before.journal == end.journal { (told, isTold) = (before.position, true) }
        let needed = durable.journalSegment
        var kept = try spill.segments()
        if kept.contains(where: { $0.segment < needed }) {
            try spill.drop(before: needed)
            kept.removeAll { $0.segment < needed }
        }
        var report = Report(told: durable, end: end.position)
        let journal = try spill.journal()
        // Before anything asks the volume for more, too: on a full one a name may not fit.
        try shorten(&kept, journal, &report)
        if limits.spill > 0 {
            try link(&kept, journal, needed, end.position.journalSegment)
            try shorten(&kept, journal, &report)
        }
        report.segments = kept.count
        report.bytes = LogKeeper.bytes(kept)
        if let last = kept.last { report.told = max(durable, Position(journalSegment: last.segment + 1, offset: 0)) }
        // What was told once stays: a second name may go over the cap, the segment is gone either way.
        report.told = max(report.told, told)
        try tell(report.told, end.journal)
        return report
    }

    /// As many of the oldest finished segments as the journal has over its share.
    private func link(_ kept: inout [Spill.File], _ journal: [Spill.File], _ needed: UInt32, _ current: UInt32) throws {
        var over = LogKeeper.bytes(journal) - limits.journal / LogKeeper.margin.of * LogKeeper.margin.part
        var wanted: [UInt32] = []
        for file in journal where over > 0 && file.segment < current {
            over -= file.bytes
            guard file.segment >= needed, file.segment > givenUp, !kept.contains(where: { $0.segment == file.segment }) else { continue }
            wanted.append(file.segment)
        }
        guard !wanted.isEmpty else { return }
        let made = Set(try spill.keep(wanted))
        kept += journal.filter { made.contains($0.segment) }
        kept.sort { $0.segment < $1.segment }
    }

    /// Gives up the oldest of what is kept, over its own cap or for the journal's room.
    private func shorten(_ kept: inout [Spill.File], _ journal: [Spill.File], _ report: inout Report) throws {
        guard !kept.isEmpty else { return }
        var over = LogKeeper.bytes(kept) - limits.spill
        var lacking = try lackingRoom(kept, journal)
        while over > 0 || lacking > 0, let oldest = kept.first {
            try spill.drop(before: oldest.segment + 1)
            report.dropped.append((oldest.segment, over > 0 ? .cap : .room))
            givenUp = max(givenUp, oldest.segment)
            over -= oldest.bytes
            // Its room is free now, or will be when the journal trims it.
            lacking -= oldest.bytes
            kept.removeFirst()
        }
    }

    /// Bytes that the volume lacks for a journal at its cap. A trim gives back only what the journal has alone: with a second name the bytes stay.
    private func lackingRoom(_ kept: [Spill.File], _ journal: [Spill.File]) throws -> Int {
        let shared = Set(kept.map(\.segment))
        return try limits.room - LogKeeper.bytes(journal.filter { !shared.contains($0.segment) }) - spill.room()
    }

    private static func bytes(_ files: [Spill.File]) -> Int { files.reduce(0) { $0 + $1.bytes } }

    /// Only whole segments are trimmed, so only a new one is worth a write.
    private func tell(_ position: Position, _ journal: JournalID) throws {
        guard !isTold || position.journalSegment > told.journalSegment else { return }
        let made = disk.makeDirectory(folder)
        if made < 0 { throw JournalFailure(kind: .io, errno: -made, operation: .makeDirectory) }
        try file.replace(PlaceFile.Place(journal: journal, position: position))
        (told, isTold) = (position, true)
    }
}

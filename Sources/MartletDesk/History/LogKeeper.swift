import Journal

/// Keeps the log for as long as the history lacks it: tells the node by a file what it may trim, and gives segments that would go before
/// their time, because the journal nears its cap, a second name. Needs no database: it is wanted most while that is away.
actor LogKeeper {
    struct Limits: Sendable {
        /// The journal's own cap, bytes: over it the node trims whatever the history lacks.
        var journal = 4 << 30
        /// Bytes of segments kept beyond that; 0: none.
        var spill = 16 << 30
    }

    struct Report: Sendable {
        /// Raw position before which the log may be trimmed.
        var told: UInt64
        /// Raw position at which the log ends.
        var end: UInt64
        var segments = 0
        var bytes = 0
        /// Segments that went although the history lacks them, as `limits.spill` was reached.
        var dropped: [UInt32] = []
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
        if limits.spill > 0 { try link(&kept, needed, end.position.journalSegment) }
        var report = Report(told: durable, end: end.position)
        while kept.reduce(0, { $0 + $1.bytes }) > limits.spill, let oldest = kept.first {
            try spill.drop(before: oldest.segment + 1)
            report.dropped.append(oldest.segment)
            kept.removeFirst()
        }
        report.segments = kept.count
        report.bytes = kept.reduce(0) { $0 + $1.bytes }
        if let last = kept.last { report.told = max(durable, Position(journalSegment: last.segment + 1, offset: 0)) }
        // What was told once stays: a second name may go over the cap, the segment is gone either way.
        report.told = max(report.told, told)
        try tell(report.told, end.journal)
        return report
    }

    /// As many of the oldest finished segments as the journal has over its share.
    private func link(_ kept: inout [Spill.File], _ needed: UInt32, _ current: UInt32) throws {
        let journal = try spill.journal()
        var over = journal.reduce(0) { $0 + $1.bytes } - limits.journal / LogKeeper.margin.of * LogKeeper.margin.part
        var wanted: [UInt32] = []
        for file in journal where over > 0 && file.segment < current {
            over -= file.bytes
            guard file.segment >= needed, !kept.contains(where: { $0.segment == file.segment }) else { continue }
            wanted.append(file.segment)
        }
        guard !wanted.isEmpty else { return }
        let made = Set(try spill.keep(wanted))
        kept += journal.filter { made.contains($0.segment) }
        kept.sort { $0.segment < $1.segment }
    }

    /// Only whole segments are trimmed, so only a new one is worth a write.
    private func tell(_ position: Position, _ journal: JournalID) throws {
        guard !isTold || position.journalSegment > told.journalSegment else { return }
        let made = disk.makeDirectory(folder)
        if made < 0 { throw JournalFailure(kind: .io, errno: -made, operation: .makeDirectory) }
        try file.replace(PlaceFile.Place(journal: journal, position: position))
        (told, isTold) = (position, true)
    }
}

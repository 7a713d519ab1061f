import Glibc

/// Puts batches on the disk, one after another, and gets around one failure.
///
/// `@unchecked Sendable`: made before the writer thread starts and from then on used by that thread only.
final class Committer: @unchecked Sendable {
    private let disk: Disk
    private let names: Names
    private let options: Options
    private let spares: Spares
    private let table: Table
    private let state: JournalState
    private let journal: JournalID
    private let mark: CommittedMark?

    private var file: Int32 = -1
    private var current: UInt32 = 0
    private var header: SegmentHeader?
    /// Where the last durable batch ended.
    private var last: Position
    /// Of the segment before the first one begun here.
    private let endIsKnown: Bool
    private var ordinal: UInt64
    /// Segments that may come next begin here.
    private let firstFresh: UInt32
    private var failedAt: UInt64?
    private var stopped: JournalFailure?
    private var failedKept: [UInt32]

    /// A second failure within this time stops the journal.
    static let tolerance: UInt64 = 60_000_000_000
    private static let failedMax = 4

    init(
        disk: Disk, names: Names, options: Options, spares: Spares, table: Table, state: JournalState, journal: JournalID,
        mark: CommittedMark?, last: Position, endIsKnown: Bool, ordinal: UInt64, firstFresh: UInt32, failedKept: [UInt32]
    ) {
        self.disk = disk
        self.names = names
        self.options = options
        self.spares = spares
        self.table = table
        self.state = state
        self.journal = journal
        self.mark = mark
        self.last = last
        self.endIsKnown = endIsKnown
        self.ordinal = ordinal
        self.firstFresh = firstFresh
        self.failedKept = failedKept
        // What was read at the opening was made certain before: the place of an earlier run may be older, or of a past that was cut off.
        if last != 0 { mark?.store(last, ordinal: ordinal) }
    }

    deinit { closeFile() }

    func commit(_ batch: Batch) -> WriteResult {
        if let stopped { return .failed(stopped) }
        guard follows(batch) else {
            return stop(JournalFailure(kind: .order, operation: .commit))
        }
        let began = disk.monotonic()
        let now = disk.wall()
        let bytes = batch.seal(now: now)
        do {
            try put(batch, bytes, now)
        } catch {
            state.countFailure()
            if let failedAt, began < failedAt + Self.tolerance { return stop(error) }
            failedAt = began
            do {
                try rebuild(batch, bytes, now)
            } catch {
                state.countFailure()
                return stop(error)
            }
        }
        last = batch.end
        ordinal += UInt64(batch.records)
        mark?.store(last, ordinal: ordinal)
        table.wrote(batch, at: now)
        state.commit(batch, nanoseconds: disk.monotonic() - began)
        return .durable
    }

    /// Marks the clean stop, when anything was written since opening.
    func commitStop(_ pool: BufferPool) {
        guard current != 0, stopped == nil, let buffer = pool.take() else { return }
        let end = last + UInt64(Format.batchOverhead)
        let mark = Batch(
            start: last, end: end, records: 0, size: Format.batchOverhead, firstOrdinal: ordinal, flags: Format.cleanStop, buffer: buffer)
        _ = commit(mark)
        pool.give(buffer)
    }

    private func follows(_ batch: Batch) -> Bool {
        if current != 0, batch.start == last { return true }
        let next = current == 0 ? firstFresh : current + 1
        return batch.start == Position(next, Format.headerBlock) && batch.firstOrdinal == ordinal
    }

    /// Every later batch has its position already, behind this one: none can be written before the journal is opened anew.
    private func stop(_ failure: JournalFailure) -> WriteResult {
        stopped = JournalFailure(kind: .stopped, errno: failure.errno, operation: failure.operation)
        state.stop()
        closeFile()
        return .failed(failure)
    }

    private func closeFile() {
        if file >= 0 { _ = disk.close(file) }
        file = -1
    }

    // MARK: The usual way

    private func put(_ batch: Batch, _ bytes: UnsafeRawBufferPointer, _ now: UInt64) throws(JournalFailure) {
        if batch.start.journalSegment != current { try roll(batch, now) }
        try disk.writeAll(file, bytes, at: Int(batch.start.journalOffset))
        if options.sync { try disk.dataSynced(file) }
    }

    /// Begins the batch's segment. Its header is on the disk before any batch is: a segment with batches has a header.
    private func roll(_ batch: Batch, _ now: UInt64) throws(JournalFailure) {
        closeFile()
        let segment = batch.start.journalSegment
        header = SegmentHeader(
            segment: segment, journal: journal, createdAt: now, firstOrdinal: ordinal,
            previousSegment: last.journalSegment, previousEnd: current != 0 || endIsKnown ? last.journalOffset : 0)
        current = segment
        table.begin(
            SegmentInfo(
                number: segment, size: options.segmentSize, end: Format.headerBlock, records: 0, firstOrdinal: ordinal, createdAt: now,
                writtenAt: 0, isCurrent: true))
        let spare = try spares.take()
        try disk.renamed(spare, names.segment(segment))
        if options.sync { try disk.directorySynced(names.directory) }
        file = try disk.opened(names.segment(segment), O_WRONLY)
        try writeHeader(file)
        if options.sync { try disk.dataSynced(file) }
    }

    private func writeHeader(_ file: Int32) throws(JournalFailure) {
        guard let header else { return }
        var storage = InlineHeader()
        try storage.with(header) { (bytes) throws(JournalFailure) in try disk.writeAll(file, bytes, at: 0) }
    }

    // MARK: The way around

    /// After a failed write or sync the kernel may have dropped the pages and a second sync of the same file may say yes: so
    /// the segment is made anew in another file, what was durable is copied with its checksums looked at, the batch follows,
    /// and the new file takes the name. The failed one is kept.
    private func rebuild(_ batch: Batch, _ bytes: UnsafeRawBufferPointer, _ now: UInt64) throws(JournalFailure) {
        closeFile()
        let segment = batch.start.journalSegment
        let path = names.rebuilt(segment)
        let spare = try spares.take()
        // The name `spare-N` promises zeros, so it goes first.
        try disk.renamed(spare, path)
        if options.sync { try disk.directorySynced(names.directory) }
        let fresh = try disk.opened(path, O_RDWR)
        do {
            try copy(segment, upTo: Int(batch.start.journalOffset), to: fresh)
            try writeHeader(fresh)
            try disk.writeAll(fresh, bytes, at: Int(batch.start.journalOffset))
            if options.sync { try disk.synced(fresh) }
            keepFailed(segment)
            try disk.renamed(path, names.segment(segment))
            table.replaced()
            if options.sync { try disk.directorySynced(names.directory) }
        } catch {
            _ = disk.close(fresh)
            throw error
        }
        file = fresh
    }

    private func copy(_ segment: UInt32, upTo end: Int, to fresh: Int32) throws(JournalFailure) {
        guard end > Format.headerBlock else { return }
        let old = try disk.opened(names.segment(segment), O_RDONLY)
        defer { _ = disk.close(old) }
        var image = Image()
        image.load(disk, old, Format.headerBlock..<end)
        let walk = Walk(image: image.bytes, base: Format.headerBlock, segment: segment, end: .known(end))
        var report = Report()
        guard let outcome = try? walk.run(from: Format.headerBlock, into: &report, { _, _ in }), outcome.end == end,
            report.damageCount == 0, image.unreadable.isEmpty
        else { throw JournalFailure(kind: .damaged, operation: .read) }
        try disk.writeAll(fresh, image.bytes, at: Format.headerBlock)
    }

    /// Evidence only, so it may fail. A link, not a rename: the good name is there at every moment.
    private func keepFailed(_ segment: UInt32) {
        _ = disk.unlink(names.failed(segment))
        guard disk.link(names.segment(segment), names.failed(segment)) >= 0 else { return }
        failedKept.removeAll { $0 == segment }
        failedKept.append(segment)
        while failedKept.count > Self.failedMax { _ = disk.unlink(names.failed(failedKept.removeFirst())) }
    }
}

/// 64 bytes of a segment's header, on their way to the disk.
private struct InlineHeader {
    private var bytes = (UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0))

    mutating func with(_ header: SegmentHeader, _ body: (UnsafeRawBufferPointer) throws(JournalFailure) -> Void) throws(JournalFailure) {
        var failure: JournalFailure?
        withUnsafeMutableBytes(of: &bytes) { memory in
            guard let base = memory.baseAddress else { return }
            header.encode(into: base)
            do throws(JournalFailure) { try body(UnsafeRawBufferPointer(memory)) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}

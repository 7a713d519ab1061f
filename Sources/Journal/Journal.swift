import Glibc
import Threads

/// An append-only log of records in a directory of zero-filled, recycled segments.
///
/// Records go in through the `Appender`, which decides their positions at once; batches go to `write`, where one thread puts
/// them on the disk. Records come out when the journal is opened (all of them), and through readers while it runs.
public final class Journal: Sendable {
    public let directory: String
    public let id: JournalID
    /// What anyone may watch: durable so far, spares, failures.
    public let state: JournalState

    private struct Job {
        let batch: Batch
        let then: @Sendable (Batch, WriteResult) -> Void
    }

    private struct Line {
        var jobs: [Job] = []
        var stopping = false
        /// The stop leaves its mark.
        var marked = false
    }

    private struct Threads {
        var writer: Worker?
        var upkeep: Worker?
        var lock: Int32
    }

    let disk: Disk
    let names: Names
    let table: Table
    private let spares: Spares
    private let committer: Committer
    private let pool: BufferPool
    private let line: Monitor<Line>
    private let threads: Monitor<Threads>

    /// Opens the journal in `directory`, made when missing, and hands every record to `replay` in order; the bytes are valid
    /// during the call only. Writing goes on in a fresh segment. Damage is not an error: it is in the report, and the records
    /// around it were replayed.
    /// - Throws: `JournalError`, or what `replay` throws.
    public static func open(
        _ directory: String, _ options: Options = Options(), disk: Disk = .system,
        replay: (_ position: Position, _ record: UnsafeRawBufferPointer) throws -> Void
    ) throws -> (journal: Journal, appender: Appender, recovery: Report) {
        try options.check()
        let names = Names(directory: directory)
        let lock = try locked(names, disk)
        do {
            let (journal, appender, report) = try opened(names, options, disk, lock, replay)
            return (journal, appender, report)
        } catch {
            _ = disk.close(lock)
            if let failure = error as? JournalFailure { throw JournalError.failure(failure) }
            throw error
        }
    }

    /// Reads the whole journal and changes nothing: of a stopped node, or beside a running one.
    /// - Parameter visit: gets every record in order; the bytes are valid during the call only.
    /// - Throws: `JournalError`, or what `visit` throws.
    public static func verify(
        _ directory: String, disk: Disk = .system,
        _ visit: (_ position: Position, _ record: UnsafeRawBufferPointer) throws -> Void = { _, _ in }
    ) throws -> Report {
        let names = Names(directory: directory)
        do {
            let survey = Names.survey(try disk.listed(directory))
            return try Recovery(disk: disk, names: names, beside: true).read(survey, visit)
        } catch let failure as JournalFailure {
            throw JournalError.failure(failure)
        }
    }

    private static func locked(_ names: Names, _ disk: Disk) throws(JournalError) -> Int32 {
        let made = disk.makeDirectory(names.directory)
        if made < 0 { throw .failure(JournalFailure(-made, .makeDirectory)) }
        let file: Int32
        do {
            file = try disk.opened(names.lock, O_RDWR | O_CREAT)
        } catch {
            throw .failure(error)
        }
        let result = disk.lock(file)
        guard result < 0 else { return file }
        _ = disk.close(file)
        throw result == -EWOULDBLOCK ? .inUse : .failure(JournalFailure(-result, .lock))
    }

    private static func opened(
        _ names: Names, _ options: Options, _ disk: Disk, _ lock: Int32,
        _ replay: (Position, UnsafeRawBufferPointer) throws -> Void
    ) throws -> (Journal, Appender, Report) {
        let survey = Names.survey(try disk.listed(names.directory))
        for name in survey.leftovers { _ = disk.unlink("\(names.directory)/\(name)") }
        var report = try Recovery(disk: disk, names: names, beside: false).read(survey, replay)
        try settle(report, names, options, disk)
        Quarantine(disk: disk, names: names).keep(&report)
        for segment in report.neverBegun { _ = disk.unlink(names.segment(segment)) }
        let begun = Set(report.segments.map(\.number))
        for segment in survey.indexes where !begun.contains(segment) { _ = disk.unlink(names.index(segment)) }
        for segment in survey.runs where !begun.contains(segment) { _ = disk.unlink(names.run(segment)) }
        guard let next = (survey.segments.last ?? 0).nextSegment else { throw JournalError.exhausted }
        if options.sync {
            // The directory's own name too: what it holds is worth nothing when it is gone.
            try disk.directorySynced(names.directory)
            try disk.directorySynced("\(names.directory)/..")
        }
        return try Journal.started(names, options, disk, lock, survey, report, next)
    }

    /// The last batch was read, but perhaps from memory only: a killed process leaves it unsynced, and after a failed sync the
    /// system takes its pages for clean. Writing the same bytes again makes them certain before anyone acts on them.
    private static func settle(_ report: Report, _ names: Names, _ options: Options, _ disk: Disk) throws(JournalFailure) {
        guard options.sync, let segment = report.segments.last?.number, let range = report.lastBatch else { return }
        let file = try disk.opened(names.segment(segment), O_RDWR)
        defer { _ = disk.close(file) }
        var image = Image()
        image.load(disk, file, range)
        guard image.unreadable.isEmpty, image.count == range.count else { throw JournalFailure(EIO, .read) }
        try disk.writeAll(file, image.bytes, at: range.lowerBound)
        try disk.dataSynced(file)
    }

    private static func started(
        _ names: Names, _ options: Options, _ disk: Disk, _ lock: Int32, _ survey: Names.Survey, _ report: Report, _ next: UInt32
    ) throws -> (Journal, Appender, Report) {
        let journal = try Journal(names, options, disk, lock, survey, report, next)
        let (spares, line, committer, pool) = (journal.spares, journal.line, journal.committer, journal.pool)
        guard let upkeep = Worker("journal-upkeep", { spares.run() }) else {
            throw JournalFailure(EAGAIN, .open)
        }
        guard let writer = Worker("journal-writer", { Journal.write(line, committer, pool) }) else {
            spares.stop()
            upkeep.join()
            throw JournalFailure(EAGAIN, .open)
        }
        journal.threads.locked { threads in
            threads.writer = writer
            threads.upkeep = upkeep
            threads.lock = lock
        }
        spares.waitForFirst()
        let appender = Appender(pool: pool, options: options, segment: next, ordinal: report.expected ?? 0)
        return (journal, appender, report)
    }

    private init(
        _ names: Names, _ options: Options, _ disk: Disk, _ lock: Int32, _ survey: Names.Survey, _ report: Report, _ next: UInt32
    ) throws(JournalFailure) {
        // With segments but no readable header the true one may come to light again, and must not be a stranger then.
        let id = report.journal ?? (report.isEmpty ? JournalID(high: disk.random(), low: disk.random() | 1) : .unknown)
        let last = report.segments.last.map { Position($0.number, $0.end) } ?? 0
        let state = JournalState(committed: last)
        let mark = options.publishesEnd ? try CommittedMark(disk: disk, names: names, journal: id, state: state) : nil
        self.directory = names.directory
        self.names = names
        self.id = id
        self.disk = disk
        self.state = state
        table = Table(report.segments)
        pool = BufferPool(size: options.batchSize, limit: options.batchesInMemory)
        spares = Spares(disk: disk, names: names, options: options, state: state, present: survey.spares)
        committer = Committer(
            disk: disk, names: names, options: options, spares: spares, table: table, state: state, journal: id,
            mark: mark, last: last, endIsKnown: !report.endIsUncertain, ordinal: report.expected ?? 0, firstFresh: next,
            failedKept: survey.failed)
        line = Monitor(Line())
        // No lock to give back before the threads run: `open` still answers for it.
        threads = Monitor(Threads(lock: -1))
    }

    deinit { end(marked: false) }

    // MARK: Writing

    /// Puts a batch on the disk; `then` is called once, on the writer's thread (or on this one when the journal is closed).
    ///
    /// One failed write or sync is got around: the segment is made anew in another file, and the batch is durable after all.
    /// When a second failure comes within 60 s, or that way fails too, this batch and all later ones fail until the journal is
    /// closed and opened again.
    public func write(_ batch: Batch, then: @escaping @Sendable (Batch, WriteResult) -> Void) {
        let accepted = line.change { line in
            if !line.stopping { line.jobs.append(Job(batch: batch, then: then)) }
            return !line.stopping
        }
        guard !accepted else { return }
        then(batch, .failed(JournalFailure(kind: .closed, operation: .commit)))
        pool.give(batch.buffer)
    }

    private static func write(_ line: Monitor<Line>, _ committer: Committer, _ pool: BufferPool) {
        while true {
            let (jobs, marked) = line.wait(until: { !$0.jobs.isEmpty || $0.stopping }) { line in
                let jobs = line.jobs
                line.jobs.removeAll(keepingCapacity: true)
                return (jobs, line.marked)
            }
            if jobs.isEmpty {
                if marked { committer.commitStop(pool) }
                return
            }
            for job in jobs {
                let result = committer.commit(job.batch)
                // Free before the owner hears of it: it may want to fill it at once.
                pool.give(job.batch.buffer)
                job.then(job.batch, result)
            }
        }
    }

    /// Writes what was handed over, marks the clean stop and gives the directory free. Records not yet cut are dropped: cut
    /// and write them first. Not to be called from `then`.
    public func close() { end(marked: true) }

    /// Stops as a crash would, but with what was handed over written.
    func abandon() { end(marked: false) }

    private func end(marked: Bool) {
        line.change { line in
            line.marked = line.stopping ? line.marked : marked
            line.stopping = true
        }
        let ended = threads.locked { threads in
            defer { threads = Threads(lock: -1) }
            return threads
        }
        // The last reference may be dropped by the writer itself, in `then`.
        if let writer = ended.writer { if writer.isCurrent { writer.detach() } else { writer.join() } }
        spares.stop()
        if let upkeep = ended.upkeep { upkeep.join() }
        if ended.lock >= 0 { _ = disk.close(ended.lock) }
    }

    // MARK: The past

    /// The segments there are, oldest first.
    public var segments: [SegmentInfo] { table.infos }

    /// Gives up all segments before `segment`, never the one being written; their files are recycled or removed by the
    /// upkeep thread, indexes with them.
    public func trim(before segment: UInt32) { spares.recycle(table.trim(before: segment)) }

    /// A reader with open files of its own; as many as wanted, from any thread.
    public func reader() -> Reader { Reader(disk: disk, names: names, table: table, state: state) }
}

extension UInt32 {
    fileprivate var nextSegment: UInt32? { self == .max ? nil : self + 1 }
}

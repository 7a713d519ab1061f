public import Guard
import Journal
public import Logging
import MartletModel
import MartletStore
public import SQL

/// Carries committed records of the log into the history: read by one thread, written by the store's, a batch ahead of each other.
///
/// Each record counts once: rows and cursor are one transaction, and a commit whose answer was lost is recognised by the cursor. Transactions
/// need not wait for the disk; what a power cut takes is read from the log again, which is why the log is told only what a synced one has.
public final class Projector: Sendable {
    public struct Options: Sendable {
        /// The node's journal.
        public var journal: String
        /// Records of one transaction; at most two batches are in memory.
        public var batch = 10_000
        /// Shortest time between two transactions while little happens, and how often the log is looked at.
        public var pace = Duration.milliseconds(100)
        /// How often a transaction waits for the disk.
        public var sync = Duration.seconds(1)
        public var backoff = Backoff()
        /// Folder of the desk, where the node is told what it may trim; nil: it is not told.
        public var folder: String?
        /// Of the journal, bytes.
        public var journalCap = 4 << 30
        public var segmentSize = 64 << 20
        /// Of what is kept beyond it, bytes.
        public var spillCap = 16 << 30
        /// Messages of a quarter of an hour whose search entries are written together; the next ones go into a part of their own.
        public var searchPart = 100_000

        public init(journal: String) { self.journal = journal }
    }

    public let figures: ProjectorFigures
    private let options: Options
    private let store: SQLStore
    private let writer: HistoryWriter
    private let keys: HistoryKeys
    private let folds: @Sendable () -> [any HistoryFold]
    private let now: @Sendable () -> Int64
    private let logger: Logger

    /// - Parameters:
    ///   - folds: made for each batch.
    ///   - preferences: opt-outs and opt-ins of one batch, in the batch's transaction.
    ///   - said: words on packages of one batch, likewise.
    public init(
        _ desk: Desk, _ options: Options, keys: KeyStore, logger: Logger, figures: ProjectorFigures = ProjectorFigures(),
        subjects: SubjectKeys? = nil,
        folds: @escaping @Sendable () -> [any HistoryFold] = { [] },
        preferences: @escaping @Sendable ([PreferenceChange], SQLSession) throws -> Void = { _, _ in },
        said: @escaping @Sendable ([PackageSaid], SQLSession) throws -> Void = { _, _ in }
    ) {
        self.options = options
        self.figures = figures
        self.logger = logger
        self.folds = folds
        self.keys = HistoryKeys(keys, subjects: subjects)
        store = desk.store
        now = desk.now
        writer = HistoryWriter(
            tags: self.keys.stateTags, memory: StateMemory(), parts: SearchPartMemory(full: options.searchPart), trail: desk.trail,
            preferences: preferences, said: said)
    }

    /// Goes on until its task is cancelled. A database that is away, slow or full is waited for.
    public func run() async {
        guard let thread = OwnThread.started("history-log") else {
            return logger.critical("the history is not written: the system gives no thread")
        }
        let keeping = keeper(thread).map { keeper in Task { await keep(keeper) } }
        var backing = Waiting(options.backoff)
        while !Task.isCancelled {
            do {
                try await follow(thread, upTo: nil) { backing.reset() }
            } catch is CancellationError {
                break
            } catch is HistoryWriter.Moved {
                logger.notice("history: the cursor was moved by another, or a commit happened whose answer was lost; read anew")
            } catch {
                // The store ends its calls with a fault of its own.
                if Task.isCancelled { break }
                await failed(error, &backing)
            }
        }
        keeping?.cancel()
        await keeping?.value
        thread.stop()
    }

    /// Projects what the log has at this moment, waits for the disk and returns.
    /// - Throws: what went wrong; nothing is tried again.
    public func catchUp() async throws {
        guard let thread = OwnThread.started("history-log") else { throw DeskFault.broken("the system gives no thread") }
        defer { thread.stop() }
        let end = try Follower(options.journal).end()?.position ?? 0
        try await follow(thread, upTo: end) {}
        if let keeper = keeper(thread) { try await note(keeper.keep { [figures] in figures.read.durable(of: $0) }) }
    }

    /// Writes anew every row that the log still holds up to the cursor, whatever stands there; counts nothing, moves nothing. What is
    /// newer, and what is older than the log, stays as it is. Erasures and retention go over all of it again. May run beside a projector.
    public func repair() async throws {
        guard let thread = OwnThread.started("history-log") else { throw DeskFault.broken("the system gives no thread") }
        defer { thread.stop() }
        let cursor = try await store.read { try HistoryWriter.place($0) }
        let gatherer = LogGatherer(
            thread, journal: options.journal, from: HistoryWriter.Place(journal: cursor.journal), keys: keys, folds: { [] })
        var months: Set<HistoryMonth> = []
        // Of its own: what another remembers is of other rows.
        let writer = HistoryWriter(
            tags: keys.stateTags, memory: StateMemory(limit: 0), parts: SearchPartMemory(full: .max), trail: writer.trail,
            preferences: { _, _ in }, said: { _, _ in })
        while true {
            let batch = try await gatherer.next(records: options.batch, upTo: cursor.position)
            if batch.isEmpty { return }
            try await ensure(batch.months, &months)
            try await store.transaction(durability: .relaxed) { session in
                try writer.mend(batch, session)
                // What the log still holds of customers who were erased came back with it, and what was past its time.
                try session.run(ErasureStatements.again)
                try session.run(StoreStatements.dropCursor, [.text(HistoryRetention.follower)])
            }
            figures.change { $0.records += UInt64(batch.records) }
        }
    }

    // MARK: The loop

    /// - Parameter upTo: ends there; nil: never.
    private func follow(_ thread: OwnThread, upTo: UInt64?, _ succeeded: () -> Void) async throws {
        var place = try await store.read { try HistoryWriter.place($0) }
        writer.memory.clear()
        writer.parts.clear()
        let gatherer = LogGatherer(thread, journal: options.journal, from: place, keys: keys, folds: folds)
        var months: Set<HistoryMonth> = []
        var synced = place
        var syncedAt = ContinuousClock.now
        durable(place)
        figures.change { $0.position = place.position }
        var batch = try await gatherer.next(records: options.batch, upTo: upTo ?? .max)
        var pace = CatchUpPace(segmentSize: options.segmentSize, from: place.position, end: batch.end)
        while true {
            figures.change { $0.end = batch.end }
            let began = ContinuousClock.now
            if batch.isEmpty {
                succeeded()
                if synced != place, upTo != nil || began - syncedAt >= options.sync {
                    if synced != place { try await touch(&place) }
                    (synced, syncedAt) = (place, ContinuousClock.now)
                    durable(place)
                }
                if upTo != nil { return }
                try await Task.sleep(for: options.pace)
                batch = try await gatherer.next(records: options.batch)
                continue
            }
            let isDurable = began - syncedAt >= options.sync
            async let following = gatherer.next(records: options.batch, upTo: upTo ?? .max)
            place = try await write(batch, after: place, isDurable: isDurable, &months)
            succeeded()
            if isDurable {
                (synced, syncedAt) = (place, ContinuousClock.now)
                durable(place)
            }
            let end = batch.end
            batch = try await following
            guard upTo == nil else { continue }
            let rest = pace.rest(at: place.position, end: end)
            if batch.records >= options.batch {
                if rest > .zero { try await Task.sleep(for: rest) }
            } else {
                let left = options.pace - (ContinuousClock.now - began)
                if left > .zero { try await Task.sleep(for: left) }
                if batch.isEmpty { batch = try await gatherer.next(records: options.batch) }
            }
        }
    }

    private func write(
        _ batch: HistoryBatch, after place: HistoryWriter.Place, isDurable: Bool, _ months: inout Set<HistoryMonth>
    ) async throws -> HistoryWriter.Place {
        try await ensure(batch.months, &months)
        var next = place
        next.batches += 1
        next.position = batch.next
        if batch.gaps.contains(where: { $0.kind == .cutBack }) { next.sequences = [:] }
        next.journal = batch.journal
        next.sequences.merge(batch.sequences) { _, new in new }
        let (writer, now, after) = (writer, now(), next)
        let durability: SQLStore.Durability = isDurable ? .synced : .relaxed
        func write(merges: Bool) async throws -> HistoryWriter.Written {
            try await store.transaction(durability: durability) { session in
                try writer.write(batch, after, merges: merges, now: now, session)
            }
        }
        let written: HistoryWriter.Written
        do {
            written = try await write(merges: false)
        } catch SQLFault.constraint {
            // Some of it is there already: put there by a repair, or restored with an older cursor.
            written = try await write(merges: true)
        }
        writer.memory.take(written.rows)
        writer.parts.take(written.parts)
        took(batch, written)
        return next
    }

    /// A transaction that holds nothing but waits for the disk: all before it are durable with it.
    private func touch(_ place: inout HistoryWriter.Place) async throws {
        var next = place
        next.batches += 1
        let (writer, now, after) = (writer, now(), next)
        try await store.transaction { try writer.move(after, at: now / 1000, $0) }
        place = next
    }

    /// Months have their places before rows come.
    private func ensure(_ wanted: Set<HistoryMonth>, _ months: inout Set<HistoryMonth>) async throws {
        let missing = wanted.union(wanted.map(\.next)).subtracting(months)
        guard !missing.isEmpty else { return }
        let engine = store.engine
        try await store.transaction { session in for month in missing.sorted() { try month.ensure(session, engine) } }
        months.formUnion(missing)
    }

    // MARK: What is told

    private func took(_ batch: HistoryBatch, _ written: HistoryWriter.Written) {
        figures.change { values in
            values.records += UInt64(batch.records)
            values.rows += UInt64(written.count)
            values.batches += 1
            values.gaps += UInt64(batch.gaps.count)
            values.lost += batch.lost
            values.unopened += UInt64(batch.unopened)
            values.tampered += UInt64(written.tampered.count + written.rebuilt.count)
            values.position = batch.next
            values.newestAt = max(values.newestAt, batch.newestAt)
        }
        for gap in batch.gaps.prefix(16) {
            logger.error(
                "history: a place of the log is missing; it is entered in the audit",
                metadata: ["kind": "\(gap.kind.rawValue)", "from": "\(gap.from)", "to": "\(gap.to)", "records": "\(batch.lost)"])
        }
        for id in written.tampered.prefix(16) {
            logger.error("history: a row of state was not as Martlet wrote it and is made anew", metadata: ["id": "\(id)"])
        }
        for slot in written.rebuilt.prefix(16) {
            logger.error(
                "history: rows of lookup_part were not as Martlet wrote them and are made anew from the search entries",
                metadata: ["slot": "\(slot)"])
        }
    }

    private func durable(_ place: HistoryWriter.Place) {
        figures.change { values in
            (values.durable, values.journal) = (place.position, place.journal)
            values.problem = nil
        }
    }

    // MARK: What the log keeps

    private func keeper(_ thread: OwnThread) -> LogKeeper? {
        options.folder.map {
            LogKeeper(
                thread, journal: options.journal, folder: $0,
                limits: .init(journal: options.journalCap, spill: options.spillCap, segment: options.segmentSize))
        }
    }

    /// Beside the writing, which may wait for a database.
    private func keep(_ keeper: LogKeeper) async {
        var problem = ""
        while !Task.isCancelled {
            do {
                note(try await keeper.keep { [figures] in figures.read.durable(of: $0) })
                problem = ""
            } catch {
                // The node then keeps what it has; over its cap it trims with an alarm of its own.
                if problem != "\(error)" {
                    logger.error("history: the node cannot be told what it may trim", metadata: ["reason": "\(error)"])
                }
                problem = "\(error)"
            }
            // Cancelled meanwhile: the loop sees it.
            try? await Task.sleep(for: options.sync)
        }
    }

    private func note(_ report: LogKeeper.Report?) {
        guard let report else { return }
        figures.change { values in
            (values.told, values.spilledSegments, values.spilledBytes) = (report.told, report.segments, report.bytes)
            // How far behind it is grows while the database is away; how far it came is known once the database was there.
            if values.position != 0 { values.end = report.end }
        }
        for (segment, cause) in report.dropped {
            logger.error(
                "history: a segment that the database lacks is given up", metadata: ["segment": "\(segment)", "cause": "\(cause.rawValue)"])
        }
    }

    private func failed(_ error: any Error, _ waiting: inout Waiting) async {
        let isNew = figures.read.problem != "\(error)"
        figures.change { values in
            values.failures += 1
            values.problem = "\(error)"
        }
        if isNew {
            if (error as? SQLFault)?.isMissingTable ?? false {
                // The desk migrates it beside this, and says so where it cannot.
                logger.notice("history: the store is not migrated yet; tried again", metadata: ["reason": "\(error)"])
            } else {
                logger.error("history: not written for now; tried again", metadata: ["reason": "\(error)"])
            }
        }
        // Cancelled meanwhile: the loop sees it.
        try? await Task.sleep(for: waiting.next())
    }
}

/// Doubling pauses.
private struct Waiting {
    private let backoff: Backoff
    private var current: Duration

    init(_ backoff: Backoff) {
        self.backoff = backoff
        current = backoff.first
    }

    mutating func reset() { current = backoff.first }

    mutating func next() -> Duration {
        defer { current = min(current * 2, backoff.longest) }
        return current
    }
}

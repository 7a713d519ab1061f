import Synchronization

/// What anyone may read of a journal at any time, from any thread.
public final class JournalState: Sendable {
    private let low = Atomic<Bool>(false)
    private let stopped = Atomic<Bool>(false)
    private let committedAt = Atomic<UInt64>(0)
    private let failureCount = Atomic<Int>(0)
    private let upkeepFailureCount = Atomic<Int>(0)
    private let markFailureCount = Atomic<Int>(0)
    private let spareCount = Atomic<Int>(0)
    private let batchCount = Atomic<Int>(0)
    private let recordCount = Atomic<Int>(0)
    private let byteCount = Atomic<Int>(0)
    private let lastCommitTime = Atomic<UInt64>(0)
    private let slowestCommitTime = Atomic<UInt64>(0)

    /// No further spare segment can be made (disk full, or failing): refuse new work; the spares left are for transitions.
    public var isLow: Bool { low.load(ordering: .acquiring) }
    /// A second failure came within 60 s of the first, or the way around the first failed: nothing is written any more.
    public var isStopped: Bool { stopped.load(ordering: .acquiring) }
    /// Where the last durable batch ends; every record before it is durable. 0 while nothing was ever written.
    public var committed: Position { committedAt.load(ordering: .acquiring) }
    /// Writes or syncs that failed since opening, those that were got around included.
    public var failures: Int { failureCount.load(ordering: .relaxed) }
    /// Failed attempts to make a spare or to remove a trimmed file.
    public var upkeepFailures: Int { upkeepFailureCount.load(ordering: .relaxed) }
    /// Times that the end could not be published: readers in other processes are late.
    public var markFailures: Int { markFailureCount.load(ordering: .relaxed) }
    public var spares: Int { spareCount.load(ordering: .relaxed) }
    /// Durable since opening.
    public var batches: Int { batchCount.load(ordering: .relaxed) }
    public var records: Int { recordCount.load(ordering: .relaxed) }
    public var bytes: Int { byteCount.load(ordering: .relaxed) }
    /// Nanoseconds of the last batch's write and sync.
    public var lastCommit: UInt64 { lastCommitTime.load(ordering: .relaxed) }

    /// Nanoseconds of the slowest since the last call.
    public func takeSlowestCommit() -> UInt64 { slowestCommitTime.exchange(0, ordering: .relaxed) }

    init(committed: Position) { committedAt.store(committed, ordering: .releasing) }

    func set(low value: Bool) { low.store(value, ordering: .releasing) }
    func stop() { stopped.store(true, ordering: .releasing) }
    func countFailure() { failureCount.add(1, ordering: .relaxed) }
    func countUpkeepFailure() { upkeepFailureCount.add(1, ordering: .relaxed) }
    func countMarkFailure() { markFailureCount.add(1, ordering: .relaxed) }
    func set(spares value: Int) { spareCount.store(value, ordering: .relaxed) }

    func commit(_ batch: Batch, nanoseconds: UInt64) {
        batchCount.add(1, ordering: .relaxed)
        recordCount.add(batch.records, ordering: .relaxed)
        byteCount.add(batch.size, ordering: .relaxed)
        lastCommitTime.store(nanoseconds, ordering: .relaxed)
        slowestCommitTime.max(nanoseconds, ordering: .relaxed)
        committedAt.store(batch.end, ordering: .releasing)
    }
}

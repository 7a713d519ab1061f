import Journal
import MartletModel

/// The idempotency keys of the last 24 hours and their answers, and beside them, under hashes of their own, what makes two events the same. In
/// memory is a filter that denies almost every new key, and the keys of segments still without a run; the others stand in runs on disk, one
/// for each finished segment, which outlive their segments.
/// Confined to the node's loop; what needs the disk is done by `KeyWork`, elsewhere.
final class KeyMemory {
    /// What a key led to.
    struct Remembered: Equatable, Sendable {
        var body: UInt64
        var id: MessageID
        var parts: UInt8
        /// Raw journal position of the acceptance; 0 when it was read back.
        var position: UInt64
    }

    /// Keys of one segment, in 64 tables so that the growth of one holds the loop for some 50 us at most.
    struct Keys: Sendable {
        let segment: UInt32
        private(set) var count = 0
        private var tables = [[UInt64: Remembered]](repeating: [:], count: 64)

        init(segment: UInt32) { self.segment = segment }

        subscript(hash: UInt64) -> Remembered? { tables[Int(hash & 63)][hash] }

        mutating func set(_ hash: UInt64, _ remembered: Remembered) {
            if tables[Int(hash & 63)].updateValue(remembered, forKey: hash) == nil { count += 1 }
        }

        /// As they go into a run, without those that are too old.
        func entries(since milliseconds: Int64) -> [RunEntry] {
            var entries: [RunEntry] = []
            entries.reserveCapacity(count)
            for table in tables {
                for (hash, it) in table where it.id.milliseconds >= milliseconds { entries.append(RunEntry(hash, it)) }
            }
            return entries
        }
    }

    enum Finding {
        /// Never met, or too long ago.
        case new
        case known(Remembered)
        /// One of these runs may have it.
        case ask([SortedRun])
        /// It is being asked for already.
        case beingAsked
    }

    static let kind = RunKind(mark: 1, words: 4)

    let keptMicroseconds: Int64
    /// Keys kept at once; beyond it a request with a key is told to try later.
    let limit: Int
    private(set) var filter = KeyFilter()
    /// Oldest first, as the runs.
    private var open: [Keys] = []
    private(set) var runs: [SortedRun] = []
    var asked: Set<UInt64> = []
    /// What goes on when one of those has its answer, in order; bounded as those are.
    private var waiting: [UInt64: [() -> Void]] = [:]
    private var waitingCount = 0
    /// A segment's run is being written, or a damaged one made anew.
    var isWorking = false
    /// Steady microseconds before which writing is not tried again.
    var retryAt: Int64 = .min

    var answered = 0
    var looked = 0
    var failures = 0

    init(keptMicroseconds: Int64, limit: Int) {
        self.keptMicroseconds = keptMicroseconds
        self.limit = limit
    }

    /// Keys kept, those included that are too old and go with their filter.
    var count: Int { filter.count }
    var isFull: Bool { filter.count >= limit }

    /// Wall milliseconds; what is older is forgotten.
    func oldest(_ now: Instant) -> Int64 { (now.wall - keptMicroseconds) / 1000 }

    // MARK: Look-up

    func find(_ hash: UInt64, _ now: Instant) -> Finding {
        // Before the filter, which knows nothing yet of what waits for another answer.
        if !asked.isEmpty, asked.contains(hash) { return .beingAsked }
        let hits = filter.hits(hash)
        guard hits != 0 else { return .new }
        for keys in open.reversed() {
            guard let found = keys[hash] else { continue }
            return found.id.milliseconds >= oldest(now) ? .known(found) : .new
        }
        let segments = filter.segments(hits)
        let able = runs.filter { run in segments.contains { $0.contains(run.segment) } }
        return able.isEmpty ? .new : .ask(able.reversed())
    }

    /// Keys being looked up at once, and as many again that wait for them; beyond it a sender hears 503.
    static let questionMaximum = 8192

    /// - Returns: false, and nothing is kept, when too many wait.
    func wait(for hash: UInt64, _ body: @escaping () -> Void) -> Bool {
        guard waitingCount < KeyMemory.questionMaximum else { return false }
        waitingCount += 1
        waiting[hash, default: []].append(body)
        return true
    }

    /// The hash has its answer: whoever waited goes on, and may ask again.
    func goOn(_ hash: UInt64) {
        guard let all = waiting.removeValue(forKey: hash) else { return }
        waitingCount -= all.count
        for body in all { body() }
    }

    func remember(_ hash: UInt64, _ remembered: Remembered, at position: Position) {
        let segment = position.journalSegment
        if open.last?.segment != segment { open.append(Keys(segment: segment)) }
        open[open.count - 1].set(hash, remembered)
        filter.insert(hash, segment: segment, milliseconds: remembered.id.milliseconds)
    }

    // MARK: Runs

    /// The oldest segment before this one whose keys have no run yet.
    func finished(before segment: UInt32) -> Keys? { open.first.flatMap { $0.segment < segment ? $0 : nil } }

    /// Whether the records of this segment may go: what they say of keys stands in a run, or is too old.
    func isSettled(_ segment: UInt32) -> Bool { !open.contains { $0.segment == segment } }

    /// - Parameter run: nil when all keys of the segment are too old.
    func settled(_ segment: UInt32, _ run: SortedRun?) {
        open.removeAll { $0.segment == segment }
        if let run { add(run) } else { runs.removeAll { $0.segment == segment } }
    }

    /// Takes the place of a run of the same segment.
    func add(_ run: SortedRun) {
        runs.removeAll { $0.segment == run.segment }
        runs.insert(run, at: runs.firstIndex { $0.segment > run.segment } ?? runs.count)
    }

    /// For the start only.
    func take(_ entry: RunEntry, segment: UInt32) {
        filter.insert(entry.key, segment: segment, milliseconds: Remembered(entry).id.milliseconds)
    }

    /// Lets go of what is too old: the runs whose files may be removed, and filters whose memory may be freed.
    func expire(_ now: Instant) -> (runs: [SortedRun], filters: [BlockedFilter]) {
        let oldest = oldest(now)
        let gone = runs.filter { Int64(clamping: $0.newest) < oldest }
        if !gone.isEmpty { runs.removeAll { Int64(clamping: $0.newest) < oldest } }
        return (gone, filter.expire(before: oldest))
    }
}

// The id's lowest byte, which is 0 in the id of a notification, holds the parts.
extension RunEntry {
    init(_ hash: UInt64, _ it: KeyMemory.Remembered) {
        self.init(key: hash, first: it.body, second: it.id.high, third: it.id.low | UInt64(it.parts))
    }
}

extension KeyMemory.Remembered {
    init(_ entry: RunEntry) {
        self.init(
            body: entry.first, id: MessageID(high: entry.second, low: entry.third).notification,
            parts: UInt8(truncatingIfNeeded: entry.third), position: 0)
    }

    /// What a record says of keys: that of its sender, and what makes its event the same as another. One that was the same is no first of its kind.
    static func each(of record: Record, _ body: (_ hash: UInt64, KeyMemory.Remembered) -> Void) {
        let (header, parts): (RecordHeader, UInt8)
        switch record.body {
        case .accepted(let it): (header, parts) = (record.header, it.parts(record.header))
        case .decided(let it) where it.stage == .fresh:
            (header, parts) = (record.header, it.partsOnAir)
            if it.duplicate != 0, it.reason != .duplicateEvent {
                body(it.duplicate, KeyMemory.Remembered(body: 0, id: header.id.notification, parts: 0, position: 0))
            }
        default: return
        }
        guard header.keyHash != 0 else { return }
        body(header.keyHash, KeyMemory.Remembered(body: header.bodyHash, id: header.id.notification, parts: parts, position: 0))
    }
}

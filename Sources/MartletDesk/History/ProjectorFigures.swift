public import Journal
public import MartletModel
import Synchronization

/// What anyone may watch of the projector, from any thread.
public final class ProjectorFigures: Sendable {
    public struct Values: Sendable, Equatable {
        public var records: UInt64 = 0
        public var rows: UInt64 = 0
        public var batches: UInt64 = 0
        public var failures: UInt64 = 0
        /// Places of the log that history lacks, and records that should stand there.
        public var gaps: UInt64 = 0
        public var lost: UInt64 = 0
        public var unopened: UInt64 = 0
        public var tampered: UInt64 = 0
        /// Raw positions: projected up to here, durably up to there, of a log that is durable to the end.
        public var position: UInt64 = 0
        public var durable: UInt64 = 0
        /// The log that these are positions of; nil: nothing was projected yet.
        public var journal: JournalID?
        /// Before it the node may trim: the history has it, or it is kept apart.
        public var told: UInt64 = 0
        public var end: UInt64 = 0
        /// Wall microseconds of the newest record that was projected.
        public var newestAt: Int64 = 0
        public var spilledSegments = 0
        public var spilledBytes = 0
        /// Why the last try failed; nil: it did not.
        public var problem: String?

        /// Whether all that the log held at the last look is in the store.
        public var isLevel: Bool { position >= end }

        /// Up to where the store durably has this log: nothing of one that it knows another of, and never more than there is, as where a log was
        /// brought back from a backup.
        public func durable(of log: PlaceFile.Place) -> Position { journal == log.journal ? min(durable, log.position) : 0 }
    }

    private let values = Mutex(Values())

    public init() {}

    public var read: Values { values.withLock { $0 } }
    func change(_ body: (inout Values) -> Void) { values.withLock { body(&$0) } }

    public static let metrics: [Metric] = [
        Metric("martlet_history_records_total", .counter, doc: "Records of the log that the history has taken."),
        Metric("martlet_history_rows_total", .counter, doc: "Rows of the history that were written."),
        Metric("martlet_history_batches_total", .counter, doc: "Transactions of the projector."),
        Metric("martlet_history_failures_total", .counter, doc: "Tries to write the history that failed and were made again."),
        Metric(
            "martlet_history_gaps_total", .counter, doc: "Places of the log that the history lacks for good; each is an entry of the audit."
        ),
        Metric("martlet_history_lost_records_total", .counter, doc: "Records missing by their sequence numbers."),
        Metric(
            "martlet_history_unopened_total", .counter,
            doc: "Messages whose sealed part did not open, so that a search by number or reference does not find them."),
        Metric(
            "martlet_history_tampered_total", .counter,
            doc: "Rows of `state`, and quarters of `lookup_part`, that were not as Martlet wrote them and were made anew."),
        Metric(
            "martlet_history_behind_bytes", .gauge,
            doc: "Bytes of the log, at most, between what is durable there and what the history has."),
        Metric("martlet_history_spilled_segments", .gauge, doc: "Segments kept for the history beyond the journal's own."),
        Metric("martlet_history_spilled_bytes", .gauge, doc: "Bytes of those segments."),
    ]

    /// Values in the order of `metrics`.
    /// - Parameter segmentSize: bytes of a journal segment.
    public func samples(segmentSize: Int) -> [(metric: Metric, value: Double)] {
        let now = read
        let behind = LogDistance.bytes(from: now.position, to: now.end, segmentSize: segmentSize)
        let values: [Double] = [
            Double(now.records), Double(now.rows), Double(now.batches), Double(now.failures), Double(now.gaps), Double(now.lost),
            Double(now.unopened), Double(now.tampered), now.end == 0 ? 0 : Double(behind), Double(now.spilledSegments),
            Double(now.spilledBytes),
        ]
        return Array(zip(ProjectorFigures.metrics, values))
    }
}

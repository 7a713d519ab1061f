import Journal
import MartletModel

/// Reads the log on a thread of its own and makes batches of its records. Each record is taken once: by the sequence of its partition.
actor LogGatherer {
    private let thread: OwnThread
    private let follower: Follower
    private let keys: HistoryKeys
    private let folds: @Sendable () -> [any HistoryFold]
    private var at: Position
    private var sequences: [PartitionNumber: UInt64]
    /// Those of the store, with the place they were written with: no record from there on has one that is not newer.
    private var stored: (at: Position, sequences: [PartitionNumber: UInt64])
    /// What is being filled; a call that fails leaves it for the next.
    private var batch: HistoryBatch
    /// Whose records these are.
    private var journal: JournalID?

    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    init(
        _ thread: OwnThread, journal: String, from place: HistoryWriter.Place, keys: HistoryKeys,
        folds: @escaping @Sendable () -> [any HistoryFold]
    ) {
        self.thread = thread
        self.keys = keys
        self.folds = folds
        self.journal = place.journal
        follower = Follower(journal)
        at = place.position
        sequences = place.sequences
        stored = (place.position, place.sequences)
        batch = HistoryBatch()
        batch.folds = folds()
        batch.next = place.position
    }

    /// What there is, up to about so many records; empty when the log has no more.
    /// - Parameter upTo: raw position behind which nothing is read.
    func next(records limit: Int, upTo: Position = .max) throws -> HistoryBatch {
        try recognise()
        while batch.records < limit, at < upTo {
            let (from, known) = (at, batch.gaps.count)
            let step = try follower.read(from: at) { position, bytes in if position < upTo { take(position, bytes) } }
            // Before what was found behind them.
            let found = batch.gaps[known...]
            batch.gaps.removeSubrange(known...)
            for missing in step.missing { note(missing) }
            batch.gaps += found
            at = step.next
            batch.next = at
            batch.end = step.end
            if at == from || step.isAtEnd { break }
        }
        var full = batch
        guard !full.isEmpty else { return full }
        full.finish(keys)
        batch = HistoryBatch()
        batch.folds = folds()
        (batch.next, batch.end, batch.journal) = (full.next, full.end, full.journal)
        return full
    }

    /// A journal begun anew, in place of the one that the cursor is of, is read from its beginning; what the other had is a gap.
    private func recognise() throws {
        guard let end = try follower.end(), end.journal != JournalID(high: 0, low: 0) else { return }
        if let journal, journal != end.journal {
            batch.gaps.append(HistoryGap(kind: .cutBack, from: at, to: 0))
            at = 0
            forget()
            batch.next = 0
        }
        journal = end.journal
        batch.journal = journal
    }

    private func take(_ position: Position, _ bytes: UnsafeRawBufferPointer) {
        let header: RecordHeader
        do throws(RecordFault) {
            header = try RecordHeader(reading: bytes)
        } catch {
            return batch.unreadable(at: position)
        }
        if let known = sequences[header.partition] {
            if header.sequence > known {
                batch.lost += header.sequence - known - 1
            } else if position >= stored.at, header.sequence <= stored.sequences[header.partition] ?? 0 {
                // The cursor is ahead of this log: the log lost its end and was written on, or the cursor is not as it was written.
                batch.gaps.append(HistoryGap(kind: .cutBack, from: position, to: position))
                forget()
            } else {
                // Read again, as the call before failed.
                return
            }
        }
        sequences[header.partition] = header.sequence
        do throws(RecordFault) {
            let record = try Record(reading: bytes)
            batch.take(record, UnsafeRawBufferPointer(rebasing: bytes[Record.sealedOffset(header)...]), keys)
        } catch {
            batch.unreadable(at: position)
        }
    }

    /// Sequences begin anew with the next record of each partition.
    private func forget() {
        sequences = [:]
        stored.sequences = [:]
    }

    private func note(_ missing: Follower.Missing) {
        let kind: HistoryGap.Kind
        switch missing.kind {
        case .trimmed: kind = .trimmed
        case .damaged:
            // All of it was saved by the records' own checksums.
            if missing.lost == 0 { return }
            kind = .damaged
        case .cutBack:
            kind = .cutBack
            // The log counts on from before what it lost.
            forget()
        }
        batch.gaps.append(HistoryGap(kind: kind, from: missing.from, to: missing.to))
    }
}

public import Guard
public import Journal
public import MartletEngine
public import MartletModel

/// The decisions of a journal, opened, in the order in which they were made. Reads beside the node that writes it and disturbs it in nothing: from
/// the journal's oldest record to the end that was durable at the first call. Confined to one owner; not for a loop, for it waits for the disk.
public final class RecordedDecisions {
    public enum Item: Sendable {
        case decision(RecordedDecision)
        /// The key of its sealed part was destroyed: the customer was erased, or its time is over.
        case closed(MessageID, at: Int64)
        case damaged(Damage)
    }

    /// A record, or a stretch of the journal, of which nothing can be said.
    public struct Damage: Equatable, Sendable {
        public var position: Position
        /// Nil: it cannot be known whose it was.
        public var id: MessageID?
        public var reason: String
    }

    public struct Batch: Sendable {
        public var items: [Item] = []
        /// Records of all kinds that were passed.
        public var records = 0
    }

    private let follower: Follower
    private let keys: RecordKeys
    private var at: Position = 0
    private var end: Position?
    private var stalls = 0
    /// Partitions of which a record was seen.
    private var partitions: Set<PartitionNumber> = []
    /// The journal does not go back to its beginning: what was decided before is not there any more.
    public private(set) var isTrimmed = false
    /// Wall microseconds of the oldest and of the newest record; 0: there is none.
    public private(set) var oldest: Int64 = 0
    public private(set) var newest: Int64 = 0

    /// Looks at a place that cannot be read, before it is passed over: a writer may be at work there.
    private static let patience = 32

    /// - Parameter directory: of the journal.
    public init(_ directory: String, keys: RecordKeys, disk: Disk = .system) {
        follower = Follower(directory, disk: disk)
        self.keys = keys
    }

    /// What follows, about a megabyte of the journal; nil: that was all.
    /// - Throws: `JournalFailure` and its like; the same call may be made again.
    public func next() throws -> Batch? {
        if end == nil { end = try follower.end()?.position }
        guard let end, at < end else { return nil }
        var batch = Batch()
        let step = try follower.read(from: at) { position, bytes in
            if position < end { take(position, bytes, &batch) }
        }
        for missing in step.missing { note(missing, &batch) }
        if step.next == at {
            stalls += 1
            guard stalls < RecordedDecisions.patience else {
                batch.items.append(.damaged(Damage(position: at, id: nil, reason: "the journal cannot be read on from here")))
                at = end
                return batch
            }
            return batch
        }
        stalls = 0
        at = step.next
        return batch
    }

    private func note(_ missing: Follower.Missing, _ batch: inout Batch) {
        switch missing.kind {
        // Segments went while they were read.
        case .trimmed: isTrimmed = true
        case .cutBack, .damaged:
            if missing.lost == 0 { return }
            let lost = missing.lost.map { "\($0) record(s)" } ?? "nobody knows how many records"
            let damage = Damage(position: missing.from, id: nil, reason: "\(missing.to - missing.from) bytes are damaged, \(lost) lost")
            batch.items.append(.damaged(damage))
        }
    }

    private func take(_ position: Position, _ bytes: UnsafeRawBufferPointer, _ batch: inout Batch) {
        batch.records += 1
        let header: RecordHeader
        do throws(RecordFault) {
            header = try RecordHeader(reading: bytes)
        } catch {
            return batch.items.append(.damaged(Damage(position: position, id: nil, reason: "its header: \(error)")))
        }
        if partitions.insert(header.partition).inserted, header.sequence > 1 { isTrimmed = true }
        if oldest == 0 { oldest = header.at }
        newest = max(newest, header.at)
        guard header.kind == .decided else { return }
        batch.items.append(opened(header, position, bytes))
    }

    private func opened(_ header: RecordHeader, _ position: Position, _ bytes: UnsafeRawBufferPointer) -> Item {
        func damaged(_ reason: String) -> Item { .damaged(Damage(position: position, id: header.id, reason: reason)) }
        do {
            let record = try Record(reading: bytes)
            guard case .decided(let made) = record.body else { return damaged("it holds no decision") }
            let sealed = UnsafeRawBufferPointer(rebasing: bytes[Record.sealedOffset(header)...])
            let plain = try StoredRecord.open(sealed, of: header, keys)
            let payload = try plain.withUnsafeBytes { bytes throws(RecordFault) in try EventPayload(reading: bytes) }
            guard !payload.facts.isEmpty else { return damaged("it does not hold what the decision read") }
            let facts = try payload.facts.withUnsafeBytes { bytes throws(CustomerFault) in
                try DecisionFacts(reading: bytes, now: header.at)
            }
            return .decision(
                RecordedDecision(
                    id: header.id, at: header.at, made: made, facts: facts, values: payload.happened.values, wording: payload.wording,
                    text: payload.message.text, sender: payload.message.from))
        } catch SealFault.erased {
            return .closed(header.id, at: header.at)
        } catch SealFault.noSuchKey where RecordKeyID(rawValue: header.keyID).subject == nil {
            // Keys of class and day go when nothing is to be opened with them any more.
            return .closed(header.id, at: header.at)
        } catch {
            return damaged("\(error)")
        }
    }
}

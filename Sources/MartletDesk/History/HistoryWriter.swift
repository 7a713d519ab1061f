import Guard
import Journal
import MartletModel
import MartletStore
import SQL

/// Writes one batch in one transaction, the cursor with it.
struct HistoryWriter: Sendable {
    static let follower = "history"
    /// The partition number of the cursor's own row: how many batches were written, and where the log goes on.
    static let place: Int64 = -1
    /// That of the journal's identifier.
    static let journal: Int64 = -2

    let tags: RowMAC
    let memory: StateMemory
    let parts: SearchPartMemory
    let trail: AuditTrail
    let preferences: @Sendable ([PreferenceChange], SQLSession) throws -> Void
    let said: @Sendable ([PackageSaid], SQLSession) throws -> Void

    /// Somebody else moved the cursor, or a commit whose answer was lost had happened after all: what is known has to be read anew.
    struct Moved: Error {}

    /// How far the history has come.
    struct Place: Sendable, Equatable {
        var batches: Int64 = 0
        /// Raw position where the log goes on; 0: at its beginning.
        var position: UInt64 = 0
        var sequences: [PartitionNumber: UInt64] = [:]
        /// Identifier of the journal that this is a place of; nil: of none yet.
        var journal: JournalID?
    }

    struct Written: Sendable {
        var rows: [StateRow]
        /// Rows of `state` that were not as Martlet wrote them, and were made anew from the record.
        var tampered: [MessageID]
        /// Quarters of an hour in which it was damaged where parts of search entries begin, and was made anew from the entries.
        var rebuilt: [Int64]
        var count: Int
        /// Of the search entries, for the next batch.
        var parts: SearchParts
    }

    static func place(_ session: SQLSession) throws -> Place {
        var place = Place()
        for row in try session.rows(StoreStatements.cursors, [.text(follower)]) {
            let partition = try row.integer("partition")
            let sequence = try row.integer("sequence")
            if partition == HistoryWriter.journal {
                place.journal = JournalID(
                    high: UInt64(bitPattern: sequence), low: UInt64(bitPattern: try row.integer("position")))
            } else if partition == HistoryWriter.place {
                place.batches = sequence
                place.position = UInt64(bitPattern: try row.integer("position"))
            } else {
                place.sequences[PartitionNumber(truncatingIfNeeded: partition)] = UInt64(clamping: sequence)
            }
        }
        return place
    }

    /// Takes the cursor from the place before; whoever else holds that place loses it.
    func move(_ place: Place, at now: Int64, _ session: SQLSession) throws {
        let changed = try session.run(
            StoreStatements.moveCursor,
            [
                .text(HistoryWriter.follower), .integer(HistoryWriter.place), .integer(place.batches),
                .integer(Int64(bitPattern: place.position)), .integer(now),
            ])
        guard changed == 1 else { throw Moved() }
    }

    /// - Parameters:
    ///   - place: after the batch.
    ///   - merges: rows that are there already are left as they are; else they are a fault.
    ///   - now: wall microseconds.
    func write(_ batch: HistoryBatch, _ place: Place, merges: Bool, now: Int64, _ session: SQLSession) throws -> Written {
        try move(place, at: now / 1000, session)
        var count = 0
        func put(_ rows: SQLBatch, key: [String]) throws {
            count += rows.count
            try session.bulk(rows, merge: merges || batch.hasRepeats ? SQLMerge(key: key) : nil)
        }
        try put(batch.notifications, key: ["id"])
        try put(batch.messages, key: ["id"])
        try put(batch.inbound, key: ["id"])
        var (parts, lookups) = (self.parts.read, batch.lookups)
        let begun = try parts.place(&lookups, session)
        let rebuilt = try parts.writeRebuilt(session)
        try session.bulk(begun)
        try put(HistoryWriter.rows(of: lookups), key: ["slot", "kind", "hash", "id"])
        try put(batch.undelivered, key: ["state", "id"])
        try put(batch.attempts, key: ["id", "sequence"])
        try put(batch.receipts, key: ["id", "sequence"])
        try put(batch.steps, key: ["id", "sequence"])
        try put(batch.decisions, key: ["id", "sequence"])
        try session.bulk(texts(batch), merge: .replacing(key: ["id"]))
        let states = try write(batch.states, merges: merges, session)
        if batch.gaps.contains(where: { $0.kind == .cutBack }) {
            // Of what the log lost: what it wrote anew counts on from before.
            try session.run(StoreStatements.dropPartitions, [.text(HistoryWriter.follower), .number(0)])
        }
        var cursors = SQLBatch(table: "cursor", columns: ["follower", "partition", "sequence", "position", "updated_at"])
        for partition in batch.sequences.keys.sorted() {
            cursors.append(
                .text(HistoryWriter.follower), .number(partition), .number(batch.sequences[partition] ?? 0),
                .integer(Int64(bitPattern: place.position)), .integer(now / 1000))
        }
        if let journal = place.journal {
            cursors.append(
                .text(HistoryWriter.follower), .integer(HistoryWriter.journal), .integer(Int64(bitPattern: journal.high)),
                .integer(Int64(bitPattern: journal.low)), .integer(now / 1000))
        }
        try session.bulk(cursors, merge: .replacing(key: ["follower", "partition"]))
        for fold in batch.folds { try fold.write(session) }
        if !batch.preferences.isEmpty { try preferences(batch.preferences, session) }
        if !batch.said.isEmpty { try said(batch.said, session) }
        try enter(batch, now, session)
        return Written(
            rows: states.rows, tampered: states.tampered, rebuilt: rebuilt, count: count + states.rows.count, parts: parts)
    }

    /// Writes rows that were written before, over whatever became of them. Nothing is counted, no cursor is moved.
    func mend(_ batch: HistoryBatch, _ session: SQLSession) throws {
        func put(_ rows: SQLBatch, key: [String]) throws { try session.bulk(rows, merge: .replacing(key: key)) }
        try put(HistoryWriter.once(batch.notifications), key: ["id"])
        try put(HistoryWriter.once(batch.messages), key: ["id"])
        try put(HistoryWriter.once(batch.inbound), key: ["id"])
        try put(batch.attempts, key: ["id", "sequence"])
        try put(batch.receipts, key: ["id", "sequence"])
        try put(batch.steps, key: ["id", "sequence"])
        try put(batch.decisions, key: ["id", "sequence"])
        // Where parts begin is asked anew: the one who writes beside this may have begun some.
        var (parts, lookups) = (SearchParts(full: .max), batch.lookups)
        try parts.assign(&lookups, session)
        _ = try parts.writeRebuilt(session)
        // All columns are the key: there is nothing in such a row to be mended.
        try session.bulk(HistoryWriter.rows(of: lookups), merge: SQLMerge(key: ["slot", "kind", "hash", "id"]))
        try session.bulk(batch.undelivered, merge: SQLMerge(key: ["state", "id"]))
        try session.bulk(texts(batch), merge: .replacing(key: ["id"]))
        var anew = SQLBatch(table: "state", columns: StateRow.columns + ["mac"])
        for (change, prior) in zip(batch.states, try priors(batch.states, merges: true, session)) {
            switch prior {
            case .row(let row): if let next = change.applied(to: row) { anew.append(next.values(tags)) }
            case .none, .tampered: if let next = change.applied(to: nil) { anew.append(next.values(tags)) }
            }
        }
        try session.bulk(anew, merge: .replacing(key: ["id"]))
    }

    /// A row may stand twice in a batch, from an acceptance and a copy forward of it: one statement changes no row twice.
    private static func once(_ rows: SQLBatch) -> SQLBatch {
        var kept = SQLBatch(table: rows.table, columns: rows.columns)
        var seen: Set<[UInt8]> = []
        let width = rows.columns.count
        for start in stride(from: 0, to: rows.values.count, by: width) {
            guard case .bytes(let id) = rows.values[start], seen.insert(id).inserted else { continue }
            kept.append(Array(rows.values[start..<start + width]))
        }
        return kept
    }

    private func texts(_ batch: HistoryBatch) -> SQLBatch {
        var texts = EvidenceTable.messages.taggedBatch
        for id in batch.replaced.keys.sorted() { if let row = batch.replaced[id] { texts.append(row) } }
        return texts
    }

    /// Sorted and each once: neighbours of the index are written one after the other.
    private static func rows(of lookups: [HistoryBatch.Lookup]) -> SQLBatch {
        var batch = SQLBatch(table: "lookup", columns: ["slot", "kind", "hash", "id"])
        batch.reserve(lookups.count)
        var last: HistoryBatch.Lookup?
        for entry in lookups.sorted() where entry != last {
            batch.append(.integer(entry.slot), .number(entry.kind), .integer(entry.hash), .bytes(entry.id.bytes))
            last = entry
        }
        return batch
    }

    private func write(
        _ changes: [StateChange], merges: Bool, _ session: SQLSession
    ) throws -> (rows: [StateRow], tampered: [MessageID]) {
        var fresh = SQLBatch(table: "state", columns: StateRow.columns + ["mac"])
        var changed = fresh
        var remade = fresh
        var rows: [StateRow] = []
        rows.reserveCapacity(changes.count)
        let before = try priors(changes, merges: merges, session)
        var tampered: [MessageID] = []
        for (change, prior) in zip(changes, before) {
            let known: StateRow?
            switch prior {
            case .row(let row): known = row
            case .none: known = nil
            case .tampered:
                known = nil
                tampered.append(change.id)
            }
            guard let row = change.applied(to: known) else { continue }
            rows.append(row)
            switch prior {
            case .none where change.isFresh && !merges: fresh.append(row.values(tags))
            case .tampered: remade.append(row.values(tags))
            case .none, .row: changed.append(row.values(tags))
            }
        }
        try session.bulk(fresh)
        try session.bulk(changed, merge: SQLMerge(key: ["id"], newest: "sequence"))
        try session.bulk(remade, merge: .replacing(key: ["id"]))
        return (rows, tampered)
    }

    private enum Prior {
        case none, tampered
        case row(StateRow)
    }

    /// The rows as they stand: from memory, else from the store.
    private func priors(_ changes: [StateChange], merges: Bool, _ session: SQLSession) throws -> [Prior] {
        var priors = memory.rows(of: changes.map(\.id)).map { $0.map { Prior.row($0) } ?? Prior.none }
        let missing = changes.indices.filter { index in
            if case .none = priors[index] { return merges || !changes[index].isFresh }
            return false
        }
        var next = 0
        while next < missing.count {
            let some = missing[next..<min(next + HistoryStatements.statesAtOnce, missing.count)]
            next += some.count
            var values = some.map { SQLValue.bytes(changes[$0].id.bytes) }
            while values.count < HistoryStatements.statesAtOnce { values.append(values[0]) }
            var found: [[UInt8]: Prior] = [:]
            for row in try session.rows(HistoryStatements.statesOf, values) {
                found[try row.bytes("id")] = try StateRow(row, tags).map { .row($0) } ?? .tampered
            }
            for index in some { priors[index] = found[changes[index].id.bytes] ?? .none }
        }
        return priors
    }

    /// What the history will never have stands in the audit.
    private func enter(_ batch: HistoryBatch, _ now: Int64, _ session: SQLSession) throws {
        guard !batch.gaps.isEmpty || batch.lost > 0 else { return }
        var gaps = batch.gaps
        if gaps.isEmpty { gaps.append(HistoryGap(kind: .damaged, from: batch.next, to: batch.next)) }
        // Damage everywhere would fill the audit: the rest is a number in the last entry.
        for (index, gap) in gaps.prefix(HistoryWriter.gapsEntered).enumerated() {
            let more = index == HistoryWriter.gapsEntered - 1 ? gaps.count - HistoryWriter.gapsEntered : 0
            var outcome = gap.kind.rawValue
            if index == 0 { outcome += ", \(batch.lost) record(s) missing" }
            if more > 0 { outcome += ", and \(more) more places" }
            try trail.enter(
                AuditTrail.Line(act: .historyGap, object: "journal:\(gap.from)-\(gap.to)", outcome: outcome),
                by: .system("projector"), at: now, session)
        }
    }

    private static let gapsEntered = 16
}

import MartletModel
import MartletStore
import SQL
import Synchronization

/// Which part of its quarter of an hour the search entries of an id stand in.
///
/// Entries of a part are in the order of their hashes, so each one that is written touches a page anywhere in the part. A part that fits into
/// memory many times over keeps that cheap; so one that is full ends at the newest id there is, and what comes later goes into the next. Where
/// parts begin is written with the entries, in one transaction, and never changes but where it was damaged.
struct SearchParts: Sendable {
    private struct Quarter {
        /// First ids of parts 1, 2 and so on.
        var firsts: [MessageID] = []
        /// Newest id of which an entry may be there.
        var newest = MessageID.none
        /// Messages in the last part, as far as they matter.
        var count = 0

        func part(of id: MessageID) -> Int { firsts.lastIndex { $0 <= id }.map { $0 + 1 } ?? 0 }
    }

    /// Messages of a part, when the next begins; `.max`: none is begun.
    private let full: Int
    private var quarters: [Int64: Quarter] = [:]
    /// Quarters whose rows were damaged, and are to be written anew as they are here; `write` does.
    private(set) var rebuilt: [Int64: [MessageID]] = [:]
    /// Quarters that are remembered: a log is of now, but for messages that waited.
    private static let mostQuarters = 64

    init(full: Int) { self.full = full }

    /// Gives each entry its part, and says where parts begin from now on.
    /// - Returns: rows of `lookup_part`.
    mutating func place(_ lookups: inout [HistoryBatch.Lookup], _ session: SQLSession) throws -> SQLBatch {
        var begun = SearchParts.rows
        for slot in try assign(&lookups, session).sorted() {
            guard let quarter = quarters[slot], quarter.count >= full, quarter.firsts.count < SearchPart.most else { continue }
            let first = MessageID.first(of: quarter.newest.milliseconds + 1)
            guard SearchSlot.of(first.milliseconds) == slot else { continue }
            quarters[slot]?.firsts.append(first)
            quarters[slot]?.count = 0
            begun.append(.integer(slot), .number(quarter.firsts.count + 1), .bytes(first.bytes))
        }
        for slot in quarters.keys.sorted().dropLast(SearchParts.mostQuarters) { quarters[slot] = nil }
        return begun
    }

    /// Writes anew where parts begin whose rows were damaged, before further ones are written.
    /// - Returns: the quarters.
    mutating func writeRebuilt(_ session: SQLSession) throws -> [Int64] {
        let slots = rebuilt.keys.sorted()
        for slot in slots {
            var rows = SearchParts.rows
            for (place, first) in (rebuilt[slot] ?? []).enumerated() {
                rows.append(.integer(slot), .number(place + 1), .bytes(first.bytes))
            }
            try session.run(HistoryStatements.dropParts, [.integer(slot)])
            try session.bulk(rows)
        }
        rebuilt = [:]
        return slots
    }

    private static let rows = SQLBatch(table: "lookup_part", columns: ["slot", "part", "first_id"])

    /// Gives each entry its part. Settles nothing.
    /// - Returns: the quarters that there are entries of.
    @discardableResult
    mutating func assign(_ lookups: inout [HistoryBatch.Lookup], _ session: SQLSession) throws -> Set<Int64> {
        var slots: Set<Int64> = []
        var (slot, quarter): (Int64, Quarter) = (-1, Quarter())
        for index in lookups.indices {
            let entry = lookups[index]
            if entry.slot != slot {
                if slot >= 0 { quarters[slot] = quarter }
                slot = entry.slot
                quarter = try quarters[slot] ?? read(slot, session)
                slots.insert(slot)
            }
            let part = quarter.part(of: entry.id)
            // Each message has one of these.
            if entry.kind == SearchKind.source.rawValue, part == quarter.firsts.count { quarter.count += 1 }
            quarter.newest = max(quarter.newest, entry.id)
            lookups[index].kind = SearchPart.code(entry.kind, part: part)
        }
        if slot >= 0 { quarters[slot] = quarter }
        return slots
    }

    private mutating func read(_ slot: Int64, _ session: SQLSession) throws -> Quarter {
        let starts = try SearchPartStarts.read(slot, session)
        if starts.isRebuilt { rebuilt[slot] = starts.firsts }
        var quarter = Quarter(firsts: starts.firsts)
        // Who begins no parts need not know how full they are.
        guard full < .max else { return quarter }
        let start = MessageID.first(of: slot * SearchSlot.milliseconds)
        let end = MessageID.first(of: (slot + 1) * SearchSlot.milliseconds)
        for statement in [HistoryStatements.newest, HistoryStatements.newestInbound] {
            guard let row = try session.row(statement, [.bytes(start.bytes), .bytes(end.bytes)]) else { continue }
            if let id = MessageID(bytes: try row.bytes("id")) { quarter.newest = max(quarter.newest, id.with(ordinal: .max)) }
        }
        let last = quarter.firsts.last ?? start
        quarter.count =
            try session.row(HistoryStatements.countFrom, [.bytes(last.bytes), .bytes(end.bytes), .number(full)])?
            .integer("count", as: Int.self) ?? 0
        return quarter
    }
}

/// The parts as the last committed batch left them, so that they are not read back for the next.
final class SearchPartMemory: Sendable {
    private let parts: Mutex<SearchParts>
    private let full: Int

    init(full: Int) {
        self.full = full
        parts = Mutex(SearchParts(full: full))
    }

    var read: SearchParts { parts.withLock { $0 } }
    /// After the commit.
    func take(_ new: SearchParts) { parts.withLock { $0 = new } }
    func clear() { parts.withLock { $0 = SearchParts(full: full) } }
}

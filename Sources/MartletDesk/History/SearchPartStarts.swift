import MartletModel
import MartletStore
import SQL

/// Where the parts of a quarter of an hour begin. The rows that say so have no tags; what they say has an order, and the entries themselves say it
/// once more: a part's oldest entry is not before its beginning, and all of the part before are.
struct SearchPartStarts {
    /// First ids of parts 1, 2 and so on.
    var firsts: [MessageID] = []
    /// The rows were damaged: this is what the entries say.
    var isRebuilt = false

    /// - Parameter slot: the quarter.
    static func read(_ slot: Int64, _ session: SQLSession) throws -> SearchPartStarts {
        let rows = try session.rows(HistoryStatements.parts, [.integer(slot)])
        var firsts: [MessageID] = []
        for row in rows {
            guard let first = try follows(row, firsts, slot) else { return try rebuilt(slot, rows: rows.count, session) }
            firsts.append(first)
        }
        return SearchPartStarts(firsts: firsts)
    }

    /// The first id of a part as its row has it; nil: Martlet does not write such a row behind these.
    static func follows(_ row: SQLRow, _ firsts: [MessageID], _ slot: Int64) throws -> MessageID? {
        guard let first = MessageID(bytes: try row.bytes("first_id")), try row.integer("part") == Int64(firsts.count + 1),
            SearchSlot.of(first.milliseconds) == slot, first == .first(of: first.milliseconds), first >= firsts.last ?? .none
        else { return nil }
        return first
    }

    /// A part begins at the beginning of a millisecond, behind all of the part before: so the millisecond of its oldest entry parts the two as well.
    /// - Parameter rows: parts that the damaged rows speak of; among them are such that have no entry.
    private static func rebuilt(_ slot: Int64, rows: Int, _ session: SQLSession) throws -> SearchPartStarts {
        let (start, end) = (MessageID.first(of: slot * SearchSlot.milliseconds), MessageID.first(of: (slot + 1) * SearchSlot.milliseconds))
        var oldest: [MessageID?] = []
        while oldest.count < SearchPart.most {
            // Each message has one of these.
            let kind = SearchPart.code(SearchKind.source.rawValue, part: oldest.count + 1)
            let row = try session.row(
                HistoryStatements.oldestEntry, [.integer(slot), .number(kind), .bytes(start.bytes), .bytes(end.bytes)])
            guard row != nil || oldest.count < rows else { break }
            oldest.append(try row.flatMap { MessageID(bytes: try $0.bytes("id")) })
        }
        while case .some(nil) = oldest.last { oldest.removeLast() }
        // One without entries begins where the next one does.
        var firsts: [MessageID] = []
        for id in oldest.reversed() {
            let next = firsts.last
            let first = id.map { MessageID.first(of: $0.milliseconds) } ?? next ?? end
            firsts.append(min(first, next ?? first))
        }
        return SearchPartStarts(firsts: firsts.reversed(), isRebuilt: true)
    }
}

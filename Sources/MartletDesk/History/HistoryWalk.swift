import MartletModel
import MartletStore
import SQL

/// Walks the ids that a search may mean, newest first, in steps that cost a bounded amount of work each. What it yields are proposals: rows say
/// whether they fit. Where it stands is one id, so a search goes on from a cursor as if it had never stopped.
struct HistoryWalk {
    enum Way {
        /// Entries of a value that few messages have, or of any of some: a look for each and for each quarter of an hour, many at once.
        case value(SearchKind, hashes: [Int64])
        /// Entries of a source: every quarter may be full of them, so each is asked by itself, and each of its parts.
        case source(Int64)
        /// Ends other than delivered; of one source only, where it is given.
        case undelivered([MessageState], reason: EndReason?, source: SourceNumber?)
        case everything
    }

    let way: Way
    /// Ids from this one...
    let first: MessageID
    /// ...to before this one are still to be walked.
    private(set) var below: MessageID
    /// Looks into the index that this request may still make.
    private var looks = HistoryWalk.mostLooks
    private var width: Int64 = 96
    /// Where the parts of the quarter begin that was looked at last.
    private var starts: (slot: Int64, firsts: [MessageID])?

    /// Quarters of an hour of one request at most: four months.
    static let mostLooks: Int64 = 12_000
    private static let widest: Int64 = 3000
    /// Looks that a question of its own costs as much as, and one that is a single look: a month of quarters in one request.
    private static let question: Int64 = 8
    private static let look: Int64 = 4

    init(_ way: Way, from: Int64, below: MessageID) {
        self.way = way
        first = .first(of: from)
        self.below = below
    }

    var isDone: Bool { below <= first }
    /// This request has done its share.
    var isSpent: Bool { looks <= 0 }

    /// The next notifications, at most `limit`; none may just mean that none are in the stretch that was walked.
    mutating func step(_ limit: Int, _ session: SQLSession) throws -> [MessageID] {
        guard !isDone, !isSpent else { return [] }
        let found: [MessageID]
        switch way {
        case .value(let kind, let hashes): found = try values(kind, hashes, limit, session)
        case .source(let number): found = try ofSource(number, limit, session)
        case .undelivered(let states, let reason, let source): found = try undelivered(states, reason, source, limit, session)
        case .everything:
            looks -= HistoryWalk.question
            found = try ids(HistoryStatements.recent, [.bytes(below.bytes), .bytes(first.bytes), .number(limit)], limit, session)
            below = found.count < limit ? first : found[found.count - 1].notification
        }
        return HistoryWalk.notifications(found, from: first)
    }

    private mutating func values(_ kind: SearchKind, _ hashes: [Int64], _ limit: Int, _ session: SQLSession) throws -> [MessageID] {
        // The slot of the newest id that is still wanted.
        let newest = SearchSlot.of(max(0, MessageID(high: below.high &- (below.low == 0 ? 1 : 0), low: 0).milliseconds))
        let share = max(1, looks / Int64(max(1, hashes.count)))
        let oldest = max(SearchSlot.of(first.milliseconds), newest - min(width, share) + 1)
        var found: [MessageID] = []
        // Of a list that was cut at its limit, nothing is known below its last id.
        var floor: MessageID?
        for hash in hashes {
            looks -= newest - oldest + 1 + HistoryWalk.question
            let ids = try ids(
                HistoryStatements.search,
                [.number(kind.rawValue), .integer(hash), .integer(newest), .integer(oldest), .bytes(below.bytes), .number(limit)], limit,
                session)
            found += ids
            if ids.count == limit { floor = max(floor ?? .none, ids[limit - 1].notification) }
        }
        if let floor {
            below = floor
            found.removeAll { $0.notification < floor }
        } else {
            below = max(first, .first(of: oldest * SearchSlot.milliseconds))
            width = min(width * 4, HistoryWalk.widest)
        }
        return hashes.count == 1 ? found : found.sorted(by: >)
    }

    private mutating func ofSource(_ number: Int64, _ limit: Int, _ session: SQLSession) throws -> [MessageID] {
        var found: [MessageID] = []
        while found.isEmpty, !isDone, looks > 0 {
            let slot = SearchSlot.of(max(0, MessageID(high: below.high &- (below.low == 0 ? 1 : 0), low: 0).milliseconds))
            looks -= HistoryWalk.look
            let (part, floor) = try newestPart(of: slot, session)
            let kind = SearchPart.code(SearchKind.source.rawValue, part: part)
            found = try ids(
                HistoryStatements.searchSlot,
                [.number(kind), .integer(number), .integer(slot), .bytes(below.bytes), .number(limit)], limit, session)
            below = found.count == limit ? found[limit - 1].notification : max(first, floor)
        }
        return found
    }

    /// The part of a quarter that the newest ids before `below` are in, and where it begins. Where the rows that say so are damaged, the entries say it.
    private mutating func newestPart(of slot: Int64, _ session: SQLSession) throws -> (part: Int, floor: MessageID) {
        if starts?.slot != slot { starts = (slot, try SearchPartStarts.read(slot, session).firsts) }
        let firsts = starts?.firsts ?? []
        guard let place = firsts.lastIndex(where: { $0 < below }) else { return (0, .first(of: slot * SearchSlot.milliseconds)) }
        return (place + 1, firsts[place])
    }

    private mutating func undelivered(
        _ states: [MessageState], _ reason: EndReason?, _ source: SourceNumber?, _ limit: Int, _ session: SQLSession
    ) throws -> [MessageID] {
        var found: [MessageID] = []
        // Of a list that was cut at its limit, nothing is known below its last id.
        var floor = first
        for state in states {
            looks -= HistoryWalk.question
            let rows = try session.rows(
                HistoryStatements.undelivered, [.number(state.rawValue), .bytes(below.bytes), .bytes(first.bytes), .number(limit)],
                maximum: limit)
            var last = first
            for row in rows {
                last = try HistoryWalk.id(row)
                if let reason, try row.integer("reason") != Int64(reason.rawValue) { continue }
                if let source, try row.integer("source") != Int64(source) { continue }
                found.append(last)
            }
            if rows.count == limit { floor = max(floor, last) }
        }
        below = floor.notification > first ? floor.notification : first
        return found.filter { $0.notification >= floor.notification }.sorted(by: >)
    }

    private func ids(_ statement: StatementID, _ values: [SQLValue], _ limit: Int, _ session: SQLSession) throws -> [MessageID] {
        try session.rows(statement, values, maximum: limit).map { try HistoryWalk.id($0) }
    }

    private static func id(_ row: SQLRow) throws -> MessageID {
        guard let id = MessageID(bytes: try row.bytes("id")) else { throw DeskFault.tampered(noun: "history", key: "id") }
        return id
    }

    /// A notification and its messages stand side by side and are one.
    private static func notifications(_ ids: [MessageID], from first: MessageID) -> [MessageID] {
        var found: [MessageID] = []
        for id in ids where id >= first && found.last != id.notification { found.append(id.notification) }
        return found
    }
}

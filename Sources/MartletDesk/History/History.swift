public import MartletModel
import MartletStore
import SQL

/// What happened to messages: search, and the whole story of one.
public struct History: Sendable {
    let desk: Desk
    let keys: HistoryKeys
    let names: @Sendable () -> HistoryNames

    /// Items of a page in clear at most: each is named in the audit.
    public static let mostRevealed = 50

    /// - Throws: `.forbidden`, `.invalid`, `.store`.
    public func search(_ wish: HistoryWish, by caller: Caller) async throws(DeskFault) -> HistoryPage {
        try caller.require(.readHistory)
        let search = try HistorySearch(wish, by: caller, keys, names(), desk.damage)
        guard wish.reveals else {
            return try await desk.read(.readHistory, by: caller) { session in try search.run(session) }
        }
        try caller.requireReveal()
        guard wish.page.limit <= History.mostRevealed else {
            throw .invalid([FieldFault("limit", "range", "1 to \(History.mostRevealed) with `reveal`")])
        }
        return try await desk.act(.revealPersonal, by: caller) { session in
            let page = try search.run(session)
            return (page, try enter(page.items.map(\.id), by: caller, session))
        }
    }

    /// - Parameter reveals: number, text and reference in clear; asks for the right and a reason, and is entered in the audit.
    /// - Throws: `.forbidden`, `.notFound`, `.invalid` (no reason was given), `.store`.
    public func story(_ id: MessageID, reveals: Bool = false, by caller: Caller) async throws(DeskFault) -> HistoryStory {
        try caller.require(.readHistory)
        let (keys, names) = (keys, names())
        let tell: @Sendable (SQLSession) throws -> HistoryStory = { session in
            let rows = try HistoryRows(session: session, keys: keys, names: names)
            guard let story = try HistoryStory(id.notification, by: caller, reveals: reveals, rows) else {
                throw DeskFault.notFound(noun: "message", key: id.text)
            }
            return story
        }
        guard reveals else { return try await desk.read(.readHistory, by: caller, tell) }
        try caller.requireReveal()
        return try await desk.act(.revealPersonal, by: caller) { session in
            let story = try tell(session)
            return (story, try enter([story.item.id], by: caller, session))
        }
    }

    /// Messages that one entry of the audit can name.
    private static let named = 7

    /// Who looked at which messages: all entries but the last are made here, as many as it takes to name each.
    private func enter(_ ids: [MessageID], by caller: Caller, _ session: SQLSession) throws -> AuditTrail.Line {
        func line(_ ids: some Sequence<MessageID>) -> AuditTrail.Line {
            AuditTrail.Line(act: .personalSeen, object: "messages: \(ids.map(\.text).joined(separator: " "))")
        }
        guard !ids.isEmpty else { return AuditTrail.Line(act: .personalSeen, object: "messages: none") }
        let last = (ids.count - 1) / History.named * History.named
        for start in stride(from: 0, to: last, by: History.named) {
            try desk.trail.enter(line(ids[start..<start + History.named]), by: caller, at: desk.now(), session)
        }
        return line(ids[last...])
    }
}

extension Desk {
    /// - Parameter names: asked at each request, for sources come and go.
    public func history(keys: HistoryKeys, names: @escaping @Sendable () -> HistoryNames) -> History {
        History(desk: self, keys: keys, names: names)
    }
}

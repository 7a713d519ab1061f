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
        let search = try HistorySearch(wish, by: caller, keys, names())
        guard wish.reveals else {
            return try await desk.read(.readHistory, by: caller) { session in try search.run(session) }
        }
        try caller.requireReveal()
        guard wish.page.limit <= History.mostRevealed else {
            throw .invalid([FieldFault("limit", "range", "1 to \(History.mostRevealed) with `reveal`")])
        }
        return try await desk.act(.revealPersonal, by: caller) { session in
            let page = try search.run(session)
            return (page, History.seen(page.items.map(\.id)))
        }
    }

    /// - Parameter reveals: number, text and reference in clear; asks for the right and a reason, and is entered in the audit.
    /// - Throws: `.forbidden`, `.notFound`, `.invalid` (no reason was given), `.store`.
    public func story(_ id: MessageID, reveals: Bool = false, by caller: Caller) async throws(DeskFault) -> HistoryStory {
        try caller.require(.readHistory)
        let (keys, names) = (keys, names())
        let tell: @Sendable (SQLSession) throws -> HistoryStory = { session in
            let rows = HistoryRows(session: session, keys: keys, names: names)
            guard let story = try HistoryStory(id.notification, by: caller, reveals: reveals, rows) else {
                throw DeskFault.notFound(noun: "message", key: id.text)
            }
            return story
        }
        guard reveals else { return try await desk.read(.readHistory, by: caller, tell) }
        try caller.requireReveal()
        return try await desk.act(.revealPersonal, by: caller) { session in
            let story = try tell(session)
            return (story, History.seen([story.item.id]))
        }
    }

    static func seen(_ ids: [MessageID]) -> AuditTrail.Line {
        AuditTrail.Line(act: .personalSeen, object: ids.isEmpty ? "messages: none" : "messages: \(ids.map(\.text).joined(separator: " "))")
    }
}

extension Desk {
    /// - Parameter names: asked at each request, for sources come and go.
    public func history(keys: HistoryKeys, names: @escaping @Sendable () -> HistoryNames) -> History {
        History(desk: self, keys: keys, names: names)
    }
}

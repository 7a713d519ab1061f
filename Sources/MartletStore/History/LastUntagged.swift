public import Guard
public import MartletModel
public import SQL

/// Up to which message rows of the history may lack a tag: the newest that was there when all its tables had got tags. A newer row without one was
/// changed by somebody, who could not make the tag.
///
/// Kept in `meta`, with a tag of its own. Where that row is gone, or is not as Martlet wrote it, no row may lack its tag.
public struct LastUntagged: Sendable, Equatable {
    /// In `meta`.
    static let name = "history.untagged"

    /// Nil: none may.
    private let id: MessageID?

    public static let none = LastUntagged(id: nil)

    private init(id: MessageID?) { self.id = id }

    public static func tags(_ key: Secret) -> RowMAC { RowMAC(key: key, table: "meta", columns: ["name", "value"]) }

    /// What the store says.
    public init(_ tags: RowMAC, _ session: SQLSession) throws(SQLFault) {
        guard let value = try session.row(StoreStatements.meta, [.text(LastUntagged.name)])?.text("value") else {
            id = nil
            return
        }
        let words = value.split(separator: " ", maxSplits: 1)
        let isOurs = words.count == 2 && String(words[1]) == LastUntagged.mark(String(words[0]), tags)
        id = isOurs ? MessageID(text: String(words[0])) : nil
    }

    /// Notes the newest message of the history, once in the life of a store.
    /// - Returns: it; nil: something is noted already.
    public static func note(_ tags: RowMAC, _ session: SQLSession) throws(SQLFault) -> MessageID? {
        var newest = MessageID.none
        let all: [SQLValue] = [.bytes(MessageID.none.bytes), .bytes([UInt8](repeating: 0xFF, count: 16))]
        for statement in [HistoryStatements.newest, HistoryStatements.newestInbound] {
            guard let row = try session.row(statement, all), let id = MessageID(bytes: try row.bytes("id")) else { continue }
            newest = max(newest, id.notification)
        }
        let value = "\(newest.text) \(mark(newest.text, tags))"
        return try session.run(StoreStatements.metaOnce, [.text(name), .text(value)]) == 1 ? newest : nil
    }

    public static func isNoted(_ session: SQLSession) throws(SQLFault) -> Bool {
        try session.row(StoreStatements.meta, [.text(name)]) != nil
    }

    /// Whether a row of this id may lack its tag.
    func covers(_ id: SQLValue?) -> Bool {
        guard let last = self.id, case .bytes(let bytes)? = id, let id = MessageID(bytes: bytes) else { return false }
        return id.notification <= last
    }

    private static func mark(_ value: String, _ tags: RowMAC) -> String {
        String(UInt64(bitPattern: tags.tag([.text(name), .text(value)]).short), radix: 16)
    }
}

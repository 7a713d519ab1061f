public import Guard
public import SQL

/// A table of the history whose rows are written once: what was accepted and received (`notification`, `message`, `inbound`), and what was handed over, heard
/// and decided (`attempt`, `receipt`, `decision`). A row ends with a tag over all its other columns; one that an earlier version wrote has none.
public struct EvidenceTable: Sendable {
    /// What a row's tag says of it.
    public enum Standing: Sendable, Equatable {
        case sound
        /// It may be as Martlet wrote it, and nothing shows that it is.
        case untagged
        /// It is not as Martlet wrote it; nothing of it is to be believed.
        case damaged
    }

    public static let notifications = EvidenceTable(
        "notification", ["id", "source", "class", "received_at", "deadline", "key_id"], key: ["id"])
    public static let messages = EvidenceTable(
        "message", ["id", "channel", "parts", "key_id", "sealed"], key: ["id"], forgets: true)
    public static let inbound = EvidenceTable(
        "inbound", ["id", "source", "route", "received_at", "parts", "missing", "in_reply_to", "key_id", "sealed"], key: ["id"],
        forgets: true)
    public static let attempts = EvidenceTable(
        "attempt",
        ["id", "sequence", "attempt", "part", "outcome", "status", "handed_at", "answered_at", "connection", "provider_id"])
    public static let receipts = EvidenceTable(
        "receipt", ["id", "sequence", "part", "state", "error", "heard_at", "provider_id"])
    public static let decisions = EvidenceTable(
        "decision", ["id", "sequence", "event", "outcome", "reason", "package", "release", "step", "at"])

    public let name: String
    /// In the order of the tag, without it.
    public let columns: [String]
    /// The columns of the key, which come first.
    public let key: [String]
    /// Whether rows end with key_id and sealed, of which 0 and nothing are left when the text is forgotten. Such a row has two tags of 64 bits in 16 bytes, as it is
    /// and as it then will be: whoever forgets changes two columns of rows that it need not read.
    private let forgets: Bool
    /// Rows after a key, a parameter for each of its columns, then how many at most.
    public let page: StatementID

    private init(_ name: String, _ columns: [String], key: [String] = ["id", "sequence"], forgets: Bool = false) {
        self.name = name
        self.columns = columns
        self.key = key
        self.forgets = forgets
        page = StatementID("check.\(name)")
    }

    public func tags(_ key: Secret) -> RowMAC { RowMAC(key: key, table: name, columns: columns) }

    /// A batch for its rows, without tags.
    public var batch: SQLBatch { SQLBatch(table: name, columns: columns) }
    /// A batch for its rows with their tags.
    public var taggedBatch: SQLBatch { SQLBatch(table: name, columns: columns + ["mac"]) }

    /// The batch with a tag behind each row.
    /// - Parameter rows: of `columns`.
    public func tagged(_ rows: SQLBatch, _ tags: RowMAC) -> SQLBatch {
        var tagged = taggedBatch
        tagged.reserve(rows.count)
        for start in stride(from: 0, to: rows.values.count, by: columns.count) {
            tagged.append(self.tagged(rows.values[start..<start + columns.count], tags))
        }
        return tagged
    }

    /// A row with its tag behind it.
    /// - Parameter row: a value for each of `columns`.
    public func tagged(_ row: some Collection<SQLValue>, _ tags: RowMAC) -> [SQLValue] {
        let tag = tags.tag(row.map { RowValue($0) })
        guard forgets else { return Array(row) + [.integer(tag.short)] }
        let (now, then) = (tag.short.bigEndian, tags.tag(forgotten(row)).short.bigEndian)
        return Array(row) + [.bytes(withUnsafeBytes(of: (now, then)) { Array($0) })]
    }

    /// - Parameter row: of `selected`.
    public func standing(of row: SQLRow, _ tags: RowMAC, _ untagged: LastUntagged) -> Standing {
        let values = row.values.dropLast()
        guard values.count == columns.count else { return .damaged }
        switch row.values.last {
        case .integer(let mac)? where !forgets:
            return tags.tag(values.map { RowValue($0) }).matches(mac) ? .sound : .damaged
        case .bytes(let mac)? where forgets && mac.count == 16:
            let own = values.map { RowValue($0) }
            let half = own.suffix(2) == EvidenceTable.nothing ? mac.suffix(8) : mac.prefix(8)
            let short = half.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return tags.tag(own).matches(Int64(bitPattern: short)) ? .sound : .damaged
        case .null?: return untagged.covers(row.values.first) ? .untagged : .damaged
        default: return .damaged
        }
    }

    /// What is left of key_id and sealed.
    private static let nothing: ArraySlice<RowValue> = [.integer(0), .bytes([])]

    private func forgotten(_ row: some Collection<SQLValue>) -> [RowValue] {
        row.dropLast(EvidenceTable.nothing.count).map { RowValue($0) } + EvidenceTable.nothing
    }

    /// Columns of a row that is read, with the tag.
    var selected: String { (columns + ["mac"]).joined(separator: ", ") }

    /// What stands before every key.
    public var start: [SQLValue] { key.map { $0 == "id" ? .bytes([]) : .integer(.min) } }

    var statement: Statement {
        let (order, after) = (key.joined(separator: ", "), key.count == 1 ? "?1" : "?1, CAST(?2 AS BIGINT)")
        return Statement(
            page, "SELECT \(selected) FROM \(name) WHERE (\(order)) > (\(after)) ORDER BY \(order) LIMIT ?\(key.count + 1)")
    }
}

/// Tags of these tables.
public struct EvidenceTags: Sendable {
    public let notifications: RowMAC
    public let messages: RowMAC
    public let inbound: RowMAC
    public let attempts: RowMAC
    public let receipts: RowMAC
    public let decisions: RowMAC

    /// - Parameter key: of the installation, `KeyStore.rowKey`.
    public init(_ key: Secret) {
        notifications = EvidenceTable.notifications.tags(key)
        messages = EvidenceTable.messages.tags(key)
        inbound = EvidenceTable.inbound.tags(key)
        attempts = EvidenceTable.attempts.tags(key)
        receipts = EvidenceTable.receipts.tags(key)
        decisions = EvidenceTable.decisions.tags(key)
    }
}

public import Guard
public import SQL

/// A table of what was decided and heard of messages, whose rows are written once: `attempt`, `receipt` and `decision`. A row ends with a tag of 64 bits over all its other
/// columns; one that an earlier version wrote has none.
public struct EvidenceTable: Sendable {
    /// What a row's tag says of it.
    public enum Standing: Sendable, Equatable {
        case sound
        /// It may be as Martlet wrote it, and nothing shows that it is.
        case untagged
        /// It is not as Martlet wrote it; nothing of it is to be believed.
        case damaged
    }

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
    /// Rows after an id and a sequence, ?1 and ?2, at most ?3.
    public let page: StatementID

    private init(_ name: String, _ columns: [String]) {
        self.name = name
        self.columns = columns
        page = StatementID("check.\(name)")
    }

    public func tags(_ key: Secret) -> RowMAC { RowMAC(key: key, table: name, columns: columns) }

    /// A batch for its rows, without tags.
    public var batch: SQLBatch { SQLBatch(table: name, columns: columns) }

    /// The batch with a tag behind each row.
    /// - Parameter rows: of `columns`.
    public func tagged(_ rows: SQLBatch, _ tags: RowMAC) -> SQLBatch {
        var tagged = SQLBatch(table: name, columns: columns + ["mac"])
        tagged.reserve(rows.count)
        for start in stride(from: 0, to: rows.values.count, by: columns.count) {
            let values = rows.values[start..<start + columns.count]
            tagged.append(Array(values) + [.integer(tags.tag(values.map { RowValue($0) }).short)])
        }
        return tagged
    }

    /// - Parameter row: of `selected`.
    public func standing(of row: SQLRow, _ tags: RowMAC) -> Standing {
        let values = row.values.dropLast()
        switch row.values.last {
        case .integer(let mac)? where values.count == columns.count:
            return tags.tag(values.map { RowValue($0) }).matches(mac) ? .sound : .damaged
        case .null?: return .untagged
        default: return .damaged
        }
    }

    /// Columns of a row that is read, with the tag.
    var selected: String { (columns + ["mac"]).joined(separator: ", ") }

    var statement: Statement {
        Statement(
            page,
            "SELECT \(selected) FROM \(name) WHERE (id, sequence) > (?1, CAST(?2 AS BIGINT)) ORDER BY id, sequence LIMIT ?3")
    }
}

/// Tags of these tables.
public struct EvidenceTags: Sendable {
    public let attempts: RowMAC
    public let receipts: RowMAC
    public let decisions: RowMAC

    /// - Parameter key: of the installation, `KeyStore.rowKey`.
    public init(_ key: Secret) {
        attempts = EvidenceTable.attempts.tags(key)
        receipts = EvidenceTable.receipts.tags(key)
        decisions = EvidenceTable.decisions.tags(key)
    }
}

public import SQL

/// What a search asks by. Raw values are in rows: never change one.
public enum SearchKind: Int16, CaseIterable, Sendable {
    /// By the customer's number, as the source by its own; the others have a keyed hash.
    case customer = 1
    case phone = 2
    case email = 3
    case reference = 4
    /// By the source's number.
    case source = 5
}

/// A quarter of an hour, counted since 1970: where in `lookup` an id's entries stand.
public enum SearchSlot {
    public static let milliseconds: Int64 = 900_000

    /// - Parameter id: milliseconds of the id, not of the clock: who has the id finds its entries.
    public static func of(_ milliseconds: Int64) -> Int64 { milliseconds / SearchSlot.milliseconds }
}

/// Statements on the history. Ids as 16 bytes; those of a notification and its messages are one range, from ordinal 0 to 255.
public enum HistoryStatements {
    /// ?1 kind, ?2 hash, ?3 newest slot, ?4 oldest slot, ?5 id below which, ?6 how many. Newest first. One look into the index for
    /// each slot: 3,000 for a month; longer ranges are asked in steps, and so are kinds that every slot is full of.
    public static let search = StatementID("history.search")
    /// ?1 kind, ?2 hash, ?3 slot, ?4 id below which, ?5 how many. Newest first, of one quarter of an hour, in the order of the index: for kinds that
    /// every slot is full of.
    public static let searchSlot = StatementID("history.searchSlot")
    /// ?1 slot, ?2 kind, ?3 hash, ?4 first id, ?5 last id. One row where an id has the value.
    public static let has = StatementID("history.has")
    /// ?1 state, ?2 id below which, ?3 id from which, ?4 how many. Newest first.
    public static let undelivered = StatementID("history.undelivered")
    /// ?1 id below which, ?2 id from which, ?3 how many. All notifications, newest first, with where they stand.
    public static let recent = StatementID("history.recent")
    /// ?1 first id, ?2 last id.
    public static let notification = StatementID("history.notification")
    public static let messages = StatementID("history.messages")
    public static let states = StatementID("history.states")
    /// ?1...?32 ids, one that is wanted again and again where there are fewer.
    public static let statesOf = StatementID("history.statesOf")
    public static let statesAtOnce = 32
    public static let attempts = StatementID("history.attempts")
    public static let receipts = StatementID("history.receipts")
    public static let steps = StatementID("history.steps")
    public static let inbound = StatementID("history.inbound")

    /// ?1 slot, ?2 kind, ?3 hash, ?4 first id, ?5 last id.
    public static let dropEntry = StatementID("history.dropEntry")
    /// ?1 first id, ?2 last id, ?3 what stands in the place of the sealed part.
    public static let dropText = StatementID("history.dropText")
    public static let dropInboundText = StatementID("history.dropInboundText")

    static let all = [
        Statement(dropEntry, "DELETE FROM lookup WHERE slot = ?1 AND kind = ?2 AND hash = ?3 AND id >= ?4 AND id <= ?5"),
        Statement(dropText, "UPDATE message SET key_id = 0, sealed = ?3 WHERE id >= ?1 AND id <= ?2 AND key_id <> 0"),
        Statement(dropInboundText, "UPDATE inbound SET key_id = 0, sealed = ?3 WHERE id >= ?1 AND id <= ?2 AND key_id <> 0"),
        Statement(
            search,
            """
            WITH RECURSIVE slots (slot) AS (
                SELECT CAST(?3 AS INTEGER) UNION ALL SELECT slot - 1 FROM slots WHERE slot > CAST(?4 AS INTEGER)
            )
            SELECT l.id AS id FROM slots s JOIN lookup l ON l.slot = s.slot
            WHERE l.kind = ?1 AND l.hash = ?2 AND l.id < ?5 ORDER BY l.slot DESC, l.id DESC LIMIT ?6
            """),
        Statement(
            searchSlot, "SELECT id FROM lookup WHERE slot = ?3 AND kind = ?1 AND hash = ?2 AND id < ?4 ORDER BY id DESC LIMIT ?5"),
        Statement(
            has, "SELECT id FROM lookup WHERE slot = ?1 AND kind = ?2 AND hash = ?3 AND id >= ?4 AND id <= ?5 ORDER BY id LIMIT 1"),
        Statement(
            undelivered,
            """
            SELECT id, reason, source FROM undelivered
            WHERE state = ?1 AND id < ?2 AND id >= ?3 ORDER BY id DESC LIMIT ?4
            """),
        Statement(
            recent,
            """
            SELECT n.id AS id, n.source AS source, n.class AS class, n.received_at AS received_at, s.state AS state, s.reason AS reason
            FROM notification n LEFT JOIN state s ON s.id = n.id
            WHERE n.id < ?1 AND n.id >= ?2 ORDER BY n.id DESC LIMIT ?3
            """),
        Statement(
            notification,
            """
            SELECT id, source, class, received_at, deadline, event, key_id, sealed FROM notification
            WHERE id >= ?1 AND id <= ?2 ORDER BY id
            """),
        Statement(
            messages, "SELECT id, channel, parts, key_id, sealed FROM message WHERE id >= ?1 AND id <= ?2 ORDER BY id"),
        Statement(
            states,
            """
            SELECT id, sequence, state, reason, flags, route, attempts, changed_at, ended_at, told, told_at, mac FROM state
            WHERE id >= ?1 AND id <= ?2 ORDER BY id
            """),
        Statement(
            statesOf,
            """
            SELECT id, sequence, state, reason, flags, route, attempts, changed_at, ended_at, told, told_at, mac FROM state
            WHERE id IN (\((1...statesAtOnce).map { "?\($0)" }.joined(separator: ", "))) ORDER BY id
            """),
        Statement(
            attempts,
            """
            SELECT id, sequence, attempt, part, outcome, status, handed_at, answered_at, connection, provider_id FROM attempt
            WHERE id >= ?1 AND id <= ?2 ORDER BY id, sequence
            """),
        Statement(
            receipts,
            """
            SELECT id, sequence, part, state, error, heard_at, provider_id FROM receipt
            WHERE id >= ?1 AND id <= ?2 ORDER BY id, sequence
            """),
        Statement(steps, "SELECT id, sequence, record FROM step WHERE id >= ?1 AND id <= ?2 ORDER BY id, sequence"),
        Statement(
            inbound,
            """
            SELECT id, source, route, received_at, parts, missing, in_reply_to, key_id, sealed FROM inbound
            WHERE id >= ?1 AND id <= ?2 ORDER BY id
            """),
    ]
}

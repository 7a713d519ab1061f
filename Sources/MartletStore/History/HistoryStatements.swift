public import SQL

/// What a search asks by. Raw values are in rows: never change one.
public enum SearchKind: Int16, CaseIterable, Sendable {
    /// By the customer's number, as the source by its own; the others have a keyed hash.
    case customer = 1
    case phone = 2
    /// No message is found by it: mail goes to customers, who have its address. Erasures name it.
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

/// A busy quarter of an hour has its entries in parts, each under kinds of its own: so what is written now lies together.
public enum SearchPart {
    /// Kinds of one part.
    public static let kinds = 16
    /// Parts behind the first of a quarter: more do not fit into the column, and what comes then stays in the last.
    public static let most = 2000

    /// What stands in the column for a kind.
    public static func code(_ kind: Int16, part: Int) -> Int16 { kind + Int16(part * kinds) }
}

/// Statements on the history. Ids as 16 bytes; those of a notification and its messages are one range, from ordinal 0 to 255.
public enum HistoryStatements {
    /// ?1 kind, ?2 hash, ?3 newest slot, ?4 oldest slot, ?5 id below which, ?6 how many. Newest first. One look into the index for
    /// each slot, 3,000 for a month, and for each further part of one; longer ranges are asked in steps, and so are kinds that every slot is full of.
    public static let search = StatementID("history.search")
    /// ?1 kind and part (`SearchPart.code`), ?2 hash, ?3 slot, ?4 id below which, ?5 how many. Newest first, of one part of a quarter, in the order of the index: for kinds that
    /// every slot is full of.
    public static let searchSlot = StatementID("history.searchSlot")
    /// ?1 slot. Where its parts begin.
    public static let parts = StatementID("history.parts")
    /// ?1 slot, ?2 kind, ?3 id from which, ?4 id below which. The oldest entry of these.
    public static let oldestEntry = StatementID("history.oldestEntry")
    /// ?1 slot. Forgets where its parts begin.
    public static let dropParts = StatementID("history.dropParts")
    /// ?1 id from which, ?2 id below which. The newest of these.
    public static let newest = StatementID("history.newest")
    public static let newestInbound = StatementID("history.newestInbound")
    /// ?1 id from which, ?2 id below which, ?3 how many matter.
    public static let countFrom = StatementID("history.countFrom")
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
    /// ?1 first id, ?2 last id, ?3 how many.
    public static let steps = StatementID("history.steps")
    public static let inbound = StatementID("history.inbound")

    /// ?1 slot, ?2 kind, ?3 hash, ?4 first id, ?5 last id.
    public static let dropEntry = StatementID("history.dropEntry")
    /// ?1 first id, ?2 last id, ?3 what stands in the place of the sealed part.
    public static let dropText = StatementID("history.dropText")
    public static let dropInboundText = StatementID("history.dropInboundText")

    /// Kind and part of the entries of id ?4 in slot ?1 whose kind is ?2.
    private static let code =
        "?2 + 16 * COALESCE((SELECT max(p.part) FROM lookup_part p WHERE p.slot = ?1 AND p.first_id <= ?4), 0)"

    static let all = [
        Statement(dropEntry, "DELETE FROM lookup WHERE slot = ?1 AND kind = \(code) AND hash = ?3 AND id >= ?4 AND id <= ?5"),
        Statement(parts, "SELECT part, first_id FROM lookup_part WHERE slot = ?1 ORDER BY part"),
        Statement(
            oldestEntry,
            "SELECT id FROM lookup WHERE slot = ?1 AND kind = ?2 AND id >= ?3 AND id < ?4 ORDER BY id LIMIT 1"),
        Statement(dropParts, "DELETE FROM lookup_part WHERE slot = ?1"),
        Statement(newest, "SELECT id FROM notification WHERE id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT 1"),
        Statement(newestInbound, "SELECT id FROM inbound WHERE id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT 1"),
        Statement(
            countFrom,
            """
            SELECT CAST(count(*) AS BIGINT) AS count
            FROM (SELECT id FROM notification WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3) counted
            """),
        Statement(dropText, "UPDATE message SET key_id = 0, sealed = ?3 WHERE id >= ?1 AND id <= ?2 AND key_id <> 0"),
        Statement(dropInboundText, "UPDATE inbound SET key_id = 0, sealed = ?3 WHERE id >= ?1 AND id <= ?2 AND key_id <> 0"),
        Statement(
            search,
            """
            WITH RECURSIVE slots (slot, part) AS (
                SELECT CAST(?3 AS INTEGER),
                    COALESCE((SELECT max(p.part) FROM lookup_part p WHERE p.slot = CAST(?3 AS INTEGER)), CAST(0 AS INTEGER))
                UNION ALL
                SELECT CASE WHEN part > 0 THEN slot ELSE slot - 1 END,
                    CASE WHEN part > 0 THEN part - 1 ELSE COALESCE((SELECT max(p.part) FROM lookup_part p WHERE p.slot = s.slot - 1), 0) END
                FROM slots s WHERE slot > CAST(?4 AS INTEGER) OR part > 0
            )
            SELECT l.id AS id FROM slots s CROSS JOIN lookup l
            WHERE l.slot = s.slot AND l.kind = ?1 + 16 * s.part AND l.hash = ?2 AND l.id < ?5 ORDER BY l.slot DESC, l.id DESC LIMIT ?6
            """),
        Statement(
            searchSlot, "SELECT id FROM lookup WHERE slot = ?3 AND kind = ?1 AND hash = ?2 AND id < ?4 ORDER BY id DESC LIMIT ?5"),
        Statement(
            has,
            "SELECT id FROM lookup WHERE slot = ?1 AND kind = \(code) AND hash = ?3 AND id >= ?4 AND id <= ?5 ORDER BY id LIMIT 1"),
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
            SELECT \(EvidenceTable.notifications.selected) FROM notification
            WHERE id >= ?1 AND id <= ?2 ORDER BY id
            """),
        Statement(
            messages, "SELECT \(EvidenceTable.messages.selected) FROM message WHERE id >= ?1 AND id <= ?2 ORDER BY id"),
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
            SELECT \(EvidenceTable.attempts.selected) FROM attempt
            WHERE id >= ?1 AND id <= ?2 ORDER BY id, sequence
            """),
        Statement(
            receipts,
            """
            SELECT \(EvidenceTable.receipts.selected) FROM receipt
            WHERE id >= ?1 AND id <= ?2 ORDER BY id, sequence
            """),
        Statement(steps, "SELECT id, sequence, record FROM step WHERE id >= ?1 AND id <= ?2 ORDER BY id, sequence LIMIT ?3"),
        Statement(
            inbound,
            """
            SELECT \(EvidenceTable.inbound.selected) FROM inbound
            WHERE id >= ?1 AND id <= ?2 ORDER BY id
            """),
    ]
}

public import SQL

/// Statements by which the history forgets, in bounded steps: each reads as many rows as it is told to, or touches those of 32 ids or keys.
public enum RetentionStatements {
    /// ?1 id from which. The oldest of all.
    public static let oldest = StatementID("retention.oldest")
    public static let oldestInbound = StatementID("retention.oldestInbound")
    /// ?1 id above which, ?2 id below which, ?3 how many. With the class.
    public static let ids = StatementID("retention.ids")
    /// ?1 id above which, ?2 id below which, ?3 how many.
    public static let inboundIDs = StatementID("retention.inboundIDs")
    /// ?1 slot, ?2 kind, ?3 hash and ?4 id behind which, ?5 how many. With the class of the message, null: it is none of ours, and whether it came
    /// from a handset.
    public static let entries = StatementID("retention.entries")
    /// ?1 slot, then kind, hash and id of `entriesAtOnce`; the last one repeated where there are fewer.
    public static let dropEntries = StatementID("retention.dropEntries")
    /// ?1...?32 ids, ?33 what stands in the place of the sealed part.
    public static let text = StatementID("retention.text")
    public static let inboundText = StatementID("retention.inboundText")
    /// ?1...?32 ids. Of each table that has rows of an id.
    public static let rows = tables.map { StatementID("retention.\($0)") }
    private static let tables = ["notification", "message", "state", "attempt", "receipt", "step", "decision", "inbound"]
    public static let undelivered = StatementID("retention.undelivered")
    /// ?1...?32 ids of first messages, ?33...?64 the last ids that their notifications can have. Ids of their further messages.
    public static let further = StatementID("retention.further")
    public static let idsAtOnce = 32
    public static let entriesAtOnce = 32

    private static let list = (1...idsAtOnce).map { "?\($0)" }.joined(separator: ", ")
    private static let keys = (0..<entriesAtOnce).map { (place: Int) -> String in
        "slot = ?1 AND kind = ?\(3 * place + 2) AND hash = ?\(3 * place + 3) AND id = ?\(3 * place + 4)"
    }

    static let all: [Statement] =
        [
            Statement(oldest, "SELECT id FROM notification WHERE id >= ?1 ORDER BY id LIMIT 1"),
            Statement(oldestInbound, "SELECT id FROM inbound WHERE id >= ?1 ORDER BY id LIMIT 1"),
            Statement(ids, "SELECT id, class FROM notification WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3"),
            Statement(inboundIDs, "SELECT id FROM inbound WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3"),
            Statement(
                entries,
                """
                SELECT l.kind AS kind, l.hash AS hash, l.id AS id, n.class AS class, i.id AS inbound
                FROM lookup l LEFT JOIN notification n ON n.id = l.id LEFT JOIN inbound i ON i.id = l.id
                WHERE l.slot = ?1 AND (l.kind, l.hash, l.id) > (?2, ?3, ?4) ORDER BY l.kind, l.hash, l.id LIMIT ?5
                """),
            Statement(dropEntries, "DELETE FROM lookup WHERE \(keys.map { "(\($0))" }.joined(separator: " OR "))"),
            Statement(text, "UPDATE message SET key_id = 0, sealed = ?33 WHERE id IN (\(list)) AND key_id <> 0"),
            Statement(inboundText, "UPDATE inbound SET key_id = 0, sealed = ?33 WHERE id IN (\(list)) AND key_id <> 0"),
            Statement(
                further,
                (1...idsAtOnce).map { "SELECT id FROM state WHERE id > ?\($0) AND id <= ?\($0 + idsAtOnce)" }
                    .joined(separator: " UNION ALL ")),
            Statement(undelivered, "DELETE FROM undelivered WHERE state IN (5, 6, 7, 8, 9) AND id IN (\(list))"),
        ]
        + tables.map {
            Statement(StatementID("retention.\($0)"), "DELETE FROM \($0) WHERE id IN (\(list))")
        }
}

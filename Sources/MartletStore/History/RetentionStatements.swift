public import SQL

/// Statements by which the history forgets, in bounded steps: what one of them touches lies in one quarter of an hour, or has one of 32 ids.
public enum RetentionStatements {
    /// ?1 id from which. The oldest of all.
    public static let oldest = StatementID("retention.oldest")
    public static let oldestInbound = StatementID("retention.oldestInbound")
    /// ?1 id above which, ?2 id below which, ?3 class, ?4 how many.
    public static let ids = StatementID("retention.ids")
    /// ?1 id above which, ?2 id below which, ?3 how many.
    public static let inboundIDs = StatementID("retention.inboundIDs")
    /// ?1 slot, ?2 id from which, ?3 id below which, ?4 class. All but the source.
    public static let addresses = StatementID("retention.addresses")
    /// ?1 slot, ?2 id from which, ?3 id below which.
    public static let inboundAddresses = StatementID("retention.inboundAddresses")
    /// ?1 slot, ?2 id from which, ?3 id below which, ?4 class.
    public static let lookups = StatementID("retention.lookups")
    /// ?1 slot, ?2 id from which, ?3 id below which.
    public static let inboundLookups = StatementID("retention.inboundLookups")
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

    private static let list = (1...idsAtOnce).map { "?\($0)" }.joined(separator: ", ")

    static let all: [Statement] =
        [
            Statement(oldest, "SELECT id FROM notification WHERE id >= ?1 ORDER BY id LIMIT 1"),
            Statement(oldestInbound, "SELECT id FROM inbound WHERE id >= ?1 ORDER BY id LIMIT 1"),
            Statement(ids, "SELECT id FROM notification WHERE id > ?1 AND id < ?2 AND class = ?3 ORDER BY id LIMIT ?4"),
            Statement(inboundIDs, "SELECT id FROM inbound WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3"),
            Statement(
                addresses,
                """
                DELETE FROM lookup WHERE slot = ?1 AND (kind & 15) <> 5
                AND id IN (SELECT id FROM notification WHERE id >= ?2 AND id < ?3 AND class = ?4)
                """),
            Statement(
                inboundAddresses,
                "DELETE FROM lookup WHERE slot = ?1 AND (kind & 15) <> 5 AND id IN (SELECT id FROM inbound WHERE id >= ?2 AND id < ?3)"),
            Statement(
                lookups,
                """
                DELETE FROM lookup WHERE slot = ?1
                AND id IN (SELECT id FROM notification WHERE id >= ?2 AND id < ?3 AND class = ?4)
                """),
            Statement(
                inboundLookups, "DELETE FROM lookup WHERE slot = ?1 AND id IN (SELECT id FROM inbound WHERE id >= ?2 AND id < ?3)"),
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

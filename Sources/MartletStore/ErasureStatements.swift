public import SQL

/// Erasures that are not ended in the history, or may have to be done again.
public enum ErasureStatements {
    /// ?1 subject, ?2 kind (of `SearchKind`), ?3 hash, ?4 whether another customer has it, ?5 wall milliseconds.
    public static let add = StatementID("erasure.add")
    /// ?1 wished not later than, ?2 how many. By subject.
    public static let open = StatementID("erasure.open")
    /// ?1 subject, ?2 wall milliseconds.
    public static let end = StatementID("erasure.end")
    /// All are to be done again.
    public static let again = StatementID("erasure.again")
    /// ?1 wished before. Those that are ended.
    public static let drop = StatementID("erasure.drop")

    static let all = [
        Statement(
            add,
            """
            INSERT INTO erasure (subject, kind, hash, shared, wished_at, done_at) VALUES (?1, ?2, ?3, ?4, ?5, NULL)
            ON CONFLICT (subject, kind, hash) DO UPDATE SET wished_at = excluded.wished_at, done_at = NULL
            """),
        Statement(
            open,
            """
            SELECT subject, kind, hash, shared, wished_at FROM erasure
            WHERE done_at IS NULL AND wished_at <= ?1 ORDER BY subject, kind, hash LIMIT ?2
            """),
        Statement(end, "UPDATE erasure SET done_at = ?2 WHERE subject = ?1 AND done_at IS NULL"),
        Statement(again, "UPDATE erasure SET done_at = NULL WHERE done_at IS NOT NULL"),
        Statement(drop, "DELETE FROM erasure WHERE done_at >= 0 AND wished_at < ?1"),
    ]
}

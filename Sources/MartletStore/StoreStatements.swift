public import SQL

/// Every statement of the store, registered once; a test prepares and runs each on both engines.
public enum StoreStatements {
    public static func all() throws(StatementSet.Fault) -> StatementSet {
        try StatementSet(
            own + administration + PrincipalStatements.all + referenceData + CustomerStatements.all + ConsentStatements.all
                + ContactStatements.all + ImportStatements.all + LocalStatements.all + HistoryStatements.all + RetentionStatements.all
                + StatisticsStatements.all + ErasureStatements.all + PackageStatements.all + SetAsideStatements.all
                + TaggedTables.statements)
    }

    private static let referenceData =
        UnitStatements.all + SourceStatements.all + DefinitionStatements.all + RulebookStatements.all + ImageStatements.all

    /// ?1 name.
    public static let meta = StatementID("meta.read")
    /// ?1 name, ?2 value. Changes nothing where the name has a value.
    public static let metaOnce = StatementID("meta.once")
    /// ?1 follower. Its place in each partition.
    public static let cursors = StatementID("cursor.list")
    /// ?1 follower, ?2 partition, ?3 sequence, ?4 position, ?5 wall milliseconds. Never goes back.
    public static let moveCursor = StatementID("cursor.move")

    /// ?1 follower. Forgets its place.
    public static let dropCursor = StatementID("cursor.drop")
    /// ?1 follower, ?2 partitions from this one on.
    public static let dropPartitions = StatementID("cursor.dropPartitions")

    private static let own = [
        Statement(dropCursor, "DELETE FROM cursor WHERE follower = ?1"),
        Statement(dropPartitions, "DELETE FROM cursor WHERE follower = ?1 AND partition >= ?2"),
        Statement(meta, "SELECT value FROM meta WHERE name = ?1"),
        Statement(metaOnce, "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING"),
        Statement(
            cursors, "SELECT partition, sequence, position, updated_at FROM cursor WHERE follower = ?1 ORDER BY partition"),
        Statement(
            moveCursor,
            """
            INSERT INTO cursor (follower, partition, sequence, position, updated_at) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT (follower, partition) DO UPDATE
            SET sequence = excluded.sequence, position = excluded.position, updated_at = excluded.updated_at
            WHERE excluded.sequence > cursor.sequence
            """),
    ]

    /// Waits until nobody else is writing an entry; held to the end of the transaction.
    public static let lockAudit = StatementID("audit.lock")
    /// ?1 sequence, ?2 wall microseconds, ?3 principal, ?4 act, ?5 object, ?6 outcome, ?7 reason, ?8 commitment, ?9 previous, ?10 hash,
    /// ?11 key id, ?12 sealed.
    public static let addAudit = StatementID("audit.add")
    public static let newestAudit = StatementID("audit.newest")
    /// ?1 sequence below which, ?2 how many. Newest first.
    public static let audit = StatementID("audit.page")
    /// ?1 sequence above which, ?2 how many. Oldest first: for the verifier.
    public static let auditForward = StatementID("audit.forward")

    /// ?1 object. The first entry about it.
    public static let firstAudit = StatementID("audit.first")

    private static let auditColumns =
        "sequence, at, principal, act, object, outcome, reason, commitment, previous, hash, key_id, sealed"

    private static let administration = [
        Statement(lockAudit, "UPDATE audit_lock SET taken = taken + 1 WHERE id = 1"),
        Statement(
            addAudit,
            """
            INSERT INTO audit (\(auditColumns))
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
            """),
        Statement(firstAudit, "SELECT sequence FROM audit WHERE object = ?1 ORDER BY sequence LIMIT 1"),
        Statement(newestAudit, "SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1"),
        Statement(audit, "SELECT \(auditColumns) FROM audit WHERE sequence < ?1 ORDER BY sequence DESC LIMIT ?2"),
        Statement(auditForward, "SELECT \(auditColumns) FROM audit WHERE sequence > ?1 ORDER BY sequence LIMIT ?2"),
    ]
}

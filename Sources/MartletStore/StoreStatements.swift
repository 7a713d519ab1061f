public import SQL

/// Every statement of the store, registered once; a test prepares and runs each on both engines.
public enum StoreStatements {
    public static func all() throws(StatementSet.Fault) -> StatementSet {
        try StatementSet(own + administration + HistoryStatements.all)
    }

    /// ?1 name.
    public static let meta = StatementID("meta.read")
    /// ?1 name, ?2 value. Changes nothing where the name has a value.
    public static let metaOnce = StatementID("meta.once")
    /// ?1 follower. Its place in each partition.
    public static let cursors = StatementID("cursor.list")
    /// ?1 follower, ?2 partition, ?3 sequence, ?4 position, ?5 wall milliseconds. Never goes back.
    public static let moveCursor = StatementID("cursor.move")

    private static let own = [
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

    /// ?1 id, ?2 name, ?3 hash of its key, ?4 rights, ?5 unit, ?6 wall milliseconds.
    public static let addPrincipal = StatementID("principal.add")
    /// ?1 hash of a key.
    public static let principalByKey = StatementID("principal.byKey")
    /// ?1 id, ?2 wall milliseconds. Changes nothing where it is revoked already.
    public static let revokePrincipal = StatementID("principal.revoke")
    public static let principals = StatementID("principal.list")
    /// ?1 sequence, ?2 wall milliseconds, ?3 principal, ?4 act, ?5 subject, ?6 reason, ?7 key id, ?8 sealed, ?9 chain.
    public static let addAudit = StatementID("audit.add")
    public static let newestAudit = StatementID("audit.newest")
    /// ?1 sequence below which, ?2 how many. Newest first.
    public static let audit = StatementID("audit.page")

    private static let administration = [
        Statement(
            addPrincipal,
            "INSERT INTO principal (id, name, key_hash, rights, unit, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"),
        Statement(
            principalByKey,
            "SELECT id, name, rights, unit, created_at FROM principal WHERE key_hash = ?1 AND revoked_at IS NULL"),
        Statement(revokePrincipal, "UPDATE principal SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL"),
        Statement(principals, "SELECT id, name, rights, unit, created_at, revoked_at FROM principal ORDER BY name"),
        Statement(
            addAudit,
            """
            INSERT INTO audit (sequence, at, principal, act, subject, reason, key_id, sealed, chain)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
            """),
        Statement(newestAudit, "SELECT sequence, chain FROM audit ORDER BY sequence DESC LIMIT 1"),
        Statement(
            audit,
            """
            SELECT sequence, at, principal, act, subject, reason, key_id, sealed, chain FROM audit
            WHERE sequence < ?1 ORDER BY sequence DESC LIMIT ?2
            """),
    ]
}

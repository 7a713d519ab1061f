public import SQL

/// Who may administer.
public enum PrincipalStatements {
    /// ?1 id, ?2 version, ?3 name, ?4 hash of its key, ?5 rights, ?6 unit, ?7 wall milliseconds, ?8 mac.
    public static let add = StatementID("principal.add")
    /// ?1 hash of a key.
    public static let byKey = StatementID("principal.byKey")
    /// ?1 name.
    public static let byName = StatementID("principal.byName")
    /// ?1 id, ?2 version as it was read, ?3 hash of its key, ?4 rights, ?5 unit, ?6 revoked at, ?7 mac. Counts the version up.
    public static let change = StatementID("principal.change")
    /// ?1 name after which, ?2 how many. By name.
    public static let page = StatementID("principal.page")
    public static let newestID = StatementID("principal.newestID")

    /// In the order of the mac.
    public static let tagged = ["id", "version", "name", "key_hash", "rights", "unit", "created_at", "revoked_at"]
    private static let columns = (tagged + ["mac"]).joined(separator: ", ")

    static let all = [
        Statement(
            add,
            """
            INSERT INTO principal (id, version, name, key_hash, rights, unit, created_at, mac)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
            """),
        Statement(byKey, "SELECT \(columns) FROM principal WHERE key_hash = ?1"),
        Statement(byName, "SELECT \(columns) FROM principal WHERE name = ?1"),
        Statement(
            change,
            """
            UPDATE principal SET version = version + 1, key_hash = ?3, rights = ?4, unit = ?5, revoked_at = ?6, mac = ?7
            WHERE id = ?1 AND version = ?2
            """),
        Statement(page, "SELECT \(columns) FROM principal WHERE name > ?1 ORDER BY name LIMIT ?2"),
        Statement(newestID, "SELECT max(id) AS id FROM principal"),
    ]
}

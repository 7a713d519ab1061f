public import SQL

/// What people say of sender systems.
public enum SourceStatements {
    /// In the order of the mac.
    public static let columns = [
        "number", "version", "name", "description", "unit", "owner", "pending", "created_at", "changed_at",
    ]

    /// All of `columns`, then mac.
    public static let add = StatementID("source.add")
    /// ?1 number, ?2 version as it was read, ?3 version from now on, ?4 name, ?5 description, ?6 unit, ?7 pending, ?8 changed at, ?9 mac.
    public static let change = StatementID("source.change")
    /// ?1 number.
    public static let one = StatementID("source.one")
    /// ?1 number after which, ?2 how many.
    public static let page = StatementID("source.page")
    /// ?1 how many. Those with something that the node has not been told.
    public static let pending = StatementID("source.pending")

    private static let list = (columns + ["mac"]).joined(separator: ", ")

    static let all = [
        Statement(add, "INSERT INTO source (\(list)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"),
        Statement(
            change,
            """
            UPDATE source SET version = ?3, name = ?4, description = ?5, unit = ?6, pending = ?7, changed_at = ?8, mac = ?9
            WHERE number = ?1 AND version = ?2
            """),
        Statement(one, "SELECT \(list) FROM source WHERE number = ?1"),
        Statement(page, "SELECT \(list) FROM source WHERE number > ?1 ORDER BY number LIMIT ?2"),
        Statement(pending, "SELECT \(list) FROM source WHERE pending IS NOT NULL ORDER BY number LIMIT ?1"),
    ]
}

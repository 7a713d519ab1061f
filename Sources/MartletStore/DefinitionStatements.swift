public import SQL

/// What the bank defined: apps, packages, purposes, segments, tiers, attributes of customers, kinds of contact.
public enum DefinitionStatements {
    /// In the order of the mac.
    public static let columns = [
        "kind", "number", "version", "code", "name", "description", "unit", "owner", "details", "created_at", "changed_at", "retired_at",
    ]

    /// All of `columns`, then mac.
    public static let add = StatementID("definition.add")
    /// ?1 kind, ?2 number, ?3 version as it was read, ?4 version from now on, ?5 code, ?6 name, ?7 description, ?8 unit, ?9 details,
    /// ?10 changed at, ?11 retired at, ?12 mac.
    public static let change = StatementID("definition.change")
    /// ?1 kind, ?2 number.
    public static let one = StatementID("definition.one")
    /// ?1 kind, ?2 code.
    public static let byCode = StatementID("definition.byCode")
    /// ?1 kind, ?2 number after which, ?3 how many.
    public static let page = StatementID("definition.page")
    /// ?1 kind.
    public static let newest = StatementID("definition.newest")

    private static let list = (columns + ["mac"]).joined(separator: ", ")

    static let all = [
        Statement(
            add, "INSERT INTO definition (\(list)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"),
        Statement(
            change,
            """
            UPDATE definition SET version = ?4, code = ?5, name = ?6, description = ?7, unit = ?8, details = ?9, changed_at = ?10,
            retired_at = ?11, mac = ?12
            WHERE kind = ?1 AND number = ?2 AND version = ?3
            """),
        Statement(one, "SELECT \(list) FROM definition WHERE kind = ?1 AND number = ?2"),
        Statement(byCode, "SELECT \(list) FROM definition WHERE kind = ?1 AND code = ?2"),
        Statement(page, "SELECT \(list) FROM definition WHERE kind = ?1 AND number > ?2 ORDER BY number LIMIT ?3"),
        Statement(newest, "SELECT max(number) AS number FROM definition WHERE kind = ?1"),
    ]
}

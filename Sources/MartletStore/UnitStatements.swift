public import SQL

/// Units of the bank.
public enum UnitStatements {
    /// In the order of the mac.
    public static let columns = [
        "number", "version", "code", "name", "description", "parent", "zone", "locale", "owner", "created_at", "changed_at",
    ]

    /// All of `columns`, then mac.
    public static let add = StatementID("unit.add")
    /// ?1 number, ?2 version as it was read, ?3 version from now on, ?4 code, ?5 name, ?6 description, ?7 parent, ?8 zone, ?9 locale,
    /// ?10 changed at, ?11 mac.
    public static let change = StatementID("unit.change")
    /// ?1 number after which, ?2 how many.
    public static let page = StatementID("unit.page")
    /// ?1 number.
    public static let one = StatementID("unit.one")
    public static let newest = StatementID("unit.newest")

    private static let list = (columns + ["mac"]).joined(separator: ", ")

    static let all = [
        Statement(add, "INSERT INTO unit (\(list)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"),
        Statement(
            change,
            """
            UPDATE unit SET version = ?3, code = ?4, name = ?5, description = ?6, parent = ?7, zone = ?8, locale = ?9, changed_at = ?10,
            mac = ?11
            WHERE number = ?1 AND version = ?2
            """),
        Statement(page, "SELECT \(list) FROM unit WHERE number > ?1 ORDER BY number LIMIT ?2"),
        Statement(one, "SELECT \(list) FROM unit WHERE number = ?1"),
        Statement(newest, "SELECT max(number) AS number FROM unit"),
    ]
}

public import SQL

/// What customers connected, changed and disconnected.
public enum PackageStatements {
    /// ?1 subject, ?2 number above which, ?3 how many. In the order it was done.
    public static let page = StatementID("package.page")
    /// ?1 subject, ?2 number below which, ?3 how many. The newest first.
    public static let newest = StatementID("package.newest")
    /// ?1 subject.
    public static let forget = StatementID("package.forget")

    public static let table = "customer_package"
    public static let columns = [
        "subject", "number", "package", "scope_kind", "scope_hash", "act", "at", "source", "way", "terms", "mac",
    ]

    private static let list = columns.joined(separator: ", ")

    static let all = [
        Statement(page, "SELECT \(list) FROM customer_package WHERE subject = ?1 AND number > ?2 ORDER BY number LIMIT ?3"),
        Statement(newest, "SELECT \(list) FROM customer_package WHERE subject = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3"),
        Statement(forget, "DELETE FROM customer_package WHERE subject = ?1"),
    ]
}

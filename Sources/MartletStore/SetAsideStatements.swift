public import SQL

/// Customers whose rows are damaged, and what they said meanwhile.
public enum SetAsideStatements {
    /// ?1...?8 the columns and the tag. Nothing where the customer has this number already.
    public static let add = StatementID("setAside.add")
    /// ?1 subject. The highest number of a customer; no row: nothing is set aside.
    public static let highest = StatementID("setAside.highest")
    /// ?1 subject, ?2 number above which, ?3 how many.
    public static let page = StatementID("setAside.page")
    /// ?1 subject above which, ?2 how many. Each customer once.
    public static let customers = StatementID("setAside.customers")
    public static let count = StatementID("setAside.count")
    /// ?1 subject above which, ?2 up to which.
    public static let among = StatementID("setAside.among")
    /// ?1 subject.
    public static let drop = StatementID("setAside.drop")

    public static let table = "set_aside"
    /// In the order of the tag, without it.
    public static let columns = ["subject", "number", "package", "wanted", "said_at", "message", "noticed_at"]

    static let all = [
        Statement(
            add,
            """
            INSERT INTO set_aside (subject, number, package, wanted, said_at, message, noticed_at, mac)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (subject, number) DO NOTHING
            """),
        Statement(highest, "SELECT number FROM set_aside WHERE subject = ?1 ORDER BY number DESC LIMIT 1"),
        Statement(
            page,
            """
            SELECT \(columns.joined(separator: ", ")), mac FROM set_aside WHERE subject = ?1 AND number > ?2 ORDER BY number LIMIT ?3
            """),
        Statement(customers, "SELECT DISTINCT subject FROM set_aside WHERE subject > ?1 ORDER BY subject LIMIT ?2"),
        Statement(count, "SELECT CAST(count(DISTINCT subject) AS BIGINT) AS count FROM set_aside"),
        Statement(among, "SELECT DISTINCT subject FROM set_aside WHERE subject > ?1 AND subject <= ?2 ORDER BY subject"),
        Statement(drop, "DELETE FROM set_aside WHERE subject = ?1"),
    ]
}

public import SQL

/// Customers, how to find them, and what was learnt of addresses.
public enum CustomerStatements {
    /// ?1 how many numbers are taken. Waits until nobody else is writing customers; held to the end of the transaction. Answers the newest.
    public static let takeChange = StatementID("customer.takeChange")
    public static let newestChange = StatementID("customer.newestChange")
    /// The highest number there is.
    public static let highest = StatementID("customer.highest")
    /// ?1 subject.
    public static let bySubject = StatementID("customer.bySubject")
    /// ?1 hash of a reference.
    public static let byReference = StatementID("customer.byReference")
    /// ?1 to ?`references` hashes; the last one repeated where there are fewer.
    public static let byReferences = StatementID("customer.byReferences")
    /// ?1 kind, ?2 hash, ?3 subject above which, ?4 how many.
    public static let byAddress = StatementID("customer.byAddress")
    /// ?1 subject, ?2 version as it was read, then the columns behind `subject` in order, without `created_at`.
    public static let change = StatementID("customer.change")
    /// ?1... all columns in order. Of a customer whose row is damaged, whatever its version.
    public static let replace = StatementID("customer.replace")
    /// ?1 kind, ?2 hash, ?3 subject, ?4 number.
    public static let addAddress = StatementID("customer.addAddress")
    public static let dropAddress = StatementID("customer.dropAddress")
    /// ?1 subject above which, ?2 how many. Without those that were erased.
    public static let images = StatementID("customer.images")
    /// ?1 number above which, ?2 how many, erased ones too.
    public static let changes = StatementID("customer.changes")
    /// ?1 number of the change, ?2 subject. A change that does not wait for the node's next base file.
    public static let addUrgent = StatementID("customerUrgent.add")
    /// ?1 number above which, ?2 how many.
    public static let urgent = StatementID("customerUrgent.list")
    /// ?1 number up to which, ?2 how many at most. The oldest.
    public static let dropUrgent = StatementID("customerUrgent.drop")

    /// ?1 kind, ?2 to ?`factHashes` + 1 hashes; the last one repeated where there are fewer.
    public static let facts = StatementID("addressFact.list")
    /// ?1 kind, ?2 hash, ?3 life, ?4 since, ?5 wish, ?6 since, ?7 mac.
    public static let putFact = StatementID("addressFact.put")

    /// Hashes that one call of `byReferences` takes.
    public static let references = 128
    /// Hashes that one call of `facts` takes.
    public static let factHashes = 128

    public static let table = "customer"
    public static let columns = [
        "subject", "version", "unit", "reference", "addresses", "clear", "sealed", "created_at", "changed_at", "erased_at", "change", "mac",
    ]
    /// Of `address_fact`, in the order of the mac.
    public static let factColumns = ["kind", "hash", "life", "life_at", "wish", "wish_at"]
    public static let addressTable = "customer_address"
    public static let addressColumns = ["kind", "hash", "subject", "number"]

    private static let list = columns.joined(separator: ", ")

    private static func parameters(_ range: ClosedRange<Int>) -> String { range.map { "?\($0)" }.joined(separator: ", ") }

    static let all = [
        Statement(takeChange, "UPDATE customer_change SET number = number + ?1 WHERE id = 1 RETURNING number"),
        Statement(newestChange, "SELECT number FROM customer_change WHERE id = 1"),
        Statement(highest, "SELECT subject FROM customer ORDER BY subject DESC LIMIT 1"),
        Statement(bySubject, "SELECT \(list) FROM customer WHERE subject = ?1"),
        Statement(byReference, "SELECT \(list) FROM customer WHERE reference = ?1"),
        Statement(
            byReferences, "SELECT \(list) FROM customer WHERE reference IN (\(parameters(1...references))) ORDER BY subject"),
        Statement(
            byAddress,
            """
            SELECT subject, number FROM customer_address WHERE kind = ?1 AND hash = ?2 AND subject > ?3 ORDER BY subject, number LIMIT ?4
            """),
        Statement(
            change,
            """
            UPDATE customer SET version = ?3, unit = ?4, reference = ?5, addresses = ?6, clear = ?7, sealed = ?8, changed_at = ?9,
            erased_at = ?10, change = ?11, mac = ?12 WHERE subject = ?1 AND version = ?2
            """),
        Statement(
            replace,
            """
            UPDATE customer SET version = ?2, unit = ?3, reference = ?4, addresses = ?5, clear = ?6, sealed = ?7, created_at = ?8,
            changed_at = ?9, erased_at = ?10, change = ?11, mac = ?12 WHERE subject = ?1
            """),
        Statement(
            addAddress,
            "INSERT INTO customer_address (kind, hash, subject, number) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING"),
        Statement(dropAddress, "DELETE FROM customer_address WHERE kind = ?1 AND hash = ?2 AND subject = ?3 AND number = ?4"),
        Statement(images, "SELECT \(list) FROM customer WHERE subject > ?1 AND erased_at IS NULL ORDER BY subject LIMIT ?2"),
        Statement(changes, "SELECT \(list) FROM customer WHERE change > ?1 ORDER BY change LIMIT ?2"),
        Statement(addUrgent, "INSERT INTO customer_urgent (change, subject) VALUES (?1, ?2)"),
        Statement(urgent, "SELECT change, subject FROM customer_urgent WHERE change > ?1 ORDER BY change LIMIT ?2"),
        Statement(
            dropUrgent,
            """
            DELETE FROM customer_urgent
            WHERE change IN (SELECT change FROM customer_urgent WHERE change <= ?1 ORDER BY change LIMIT ?2)
            """),
        Statement(
            facts,
            """
            SELECT kind, hash, life, life_at, wish, wish_at, mac FROM address_fact
            WHERE kind = ?1 AND hash IN (\(parameters(2...factHashes + 1))) ORDER BY hash
            """),
        Statement(
            putFact,
            """
            INSERT INTO address_fact (kind, hash, life, life_at, wish, wish_at, mac) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            ON CONFLICT (kind, hash) DO UPDATE SET life = excluded.life, life_at = excluded.life_at, wish = excluded.wish,
            wish_at = excluded.wish_at, mac = excluded.mac
            """),
    ]
}

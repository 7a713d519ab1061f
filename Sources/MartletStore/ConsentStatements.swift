public import SQL

/// Consents as evidence, and contacts made elsewhere.
public enum ConsentStatements {
    /// ?1 subject, ?2 number above which, ?3 how many. In the order they were entered.
    public static let page = StatementID("consent.page")
    /// ?1 subject, ?2 number, ?3 mac. Takes the sealed proof out.
    public static let forget = StatementID("consent.forget")

    public static let table = "consent"
    public static let columns = [
        "subject", "number", "purpose", "channel", "state", "at", "entered_at", "way", "source", "text_version", "sealed", "mac",
    ]

    static let all = [
        Statement(
            page,
            """
            SELECT \(columns.joined(separator: ", ")) FROM consent WHERE subject = ?1 AND number > ?2 ORDER BY number LIMIT ?3
            """),
        Statement(forget, "UPDATE consent SET sealed = NULL, mac = ?3 WHERE subject = ?1 AND number = ?2"),
    ]
}

/// Contacts made elsewhere.
public enum ContactStatements {
    /// ?1 subject, ?2 time, ?3 number: those before; ?4 how many. Newest first.
    public static let page = StatementID("contact.page")
    /// ?1 subject, ?2 time. All that were made then.
    public static let moment = StatementID("contact.moment")
    /// ?1 subject.
    public static let forget = StatementID("contact.forget")

    public static let table = "contact"
    public static let columns = ["subject", "at", "number", "kind", "unit", "entered_at", "source", "sealed", "mac"]

    static let all = [
        Statement(
            page,
            """
            SELECT \(columns.joined(separator: ", ")) FROM contact
            WHERE subject = ?1 AND (at < ?2 OR (at = ?2 AND number < ?3)) ORDER BY at DESC, number DESC LIMIT ?4
            """),
        Statement(
            moment, "SELECT \(columns.joined(separator: ", ")) FROM contact WHERE subject = ?1 AND at = ?2 ORDER BY number"),
        Statement(forget, "DELETE FROM contact WHERE subject = ?1"),
    ]
}

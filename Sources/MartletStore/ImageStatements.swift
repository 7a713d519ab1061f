public import SQL

/// Pictures that texts show.
public enum ImageStatements {
    /// In the order of the mac; the content is in it by its hash.
    public static let columns = [
        "number", "name", "title", "unit", "kind", "width", "height", "size", "hash", "owner", "created_at", "deleted_at",
    ]

    /// All of `columns`, then mac, then content.
    public static let add = StatementID("image.add")
    public static let newest = StatementID("image.newest")
    /// ?1 number.
    public static let one = StatementID("image.one")
    /// ?1 name. With its content.
    public static let named = StatementID("image.named")
    /// ?1 number after which, ?2 how many. Those that are not deleted.
    public static let kept = StatementID("image.kept")
    /// ?1 number, ?2 deleted at, ?3 mac, ?4 what is left of its content. Changes nothing where it is deleted.
    public static let delete = StatementID("image.delete")

    private static let list = (columns + ["mac"]).joined(separator: ", ")

    static let all = [
        Statement(
            add, "INSERT INTO image (\(list), content) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"),
        Statement(newest, "SELECT max(number) AS number FROM image"),
        Statement(one, "SELECT \(list) FROM image WHERE number = ?1"),
        Statement(named, "SELECT \(list), content FROM image WHERE name = ?1"),
        Statement(kept, "SELECT \(list) FROM image WHERE deleted_at IS NULL AND number > ?1 ORDER BY number LIMIT ?2"),
        Statement(delete, "UPDATE image SET deleted_at = ?2, mac = ?3, content = ?4 WHERE number = ?1 AND deleted_at IS NULL"),
    ]
}

public import SQL

/// How far imports of files have come.
public enum ImportStatements {
    /// ?1 id, ?2 source, ?3 wall milliseconds. Changes nothing where it is there.
    public static let begin = StatementID("import.begin")
    /// ?1 id.
    public static let find = StatementID("import.find")
    /// ?1 id, ?2 line as it was read, ?3 state, ?4 position, ?5 line, ?6 errors_at, ?7 added, ?8 changed, ?9 same, ?10 refused,
    /// ?11 wall milliseconds. Changes nothing where another has moved it.
    public static let move = StatementID("import.move")
    /// ?1 begun before (wall milliseconds), ?2 how many. Newest first.
    public static let page = StatementID("import.page")

    private static let columns = "id, state, source, position, line, errors_at, added, changed, same, refused, started_at, changed_at"

    static let all = [
        Statement(
            begin,
            """
            INSERT INTO import (\(columns)) VALUES (?1, 1, ?2, 0, 0, 0, 0, 0, 0, 0, ?3, ?3) ON CONFLICT (id) DO NOTHING
            """),
        Statement(find, "SELECT \(columns) FROM import WHERE id = ?1"),
        Statement(
            move,
            """
            UPDATE import SET state = ?3, position = ?4, line = ?5, errors_at = ?6, added = ?7, changed = ?8, same = ?9, refused = ?10,
            changed_at = ?11 WHERE id = ?1 AND line = ?2
            """),
        Statement(page, "SELECT \(columns) FROM import WHERE started_at < ?1 ORDER BY started_at DESC, id LIMIT ?2"),
    ]
}

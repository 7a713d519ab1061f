public import SQL

/// How far imports of files have come, and the files that the desk imports.
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
    /// ?1 not moved since (wall milliseconds). Leaves those that a job goes by.
    public static let forget = StatementID("import.forget")

    /// In the order of the mac.
    public static let jobColumns = [
        "id", "version", "kind", "state", "place", "options", "size", "source", "reason", "fault", "created_at", "changed_at",
    ]
    /// All of `jobColumns`, then mac.
    public static let addJob = StatementID("importJob.add")
    /// ?1 id, ?2 version as it was read, ?3 version from now on, ?4 state, ?5 options, ?6 fault, ?7 changed at, ?8 mac.
    public static let changeJob = StatementID("importJob.change")
    /// ?1 id.
    public static let job = StatementID("importJob.one")
    /// ?1 id before which, ?2 how many. Newest first.
    public static let jobs = StatementID("importJob.page")
    /// ?1 state, ?2 id behind which, ?3 how many. Oldest first.
    public static let jobsInState = StatementID("importJob.state")
    /// ?1 place. Newest first.
    public static let jobsOfPlace = StatementID("importJob.place")
    /// ?1 state, ?2 not changed since (wall milliseconds), ?3 how many.
    public static let oldJobs = StatementID("importJob.old")
    /// ?1 id.
    public static let forgetJob = StatementID("importJob.forget")

    private static let columns = "id, state, source, position, line, errors_at, added, changed, same, refused, started_at, changed_at"
    private static let list = (jobColumns + ["mac"]).joined(separator: ", ")

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
        Statement(
            forget,
            """
            DELETE FROM import WHERE changed_at < ?1 AND NOT EXISTS (SELECT 1 FROM import_job WHERE import_job.place = import.id)
            """),
        Statement(addJob, "INSERT INTO import_job (\(list)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"),
        Statement(
            changeJob,
            """
            UPDATE import_job SET version = ?3, state = ?4, options = ?5, fault = ?6, changed_at = ?7, mac = ?8
            WHERE id = ?1 AND version = ?2
            """),
        Statement(job, "SELECT \(list) FROM import_job WHERE id = ?1"),
        Statement(jobs, "SELECT \(list) FROM import_job WHERE id < ?1 ORDER BY id DESC LIMIT ?2"),
        Statement(jobsInState, "SELECT \(list) FROM import_job WHERE state = ?1 AND id > ?2 ORDER BY id LIMIT ?3"),
        Statement(jobsOfPlace, "SELECT \(list) FROM import_job WHERE place = ?1 ORDER BY id DESC LIMIT 10"),
        Statement(oldJobs, "SELECT \(list) FROM import_job WHERE state = ?1 AND changed_at < ?2 ORDER BY id LIMIT ?3"),
        Statement(forgetJob, "DELETE FROM import_job WHERE id = ?1"),
    ]
}

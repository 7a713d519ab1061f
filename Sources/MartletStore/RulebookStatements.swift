public import SQL

/// The rulebook: objects, their versions, and the releases made of them.
public enum RulebookStatements {
    /// In the order of the mac.
    public static let objectColumns = [
        "number", "version", "kind", "key", "name", "description", "unit", "owner", "newest", "created_at", "changed_at",
    ]
    /// Behind those, in the mac of rows that have it.
    public static let retiredAt = "retired_at"
    /// In the order of the mac; the content is in it by its hash.
    public static let versionColumns = ["object", "number", "author", "at", "note", "hash"]
    /// In the order of the mac.
    public static let releaseColumns = ["number", "at", "author", "note", "restores", "hash"]
    /// In the order of the mac.
    public static let numberColumns = ["kind", "number", "key"]

    /// All of `objectColumns`, then mac.
    public static let addObject = StatementID("rulebook.addObject")
    /// ?1 number, ?2 version as it was read, ?3 version from now on, ?4 name, ?5 description, ?6 unit, ?7 newest, ?8 changed at,
    /// ?9 retired at, ?10 mac.
    public static let changeObject = StatementID("rulebook.changeObject")
    /// ?1 number after which, ?2 how many.
    public static let objects = StatementID("rulebook.objects")
    /// ?1 kind, ?2 key.
    public static let object = StatementID("rulebook.object")
    public static let newestObject = StatementID("rulebook.newestObject")

    /// All of `versionColumns`, then mac, then content.
    public static let addVersion = StatementID("rulebook.addVersion")
    /// ?1 object, ?2 number.
    public static let version = StatementID("rulebook.version")
    /// ?1 object, ?2 number below which, ?3 how many. Newest first, without content.
    public static let versions = StatementID("rulebook.versions")
    /// ?1 object, ?2 release. The version of the object in that release.
    public static let released = StatementID("rulebook.released")
    /// ?1 object, ?2 version. The first release that has it.
    public static let firstRelease = StatementID("rulebook.firstRelease")

    /// All of `releaseColumns`, then mac.
    public static let addRelease = StatementID("rulebook.addRelease")
    /// ?1 release, ?2 object, ?3 version.
    public static let addEntry = StatementID("rulebook.addEntry")
    public static let newestRelease = StatementID("rulebook.newestRelease")
    /// ?1 number.
    public static let release = StatementID("rulebook.release")
    /// ?1 number below which, ?2 how many. Newest first.
    public static let releases = StatementID("rulebook.releases")
    /// ?1 release. What it is made of, by kind and key, with content.
    public static let entries = StatementID("rulebook.entries")

    /// All of `numberColumns`, then mac.
    public static let addNumber = StatementID("rulebook.addNumber")
    /// ?1 kind, ?2 key.
    public static let numberOf = StatementID("rulebook.numberOf")
    /// ?1 kind, ?2 number.
    public static let byNumber = StatementID("rulebook.byNumber")
    /// ?1 kind. The highest that was ever given.
    public static let highestNumber = StatementID("rulebook.highestNumber")
    /// ?1 kind. Objects of it that were given none.
    public static let unnumbered = StatementID("rulebook.unnumbered")

    /// In the order of the mac.
    public static let approvalColumns = ["object", "version", "submitted_by", "submitted_at", "approved_by", "approved_at"]
    /// All of `approvalColumns`, then mac.
    public static let addApproval = StatementID("rulebook.addApproval")
    /// ?1 object, ?2 version.
    public static let approval = StatementID("rulebook.approval")
    /// ?1 object, ?2 version, ?3 approved by, ?4 approved at, ?5 mac. Changes nothing where somebody has approved it.
    public static let approve = StatementID("rulebook.approve")

    private static let approvalList = (approvalColumns + ["mac"]).joined(separator: ", ")
    private static let numberList = (numberColumns + ["mac"]).joined(separator: ", ")
    private static let addedObject = (objectColumns + ["mac"]).joined(separator: ", ")
    private static let objectList = (objectColumns + [retiredAt, "mac"]).joined(separator: ", ")
    private static let versionList = (versionColumns + ["mac"]).joined(separator: ", ")
    private static let releaseList = (releaseColumns + ["mac"]).joined(separator: ", ")

    static let all = [
        Statement(
            addObject, "INSERT INTO rulebook_object (\(addedObject)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"),
        Statement(
            changeObject,
            """
            UPDATE rulebook_object SET version = ?3, name = ?4, description = ?5, unit = ?6, newest = ?7, changed_at = ?8,
            retired_at = ?9, mac = ?10
            WHERE number = ?1 AND version = ?2
            """),
        Statement(objects, "SELECT \(objectList) FROM rulebook_object WHERE number > ?1 ORDER BY number LIMIT ?2"),
        Statement(object, "SELECT \(objectList) FROM rulebook_object WHERE kind = ?1 AND key = ?2"),
        Statement(newestObject, "SELECT max(number) AS number FROM rulebook_object"),
        Statement(addVersion, "INSERT INTO rulebook_version (\(versionList), content) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"),
        Statement(version, "SELECT \(versionList), content FROM rulebook_version WHERE object = ?1 AND number = ?2"),
        Statement(
            versions, "SELECT \(versionList) FROM rulebook_version WHERE object = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3"),
        Statement(released, "SELECT version FROM rulebook_entry WHERE object = ?1 AND release = ?2"),
        Statement(firstRelease, "SELECT min(release) AS release FROM rulebook_entry WHERE object = ?1 AND version = ?2"),
        Statement(addRelease, "INSERT INTO rulebook_release (\(releaseList)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"),
        Statement(addEntry, "INSERT INTO rulebook_entry (release, object, version) VALUES (?1, ?2, ?3)"),
        Statement(newestRelease, "SELECT \(releaseList) FROM rulebook_release ORDER BY number DESC LIMIT 1"),
        Statement(release, "SELECT \(releaseList) FROM rulebook_release WHERE number = ?1"),
        Statement(releases, "SELECT \(releaseList) FROM rulebook_release WHERE number < ?1 ORDER BY number DESC LIMIT ?2"),
        Statement(
            entries,
            """
            SELECT e.object, e.version, o.kind, o.key, v.content
            FROM rulebook_entry e JOIN rulebook_object o ON o.number = e.object
            JOIN rulebook_version v ON v.object = e.object AND v.number = e.version
            WHERE e.release = ?1 ORDER BY o.kind, o.key
            """),
        Statement(addApproval, "INSERT INTO rulebook_approval (\(approvalList)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"),
        Statement(approval, "SELECT \(approvalList) FROM rulebook_approval WHERE object = ?1 AND version = ?2"),
        Statement(
            approve,
            """
            UPDATE rulebook_approval SET approved_by = ?3, approved_at = ?4, mac = ?5
            WHERE object = ?1 AND version = ?2 AND approved_by IS NULL
            """),
        Statement(addNumber, "INSERT INTO rulebook_number (\(numberList)) VALUES (?1, ?2, ?3, ?4)"),
        Statement(numberOf, "SELECT \(numberList) FROM rulebook_number WHERE kind = ?1 AND key = ?2"),
        Statement(byNumber, "SELECT \(numberList) FROM rulebook_number WHERE kind = ?1 AND number = ?2"),
        Statement(highestNumber, "SELECT max(number) AS number FROM rulebook_number WHERE kind = ?1"),
        Statement(
            unnumbered,
            """
            SELECT \(objectList) FROM rulebook_object o
            WHERE o.kind = ?1 AND NOT EXISTS (SELECT 1 FROM rulebook_number n WHERE n.kind = o.kind AND n.key = o.key) ORDER BY o.key
            """),
    ]
}

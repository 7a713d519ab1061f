import Guard
import MartletStore
import SQL

/// Tags the rows of objects. When one was retired stands in the tag of those alone that are: rows from before there was such a thing keep theirs, and
/// whoever takes it out of a row by hand, or puts it in, is found.
struct RulebookObjectSeal: Sendable {
    private let used: RowSeal
    private let retired: RowSeal

    init(_ key: Secret) {
        func seal(_ columns: [String]) -> RowSeal { RowSeal(key, table: "rulebook_object", noun: "rulebook object", columns: columns) }
        used = seal(RulebookStatements.objectColumns)
        retired = seal(RulebookStatements.objectColumns + [RulebookStatements.retiredAt])
    }

    func tag(_ entry: RulebookEntry) -> SQLValue {
        entry.retiredAt.map { retired.tag(entry.values + [.integer($0)]) } ?? used.tag(entry.values)
    }

    /// - Throws: `.tampered`.
    func check(_ row: SQLRow, _ key: String) throws {
        try (row.optionalInteger(RulebookStatements.retiredAt) == nil ? used : retired).check(row, key)
    }
}

import MartletStore
import SQL

/// How far an import is.
public struct ImportProgress: Codable, Equatable, Sendable {
    public var id: String
    public var isDone = false
    /// Byte of the file that is read next, and bytes of the file.
    public var position = 0
    public var size = 0
    /// Lines read, the heading included.
    public var lines = 0
    public var added = 0
    public var changed = 0
    /// Lines that said nothing new.
    public var same = 0
    public var refused = 0
    var errorsAt = 0

    var counts: String { "\(added) added, \(changed) changed, \(refused) refused" }
}

extension ImportProgress {
    init(_ row: SQLRow) throws(SQLFault) {
        id = try row.text("id")
        isDone = try row.integer("state") == 2
        position = try row.integer("position", as: Int.self)
        lines = try row.integer("line", as: Int.self)
        added = try row.integer("added", as: Int.self)
        changed = try row.integer("changed", as: Int.self)
        same = try row.integer("same", as: Int.self)
        refused = try row.integer("refused", as: Int.self)
        errorsAt = try row.integer("errors_at", as: Int.self)
    }

    /// The row of this import, if there is one.
    static func find(_ id: String, _ session: SQLSession) throws -> ImportProgress? {
        try session.row(ImportStatements.find, [.text(id)]).map { try ImportProgress($0) }
    }

    /// The row, made where there is none.
    static func begin(_ id: String, source: String, at now: Int64, _ session: SQLSession) throws -> ImportProgress {
        try session.run(ImportStatements.begin, [.text(id), .text(source), .integer(now)])
        guard let found = try find(id, session) else { throw ImportFault.runsElsewhere }
        return found
    }

    /// Writes it, in the transaction of the lines that it counts.
    /// - Parameter lines: as they stood when it was read.
    /// - Throws: `.runsElsewhere`: somebody moved it meanwhile.
    func move(from lines: Int, at now: Int64, _ session: SQLSession) throws {
        let values: [SQLValue] = [
            .text(id), .number(lines), .number(isDone ? 2 : 1), .number(position), .number(self.lines), .number(errorsAt), .number(added),
            .number(changed), .number(same), .number(refused), .integer(now),
        ]
        guard try session.run(ImportStatements.move, values) == 1 else { throw ImportFault.runsElsewhere }
    }
}

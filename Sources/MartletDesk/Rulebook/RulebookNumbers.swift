import Guard
import MartletModel
import MartletStore
import SQL

/// Where the number of a new object comes from.
public enum RulebookNumbering: Sendable {
    /// The desk gives it; content that brings one is refused.
    case given
    /// Content may bring the one that it had elsewhere: a folder of files that another installation wrote, or the starter library.
    case kept
}

/// Numbers by which records and customers name events and event types: given by the desk, never changed, never given again. Numbers of packages and
/// purposes are those of their definitions.
struct RulebookNumbers: Sendable {
    static let highest: Int64 = 65_535

    private let seal: RowSeal

    init(_ key: Secret) {
        seal = RowSeal(key, table: "rulebook_number", noun: "rulebook number", columns: RulebookStatements.numberColumns)
    }

    /// The content as it is written, with its object's number in it.
    /// - Parameter written: key and content of an object that was written before numbers were kept, from its row.
    /// - Throws: `.invalid`: it has another number.
    func numbered(
        _ wished: JSONValue, _ kind: RulebookKind, _ key: String, _ numbering: RulebookNumbering, _ session: SQLSession,
        written: (SQLRow) throws -> (key: String, content: JSONValue?)
    ) throws -> JSONValue {
        guard Rulebooks.numbered.contains(kind) else { return wished }
        guard case .object(var fields) = wished else {
            throw DeskFault.invalid([FieldFault("content", "type", "it is \(wished.kind), not an object")])
        }
        let brought: JSONValue? = if case .null? = fields["number"] { nil } else { fields["number"] }
        try adopt(kind, session, written)
        let number: Int64
        if let known = try self.number(kind, key, session) {
            guard brought == nil || brought == .integer(known) else {
                throw RulebookNumbers.fault("it is \(known) and stays; leave it out, or write it as it is")
            }
            number = known
        } else {
            number = try make(brought, kind, key, numbering, session)
        }
        fields["number"] = .integer(number)
        return .object(fields)
    }

    private func make(
        _ brought: JSONValue?, _ kind: RulebookKind, _ key: String, _ numbering: RulebookNumbering, _ session: SQLSession
    ) throws -> Int64 {
        switch (numbering, brought) {
        case (.given, _?): throw RulebookNumbers.fault("it is given by Martlet; leave it out")
        case (.kept, .integer(let number)?):
            guard (1...RulebookNumbers.highest).contains(number) else { throw RulebookNumbers.fault("it is not within 1 to 65535") }
            if let owner = try owner(kind, number, session) {
                throw RulebookNumbers.fault("\(kind.rawValue)/\(owner) was given it; leave it out")
            }
            try add(kind, number, key, session)
            return number
        case (.kept, _?): throw RulebookNumbers.fault("it is no whole number")
        case (_, nil):
            let number = (try session.row(RulebookStatements.highestNumber, [.text(kind.rawValue)])?.optionalInteger("number") ?? 0) + 1
            guard number <= RulebookNumbers.highest else {
                throw DeskFault.conflict(field: "content.number", reason: "\(RulebookNumbers.highest) is the highest, and was given")
            }
            try add(kind, number, key, session)
            return number
        }
    }

    private static func fault(_ reason: String) -> DeskFault { .invalid([FieldFault("content.number", "immutable", reason)]) }

    /// Objects that were written with a number before the desk gave them keep it, in the order of their keys, where no other has it.
    private func adopt(
        _ kind: RulebookKind, _ session: SQLSession, _ written: (SQLRow) throws -> (key: String, content: JSONValue?)
    ) throws {
        for row in try session.rows(RulebookStatements.unnumbered, [.text(kind.rawValue)], maximum: Int(Rulebooks.most)) {
            let (key, content) = try written(row)
            guard case .integer(let number)? = content?["number"], (1...RulebookNumbers.highest).contains(number),
                try owner(kind, number, session) == nil
            else { continue }
            try add(kind, number, key, session)
        }
    }

    func number(_ kind: RulebookKind, _ key: String, _ session: SQLSession) throws -> Int64? {
        guard let row = try session.row(RulebookStatements.numberOf, [.text(kind.rawValue), .text(key)]) else { return nil }
        try seal.check(row, "\(kind.rawValue)/\(key)")
        return try row.integer("number")
    }

    /// For people: the key of the object that has it. Nil: none has, or the row that says so is not as Martlet wrote it.
    func name(_ kind: RulebookKind, _ number: Int64, _ session: SQLSession) throws -> String? {
        do { return try owner(kind, number, session) } catch DeskFault.tampered { return nil }
    }

    /// Key of the object that has it.
    private func owner(_ kind: RulebookKind, _ number: Int64, _ session: SQLSession) throws -> String? {
        guard let row = try session.row(RulebookStatements.byNumber, [.text(kind.rawValue), .integer(number)]) else { return nil }
        try seal.check(row, "\(kind.rawValue) \(number)")
        return try row.text("key")
    }

    private func add(_ kind: RulebookKind, _ number: Int64, _ key: String, _ session: SQLSession) throws {
        let values: [SQLValue] = [.text(kind.rawValue), .integer(number), .text(key)]
        try session.run(RulebookStatements.addNumber, values + [seal.tag(values)])
    }
}

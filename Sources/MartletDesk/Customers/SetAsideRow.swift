import Guard
import MartletModel
import MartletStore
import SQL

/// What waits for a customer whose row is damaged: the row itself, or a word that the customer said meanwhile.
struct SetAsideRow: Sendable, Equatable {
    var subject: SubjectNumber
    /// 0: the row itself; rises for each customer.
    var number: Int64
    /// Nil for the row itself.
    var said: PackageSaid?
    /// Wall milliseconds.
    var noticedAt: Int64

    init(subject: SubjectNumber, number: Int64, said: PackageSaid? = nil, noticedAt: Int64) {
        self.subject = subject
        self.number = number
        self.said = said
        self.noticedAt = noticedAt
    }

    func values(_ tags: CustomerTags) -> [SQLValue] {
        var values: [SQLValue] = [
            .number(subject), .integer(number), .number(said?.word.package), .number(said.map { $0.word.isWanted ? 1 : 0 }),
            .number(said?.word.at), .bytes(said?.message.bytes), .integer(noticedAt),
        ]
        values.append(.bytes(tags.setAside.bytes(values)))
        return values
    }

    /// - Throws: `.tampered` when the row is not as it was written.
    init(_ row: SQLRow, _ tags: CustomerTags) throws {
        subject = try row.integer("subject", as: SubjectNumber.self)
        number = try row.integer("number")
        let key = "\(subject)/\(number)"
        _ = try tags.setAside.checked(row, noun: "what is set aside of customer", key: key)
        noticedAt = try row.integer("noticed_at")
        guard number > 0 else { return }
        guard let message = MessageID(bytes: try row.bytes("message")) else {
            throw DeskFault.broken("what is set aside of customer \(key): its message")
        }
        let word = PackageWord(
            try row.integer("package", as: UInt16.self), isWanted: try row.integer("wanted") == 1, at: try row.integer("said_at"))
        said = PackageSaid(subject: subject, word: word, message: message)
    }

    /// All of one customer, in their order.
    static func all(of subject: SubjectNumber, _ tags: CustomerTags, _ session: SQLSession) throws -> [SetAsideRow] {
        var found: [SetAsideRow] = []
        while true {
            let rows = try session.rows(
                SetAsideStatements.page, [.number(subject), .integer(found.last?.number ?? -1), .number(500)])
            for row in rows { found.append(try SetAsideRow(row, tags)) }
            if rows.count < 500 { return found }
        }
    }
}

import Guard
public import MartletModel
import MartletStore
import SQL

/// What the bank had to do with a customer elsewhere.
public struct ContactElsewhere: Codable, Equatable, Sendable {
    /// Nil: not entered yet.
    public var number: Int64?
    public var at: APIMoment
    /// A word of the bank's: `ContactKind`.
    public var kind: String
    public var unit: UInt16
    /// Who entered it; nil: not entered yet.
    public var source: String?
    /// What it was about. Sealed; nil: not shown here.
    public var summary: String?

    /// - Parameter at: wall milliseconds.
    public init(at: Int64, kind: String, unit: UInt16, summary: String?) {
        self.at = APIMoment(milliseconds: at)
        self.kind = kind
        self.unit = unit
        self.summary = summary
    }
}

/// A contact's row.
struct ContactRow: Equatable, Sendable {
    var subject: SubjectNumber
    var at: Int64
    var number: Int64
    /// As `ContactKind` numbers it.
    var kind: UInt8
    var unit: UInt16
    var enteredAt: Int64
    var source: String
    var sealed: [UInt8]

    func values(_ tags: CustomerTags) -> [SQLValue] {
        var values: [SQLValue] = [
            .number(subject), .integer(at), .integer(number), .number(kind), .number(unit), .integer(enteredAt), .text(source),
            .bytes(sealed),
        ]
        values.append(.bytes(tags.contact.bytes(values)))
        return values
    }
}

extension ContactRow {
    init(_ row: SQLRow, _ tags: CustomerTags) throws {
        let subject = try row.integer("subject", as: SubjectNumber.self)
        let number = try row.integer("number")
        _ = try tags.contact.checked(row, noun: "contact", key: "\(subject)/\(number)")
        self.init(
            subject: subject, at: try row.integer("at"), number: number, kind: try row.integer("kind", as: UInt8.self),
            unit: try row.integer("unit", as: UInt16.self), enteredAt: try row.integer("entered_at"), source: try row.text("source"),
            sealed: try row.bytes("sealed"))
    }

    /// - Parameter reveals: with the summary.
    func shown(_ words: ContactWords, reveals: Bool) -> ContactElsewhere {
        var contact = ContactElsewhere(at: at, kind: words.kind.word, unit: unit, summary: reveals ? words.summary : nil)
        contact.number = number
        contact.source = source
        return contact
    }
}

extension Customers {
    /// Longest summary in bytes.
    static let summaryBytes = 8192

    /// Enters a contact made elsewhere.
    public func enter(
        _ contact: ContactElsewhere, of subject: SubjectNumber, by caller: Caller
    ) async throws(DeskFault) -> ContactElsewhere {
        var faults: [FieldFault] = []
        let kind = ContactKind(word: contact.kind)
        if kind == nil { faults.append(FieldFault("kind", "malformed", ContactKind.form)) }
        let summary = contact.summary?.trimmed ?? ""
        if !(1...Customers.summaryBytes).contains(summary.utf8.count) {
            faults.append(FieldFault("summary", "length", "1 to \(Customers.summaryBytes) bytes"))
        }
        if contact.at.milliseconds < 0 || contact.at.milliseconds > desk.nowMilliseconds + 300_000 {
            faults.append(FieldFault("at", "range", "when it was: not before 1970, and not in the future"))
        }
        guard faults.isEmpty, let kind else { throw .invalid(faults) }
        let enteredAt = desk.nowMilliseconds
        let words = ContactWords(kind: kind, summary: summary)
        return try await desk.act(.writeCustomers, by: caller) { session in
            let number = try takeChange(session)
            _ = try seen(subject, caller, session)
            var sealer = Sealer()
            let row = ContactRow(
                subject: subject, at: contact.at.milliseconds, number: number, kind: kind.number, unit: contact.unit, enteredAt: enteredAt,
                source: caller.name,
                sealed: try sealer.seal(words.bytes, context: .contact(number, of: subject), key: try vault.key(subject)))
            var batch = SQLBatch(table: ContactStatements.table, columns: ContactStatements.columns)
            batch.append(row.values(vault.tags))
            try session.bulk(batch)
            return (row.shown(words, reveals: false), AuditTrail.Line(act: .contactEntered, object: Customers.object(subject)))
        }
    }

    /// What was entered, newest first, without the summaries, which are personal. Messages of the timeline come from the history.
    public func contacts(
        _ subject: SubjectNumber, _ wish: PageWish, by caller: Caller
    ) async throws(DeskFault) -> Page<ContactElsewhere> {
        let before = try Customers.place(wish.after)
        return try await desk.read(.readCustomers, by: caller) { session in
            _ = try seen(subject, caller, session)
            return Page(
                try contacts(subject, before: before, limit: wish.limit + 1, session).map { $0.shown(try words(of: $0), reveals: false) },
                limit: wish.limit, cursor: Customers.cursor)
        }
    }

    /// With their summaries; asks for a reason and is an entry of the audit.
    public func revealContacts(
        _ subject: SubjectNumber, _ wish: PageWish, by caller: Caller
    ) async throws(DeskFault) -> Page<ContactElsewhere> {
        try caller.requireReveal()
        let before = try Customers.place(wish.after)
        return try await desk.act(.readCustomers, by: caller) { session in
            _ = try seen(subject, caller, session)
            let page = Page(
                try contacts(subject, before: before, limit: wish.limit + 1, session).map { $0.shown(try words(of: $0), reveals: true) },
                limit: wish.limit, cursor: Customers.cursor)
            return (page, AuditTrail.Line(act: .personalSeen, object: Customers.object(subject)))
        }
    }

    func contacts(
        _ subject: SubjectNumber, before: (at: Int64, number: Int64), limit: Int, _ session: SQLSession
    ) throws -> [ContactRow] {
        let values: [SQLValue] = [.number(subject), .integer(before.at), .integer(before.number), .number(limit)]
        return try session.rows(ContactStatements.page, values).map { try ContactRow($0, vault.tags) }
    }

    /// Kind and summary.
    func words(of row: ContactRow) throws -> ContactWords {
        let bytes = try vault.open(row.sealed, .contact(row.number, of: row.subject), subject: row.subject)
        guard let words = ContactWords(bytes, number: row.kind) else {
            throw DeskFault.broken(
                "contact \(row.subject)/\(row.number) is of a kind that this version does not know; install the newer one")
        }
        return words
    }

    private static func cursor(_ contact: ContactElsewhere) -> Cursor {
        Cursor(text: "\(contact.at.milliseconds).\(contact.number ?? 0)")
    }

    private static func place(_ cursor: Cursor?) throws(DeskFault) -> (at: Int64, number: Int64) {
        guard let cursor else { return (.max, 0) }
        let parts = cursor.text.split(separator: ".").compactMap { Int64($0) }
        guard parts.count == 2 else { throw .invalid([FieldFault("cursor", "malformed", "it is not one of this list")]) }
        return (parts[0], parts[1])
    }
}

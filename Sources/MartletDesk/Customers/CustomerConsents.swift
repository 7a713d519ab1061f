public import MartletModel
import MartletStore
import SQL

/// A consent as evidence.
public struct ConsentEvidence: Codable, Equatable, Sendable {
    public var number: Int64
    public var purpose: UInt16
    /// Nil: all channels.
    public var channel: String?
    /// `withdrawn`, `given`, `pending`.
    public var state: String
    /// When it was said, and when Martlet heard.
    public var at: APIMoment
    public var enteredAt: APIMoment
    /// By which way: the words of `ConsentWay`.
    public var way: String
    public var source: String
    public var textVersion: String
    /// Nil: there is none, or it is not shown here.
    public var proof: String?

    init(_ row: ConsentRow, proof: String?) {
        number = row.number
        purpose = row.purpose
        channel = ChannelKind(rawValue: row.channel)?.word
        state = Consent.State(rawValue: row.state)?.word ?? "\(row.state)"
        (at, enteredAt) = (APIMoment(milliseconds: row.at), APIMoment(milliseconds: row.enteredAt))
        way = ConsentWay(rawValue: row.way)?.word ?? "\(row.way)"
        source = row.source
        textVersion = row.textVersion
        self.proof = proof
    }
}

extension Customers {
    /// Longest proof in bytes, and longest name of a text's version.
    static let proofBytes = 4096
    static let textVersionBytes = 64

    /// Everything that the customer said, in the order it was entered; without the proofs, which are personal.
    public func consents(
        _ subject: SubjectNumber, _ wish: PageWish, by caller: Caller
    ) async throws(DeskFault) -> Page<ConsentEvidence> {
        let after = try wish.after?.number() ?? 0
        return try await desk.read(.readCustomers, by: caller) { session in
            _ = try seen(subject, caller, session)
            let rows = try session.rows(ConsentStatements.page, [.number(subject), .integer(after), .number(wish.limit + 1)])
            return Page(
                try rows.map { ConsentEvidence(try ConsentRow($0, vault.tags), proof: nil) }, limit: wish.limit,
                cursor: { Cursor(number: $0.number) })
        }
    }

    /// Enters what the customer said. Nothing that was said before is overwritten; what holds is the newest, of one second the withdrawal.
    public func enter(
        _ statement: ConsentStatement, of subject: SubjectNumber, by caller: Caller
    ) async throws(DeskFault) -> CustomerView {
        var faults: [FieldFault] = []
        if statement.proof.utf8.count > Customers.proofBytes {
            faults.append(FieldFault("proof", "length", "at most \(Customers.proofBytes) bytes"))
        }
        if statement.textVersion.utf8.count > Customers.textVersionBytes {
            faults.append(FieldFault("textVersion", "length", "at most \(Customers.textVersionBytes) bytes"))
        }
        // What is said in the future would hold against everything that is said until then.
        if statement.at < 0 || statement.at > desk.nowMilliseconds + 300_000 {
            faults.append(FieldFault("at", "range", "when it was said: not before 1970, and not in the future"))
        }
        guard faults.isEmpty else { throw .invalid(faults) }
        return try await desk.act(.writeCustomers, by: caller) { session in
            let change = try takeChange(session)
            let known = try vault.opened(try seen(subject, caller, session))
            var composer = CustomerComposer(known, reference: known.row.reference ?? 0, try circumstances(caller, [:], session))
            try Customers.checked { () throws(FieldFault) in try composer.say(statement, always: true) }
            let opened = try write(composer, try vault.key(subject), change: change, session)
            return (CustomerView(opened, isMasked: true), AuditTrail.Line(act: .consentWritten, object: Customers.object(subject)))
        }
    }
}

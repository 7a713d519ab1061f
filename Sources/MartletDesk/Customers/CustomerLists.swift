public import MartletModel
import SQL

/// What is said of a customer and a suppression list.
public struct ListEntry: Equatable, Sendable {
    public var list: UInt16
    /// The last day on which it holds, days since 1970; nil: until it is taken away.
    public var until: UInt16?

    public init(list: UInt16, until: UInt16? = nil) {
        self.list = list
        self.until = until
    }
}

extension Customers {
    /// Puts a customer on a suppression list, or says another last day. Asks for a reason, which the audit keeps.
    public func list(_ subject: SubjectNumber, _ entry: ListEntry, by caller: Caller) async throws(DeskFault) -> CustomerView {
        try Customers.requireReason(caller)
        var faults: [FieldFault] = []
        if entry.list == 0 { faults.append(FieldFault("list", "range", "the number of a list, 1 to 65535")) }
        if let until = entry.until, Int64(until) * 86_400_000 < desk.nowMilliseconds - 86_400_000 {
            faults.append(FieldFault("until", "range", "it is over by then"))
        }
        guard faults.isEmpty else { throw .invalid(faults) }
        let outcome = "list \(entry.list)" + (entry.until.map { " until day \($0)" } ?? "")
        return try await relist(subject, .customerListed, outcome, by: caller) { composer throws(FieldFault) in
            try composer.list(entry)
        }
    }

    /// Takes a customer off a suppression list. Asks for a reason, which the audit keeps.
    /// - Throws: `.notFound` also where the customer does not stand on it.
    public func unlist(_ subject: SubjectNumber, _ list: UInt16, by caller: Caller) async throws(DeskFault) -> CustomerView {
        try Customers.requireReason(caller)
        return try await relist(subject, .customerUnlisted, "list \(list)", by: caller) { composer throws(FieldFault) in
            composer.unlist(list)
        }
    }

    private func relist(
        _ subject: SubjectNumber, _ act: AuditAct, _ outcome: String, by caller: Caller,
        _ change: @escaping @Sendable (inout CustomerComposer) throws(FieldFault) -> Void
    ) async throws(DeskFault) -> CustomerView {
        try await desk.act(.writeCustomers, by: caller) { session in
            let number = try takeChange(session)
            let known = try vault.opened(try seen(subject, caller, session))
            var composer = CustomerComposer(known, reference: known.row.reference ?? 0, try circumstances(caller, [:], session))
            try Customers.checked { () throws(FieldFault) in try change(&composer) }
            guard composer.isChanged || act != .customerUnlisted else {
                throw DeskFault.notFound(noun: "entry of the suppression list", key: "\(subject)")
            }
            let line = AuditTrail.Line(act: act, object: Customers.object(subject), outcome: outcome)
            guard composer.isChanged else { return (CustomerView(known, isMasked: true), line) }
            return (CustomerView(try write(composer, try vault.key(subject), change: number, session), isMasked: true), line)
        }
    }

    private static func requireReason(_ caller: Caller) throws(DeskFault) {
        guard !(caller.reason?.trimmed ?? "").isEmpty else {
            throw .invalid([FieldFault("reason", "required", "say in Martlet-Reason why the customer is or is not told")])
        }
    }

    /// Takes in what a line of a file says of one customer, in the file's transaction.
    /// - Returns: false: it stands so already.
    func take(_ line: ListingDraft, _ row: CustomerRow, _ circumstances: WritingCircumstances, _ session: SQLSession) throws -> Bool {
        let number = try takeChange(session)
        let known = try vault.opened(row)
        var composer = CustomerComposer(known, reference: row.reference ?? 0, circumstances)
        try Customers.checked { () throws(FieldFault) in
            if line.isOff { composer.unlist(line.entry.list) } else { try composer.list(line.entry) }
        }
        guard composer.isChanged else { return false }
        _ = try write(composer, try vault.key(row.subject), change: number, session)
        return true
    }
}

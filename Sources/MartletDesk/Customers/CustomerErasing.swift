import Guard
public import MartletModel
import MartletStore
import SQL

/// All that the desk's own tables hold of one person, in clear, for that person; the history's messages stand beside it.
public struct CustomerExport: Codable, Equatable, Sendable {
    public var customer: CustomerView
    public var consents: [ConsentEvidence]
    public var contacts: [ContactElsewhere]
    /// What became of packages, the oldest first.
    public var packages: [PackageChange]
    public var madeAt: APIMoment
}

extension Customers {
    /// Erases a customer for good: the row keeps that there was one, no hash and nothing sealed; addresses, contacts and packages go, consents stay as
    /// evidence without their proofs; then the key is destroyed, and with it every copy that was ever made of what it sealed.
    ///
    /// The history forgets first what leads to the person there, in steps (`HistoryErasing`). All else is one transaction, but the key: it does not
    /// come back, so it goes when the erasure and its entry of the audit are durable. Where that is cut short, `ErasureEnding` destroys it; it also has
    /// forgotten what the log had not given to the history by then.
    public func erase(_ subject: SubjectNumber, by caller: Caller) async throws(DeskFault) {
        try caller.require(.eraseCustomers)
        let at = desk.now()
        do {
            let messages = try await desk.store.read { session in
                try self.messages(of: try candidate(subject, caller, session), session)
            }
            try await HistoryErasing(desk: desk, keys: vault.history, now: desk.nowMilliseconds).run(messages)
        } catch {
            throw DeskFault.of(error)
        }
        try await eraseRow(subject, at: at, by: caller)
        do {
            try vault.subjects.erase([subject], time: at)
        } catch {
            throw DeskFault.of(error)
        }
    }

    /// All of an erasure that is in the store. The key is there yet, and what is to be done with it is remembered.
    func eraseRow(_ subject: SubjectNumber, at: Int64, by caller: Caller) async throws(DeskFault) {
        try await desk.act(.eraseCustomers, by: caller) { session in
            let change = try takeChange(session)
            let candidate = try candidate(subject, caller, session)
            // Asked anew: an address may have come while the history forgot the others.
            try self.messages(of: candidate, session).remember(at: at / 1000, session)
            let consents = try forget(candidate, change: change, at: at, session)
            let damage = [candidate.damage, consents == 0 ? nil : "\(consents) damaged consent(s)"].compactMap(\.self)
            let outcome = (["done"] + (damage.isEmpty ? [] : [damage.joined(separator: ", ")])).joined(separator: ": ")
            return ((), AuditTrail.Line(act: .customerErased, object: Customers.object(subject), outcome: outcome))
        }
    }

    /// Takes a customer's rows out of the store: that there was one stays, and which consents were given when.
    /// - Returns: consents whose rows are damaged, and stay so without their proofs.
    @discardableResult
    func forget(_ candidate: ErasingCandidate, change: Int64, at: Int64, _ session: SQLSession) throws -> Int {
        let (row, subject) = (candidate.row, candidate.row.subject)
        for address in candidate.indexed {
            try session.run(
                CustomerStatements.dropAddress,
                [.number(address.kind.rawValue), .hash(address.hash), .number(subject), .number(address.number)])
        }
        let damaged = try forgetProofs(of: subject, session)
        try session.run(PackageStatements.forget, [.number(subject)])
        try session.run(ContactStatements.forget, [.number(subject)])
        try session.run(SetAsideStatements.drop, [.number(subject)])
        let erased = row.erased(at: at / 1000, change: change)
        if candidate.isDamaged {
            try session.run(CustomerStatements.replace, erased.values(vault.tags))
        } else {
            var rows = CustomerRows()
            rows.append(ComposedCustomer(row: erased, basedOn: row.version), vault.tags)
            try rows.write(session)
        }
        try session.run(CustomerStatements.addUrgent, [.integer(change), .number(subject)])
        return damaged
    }

    /// - Returns: how many rows of consents are damaged.
    private func forgetProofs(of subject: SubjectNumber, _ session: SQLSession) throws -> Int {
        var (damaged, after): (Int, Int64) = (0, 0)
        while true {
            let page = try session.rows(ConsentStatements.page, [.number(subject), .integer(after), .number(500)])
            for row in page {
                after = try row.integer("number")
                guard var consent = try RowDamage.sound({ try ConsentRow(row, vault.tags) }) else {
                    damaged += 1
                    try session.run(ConsentStatements.forget, [.number(subject), .integer(after), row.values.last ?? .null])
                    continue
                }
                guard consent.sealed != nil else { continue }
                consent.sealed = nil
                try session.run(
                    ConsentStatements.forget, [.number(subject), .integer(after), consent.values(vault.tags).last ?? .null])
            }
            if page.count < 500 { return damaged }
        }
    }

    /// What the history holds for an export of this customer, newest first, in clear; at most `messagesExported`. Its look is in the export's entry of
    /// the audit.
    public func messages(
        of subject: SubjectNumber, in history: History, by caller: Caller
    ) async throws(DeskFault) -> (items: [HistoryItem], isWhole: Bool) {
        try caller.require(.eraseCustomers)
        try caller.requireReveal()
        do {
            let messages = try await desk.store.read { session in try self.messages(of: try seen(subject, caller, session), session) }
            return try await history.all(of: messages, limit: Customers.messagesExported)
        } catch {
            throw DeskFault.of(error)
        }
    }

    /// Messages that one export holds at most.
    public static let messagesExported = 10_000

    /// All that is held on the person; asks for the right to see personal data, with a reason, and is an entry of the audit.
    public func export(_ subject: SubjectNumber, by caller: Caller) async throws(DeskFault) -> CustomerExport {
        try caller.requireReveal()
        let madeAt = APIMoment(milliseconds: desk.nowMilliseconds)
        return try await desk.act(.eraseCustomers, by: caller) { session in
            let opened = try vault.opened(try seen(subject, caller, session))
            var export = CustomerExport(
                customer: CustomerView(opened, isMasked: false), consents: [], contacts: [], packages: [], madeAt: madeAt)
            try PackageRow.each(of: subject, vault.tags, session) { export.packages.append(PackageChange($0, opened.details)) }
            for row in try ConsentRow.all(of: subject, vault.tags, session) {
                let proof = try row.sealed.map {
                    String(decoding: try vault.open($0, .consent(row.number, of: subject), subject: subject), as: UTF8.self)
                }
                export.consents.append(ConsentEvidence(row, proof: proof))
            }
            var before: (at: Int64, number: Int64) = (.max, 0)
            while true {
                let page = try contacts(subject, before: before, limit: 500, session)
                for row in page { export.contacts.append(row.shown(try words(of: row), reveals: true)) }
                guard page.count == 500, let last = page.last else { break }
                before = (last.at, last.number)
            }
            return (export, AuditTrail.Line(act: .customerExported, object: Customers.object(subject)))
        }
    }
}

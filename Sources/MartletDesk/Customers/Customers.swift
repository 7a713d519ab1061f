import Guard
public import MartletModel
import MartletStore
import SQL

/// The bank's customers: found by keyed hashes, read masked, written with a version.
public struct Customers: Sendable {
    let desk: Desk
    let vault: CustomerVault
    var names: CustomerNames

    /// Customers that one look-up by an address answers.
    static let sharing = 100

    // MARK: Finding

    /// By what the bank's systems name the customer. The reference is never part of a path: it is personal.
    public func find(reference: String, by caller: Caller) async throws(DeskFault) -> CustomerView? {
        let reference = try Customers.checked { () throws(FieldFault) in try CustomerText.reference(reference) }
        let hash = vault.hashes.reference(reference)
        return try await desk.read(.readCustomers, by: caller) { session in
            guard let row = try row(hash, session), isSeen(row, caller) else { return nil }
            let opened = try vault.opened(row)
            // Two references of one hash do not happen to 14 million customers; a row that was moved to another's hash does.
            guard opened.details.reference == reference else { throw DeskFault.tampered(noun: "customer", key: "\(row.subject)") }
            return CustomerView(opened, isMasked: true)
        }
    }

    /// Everybody who has the number, `sharing` at most.
    public func find(phone: String, by caller: Caller) async throws(DeskFault) -> [CustomerView] {
        let address = try Customers.checked { () throws(FieldFault) in try CustomerText.phone(phone.utf8, vault.hashes, "phone") }
        return try await find(address, by: caller)
    }

    /// Everybody who has the mail address, `sharing` at most.
    public func find(email: String, by caller: Caller) async throws(DeskFault) -> [CustomerView] {
        let address = try Customers.checked { () throws(FieldFault) in
            try CustomerText.mail(Array(email.utf8), vault.hashes, "email")
        }
        return try await find(address, by: caller)
    }

    private func find(_ address: CustomerDraft.Address, by caller: Caller) async throws(DeskFault) -> [CustomerView] {
        let kind = AddressKind(address.kind)
        return try await desk.read(.readCustomers, by: caller) { session in
            var found: [CustomerView] = []
            for row in try owners(of: address.hash, kind, after: 0, limit: Customers.sharing, session) where isSeen(row, caller) {
                // The list of addresses has no tag of its own; the row's has.
                guard row.addresses.contains(where: { $0.kind == kind && $0.hash == address.hash }) else {
                    throw DeskFault.tampered(noun: "customer", key: "\(row.subject)")
                }
                found.append(CustomerView(try vault.opened(row), isMasked: true))
            }
            return found
        }
    }

    // MARK: Reading

    /// Masked.
    /// - Throws: `.notFound` also for a customer of another unit, and for one who was erased.
    public func get(_ subject: SubjectNumber, by caller: Caller) async throws(DeskFault) -> CustomerView {
        try await desk.read(.readCustomers, by: caller) { session in
            CustomerView(try vault.opened(try seen(subject, caller, session)), isMasked: true)
        }
    }

    /// In clear; asks for a reason and is an entry of the audit.
    public func reveal(_ subject: SubjectNumber, by caller: Caller) async throws(DeskFault) -> CustomerView {
        try caller.requireReveal()
        return try await desk.act(.readCustomers, by: caller) { session in
            let view = CustomerView(try vault.opened(try seen(subject, caller, session)), isMasked: false)
            return (view, AuditTrail.Line(act: .personalSeen, object: Customers.object(subject)))
        }
    }

    // MARK: Writing

    /// A new customer.
    /// - Throws: `.conflict` when the reference is somebody's already.
    public func add(_ wish: CustomerWish, by caller: Caller) async throws(DeskFault) -> CustomerView {
        let draft = try wish.draft(vault.hashes, names)
        guard !draft.reference.isEmpty else { throw .invalid([FieldFault("reference", "required", "what the bank's systems name it")]) }
        if let unit = caller.unit, wish.unit.map(Int64.init) != unit {
            throw .invalid([FieldFault("unit", "forbidden", "the caller belongs to unit \(unit)")])
        }
        return try await desk.act(.writeCustomers, by: caller) { session in
            let change = try takeChange(session)
            guard try row(draft.referenceHash, session) == nil else {
                throw DeskFault.conflict(field: "reference", reason: "a customer has it already")
            }
            var composer = CustomerComposer(
                nil, reference: draft.referenceHash, try circumstances(caller, draft.addressHashes, session))
            try Customers.checked { () throws(FieldFault) in try composer.put(draft) }
            guard let key = try vault.subjects.make(1).first else { throw DeskFault.broken("no key was made") }
            let opened = try write(composer, key, change: change, session)
            return (CustomerView(opened, isMasked: true), AuditTrail.Line(act: .customerWritten, object: Customers.object(key.number)))
        }
    }

    /// - Parameter version: as the caller read it.
    /// - Throws: `.changed` when it is another by now.
    public func change(
        _ subject: SubjectNumber, _ wish: CustomerWish, version: Int64, by caller: Caller
    ) async throws(DeskFault) -> CustomerView {
        try await change(subject, try wish.draft(vault.hashes, names), version: version, by: caller)
    }

    func change(
        _ subject: SubjectNumber, _ draft: CustomerDraft, version: Int64, by caller: Caller
    ) async throws(DeskFault) -> CustomerView {
        try await desk.act(.writeCustomers, by: caller) { session in
            let change = try takeChange(session)
            let known = try vault.opened(try seen(subject, caller, session))
            guard Int64(known.row.version) == version else {
                throw DeskFault.changed(noun: "customer", version: Int64(known.row.version))
            }
            if let unit = caller.unit, case .set(let wished) = draft.unit, Int64(wished) != unit {
                throw DeskFault.invalid([FieldFault("unit", "forbidden", "the caller belongs to unit \(unit)")])
            }
            var reference = known.row.reference ?? 0
            if !draft.reference.isEmpty, draft.referenceHash != reference {
                guard try row(draft.referenceHash, session) == nil else {
                    throw DeskFault.conflict(field: "reference", reason: "a customer has it already")
                }
                reference = draft.referenceHash
            }
            var composer = CustomerComposer(
                known, reference: reference, try circumstances(caller, draft.addressHashes, session))
            try Customers.checked { () throws(FieldFault) in try composer.put(draft) }
            let opened = try write(composer, try vault.key(subject), change: change, session)
            return (CustomerView(opened, isMasked: true), AuditTrail.Line(act: .customerWritten, object: Customers.object(subject)))
        }
    }

    // MARK: What the use cases share

    /// As the audit names a customer: by number.
    static func object(_ subject: SubjectNumber) -> String { "customer:\(subject)" }

    /// A field's fault as that of a request.
    static func checked<Value>(_ body: () throws(FieldFault) -> Value) throws(DeskFault) -> Value {
        do throws(FieldFault) {
            return try body()
        } catch {
            throw .invalid([error])
        }
    }

    /// The number of this change. Whoever writes customers takes it first, and holds it to the end of the transaction.
    func takeChange(_ session: SQLSession) throws -> Int64 {
        guard let row = try session.row(CustomerStatements.takeChange, [.number(1)]) else {
            throw DeskFault.broken("the store has no number of changes; run martlet store migrate")
        }
        return try row.integer("number")
    }

    func isSeen(_ row: CustomerRow, _ caller: Caller) -> Bool {
        row.erasedAt == nil && caller.unit.map { $0 == Int64(row.unit) } ?? true
    }

    /// The row, for a caller who may see it.
    func seen(_ subject: SubjectNumber, _ caller: Caller, _ session: SQLSession) throws -> CustomerRow {
        guard let row = try row(subject: subject, session), isSeen(row, caller) else {
            throw DeskFault.notFound(noun: "customer", key: "\(subject)")
        }
        return row
    }

    func row(subject: SubjectNumber, _ session: SQLSession) throws -> CustomerRow? {
        try session.row(CustomerStatements.bySubject, [.number(subject)]).map { try CustomerRow($0, vault.tags) }
    }

    func row(_ reference: UInt64, _ session: SQLSession) throws -> CustomerRow? {
        try session.row(CustomerStatements.byReference, [.hash(reference)]).map { try CustomerRow($0, vault.tags) }
    }

    /// Customers with this address, by rising subject.
    func owners(
        of hash: UInt64, _ kind: AddressKind, after: SubjectNumber, limit: Int, _ session: SQLSession
    ) throws -> [CustomerRow] {
        try holders(of: hash, kind, after: after, limit: limit, session).map { subject in
            guard let row = try row(subject: subject, session) else { throw DeskFault.tampered(noun: "customer", key: "\(subject)") }
            return row
        }
    }

    /// Numbers of customers whom the index of addresses names for this one, rising; their rows say whether it is true.
    func holders(
        of hash: UInt64, _ kind: AddressKind, after: SubjectNumber, limit: Int, _ session: SQLSession
    ) throws -> [SubjectNumber] {
        let values: [SQLValue] = [.number(kind.rawValue), .hash(hash), .number(after), .number(limit)]
        var found: [SubjectNumber] = []
        for entry in try session.rows(CustomerStatements.byAddress, values) {
            let subject = try entry.integer("subject", as: SubjectNumber.self)
            if found.last != subject { found.append(subject) }
        }
        return found
    }

    func circumstances(
        _ caller: Caller, _ addresses: [AddressKind: [UInt64]], _ session: SQLSession
    ) throws -> WritingCircumstances {
        WritingCircumstances(
            now: desk.nowMilliseconds, source: caller.name, way: caller.subject == nil ? .api : .app,
            facts: try AddressFactRow.known(addresses, vault.tags, desk.damage, session))
    }

    /// Writes what was composed, and reads it back as it now stands. What a file does not say is urgent: the node has it within two seconds.
    func write(_ composer: CustomerComposer, _ key: SubjectKey, change: Int64, _ session: SQLSession) throws -> OpenedCustomer {
        var sealer = Sealer()
        let composed = try Customers.compose(composer, key, change, &sealer)
        var rows = CustomerRows()
        rows.append(composed, vault.tags)
        try rows.write(session)
        if !composer.isOfFile { try session.run(CustomerStatements.addUrgent, [.integer(change), .number(composed.row.subject)]) }
        return try vault.opened(composed.row)
    }

    private static func compose(
        _ composer: CustomerComposer, _ key: SubjectKey, _ change: Int64, _ sealer: inout Sealer
    ) throws(DeskFault) -> ComposedCustomer {
        do throws(FieldFault) {
            return try composer.composed(key, change: change, &sealer)
        } catch {
            throw .invalid([error])
        }
    }
}

extension Desk {
    /// - Parameter names: what the rulebook calls units, packages, attributes and so on.
    public func customers(_ vault: CustomerVault, names: CustomerNames = .numbers) -> Customers {
        Customers(desk: self, vault: vault, names: names)
    }
}

extension CustomerDraft {
    /// Of the addresses that it names, by kind.
    var addressHashes: [AddressKind: [UInt64]] {
        var found: [AddressKind: [UInt64]] = [:]
        for (kind, list) in addresses {
            guard case .set(let list) = list else { continue }
            found[kind] = list.map(\.hash)
        }
        return found
    }
}

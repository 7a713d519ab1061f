import Guard
import MartletModel
import MartletStore
import SQL

/// A customer who is to be erased, whole or damaged. Erasing is destroying a key: no row may be in its way.
struct ErasingCandidate: Sendable {
    /// Of one who is damaged no more than what is needed, and addresses only as the sealed part has them.
    var row: CustomerRow
    var isDamaged = false
    /// By which the index of addresses may name the customer.
    var indexed: [CustomerAddress]
    /// What the audit says of the damage.
    var damage: String?
}

extension Customers {
    /// - Throws: `.tampered` or `.broken` for a caller of a unit where the row is damaged: whose customer it is nobody knows.
    func candidate(_ subject: SubjectNumber, _ caller: Caller, _ session: SQLSession) throws -> ErasingCandidate {
        do {
            let row = try seen(subject, caller, session)
            return ErasingCandidate(row: row, indexed: row.addresses)
        } catch  where RowDamage.isOne(error) {
            guard caller.unit == nil, let row = try session.row(CustomerStatements.bySubject, [.number(subject)]) else { throw error }
            return try damaged(subject, row)
        }
    }

    /// Nothing of the row is believed but its sealed part, which only this customer's key can have made.
    private func damaged(_ subject: SubjectNumber, _ row: SQLRow) throws -> ErasingCandidate {
        // Whatever does not open, for damage or because its key is gone already, says nothing.
        let sealed = (try? vault.open(try row.bytes("sealed"), .details(of: subject), subject: subject)).flatMap { plain in
            try? plain.withUnsafeBytes { try CustomerDetails(reading: $0) }.addresses
        }
        let addresses = (sealed ?? []).flatMap { address($0) }
        let rest = CustomerRow(
            subject: subject, version: UInt32(truncatingIfNeeded: try row.integer("version")),
            unit: UInt16(exactly: try row.integer("unit")) ?? 0, reference: nil, addresses: addresses, clear: [], sealed: [],
            createdAt: try row.integer("created_at"), changedAt: 0, change: 0)
        // Entries of the index name this customer alone: to take one away that was never there harms nobody.
        return ErasingCandidate(
            row: rest, isDamaged: true, indexed: addresses + CustomerRow.addresses(try row.bytes("addresses")),
            damage: sealed == nil ? "its row was damaged, its addresses are not known" : "its row was damaged")
    }

    /// As which an address is looked up. What is no mail address may be a device's.
    private func address(_ one: CustomerDetails.Address) -> [CustomerAddress] {
        switch one.value {
        case .phone(let digits): [CustomerAddress(number: one.number, kind: .phone, hash: vault.hashes.phone(digits))]
        case .text(let text):
            [CustomerAddress(number: one.number, kind: .device, hash: vault.hashes.token(text))]
                + ((try? CustomerText.mail(text.utf8, vault.hashes, "email")).map {
                    [CustomerAddress(number: one.number, kind: .email, hash: $0.hash)]
                } ?? [])
        }
    }

    /// Also by the customer's own number, where the addresses may not be all.
    func messages(of candidate: ErasingCandidate, _ session: SQLSession) throws -> PersonalMessages {
        let messages = try messages(of: candidate.row, session)
        guard candidate.isDamaged else { return messages }
        let own = PersonalMessages.Address(kind: .customer, hash: Int64(candidate.row.subject), isShared: false)
        return PersonalMessages(subject: messages.subject, addresses: messages.addresses + [own])
    }
}

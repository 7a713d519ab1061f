import Guard
import MartletModel
import SQL

extension Customers {
    /// What a timeline needs to know of customers. Of one who is not there, or not for this caller, there is nothing.
    public var timelineSources: TimelineSources {
        TimelineSources(
            phones: { reference, caller throws(DeskFault) in try await phones(of: reference, by: caller) },
            contacts: { reference, below, limit, caller throws(DeskFault) in
                try await contacts(of: reference, below: below, limit: limit, by: caller)
            })
    }

    private func phones(of reference: String, by caller: Caller) async throws(DeskFault) -> [PhoneNumber] {
        try await desk.read(.readCustomers, by: caller) { session in
            guard let row = try row(named: reference, caller, session) else { return [] }
            return try vault.opened(row).details.addresses.compactMap { address in
                if case .phone(let digits) = address.value { PhoneNumber(digits: digits) } else { nil }
            }
        }
    }

    private func contacts(
        of reference: String, below place: TimelineContact.Place, limit: Int, by caller: Caller
    ) async throws(DeskFault) -> [TimelineContact] {
        try await desk.read(.readCustomers, by: caller) { session in
            guard let row = try row(named: reference, caller, session) else { return [] }
            return try contacts(row.subject, before: (place.at, place.number), limit: limit, session).map { contact in
                TimelineContact(place: .init(at: contact.at, number: contact.number), kind: try words(of: contact).kind.word, summary: "")
            }
        }
    }

    private func row(named reference: String, _ caller: Caller, _ session: SQLSession) throws -> CustomerRow? {
        let reference = try Customers.checked { () throws(FieldFault) in try CustomerText.reference(reference) }
        guard let row = try row(vault.hashes.reference(reference), session), isSeen(row, caller) else { return nil }
        return row
    }
}

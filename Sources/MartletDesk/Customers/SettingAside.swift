import Guard
public import MartletModel
import MartletStore
import SQL

extension Customers {
    /// A customer whose row is damaged is set aside: nothing of the row is believed, the node's copy is without the customer, and what the customer
    /// says waits. So it is until the row is whole again and `takeIn` has entered what waited; no other customer waits for it.
    public func setAside(_ subjects: [SubjectNumber]) async throws(DeskFault) {
        do {
            try await desk.store.transaction { session in
                for subject in subjects { try setAside(subject, nil, session) }
            }
        } catch {
            throw DeskFault.of(error)
        }
    }

    /// - Parameter said: comes behind what waits already; nil: the row alone.
    func setAside(_ subject: SubjectNumber, _ said: PackageSaid?, _ session: SQLSession) throws {
        let (now, tags) = (desk.nowMilliseconds, vault.tags)
        try session.run(SetAsideStatements.add, SetAsideRow(subject: subject, number: 0, noticedAt: now).values(tags))
        guard let said else { return }
        let number = (try session.row(SetAsideStatements.highest, [.number(subject)])?.integer("number") ?? 0) + 1
        let row = SetAsideRow(subject: subject, number: number, said: said, noticedAt: now)
        guard try session.run(SetAsideStatements.add, row.values(tags)) == 1 else {
            throw DeskFault.conflict(field: "subject", reason: "somebody else sets customer \(subject) aside")
        }
    }

    func isSetAside(_ subject: SubjectNumber, _ session: SQLSession) throws -> Bool {
        try session.row(SetAsideStatements.highest, [.number(subject)]) != nil
    }

    /// Customers that are set aside, by rising number.
    func setAside(after: SubjectNumber, limit: Int) async throws(DeskFault) -> [SubjectNumber] {
        try await desk.read(.readCustomers, by: .system("set-aside")) { session in
            try session.rows(SetAsideStatements.customers, [.number(after), .number(limit)])
                .map { try $0.integer("subject", as: SubjectNumber.self) }
        }
    }

    func setAsideCount() async throws(DeskFault) -> Int {
        try await desk.read(.readCustomers, by: .system("set-aside")) { session in
            try session.row(SetAsideStatements.count)?.integer("count", as: Int.self) ?? 0
        }
    }

    /// Looks once more at a customer who is set aside. One whose row is whole again learns what his addresses learnt, then each word in its order,
    /// and is written anew, so that the node hears of him; all or nothing. Of one who was erased meanwhile nothing waits any more.
    /// - Throws: `.tampered` or `.broken` where the row, the key, or what waits is still damaged; nothing has changed then.
    func takeIn(_ subject: SubjectNumber) async throws(DeskFault) {
        do {
            try await desk.store.transaction(repeats: 3) { session in
                let change = try takeChange(session)
                let waiting = try SetAsideRow.all(of: subject, vault.tags, session)
                try session.run(SetAsideStatements.drop, [.number(subject)])
                guard let (known, key) = try standing(subject, session) else { return }
                let addresses = Dictionary(grouping: known.row.addresses, by: \.kind).mapValues { $0.map(\.hash) }
                let facts = try AddressFactRow.known(addresses, vault.tags, desk.damage, session)
                var composer = CustomerComposer(
                    known, reference: known.row.reference ?? 0, WritingCircumstances(now: desk.nowMilliseconds, source: "system:node"))
                for address in known.row.addresses {
                    guard let state = facts[address.kind]?[address.hash] else { continue }
                    composer.learn(state, kind: address.kind, hash: address.hash)
                }
                _ = try write(composer, key, change: change, session)
                for said in waiting.compactMap(\.said) { try learn(said, session) }
                guard try !isSetAside(subject, session) else {
                    throw DeskFault.broken("customer \(subject) has no room for what waits")
                }
            }
        } catch {
            throw DeskFault.of(error)
        }
    }

    /// A customer as learning needs one; nil: erased, or nobody was ever given this number.
    /// - Throws: `.tampered` or `.broken` where the row or the key is damaged, or the row of somebody who has a key is gone.
    func standing(_ subject: SubjectNumber, _ session: SQLSession) throws -> (known: OpenedCustomer, key: SubjectKey)? {
        let row = try row(subject: subject, session)
        if let row, row.erasedAt != nil { return nil }
        switch (vault.subjects.key(subject), row) {
        case (.erased, _): return nil
        case (.unknown, nil):
            desk.damage.note("customer_address of \(subject)", instead: "it leads to nobody and is passed over")
            return nil
        case (_, nil): throw DeskFault.tampered(noun: "customer", key: "\(subject)")
        case (.key(let key), let row?): return (try vault.opened(row), key)
        case (.unknown, _), (.damaged, _):
            throw DeskFault.broken("the key of customer \(subject) is damaged; restore the keys from their backup")
        }
    }
}

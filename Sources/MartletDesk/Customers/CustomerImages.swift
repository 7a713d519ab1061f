public import MartletModel
import MartletStore
import SQL

extension Customers: CustomerImages {
    /// What the node's base file is written from: customers by rising number, `limit` at most; fewer: there are no more. Who is erased between
    /// two calls is not among them, and comes as a change.
    /// - Throws: `.tampered` for a row that is not as it was written: a base file is never made from such.
    public func images(after: SubjectNumber, limit: Int) async throws(DeskFault) -> [CustomerImage] {
        try await desk.read(.readCustomers, by: .system("local")) { session in
            let rows = try session.rows(
                CustomerStatements.images, [.number(after), .number(limit)], maximum: limit)
            return try rows.compactMap { try CustomerRow($0, vault.tags).image }
        }
    }

    /// What became of customers behind this number, in the order of the numbers, `limit` at most. Of a customer that changed several times the
    /// last change alone is there.
    public func changes(after: Int64, limit: Int) async throws(DeskFault) -> [(change: Int64, CustomerChange)] {
        try await desk.read(.readCustomers, by: .system("local")) { session in
            let rows = try session.rows(
                CustomerStatements.changes, [.integer(after), .number(limit)], maximum: limit)
            return try rows.map { row in
                let row = try CustomerRow(row, vault.tags)
                return (row.change, CustomerChange(row))
            }
        }
    }

    /// Who was changed by anything but a file behind this number, as the customer is now, in the order of the numbers, `limit` at most.
    public func urgent(after: Int64, limit: Int) async throws(DeskFault) -> [(change: Int64, CustomerChange)] {
        try await desk.read(.readCustomers, by: .system("local")) { session in
            let rows = try session.rows(
                CustomerStatements.urgent, [.integer(after), .number(limit)], maximum: limit)
            return try rows.map { urgent in
                let subject = try urgent.integer("subject", as: SubjectNumber.self)
                guard let row = try row(subject: subject, session) else { throw DeskFault.tampered(noun: "customer", key: "\(subject)") }
                return (try urgent.integer("change"), CustomerChange(row))
            }
        }
    }

    /// Forgets which changes up to this number did not wait, `limit` at most: the node has them.
    /// - Returns: how many; `limit`: there may be more.
    public func dropUrgent(upTo change: Int64, limit: Int) async throws(DeskFault) -> Int {
        do {
            return try await desk.store.transaction(durability: .relaxed) {
                try $0.run(CustomerStatements.dropUrgent, [.integer(change), .number(limit)])
            }
        } catch {
            throw DeskFault.of(error)
        }
    }

    /// The newest number of a change: read before the first call of `images`, it is where `changes` goes on behind them.
    public func newestChange() async throws(DeskFault) -> Int64 {
        try await desk.read(.readCustomers, by: .system("local")) { session in
            try session.row(CustomerStatements.newestChange)?.integer("number") ?? 0
        }
    }
}

extension CustomerChange {
    fileprivate init(_ row: CustomerRow) { self = row.image.map { .written($0) } ?? .erased(row.subject) }
}

public import MartletModel
import MartletStore
import SQL

extension Customers: CustomerImages {
    /// What the node's base file is written from: customers by rising number, `limit` rows at most. Who is erased between two calls is not among
    /// them, and comes as a change. Who is set aside, or whose row is damaged, is left out: what the row says of consents is not to be believed, and
    /// what the customer said since is not in it.
    public func images(after: SubjectNumber, limit: Int) async throws(DeskFault) -> CustomerImagePage {
        try await desk.read(.readCustomers, by: .system("local")) { session in
            let rows = try session.rows(
                CustomerStatements.images, [.number(after), .number(limit)], maximum: limit)
            guard let last = try rows.last?.integer("subject", as: SubjectNumber.self) else { return CustomerImagePage() }
            guard last > after else { throw DeskFault.broken("customers do not come in the order of their numbers") }
            let aside = try setAside(above: after, upTo: last, session)
            var page = CustomerImagePage(next: rows.count == limit ? last : nil)
            for row in rows {
                let subject = try row.integer("subject", as: SubjectNumber.self)
                guard !aside.contains(subject) else { continue }
                if let row = try sound(row, session) {
                    if let image = row.image { page.images.append(image) }
                } else {
                    page.damaged.append(subject)
                }
            }
            return page
        }
    }

    /// What became of customers behind this number, in the order of the numbers, `limit` rows at most. Of a customer that changed several times the
    /// last change alone is there. Who is set aside, or whose row is damaged, is told as erased: the node has nothing of him until he is written
    /// again, which `takeIn` does.
    public func changes(after: Int64, limit: Int) async throws(DeskFault) -> CustomerChangePage {
        try await desk.read(.readCustomers, by: .system("local")) { session in
            let newest = try session.row(CustomerStatements.newestChange)?.integer("number") ?? 0
            let rows = try session.rows(
                CustomerStatements.changes, [.integer(after), .number(limit)], maximum: limit)
            let found = try rows.map { (subject: try $0.integer("subject", as: SubjectNumber.self), row: try sound($0, session)) }
            var page = CustomerChangePage(through: found.compactMap(\.row?.change).max() ?? after, isFull: rows.count == limit)
            if let last = found.last, last.row == nil {
                // The number of one that is damaged may be any. Where no more waits, all up to the newest was looked at; else the last sound one is where
                // it goes on.
                if !page.isFull { page.through = max(page.through, newest) }
                guard page.through > after else { throw DeskFault.broken("\(limit) changed customers one behind the other are damaged") }
            }
            let aside = try setAside(among: found.map(\.subject), session)
            for (subject, row) in found {
                if row == nil { page.damaged.append(subject) }
                let image = aside.contains(subject) ? nil : row?.image
                page.changes.append((row?.change ?? page.through, image.map { .written($0) } ?? .erased(subject)))
            }
            return page
        }
    }

    /// Who was changed by anything but a file behind this number, as the customer is now, in the order of the numbers, `limit` at most. Who is
    /// set aside, or whose row is damaged, is told as erased.
    public func urgent(after: Int64, limit: Int) async throws(DeskFault) -> CustomerChangePage {
        try await desk.read(.readCustomers, by: .system("local")) { session in
            let rows = try session.rows(
                CustomerStatements.urgent, [.integer(after), .number(limit)], maximum: limit)
            var page = CustomerChangePage(through: try rows.last?.integer("change") ?? after, isFull: rows.count == limit)
            let subjects = try rows.map { try $0.integer("subject", as: SubjectNumber.self) }
            let aside = try setAside(among: subjects, session)
            for (urgent, subject) in zip(rows, subjects) {
                let row = try RowDamage.sound { try self.row(subject: subject, session) } ?? nil
                if row == nil { page.damaged.append(subject) }
                let image = aside.contains(subject) ? nil : row?.image
                page.changes.append((try urgent.integer("change"), image.map { .written($0) } ?? .erased(subject)))
            }
            return page
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

    /// The row; where it is damaged, the one that the table has under its number, for it may be the number that is damaged.
    private func sound(_ row: SQLRow, _ session: SQLSession) throws -> CustomerRow? {
        if let row = try RowDamage.sound({ try CustomerRow(row, vault.tags) }) { return row }
        let subject = try row.integer("subject", as: SubjectNumber.self)
        return try RowDamage.sound { try self.row(subject: subject, session) } ?? nil
    }

    /// More damaged customers than this are a damaged store, not some damaged rows.
    private static let setAsideMaximum = 65_536

    private func setAside(among subjects: [SubjectNumber], _ session: SQLSession) throws -> Set<SubjectNumber> {
        guard let least = subjects.min(), let most = subjects.max() else { return [] }
        return try setAside(above: max(1, least) - 1, upTo: most, session)
    }

    private func setAside(above: SubjectNumber, upTo last: SubjectNumber, _ session: SQLSession) throws -> Set<SubjectNumber> {
        let rows = try session.rows(SetAsideStatements.among, [.number(above), .number(last)], maximum: Self.setAsideMaximum)
        return Set(try rows.map { try $0.integer("subject", as: SubjectNumber.self) })
    }
}

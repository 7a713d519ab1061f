import MartletModel
import MartletStore
import SQL

/// Rows of composed customers, made ready beside the database and written in one go.
struct CustomerRows: Sendable {
    private var customers = SQLBatch(table: CustomerStatements.table, columns: CustomerStatements.columns)
    private var addresses: [CustomerKey] = []
    private var consents = SQLBatch(table: ConsentStatements.table, columns: ConsentStatements.columns)
    private var packages = SQLBatch(table: PackageStatements.table, columns: PackageStatements.columns)
    private var changed: [(values: [SQLValue], basedOn: UInt32)] = []
    private var dropped: [[SQLValue]] = []

    private struct CustomerKey: Sendable {
        var address: CustomerAddress
        var subject: SubjectNumber
    }

    mutating func append(_ one: ComposedCustomer, _ tags: CustomerTags) {
        let values = one.row.values(tags)
        if let version = one.basedOn { changed.append((values, version)) } else { customers.append(values) }
        for consent in one.consents { consents.append(consent.values(tags)) }
        for package in one.packages { packages.append(package.values(tags)) }
        for address in one.added { addresses.append(CustomerKey(address: address, subject: one.row.subject)) }
        for address in one.dropped { dropped.append(CustomerRows.key(address, one.row.subject)) }
    }

    /// In the order of their index, so that each of its pages is met once.
    mutating func sort() {
        addresses.sort {
            ($0.address.kind.rawValue, Int64(bitPattern: $0.address.hash)) < ($1.address.kind.rawValue, Int64(bitPattern: $1.address.hash))
        }
    }

    private static func key(_ address: CustomerAddress, _ subject: SubjectNumber) -> [SQLValue] {
        [.number(address.kind.rawValue), .hash(address.hash), .number(subject), .number(address.number)]
    }

    /// - Throws: `.changed` when a customer is no longer at the version it was composed from, which the number of the change makes impossible
    ///   for who took one first.
    func write(_ session: SQLSession) throws {
        try session.bulk(customers)
        for (values, version) in changed {
            // All columns but `created_at`, which never changes; `subject` finds the row.
            var parameters = [values[0], .number(version)]
            parameters.append(contentsOf: values[1...6])
            parameters.append(contentsOf: values[8...])
            guard try session.run(CustomerStatements.change, parameters) == 1 else {
                throw DeskFault.changed(noun: "customer", version: Int64(version))
            }
        }
        for key in dropped { try session.run(CustomerStatements.dropAddress, key) }
        var batch = SQLBatch(table: CustomerStatements.addressTable, columns: CustomerStatements.addressColumns)
        batch.reserve(addresses.count)
        for one in addresses { batch.append(CustomerRows.key(one.address, one.subject)) }
        try session.bulk(batch)
        try session.bulk(consents)
        try session.bulk(packages)
    }
}

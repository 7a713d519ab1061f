public import Guard
import MartletModel
import MartletStore
import SQL

/// Keys under which customers are kept: by which they are found, sealed and tagged. The desk owns the subjects' keys.
public struct CustomerVault: Sendable {
    public let hashes: CustomerHashes
    public let subjects: SubjectKeys
    let tags: CustomerTags
    public let tokens: CustomerTokens
    /// What opens messages of customers.
    let history: HistoryKeys

    public init(_ keys: KeyStore, _ subjects: SubjectKeys) {
        hashes = CustomerHashes(keys)
        self.subjects = subjects
        tags = CustomerTags(keys.rowKey)
        tokens = CustomerTokens(keys)
        history = HistoryKeys(keys, subjects: subjects)
    }
}

/// Tags of the rows that are about customers: over all columns but the tag itself, which stands last.
struct CustomerTags: Sendable {
    let customer: RowMAC
    let consent: RowMAC
    let package: RowMAC
    let contact: RowMAC
    let fact: RowMAC
    let setAside: RowMAC

    init(_ key: Secret) {
        func tag(_ table: String, _ columns: [String]) -> RowMAC { RowMAC(key: key, table: table, columns: columns.dropLast()) }
        customer = tag(CustomerStatements.table, CustomerStatements.columns)
        consent = tag(ConsentStatements.table, ConsentStatements.columns)
        package = tag(PackageStatements.table, PackageStatements.columns)
        contact = tag(ContactStatements.table, ContactStatements.columns)
        fact = tag("address_fact", AddressFactRow.columns)
        setAside = RowMAC(key: key, table: SetAsideStatements.table, columns: SetAsideStatements.columns)
    }
}

extension RowMAC {
    /// The 16 bytes that stand in a row's last column.
    func bytes(_ values: some Collection<SQLValue>) -> [UInt8] { tag(values.map { RowValue($0) }).bytes }

    /// The row's columns without the tag.
    /// - Throws: `.tampered` when the tag is not that of the columns.
    func checked(_ row: SQLRow, noun: String, key: String) throws -> ArraySlice<SQLValue> {
        guard case .bytes(let stored)? = row.values.last, tag(row.values.dropLast().map { RowValue($0) }).matches(stored) else {
            throw DeskFault.tampered(noun: noun, key: key)
        }
        return row.values.dropLast()
    }
}

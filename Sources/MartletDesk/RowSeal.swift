import Guard
import MartletStore
import SQL

/// Tags the rows of one table, and believes none whose tag is not its own: a bit flipped in the database is named.
struct RowSeal: Sendable {
    private let noun: String
    private let columns: [String]
    private let mac: RowMAC

    /// - Parameters:
    ///   - noun: of the table's rows, for faults.
    ///   - columns: all but the tag, those of the key among them.
    init(_ key: Secret, table: String, noun: String, columns: [String]) {
        self.noun = noun
        self.columns = columns
        mac = RowMAC(key: key, table: table, columns: columns)
    }

    /// The tag of a row, its values in the order of the columns.
    func tag(_ values: [SQLValue]) -> SQLValue { .bytes(mac.tag(values.map { RowValue($0) }).bytes) }

    /// - Parameter key: how the row is called in a fault.
    /// - Throws: `.tampered`.
    func check(_ row: SQLRow, _ key: String) throws {
        let places = Dictionary(uniqueKeysWithValues: zip(row.columns, row.values))
        let values = columns.compactMap { places[$0] }
        guard values.count == columns.count, mac.tag(values.map { RowValue($0) }).matches(try row.bytes("mac")) else {
            throw DeskFault.tampered(noun: noun, key: key)
        }
    }
}

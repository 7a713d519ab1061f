/// One value, as both engines know it. Columns are BIGINT or SMALLINT, TEXT, and BYTEA; there are no others.
public enum SQLValue: Equatable, Sendable {
    case null
    case integer(Int64)
    case text(String)
    case bytes([UInt8])

    public static func number(_ value: some BinaryInteger) -> SQLValue { .integer(Int64(truncatingIfNeeded: value)) }
    public static func number(_ value: (some BinaryInteger)?) -> SQLValue { value.map { number($0) } ?? .null }
    public static func text(_ value: String?) -> SQLValue { value.map { .text($0) } ?? .null }
    public static func bytes(_ value: [UInt8]?) -> SQLValue { value.map { .bytes($0) } ?? .null }

    /// In words for errors, which never hold a value.
    var kind: String {
        switch self {
        case .null: "null"
        case .integer: "an integer"
        case .text: "text"
        case .bytes: "bytes"
        }
    }
}

/// Rows for one table, one after the other in one array.
public struct SQLBatch: Equatable, Sendable {
    public let table: String
    public let columns: [String]
    public private(set) var values: [SQLValue] = []
    public var count: Int { columns.isEmpty ? 0 : values.count / columns.count }
    public var isEmpty: Bool { values.isEmpty }

    public init(table: String, columns: [String]) {
        self.table = table
        self.columns = columns
    }

    public mutating func reserve(_ rows: Int) { values.reserveCapacity(rows * columns.count) }

    /// One row, its values in the order of `columns`.
    public mutating func append(_ row: SQLValue...) {
        precondition(row.count == columns.count, "a row of \(table) has \(columns.count) values")
        values.append(contentsOf: row)
    }

    public mutating func append(_ row: [SQLValue]) {
        precondition(row.count == columns.count, "a row of \(table) has \(columns.count) values")
        values.append(contentsOf: row)
    }

    public mutating func removeAll() { values.removeAll(keepingCapacity: true) }
}

/// What a batch does where a row with its key is there already. Without one such a row is a fault.
public struct SQLMerge: Equatable, Sendable {
    /// Columns of a unique index of the table. Two rows of one batch never have the same key.
    public var key: [String]
    /// A row replaces the other only where its value here is greater; nil: the row that is there stays.
    public var newest: String?
    /// A row replaces the other whatever that holds.
    public var replaces = false

    public init(key: [String], newest: String? = nil) {
        self.key = key
        self.newest = newest
    }

    /// Whatever is there gives way.
    public static func replacing(key: [String]) -> SQLMerge {
        var merge = SQLMerge(key: key)
        merge.replaces = true
        return merge
    }
}

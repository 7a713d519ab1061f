/// One row of a result. Reading it names statement and column where they do not fit.
public struct SQLRow: Sendable {
    let shape: Shape
    public let values: [SQLValue]

    /// What all rows of a result share.
    final class Shape: Sendable {
        let statement: String
        let columns: [String]
        init(statement: String, columns: [String]) {
            self.statement = statement
            self.columns = columns
        }
    }

    public var columns: [String] { shape.columns }

    public func integer(_ column: String) throws(SQLFault) -> Int64 {
        guard let value = try optionalInteger(column) else { throw wrong(column, "is null") }
        return value
    }

    public func optionalInteger(_ column: String) throws(SQLFault) -> Int64? {
        switch try value(column) {
        case .null: return nil
        case .integer(let value): return value
        case let other: throw wrong(column, "holds \(other.kind), not an integer")
        }
    }

    /// An integer of a smaller type.
    public func integer<Value: FixedWidthInteger>(_ column: String, as type: Value.Type) throws(SQLFault) -> Value {
        guard let value = Value(exactly: try integer(column)) else { throw wrong(column, "is out of range") }
        return value
    }

    public func text(_ column: String) throws(SQLFault) -> String {
        guard let value = try optionalText(column) else { throw wrong(column, "is null") }
        return value
    }

    public func optionalText(_ column: String) throws(SQLFault) -> String? {
        switch try value(column) {
        case .null: return nil
        case .text(let value): return value
        case let other: throw wrong(column, "holds \(other.kind), not text")
        }
    }

    public func bytes(_ column: String) throws(SQLFault) -> [UInt8] {
        guard let value = try optionalBytes(column) else { throw wrong(column, "is null") }
        return value
    }

    public func optionalBytes(_ column: String) throws(SQLFault) -> [UInt8]? {
        switch try value(column) {
        case .null: return nil
        case .bytes(let value): return value
        case let other: throw wrong(column, "holds \(other.kind), not bytes")
        }
    }

    private func value(_ column: String) throws(SQLFault) -> SQLValue {
        guard let index = shape.columns.firstIndex(of: column) else { throw wrong(column, "is not in the result") }
        return values[index]
    }

    private func wrong(_ column: String, _ problem: String) -> SQLFault {
        .row(statement: shape.statement, column: column, problem: problem)
    }
}

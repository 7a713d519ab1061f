/// The name of a statement, by which code calls it and errors name it: `history.byPhone`.
public struct StatementID: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    public let name: String
    public init(_ name: String) { self.name = name }
    public init(stringLiteral name: String) { self.name = name }
    public var description: String { name }
}

/// A statement in the common dialect: no now(), no sequences, no arrays, ORDER BY always said, sums and counts cast to BIGINT.
/// Parameters are `?1`, `?2`...; PostgreSQL gets them as `$1`, `$2`....
public struct Statement: Sendable {
    public let id: StatementID
    public let sql: String
    /// As PostgreSQL takes it; written once, here.
    let postgres: String
    /// How many values it takes: the highest number of a parameter.
    public let parameters: Int

    public init(_ id: StatementID, _ sql: String) {
        self.id = id
        self.sql = sql
        (postgres, parameters) = SQLText.numbered(sql)
    }
}

/// The statements of a program, registered once.
public struct StatementSet: Sendable {
    let byID: [StatementID: Statement]
    /// In the order of their registration.
    public let all: [Statement]

    /// None: for a store of which only migrations are wanted.
    public init() {
        byID = [:]
        all = []
    }

    public enum Fault: Error, Equatable, Sendable {
        case twice(StatementID)
        /// A parameter below the highest is not in the text.
        case gap(StatementID, parameter: Int)
    }

    /// - Throws: two statements of one name, or a parameter that no place uses.
    public init(_ statements: [Statement]) throws(Fault) {
        var byID: [StatementID: Statement] = [:]
        for statement in statements {
            guard byID.updateValue(statement, forKey: statement.id) == nil else { throw .twice(statement.id) }
            for parameter in 0..<statement.parameters where !SQLText.uses(parameter + 1, statement.sql) {
                throw .gap(statement.id, parameter: parameter + 1)
            }
        }
        self.byID = byID
        all = statements
    }
}

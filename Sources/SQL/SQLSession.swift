/// One transaction on one connection, as its body sees it. Not to be kept: after the body it is closed.
///
/// After a fault of a statement every further call throws that fault and nothing is committed, also when the body went on: both
/// engines behave alike.
public final class SQLSession {
    private let statements: StatementSet
    private var driver: (any DriverSession)?
    /// The first fault of a statement.
    private(set) var fault: SQLFault?

    init(_ driver: any DriverSession, _ statements: StatementSet) {
        self.driver = driver
        self.statements = statements
    }

    /// Rows that a call takes at most when it does not say.
    public static let usualMaximum = 10_000

    /// Runs a statement and returns its rows; more than `maximum` are a fault.
    public func rows(_ id: StatementID, _ values: [SQLValue] = [], maximum: Int = usualMaximum) throws(SQLFault) -> [SQLRow] {
        let statement = try find(id, values)
        return try tried { driver throws(SQLFault) in try driver.rows(statement, values, maximum: maximum, isKept: true) }
    }

    /// The first row of the result, if there is one; more than one is a fault.
    public func row(_ id: StatementID, _ values: [SQLValue] = []) throws(SQLFault) -> SQLRow? {
        try rows(id, values, maximum: 1).first
    }

    /// Runs a statement and returns how many rows it changed.
    @discardableResult public func run(_ id: StatementID, _ values: [SQLValue] = []) throws(SQLFault) -> Int {
        let statement = try find(id, values)
        return try tried { driver throws(SQLFault) in try driver.run(statement, values) }
    }

    /// Writes many rows: COPY on PostgreSQL, many rows a cached INSERT on SQLite.
    public func bulk(_ batch: SQLBatch, merge: SQLMerge? = nil) throws(SQLFault) {
        if batch.isEmpty { return }
        try check(batch.values, "bulk \(batch.table)")
        try tried { driver throws(SQLFault) in try driver.bulk(batch, merge) }
    }

    /// Statements without parameters, for what cannot have a name: tables and partitions made by code.
    public func define(_ sql: String) throws(SQLFault) {
        try tried { driver throws(SQLFault) in try driver.script(sql, name: "definition") }
    }

    /// A statement made at run time, for catalogues and checks.
    func look(_ statement: Statement, _ values: [SQLValue] = []) throws(SQLFault) -> [SQLRow] {
        try tried { driver throws(SQLFault) in try driver.rows(statement, values, maximum: 1_000_000, isKept: false) }
    }

    /// Whether the engine takes the statement; nothing is run.
    func prepare(_ statement: Statement) throws(SQLFault) {
        try tried { driver throws(SQLFault) in try driver.prepare(statement) }
    }

    func close() { driver = nil }

    private func find(_ id: StatementID, _ values: [SQLValue]) throws(SQLFault) -> Statement {
        guard let statement = statements.byID[id] else { throw failed(.unknownStatement(id.name)) }
        guard statement.parameters == values.count else {
            throw failed(
                .parameters(statement: id.name, problem: "takes \(statement.parameters) values and was given \(values.count)"))
        }
        try check(values, id.name)
        return statement
    }

    /// PostgreSQL's texts end at a zero; neither engine is given one.
    private func check(_ values: [SQLValue], _ name: String) throws(SQLFault) {
        for case .text(let text) in values where text.utf8.contains(0) {
            throw failed(.parameters(statement: name, problem: "a text holds a zero character"))
        }
    }

    private func tried<Result>(_ body: (any DriverSession) throws(SQLFault) -> Result) throws(SQLFault) -> Result {
        if let fault { throw fault }
        guard let driver else { throw .closed }
        do throws(SQLFault) {
            return try body(driver)
        } catch {
            throw failed(error)
        }
    }

    private func failed(_ fault: SQLFault) -> SQLFault {
        self.fault = self.fault ?? fault
        return fault
    }
}

/// What an engine does within a transaction.
protocol DriverSession: AnyObject {
    /// - Parameter isKept: stays prepared on the connection.
    func rows(_ statement: Statement, _ values: [SQLValue], maximum: Int, isKept: Bool) throws(SQLFault) -> [SQLRow]
    func run(_ statement: Statement, _ values: [SQLValue]) throws(SQLFault) -> Int
    func bulk(_ batch: SQLBatch, _ merge: SQLMerge?) throws(SQLFault)
    func script(_ sql: String, name: String) throws(SQLFault)
    func prepare(_ statement: Statement) throws(SQLFault)
}

/// What a transaction is for, and what it is promised.
struct TransactionKind: Sendable {
    var isRead: Bool
    var isSerializable = false
    var isDurable = true
    /// SQLite: the write-ahead log is carried into the file and cut to nothing behind it.
    var cutsLog = false
}

/// A connection of one worker thread. Only that thread touches it.
protocol DriverConnection: AnyObject {
    /// False after a fault that ended it; a session that the other side closed meanwhile is found here.
    func isAlive() -> Bool
    func open() throws(SQLFault)
    func close()
    /// Runs `body` in a transaction: all of it, or nothing.
    func perform<Result>(
        _ kind: TransactionKind, _ ticket: Ticket, _ statements: StatementSet, _ body: (SQLSession) throws -> Result
    ) throws -> Result
}

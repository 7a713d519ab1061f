/// What can go wrong between a caller and a store. Descriptions name statements, columns, constraints and codes, never a value.
public enum SQLFault: Error, Equatable, Sendable {
    /// As much work waits as may; nothing was done. Try later.
    case busy(waiting: Int)
    /// The caller's task was cancelled; the transaction did not happen.
    case cancelled
    /// The time limit passed; the transaction did not happen. `during`: the statement, or what was waited for.
    case timedOut(during: String)
    /// The database is away since then (wall milliseconds); nothing was done.
    case away(since: Int64, problem: String)
    /// The connection broke in a transaction, which therefore did not happen. Never tried again by itself.
    case lost(during: String)
    /// The connection broke, or time ran out, after the commit was sent: it may have happened or not.
    case commitUnknown
    /// Another transaction was in the way (40001, 40P01, SQLITE_BUSY); the transaction did not happen and may be tried again.
    case conflict(statement: String, code: String)
    /// A constraint said no: its name, or the columns.
    case constraint(statement: String, name: String)
    /// The database refused the statement: SQLSTATE or SQLite's code.
    case refused(statement: String, code: String, problem: String)
    case readOnly(statement: String)
    /// The disk, or what the database may use of it, is full.
    case full(statement: String)
    case disk(statement: String, problem: String)
    /// The database's own file is damaged.
    case corrupt(statement: String)
    /// The values given do not fit the statement.
    case parameters(statement: String, problem: String)
    /// A column of a result is not there or not of the kind that was asked for.
    case row(statement: String, column: String, problem: String)
    /// The result has more rows than the caller takes.
    case tooManyRows(statement: String, maximum: Int)
    case unknownStatement(String)
    /// The database cannot be reached, or turns us away.
    case connect(problem: String)
    /// A setting of the store is wrong, by the name it has in `StoreAddress`.
    case setting(name: String, problem: String)
    /// The store, or the transaction whose session this was, is closed.
    case closed
}

extension SQLFault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .busy(let waiting): "the store is busy: \(waiting) calls wait already; try later"
        case .cancelled: "cancelled; the transaction did not happen"
        case .timedOut(let during): "the time limit passed during \(during); the transaction did not happen"
        case .away(_, let problem): "the database is away: \(problem)"
        case .lost(let during): "the connection broke during \(during); the transaction did not happen"
        case .commitUnknown: "the connection broke after the commit was sent: it may have happened or not"
        case .conflict(let statement, let code): "\(statement): another transaction was in the way (\(code))"
        case .constraint(let statement, let name): "\(statement): the constraint \(name) says no"
        case .refused(let statement, let code, let problem): "\(statement): refused (\(code)): \(problem)"
        case .readOnly(let statement): "\(statement): the database is read-only"
        case .full(let statement): "\(statement): the database's disk is full"
        case .disk(let statement, let problem): "\(statement): the database's disk failed: \(problem)"
        case .corrupt(let statement): "\(statement): the database's file is damaged; restore it, or let the history be projected anew"
        case .parameters(let statement, let problem): "\(statement): \(problem)"
        case .row(let statement, let column, let problem): "\(statement): column \(column) \(problem)"
        case .tooManyRows(let statement, let maximum): "\(statement): more than \(maximum) rows"
        case .unknownStatement(let id): "there is no statement \(id)"
        case .connect(let problem): "the database cannot be reached: \(problem)"
        case .setting(let name, let problem): "\(name) \(problem)"
        case .closed: "the store is closed"
        }
    }

    /// The statement names a table that is not there: nobody migrated this database yet, or it is another one.
    public var isMissingTable: Bool {
        guard case .refused(_, let code, let problem) = self else { return false }
        // PostgreSQL has a code of its own (undefined_table); SQLite says it in words, under the code of everything it cannot compile.
        return code == "42P01" || code == "SQLite 1" && problem.hasPrefix("no such table: ")
    }

    /// The connection is of no more use after these.
    var endsConnection: Bool {
        switch self {
        case .lost, .commitUnknown, .connect: true
        default: false
        }
    }
}

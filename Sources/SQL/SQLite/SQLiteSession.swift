import GRDB
import GRDBSQLite

/// Statements on one SQLite connection. Preparing and keeping them is GRDB's; values are bound and read without a copy more than needed.
final class SQLiteSession: DriverSession {
    private let db: Database
    private let ticket: Ticket

    init(_ db: Database, _ ticket: Ticket) {
        self.db = db
        self.ticket = ticket
    }

    /// Runs `body`; SQLite asks in between whether the call is still wanted.
    static func watched<Result>(_ db: Database, _ ticket: Ticket, _ body: () throws -> Result) throws -> Result {
        sqlite3_progress_handler(db.sqliteConnection, 2000, isOver, Unmanaged.passUnretained(ticket).toOpaque())
        defer { sqlite3_progress_handler(db.sqliteConnection, 0, nil, nil) }
        return try withExtendedLifetime(ticket) { try body() }
    }

    private static let isOver: @convention(c) (UnsafeMutableRawPointer?) -> Int32 = { argument in
        guard let argument else { return 0 }
        return Unmanaged<Ticket>.fromOpaque(argument).takeUnretainedValue().over(during: "") == nil ? 0 : 1
    }

    func rows(_ statement: Statement, _ values: [SQLValue], maximum: Int, isKept: Bool) throws(SQLFault) -> [SQLRow] {
        try SQLiteSession.named(statement.id.name, ticket) {
            let handle = try prepared(statement.sql, isKept: isKept)
            defer { sqlite3_reset(handle) }
            try bind(values[...], to: handle)
            let shape = SQLRow.Shape(
                statement: statement.id.name,
                columns: (0..<sqlite3_column_count(handle)).map { sqlite3_column_name(handle, $0).map { String(cString: $0) } ?? "" })
            var rows: [SQLRow] = []
            while try step(handle) {
                guard rows.count < maximum else { throw SQLFault.tooManyRows(statement: statement.id.name, maximum: maximum) }
                rows.append(try row(handle, shape))
            }
            return rows
        }
    }

    func run(_ statement: Statement, _ values: [SQLValue]) throws(SQLFault) -> Int {
        try SQLiteSession.named(statement.id.name, ticket) {
            let handle = try prepared(statement.sql, isKept: true)
            defer { sqlite3_reset(handle) }
            try bind(values[...], to: handle)
            let before = sqlite3_total_changes(db.sqliteConnection)
            while try step(handle) {}
            return Int(sqlite3_total_changes(db.sqliteConnection) - before)
        }
    }

    func prepare(_ statement: Statement) throws(SQLFault) {
        try SQLiteSession.named(statement.id.name, ticket) { _ = try prepared(statement.sql, isKept: false) }
    }

    func script(_ sql: String, name: String) throws(SQLFault) {
        try SQLiteSession.named(name, ticket) { try db.execute(sql: sql) }
    }

    /// Rows of one INSERT; more gain nothing.
    private static let rowsAtOnce = 32

    func bulk(_ batch: SQLBatch, _ merge: SQLMerge?) throws(SQLFault) {
        try SQLiteSession.named("bulk \(batch.table)", ticket) {
            let width = batch.columns.count
            let head = "INSERT INTO \(batch.table) (\(batch.columns.joined(separator: ", "))) VALUES "
            let tail = merge.map { " \($0.clause(batch))" } ?? ""
            let one = "(\(Array(repeating: "?", count: width).joined(separator: ", ")))"
            var next = 0
            for size in [SQLiteSession.rowsAtOnce, 1] where batch.count - next >= size {
                let rows = Array(repeating: one, count: size).joined(separator: ", ")
                let handle = try prepared(head + rows + tail, isKept: true)
                while batch.count - next >= size {
                    defer { sqlite3_reset(handle) }
                    try bind(batch.values[next * width..<(next + size) * width], to: handle)
                    while try step(handle) {}
                    next += size
                }
            }
        }
    }

    /// Prepared on the connection once, as long as GRDB keeps it.
    private func prepared(_ sql: String, isKept: Bool) throws -> OpaquePointer {
        let statement = isKept ? try db.cachedStatement(sql: sql) : try db.makeStatement(sql: sql)
        if !isKept { held.append(statement) }
        return statement.sqliteStatement
    }

    /// Statements of this session alone, which must live as long as their handles are used.
    private var held: [GRDB.Statement] = []

    private func bind(_ values: ArraySlice<SQLValue>, to handle: OpaquePointer) throws {
        for (offset, value) in values.enumerated() {
            let place = Int32(offset + 1)
            let code =
                switch value {
                case .null: sqlite3_bind_null(handle, place)
                case .integer(let value): sqlite3_bind_int64(handle, place, value)
                case .text(var value):
                    value.withUTF8 { bytes in
                        bytes.withMemoryRebound(to: CChar.self) {
                            sqlite3_bind_text64(
                                handle, place, $0.baseAddress, UInt64($0.count), SQLiteSession.copied, UInt8(SQLITE_UTF8))
                        }
                    }
                case .bytes(let value):
                    // An empty array may have no address, and without one SQLite would bind null.
                    value.isEmpty
                        ? sqlite3_bind_zeroblob(handle, place, 0)
                        : value.withUnsafeBytes {
                            sqlite3_bind_blob64(handle, place, $0.baseAddress, UInt64($0.count), SQLiteSession.copied)
                        }
                }
            guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
        }
    }

    // SQLITE_TRANSIENT, a macro that is not imported: the address -1 says that SQLite shall copy. It is compared, never called.
    private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    /// Whether there is a row.
    private func step(_ handle: OpaquePointer) throws -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            throw DatabaseError(
                resultCode: ResultCode(rawValue: sqlite3_extended_errcode(db.sqliteConnection)),
                message: String(cString: sqlite3_errmsg(db.sqliteConnection)))
        }
    }

    private func row(_ handle: OpaquePointer, _ shape: SQLRow.Shape) throws -> SQLRow {
        var values: [SQLValue] = []
        values.reserveCapacity(shape.columns.count)
        for column in 0..<Int32(shape.columns.count) {
            switch sqlite3_column_type(handle, column) {
            case SQLITE_NULL: values.append(.null)
            case SQLITE_INTEGER: values.append(.integer(sqlite3_column_int64(handle, column)))
            case SQLITE_TEXT:
                let bytes = UnsafeRawBufferPointer(
                    start: sqlite3_column_text(handle, column), count: Int(sqlite3_column_bytes(handle, column)))
                values.append(.text(String(decoding: bytes, as: UTF8.self)))
            case SQLITE_BLOB:
                let bytes = UnsafeRawBufferPointer(
                    start: sqlite3_column_blob(handle, column), count: Int(sqlite3_column_bytes(handle, column)))
                values.append(.bytes(Array(bytes)))
            default:
                throw SQLFault.row(
                    statement: shape.statement, column: shape.columns[Int(column)], problem: "holds a real number; cast it to BIGINT")
            }
        }
        return SQLRow(shape: shape, values: values)
    }

    private static func named<Result>(_ name: String, _ ticket: Ticket, _ body: () throws -> Result) throws(SQLFault) -> Result {
        // Before each: many small statements never run for long enough to be asked by SQLite.
        if let over = ticket.over(during: name) { throw over }
        do {
            return try body()
        } catch {
            throw fault(error, name, ticket)
        }
    }

    /// GRDB's error in our words. Its message holds names of tables and columns; its arguments, which are values, are left out.
    static func fault(_ error: any Error, _ statement: String, _ ticket: Ticket?) -> SQLFault {
        if let fault = error as? SQLFault { return fault }
        guard let error = error as? DatabaseError else { return .refused(statement: statement, code: "-", problem: "\(type(of: error))") }
        let code = error.extendedResultCode.rawValue
        if error.extendedResultCode == .SQLITE_CONSTRAINT_DATATYPE || error.resultCode == .SQLITE_MISMATCH {
            return .parameters(statement: statement, problem: "a value does not fit its column")
        }
        switch error.resultCode {
        case .SQLITE_INTERRUPT, .SQLITE_ABORT: return ticket?.over(during: statement) ?? .cancelled
        case .SQLITE_BUSY, .SQLITE_LOCKED: return .conflict(statement: statement, code: "SQLITE_BUSY")
        case .SQLITE_CONSTRAINT: return .constraint(statement: statement, name: constraint(error.message ?? ""))
        case .SQLITE_READONLY: return .readOnly(statement: statement)
        case .SQLITE_FULL: return .full(statement: statement)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: return .corrupt(statement: statement)
        case .SQLITE_IOERR: return .disk(statement: statement, problem: "SQLite's code \(code)")
        case .SQLITE_CANTOPEN: return .connect(problem: "the file cannot be opened; is its directory there and writable?")
        default: return .refused(statement: statement, code: "SQLite \(code)", problem: error.message ?? "")
        }
    }

    /// `UNIQUE constraint failed: principal.name` to `principal.name`.
    private static func constraint(_ message: String) -> String {
        message.firstRange(of: ": ").map { String(message[$0.upperBound...]) } ?? message
    }
}

extension SQLMerge {
    /// The same words for both engines.
    func clause(_ batch: SQLBatch) -> String {
        let target = "ON CONFLICT (\(key.joined(separator: ", "))) DO"
        guard newest != nil || replaces else { return "\(target) NOTHING" }
        let sets = batch.columns.filter { !key.contains($0) }.map { "\($0) = excluded.\($0)" }
        guard let newest else { return "\(target) UPDATE SET \(sets.joined(separator: ", "))" }
        return "\(target) UPDATE SET \(sets.joined(separator: ", ")) WHERE excluded.\(newest) > \(batch.table).\(newest)"
    }
}

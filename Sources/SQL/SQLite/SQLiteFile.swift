import GRDB
import Glibc
import Synchronization

/// The one pool of connections to a file, shared by the workers: one writer, several readers on snapshots (WAL).
final class SQLiteFile: Sendable {
    private struct State {
        var pool: (any DatabaseWriter)?
        var users = 0
    }

    let path: String
    private let readers: Int
    private let state = Mutex(State())

    /// - Parameter path: empty: in memory.
    init(_ path: String, readers: Int) {
        self.path = path
        self.readers = max(1, readers)
    }

    func open() throws(SQLFault) -> any DatabaseWriter {
        let result: Result<any DatabaseWriter, SQLFault> = state.withLock { state in
            if let pool = state.pool {
                state.users += 1
                return .success(pool)
            }
            do {
                let pool = try make()
                state.pool = pool
                state.users += 1
                return .success(pool)
            } catch {
                return .failure(SQLiteSession.fault(error, "open", nil))
            }
        }
        return try result.get()
    }

    /// The last user closes the file. Its write-ahead log is then in the file, so a fault there means only that the next start reads it.
    func close() -> SQLFault? {
        let pool = state.withLock { state -> (any DatabaseWriter)? in
            state.users -= 1
            guard state.users == 0 else { return nil }
            defer { state.pool = nil }
            return state.pool
        }
        do {
            try pool?.close()
            return nil
        } catch {
            return SQLiteSession.fault(error, "close", nil)
        }
    }

    private func make() throws -> any DatabaseWriter {
        var configuration = Configuration()
        configuration.label = "store"
        configuration.maximumReaderCount = readers
        // Another process (a check, a migration) may be writing.
        configuration.busyMode = .timeout(1)
        configuration.prepareDatabase { db in
            // A damaged page is found when it is read, not when its content is used.
            try db.execute(sql: "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF")
            try db.execute(sql: "PRAGMA cache_size = \(db.configuration.readonly ? -16_384 : -131_072)")
            if !db.configuration.readonly {
                try db.execute(sql: "PRAGMA wal_autocheckpoint = 8000; PRAGMA journal_size_limit = 67108864")
                // What is deleted or overwritten is zeros in the file, not a free page with a customer's ciphertext. Debian's build does so anyway.
                try db.execute(sql: "PRAGMA secure_delete = ON")
            }
        }
        if path.isEmpty { return try DatabaseQueue(configuration: configuration) }
        // What it holds is its owner's alone; SQLite gives the files beside it the same rights.
        let descriptor = Glibc.open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw SQLFault.connect(
                problem: "the file cannot be opened (\(String(cString: strerror(errno)))); is its directory there and writable?")
        }
        Glibc.close(descriptor)
        return try DatabasePool(path: path, configuration: configuration)
    }
}

/// One worker's use of the pool.
final class SQLiteConnection: DriverConnection {
    private let file: SQLiteFile
    private var pool: (any DatabaseWriter)?
    /// Of the writer's connection: whether a commit waits for the disk.
    private var isDurable: Bool?

    init(_ file: SQLiteFile) { self.file = file }

    func isAlive() -> Bool { pool != nil }

    func open() throws(SQLFault) {
        pool = try file.open()
        isDurable = nil
    }

    func close() {
        guard pool != nil else { return }
        pool = nil
        _ = file.close()
    }

    func perform<Result>(
        _ kind: TransactionKind, _ ticket: Ticket, _ statements: StatementSet, _ body: (SQLSession) throws -> Result
    ) throws -> Result {
        guard let pool else { throw SQLFault.closed }
        func within(_ db: Database) throws -> Result {
            let session = SQLSession(SQLiteSession(db, ticket), statements)
            defer { session.close() }
            let result = try SQLiteSession.watched(db, ticket) { try body(session) }
            if let fault = session.fault { throw fault }
            if let over = ticket.over(during: "commit") { throw over }
            return result
        }
        do {
            if kind.isRead { return try pool.read(within) }
            return try pool.writeWithoutTransaction { db in
                if isDurable != kind.isDurable {
                    try db.execute(sql: kind.isDurable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL")
                    isDurable = kind.isDurable
                }
                var result: Result?
                try db.inTransaction(.immediate) {
                    result = try within(db)
                    return .commit
                }
                if kind.cutsLog { try db.checkpoint(.truncate) }
                guard let result else { throw SQLFault.closed }
                return result
            }
        } catch let error as DatabaseError {
            throw SQLiteSession.fault(error, "commit", ticket)
        }
    }
}

import Synchronization

/// A database: SQLite in a file beside the program, or a PostgreSQL server. One set of statements for both.
///
/// Calls run on threads of the store's own. A call never waits for longer than its time limit, ends soon when its task is
/// cancelled, and is refused when too many wait already. Nothing is tried again behind the caller's back, but transactions that say so.
public final class SQLStore: Sendable {
    public enum Engine: String, Sendable, CaseIterable { case sqlite, postgres }

    public struct Options: Sendable {
        /// Connections that read; SQLite's readers see a snapshot and wait for no writer.
        public var readers = 3
        /// Connections that write. SQLite has one, whatever stands here.
        public var writers = 2
        /// Calls that may wait, for reading and for writing each.
        public var waiting = 256
        /// Time limit of calls that state none.
        public var limit = Duration.seconds(30)
        /// Longest try to connect.
        public var connectLimit = Duration.seconds(5)
        public var backoff = Backoff()
        public init() {}
    }

    /// What other transactions may do meanwhile.
    public enum Isolation: Sendable {
        /// Each statement sees what was committed before it (PostgreSQL); SQLite has one writer at a time anyway.
        case committed
        /// As if they ran one after the other; may fail as `conflict`.
        case serializable
    }

    /// When a commit is answered.
    public enum Durability: Sendable {
        /// When it is on disk.
        case synced
        /// Before: a power cut may take the last ones, whole and in order. For what can be made again from elsewhere.
        case relaxed
    }

    public let engine: Engine
    public let statements: StatementSet
    public let options: Options
    private let health: Health
    private let reading: Lane
    private let writing: Lane

    /// Starts the threads and returns at once; they connect by themselves, now and whenever the connection is lost.
    public init(_ address: StoreAddress, statements: StatementSet, options: Options = Options()) {
        self.statements = statements
        self.options = options
        let health = Health()
        self.health = health
        let make: @Sendable (Alarm) -> any DriverConnection
        switch address {
        case .sqlite(let file):
            engine = .sqlite
            let shared = SQLiteFile(file, readers: options.readers)
            make = { _ in SQLiteConnection(shared) }
        case .postgres(let address):
            engine = .postgres
            make = { PostgresConnection(address, connectLimit: options.connectLimit, alarm: $0) }
        }
        reading = Lane(
            "sql-read", workers: max(1, options.readers), maximum: options.waiting, backoff: options.backoff, health: health,
            connection: make)
        writing = Lane(
            "sql-write", workers: engine == .sqlite ? 1 : max(1, options.writers), maximum: options.waiting, backoff: options.backoff,
            health: health, connection: make)
    }

    deinit {
        // Whoever forgot `close` still gets its threads ended.
        reading.close {}
        writing.close {}
    }

    public var state: SQLState {
        let (read, write) = (reading.load, writing.load)
        return health.read(waiting: read.waiting + write.waiting, running: read.running + write.running)
    }

    /// Runs `body` on one snapshot of the database; it cannot write.
    /// - Throws: `SQLFault`, and what `body` throws.
    @discardableResult public func read<Result: Sendable>(
        limit: Duration? = nil, _ body: @escaping @Sendable (SQLSession) throws -> Result
    ) async throws -> Result {
        try await perform(reading, TransactionKind(isRead: true), limit, repeats: 0, body)
    }

    /// Runs `body` in one transaction: all of it happens, or nothing.
    /// - Parameter repeats: how often it is run again after a conflict with another transaction. `body` then must do nothing but
    ///   talk to its session.
    /// - Throws: `SQLFault`, and what `body` throws, which rolls back.
    @discardableResult public func transaction<Result: Sendable>(
        _ isolation: Isolation = .committed, durability: Durability = .synced, repeats: Int = 0, limit: Duration? = nil,
        _ body: @escaping @Sendable (SQLSession) throws -> Result
    ) async throws -> Result {
        let kind = TransactionKind(isRead: false, isSerializable: isolation == .serializable, isDurable: durability == .synced)
        return try await perform(writing, kind, limit, repeats: repeats, body)
    }

    /// Sees to it that what was deleted before is not left in SQLite's write-ahead log either. Of a PostgreSQL server this asks nothing: there dead
    /// rows go with its VACUUM, and its log by the administrator's rules.
    /// - Throws: `SQLFault.conflict` while a reader still needs the log: try again.
    public func cutLog() async throws {
        guard engine == .sqlite else { return }
        try await perform(writing, TransactionKind(isRead: false, cutsLog: true), nil, repeats: 3) { _ in }
    }

    /// Lets running calls end, fails waiting ones as closed, and returns when the connections are closed.
    public func close() async {
        for lane in [reading, writing] {
            await withCheckedContinuation { done in lane.close { done.resume() } }
        }
    }

    private func perform<Result: Sendable>(
        _ lane: Lane, _ kind: TransactionKind, _ limit: Duration?, repeats: Int,
        _ body: @escaping @Sendable (SQLSession) throws -> Result
    ) async throws -> Result {
        let ticket = Ticket(limit: limit ?? options.limit)
        let (statements, health) = (statements, health)
        let holder = Mutex<Job?>(nil)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (waiter: CheckedContinuation<Result, any Error>) in
                let job = Job(
                    ticket,
                    run: { connection in
                        var again = repeats
                        while true {
                            do {
                                return waiter.resume(returning: try connection.perform(kind, ticket, statements, body))
                            } catch let fault as SQLFault {
                                if case .conflict = fault, again > 0, ticket.over(during: "conflict") == nil {
                                    again -= 1
                                    Clock.pause(.milliseconds(Int64.random(in: 1...20)))
                                    continue
                                }
                                // Before the caller hears of it, so that it finds the state as the call left it.
                                health.failed(fault)
                                return waiter.resume(throwing: fault)
                            } catch {
                                return waiter.resume(throwing: error)
                            }
                        }
                    },
                    fail: { waiter.resume(throwing: $0) })
                holder.withLock { $0 = job }
                if let fault = lane.offer(job) { job.fail(fault) }
            }
        } onCancel: {
            ticket.cancel()
            if let job = holder.withLock({ $0 }) { lane.cancel(job) }
        }
    }
}

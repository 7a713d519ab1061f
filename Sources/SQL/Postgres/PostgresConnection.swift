import CPostgres
import Glibc

/// One connection to a server, of one worker thread. Every wait has an end: a server that says nothing costs a time limit, not a thread.
final class PostgresConnection: DriverConnection {
    private let address: PostgresAddress
    private let connectLimit: Duration
    private let alarm: Alarm
    private var wire: PostgresWire?

    init(_ address: PostgresAddress, connectLimit: Duration, alarm: Alarm) {
        self.address = address
        self.connectLimit = connectLimit
        self.alarm = alarm
    }

    deinit { close() }

    func isAlive() -> Bool { wire?.isAlive() ?? false }

    func open() throws(SQLFault) {
        close()
        wire = try PostgresWire(address, Ticket(limit: connectLimit), alarm)
    }

    func close() {
        wire?.close()
        wire = nil
    }

    func perform<Result>(
        _ kind: TransactionKind, _ ticket: Ticket, _ statements: StatementSet, _ body: (SQLSession) throws -> Result
    ) throws -> Result {
        let wire = try begun(kind, ticket)
        let session = SQLSession(PostgresSession(wire), statements)
        let result: Result
        do {
            defer { session.close() }
            result = try body(session)
            if let fault = session.fault { throw fault }
            if let over = ticket.over(during: "commit") { throw over }
        } catch {
            rollBack(wire, ticket)
            throw error
        }
        // A commit is not left half way: it has a second, whatever was used up.
        wire.ticket = ticket.ending(least: .seconds(1))
        do throws(SQLFault) {
            try wire.simple("COMMIT", name: "commit")
        } catch {
            switch error {
            case .lost, .timedOut, .cancelled:
                // Of a read nothing depends on its end.
                if kind.isRead { return result }
                throw SQLFault.commitUnknown
            default:
                rollBack(wire, ticket)
                throw error
            }
        }
        return result
    }

    /// A transaction with nothing in it yet. So a connection that breaks here, as one does whose server was restarted a moment ago, is
    /// made anew, once; it is the only place where anything is tried again.
    private func begun(_ kind: TransactionKind, _ ticket: Ticket) throws(SQLFault) -> PostgresWire {
        var begin = "BEGIN ISOLATION LEVEL READ COMMITTED"
        if kind.isRead { begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" }
        if kind.isSerializable { begin = "BEGIN ISOLATION LEVEL SERIALIZABLE" }
        if !kind.isRead, !kind.isDurable { begin += "; SET LOCAL synchronous_commit = off" }
        var isAgain = false
        while true {
            guard let wire else { throw .closed }
            wire.ticket = ticket
            do throws(SQLFault) {
                try wire.simple(begin, name: "begin")
                return wire
            } catch {
                guard case .lost = error, !isAgain else { throw error }
                isAgain = true
                if (try? open()) == nil { throw error }
            }
        }
    }

    /// A rollback that fails ends the connection, and with it the transaction.
    private func rollBack(_ wire: PostgresWire, _ ticket: Ticket) {
        guard wire.isOpen else { return }
        wire.ticket = ticket.ending(least: .seconds(1))
        do throws(SQLFault) {
            try wire.simple("ROLLBACK", name: "rollback")
        } catch {
            wire.close()
        }
    }
}

import CPostgres
import Glibc

/// libpq without its blocking calls: what is sent is flushed, and what is awaited is polled for, until the ticket is over.
/// A call given up on closes the connection: what the server would still say belongs to nobody. The server notices within a second
/// (`client_connection_check_interval`) and stops the statement.
final class PostgresWire {
    private var connection: OpaquePointer?
    private let alarm: Alarm
    var ticket: Ticket
    /// Names of statements that are prepared on this connection.
    var prepared: Set<String> = []
    /// Types of a table's columns, by table and columns.
    var types: [String: [Oid]] = [:]
    /// Tables that merges go through, by table and columns; those in use hold rows of this transaction.
    var stages: [String: (name: String, isUsed: Bool)] = [:]

    var isOpen: Bool { connection != nil }

    /// The oldest version that has all the statements use.
    private static let oldestVersion: Int32 = 120_000

    init(_ address: PostgresAddress, _ ticket: Ticket, _ alarm: Alarm) throws(SQLFault) {
        self.ticket = ticket
        self.alarm = alarm
        let deciding = PostgresEnvironment.deciding(beside: address.parameters.filter { !$0.value.isEmpty }.map(\.name))
        guard deciding.isEmpty else {
            let (variables, verb) = (deciding.joined(separator: ", "), deciding.count == 1 ? "is" : "are")
            throw .connect(
                problem:
                    "\(variables) \(verb) set in the environment, from which libpq would take where the database is or how it is reached; "
                    + "unset it, the settings of the store say that")
        }
        let names = address.parameters.map { strdup($0.name) }
        let values = address.parameters.map { strdup($0.value) }
        defer { for text in names + values { free(text) } }
        let nameList = names.map { UnsafePointer($0) } + [nil]
        let valueList = values.map { UnsafePointer($0) } + [nil]
        guard let connection = PQconnectStartParams(nameList, valueList, 0) else { throw .connect(problem: "no memory") }
        self.connection = connection
        // Notices may hold what a statement was about; none goes to the process's standard error.
        PQsetNoticeProcessor(connection, PostgresWire.silent, nil)
        do throws(SQLFault) {
            try connect(connection)
            let (host, place) = (PostgresWire.text(PQhost(connection)), PostgresWire.text(PQhostaddr(connection)))
            guard PostgresAddress.mayBeUsed(hasTLS: PQsslInUse(connection) == 1, host: host, address: place) else {
                throw .connect(problem: "\(host) led to another machine without TLS")
            }
            let version = PQserverVersion(connection)
            guard version >= PostgresWire.oldestVersion else {
                throw .connect(problem: "its version is \(version / 10_000); 12 or later is needed")
            }
            guard PQsetnonblocking(connection, 1) == 0 else { throw .connect(problem: "libpq refuses non-blocking use") }
            if version >= 140_000 { try simple("SET client_connection_check_interval = 1000", name: "connect") }
        } catch {
            close()
            switch error {
            case .connect: throw error
            default: throw .connect(problem: error.description)
            }
        }
    }

    deinit { close() }

    private static let silent: @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?) -> Void = { _, _ in }

    private func connect(_ connection: OpaquePointer) throws(SQLFault) {
        guard PQstatus(connection) != CONNECTION_BAD else { throw .connect(problem: PostgresWire.firstLine(connection)) }
        var wanted = Int16(POLLOUT)
        while true {
            // A signal or the alarm may wake it; then the same is waited for again.
            guard try wait(wanted, during: "connecting", isBreakable: false) else { continue }
            switch PQconnectPoll(connection) {
            case PGRES_POLLING_OK: return
            case PGRES_POLLING_READING: wanted = Int16(POLLIN)
            case PGRES_POLLING_WRITING: wanted = Int16(POLLOUT)
            default: throw .connect(problem: PostgresWire.firstLine(connection))
            }
        }
    }

    /// libpq's words on why there is no connection: host, port, user, never a password.
    private static func firstLine(_ connection: OpaquePointer) -> String {
        text(PQerrorMessage(connection)).split(whereSeparator: \.isNewline).joined(separator: "; ")
    }

    private static func text(_ text: UnsafePointer<CChar>?) -> String { text.map { String(cString: $0) } ?? "" }

    func close() {
        if let connection { PQfinish(connection) }
        connection = nil
    }

    /// False when the server has closed its end.
    func isAlive() -> Bool {
        guard let connection else { return false }
        // What may lie there: a last word, and the end of the stream behind it.
        for _ in 0..<8 {
            var entry = pollfd(fd: PQsocket(connection), events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 0) > 0 else { break }
            guard PQconsumeInput(connection) == 1, PQstatus(connection) == CONNECTION_OK else { return false }
            if PQisBusy(connection) == 0, PQstatus(connection) != CONNECTION_OK { return false }
        }
        return PQstatus(connection) == CONNECTION_OK
    }

    /// Statements without parameters and without interest in rows.
    func simple(_ sql: String, name: String) throws(SQLFault) {
        let connection = try live(name)
        try sent(PQsendQuery(connection, sql), name)
        let result = try results(name)
        defer { PQclear(result) }
        // A commit of a transaction in which something failed is a rollback, and says so only here.
        if sql == "COMMIT", let status = PQcmdStatus(result), String(cString: status) != "COMMIT" {
            throw .refused(statement: name, code: "25P02", problem: "the transaction had failed and was rolled back")
        }
    }

    func prepare(_ statement: Statement, name: String) throws(SQLFault) {
        let connection = try live(statement.id.name)
        try sent(PQsendPrepare(connection, name, statement.postgres, 0, nil), statement.id.name)
        PQclear(try results(statement.id.name))
    }

    /// Runs a statement with values: prepared by name, or once when `name` is nil. Results come in binary form.
    func execute(_ statement: Statement, prepared name: String?, _ values: [SQLValue]) throws(SQLFault) -> OpaquePointer? {
        let connection = try live(statement.id.name)
        let parameters = PostgresParameters(values)
        let code = parameters.withPointers { pointers, lengths, formats in
            if let name {
                PQsendQueryPrepared(connection, name, Int32(values.count), pointers, lengths, formats, 1)
            } else {
                PQsendQueryParams(connection, statement.postgres, Int32(values.count), nil, pointers, lengths, formats, 1)
            }
        }
        try sent(code, statement.id.name)
        return try results(statement.id.name)
    }

    /// Bytes of a COPY that has begun.
    func put(_ bytes: [UInt8], name: String) throws(SQLFault) {
        let connection = try live(name)
        while true {
            let code = bytes.withUnsafeBytes {
                PQputCopyData(connection, $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32($0.count))
            }
            switch code {
            case 1: return try flush(name)
            case 0: _ = try wait(Int16(POLLOUT), during: name)
            default: throw broken(name)
            }
        }
    }

    /// - Parameter problem: ends the COPY without its rows; nil: with them.
    func endCopy(_ problem: String?, name: String) throws(SQLFault) {
        let connection = try live(name)
        while true {
            switch PQputCopyEnd(connection, problem) {
            case 1:
                try flush(name)
                PQclear(try results(name))
                return
            case 0: _ = try wait(Int16(POLLOUT), during: name)
            default: throw broken(name)
            }
        }
    }

    private func live(_ name: String) throws(SQLFault) -> OpaquePointer {
        if let over = ticket.over(during: name) { throw over }
        guard let connection else { throw .lost(during: name) }
        return connection
    }

    private func sent(_ code: Int32, _ name: String) throws(SQLFault) {
        guard code == 1 else { throw broken(name) }
        try flush(name)
    }

    private func flush(_ name: String) throws(SQLFault) {
        guard let connection else { throw .lost(during: name) }
        while true {
            switch PQflush(connection) {
            case 0: return
            case 1:
                // The server may want to be heard before it takes more.
                if try wait(Int16(POLLOUT | POLLIN), during: name), PQconsumeInput(connection) != 1 { throw broken(name) }
            default: throw broken(name)
            }
        }
    }

    /// The result of what was sent, when all of it has come; of several the first fault, else the last.
    private func results(_ name: String) throws(SQLFault) -> OpaquePointer? {
        guard let connection else { throw .lost(during: name) }
        var last: OpaquePointer?
        var fault: SQLFault?
        while true {
            while PQisBusy(connection) == 1 {
                let isReady: Bool
                do throws(SQLFault) {
                    isReady = try wait(Int16(POLLIN), during: name)
                } catch {
                    PQclear(last)
                    throw error
                }
                if isReady, PQconsumeInput(connection) != 1 {
                    PQclear(last)
                    throw broken(name)
                }
            }
            guard let result = PQgetResult(connection) else { break }
            PQclear(last)
            last = result
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK: break
            case PGRES_COPY_IN: return result
            default: fault = fault ?? PostgresWire.fault(result, name)
            }
        }
        if PQstatus(connection) != CONNECTION_OK {
            PQclear(last)
            throw broken(name)
        }
        if let fault {
            PQclear(last)
            throw fault
        }
        return last
    }

    private func broken(_ name: String) -> SQLFault {
        close()
        return .lost(during: name)
    }

    /// Waits for the socket. False: woken by something else, with time left.
    /// - Parameter isBreakable: whether the alarm, rung for a cancelled call, counts.
    private func wait(_ events: Int16, during name: String, isBreakable: Bool = true) throws(SQLFault) -> Bool {
        guard let connection else { throw .lost(during: name) }
        if let over = ticket.over(during: name) {
            close()
            throw over
        }
        let now = Clock.now
        let left = ticket.deadline > now ? ticket.deadline - now : 0
        var entries = [
            pollfd(fd: PQsocket(connection), events: events, revents: 0),
            pollfd(fd: isBreakable ? alarm.descriptor : -1, events: Int16(POLLIN), revents: 0),
        ]
        poll(&entries, 2, Int32(min(left / 1_000_000 + 1, 60_000)))
        // Rung for a call that is over: the next wait would spin on it.
        if entries[1].revents != 0 { alarm.clear() }
        return entries[0].revents != 0
    }

    /// The server's error in our words. Only code, constraint and, where it holds no value, its main sentence are taken.
    private static func fault(_ result: OpaquePointer, _ name: String) -> SQLFault {
        func field(_ letter: Unicode.Scalar) -> String {
            PQresultErrorField(result, Int32(letter.value)).map { String(cString: $0) } ?? ""
        }
        let code = field("C")
        switch code {
        case "40001", "40P01", "55P03": return .conflict(statement: name, code: code)
        case "57014": return .timedOut(during: name)
        case "25006": return .readOnly(statement: name)
        case "53100": return .full(statement: name)
        case "58030": return .disk(statement: name, problem: code)
        case "XX001", "XX002": return .corrupt(statement: name)
        case _ where code.hasPrefix("08") || code.hasPrefix("57P"): return .lost(during: name)
        case _ where code.hasPrefix("23"):
            let constraint = field("n")
            return .constraint(statement: name, name: constraint.isEmpty ? "\(field("t")).\(field("c"))" : constraint)
        case "22P02", "22P03", "22003", "22021": return .parameters(statement: name, problem: "a value does not fit its column")
        // Of the class "data exception" the sentence repeats the value.
        case _ where code.hasPrefix("22"): return .refused(statement: name, code: code, problem: "a value cannot be worked with")
        default: return .refused(statement: name, code: code, problem: field("M"))
        }
    }
}

/// Values as libpq takes them: numbers and texts as text, bytes as they are.
private struct PostgresParameters {
    private var storage: [UInt8] = []
    /// Of each value where it begins, and nil of null.
    private var offsets: [Int?] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []

    init(_ values: [SQLValue]) {
        for value in values {
            switch value {
            case .null:
                offsets.append(nil)
                lengths.append(0)
                formats.append(0)
            case .integer(let value): add("\(value)".utf8, isText: true)
            case .text(let value): add(value.utf8, isText: true)
            case .bytes(let value): add(value, isText: false)
            }
        }
    }

    private mutating func add(_ bytes: some Collection<UInt8>, isText: Bool) {
        offsets.append(storage.count)
        lengths.append(Int32(clamping: bytes.count))
        formats.append(isText ? 0 : 1)
        storage.append(contentsOf: bytes)
        storage.append(0)
    }

    func withPointers<Result>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?) -> Result
    ) -> Result {
        storage.withUnsafeBytes { bytes in
            let pointers = offsets.map { offset -> UnsafePointer<CChar>? in
                guard let offset else { return nil }
                return bytes.baseAddress?.advanced(by: offset).assumingMemoryBound(to: CChar.self)
            }
            return body(pointers, lengths, formats)
        }
    }
}

import Guard
public import Logging
import MartletModel
import MartletStore
import SQL

/// Ends erasures in the history. When a customer is erased the newest messages may stand in the log and not in the history yet; those whose text a key
/// of class and day sealed would be found there later. So an erasure stays open until all that the log held when it was wished has come to the
/// history and was forgotten there. It is done again when the log is projected anew, and remembered until the log holds nothing from before it.
///
/// And it destroys the key where the process that erased the customer's row did not come to that.
public struct ErasureEnding: Sendable {
    private let customers: Customers
    private let isProjected: @Sendable () async throws -> Bool
    private let oldest: @Sendable () throws -> Int64?
    private let logger: Logger

    private var desk: Desk { customers.desk }

    /// The node hears of an erasure within this; what it accepts until then may still be of the person. Milliseconds.
    static let heard: Int64 = 2000
    /// A message that waits is carried forward in the log for no longer than its validity and the 72 hours in which its source is told.
    static let carried: Int64 = 14 * 86_400_000
    /// Addresses of one look: more than one customer has.
    private static let page = 512

    /// - Parameters:
    ///   - isProjected: whether all that the log holds at the time of the call is durably in the history, after some patience.
    ///   - oldest: wall milliseconds of the log's oldest record; nil: there is none.
    public init(
        _ customers: Customers, isProjected: @escaping @Sendable () async throws -> Bool, oldest: @escaping @Sendable () throws -> Int64?,
        logger: Logger
    ) {
        self.customers = customers
        self.isProjected = isProjected
        self.oldest = oldest
        self.logger = logger
    }

    /// Until the task is cancelled. A history that does not get on is said after an hour.
    public func run(pause: Duration = .seconds(1)) async throws {
        var round = 0
        var told = false
        while true {
            let open = try await end()
            let late = open.map { desk.nowMilliseconds - $0 > 3_600_000 } ?? false
            if late, !told {
                logger.error("an erasure waits for the history, which does not keep up with the log", metadata: ["since": "\(open ?? 0)"])
            }
            told = late
            if round % 600 == 0 { try await drop() }
            round += 1
            try await Task.sleep(for: pause)
        }
    }

    /// One look.
    /// - Returns: wall milliseconds of the oldest wish that has to wait; nil: none is open.
    func end() async throws -> Int64? {
        let limit = desk.nowMilliseconds - ErasureEnding.heard
        var due = try await desk.store.read { session in
            try session.rows(ErasureStatements.open, [.integer(limit), .number(ErasureEnding.page)]).map { try Open($0) }
        }
        guard let oldest = due.map(\.wishedAt).min() else { return nil }
        try await destroyKeys(Set(due.map(\.subject)).sorted())
        guard try await isProjected() else { return oldest }
        // The page may cut through the addresses of the last customer, who is ended as a whole: that one waits for the next look.
        if due.count == ErasureEnding.page, let cut = due.last?.subject { due.removeAll { $0.subject == cut } }
        for messages in ErasureEnding.bySubject(due) {
            let (subject, at) = (messages.subject, desk.nowMilliseconds)
            let upTo = due.filter { $0.subject == subject }.map(\.wishedAt).max() ?? limit
            try await HistoryErasing(desk: desk, keys: customers.vault.history, now: at, upTo: upTo + ErasureEnding.heard)
                .run(messages)
            _ = try await desk.store.transaction { try $0.run(ErasureStatements.end, [.number(subject), .integer(at)]) }
            logger.notice("an erasure is ended in the history", metadata: ["customer": "\(subject)"])
        }
        do {
            try await desk.store.cutLog()
        } catch SQLFault.conflict {
            // Somebody reads just now. What stands there is overwritten by what is written next.
            logger.info("the write-ahead log of the store could not be cut behind an erasure; its next checkpoint does")
        }
        return nil
    }

    /// Of those whose row says, under its tag, that they are erased: a row of `erasure` alone destroys nothing.
    private func destroyKeys(_ subjects: [SubjectNumber]) async throws {
        let keys = customers.vault.subjects
        let left = subjects.filter { keys.key($0).key != nil }
        guard !left.isEmpty else { return }
        let erased = try await desk.store.read { session in
            try left.filter { try customers.row(subject: $0, session)?.erasedAt != nil }
        }
        guard !erased.isEmpty else { return }
        try keys.erase(erased, time: desk.now())
        logger.notice("keys of erased customers are destroyed, which an end of the desk had kept", metadata: ["keys": "\(erased.count)"])
    }

    /// Forgets erasures from before the log's oldest record.
    func drop() async throws {
        let before = min(try oldest() ?? .max, desk.nowMilliseconds) - ErasureEnding.carried
        _ = try await desk.store.transaction { try $0.run(ErasureStatements.drop, [.integer(before)]) }
    }

    private struct Open: Sendable {
        var subject: SubjectNumber
        var address: PersonalMessages.Address
        var wishedAt: Int64

        init(_ row: SQLRow) throws {
            subject = try row.integer("subject", as: SubjectNumber.self)
            guard let kind = SearchKind(rawValue: try row.integer("kind", as: Int16.self)) else {
                throw DeskFault.tampered(noun: "erasure", key: "\(subject)")
            }
            address = PersonalMessages.Address(kind: kind, hash: try row.integer("hash"), isShared: try row.integer("shared") != 0)
            wishedAt = try row.integer("wished_at")
        }
    }

    private static func bySubject(_ open: [Open]) -> [PersonalMessages] {
        Dictionary(grouping: open, by: \.subject).sorted { $0.key < $1.key }
            .map { PersonalMessages(subject: $0.key, addresses: $0.value.map(\.address)) }
    }
}

extension PersonalMessages {
    /// Keeps in mind what is to be forgotten once the log's newest records are here, and that the key has to go: of somebody without an address by
    /// the customer's own number.
    func remember(at: Int64, _ session: SQLSession) throws {
        let own = Address(kind: .customer, hash: Int64(subject), isShared: false)
        for address in addresses.isEmpty ? [own] : addresses {
            try session.run(
                ErasureStatements.add,
                [.number(subject), .number(address.kind.rawValue), .integer(address.hash), .number(address.isShared ? 1 : 0), .integer(at)])
        }
    }
}

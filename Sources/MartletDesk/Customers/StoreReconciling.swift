import Guard
import Journal
import MartletModel
import MartletStore
import SQL

/// Makes store, keys and log agree after one of them was restored. Nothing erased comes back, no number is given out twice, the node gets its customers
/// anew, and the history goes on where the log is. Safe to repeat; nobody else may own the keys meanwhile.
public struct StoreReconciling: Sendable {
    /// How far the history is, against the log.
    public enum HistoryPlace: Sendable, Equatable {
        /// There is no log, or another one than the history came from: it is read from its beginning.
        case otherLog
        /// What is missing comes from the log.
        case follows
        /// The log ends before what the history has of it: it goes on from the log's end.
        case movedBack
    }

    public struct Report: Sendable, Equatable {
        public var customers = 0
        /// Customers of the store who were erased after it was saved, and now are again.
        public var erasedAgain = 0
        /// Keys that a backup had brought back of customers whom the store knows as erased.
        public var keysErased = 0
        /// Customers whose key is not there and is on no list.
        public var lost = 0
        /// Of those: given up.
        public var givenUp = 0
        /// Numbers of customers whose rows are damaged, and set aside now; none who is erased is among them.
        public var damaged: [Int64] = []
        public var history = HistoryPlace.follows
    }

    private let customers: Customers
    private let journal: String
    private let folder: String
    private static let page = 1000

    /// - Parameters:
    ///   - journal: the node's, which need not be there.
    ///   - folder: the desk's, where it tells the node what may be trimmed.
    public init(_ customers: Customers, journal: String, folder: String) {
        self.customers = customers
        self.journal = journal
        self.folder = folder
    }

    /// - Parameter givesUp: customers whose key is lost are taken out of the store, so that an import makes them anew.
    public func run(givesUp: Bool = false, by caller: Caller) async throws(DeskFault) -> Report {
        try caller.require(.eraseCustomers)
        do {
            var report = Report()
            let (desk, subjects) = (customers.desk, customers.vault.subjects)
            let highest = try await CustomerKeysCheck.highest(desk.store)
            if subjects.next <= highest { try subjects.leaveOut(below: highest + 1) }
            try await walk(givesUp, caller, &report)
            report.history = try await place()
            let done = report
            try await desk.act(.eraseCustomers, by: caller) { session in
                // The node's copy is older or newer than this store: it gets a new base file.
                try session.run(StoreStatements.dropCursor, [.text(CustomerFeed.follower)])
                var outcome = "done: \(done.erasedAgain) erased again, \(done.keysErased) keys, \(done.lost) lost, \(done.givenUp) given up"
                if !done.damaged.isEmpty { outcome += ", \(done.damaged.count) damaged" }
                let line = AuditTrail.Line(act: .storeReconciled, object: "store", outcome: outcome)
                return ((), line)
            }
            return report
        } catch {
            throw DeskFault.of(error)
        }
    }

    /// A row of a customer as far as it can be read.
    private struct Found: Sendable {
        var subject: Int64
        var change: Int64
        /// Nil: it is damaged.
        var row: CustomerRow?

        init(_ row: SQLRow, _ tags: CustomerTags) throws {
            (subject, change) = (try row.integer("subject"), try row.integer("change"))
            self.row = try RowDamage.sound { try CustomerRow(row, tags) }
        }
    }

    /// One whose row is damaged keeps nobody from theirs. Who was erased is erased all the same; nothing else is known of them.
    private func meet(damaged subject: Int64, _ caller: Caller, _ report: inout Report) async throws {
        report.customers += 1
        guard let number = SubjectNumber(exactly: subject) else { return report.damaged.append(subject) }
        if case .erased = customers.vault.subjects.key(number) {
            try await customers.erase(number, by: caller)
            report.erasedAgain += 1
        } else {
            try await customers.setAside([number])
            report.damaged.append(subject)
        }
    }

    /// Every customer by the number of the last change: one that is erased here comes once more, behind the others, as erased.
    private func walk(_ givesUp: Bool, _ caller: Caller, _ report: inout Report) async throws {
        let (desk, vault) = (customers.desk, customers.vault)
        let newest = try await customers.newestChange()
        var after: Int64 = 0
        while true {
            let from = after
            let found = try await desk.store.read { session in
                try session.rows(CustomerStatements.changes, [.integer(from), .number(StoreReconciling.page)])
                    .map { try Found($0, vault.tags) }
            }
            guard let last = found.last else { break }
            after = last.change
            var keys: [SubjectNumber] = []
            for one in found {
                guard let row = one.row else {
                    try await meet(damaged: one.subject, caller, &report)
                    continue
                }
                guard row.change <= newest else { continue }
                report.customers += 1
                let found = vault.subjects.key(row.subject)
                if row.erasedAt != nil {
                    if found.key != nil { keys.append(row.subject) }
                    continue
                }
                switch found {
                case .key: break
                case .erased:
                    try await customers.erase(row.subject, by: caller)
                    report.erasedAgain += 1
                case .unknown, .damaged:
                    report.lost += 1
                    guard givesUp else { continue }
                    try await giveUp(row.subject, caller)
                    report.givenUp += 1
                }
            }
            try vault.subjects.erase(keys, time: desk.now())
            report.keysErased += keys.count
        }
    }

    /// Not an erasure: messages are found by address as before, and what the lost key sealed opens again should it be found.
    private func giveUp(_ subject: SubjectNumber, _ caller: Caller) async throws {
        let desk = customers.desk
        let at = desk.now()
        try await desk.act(.eraseCustomers, by: caller) { session in
            let change = try customers.takeChange(session)
            try customers.forget(try customers.candidate(subject, caller, session), change: change, at: at, session)
            return ((), AuditTrail.Line(act: .customerErased, object: Customers.object(subject), outcome: "done: its key was lost"))
        }
    }

    private func place() async throws -> HistoryPlace {
        let desk = customers.desk
        let place = try await desk.store.read { try HistoryWriter.place($0) }
        guard let end = try Follower(journal).end() else { return .otherLog }
        try tell(end.journal == place.journal ? min(place.position, end.position) : 0, end.journal)
        guard end.journal == place.journal else { return .otherLog }
        guard place.position > end.position else { return .follows }
        // What stands behind the log's end is in the history and nowhere else; the log counts on from before it.
        let (batches, position, at) = (place.batches + 1, end.position, desk.nowMilliseconds)
        try await desk.store.transaction { session in
            try session.run(StoreStatements.dropPartitions, [.text(HistoryWriter.follower), .number(0)])
            try session.run(
                StoreStatements.moveCursor,
                [
                    .text(HistoryWriter.follower), .integer(HistoryWriter.place), .integer(batches), .integer(Int64(bitPattern: position)),
                    .integer(at),
                ])
        }
        return .movedBack
    }

    /// What the node was told it may trim is of the store as it was: this one may lack more. Where nothing was told, nobody projects.
    private func tell(_ position: Position, _ journal: JournalID) throws {
        let file = PlaceFile("\(folder)/\(LogKeeper.name)")
        guard let before = try file.read(), before.journal != journal || before.position > position else { return }
        try file.replace(PlaceFile.Place(journal: journal, position: position))
    }
}

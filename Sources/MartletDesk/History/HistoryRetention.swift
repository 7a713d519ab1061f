public import MartletModel
import MartletStore
import SQL

/// Forgets what the history has held for long enough, by class and field, in steps small enough that nothing waits for them
/// (`RetentionSteps`). Where a pass was cut short the next goes on; a pass that finds nothing to do asks once a field for all classes that
/// stand alike. It never passes what the history has yet to be given: there no later pass would come by.
public struct HistoryRetention: Sendable {
    /// How long one class's messages are kept, milliseconds each. Longer than `rows` counts for nothing.
    public struct Rule: Sendable, Equatable {
        public var messageClass: MessageClass
        /// What is sealed: text, number, sender and reference, which are one ciphertext.
        public var text: Int64
        /// Entries by which a search finds it by number, address or reference.
        public var addresses: Int64
        /// All of it.
        public var rows: Int64
        /// Counts of the statistics; nil: for good.
        public var counts: Int64?

        public init(messageClass: MessageClass, text: Int64, addresses: Int64, rows: Int64, counts: Int64? = nil) {
            self.messageClass = messageClass
            self.text = text
            self.addresses = addresses
            self.rows = rows
            self.counts = counts
        }
    }

    public struct Report: Sendable, Equatable {
        /// Messages that lost the field.
        public var texts = 0
        public var addresses = 0
        public var rows = 0
        /// Months that PostgreSQL dropped whole.
        public var months = 0
        /// Rows of the statistics.
        public var counts = 0
    }

    /// Raw values are in rows of `cursor`: never change one.
    private enum Field: Int64 {
        case text = 1
        case addresses = 2
        case rows = 3
        case counts = 4
    }

    static let follower = "retention"

    private let desk: Desk
    private let rules: [Rule]
    private let reached: @Sendable () async throws -> Int64?

    /// - Parameters:
    ///   - rules: one for each class; a class without one is kept for good.
    ///   - reached: up to which moment, in wall milliseconds, all that the node recorded is in the history (`HistoryReach`); nil: that cannot be
    ///     known just now, and nothing is forgotten.
    public init(_ desk: Desk, rules: [Rule], reached: @escaping @Sendable () async throws -> Int64?) {
        self.desk = desk
        self.rules = rules
        self.reached = reached
    }

    /// One pass.
    public func run() async throws -> Report {
        var report = Report()
        guard let reached = try await reached() else { return report }
        report.months = try await dropMonths(reached)
        report.texts = try await pass(.text, .text, reached)
        report.addresses = try await pass(.addresses, .addresses, reached)
        report.rows = try await pass(.rows, .rows, reached)
        for rule in rules { report.counts += try await passCounts(rule, reached) }
        if report != Report() { try await enter(report) }
        return report
    }

    /// Whole months that no class wants any more.
    private func dropMonths(_ reached: Int64) async throws -> Int {
        guard desk.store.engine == .postgres, Set(rules.map(\.messageClass)) == Set(MessageClass.allCases),
            let longest = rules.map(\.rows).max(), let oldest = try await oldest(from: 0)
        else { return 0 }
        var month = HistoryMonth(of: oldest.milliseconds)
        var dropped = 0
        while month.next.start <= min(desk.nowMilliseconds - longest, reached) {
            let one = month
            try await desk.store.transaction { try one.drop($0) }
            dropped += 1
            month = month.next
        }
        return dropped
    }

    private func oldest(from milliseconds: Int64) async throws -> MessageID? {
        let from: [SQLValue] = [.bytes(MessageID.first(of: milliseconds).bytes)]
        return try await desk.store.read { session in
            try [RetentionStatements.oldest, RetentionStatements.oldestInbound].compactMap { statement in
                try session.row(statement, from).flatMap { MessageID(bytes: try $0.bytes("id")) }
            }.min()
        }
    }

    private func limit(_ rule: Rule, _ field: Field) -> Int64 {
        switch field {
        case .text: min(rule.text, rule.rows)
        case .addresses: min(rule.addresses, rule.rows)
        case .rows: rule.rows
        case .counts: rule.counts ?? .max
        }
    }

    /// Classes of which a field has been forgotten up to the same quarter, and is to be up to the same one.
    private struct Stretch: Hashable {
        var from: Int64
        var end: Int64
    }

    /// Goes through the quarters of an hour whose time is over, from where the last pass ended; once for all classes that stand alike.
    private func pass(_ field: Field, _ forgotten: RetentionSteps.Field, _ reached: Int64) async throws -> Int {
        let marks = try await marks()
        let groups = Dictionary(grouping: rules) { rule in
            Stretch(
                from: marks[place(rule, field)] ?? 0,
                end: SearchSlot.of(min(desk.nowMilliseconds - limit(rule, field), reached)))
        }
        var done = 0
        for (stretch, rules) in groups.sorted(by: { $0.key.from < $1.key.from }) where stretch.from < stretch.end {
            let steps = RetentionSteps(store: desk.store, classes: Set(rules.map(\.messageClass)), field: forgotten)
            let places = rules.map { place($0, field) }
            var slot = stretch.from
            while slot < stretch.end, let next = try await oldest(from: slot * SearchSlot.milliseconds) {
                slot = SearchSlot.of(next.milliseconds)
                guard slot < stretch.end else { break }
                done += try await steps.run(slot)
                slot += 1
                try await mark(places, slot)
            }
            try await mark(places, stretch.end)
        }
        return done
    }

    /// Goes through the hours whose time is over, a day a transaction.
    private func passCounts(_ rule: Rule, _ reached: Int64) async throws -> Int {
        guard let limit = rule.counts else { return 0 }
        let partition = place(rule, .counts)
        let end = min(desk.nowMilliseconds - limit, reached) / TrafficFold.millisecondsOfHour
        let before = try await marks()[partition] ?? 0
        guard end > before else { return 0 }
        let oldest = try await desk.store.read { session in
            try [StatisticsStatements.oldest, StatisticsStatements.oldestDecision].compactMap { statement in
                try session.row(statement)?.optionalInteger("hour")
            }.min()
        }
        var hour = max(before, oldest ?? end)
        var done = 0
        while hour < end {
            let (from, below) = (hour, min(hour + 24, end))
            done += try await desk.store.transaction { session in
                try [StatisticsStatements.forget, StatisticsStatements.forgetDecisions].reduce(0) { sum, statement in
                    try sum + session.run(statement, [.integer(below), .integer(from), .number(rule.messageClass.rawValue)])
                }
            }
            hour = below
            try await mark([partition], hour)
        }
        return done
    }

    /// Under which number of `cursor` a class and field are.
    private func place(_ rule: Rule, _ field: Field) -> Int64 { field.rawValue * 16 + Int64(rule.messageClass.rawValue) }

    /// Where the last pass ended, by the numbers of `place`.
    private func marks() async throws -> [Int64: Int64] {
        try await desk.store.read { session in
            let rows = try session.rows(StoreStatements.cursors, [.text(HistoryRetention.follower)])
            return Dictionary(
                try rows.map { (try $0.integer("partition"), try $0.integer("sequence")) }, uniquingKeysWith: { $1 })
        }
    }

    private func mark(_ places: [Int64], _ slot: Int64) async throws {
        let now = desk.nowMilliseconds
        try await desk.store.transaction { session in
            for place in places {
                try session.run(
                    StoreStatements.moveCursor,
                    [.text(HistoryRetention.follower), .integer(place), .integer(slot), .number(0), .integer(now)])
            }
        }
    }

    private func enter(_ report: Report) async throws {
        let (trail, at) = (desk.trail, desk.now())
        let outcome =
            "\(report.texts) texts, \(report.addresses) search entries, \(report.rows) messages, \(report.months) months, "
            + "\(report.counts) counts"
        try await desk.store.transaction { session in
            try trail.enter(
                AuditTrail.Line(act: .historyRetained, object: "history", outcome: outcome), by: .system("retention"), at: at, session)
        }
    }
}

public import MartletModel
import MartletStore
import SQL

/// Forgets what the history has held for long enough, by class and field, in steps small enough that nothing waits for them. Where a pass was
/// cut short the next goes on; a pass that finds nothing to do asks once a class and field.
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
    private enum Field: Int64, CaseIterable {
        case text = 1
        case addresses = 2
        case rows = 3
        case counts = 4
    }

    static let follower = "retention"
    /// Ids of one transaction.
    private static let idsInStep = 320

    private let desk: Desk
    private let rules: [Rule]

    /// - Parameter rules: one for each class; a class without one is kept for good.
    public init(_ desk: Desk, rules: [Rule]) {
        self.desk = desk
        self.rules = rules
    }

    /// One pass. Messages from handsets are of the class service.
    public func run() async throws -> Report {
        var report = Report()
        report.months = try await dropMonths()
        for rule in rules {
            for field in Field.allCases {
                let done = field == .counts ? try await passCounts(rule) : try await pass(rule, field)
                switch field {
                case .text: report.texts += done
                case .addresses: report.addresses += done
                case .rows: report.rows += done
                case .counts: report.counts += done
                }
            }
        }
        if report != Report() { try await enter(report) }
        return report
    }

    /// Whole months that no class wants any more.
    private func dropMonths() async throws -> Int {
        guard desk.store.engine == .postgres, Set(rules.map(\.messageClass)) == Set(MessageClass.allCases),
            let longest = rules.map(\.rows).max(), let oldest = try await oldest(from: 0)
        else { return 0 }
        var month = HistoryMonth(of: oldest.milliseconds)
        var dropped = 0
        while month.next.start <= desk.nowMilliseconds - longest {
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

    /// Goes through the quarters of an hour whose time is over, from where the last pass ended.
    private func pass(_ rule: Rule, _ field: Field) async throws -> Int {
        let partition = place(rule, field)
        let end = SearchSlot.of(desk.nowMilliseconds - limit(rule, field))
        let before = try await marked(partition)
        var slot = before
        var done = 0
        while slot < end, let next = try await oldest(from: slot * SearchSlot.milliseconds) {
            slot = SearchSlot.of(next.milliseconds)
            guard slot < end else { break }
            done += try await forget(slot, rule.messageClass, field)
            slot += 1
            try await mark(partition, slot)
        }
        if end > before { try await mark(partition, end) }
        return done
    }

    /// Goes through the hours whose time is over, a day a transaction.
    private func passCounts(_ rule: Rule) async throws -> Int {
        guard let limit = rule.counts else { return 0 }
        let partition = place(rule, .counts)
        let end = (desk.nowMilliseconds - limit) / TrafficFold.millisecondsOfHour
        let before = try await marked(partition)
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
            try await mark(partition, hour)
        }
        return done
    }

    /// Under which number of `cursor` a class and field are.
    private func place(_ rule: Rule, _ field: Field) -> Int64 { field.rawValue * 16 + Int64(rule.messageClass.rawValue) }

    /// Where the last pass ended.
    private func marked(_ partition: Int64) async throws -> Int64 {
        try await desk.store.read { session in
            for row in try session.rows(StoreStatements.cursors, [.text(HistoryRetention.follower)])
            where try row.integer("partition") == partition { return try row.integer("sequence") }
            return 0
        }
    }

    private func mark(_ partition: Int64, _ slot: Int64) async throws {
        let now = desk.nowMilliseconds
        try await desk.store.transaction { session in
            try session.run(
                StoreStatements.moveCursor,
                [.text(HistoryRetention.follower), .integer(partition), .integer(slot), .number(0), .integer(now)])
        }
    }

    private func forget(_ slot: Int64, _ messageClass: MessageClass, _ field: Field) async throws -> Int {
        let low = MessageID.first(of: slot * SearchSlot.milliseconds).bytes
        let high = MessageID.first(of: (slot + 1) * SearchSlot.milliseconds).bytes
        let isInbound = messageClass == .service
        if field != .text {
            let statement = field == .rows ? RetentionStatements.lookups : RetentionStatements.addresses
            let inbound = field == .rows ? RetentionStatements.inboundLookups : RetentionStatements.inboundAddresses
            let range: [SQLValue] = [.integer(slot), .bytes(low), .bytes(high)]
            let count = try await desk.store.transaction { session in
                try session.run(statement, range + [.number(messageClass.rawValue)]) + (isInbound ? session.run(inbound, range) : 0)
            }
            if field == .addresses { return count }
        }
        var done = 0
        for inbound in isInbound ? [false, true] : [false] {
            var above = low
            while true {
                let from = above
                let (count, last) = try await desk.store.transaction { session in
                    try HistoryRetention.step(from, high, inbound ? nil : messageClass, field, session)
                }
                done += count
                guard let last else { break }
                above = last
            }
        }
        return done
    }

    /// - Parameter messageClass: nil: of messages from handsets.
    /// - Returns: how many, and the last id; nil: there are no more.
    private static func step(
        _ above: [UInt8], _ below: [UInt8], _ messageClass: MessageClass?, _ field: Field, _ session: SQLSession
    ) throws -> (Int, [UInt8]?) {
        let rows =
            if let messageClass {
                try session.rows(
                    RetentionStatements.ids,
                    [.bytes(above), .bytes(below), .number(messageClass.rawValue), .number(HistoryRetention.idsInStep)])
            } else {
                try session.rows(RetentionStatements.inboundIDs, [.bytes(above), .bytes(below), .number(HistoryRetention.idsInStep)])
            }
        let ids = try rows.compactMap { MessageID(bytes: try $0.bytes("id")) }
        var done = 0
        for start in stride(from: 0, to: ids.count, by: RetentionStatements.idsAtOnce) {
            let some = Array(ids[start..<min(start + RetentionStatements.idsAtOnce, ids.count)])
            let (own, messages) = (padded(some.map(\.bytes)), padded(some.map { $0.with(ordinal: 1).bytes }))
            switch field {
            case .text where messageClass == nil:
                done += try session.run(RetentionStatements.inboundText, own + [.bytes([])])
            case .text:
                for messages in try [messages] + further(some, session) {
                    done += try session.run(RetentionStatements.text, messages + [.bytes([])])
                }
            case .rows:
                done += some.count
                try session.run(RetentionStatements.undelivered, own)
                let others = messageClass == nil ? [] : try further(some, session)
                for statement in RetentionStatements.rows {
                    for ids in [own, messages] + others { try session.run(statement, ids) }
                }
            case .addresses, .counts: break
            }
        }
        return (done, rows.isEmpty ? nil : ids.last?.bytes)
    }

    /// Messages behind the first of their notifications, as many at once as a statement takes.
    private static func further(_ ids: [MessageID], _ session: SQLSession) throws -> [[SQLValue]] {
        let ranges = padded(ids.map { $0.with(ordinal: 1).bytes }) + padded(ids.map { $0.with(ordinal: .max).bytes })
        // Where there are fewer ids than places, the last is asked for again.
        let found = Set(try session.rows(RetentionStatements.further, ranges, maximum: 255 * idsInStep).map { try $0.bytes("id") })
        let sorted = found.sorted { $0.lexicographicallyPrecedes($1) }
        return stride(from: 0, to: sorted.count, by: RetentionStatements.idsAtOnce).map { start in
            padded(Array(sorted[start..<min(start + RetentionStatements.idsAtOnce, sorted.count)]))
        }
    }

    private static func padded(_ ids: [[UInt8]]) -> [SQLValue] {
        (0..<RetentionStatements.idsAtOnce).map { .bytes(ids[min($0, ids.count - 1)]) }
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

public import Guard
public import MartletModel
import MartletStore
import SQL

/// What was decided of events, counted by outcome and reason.
public struct DecisionStatistics: Sendable {
    let desk: Desk
    let names: @Sendable () -> HistoryNames
    let numbers: RulebookNumbers

    /// What slices are made by, besides outcome and reason.
    public enum Dimension: String, CaseIterable, Sendable {
        case source, `class`, event, hour, day
    }

    public struct Wish: Sendable {
        public var by: Set<Dimension> = []
        /// Wall milliseconds: decisions made from the hour of this moment to before that one.
        public var from: Int64
        public var to: Int64
        /// Names; nil: all.
        public var source: String?
        public var event: String?

        static let names = ["by", "from", "to", "source", "event"]

        public init(by: Set<Dimension> = [], from: Int64, to: Int64, source: String? = nil, event: String? = nil) {
            self.by = by
            self.from = from
            self.to = to
            self.source = source
            self.event = event
        }

        /// Reads a request's parameters. Without times: the last 24 hours.
        /// - Parameter now: wall milliseconds.
        /// - Throws: `.invalid` with every field that does not hold.
        public init(query: [String: String], now: Int64) throws(DeskFault) {
            var faults: [FieldFault] = []
            func time(_ name: String, _ usual: Int64) -> Int64 {
                guard let text = query[name] else { return usual }
                if let at = moment(text.utf8) { return at / 1000 }
                faults.append(FieldFault(name, "time", "must be a time of RFC 3339, such as 2026-11-22T18:04:09Z"))
                return usual
            }
            to = time("to", now)
            from = time("from", to - 86_400_000)
            for word in (query["by"] ?? "").split(separator: ",") {
                if let one = Dimension(rawValue: String(word)) {
                    by.insert(one)
                } else {
                    let words = Dimension.allCases.map(\.rawValue).joined(separator: ", ")
                    faults.append(FieldFault("by", "unknown", "must be some of \(words), with commas between"))
                }
            }
            (source, event) = (query["source"], query["event"])
            if let fault = StatisticsWish(from: from, to: to).rangeFault { faults.append(fault) }
            if !faults.isEmpty { throw .invalid(faults) }
        }
    }

    /// A slice; nil where slices are not made by it.
    public struct Row: Hashable, Sendable {
        public var source: String?
        public var messageClass: String?
        public var event: String?
        /// Wall milliseconds of its hour, or of its day.
        public var hour: Int64?
        public var day: Int64?
        public var outcome: RecordBody.Decided.Outcome
        public var reason: SuppressionReason?
        public var decisions: Int64
    }

    public struct Report: Equatable, Sendable {
        /// Wall milliseconds of the first hour, and behind the last.
        public var from: Int64
        public var to: Int64
        public var rows: [Row] = []

        func sum(_ outcome: RecordBody.Decided.Outcome) -> Int64 {
            rows.reduce(0) { $0 + ($1.outcome == outcome ? $1.decisions : 0) }
        }
    }

    /// - Throws: `.forbidden`, `.invalid` (a name that is not known, more rows than an answer may have), `.store`.
    public func report(_ wish: Wish, by caller: Caller) async throws(DeskFault) -> Report {
        try caller.require(.readStatistics)
        let names = names()
        let source = if let name = wish.source { Int64(try names.source(named: name, for: caller)) } else { Int64(-1) }
        // A caller of a unit sees its sources only, which the store does not know.
        let slicesSources = wish.by.contains(.source) || caller.unit != nil
        let span: Int64 = wish.by.contains(.hour) ? 1 : wish.by.contains(.day) ? 24 : 1 << 30
        let hours = StatisticsWish(from: wish.from, to: wish.to)
        let slices = [Dimension.class, .event].map { SQLValue.number(wish.by.contains($0) ? 1 : 0) }
        return try await desk.read(.readStatistics, by: caller) { session in
            var event: Int64 = -1
            if let key = wish.event {
                guard let number = try numbers.number(.event, key, session) else {
                    throw DeskFault.invalid([FieldFault("event", "unknown", "there is no such event")])
                }
                event = number
            }
            let rows = try session.rows(
                StatisticsStatements.decisions,
                [
                    .integer(hours.firstHour), .integer(hours.endHour), .integer(span), .number(slicesSources ? 1 : 0),
                    slices[0], slices[1], .integer(source), .integer(event), .number(StatisticsWish.mostRows + 1),
                ], maximum: StatisticsWish.mostRows + 1)
            guard rows.count <= StatisticsWish.mostRows else {
                throw DeskFault.invalid([FieldFault("by", "too_many", "more than \(StatisticsWish.mostRows) rows: ask by fewer words")])
            }
            var report = Report(
                from: hours.firstHour * TrafficFold.millisecondsOfHour, to: hours.endHour * TrafficFold.millisecondsOfHour)
            var keys: [Int64: String] = [:]
            var places: [Row: Int] = [:]
            for row in rows {
                let number = try row.integer("source", as: SourceNumber.self)
                guard names.sees(caller, number),
                    let outcome = RecordBody.Decided.Outcome(rawValue: try row.integer("outcome", as: UInt8.self))
                else { continue }
                var it = Row(
                    outcome: outcome, reason: SuppressionReason(rawValue: try row.integer("reason", as: UInt8.self)), decisions: 0)
                if wish.by.contains(.source) { it.source = names.source(number) }
                if wish.by.contains(.class) {
                    it.messageClass = MessageClass(rawValue: try row.integer("class", as: UInt8.self))?.word ?? ""
                }
                if wish.by.contains(.event) {
                    let event = try row.integer("event")
                    let key = try keys[event] ?? numbers.name(.event, event, session) ?? "event \(event)"
                    keys[event] = key
                    it.event = key
                }
                let start = try row.integer("span") * span * TrafficFold.millisecondsOfHour
                if wish.by.contains(.hour) { it.hour = start } else if wish.by.contains(.day) { it.day = start }
                // Rows that differ by a source which the caller did not ask for are one.
                let place = places[it] ?? report.rows.count
                if place == report.rows.count {
                    places[it] = place
                    report.rows.append(it)
                }
                report.rows[place].decisions += try row.integer("decisions")
            }
            return report
        }
    }
}

extension Desk {
    /// - Parameters:
    ///   - names: asked at each report, for sources come and go.
    ///   - rowKey: of the installation, `KeyStore.rowKey`.
    public func decisionStatistics(names: @escaping @Sendable () -> HistoryNames, rowKey: Secret) -> DecisionStatistics {
        DecisionStatistics(desk: self, names: names, numbers: RulebookNumbers(rowKey))
    }
}

import MartletModel
import MartletStore
import SQL

/// Counts of messages, sliced. Their sums are those of the log: accepted = ended + open, for each source and over all.
public struct Statistics: Sendable {
    let desk: Desk
    let names: @Sendable () -> HistoryNames

    /// - Throws: `.forbidden`, `.invalid` (a name that is not known, a range that is too long, more rows than an answer may have), `.store`.
    public func report(_ wish: StatisticsWish, by caller: Caller) async throws(DeskFault) -> StatisticsReport {
        try caller.require(.readStatistics)
        if let fault = wish.rangeFault { throw .invalid([fault]) }
        let names = names()
        let source = if let name = wish.source { Int64(try names.source(named: name, for: caller)) } else { Int64(-1) }
        let group = if let name = wish.group { Int64(try names.group(named: name)) } else { Int64(-1) }
        // A caller of a unit sees its sources only, which the store does not know: sliced by them, and put together again here.
        let slicesSources = wish.by.contains(.source) || caller.unit != nil
        let span: Int64 = wish.by.contains(.hour) ? 1 : wish.by.contains(.day) ? 24 : 1 << 30
        let values: [SQLValue] = [
            .integer(wish.firstHour), .integer(wish.endHour), .integer(span), .number(slicesSources ? 1 : 0),
            .number(wish.by.contains(.class) ? 1 : 0), .number(wish.by.contains(.channel) ? 1 : 0),
            .number(wish.by.contains(.operator) ? 1 : 0), .number(wish.by.contains(.reason) ? 1 : 0), .integer(source),
            .number(wish.messageClass.map { Int64($0.rawValue) } ?? -1), .number(wish.channel.map { Int64($0.rawValue) } ?? -1),
            .integer(group), .number(Statistics.mostSums + 1),
        ]
        let rows = try await desk.read(.readStatistics, by: caller) { session in
            try session.rows(StatisticsStatements.sums, values, maximum: Statistics.mostSums + 1).map { try Sum($0) }
        }
        guard rows.count <= Statistics.mostSums else { throw Statistics.tooMany }
        var report = StatisticsReport(from: wish.firstHour, to: wish.endHour, by: wish.by)
        for row in rows where names.sees(caller, row.source) { report.add(row, wish.by, span, names) }
        guard report.rows.count <= StatisticsWish.mostRows else { throw Statistics.tooMany }
        return report.finished()
    }

    /// Rows of the store of one answer at most: some for each state.
    private static let mostSums = 8 * StatisticsWish.mostRows
    private static var tooMany: DeskFault {
        .invalid([
            FieldFault("by", "too_many", "more than \(StatisticsWish.mostRows) rows: ask by fewer words, or for a shorter time")
        ])
    }

    /// A row as the store adds it up.
    struct Sum: Sendable {
        var span: Int64
        var source: SourceNumber
        var messageClass: UInt8
        var channel: UInt8
        var route: GroupNumber
        var state: UInt8
        var reason: UInt8
        var counts: TrafficFold.Counts

        init(_ row: SQLRow) throws(SQLFault) {
            span = try row.integer("span")
            source = try row.integer("source", as: SourceNumber.self)
            messageClass = try row.integer("class", as: UInt8.self)
            channel = try row.integer("channel", as: UInt8.self)
            route = try row.integer("route", as: GroupNumber.self)
            state = try row.integer("state", as: UInt8.self)
            reason = try row.integer("reason", as: UInt8.self)
            counts = TrafficFold.Counts(
                messages: try row.integer("messages"), parts: try row.integer("parts"), submits: try row.integer("submits"),
                duplicates: try row.integer("duplicates"), late: try row.integer("late"))
        }
    }
}

extension Desk {
    /// - Parameter names: asked at each report, for sources come and go.
    public func statistics(names: @escaping @Sendable () -> HistoryNames) -> Statistics { Statistics(desk: self, names: names) }
}

import MartletModel

/// `/v1/statistics`.
struct StatisticsRoutes: APINoun {
    let statistics: Statistics

    struct Document: Codable {
        struct Counts: Codable {
            var accepted: Int64
            var parts: Int64
            var submits: Int64
            var possibleDuplicates: Int64
            var lateReceipts: Int64
            var delivered: Int64
            var failed: Int64
            var expired: Int64
            var cancelled: Int64
            var suppressed: Int64
            var received: Int64
            var ended: Int64
            var open: Int64
            var deliveryRate: Double?

            init(_ counts: StatisticsReport.Counts) {
                accepted = counts.accepted
                parts = counts.parts
                submits = counts.submits
                possibleDuplicates = counts.possibleDuplicates
                lateReceipts = counts.lateReceipts
                delivered = counts.delivered
                failed = counts.failed
                expired = counts.expired
                cancelled = counts.cancelled
                suppressed = counts.suppressed
                received = counts.received
                ended = counts.ended
                open = counts.open
                deliveryRate = counts.deliveryRate
            }
        }

        struct Row: Codable {
            var source: String?
            var messageClass: String?
            var channel: String?
            var group: String?
            var state: String?
            var reason: String?
            var hour: String?
            var day: String?
            var counts: Counts

            enum CodingKeys: String, CodingKey {
                case source, channel, state, reason, hour, day, counts
                case messageClass = "class"
                case group = "operator"
            }
        }

        var from: String
        var to: String
        var rows: [Row]
        var sums: Counts

        init(_ report: StatisticsReport) {
            from = timestamp(report.from * 1000)
            to = timestamp(report.to * 1000)
            sums = Counts(report.sums)
            rows = report.rows.map { row in
                let it = row.labels
                return Row(
                    source: it.source, messageClass: it.messageClass, channel: it.channel, group: it.group, state: it.state,
                    reason: it.reason, hour: it.hour.map { timestamp($0 * 1000) },
                    day: it.day.map { String(timestamp($0 * 1000).prefix(10)) },
                    counts: Counts(row.counts))
            }
        }
    }

    private static let report = APIOperation(
        .get, "/v1/statistics", "Counts of messages", note: "docs/reference/statistics.md says what each counts.", [.readStatistics],
        query: StatisticsWish.names.map { APIParameter($0, StatisticsRoutes.words($0)) }, answer: .json(.of(Document.self, "Statistics")))

    static let operations = [report]

    private static func words(_ name: String) -> String {
        switch name {
        case "by": "What slices are made by, with commas: \(StatisticsWish.Dimension.allCases.map(\.rawValue).joined(separator: ", "))."
        case "from", "to": "A time (RFC 3339); messages accepted from the hour of `from` to before `to`."
        default: "Only messages with this \(name)."
        }
    }

    func add(to routes: inout APIRoutes) {
        let statistics = statistics
        routes.on(StatisticsRoutes.report) { ask in
            let wish = try StatisticsWish(query: ask.query.values(of: StatisticsWish.names), now: statistics.desk.nowMilliseconds)
            return .json(Document(try await statistics.report(wish, by: ask.caller)))
        }
    }
}

extension APIQuery {
    func values(of names: [String]) -> [String: String] {
        var values: [String: String] = [:]
        for name in names { values[name] = self[name] }
        return values
    }
}

import MartletModel

/// `/v1/statistics/decisions`.
struct DecisionStatisticsRoutes: APINoun {
    let statistics: DecisionStatistics

    struct Document: Codable {
        struct Row: Codable {
            var source: String?
            var messageClass: String?
            var event: String?
            var hour: String?
            var day: String?
            var outcome: String
            var reason: String?
            var decisions: Int64

            enum CodingKeys: String, CodingKey {
                case source, event, hour, day, outcome, reason, decisions
                case messageClass = "class"
            }
        }

        struct Sums: Codable {
            var told: Int64
            var held: Int64
            var suppressed: Int64
        }

        var from: String
        var to: String
        var rows: [Row]
        var sums: Sums

        init(_ report: DecisionStatistics.Report) {
            from = timestamp(report.from * 1000)
            to = timestamp(report.to * 1000)
            sums = Sums(told: report.sum(.told), held: report.sum(.held), suppressed: report.sum(.suppressed))
            rows = report.rows.map { row in
                Row(
                    source: row.source, messageClass: row.messageClass, event: row.event, hour: row.hour.map { timestamp($0 * 1000) },
                    day: row.day.map { String(timestamp($0 * 1000).prefix(10)) }, outcome: row.outcome.word, reason: row.reason?.word,
                    decisions: row.decisions)
            }
        }
    }

    private static let report = APIOperation(
        .get, "/v1/statistics/decisions", "Counts of decisions about events",
        note: "By outcome and reason always; docs/reference/statistics.md says what each counts.", [.readStatistics],
        query: DecisionStatistics.Wish.names.map { APIParameter($0, DecisionStatisticsRoutes.words($0)) },
        answer: .json(.of(Document.self, "DecisionStatistics")))

    static let operations = [report]

    private static func words(_ name: String) -> String {
        switch name {
        case "by": "What slices are made by, with commas: \(DecisionStatistics.Dimension.allCases.map(\.rawValue).joined(separator: ", "))."
        case "from", "to": "A time (RFC 3339); decisions made from the hour of `from` to before `to`."
        default: "Only decisions with this \(name)."
        }
    }

    func add(to routes: inout APIRoutes) {
        let statistics = statistics
        routes.on(DecisionStatisticsRoutes.report) { ask in
            let wish = try DecisionStatistics.Wish(
                query: ask.query.values(of: DecisionStatistics.Wish.names), now: statistics.desk.nowMilliseconds)
            return .json(Document(try await statistics.report(wish, by: ask.caller)))
        }
    }
}

extension DecisionStatistics {
    public var routes: any APINoun { DecisionStatisticsRoutes(statistics: self) }
}

import MartletModel
import MartletStore
import SQL
import Testing

@testable import MartletDesk

@Suite("Desk: query plans")
struct HistoryPlanTests {
    /// Tables that grow with every message.
    private static let large = [
        "notification", "message", "state", "undelivered", "lookup", "lookup_part", "attempt", "receipt", "step", "decision", "inbound",
        "traffic", "decision_count",
    ]

    @Test("Every statement of the history goes by an index: none reads a table through", arguments: SQLStore.Engine.allCases)
    func plans(engine: SQLStore.Engine) async throws {
        // The text of each statement with values in it, as a statement of its own. On PostgreSQL a table with few rows is always read through, so
        // that is made dear there.
        let now = HistoryRig.now
        let (high, low) = (MessageID.first(of: now), MessageID.first(of: now - 86_400_000))
        func blob(_ id: MessageID) -> String { engine == .sqlite ? "x'\(id)'" : "'\\x\(id)'::bytea" }
        let slot = String(now / SearchSlot.milliseconds)
        let range = [blob(low), blob(high)]
        let asked: [(StatementID, [String])] = [
            (HistoryStatements.search, ["2", "77", slot, "\(now / SearchSlot.milliseconds - 2880)", blob(high), "50"]),
            (HistoryStatements.searchSlot, ["5", "7", slot, blob(high), "50"]),
            (HistoryStatements.has, [slot, "2", "77"] + range), (HistoryStatements.dropEntry, [slot, "2", "77"] + range),
            (HistoryStatements.parts, [slot]),
            (HistoryStatements.newest, range), (HistoryStatements.newestInbound, range), (HistoryStatements.countFrom, range + ["100"]),
            (HistoryStatements.undelivered, ["5", blob(high), blob(low), "50"]),
            (HistoryStatements.recent, [blob(high), blob(low), "50"]),
            (HistoryStatements.notification, range), (HistoryStatements.messages, range), (HistoryStatements.states, range),
            (HistoryStatements.attempts, range), (HistoryStatements.receipts, range), (HistoryStatements.inbound, range),
            (HistoryStatements.steps, range + ["4097"]),
            (RetentionStatements.further, Array(repeating: blob(low), count: 32) + Array(repeating: blob(high), count: 32)),
            (RetentionStatements.entries, [slot, "2", "77", blob(low), "50"]), (RetentionStatements.ids, range + ["50"]),
            (RetentionStatements.dropEntries, [slot] + Array(repeating: ["2", "77", blob(low)], count: 32).flatMap(\.self)),
            (StatisticsStatements.decisions, ["495000", "495024", "1", "1", "1", "1", "-1", "-1", "100"]),
            (StatisticsStatements.sums, ["495000", "495024", "1", "1", "1", "1", "1", "1", "-1", "-1", "-1", "-1", "100"]),
        ]
        let all = try StoreStatements.all().all
        let prefix = engine == .sqlite ? "EXPLAIN QUERY PLAN " : "EXPLAIN (FORMAT TEXT) "
        var explained: [Statement] = []
        for (id, values) in asked {
            var sql = try #require(all.first { $0.id == id }).sql
            for number in (1...values.count).reversed() { sql = sql.replacing("?\(number)", with: values[number - 1]) }
            explained.append(Statement(StatementID("plan.\(id.name)"), prefix + sql))
        }
        let statements = explained
        try await HistoryRig.with(engine) { rig in
            try await rig.put([HistoryRig.Message(minutesAgo: 5)])
            let store = rig.another(try StatementSet(statements))
            let plans = try await store.transaction { session in
                if engine == .postgres { try session.define("SET LOCAL enable_seqscan = off") }
                return try statements.map { statement in
                    try session.rows(statement.id).map { row in
                        row.values.map { if case .text(let text) = $0 { text } else { "" } }.joined(separator: " ")
                    }
                }
            }
            await store.close()
            for (statement, plan) in zip(statements, plans) {
                #expect(plan.contains { $0.contains("SEARCH") || $0.contains("Index") }, "\(statement.id): \(plan)")
                for line in plan where line.contains("SCAN") || line.contains("Seq Scan") {
                    // The quarters of an hour of a search are counted, not read; PostgreSQL's working tables have no rows on disk.
                    #expect(!HistoryPlanTests.large.contains { line.contains($0) }, "\(statement.id): \(line)")
                }
            }
        }
    }
}

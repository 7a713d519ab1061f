import Testing

@testable import MartletStore
@testable import SQL

@Suite("Store: plans of all statements")
struct StatementPlanTests {
    /// Statements that read a table without a bound, each with why that costs nothing.
    static let exempt: [StatementID: String] = [
        StoreStatements.newestAudit: "one row, the last of the key",
        RulebookStatements.newestRelease: "one row, the last of the key",
        CustomerStatements.highest: "one row, the last of the key",
        ImportStatements.page: "a row a file that was imported",
        SourceStatements.pending: "a row a sender system",
        SetAsideStatements.count: "a row a customer whose row is damaged",
    ]

    /// Names that are rows made by the statement itself and no table.
    static let made: Set<String> = ["slots", "s", "counted", "CONSTANT"]

    @Test(
        "Every registered statement goes by an index, but for those that are named here with their reason",
        arguments: SQLStore.Engine.allCases)
    func indexes(engine: SQLStore.Engine) async throws {
        // What the engine says it will do. On PostgreSQL with values that a month is there for: with any others it drops all months beforehand, and the plan
        // says nothing. A table with few rows is always read through there, so that is made dear, as are the two kinds of join that read both sides whole.
        let all = try StoreStatements.all().all + [StatementPlanTests.canary]
        let asking = all.map { Statement(StatementID("plan.\($0.id.name)"), "EXPLAIN QUERY PLAN " + $0.sql) }
        try await StoreSchemaTests.with(engine, statements: engine == .sqlite ? StatementSet(asking) : nil) { store in
            let plans: [[String]]
            switch engine {
            case .sqlite:
                plans = try await store.transaction { session in
                    try zip(all, asking).map { statement, asking in
                        try session.rows(asking.id, Array(repeating: SQLValue.null, count: statement.parameters))
                            .map(StatementPlanTests.line)
                    }
                }
            case .postgres: plans = try await StatementPlanTests.postgresPlans(all, store)
            }
            #expect(plans.count == all.count && all.count > 90)
            var reading: [StatementID: String] = [:]
            for (statement, plan) in zip(all, plans) {
                let whole = engine == .sqlite ? StatementPlanTests.scans(plan) : StatementPlanTests.unbounded(plan)
                if !whole.isEmpty { reading[statement.id] = whole.joined(separator: "; ") }
                if statement.sql.hasPrefix("SELECT") { #expect(!plan.isEmpty, "\(statement.id)") }
                // Of a month that was dropped beforehand there would be nothing to say.
                if engine == .postgres, statement.sql.contains("FROM ") || statement.sql.hasPrefix("UPDATE") {
                    #expect(plan.contains { $0.contains("Scan") }, "\(statement.id) is asked for what is not there: \(plan)")
                }
            }
            #expect(reading.removeValue(forKey: StatementPlanTests.canary.id) != nil, "a statement that reads a table through is not seen")
            for (statement, plan) in zip(all, plans) where statement.id.name.hasPrefix("retention.") {
                #expect(StatementPlanTests.isBounded(statement.sql, plan, engine), "\(statement.id): \(plan)")
            }
            for (id, lines) in reading where StatementPlanTests.exempt[id] == nil { Issue.record("\(id) reads a table through: \(lines)") }
            for id in StatementPlanTests.exempt.keys { #expect(reading[id] != nil, "\(id) goes by an index: it needs no exemption") }
        }
    }

    /// Reads the months of a table through, and has to be found.
    private static let canary = Statement("canary", "SELECT id FROM message WHERE parts = ?1")

    private static func line(_ row: SQLRow) -> String {
        row.values.map { if case .text(let text) = $0 { text } else { "" } }.joined(separator: " ")
    }

    /// With values for which a month is there.
    private static func postgresPlans(_ all: [Statement], _ store: SQLStore) async throws -> [[String]] {
        // Which index is best for these is a matter of how many rows there are.
        let start = StoreSchemaTests.id(1).prefix(6).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let (id, slot) = ("decode('\(start)' || lpad(to_hex(n), 20, '0'), 'hex')", SearchSlot.of(StoreSchemaTests.now))
        try await store.transaction { session in
            try session.define(
                """
                INSERT INTO lookup (slot, kind, hash, id) SELECT \(slot) + n % 4, n % 5 + 1, n * 7919, \(id) FROM generate_series(1, 50000) n;
                INSERT INTO undelivered (id, state, reason, source) SELECT \(id), n % 5 + 5, 1, 7 FROM generate_series(1, 50000) n;
                ANALYZE lookup; ANALYZE undelivered
                """)
        }
        return try await store.transaction { session in
            for name in ["enable_seqscan = off", "enable_mergejoin = off", "enable_hashjoin = off"] {
                try session.define("SET LOCAL \(name)")
            }
            try session.define("SET LOCAL plan_cache_mode = force_generic_plan")
            for (index, statement) in all.enumerated() {
                try session.define("PREPARE plan_\(index) AS " + statement.sql.replacing(#/\?(\d+)/#) { "$\($0.1)" })
            }
            let prepared = try session.look(
                Statement(
                    "test.types",
                    "SELECT name, array_to_string(parameter_types::text[], ',') AS types FROM pg_prepared_statements WHERE name LIKE 'plan%'"
                ))
            var plans = Array(repeating: [String](), count: all.count)
            for row in prepared {
                guard let index = Int(try row.text("name").dropFirst("plan_".count)) else { continue }
                let values = try row.text("types").split(separator: ",").map { StatementPlanTests.literal(String($0)) }
                let call = values.isEmpty ? "" : "(\(values.joined(separator: ", ")))"
                plans[index] = try session.look(
                    Statement(StatementID("plan.\(all[index].id.name)"), "EXPLAIN (COSTS OFF) EXECUTE plan_\(index)\(call)")
                ).map(StatementPlanTests.line)
            }
            return plans
        }
    }

    /// Ids and quarters of an hour lie in a month that has its partitions.
    private static func literal(_ type: String) -> String {
        let slot = SearchSlot.of(StoreSchemaTests.now) + 1
        return switch type {
        case "bytea": "'\\x" + StoreSchemaTests.id(1).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "'::bytea"
        case "text": "'a1'"
        case "integer", "bigint": "\(slot)"
        default: "1"
        }
    }

    /// Lines of SQLite's plan that say it reads a table from its first row.
    static func scans(_ plan: [String]) -> [String] {
        plan.filter { line in
            let words = line.split(separator: " ")
            guard let at = words.firstIndex(of: "SCAN"), at + 1 < words.count else { return false }
            return !made.contains(String(words[at + 1]))
        }
    }

    /// Nodes of PostgreSQL's plan that read a table, or an index of it, with no bound.
    static func unbounded(_ plan: [String]) -> [String] {
        plan.indices.compactMap { index in
            let line = plan[index]
            if line.contains("Seq Scan on ") { return line }
            guard line.contains("Index Scan") || line.contains("Index Only Scan") else { return nil }
            // What follows up to the next node belongs to this one.
            let rest = plan[(index + 1)...].prefix { !$0.contains("->") }
            return rest.contains { $0.contains("Index Cond:") } ? nil : line
        }
    }

    /// Whether a statement by which the history forgets touches a bounded number of rows: what it asks for has a limit or the ranges of 32 ids, what it
    /// changes it finds by ids, and not by all that lies in some time.
    static func isBounded(_ sql: String, _ plan: [String], _ engine: SQLStore.Engine) -> Bool {
        if sql.hasPrefix("SELECT") { return sql.contains(" LIMIT ?") || sql.contains(" LIMIT 1") || sql.contains("id > ?32 AND id <= ?64") }
        let searches = plan.filter { $0.contains(engine == .sqlite ? "SEARCH " : "Index Cond:") }
        // PostgreSQL drops every partition for the ids that it is not given here, and has nothing left to search.
        return (engine == .postgres || !searches.isEmpty)
            && searches.allSatisfy { $0.contains(engine == .sqlite ? "id=?" : "id = ") }
    }

    @Test("A step that deletes all of a quarter of an hour is told from one that deletes by ids")
    func bounded() {
        let range = "DELETE FROM lookup WHERE slot = ?1 AND id IN (SELECT id FROM notification WHERE id >= ?2)"
        let plan = ["2 0 0 SEARCH lookup USING PRIMARY KEY (slot=?)", "3 0 0 SEARCH notification USING PRIMARY KEY (id>?)"]
        #expect(!Self.isBounded(range, plan, .sqlite))
        #expect(Self.isBounded("DELETE FROM a WHERE id IN (?1)", ["2 0 0 SEARCH a USING PRIMARY KEY (id=?)"], .sqlite))
        #expect(!Self.isBounded("SELECT id FROM notification WHERE id > ?1", [], .sqlite))
    }

    @Test("A plan that reads a table is told from one that does not")
    func reading() {
        #expect(Self.scans(["2 0 0 SCAN state", "3 0 0 SEARCH message USING PRIMARY KEY (id>?)", "4 0 0 SCAN s"]) == ["2 0 0 SCAN state"])
        #expect(Self.unbounded(["Limit", "  ->  Index Scan using a on b", "        Index Cond: (x = $1)"]).isEmpty)
        #expect(Self.unbounded(["Limit", "  ->  Index Scan using a on b", "        Filter: (x = $1)"]).count == 1)
        #expect(
            Self.unbounded(["Nested Loop", "  ->  Index Scan using a on b", "  ->  Index Scan using c on d", "  Index Cond: (x = $1)"])
                .count == 1)
        #expect(Self.unbounded(["Seq Scan on b"]).count == 1)
    }
}

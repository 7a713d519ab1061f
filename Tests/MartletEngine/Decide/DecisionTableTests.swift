import MartletModel
import Testing

@testable import MartletEngine

@Suite("Decision tables")
struct DecisionTableTests {
    static let world = Result { try DecisionWorld() }

    @Test("Each row of the tables is decided as it says", arguments: DecisionTables.rows)
    func rows(row: DecisionRow) throws {
        let world = try DecisionTableTests.world.get()
        let facts = try world.facts(row)
        var decision = Decision()
        #expect(world.decider.decide(facts.event, facts.customer, facts.circumstances, into: &decision))
        #expect(DecisionWorld.outcome(decision) == row["outcome"], "\(decision.said.map(\.sentence))")
        #expect(DecisionWorld.rule(decision) == row["rule"], "\(decision.said.map(\.sentence))")
        if let messages = row["messages"], decision.outcome == .tell { #expect(DecisionWorld.messages(decision) == messages) }
        // Who asks every rule hears the same outcome, and at least as many answers.
        var whole = Decision()
        world.decider.decide(facts.event, facts.customer, facts.circumstances, asksAll: true, into: &whole)
        #expect(whole.outcome == decision.outcome && whole.said.starts(with: decision.said))
    }

    @Test("The tables have rows, only columns that are read, and every reason of the closed list; every rule ends one of them")
    func complete() throws {
        #expect(DecisionTables.names.count >= 12 && DecisionTables.rows.count >= 130, "\(DecisionTables.folder)")
        for row in DecisionTables.rows {
            #expect(Set(row.cells.keys).isSubset(of: DecisionTables.columns), "\(row.testDescription)")
            #expect(row["outcome"] != nil && row["rule"] != nil && !row.name.isEmpty, "\(row.testDescription)")
        }
        let outcomes = Set(DecisionTables.rows.compactMap { $0["outcome"] })
        for reason in SuppressionReason.allCases { #expect(outcomes.contains(reason.word), "no row ends with \(reason.word)") }
        let rules = Set(DecisionTables.rows.compactMap { $0["rule"] })
        for rule in DecisionRule.allCases { #expect(rules.contains(rule.word), "rule \(rule.word) ends no row") }
    }

    @Test(
        "Each rule has a table of its own, in which it lets somebody pass and ends what it is there to end",
        arguments: DecisionRule.allCases)
    func own(rule: DecisionRule) {
        let table = "\(rule.word.replacing("_", with: "-")).md"
        let rows = DecisionTables.rows.filter { $0.table == table }
        #expect(rows.contains { $0["rule"] == rule.word } && rows.contains { $0["rule"] != rule.word }, "\(table)")
    }

    @Test("The tables' rulebook compiles without a word against it")
    func rulebook() throws {
        let world = try DecisionTableTests.world.get()
        #expect(world.findings.isEmpty, "\(world.findings)")
        #expect(world.decider.place(of: 12) != nil && world.decider.place(of: 11) == nil && world.decider.place(of: 60_000) == nil)
    }

    @Test("An event of a number that nobody defined is not decided")
    func undefined() throws {
        let world = try DecisionTableTests.world.get()
        var decision = Decision()
        #expect(!world.decider.decide(DecisionEvent(event: 999, occurredAt: 0), nil, Circumstances(now: 0), into: &decision))
        #expect(decision.said.isEmpty)
    }
}

import Calendar
import MartletModel
import Testing

@testable import MartletEngine

/// What holds whatever rulebook a bank writes, whoever its customers are and whatever happens: shown with rulebooks, customers, events and
/// circumstances from seeds.
@Suite("Decisions under any rulebook")
struct RandomRulesTests {
    private static func zones() throws -> [Zone] { try DecisionDice.zones.map(DecisionWorld.zone) }

    @Test("Every event ends in one stated outcome, which one rule gives and every other asking confirms", arguments: 0..<10)
    func outcomes(seed: UInt64) throws {
        var dice = DecisionDice(1000 + seed)
        let zones = try RandomRulesTests.zones()
        var seen: Set<String> = []
        var decision = Decision()
        var whole = Decision()
        for turn in 0..<20 {
            let rules = dice.rules()
            let decider = Decider(rules, zones: zones)
            for index in 0..<120 {
                let facts = dice.facts()
                let place: Comment = "seed \(seed), rulebook \(turn), event \(index)"
                try #require(decider.decide(facts.event, facts.customer, facts.circumstances, into: &decision), place)
                let against = decision.said.filter { if case .passes = $0.verdict { false } else { $0.verdict != .ignored } }
                switch decision.outcome {
                case .tell:
                    #expect(against.isEmpty && decision.messages.contains { $0.when == .now }, place)
                    #expect(decision.deadline > facts.circumstances.now && decision.reason == nil, place)
                    seen.insert("tell")
                case .hold(let until):
                    #expect(against.map(\.verdict) == [.holds(until: until)], place)
                    #expect(until > facts.circumstances.now && until < decision.deadline && decision.reason == nil, place)
                    seen.insert("hold")
                case .suppress(let reason):
                    #expect(against.map(\.verdict) == [.suppresses(reason)] && decision.reason == reason, place)
                    seen.insert(reason.word)
                }
                #expect(Set(decision.said.map(\.rule)).count == decision.said.count, place)
                decider.decide(facts.event, facts.customer, facts.circumstances, asksAll: true, into: &whole)
                #expect(whole.outcome == decision.outcome, place)
            }
        }
        // All but the rarest come up under each seed.
        #expect(seen.count >= 12, "seed \(seed): \(seen.sorted())")
    }
}

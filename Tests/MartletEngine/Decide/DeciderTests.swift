import Calendar
import MartletModel
import Testing

@testable import MartletEngine

@Suite("The compiled rulebook")
struct DeciderTests {
    @Test("Every answer has its sentence, every word is told apart")
    func words() {
        for because in RuleAnswer.Because.allCases {
            #expect(RuleAnswer(.published, .passes, because, 1_800_000_000_000_000).sentence.hasSuffix("."))
        }
        #expect(Set(DecisionRule.allCases.map(\.word)).count == DecisionRule.allCases.count)
        #expect(Set(PlannedMessage.Skip.allCases.map(\.word)).count == PlannedMessage.Skip.allCases.count)
        #expect(Set(SuppressionReason.allCases.map(\.word)).count == SuppressionReason.allCases.count)
    }

    @Test("A class without a cell has no plan: nothing is told, with a reason")
    func noPlan() throws {
        var rules = try DecisionTableTests.world.get().rules
        rules.matrix = []
        var customer = Customer(subject: 1)
        customer.contacts = [ContactPoint(number: 1, kind: .phone)]
        var decision = Decision()
        Decider(rules).decide(DecisionEvent(event: 17, occurredAt: 0), customer, Circumstances(now: 1), into: &decision)
        #expect(decision.reason == .channelForbidden && decision.said.last?.because == .noPlan)
    }

    @Test("Where no package is connected an explanation says so of the threshold, too, and not that the event is for everyone")
    func thresholdOfNone() throws {
        let rules = try DecisionTableTests.world.get().rules
        let event = try #require(rules.events.first { !$0.isMandatory && !$0.isForEveryone && $0.isPublished })
        var decision = Decision()
        Decider(rules).decide(
            DecisionEvent(event: event.number, occurredAt: 0), Customer(subject: 1), Circumstances(now: 1), asksAll: true, into: &decision)
        #expect(decision.said.first { $0.rule == .threshold } == RuleAnswer(.threshold, .ignored, .notConnected))
    }

    @Test("Places that a rulebook does not have are none; zones that were not given are UTC")
    func broken() throws {
        var rules = try DecisionTableTests.world.get().rules
        (rules.eventTypes, rules.purposes, rules.holidays) = ([], [], [])
        rules.packages.append(Package(key: "x", number: 30, entries: [.init(event: 999)]))
        let decider = Decider(rules)
        #expect(decider.events.allSatisfy { $0.type == 0 && $0.purpose == 0 })
        #expect(decider.zone(of: Customer(subject: 1, zone: 1)).offset(at: 1_800_000_000) == 0)
    }

    @Test("An engagement that is no number, or none that is known, counts for nothing")
    func engagement() {
        func of(_ value: CustomerAttribute.Value) -> Engagement? {
            var customer = Customer(subject: 1)
            customer.attributes = [CustomerAttribute(40, .integer(1)), CustomerAttribute(CustomerAttribute.engagement, value)]
            return Decider.engagement(customer)
        }
        #expect(of(.integer(1)) == .low && of(.integer(3)) == .high)
        #expect(of(.integer(0)) == nil && of(.integer(300)) == nil && of(.text("low")) == nil)
    }
}

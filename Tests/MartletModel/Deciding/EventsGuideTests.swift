import Foundation
import Testing

@testable import MartletModel

@Suite("The guide on events")
struct EventsGuideTests {
    @Test("All examples of the guide together are a rulebook of which nothing bad is to be said")
    func examples() throws {
        let root = "\(#filePath)".split(separator: "/").dropLast(4).map { "/\($0)" }.joined()
        let page = try String(contentsOfFile: "\(root)/docs/guides/events.md", encoding: .utf8)
        var objects: [RulebookObject] = []
        var name: Substring?
        var block: String?
        for line in page.split(separator: "\n") {
            if line == "```json" {
                block = ""
            } else if line == "```", let text = block {
                let object = try DecidingRulesTests.object(String(try #require(name, "a block without its object's name")), text)
                objects.append(object)
                (name, block) = (nil, nil)
            } else if block != nil {
                block?.append("\(line)\n")
            } else if line.hasPrefix("`"), line.hasSuffix("`"), line.contains("/"), !line.contains(" ") {
                name = line.dropFirst().dropLast()
            }
        }
        let (rulebook, findings) = Rulebook.compile(RulebookSource(number: 1, at: 0, objects: objects), in: Rulebook.Surroundings())
        #expect(findings.isEmpty, "\(findings)")
        #expect(Set(objects.map(\.kind)) == Set(RulebookKind.allCases).subtracting([.routes]))
        #expect(
            rulebook.decisions.events.map(\.key) == ["card_payment", "instalment_due", "instalment_paid", "student_card", "weekly_offer"])
    }

    @Test("The guide names every skip, every type and class of data")
    func words() throws {
        let root = "\(#filePath)".split(separator: "/").dropLast(4).map { "/\($0)" }.joined()
        let page = try String(contentsOfFile: "\(root)/docs/guides/events.md", encoding: .utf8)
        let words =
            PlannedMessage.Skip.allCases.map(\.word) + ParameterType.allCases.map(\.word) + DataClass.allCases.map(\.word)
            + DeliveryPlan.Success.allCases.map(\.word) + Engagement.allCases.map(\.word)
        for word in words { #expect(page.contains("`\(word)`"), "\(word)") }
    }
}

import Calendar
import Foundation
import MartletModel
import Testing

@testable import MartletEngine

@Suite("Wording: the guide on events")
struct GuideWordingTests {
    @Test("All examples of the guide together are a rulebook whose texts fit their events, and say what it says they do")
    func examples() throws {
        let root = "\(#filePath)".split(separator: "/").dropLast(4).map { "/\($0)" }.joined()
        let page = try String(contentsOf: URL(filePath: "\(root)/docs/guides/events.md"), encoding: .utf8)
        var objects: [RulebookObject] = []
        let example = #/\n`(?<kind>[a-z-]+)/(?<key>[a-z0-9_.-]+)`\n\n```json\n(?<content>[\s\S]*?)\n```/#
        for match in page.matches(of: example) {
            let kind = try #require(RulebookKind(rawValue: String(match.kind)))
            let content = try JSONValue(reading: Array(match.content.utf8), maximumBytes: 10_000)
            objects.append(RulebookObject(kind: kind, key: String(match.key), version: 1, content: content))
        }
        let compiled = DecisionBook.compile(
            RulebookSource(number: 1, at: 0, objects: objects), in: Rulebook.Surroundings(), zoneFile: WordingRig.zoneFile)
        #expect(compiled.findings.isEmpty, "\(compiled.findings)")
        let book = try #require(compiled.book)
        let event = try #require(book.rules.events.firstIndex { $0.key == "card_payment" })
        let values: [EventPayload.NamedValue] = [
            .init("amount", .money(Money(minor: 12_550, currency: 980))), .init("card", .text("4111111111111234")),
            .init("shop", .text("Kava 7")), .init("reference", .text("")),
        ]
        let locale = book.locale(of: Customer(subject: 1, unit: 9, locale: try #require(CustomerLocale("uk-UA"))))
        let worded = try book.wording.sms(event: event, values, CustomerDetails(), locale, .utc, count: WordingRig.count, limit: 10)
        #expect(worded.text == "*1234: 125,50\u{A0}₴, Kava 7. Дякуємо.")
        let offer = try #require(book.rules.events.firstIndex { $0.key == "weekly_offer" })
        let own = try book.wording.sms(event: offer, [], CustomerDetails(), .none, .utc, count: WordingRig.count, limit: 10)
        #expect(own.text.hasPrefix("Our offer") && own.override == 1 && own.template == "sms.offer")
    }
}

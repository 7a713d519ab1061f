import Foundation
import MartletModel
import SQL
import Testing

@testable import MartletDesk

@Suite("Desk: texts of the rulebook")
struct RulebookWordingTests {
    private static func wish(_ text: String) throws -> RulebookEntry.Wish {
        RulebookEntry.Wish(
            name: "Object", description: "For tests.", unit: nil,
            content: try JSONValue(reading: Array(text.utf8), maximumBytes: 10_000), note: "why not")
    }

    private static let objects: [(RulebookKind, String, String)] = [
        (.eventType, "cards", "{}"), (.plan, "sms", #"{"steps": [{"channels": ["sms"]}]}"#),
        (.zones, "bank", #"{"default": "Europe/Kyiv"}"#),
        (
            .event, "paid",
            #"{"type": "cards", "class": "transactional", "everyone": true, "plan": "sms", "templates": {"sms": "paid"}, "parameters": [{"name": "amount", "type": "money"}]}"#
        ),
        (.template, "sms.paid", #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "Paid {{sum}}"}}"#),
    ]

    @Test("A text that does not fit its event is named in the draft and in the preview, and nothing is published until it does")
    func texts() async throws {
        try await ReferenceRig.with(.sqlite) { _, units in
            let directory = FileManager.default.temporaryDirectory.appending(path: "martlet-desk-\(UUID().uuidString)/local").path
            try FileManager.default.createDirectory(
                atPath: URL(filePath: directory).deletingLastPathComponent().path, withIntermediateDirectories: true)
            let rulebooks = Rulebooks(
                units,
                Rulebooks.World(
                    folder: RulebookFolder(directory), surroundings: { Rulebook.Surroundings() },
                    zoneFile: { name in (try? Data(contentsOf: URL(filePath: "/usr/share/zoneinfo/\(name)"))).map { Array($0) } }))
            let anna = ReferenceRig.caller()
            for (kind, key, text) in RulebookWordingTests.objects {
                _ = try await rulebooks.save(kind, key, try RulebookWordingTests.wish(text), version: nil, by: anna)
            }
            let path = "template/sms.paid$.texts.en"
            let preview = try await rulebooks.preview(RulebookSelection(), by: anna)
            #expect(preview.findings.map(\.path) == [path], "\(preview.findings)")
            let fault = await ReferenceRig.fault { _ = try await rulebooks.publish(RulebookSelection(), note: "x", base: 0, by: anna) }
            #expect(
                fault?.paths.count == 1 && fault.map { "\($0)".contains("\(path): line 1, column 6: there is no field `sum`") } ?? false)

            let unclosed = try RulebookWordingTests.wish(
                #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "Paid {{amount"}}"#)
            let draft = try await rulebooks.save(.template, "sms.paid", unclosed, version: 1, by: anna)
            #expect(draft.findings.contains { $0.path == path && $0.message.contains("not closed") }, "\(draft.findings)")
            let sound = try RulebookWordingTests.wish(
                #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "Paid {{amount | money: code}}"}}"#)
            _ = try await rulebooks.save(.template, "sms.paid", sound, version: 2, by: anna)
            let published = try await rulebooks.publish(RulebookSelection(), note: "x", base: 0, by: anna)
            #expect(published.release.number == 1 && published.warnings.isEmpty, "\(published.warnings)")
        }
    }
}

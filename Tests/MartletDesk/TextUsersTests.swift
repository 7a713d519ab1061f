import Foundation
import MartletModel
import SQL
import Testing

@testable import MartletDesk

@Suite("Desk: users of texts, and what overrides differ in") struct TextUsersTests {
    private static func users(_ rig: TextRig, _ kind: RulebookKind, _ key: String) async throws -> [String] {
        try await rig.rulebooks.users(of: kind, key, by: TextRig.anna).map {
            "\($0.kind.rawValue)/\($0.key)\($0.isNewest ? " newest" : "")\($0.isPublished ? " published" : "")"
        }
    }

    @Test(
        "A template shows the events and overrides that use it, a partial the texts that put it in; while they do, neither can be taken out",
        arguments: SQLStore.Engine.allCases)
    func users(engine: SQLStore.Engine) async throws {
        try await TextRig.with(engine) { rig in
            try await rig.save(.override, "paid.sms", #"{"basedOn": 1, "texts": {"uk": "Інше. {{>thanks}}"}}"#)
            #expect(try await Self.users(rig, .template, "sms.paid") == ["event/paid newest", "override/paid.sms newest"])
            #expect(try await Self.users(rig, .partial, "thanks") == ["override/paid.sms newest", "template/sms.paid newest"])
            _ = try await rig.publish()
            // A draft that no longer uses it does not free it while the release does.
            try await rig.save(.template, "sms.paid", TextRig.sms("Bare"), version: 1)
            #expect(
                try await Self.users(rig, .partial, "thanks") == ["override/paid.sms newest published", "template/sms.paid published"])
            #expect(try await Self.users(rig, .event, "paid") == ["override/paid.sms newest published"])
            #expect(try await Self.users(rig, .plan, "sms") == ["event/paid newest published"])

            for (name, users) in [
                (RulebookSelection.Name(kind: "template", key: "sms.paid"), "event/paid, override/paid.sms"),
                (.init(kind: "partial", key: "thanks"), "override/paid.sms, template/sms.paid"),
            ] {
                let selection = RulebookSelection(objects: [], without: [name])
                let found = try await rig.rulebooks.preview(selection, by: TextRig.anna).findings
                let words = "it cannot be taken out, for it is used by \(users)"
                #expect(found.contains { $0.path == "\(name.kind)/\(name.key)" && $0.message == words }, "\(found)")
                let fault = await ReferenceRig.fault {
                    _ = try await rig.rulebooks.publish(selection, note: "x", base: 1, by: TextRig.anna)
                }
                #expect("\(fault.map { "\($0)" } ?? "")".contains(words))
            }
            let nobody = await ReferenceRig.fault { _ = try await Self.users(rig, .template, "sms.nobody") }
            #expect(nobody == .notFound(noun: "rulebook object", key: "template/sms.nobody"))
        }
    }

    @Test(
        "An override says in which languages it differs from the template that it was written over, and what became of that since",
        arguments: SQLStore.Engine.allCases)
    func drift(engine: SQLStore.Engine) async throws {
        try await TextRig.with(engine) { rig in
            func drift() async throws -> OverrideDrift? {
                try await rig.rulebooks.get(.override, "paid.sms", by: TextRig.anna).drift
            }
            try await rig.save(.override, "paid.sms", #"{"basedOn": 1, "texts": {"uk": "Інше", "de": "Neu"}}"#)
            #expect(try await drift()?.words == "differs from template/sms.paid v1 in de, uk")
            let template = try await rig.rulebooks.version(.template, "sms.paid", 1, by: TextRig.anna)
            try await rig.save(.template, "sms.paid", TextRig.sms("Other"), version: 1)
            let behind = try #require(try await drift())
            #expect(behind.words == "differs from template/sms.paid v1 in de, uk; the template is at version 2")
            #expect(behind.newest == 2 && behind.changes.map(\.place) == ["$.texts.en", "$.texts.uk"], "\(behind.changes)")
            #expect(RulebookDocument(try await rig.rulebooks.get(.override, "paid.sms", by: TextRig.anna)).drift?.words == behind.words)
            let same = String(decoding: JSONValue.object(["en": template.content?["texts"]?["en"] ?? .null]).canonical, as: UTF8.self)
            try await rig.save(.override, "paid.sms", #"{"basedOn": 1, "texts": \#(same)}"#, version: 1)
            #expect(try await drift()?.words == "says what template/sms.paid v1 says; the template is at version 2")
            try await rig.save(.override, "paid.sms", #"{"basedOn": 9, "texts": {}}"#, version: 2)
            #expect(try await drift() == nil)
            #expect(try await rig.rulebooks.get(.template, "sms.paid", by: TextRig.anna).drift == nil)
            try await rig.save(.override, "nobody.sms", #"{"basedOn": 1, "texts": {}}"#)
            #expect(try await rig.rulebooks.get(.override, "nobody.sms", by: TextRig.anna).drift == nil)
        }
    }
}

import Foundation
import MartletModel
import MartletStore
import SQL
import Testing

@testable import MartletDesk

@Suite("Desk: approval of texts") struct TextApprovalTests {
    private static let key = "sms.paid"

    @Test(
        "A version of a text is a draft, then submitted, then approved by somebody else than its author, each once and with an entry of the audit",
        arguments: SQLStore.Engine.allCases)
    func states(engine: SQLStore.Engine) async throws {
        try await TextRig.with(engine) { rig in
            let rulebooks = rig.rulebooks
            func state(_ number: Int64?) async throws -> TextApproval.State? {
                try await rulebooks.version(.template, Self.key, number, by: TextRig.anna).approval?.state
            }
            func fault(_ body: () async throws -> RulebookVersion) async -> String {
                await ReferenceRig.fault { _ = try await body() }.map { "\($0)" } ?? ""
            }
            #expect(try await state(1) == nil)
            #expect(
                await fault { try await rulebooks.approve(.template, Self.key, 1, by: TextRig.bert) }
                    == "number: template/sms.paid@1 was not submitted")
            let submitted = try await rulebooks.submit(.template, Self.key, 1, by: TextRig.bert)
            #expect(
                submitted.approval?.state == .submitted && submitted.approval?.submittedBy == "principal:bert" && submitted.content == nil)
            #expect(
                await fault { try await rulebooks.submit(.template, Self.key, 1, by: TextRig.anna) }
                    == "number: template/sms.paid@1 was submitted already")
            #expect(
                await fault { try await rulebooks.approve(.template, Self.key, 1, by: TextRig.anna) }
                    == "author: somebody else than the author of template/sms.paid@1 approves it")
            let approved = try await rulebooks.approve(.template, Self.key, 1, by: TextRig.bert)
            #expect(approved.approval?.state == .approved && approved.approval?.approvedBy == "principal:bert")
            #expect(
                await fault { try await rulebooks.approve(.template, Self.key, 1, by: TextRig.bert) }
                    == "number: template/sms.paid@1 is approved already")
            #expect(
                try await ReferenceRig.audit(rig.desk).suffix(2)
                    == ["text.submitted rulebook/template/sms.paid@1 done", "text.approved rulebook/template/sms.paid@1 done"])
            // A new version is a draft again; the old one stays approved.
            try await rig.save(.template, Self.key, TextRig.sms("More"), version: 1)
            #expect(try await state(nil) == nil)
            #expect(try await state(1) == .approved)
            let page = try await rulebooks.versions(.template, Self.key, try PageWish(), by: TextRig.anna)
            #expect(page.items.map { $0.approval?.state } == [nil, .approved])

            #expect(
                await fault { try await rulebooks.submit(.event, "paid", 1, by: TextRig.anna) }
                    == "kind: templates, partials and overrides are approved, and nothing else")
            #expect(
                await fault { try await rulebooks.submit(.template, Self.key, 7, by: TextRig.anna) }
                    == "there is no rulebook version template/sms.paid@7")
            var foreign = TextRig.bert
            foreign.unit = 3
            #expect(
                await ReferenceRig.fault { _ = try await rulebooks.submit(.template, Self.key, 2, by: foreign) }?.paths == ["unit foreign"])
            foreign.unit = nil
            foreign.rights.remove(.approveTexts)
            #expect(
                await ReferenceRig.fault { _ = try await rulebooks.approve(.template, Self.key, 2, by: foreign) }
                    == .forbidden(.approveTexts))

            try await ReferenceRig.tamper(rig.desk, "UPDATE rulebook_approval SET approved_by = 'principal:carl'")
            #expect(
                await ReferenceRig.fault { _ = try await state(1) }
                    == .tampered(noun: "approval of a text", key: "template/sms.paid@1"))
        }
    }

    @Test(
        "Where the bank asks for it, nothing is published that holds a text nobody agreed to, each named; going back asks for nothing",
        arguments: SQLStore.Engine.allCases)
    func publishing(engine: SQLStore.Engine) async throws {
        try await TextRig.with(engine) { rig in
            let rulebooks = rig.rulebooks
            _ = try await rig.publish()
            try await rig.save(.template, Self.key, TextRig.sms("Now {{>thanks}}"), version: 1)
            _ = try await rig.publish(base: 1)
            try rig.approval.need()
            try await rig.save(.override, "paid.sms", #"{"basedOn": 2, "texts": {"en": "Mine"}}"#)
            _ = try await rulebooks.submit(.partial, "thanks", 1, by: TextRig.anna)
            let found = try await rulebooks.preview(RulebookSelection(), by: TextRig.anna).findings.filter { $0.severity == .error }
            #expect(
                found.map { "\($0.path) \($0.message)" } == [
                    "partial/thanks version 1 was submitted, and is not approved", "template/sms.paid version 2 is not approved",
                    "override/paid.sms version 1 is not approved",
                ], "\(found)")
            let fault = await ReferenceRig.fault { _ = try await rig.publish(base: 2) }
            #expect(fault?.paths == ["partial/thanks rulebook", "template/sms.paid rulebook", "override/paid.sms rulebook"])
            for (kind, key, number) in [(RulebookKind.partial, "thanks", Int64(1)), (.template, Self.key, 2), (.override, "paid.sms", 1)] {
                if kind != .partial { _ = try await rulebooks.submit(kind, key, number, by: TextRig.anna) }
                _ = try await rulebooks.approve(kind, key, number, by: TextRig.bert)
            }
            #expect(try await rig.publish(base: 2).release.number == 3)
            // Release 1 has a version that nobody approved.
            let back = try await rulebooks.rollBack(to: 1, note: "back", base: 3, by: TextRig.anna)
            #expect(back.release.number == 4)
        }
    }
}

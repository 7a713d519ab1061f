import Foundation
import MartletModel
import SQL
import Testing

@testable import MartletDesk

@Suite("Desk: routes of texts") struct TextRoutesTests {
    @Test("A text is looked at, its users are named, a version is submitted and approved, as the document describes it")
    func routes() async throws {
        try await TextRig.with(.sqlite) { rig in
            let skin = Skin(TextRoutes(rig.rulebooks, rig.customers.customers), RulebookRoutes(rig.rulebooks))
            let path = "/v1/rulebook/templates/preview"
            let shown = try await skin.ask(
                .post, path, [:],
                #"{"event": "paid", "channel": "sms", "objects": [{"kind": "template", "key": "sms.paid", "content": {"channel": "sms", "standard": "en", "texts": {"en": "It’s {{amount | money: code}}{{nothing}}"}}}]}"#
            )
            #expect(shown.status == 200 && (shown.body["findings"] as? [[String: Any]])?.count == 2, "\(shown.body)")
            #expect((shown.body["faults"] as? [[String: Any]])?.first?["code"] as? String == "value_missing")
            let sound = try await skin.ask(
                .post, path, [:],
                #"{"event": "paid", "channel": "sms", "template": null, "release": null, "names": {"givenName": "“W”"}, "zone": "UTC"}"#)
            let sms = try #require(sound.body["sms"] as? [String: Any])
            #expect(sms["alphabet"] as? String == "UCS-2" && (sms["letters"] as? [[String: Any]])?.count == 2, "\(sound.body)")
            #expect((sms["offers"] as? [[String: Any]])?.first?["spelling"] as? String == "typographic")
            #expect((sound.body["locale"] as? [String: Any])?["why"] as? String == "standard")
            #expect(try await skin.ask(.post, path, [:], #"{"event": "paid", "chanel": "sms"}"#).status == 422)
            #expect(try await skin.ask(.post, path, [:], #"{"event": "paid", "channel": "sms", "release": 3}"#).status == 404)

            let template = ["kind": "template", "key": "sms.paid"]
            let key = "/v1/rulebook/objects/{kind}/{key}"
            let users = try await skin.ask(.get, "\(key)/users", template)
            #expect(
                users.items.count == 1 && users.items.first?["key"] as? String == "paid"
                    && users.items.first?["published"] as? Bool == false)
            #expect(try await skin.ask(.get, "\(key)/users", ["kind": "nothing", "key": "x"]).status == 404)

            let version = template.merging(["number": "1"]) { $1 }
            let draft = try await skin.ask(.get, "\(key)/versions/{number}", version)
            #expect((draft.body["approval"] as? [String: Any])?["state"] as? String == "draft")
            let submitted = try await skin.ask(.post, "\(key)/versions/{number}/submit", version)
            #expect((submitted.body["approval"] as? [String: Any])?["submittedBy"] as? String == "principal:anna")
            let own = try await skin.ask(.post, "\(key)/versions/{number}/approve", version, by: TextRig.anna)
            #expect(own.status == 409)
            let approved = try await skin.ask(.post, "\(key)/versions/{number}/approve", version, by: TextRig.bert)
            let approval = try #require(approved.body["approval"] as? [String: Any])
            #expect(approval["state"] as? String == "approved" && approval["approvedBy"] as? String == "principal:bert")
            #expect(approval["approvedAt"] as? String == "2026-11-23T02:13:20.000000Z")
            let listed = try await skin.ask(.get, "\(key)/versions", template)
            #expect((listed.items.first?["approval"] as? [String: Any])?["state"] as? String == "approved")
            #expect(
                try await skin.ask(.get, "\(key)/versions/{number}", ["kind": "plan", "key": "sms", "number": "1"]).body["approval"] == nil)

            try await rig.save(.override, "paid.sms", #"{"basedOn": 1, "texts": {"en": "Mine"}}"#)
            let override = try await skin.ask(.get, key, ["kind": "override", "key": "paid.sms"])
            #expect((override.body["drift"] as? [String: Any])?["words"] as? String == "differs from template/sms.paid v1 in en")
        }
    }
}

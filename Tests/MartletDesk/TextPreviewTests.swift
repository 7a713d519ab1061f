import Foundation
import MartletModel
import SQL
import Testing

@testable import MartletDesk

@Suite("Desk: preview of texts") struct TextPreviewTests {
    /// Blanks of all kinds as the one that is easy to write.
    private static func text(_ rig: TextRig, _ wish: TextWish, by caller: Caller = TextRig.anna) async throws -> TextDocument {
        var text = TextDocument(try await rig.rulebooks.preview(text: wish, of: rig.customers.customers, by: caller))
        text.fields = text.fields.mapValues { $0.replacing("\u{202F}", with: " ").replacing("\u{A0}", with: " ") }
        return text
    }

    private static func faults(_ rig: TextRig, _ wish: TextWish, by caller: Caller = TextRig.anna) async -> [String] {
        await ReferenceRig.fault { _ = try await text(rig, wish, by: caller) }?.paths ?? []
    }

    private static func content(_ text: String) throws -> JSONValue { try JSONValue(reading: Array(text.utf8), maximumBytes: 10_000) }

    @Test(
        "A draft, a stored version or a release is written with given values or invented ones, and nothing is changed by that",
        arguments: SQLStore.Engine.allCases)
    func wishes(engine: SQLStore.Engine) async throws {
        try await TextRig.with(engine) { rig in
            var wish = TextWish(event: "paid", channel: "sms")
            let entries = try await ReferenceRig.audit(rig.desk).count
            let usual = try await Self.text(rig, wish)
            #expect(usual.fields == ["text": "Anna paid EUR 125.50 at 4:13 AM. Thank you."], "\(usual.fields)")
            #expect(usual.locale.asked == "" && usual.locale.from == "none" && usual.locale.text == "en" && usual.locale.why == "standard")
            #expect(usual.zone == "Europe/Kyiv" && usual.version == 1 && usual.template == "sms.paid" && usual.override == nil)
            #expect(usual.sms?.parts == 1 && usual.sms?.alphabet == "GSM 7-bit" && usual.findings.isEmpty && usual.faults.isEmpty)

            _ = try await rig.publish()
            try await rig.save(.template, "sms.paid", TextRig.sms("Newer {{amount | money: code}}"), version: 1)
            wish.parameters = try Self.content(
                #"{"amount": {"amount": "7.00", "currency": "UAH"}, "at": "2026-11-22T18:04:00Z"}"#)
            #expect(try await Self.text(rig, wish).fields == ["text": "Newer UAH 7.00"])
            wish.release = 1
            wish.names = try JSONDecoder().decode(TextWish.Names.self, from: Data(#"{"givenName": "Olena"}"#.utf8))
            wish.zone = "Europe/Warsaw"
            let released = try await Self.text(rig, wish)
            #expect(released.fields == ["text": "Olena paid UAH 7.00 at 7:04 PM. Thank you."], "\(released.fields)")
            wish.objects = [.init(kind: .template, key: "sms.paid", version: 2)]
            #expect(try await Self.text(rig, wish).version == 2)
            wish.objects = [.init(kind: .template, key: "sms.paid")]
            #expect(try await Self.text(rig, wish).fields["text"] == "Newer UAH 7.00")
            wish.objects = [
                .init(kind: .template, key: "sms.paid", content: try Self.content(TextRig.sms("Draft {{nothing}} {{>thanks}}"))),
                .init(kind: .partial, key: "thanks", content: try Self.content(#"{"texts": {"en": "Cheers"}}"#)),
            ]
            let draft = try await Self.text(rig, wish)
            #expect(draft.version == nil && draft.faults.map(\.code) == ["value_missing"] && draft.sms == nil, "\(draft)")
            #expect(draft.findings.map(\.path) == ["template/sms.paid$.texts.en"])
            // A draft of an event keeps its number, and the template may be one that no event names.
            wish.objects = [
                .init(kind: .event, key: "paid", content: try Self.content(#"{"type": "cards", "class": "service", "templates": {}}"#)),
                .init(kind: .template, key: "sms.new", content: try Self.content(TextRig.sms("It’s new"))),
            ]
            (wish.template, wish.parameters) = ("new", nil)
            let new = try await Self.text(rig, wish)
            #expect(new.fields == ["text": "It’s new"] && new.sms?.letters.map(\.code) == ["U+2019"])
            #expect(!new.findings.contains { $0.path.contains("number") }, "\(new.findings)")
            #expect(try await ReferenceRig.audit(rig.desk).count == entries + 2)
        }
    }

    @Test("An override's text is shown where it stands, and by its version", arguments: SQLStore.Engine.allCases)
    func overrides(engine: SQLStore.Engine) async throws {
        try await TextRig.with(engine) { rig in
            try await rig.save(.override, "paid.sms", #"{"basedOn": 1, "texts": {"uk": "Інше"}}"#)
            var wish = TextWish(event: "paid", channel: "sms")
            wish.locale = "uk-UA"
            let shown = try await Self.text(rig, wish)
            #expect(
                shown.fields == ["text": "Інше"] && shown.override == 1 && shown.locale.why == "language" && shown.locale.from == "request")
            #expect(shown.sms?.alphabet == "UCS-2")
            wish.locale = "en"
            #expect(try await Self.text(rig, wish).override == nil)
        }
    }

    @Test(
        "With a customer it takes that one's name, language and zone: with the rights, a reason, and an entry of the audit",
        arguments: SQLStore.Engine.allCases)
    func customers(engine: SQLStore.Engine) async throws {
        try await TextRig.with(engine) { rig in
            var draft = CustomerRig.wish()
            draft.locale = "en-GB"
            let id = try await rig.customers.customers.add(draft, by: TextRig.anna).id
            draft.reference = "40-118-221"
            draft.locale = nil
            let other = try await rig.customers.customers.add(draft, by: TextRig.anna).id
            var wish = TextWish(event: "paid", channel: "sms")
            wish.customer = id
            let shown = try await Self.text(rig, wish)
            #expect(shown.fields == ["text": "Wanda paid EUR 125.50 at 3:13 AM. Thank you."])
            #expect(shown.locale.from == "customer" && shown.locale.asked == "en-GB" && shown.zone == "Europe/Warsaw")
            #expect(try await ReferenceRig.audit(rig.desk).last == "personal.seen customer:\(id) done")
            wish.customer = other
            let unit = try await Self.text(rig, wish)
            #expect(unit.locale.from == "unit" && unit.locale.text == "uk" && unit.fields["text"]?.hasPrefix("Сплачено") == true)
            wish.customer = 9_999
            #expect(await Self.faults(rig, wish) == ["there is no customer 9999"])

            wish.customer = id
            let silent = Caller(name: "principal:anna", rights: Set(Right.allCases))
            #expect(await Self.faults(rig, wish, by: silent) == ["reason required"])
            for right in [Right.readRulebook, .readCustomers, .revealPersonal] {
                var less = TextRig.anna
                less.rights.remove(right)
                #expect(await ReferenceRig.fault { _ = try await Self.text(rig, wish, by: less) } == .forbidden(right))
            }
            var foreign = TextRig.anna
            foreign.unit = 8
            #expect(
                await ReferenceRig.fault { _ = try await Self.text(rig, wish, by: foreign) } == .notFound(noun: "customer", key: "\(id)"))
        }
    }

    @Test(
        "Of what the machine says of groups and zones nothing is asked that a wish does not need, and what cannot be read is the desk's own fault"
    )
    func groups() async throws {
        try await TextRig.with(.sqlite) { rig in
            var wish = TextWish(event: "paid", channel: "sms")
            wish.group = "harbour"
            #expect(try await Self.text(rig, wish).sms?.parts == 1)
            let world = Rulebooks.World(
                folder: RulebookFolder("/nonexistent"), surroundings: { Rulebook.Surroundings() }, texts: { throw CancellationError() },
                needsApproval: { throw CancellationError() })
            let blind = Rulebooks(rig.units, world)
            func broken(_ body: () async throws -> Void) async -> Bool {
                if case .broken? = await ReferenceRig.fault(body) { true } else { false }
            }
            #expect(await broken { _ = try await blind.preview(text: wish, of: rig.customers.customers, by: TextRig.anna) })
            #expect(await broken { _ = try await blind.preview(RulebookSelection(), by: TextRig.anna) })
            wish.group = nil
            // Without zones on the machine clocks are at UTC.
            let shown = TextDocument(try await blind.preview(text: wish, of: rig.customers.customers, by: TextRig.anna))
            #expect(shown.fields["text"]?.contains("2:13") == true && shown.zone == "UTC", "\(shown.fields)")
        }
    }

    @Test("Everything of a wish that does not hold is named at once; what another unit has is not there")
    func refused() async throws {
        try await TextRig.with(.sqlite) { rig in
            var wish = TextWish(event: "paid", channel: "letter")
            (wish.locale, wish.zone, wish.group, wish.template) = ("english", "Mars/Olympus", "nobody", "No Key")
            wish.objects = [
                .init(kind: .template, key: "A", version: 1, content: .null)
            ]
            #expect(
                await Self.faults(rig, wish) == [
                    "channel unknown", "locale malformed", "template malformed", "objects[0].key malformed",
                    "objects[0].version not_allowed", "zone unknown", "group unknown",
                ])
            wish = TextWish(event: "paid", channel: "sms")
            wish.objects = Array(repeating: .init(kind: .template, key: "a"), count: 21)
            wish.customer = 1
            wish.names = try JSONDecoder().decode(
                TextWish.Names.self, from: Data("{\"givenName\": \"\(String(repeating: "a", count: 257))\"}".utf8))
            #expect(await Self.faults(rig, wish) == ["objects too_many", "names not_allowed", "names.givenName too_long"])

            wish = TextWish(event: "nothing", channel: "sms")
            #expect(await Self.faults(rig, wish) == ["event unknown"])
            wish.event = "paid"
            wish.channel = "push"
            #expect(await Self.faults(rig, wish) == ["channel unknown"])
            wish.channel = "sms"
            wish.template = "nothing"
            #expect(await Self.faults(rig, wish) == ["template unknown"])
            wish.template = nil
            wish.parameters = try Self.content(#"{"amount": 1, "more": 2}"#)
            #expect(
                await Self.faults(rig, wish) == ["parameters.amount malformed", "parameters.at required", "parameters.more unknown"])
            wish.parameters = nil
            wish.objects = [.init(kind: .template, key: "sms.nobody")]
            #expect(await Self.faults(rig, wish) == ["objects[0].key unknown"])
            wish.objects = [.init(kind: .template, key: "sms.paid", version: 9)]
            #expect(await Self.faults(rig, wish) == ["objects[0].version unknown"])
            wish.objects = nil
            wish.release = 4
            #expect(await Self.faults(rig, wish) == ["there is no release 4"])

            let unit = Unit.Wish(code: "retail", name: "R", description: "D", parent: nil, zone: "UTC", locale: "en-GB")
            let own = try await rig.units.add(unit, by: TextRig.anna).number
            try await rig.save(.event, "own", TextRig.objects[4].2, unit: own)
            wish = TextWish(event: "own", channel: "sms")
            #expect(try await Self.text(rig, wish).fields["text"] != nil)
            var foreign = TextRig.anna
            foreign.unit = own + 1
            #expect(await Self.faults(rig, wish, by: foreign) == ["event unknown"])
        }
    }
}

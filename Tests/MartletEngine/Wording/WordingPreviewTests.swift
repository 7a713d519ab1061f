import Calendar
import Foundation
import MartletModel
import SMSText
import Testing

@testable import MartletEngine

@Suite("Wording: preview") struct WordingPreviewTests {
    private static func preview(
        _ changes: [String: String] = [:], _ channel: ChannelKind = .sms, template: String? = nil, images: Set<String>? = nil
    ) throws -> WordingPreview {
        try WordingPreview(
            try WordingRig.source(changes), in: Rulebook.Surroundings(images: images), event: "paid", over: channel, template: template)
    }

    /// Blanks of all kinds as the one that is easy to write.
    private static func plain(_ text: String?) -> String {
        (text ?? "").replacing("\u{202F}", with: " ").replacing("\u{A0}", with: " ")
    }

    private static func written(
        _ preview: WordingPreview, _ locale: String = "", _ values: [EventPayload.NamedValue] = WordingRig.values,
        _ details: CustomerDetails = CustomerDetails(), texts: Texts = Texts(), group: GroupNumber? = nil, limit: Int = 10
    ) throws -> WordingPreview.Written {
        let file = try #require(WordingRig.zoneFile("Europe/Kyiv"))
        let zone = try #require(WordingPreview.zone(file))
        let customer = try #require(CustomerLocale(locale))
        return try #require(
            preview.write(values, details, customer, zone, texts: texts, group: group, limit: limit))
    }

    @Test("What is shown is, in each language, what would be sent, counted alike")
    func same() throws {
        let changes = [
            "template/sms.paid": #"""
            {"channel": "sms", "sender": "HARBOUR", "standard": "en", "parts": 1,
             "texts": {"en": "{{customer.givenName | default: \"You\"}}: {{amount | money: code}}, {{at | time}}, {{shop | fit: 6}}",
                       "uk": "{{card | mask: card}}: {{amount | money}}, {{at | datetime}}", "uk-UA": "Сплачено {{amount | money}}"}}
            """#
        ]
        let rig = try WordingRig(changes)
        let preview = try Self.preview(changes)
        var long = WordingRig.values
        long[3] = .init("shop", .text(String(repeating: "Corner ", count: 30)))
        for locale in ["", "en", "en-GB", "uk", "uk-UA", "uk-PL", "ja"] {
            for values in [WordingRig.values, long] {
                let details = CustomerDetails(givenName: "Wanda")
                let sent = try rig.sms(locale, values, details)
                let shown = try Self.written(preview, locale, values, details)
                #expect(shown.fields == [.init(name: "text", place: .message, text: sent.text, fault: nil)], "\(locale)")
                #expect(shown.locale == sent.locale && shown.sms?.parts == sent.count.parts && shown.sms?.sender == sent.sender)
            }
        }
        let reasons = try ["": "standard", "uk-UA": "asked", "uk": "asked", "uk-PL": "language", "ja": "standard", "en-GB": "language"]
            .map { (try Self.written(preview, $0.key).reason.rawValue, $0.value) }
        #expect(reasons.allSatisfy { $0 == $1 }, "\(reasons)")
        #expect(preview.findings == rig.findings.filter { !$0.path.hasPrefix("template/push") })
        // What can no longer be read as a zone is none.
        #expect(WordingPreview.zone([1, 2, 3]) == nil)
    }

    @Test("Whatever else is wrong with the rulebook, a text is shown; what is wrong with it and its event is said, and nothing else")
    func broken() throws {
        let preview = try Self.preview([
            "template/push.paid": #"{"channel": "push"}"#, "event/other": "{}", "plan/both": "[]",
            "event/paid": try WordingRig.event(#"{"plan": "nowhere"}"#),
            "partial/foot": #"{"texts": {"en": "Bye", "uk": "Па-па {{{"}, "colour": "red"}"#,
            "partial/other": "[]",
            "template/sms.paid":
                #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "{{amount | money: code}} {{>foot}}", "uk": "{{amount"}}"#,
        ])
        #expect(Self.plain(try Self.written(preview).fields.first?.text) == "UAH 1,234.50 Bye")
        let ukrainian = try Self.written(preview, "uk")
        #expect(ukrainian.fields == [.init(name: "text", place: .message, text: nil, fault: nil)] && ukrainian.sms == nil)
        #expect(
            Set(preview.findings.filter { $0.severity == .error }.map(\.path))
                == ["event/paid$.plan", "partial/foot$.colour", "template/sms.paid$.texts.uk"],
            "\(preview.findings)")
    }

    @Test("A value is text wherever it stands: it is no markup in a rich push or a mail, and leaves its part of an address nowhere")
    func values() throws {
        let shop = #"<a href="https://x.example">Shop</a>/&?"#
        let text = #"""
            {"title": "{{shop}}", "preview": "x", "body": "<b>{{shop}}</b>{{>thanks}}", "fallback": "{{shop}}", "link": "https://bank.example/a?s={{shop}}",
             "image": "https://bank.example/{{shop}}.png", "buttons": [{"label": "{{shop}}", "link": "bank:{{shop}}"}]}
            """#
        var values = WordingRig.values
        values[3] = .init("shop", .text(shop))
        let preview = try Self.preview(
            [
                "template/push.paid": #"{"channel": "push", "form": "rich", "standard": "en", "texts": {"en": \#(text)}}"#,
                "partial/thanks": #"{"texts": {"en": "<i>{{shop}}</i>"}}"#,
            ], .push)
        let fields = try Self.written(preview, "en", values).fields
        func field(_ name: String) -> String? { fields.first { $0.name == name }?.text }
        let (html, link) = (
            "&lt;a href=&quot;https://x.example&quot;&gt;Shop&lt;/a&gt;/&amp;?",
            "%3Ca%20href%3D%22https%3A%2F%2Fx.example%22%3EShop%3C%2Fa%3E%2F%26%3F"
        )
        #expect(field("body") == "<b>\(html)</b><i>\(html)</i>")
        #expect(field("title") == shop && field("fallback") == shop && field("buttons[0].label") == shop, "these show what they are given")
        #expect(field("link") == "https://bank.example/a?s=\(link)" && field("image") == "https://bank.example/\(link).png")
        #expect(field("buttons[0].link") == "bank:\(link)")

        let mail = try Self.preview(try WordingCheckTests.mail(subject: "{{shop}}", text: "{{shop}}", html: "<p>{{shop}}</p>"), .email)
        let letter = try Self.written(mail, "en", values).fields
        #expect(letter.map(\.text) == [shop, shop, "<p>\(html)</p>"])
    }

    @Test("Values that a text cannot be written with are named by field, and a text that is too long is shown all the same")
    func faults() throws {
        let preview = try Self.preview([
            "template/sms.paid":
                #"{"channel": "sms", "standard": "en", "texts": {"en": "{{#refund}}Back{{/refund}}{{^refund}}{{shop}}{{/refund}}"}}"#
        ])
        func fault(_ values: [EventPayload.NamedValue], limit: Int = 10) throws -> WordingPreview.Field? {
            try Self.written(preview, "", values, limit: limit).fields.first
        }
        #expect(try fault([])?.fault == .empty)
        #expect(WordingFault.empty.message == "with these values nothing would be written")
        let long = try Self.written(preview, "", [.init("shop", .text(String(repeating: "ж", count: 100)))], limit: 1)
        #expect(long.fields.first?.fault == .tooManyParts(parts: 2, limit: 1) && long.fields.first?.text?.count == 100)
        #expect(long.sms?.parts == 2 && long.sms?.alphabet == "UCS-2" && long.sms?.sender == nil)
        let strict = try Self.preview([
            "template/sms.paid": #"{"channel": "sms", "standard": "en", "texts": {"en": "{{amount | money}}"}}"#
        ])
        let field = try Self.written(strict, "", []).fields.first
        #expect(field?.fault == .value(at: "amount") && field?.text == nil)
        #expect(field?.fault?.message == "`amount` has no value, or one that the text cannot write")
        for (fault, word) in [
            (WordingFault.noTemplate, "no_template"), (.noAlphabet, "no_alphabet"), (.tooManyParts(parts: 3, limit: 2), "too_many_parts"),
            (.tooLong, "text_too_long"),
        ] { #expect(fault.word == word && !fault.message.isEmpty) }
    }

    @Test("The letters that make a text dear are named, with what would be cheaper, by the rules of the group's operator")
    func letters() throws {
        let preview = try Self.preview([
            "template/sms.paid": #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "It’s “{{shop}}” – ✓"}}"#
        ])
        let standard = try #require(try Self.written(preview).sms)
        #expect(standard.alphabet == "UCS-2" && standard.letters.map(\.letter) == ["’", "“", "”", "–", "✓"], "\(standard.letters)")
        #expect(standard.letters.first == .init(letter: "’", code: "U+2019", count: 1, positions: [2], cheaper: "'"))
        #expect(standard.parts == 1 && standard.submits == 1 && standard.left == 70 - standard.units && standard.spelled == nil)
        let typed = Texts([7: TextRules(spellings: [.typographic])])
        let long = [EventPayload.NamedValue("shop", .text(String(repeating: "Bakery ", count: 8) + "!"))]
        let plain = try Self.preview([
            "template/sms.paid":
                #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "It’s “{{shop}}”, thank you"}}"#
        ])
        let sent = try #require(try Self.written(plain, "", long, texts: typed, group: 7).sms)
        #expect(sent.parts == 1 && sent.alphabet == "GSM 7-bit" && sent.letters.isEmpty)
        #expect(sent.spelled?.hasPrefix("It's \"Bakery") == true)
        let dear = try #require(try Self.written(plain, "", long, texts: typed).sms)
        #expect(dear.parts == 2 && dear.offers.first?.spelling == "typographic" && dear.offers.first?.parts == 1)
        // An operator that has no alphabet for it: the text is shown, and no price.
        let bare = Texts([8: TextRules(options: TextOptions(alphabets: [.gsm7]))])
        let none = try Self.written(preview, texts: bare, group: 8)
        #expect(none.sms == nil && none.fields.first?.fault == .noAlphabet && none.fields.first?.text == "It’s “Corner Bakery” – ✓")
    }

    @Test("Of other channels each field is shown by its name, an override in the place of the template's, buttons and pictures too")
    func channels() throws {
        let name = String(repeating: "a", count: 43)
        let push = #"""
            {"channel": "push", "form": "rich", "standard": "en", "texts": {"en": {"title": "Paid", "preview": "Look", "body": "<b>{{amount | money: code}}</b>",
             "fallback": "{{amount | money: code}}", "image": "/i/NAME", "buttons": [{"label": "Show", "link": "https://bank.example/{{shop}}"}]}}}
            """#.replacing("NAME", with: name)
        let changes = [
            "template/push.paid": push,
            "override/paid.push":
                #"{"basedOn": 1, "texts": {"uk": {"title": "Сплачено", "preview": "-", "body": "{{amount | money}}", "fallback": "+"}}}"#,
        ]
        let preview = try Self.preview(changes, .push, images: [name])
        let english = try Self.written(preview, "en")
        #expect(
            Dictionary(uniqueKeysWithValues: english.fields.map { ($0.name, Self.plain($0.text)) }) == [
                "title": "Paid", "preview": "Look", "body": "<b>UAH 1,234.50</b>", "fallback": "UAH 1,234.50", "image": "/i/\(name)",
                "buttons[0].label": "Show", "buttons[0].link": "https://bank.example/Corner%20Bakery",
            ])
        #expect(!english.isOverridden && english.sms == nil && preview.override?.version == 1)
        #expect(try Self.written(preview, "uk").isOverridden)
        #expect(!preview.findings.contains { $0.path.hasSuffix("image") })
        let missing = try Self.preview(changes, .push, images: [])
        #expect(missing.findings.contains { $0.path == "template/push.paid$.texts.en.image" && $0.message == "there is no such picture" })
        #expect(throws: WordingPreview.Missing.template) { _ = try Self.preview([:], .email) }
        #expect(throws: WordingPreview.Missing.event) { _ = try Self.preview(["event/paid": ""]) }
    }

    @Test(
        "Pictures of strangers are refused in a picture's own field and in markup, where no host is the bank's too; whom it is not known of is not asked"
    )
    func strangers() throws {
        let push = #"""
            {"channel": "push", "form": "rich", "standard": "en", "texts": {"en": {"title": "Paid", "preview": "Look",
             "body": "<img src=\"https://cdn.bank.example/a.png\"><a href=\"https://shop.example/\">x</a>", "fallback": "x", "image": "https://cdn.bank.example/b.png"}}}
            """#
        let mail =
            #"{"channel": "email", "standard": "en", "texts": {"en": {"subject": "Paid", "text": "x", "html": "<td background='//cdn.bank.example/'>"}}}"#
        let changes = [
            "template/push.paid": push, "template/email.paid": mail,
            "event/paid": try WordingRig.event(#"{"templates": {"sms": "paid", "push": "paid", "email": "paid"}}"#),
        ]
        func places(_ hosts: Set<String>?) throws -> Set<String> {
            let compiled = DecisionBook.compile(
                try WordingRig.source(changes), in: Rulebook.Surroundings(pictureHosts: hosts), zoneFile: WordingRig.zoneFile)
            return Set(compiled.findings.filter { $0.severity == .error }.map(\.path))
        }
        let all: Set = ["template/push.paid$.texts.en.image", "template/push.paid$.texts.en.body", "template/email.paid$.texts.en.html"]
        #expect(try places([]) == all)
        #expect(try places(["img.bank.example"]) == all)
        #expect(try places(["cdn.bank.example"]) == [])
        #expect(try places(nil) == [])
        let preview = try WordingPreview(
            try WordingRig.source(changes), in: Rulebook.Surroundings(pictureHosts: []), event: "paid", over: .email)
        #expect(preview.findings.contains { $0.path == "template/email.paid$.texts.en.html" && $0.message.contains("images.hosts") })
    }

    @Test("A template that no event names yet is shown with an event's values")
    func other() throws {
        let changes = ["template/sms.new": #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "New {{shop}}"}}"#]
        #expect(try Self.written(try Self.preview(changes, template: "new")).fields.first?.text == "New Corner Bakery")
        #expect(throws: WordingPreview.Missing.template) { _ = try Self.preview(changes, template: "old") }
    }

    @Test("Language and zone of a customer are those that sending goes by")
    func customer() throws {
        let (preview, rig) = (try Self.preview(), try WordingRig())
        let book = try #require(rig.book)
        for (unit, locale) in [(UInt16(0), ""), (9, ""), (9, "de"), (8, ""), (3, "uk-UA")] {
            let customer = Customer(subject: 1, unit: unit, locale: try #require(CustomerLocale(locale)))
            #expect(preview.locale(of: customer) == book.locale(of: customer))
            let name = try #require(preview.zone(of: customer))
            let file = try #require(WordingRig.zoneFile(name))
            let zone = try #require(WordingPreview.zone(file))
            #expect(zone.offset(at: 1_795_370_640) == book.decider.zone(of: customer).offset(at: 1_795_370_640))
        }
        #expect(preview.zone == "Europe/Kyiv")
        #expect(try Self.preview(["zones/bank": ""]).zone == nil)
    }

    @Test("Who puts a partial into a text is found, whatever the braces are; who names an object by a field as well")
    func users() throws {
        let source = try WordingRig.source([
            "partial/foot": #"{"texts": {"en": "Bye"}}"#, "partial/all": #"{"texts": {"en": "{{> foot }}"}}"#,
            "template/sms.paid": #"{"texts": {"en": "{{=<% %>=}}<%>foot%> {{>not}}"}}"#,
            "template/push.paid": #"{"texts": {"en": {"title": "{{!>foot}}", "body": ["{{>footer}}", null, 1]}}}"#,
            "override/paid.sms": #"{"texts": {"uk": "{{>foot}} {{>foot}}"}}"#, "event/paid.more": #"{"note": "{{>foot}}"}"#,
        ])
        #expect(source.allUsers(of: .partial, "foot") == ["override/paid.sms", "partial/all", "template/sms.paid"])
        #expect(source.allUsers(of: .partial, "not").isEmpty)
        #expect(source.allUsers(of: .template, "sms.paid") == ["event/paid", "override/paid.sms"])
        #expect(source.allUsers(of: .template, "push.paid") == ["event/paid"] && source.allUsers(of: .template, "paid").isEmpty)
        #expect(source.allUsers(of: .event, "paid") == ["override/paid.sms"])
    }
}

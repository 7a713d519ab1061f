import Testing

@testable import MartletModel

@Suite("Rulebook: templates, partials and overrides as they are written")
struct WordingReadingTests {
    /// Findings of objects beside one event; names and contents.
    static func compile(_ objects: [String: String]) throws -> (WordingObjects, [RulebookFinding]) {
        var all = objects
        all["event-type/cards"] = #"{"number": 3}"#
        all["event/card.paid"] =
            #"{"number": 12, "type": "cards", "class": "security", "everyone": true, "plan": "all", "templates": {"sms": "paid", "push": "paid"}}"#
        all["plan/all"] = #"{"steps": [{"channels": ["sms", "push"]}]}"#
        let (rulebook, findings) = Rulebook.compile(
            RulebookSource(number: 1, at: 0, objects: try all.map { try DecidingRulesTests.object($0.key, $0.value) }),
            in: Rulebook.Surroundings())
        return (rulebook.wording, findings)
    }

    @Test("Templates of every channel are read as they are written, each text with its place and its path")
    func whole() throws {
        let (wording, findings) = try WordingReadingTests.compile([
            "template/sms.paid":
                #"{"channel": "sms", "sender": "HARBOUR", "parts": 2, "standard": "en", "texts": {"en": "a", "en-GB": "b"}, "note": "n"}"#,
            "template/push.paid":
                #"{"channel": "push", "form": "basic", "standard": "uk", "texts": {"uk": {"title": "5 < 6", "preview": "b", "body": "c"}}}"#,
            "template/push.rich": #"""
            {"channel": "push", "form": "rich", "standard": "uk", "texts": {"uk": {"title": "a", "preview": "b", "body": "<b>c</b>", "fallback": "d",
             "image": "https://bank.example/i.png", "link": "harbour://cards/{{id}}", "buttons": [{"label": "e", "link": "https://bank.example/{{id}}?x"}]}}}
            """#,
            "template/email.paid": #"{"channel": "email", "standard": "uk", "texts": {"uk": {"subject": "a", "text": "b", "html": "c"}}}"#,
            "template/messenger.paid":
                #"{"channel": "messenger", "standard": "uk", "texts": {"uk": {"text": "a", "buttons": [{"label": "b", "link": "https://x.example"}]}}}"#,
            "template/voice.paid": #"{"channel": "voice", "standard": "uk", "texts": {"uk": {"speech": "a"}}}"#,
            "template/pass.paid": #"{"channel": "pass", "standard": "uk", "texts": {"uk": {"fields": {"due": "a", "balance": "b"}}}}"#,
            "partial/end": #"{"texts": {"uk": "a"}}"#,
            "override/card.paid.sms": #"{"basedOn": 1, "sender": "123", "texts": {"pl": "c"}}"#,
        ])
        #expect(findings.isEmpty, "\(findings)")
        #expect(
            wording.templates.map(\.key).sorted() == [
                "email.paid", "messenger.paid", "pass.paid", "push.paid", "push.rich", "sms.paid", "voice.paid",
            ])
        let sms = try #require(wording.templates.first { $0.key == "sms.paid" })
        #expect(
            sms
                == TemplateContent(
                    key: "sms.paid", version: 1, channel: .sms, standard: "en", sender: "HARBOUR", parts: 2,
                    texts: [
                        WordingText(locale: "en", pieces: [.init(place: .message, text: "a", path: "template/sms.paid$.texts.en")]),
                        WordingText(
                            locale: "en-GB", pieces: [.init(place: .message, text: "b", path: "template/sms.paid$.texts['en-GB']")]),
                    ]))
        let rich = try #require(wording.templates.first { $0.key == "push.rich" })
        #expect(rich.isRich)
        let path = "template/push.rich$.texts.uk"
        #expect(
            rich.texts.first?.pieces.map(\.path)
                == ["title", "preview", "body", "fallback", "image", "link", "buttons[0].label", "buttons[0].link"].map { "\(path).\($0)" })
        #expect(
            rich.texts.first?.pieces.map(\.place)
                == [.lockedScreen, .lockedScreen, .markup, .message, .image, .link, .lockedScreen, .link])
        let mail = try #require(wording.templates.first { $0.key == "email.paid" })
        #expect(mail.texts.first?.pieces.map(\.place) == [.lockedScreen, .letter, .html])
        let pass = try #require(wording.templates.first { $0.key == "pass.paid" })
        #expect(
            pass.texts.first?.pieces.map(\.path) == [
                "template/pass.paid$.texts.uk.fields.balance", "template/pass.paid$.texts.uk.fields.due",
            ])
        let override = try #require(wording.overrides.first)
        #expect(override.event == 0 && override.channel == .sms && override.basedOn == 1 && override.sender == "123")
        #expect(
            wording.partials == [
                PartialContent(
                    key: "end",
                    texts: [WordingText(locale: "uk", pieces: [.init(place: .message, text: "a", path: "partial/end$.texts.uk")])])
            ])
    }

    static let mistakes: [(String, String, String, String)] = [
        ("template/sms.x", "5", "template/sms.x$", "not an object"),
        ("template/sms.x", #"{"standard": "en", "texts": {"en": "a"}}"#, "template/sms.x$.channel", "missing"),
        ("template/sms.x", #"{"channel": "fax", "standard": "en", "texts": {"en": "a"}}"#, "template/sms.x$.channel", "no such word"),
        (
            "template/push.x", #"{"channel": "sms", "standard": "en", "texts": {"en": "a"}}"#, "template/push.x$.channel",
            "begins with its channel"
        ),
        (
            "template/sms", #"{"channel": "sms", "standard": "en", "texts": {"en": "a"}}"#, "template/sms$.channel",
            "begins with its channel"
        ),
        (
            "template/sms.x", #"{"channel": "sms", "standard": "uk", "texts": {"en": "a"}}"#, "template/sms.x$.standard",
            "no text in this language"
        ),
        ("template/sms.x", #"{"channel": "sms", "standard": "en"}"#, "template/sms.x$.texts", "missing"),
        ("template/sms.x", #"{"channel": "sms", "standard": "en", "texts": "a"}"#, "template/sms.x$.texts", "not an object"),
        ("template/sms.x", #"{"channel": "sms", "standard": "en", "texts": {}}"#, "template/sms.x$.texts", "there is no text"),
        (
            "template/sms.x", #"{"channel": "sms", "standard": "en", "texts": {"english": "a", "en": "a"}}"#, "template/sms.x$.texts",
            "no language"
        ),
        ("template/sms.x", #"{"channel": "sms", "standard": "en", "texts": {"uk": null, "en": "a"}}"#, "template/sms.x$.texts.uk", "null"),
        ("template/sms.x", #"{"channel": "sms", "standard": "en", "texts": {"en": 5}}"#, "template/sms.x$.texts.en", "not a text"),
        ("template/sms.x", #"{"channel": "sms", "standard": "en", "texts": {"en": " \n"}}"#, "template/sms.x$.texts.en", "empty"),
        (
            "template/sms.x", #"{"channel": "sms", "standard": "en", "sender": "a name too long", "texts": {"en": "a"}}"#,
            "template/sms.x$.sender", "no sender"
        ),
        ("template/sms.x", #"{"channel": "sms", "standard": "en", "parts": 17, "texts": {"en": "a"}}"#, "template/sms.x$.parts", "1 to 10"),
        (
            "template/sms.x", #"{"channel": "sms", "standard": "en", "form": "basic", "texts": {"en": "a"}}"#, "template/sms.x$.form",
            "no such field"
        ),
        (
            "template/push.x",
            #"{"channel": "push", "standard": "en", "texts": {"en": {"title": "a", "preview": "a", "body": "a", "fallback": "a"}}}"#,
            "template/push.x$.form", "missing"
        ),
        (
            "template/push.x", #"{"channel": "push", "form": "basic", "standard": "en", "texts": {"en": {"title": "a", "preview": "a"}}}"#,
            "template/push.x$.texts.en.body", "missing"
        ),
        (
            "template/push.x",
            #"{"channel": "push", "form": "basic", "standard": "en", "texts": {"en": {"title": "a", "preview": "a", "body": "<b>a</b>"}}}"#,
            "template/push.x$.texts.en.body", "markup"
        ),
        (
            "template/push.x",
            #"{"channel": "push", "form": "basic", "standard": "en", "texts": {"en": {"title": "a", "preview": "a", "body": "a", "image": "https://a.b/c"}}}"#,
            "template/push.x$.texts.en.image", "no such field"
        ),
        (
            "template/push.x",
            #"{"channel": "push", "form": "rich", "standard": "en", "texts": {"en": {"title": "a", "preview": "a", "body": "a", "fallback": "a", "buttons": [{"label": "a"}]}}}"#,
            "template/push.x$.texts.en.buttons[0].link", "missing"
        ),
        (
            "template/push.x",
            #"{"channel": "push", "form": "rich", "standard": "en", "texts": {"en": {"title": "a", "preview": "a", "body": "a", "fallback": "a", "buttons": [5]}}}"#,
            "template/push.x$.texts.en.buttons[0]", "not an object"
        ),
        (
            "template/push.x",
            #"{"channel": "push", "form": "rich", "standard": "en", "texts": {"en": {"title": "a", "preview": "a", "body": "a", "fallback": "a", "buttons": [{"label": "a", "link": "x:a"}, {"label": "a", "link": "x:a"}, {"label": "a", "link": "x:a"}, {"label": "a", "link": "x:a"}]}}}"#,
            "template/push.x$.texts.en.buttons", "3 are the most"
        ),
        (
            "template/email.x", #"{"channel": "email", "standard": "en", "texts": {"en": "a"}}"#, "template/email.x$.texts.en",
            "not an object"
        ),
        (
            "template/pass.x", #"{"channel": "pass", "standard": "en", "texts": {"en": {}}}"#, "template/pass.x$.texts.en.fields",
            "no fields"
        ),
        ("partial/x", #"{"texts": {"en": "a"}, "standard": "en"}"#, "partial/x$.standard", "no such field"),
        ("override/sms", #"{"basedOn": 1, "texts": {"en": "a"}}"#, "override/sms$", "does not say"),
        ("override/card.paid.fax", #"{"basedOn": 1, "texts": {"en": "a"}}"#, "override/card.paid.fax$", "does not say"),
        ("override/other.sms", #"{"basedOn": 1, "texts": {"en": "a"}}"#, "override/other.sms$", "there is no event/other"),
        ("override/card.paid.voice", #"{"basedOn": 1, "texts": {"en": "a"}}"#, "override/card.paid.voice$", "no template for voice"),
        ("override/card.paid.sms", "[]", "override/card.paid.sms$", "not an object"),
        ("override/card.paid.sms", #"{"texts": {"en": "a"}}"#, "override/card.paid.sms$.basedOn", "missing"),
        (
            "override/card.paid.push",
            #"{"basedOn": 1, "sender": "A", "texts": {"en": {"title": "a", "preview": "a", "body": "a", "fallback": "a"}}}"#,
            "override/card.paid.push$.sender", "no such field"
        ),
        (
            "event/x",
            #"{"number": 1, "type": "cards", "class": "security", "everyone": true, "plan": "all", "parameters": [{"name": "customer", "type": "text"}], "templates": {"sms": "x"}}"#,
            "event/x$.parameters[0].name", "call the customer so"
        ),
        (
            "event/x",
            #"{"number": 1, "type": "cards", "class": "service", "everyone": true, "plan": "all", "parameters": [{"name": "code", "type": "text", "dataClass": "secret"}], "templates": {"sms": "x"}}"#,
            "event/x$.class", "code is secret"
        ),
        ("zones/x", #"{"units": [{"unit": 3, "locale": "polish"}]}"#, "zones/x$.units[0].locale", "5 bytes"),
        ("zones/x", #"{"units": [{"unit": 3, "locale": "PL"}]}"#, "zones/x$.units[0].locale", "no language"),
    ]

    @Test("Each mistake is an error at its place", arguments: mistakes)
    func mistake(name: String, text: String, path: String, word: String) throws {
        let findings = try WordingReadingTests.compile([name: text]).1
        #expect(
            findings.contains { $0.path == path && $0.severity == .error && $0.message.contains(word) && !$0.remedy.isEmpty }, "\(findings)"
        )
    }

    @Test("What is there in too many languages or fields is bounded")
    func bounds() throws {
        let letters = Array("abcdefghijklmnopqrstuvwxyz")
        let locales = letters.prefix(3).flatMap { first in letters.map { "\(first)\($0)" } }
        let many = locales.map { #""\#($0)": "a""# }.joined(separator: ",")
        let (wording, findings) = try WordingReadingTests.compile([
            "template/sms.x": #"{"channel": "sms", "standard": "aa", "texts": {\#(many)}}"#,
            "template/pass.x":
                #"{"channel": "pass", "standard": "en", "texts": {"en": {"fields": {\#((0..<65).map { #""f\#($0)": "a""# }.joined(separator: ","))}}}}"#,
        ])
        #expect(findings.map(\.message) == ["65 fields; 64 are the most", "78 languages; 64 are the most"], "\(findings)")
        #expect(wording.templates.map { $0.texts.count } == [1, 64] && wording.templates.first?.texts.first?.pieces.count == 64)
    }

    @Test(
        "An address is written out as far as its host, by a scheme that only shows something",
        arguments: [
            ("https://bank.example/{{a}}", true), ("https://bank.example", true), ("https://bank.example?x={{ a }}", true),
            ("harbour:cards", true),
            ("https://{{a}}/", false), ("https:bank", false), ("https://", false), ("http://bank.example", false),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false), ("{{a}}", false), ("{{a}}:x", false), ("bank.example/a", false),
            ("https://bank.example/a b", false),
            ("Https://bank.example", false), ("", false),
        ])
    func addresses(address: String, isOne: Bool) throws {
        let findings = try WordingReadingTests.compile([
            "template/push.x":
                #"{"channel": "push", "form": "rich", "standard": "en", "texts": {"en": {"title": "a", "preview": "a", "body": "a", "fallback": "a", "link": "\#(address)"}}}"#
        ]).1
        #expect(findings.isEmpty == isOne, "\(findings)")
    }

    @Test("A picture's address is that of a web server")
    func pictures() throws {
        for (address, isOne) in [("https://bank.example/a.png", true), ("harbour:a.png", false)] {
            let findings = try WordingReadingTests.compile([
                "template/push.x":
                    #"{"channel": "push", "form": "rich", "standard": "en", "texts": {"en": {"title": "a", "preview": "a", "body": "a", "fallback": "a", "image": "\#(address)"}}}"#
            ]).1
            #expect(findings.isEmpty == isOne, "\(findings)")
        }
    }

    @Test("Units have a language of their own, with a zone or without")
    func units() throws {
        let (rulebook, findings) = Rulebook.compile(
            RulebookSource(
                number: 1, at: 0,
                objects: [
                    try DecidingRulesTests.object(
                        "zones/x", #"{"units": [{"unit": 3, "locale": "pl-PL", "zone": "Europe/Warsaw"}, {"unit": 4, "locale": "uk"}]}"#)
                ]), in: Rulebook.Surroundings())
        #expect(findings.isEmpty, "\(findings)")
        #expect(rulebook.decisions.zones.locales == [3: try #require(CustomerLocale("pl-PL")), 4: try #require(CustomerLocale("uk"))])
        #expect(rulebook.decisions.zones.units == [3: 0])
    }

    @Test("Who may read what, where: the whole table")
    func places() {
        // open, personal, financial, identifier, secret; the second time masked.
        let table: [WordingPlace: String] = [
            .lockedScreen: "yynnn yyyyn", .message: "yyyny yyyyy", .markup: "yyyny yyyyy", .letter: "yyynn yyyyn", .html: "yyynn yyyyn",
            .link: "ynnnn ynnnn",
            .image: "ynnnn ynnnn",
        ]
        for place in WordingPlace.allCases {
            let words = [false, true].map { isMasked in
                DataClass.allCases.map { place.shows($0, isMasked: isMasked) ? "y" : "n" }.joined()
            }
            #expect(words.joined(separator: " ") == table[place], "\(place)")
            #expect(!place.doc.isEmpty)
        }
    }

    @Test("Templates of a source are named as events name them")
    func names() throws {
        let objects = try [("template/sms.card-payment", "{}"), ("template/odd", "{}"), ("partial/sms.x", "{}")].map {
            try DecidingRulesTests.object($0.0, $0.1)
        }
        #expect(WordingObjects.names(RulebookSource(number: 1, at: 0, objects: objects)) == ["sms/card-payment", "odd/"])
    }
}

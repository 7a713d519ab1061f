import MartletModel
import Templates
import Testing

@testable import MartletEngine

@Suite("Wording: what compiling finds")
struct WordingCheckTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var changes: [String: String]
        var path: String
        var severity: RulebookFinding.Severity
        var word: String

        init(_ name: String, _ changes: [String: String], _ path: String, _ severity: RulebookFinding.Severity, _ word: String) {
            (testDescription, self.changes, self.path, self.severity, self.word) = (name, changes, path, severity, word)
        }

        init(_ name: String, _ changes: [String: String], _ path: String, _ word: String) { self.init(name, changes, path, .error, word) }
    }

    static func sms(_ text: String, _ more: String = #""sender": "HARBOUR","#) -> [String: String] {
        ["template/sms.paid": #"{"channel": "sms", \#(more) "standard": "en", "texts": {"en": "\#(text)", "uk": "x"}}"#]
    }

    static func push(title: String = "x", body: String = "x", more: String = "") -> [String: String] {
        let text = #"{"title": "\#(title)", "preview": "x", "body": "\#(body)", "fallback": "x"\#(more)}"#
        return ["template/push.paid": #"{"channel": "push", "form": "rich", "standard": "en", "texts": {"en": \#(text), "uk": \#(text)}}"#]
    }

    static func mail(subject: String = "x", text: String = "x", html: String = "<p>x</p>") throws -> [String: String] {
        let text = #"{"subject": "\#(subject)", "text": "\#(text)", "html": "\#(html)"}"#
        return [
            "template/email.paid": #"{"channel": "email", "standard": "en", "texts": {"en": \#(text), "uk": \#(text)}}"#,
            "event/paid": try WordingRig.event(#"{"templates": {"sms": "paid", "push": "paid", "email": "paid"}}"#),
        ]
    }

    static let english = "template/sms.paid$.texts.en"

    static func cases() throws -> [Case] {
        [
            Case("a tag that is not closed", sms("{{amount"), english, "line 1, column 1: the tag that begins here is not closed"),
            Case("a field that the event does not have", sms("{{balance}}"), english, "no field `balance` (event/paid)"),
            Case("a field of another type", sms("{{amount | date}}"), english, "money"),
            Case("a field that may be missing", sms("{{customer.givenName}}"), english, "may be missing"),
            Case("an unknown filter", sms("{{shop | shout}}"), english, "line 1"),
            Case("a partial that is not there", sms("{{>footer}}"), english, "no partial `footer`"),
            Case(
                "a partial without this language", sms("{{>footer}}").merging(["partial/footer": #"{"texts": {"uk": "x"}}"#]) { $1 },
                english,
                "no partial `footer`"),
            Case(
                "a mistake in a partial", sms("{{>footer}}").merging(["partial/footer": #"{"texts": {"en": "{{/x}}"}}"#]) { $1 },
                "partial/footer$.texts.en", "not open"),
            Case(
                "a field of a partial that the event does not have",
                sms("{{>footer}}").merging(["partial/footer": #"{"texts": {"en": "a\n{{balance}}"}}"#]) { $1 }, "partial/footer$.texts.en",
                "line 2, column 1"),
            Case(
                "a partial that nothing puts in", ["partial/footer": #"{"texts": {"en": "x"}}"#], "partial/footer$", .warning,
                "no text puts it in"),
            Case("an account's or card's number as it is", sms("{{card}}"), english, "`card` of event/paid is identifier"),
            Case(
                "an amount on a locked screen", push(title: "{{amount}}"), "template/push.paid$.texts.en.title",
                "is financial, and a locked screen"),
            Case(
                "yes and no on a locked screen", push(title: "a{{#refund}}b{{/refund}}"), "template/push.paid$.texts.uk.title", "`refund`"),
            Case(
                "an amount of a section's own on a locked screen", push(title: "a{{#amount}}{{.}}{{/amount}}"),
                "template/push.paid$.texts.en.title", "`amount`"),
            Case(
                "a masked number in an address",
                push(more: #", "link": "https://bank.example/{{card | mask: last}}""#), "template/push.paid$.texts.en.link", "address"),
            Case(
                "a name in a picture's address", push(more: #", "image": "https://bank.example/{{customer.givenName | default: 'x'}}""#),
                "template/push.paid$.texts.en.image", "is personal, and this is the address of a picture"),
            Case(
                "a name of a section's own in an address",
                push(more: #", "link": "https://bank.example/{{#customer}}{{givenName | default: 'x'}}{{/customer}}""#),
                "template/push.paid$.texts.en.link", "`givenName` of event/paid is personal"),
            Case(
                "an amount in a mail's subject", try mail(subject: "{{amount}}"), "template/email.paid$.texts.en.subject", "locked screen"),
            Case("a number as it is in a mail", try mail(html: "{{card}}"), "template/email.paid$.texts.en.html", "`card`"),
            Case(
                "an address in a mail that runs something", try mail(html: "<a href='javascript:x'>x</a>"),
                "template/email.paid$.texts.en.html",
                "line 1, column 20: customers are not sent there: `javascript:`"),
            Case(
                "a value that says where a link of a mail leads", try mail(html: "<a href='{{shop}}'>x</a>"),
                "template/email.paid$.texts.en.html",
                "where an address leads is written out"),
            Case(
                "an unprotected address in a rich push", push(body: "<img src='http://bank.example/x.png'>"),
                "template/push.paid$.texts.en.body",
                "`http:`"),
            Case(
                "something that runs in a rich push", push(body: "<b onclick='x'>x</b>"), "template/push.paid$.texts.uk.body", "`onclick`"),
            Case(
                "a value in an attribute without quotes", push(body: "<b class={{shop}}>x</b>"), "template/push.paid$.texts.en.body",
                "without quotes"),
            Case(
                "an amount in an address of a mail", try mail(html: "<a href='bank://pay/{{amount}}'>x</a>"),
                "template/email.paid$.texts.en.html",
                "is financial, and this is an address"),
            Case("a value without escape in HTML", try mail(html: "{{{shop}}}"), "template/email.paid$.texts.en.html", "without escape"),
            Case(
                "a language of another channel that is missing",
                ["template/sms.paid": #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "x"}}"#],
                "template/sms.paid$.texts", .warning, "event/paid has no text here in uk (another channel has one, unit 9)"),
            Case(
                "a language of units that no channel has",
                [
                    "zones/bank":
                        #"{"default": "Europe/Kyiv", "units": [{"unit": 8, "locale": "pl"}, {"unit": 9, "locale": "ru-UA"}, {"unit": 10, "locale": "pl"}]}"#
                ],
                "template/push.paid$.texts", .warning, "event/paid has no text here in pl (unit 8, unit 10), ru-UA (unit 9)"),
            Case(
                "a language whose amounts cannot be written",
                [
                    "template/sms.paid":
                        #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "x", "uk": "x", "ja": "x"}}"#
                ],
                "template/sms.paid$.texts.ja", "cannot be written in this language"),
            Case("a sender that is missing", sms("x", ""), "template/sms.paid$", .warning, "no sender"),
            Case(
                "a text that no value is short enough for", sms(String(repeating: "long ", count: 400)), english,
                "14 parts even with the shortest"),
            Case(
                "a text that a long value makes too long", sms("\(String(repeating: "long ", count: 130)) {{shop}}"), english, .warning,
                "11 parts with the longest"),
            Case(
                "a template that nothing uses", ["template/sms.other": WordingRig.sound["template/sms.paid"] ?? ""], "template/sms.other$",
                .warning, "no event uses it"),
            Case(
                "a mistake in a template that nothing uses",
                ["template/sms.other": #"{"channel": "sms", "standard": "en", "texts": {"en": "{{/x}}"}}"#],
                "template/sms.other$.texts.en", "not open"),
            Case("a template that is not there", ["template/sms.paid": ""], "event/paid$.templates.sms", "there is no template sms/paid"),
            Case(
                "a zone that the machine does not have", ["zones/bank": #"{"default": "Europe/Atlantis"}"#], "zones/bank$.default",
                "no such time zone"),
            Case(
                "an override over another version", ["override/paid.sms": #"{"basedOn": 3, "texts": {"en": "x"}}"#],
                "override/paid.sms$.basedOn",
                .warning, "over version 3 of template/sms.paid, which is at version 1"),
            Case(
                "a mistake in an override", ["override/paid.sms": #"{"basedOn": 1, "texts": {"en": "{{balance}}"}}"#],
                "override/paid.sms$.texts.en", "no field `balance`"),
            Case(
                "a language that only the override has", ["override/paid.sms": #"{"basedOn": 1, "texts": {"pl": "{{card}}"}}"#],
                "override/paid.sms$.texts.pl", "`card`"),
        ]
    }

    @Test("Each mistake is found at its place, with a remedy", arguments: try cases())
    func mistake(it: Case) throws {
        let rig = try WordingRig(it.changes)
        let found = rig.findings.filter { $0.path == it.path && $0.severity == it.severity && $0.message.contains(it.word) }
        #expect(found.count == 1, "\(rig.findings)")
        #expect(found.allSatisfy { !$0.remedy.isEmpty })
        #expect((rig.book == nil) == (it.severity == .error || !rig.findings.areUsable), "\(rig.findings)")
    }

    @Test("What is masked, or read by nobody else, may stand where it does")
    func sound() throws {
        var changes = try WordingCheckTests.mail(
            subject: "{{card | mask: card}} {{customer.givenName | default: 'x'}}", text: "{{amount}}", html: "<b>{{card | mask}}</b>")
        changes.merge(
            WordingCheckTests.push(
                title: "a{{#amount}}b{{/amount}}", body: "<a href='bank://shop/{{shop}}' title='{{amount}}'>{{amount}}</a>",
                more: #", "link": "https://bank.example/{{shop}}""#)
        ) { $1 }
        #expect(try WordingRig(changes).findings.isEmpty)
    }

    @Test("A code goes over channels that only the customer reads, and never onto a locked screen, masked or not")
    func secrets() throws {
        let event = try WordingRig.event(
            #"{"class": "otp", "deadline": 180, "parameters": [{"name": "code", "type": "text", "dataClass": "secret", "maximum": 8}]}"#)
        var changes = WordingCheckTests.push(title: "Code", body: "{{code}}").merging(WordingCheckTests.sms("{{code}}")) { $1 }
        changes["event/paid"] = event
        #expect(try WordingRig(changes).findings.isEmpty)
        changes.merge(WordingCheckTests.push(title: "{{code | mask: last}}", body: "x")) { $1 }
        let rig = try WordingRig(changes)
        #expect(
            rig.findings.map(\.path) == ["template/push.paid$.texts.en.title", "template/push.paid$.texts.uk.title"], "\(rig.findings)")
        #expect(rig.findings.allSatisfy { $0.remedy == "take it out" })
    }

    @Test("Events that share a template share its mistakes, and each adds those of its own")
    func shared() throws {
        var changes = WordingCheckTests.sms("{{balance}} {{shop}}")
        changes["event/other"] = try WordingRig.event(
            #"{"number": 13, "parameters": [{"name": "balance", "type": "integer"}], "templates": {"sms": "paid"}}"#)
        let messages = try WordingRig(changes).findings.filter { $0.path == WordingCheckTests.english }.map(\.message)
        #expect(messages.count == 2, "\(messages)")
        for word in ["`balance` (event/paid)", "`shop` (event/other)"] { #expect(messages.contains { $0.contains(word) }, "\(messages)") }
    }

    @Test("No text is held against an event that could not be read; at most a thousand mistakes are named")
    func bounds() throws {
        let broken = try WordingRig(["event/paid": try WordingRig.event(#"{"parameters": [{"name": "amount", "type": "sum"}]}"#)])
        #expect(broken.findings.map(\.path) == ["event/paid$.parameters[0].type"], "\(broken.findings)")
        var many = WordingCheckTests.sms("x")
        for number in 0..<20 {
            let text = (0..<60).map { "{{x\($0)}}" }.joined()
            many["event/e\(number)"] = try WordingRig.event(#"{"number": \#(100 + number), "templates": {"sms": "e\#(number)"}}"#)
            many["template/sms.e\(number)"] = #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "\#(text)"}}"#
        }
        #expect(try WordingRig(many).findings.count == WordingCompiler.mostFindings)
    }

    @Test("A node that sends fewer parts finds more texts too long")
    func parts() throws {
        let text = WordingCheckTests.sms(String(repeating: "long ", count: 100))
        #expect(try WordingRig(text).findings.isEmpty)
        #expect(try WordingRig(text, parts: 3).findings.map(\.severity) == [.error])
    }

    @Test("A file of a zone that is none is as good as no file, and the place that names it is told")
    func zoneFiles() throws {
        let zones = RulebookObject(
            kind: .zones, key: "bank", version: 1,
            content: .object([
                "default": .text("Europe/Kyiv"), "units": .list([.object(["unit": .integer(9), "zone": .text("Europe/Warsaw")])]),
            ]))
        let source = RulebookSource(number: 1, at: 0, objects: [zones])
        let (_, book, findings) = DecisionBook.compile(source, in: Rulebook.Surroundings()) { (name: String) -> [UInt8]? in
            name == "Europe/Kyiv" ? WordingRig.zoneFile(name) : [1, 2, 3]
        }
        #expect(book == nil && findings.map(\.path) == ["zones/bank$.units[0].zone"], "\(findings)")
    }

    @Test("Every mistake in a text has a remedy")
    func remedies() {
        #expect(TemplateFinding.Code.allCases.allSatisfy { !WordingRemedy.of($0).isEmpty })
    }
}

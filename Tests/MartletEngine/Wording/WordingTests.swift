import Calendar
import MartletModel
import SMSText
import Templates
import Testing

@testable import MartletEngine

@Suite("Wording: the text of an event")
struct WordingTests {
    /// The no-break spaces of amounts and times as people read them.
    private func spaced(_ text: String) -> String { text.replacing("\u{202F}", with: " ").replacing("\u{A0}", with: " ") }

    @Test("A short message says what happened in the customer's language, on the customer's clocks, and by what it was written")
    func whole() throws {
        let rig = try WordingRig()
        #expect(rig.findings.isEmpty, "\(rig.findings)")
        let english = try rig.sms("en")
        #expect(spaced(english.text) == "*1234: UAH 1,234.50, 8:04 PM, Corner Bakery")
        #expect(english.sender == "HARBOUR" && english.template == "sms.paid" && english.version == 1 && english.override == 0)
        #expect(english.locale == "en" && english.count.parts == 1)
        #expect(try rig.sms("uk").text == "*1234: 1\u{A0}234,50\u{A0}₴, 22.11.26, 20:04")
        #expect(try rig.sms("uk", zone: "Europe/Warsaw").text.hasSuffix("19:04"))
        #expect(rig.book?.release == 7 && rig.book?.rules.events.count == 1)
    }

    @Test(
        "The customer's language goes before the unit's, that before the template's standard; a country's text before the language's",
        arguments: [("uk", "uk"), ("uk-UA", "uk"), ("en-GB", "en-GB"), ("en-US", "en"), ("de", "en"), ("", "en")])
    func languages(wanted: String, got: String) throws {
        let rig = try WordingRig([
            "template/sms.paid":
                #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "US", "en-GB": "GB", "uk": "UK"}}"#,
            "template/push.paid": "", "event/paid": try WordingRig.event(#"{"templates": {"sms": "paid"}}"#),
        ])
        #expect(try rig.sms(wanted).locale == got)
    }

    @Test("A customer without a language reads the unit's")
    func unit() throws {
        let book = try #require(try WordingRig().book)
        #expect(book.locale(of: Customer(subject: 1, unit: 9, locale: try #require(CustomerLocale("pl")))).text == "pl")
        #expect(book.locale(of: Customer(subject: 1, unit: 9)).text == "uk")
        #expect(book.locale(of: Customer(subject: 1, unit: 8)).text == "en-GB")
        #expect(book.locale(of: Customer(subject: 1)) == .none)
    }

    @Test("Values are found by name in any order; those that the definition lacks or has with another type are dropped, defaults step in")
    func byName() throws {
        let rig = try WordingRig()
        let whole = try rig.sms("en").text
        #expect(try rig.sms("en", WordingRig.values.reversed()).text == whole)
        #expect(try rig.sms("en", [.init("gone", .integer(1))] + WordingRig.values + [.init("amount", .integer(5))]).text == whole)
        #expect(spaced(try rig.sms("en", Array(WordingRig.values.prefix(3))).text) == "*1234: UAH 1,234.50, 8:04 PM, ")
        #expect(throws: WordingFault.value(at: "card")) { try rig.sms("en", [WordingRig.values[0], WordingRig.values[2]]) }
    }

    @Test("A default moment is shown on the customer's clocks too")
    func defaultMoment() throws {
        let rig = try WordingRig([
            "event/paid": try WordingRig.event(
                #"{"parameters": [{"name": "at", "type": "instant", "default": "2026-11-22T18:04:00Z"}], "templates": {"sms": "paid"}}"#),
            "template/sms.paid": #"{"channel": "sms", "sender": "HARBOUR", "standard": "uk", "texts": {"uk": "{{at | time}}"}}"#,
            "template/push.paid": "",
        ])
        #expect(try rig.sms("uk", []).text == "20:04")
        #expect(try rig.sms("uk", [], zone: "Europe/Warsaw").text == "19:04")
    }

    @Test("Every type of value is written, money by the digits of its currency")
    func types() throws {
        let rig = try WordingRig([
            "event/paid": try WordingRig.event(
                #"""
                {"parameters": [{"name": "a", "type": "money"}, {"name": "b", "type": "decimal"}, {"name": "c", "type": "integer"}, {"name": "d", "type": "date"},
                  {"name": "e", "type": "time"}, {"name": "f", "type": "boolean"}, {"name": "g", "type": "instant"}], "templates": {"sms": "paid"}}
                """#),
            "template/sms.paid":
                #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "{{a | money: code}} {{b}} {{c}} {{d}} {{e | time: medium}} {{#f}}yes{{/f}} {{g | date}}"}}"#,
            "template/push.paid": "",
        ])
        let values: [EventPayload.NamedValue] = [
            .init("a", .money(MartletModel.Money(minor: 1500, currency: 392))),
            .init("b", .decimal(MartletModel.ExactDecimal(unscaled: 125, scale: 1))),
            .init("c", .integer(-7)), .init("d", .date(20_779)), .init("e", .time(65_105)), .init("f", .boolean(true)),
            // Half a second before 1970: clocks show 1969.
            .init("g", .instant(-500_000, offset: 0)),
        ]
        let text = try rig.sms("en", values, zone: "UTC").text
        #expect(spaced(text) == "JPY 1,500 12.5 -7 11/22/26 6:05:05 PM yes 12/31/69")
    }

    @Test(
        "Every currency of the bank is written, with as many digits behind the point as amounts are read with",
        arguments: MartletModel.Currency.all)
    func currencies(currency: MartletModel.Currency) throws {
        let value = WordingFields.value(.money(MartletModel.Money(minor: 1, currency: currency.number)), .utc)
        guard case .money(let money) = value else {
            Issue.record("\(currency.code) cannot be written")
            return
        }
        #expect(money.currency.code == currency.code && money.currency.digits == Int(currency.digits))
    }

    @Test("A value that no calendar or table has is missing, not written as something else")
    func noValue() {
        #expect(WordingFields.value(.date(.max), .utc) == .missing)
        #expect(WordingFields.value(.time(86_400), .utc) == .missing)
        #expect(WordingFields.value(.money(MartletModel.Money(minor: 1, currency: 999)), .utc) == .missing)
        #expect(WordingFields.value(.money(MartletModel.Money(minor: 1, currency: 5000)), .utc) == .missing)
        #expect(WordingFields.value(.decimal(MartletModel.ExactDecimal(unscaled: 1, scale: 19)), .utc) == .missing)
    }

    @Test("The customer is named where the text does so, and a name that is not known has its default")
    func names() throws {
        let rig = try WordingRig([
            "template/sms.paid":
                #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "{{customer.givenName | default: \"customer\"}} {{#customer}}{{familyName | default: '-'}}{{/customer}}", "uk": "{{shop}}!"}}"#
        ])
        #expect(rig.findings.isEmpty, "\(rig.findings)")
        #expect(try rig.sms("en", WordingRig.values, CustomerDetails(givenName: "Olena", familyName: "Koval")).text == "Olena Koval")
        #expect(try rig.sms("en", WordingRig.values, CustomerDetails(familyName: "Koval")).text == "customer Koval")
        #expect(try rig.sms("uk", WordingRig.values, CustomerDetails(givenName: "Olena")).text == "Corner Bakery!")
    }

    @Test("What a value says is never read as a template")
    func never() throws {
        let rig = try WordingRig()
        var values = WordingRig.values
        values[3] = .init("shop", .text("{{amount}} {{/x}}"))
        #expect(try rig.sms("en", values).text.hasSuffix(", {{amount}} {{/x}}"))
    }

    @Test("The value with fit is shortened to the parts that the template wants; what is longer still goes, up to the node's limit")
    func fit() throws {
        let text = String(repeating: "x", count: 130)
        let rig = try WordingRig([
            "template/sms.paid":
                #"{"channel": "sms", "sender": "HARBOUR", "parts": 1, "standard": "en", "texts": {"en": "\#(text) {{shop | fit: 6}}", "uk": "\#(text) {{shop}}"}}"#
        ])
        #expect(rig.findings.isEmpty, "\(rig.findings)")
        var values = WordingRig.values
        values[3] = .init("shop", .text(String(repeating: "s", count: 60)))
        let short = try rig.sms("en", values)
        #expect(short.count.parts == 1 && short.text == "\(text) " + String(repeating: "s", count: 26) + "...")
        #expect(try rig.sms("uk", values).count.parts == 2)
        #expect(throws: WordingFault.tooManyParts(parts: 2, limit: 1)) { try rig.sms("uk", values, limit: 1) }
        // With letters that no alphabet has in what is cut off, the shorter text is counted alone.
        values[3] = .init("shop", .text(String(repeating: "s", count: 40) + "漢"))
        let told = try rig.sms("en", values)
        #expect(told.count.parts == 1 && told.text.hasSuffix("sss..."))
    }

    @Test("A text longer than the stack's room is written all the same; one that no operator has letters for is not, nor an empty one")
    func borders() throws {
        let long = String(repeating: "long ", count: 260)
        let rig = try WordingRig([
            "template/sms.paid":
                #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "\#(long)", "uk": "{{#refund}}x{{/refund}}"}}"#
        ])
        #expect(try rig.sms("en").text == long)
        #expect(throws: WordingFault.empty) { try rig.sms("uk") }
        #expect(throws: WordingFault.noAlphabet) { try rig.sms("en", count: { _ throws(TextFault) in throw .noAlphabet }) }
        let book = try #require(rig.book)
        #expect(throws: WordingFault.noTemplate) {
            try book.wording.sms(event: 5, [], CustomerDetails(), .none, .utc, count: WordingRig.count, limit: 9)
        }
    }

    @Test("A text that grows beyond all bounds is a fault, not a crash")
    func endless() throws {
        let names = (0..<64).map { "p\($0)" }
        let parameters = names.map { #"{"name": "\#($0)", "type": "text"}"# }.joined(separator: ",")
        let uses = String(repeating: names.map { "{{\($0)}}" }.joined(), count: 2)
        let rig = try WordingRig([
            "event/paid": try WordingRig.event(#"{"parameters": [\#(parameters)], "templates": {"sms": "paid"}}"#),
            "template/sms.paid": #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "\#(uses)"}}"#,
            "template/push.paid": "",
        ])
        let values = names.map { EventPayload.NamedValue($0, .text(String(repeating: "y", count: 1000))) }
        #expect(throws: WordingFault.tooLong) { try rig.sms("en", values) }
    }

    @Test("An override speaks for its event alone, language by language; what it does not have is the template's")
    func override() throws {
        let rig = try WordingRig(
            [
                "override/paid.sms": #"{"basedOn": 4, "sender": "HARBOUR2", "texts": {"uk": "Ваша оплата: {{amount | money}}"}}"#,
                "event/other": try WordingRig.event(#"{"number": 13}"#),
            ], version: 4)
        #expect(rig.findings.isEmpty, "\(rig.findings)")
        let own = try rig.sms("uk")
        #expect(rig.rulebook.decisions.events.map(\.key) == ["other", "paid"])
        #expect(own.text.hasPrefix("*1234"))
        let book = try #require(rig.book)
        let zone = try Zone(tzif: try #require(WordingRig.zoneFile("Europe/Kyiv")))
        let ukrainian = try book.wording.sms(
            event: 1, WordingRig.values, CustomerDetails(), try #require(CustomerLocale("uk")), zone, count: WordingRig.count, limit: 9)
        #expect(ukrainian.text.hasPrefix("Ваша оплата") && ukrainian.override == 4 && ukrainian.version == 4)
        #expect(ukrainian.sender == "HARBOUR2" && ukrainian.template == "sms.paid")
        let english = try book.wording.sms(
            event: 1, WordingRig.values, CustomerDetails(), try #require(CustomerLocale("en")), zone, count: WordingRig.count, limit: 9)
        #expect(english.text.hasPrefix("*1234") && english.override == 0 && english.sender == "HARBOUR2")
    }

    @Test("Partials are put in, in the language of the text, a country's own first")
    func partials() throws {
        let rig = try WordingRig([
            "template/sms.paid":
                #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "Hello. {{>end}}", "en-GB": "Hello. {{>end}}", "uk": "{{>end}}"}}"#,
            "partial/end": #"{"texts": {"en": "Your bank", "en-GB": "Yours, the bank", "uk": "Ваш банк, {{shop}}"}, "note": "for all"}"#,
            "template/push.paid": "", "event/paid": try WordingRig.event(#"{"templates": {"sms": "paid"}}"#),
        ])
        #expect(rig.findings.isEmpty, "\(rig.findings)")
        #expect(try rig.sms("en").text == "Hello. Your bank")
        #expect(try rig.sms("en-GB").text == "Hello. Yours, the bank")
        #expect(try rig.sms("uk").text == "Ваш банк, Corner Bakery")
    }

    @Test("Each fault has a word of its own")
    func words() {
        let faults: [WordingFault] = [
            .noTemplate, .value(at: "x"), .empty, .noAlphabet, .tooManyParts(parts: 3, limit: 2), .tooLong,
        ]
        #expect(Set(faults.map(\.word)).count == faults.count)
        #expect(WordingFault(.wrongType("x")) == .value(at: "x") && WordingFault(.tooManySteps) == .tooLong)
    }
}

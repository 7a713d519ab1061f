import Foundation
import Testing

@testable import Templates

@Suite("Filters")
struct FilterTests {
    @Test("Money names its currency by sign, by code or not at all")
    func money() throws {
        let amount = try Value.money(123_450, "UAH")
        #expect(try rendered("{{v | money}}", [("v", amount)], locale: "uk") == "1\u{A0}234,50\u{A0}₴")
        #expect(try rendered("{{v | money: code}}", [("v", amount)], locale: "uk") == "1\u{A0}234,50\u{A0}UAH")
        #expect(try rendered("{{v | money: plain}}", [("v", amount)], locale: "uk") == "1\u{A0}234,50")
        #expect(try rendered("{{v}}", [("v", amount)], locale: "uk") == "1\u{A0}234,50\u{A0}₴")
        #expect(try rendered("{{v | money}}", [("v", try .money(-5, "JPY"))]) == "-¥5")
    }

    @Test("A number keeps its digits or takes as many as it is told, halves to the even digit")
    func numbers() throws {
        #expect(try rendered("{{v | number}}", [("v", .integer(1_234_567))]) == "1,234,567")
        #expect(try rendered("{{v | number: 2}}", [("v", .integer(7))]) == "7.00")
        #expect(try rendered("{{v | number: 1}}", [("v", try .decimal("0.25"))]) == "0.2")
        #expect(try rendered("{{v | number: 1}}", [("v", try .decimal("0.35"))]) == "0.4")
        #expect(try rendered("{{v | number: 0}}", [("v", try .decimal("-0.4"))]) == "0")
        #expect(try rendered("{{v}}", [("v", .integer(1_234_567))]) == "1234567")
        #expect(try rendered("{{v}}", [("v", try .decimal("-1234.50"))], locale: "uk") == "-1234,50")
        #expect(try rendered("{{v | percent: 1}}", [("v", try .decimal("0.125"))], locale: "ru") == "12,5\u{A0}%")
        #expect(try rendered("{{v | percent}}", [("v", .integer(1))]) == "100%")
        #expect(try rendered("{{v | number}}", [("v", .integer(.min))]) == "-9,223,372,036,854,775,808")
        #expect(throws: RenderFault.wrongType("v")) { try rendered("{{v | percent}}", [("v", .integer(.max))]) }
    }

    @Test("Dates and times come in four and two lengths, by themselves and together")
    func dates() throws {
        let day = try Value.date(2026, 11, 22)
        #expect(try rendered("{{v | date: long}}", [("v", day)], locale: "uk") == "22 листопада 2026\u{202F}р.")
        #expect(try rendered("{{v | date: full}}", [("v", day)], locale: "ru") == "воскресенье, 22 ноября 2026\u{202F}г.")
        #expect(try rendered("{{v | month | upper-first}}", [("v", day)], locale: "uk") == "Листопад")
        let moment = Value.moment(LocalMoment(seconds: 1_795_370_640, offset: 7200))
        #expect(try rendered("{{v | datetime}}", [("v", moment)], locale: "uk") == "22.11.26, 20:04")
        #expect(try rendered("{{v | datetime: long}}", [("v", moment)], locale: "en-GB") == "22 November 2026, 20:04")
        #expect(try rendered("{{v | date}} {{v | time: medium}}", [("v", moment)], locale: "de") == "22.11.26 20:04:00")
        #expect(try rendered("{{v}}", [("v", day)]) == "11/22/26")
        #expect(try rendered("{{v}}", [("v", try .time(18, 4))]) == "6:04\u{202F}PM")
        #expect(try rendered("{{v}}", [("v", moment)]) == "11/22/26, 8:04\u{202F}PM")
        #expect(throws: RenderFault.wrongType("v")) { try rendered("{{v | time}}", [("v", day)]) }
        #expect(throws: RenderFault.wrongType("v")) { try rendered("{{v | datetime}}", [("v", day)]) }
    }

    @Test("A plural writes the form of its number, the number where # stands")
    func plural() throws {
        let days = "{{v | plural: one=\"# день\", few=\"# дні\", many=\"# днів\", other=\"# дня\"}}"
        for (number, text) in [("1", "1 день"), ("3", "3 дні"), ("11", "11 днів"), ("1000", "1\u{A0}000 днів"), ("1.5", "1,5 дня")] {
            #expect(try rendered(days, [("v", try .decimal(number))], locale: "uk") == text)
        }
        // A language that has a form for millions does without it.
        #expect(try rendered("{{v | plural: one='jour', other='jours'}}", [("v", .integer(1_000_000))], locale: "fr") == "jours")
        // Without the form for fractions only whole numbers are taken.
        let whole = "{{v | plural: one=\"день\", few=\"дні\", many=\"днів\"}}"
        #expect(throws: RenderFault.wrongType("v")) { try rendered(whole, [("v", try .decimal("1.5"))], locale: "uk") }
    }

    @Test("English ordinals end as they are spoken")
    func ordinals() throws {
        let texts = try [0, 1, 2, 3, 4, 11, 12, 13, 21, 102, 111, -1].map { try rendered("{{v | ordinal}}", [("v", .integer($0))]) }
        #expect(texts == ["0th", "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th", "-1st"])
    }

    @Test("A mask shows the last four digits and never more than half of them")
    func masks() throws {
        func masked(_ text: String, _ style: String) throws -> String { try rendered("{{v | mask: \(style)}}", [("v", .text(text))]) }
        #expect(try masked("4111 1111 1111 1234", "card") == "*1234")
        #expect(try masked("4111111111111234", "last") == "1234")
        #expect(try masked("+44 7700 900123", "phone") == "+********0123")
        #expect(try masked("UA21 3223 1300 0002 6007 2335 6600 1", "account") == "UA*6001")
        #expect(try masked("123456", "card") == "*456")
        #expect(try masked("1234", "last") == "34")
        #expect(try masked("1", "card") == "*")
        #expect(try masked("secret", "card") == "*")
        #expect(try masked("", "card") == "")
        #expect(try rendered("{{v | mask}}", [("v", .integer(4_111_111_111_111_234))]) == "*1234")
    }

    @Test("Letters change their case as their language has it")
    func cases() throws {
        #expect(try rendered("{{v | upper}}", [("v", .text("їжак straße"))], locale: "uk") == "ЇЖАК STRASSE")
        #expect(try rendered("{{v | lower}}", [("v", .text("ЇЖАК Foo"))], locale: "uk") == "їжак foo")
        #expect(try rendered("{{v | upper-first}}", [("v", .text("їжак"))], locale: "uk") == "Їжак")
        #expect(try rendered("{{v | lower-first}}", [("v", .text("Tomorrow Ann"))]) == "tomorrow Ann")
        #expect(try rendered("{{v | upper}}", [("v", .text("ılık ip"))], locale: "tr") == "ILIK İP")
        #expect(try rendered("{{v | lower}}", [("v", .text("ISPARTA İZMİR"))], locale: "tr") == "ısparta izmir")
        #expect(try rendered("{{v | upper-first}}", [("v", .text("ﬁnal"))]) == "Final")
    }

    @Test("A text that is too long ends in dots, and no letter is cut through")
    func truncating() throws {
        func cut(_ text: String, _ letters: Int) throws -> String { try rendered("{{v | truncate: \(letters)}}", [("v", .text(text))]) }
        #expect(try cut("Corner Bakery", 13) == "Corner Bakery")
        #expect(try cut("Corner Bakery", 12) == "Corner Ba...")
        #expect(try cut("Corner Bakery", 10) == "Corner...")
        #expect(try cut("Corner Bakery", 4) == "Corn")
        #expect(try cut("Пекарня на розі", 9) == "Пекарн...")
        #expect(try cut("e\u{301}e\u{301}e\u{301}", 2) == "e\u{301}e\u{301}")
        #expect(try cut("👩‍👩‍👧🇺🇦🇵🇱👍🏽x", 3) == "👩‍👩‍👧🇺🇦🇵🇱")
        #expect(try cut("", 3) == "")
    }

    @Test("A default stands for what is missing or empty, and goes through the filters behind it")
    func defaults() throws {
        let template = "{{v | default: \"dear customer\" | upper-first}}"
        #expect(try rendered(template) == "Dear customer")
        #expect(try rendered(template, [("v", .missing)]) == "Dear customer")
        #expect(try rendered(template, [("v", .text(""))]) == "Dear customer")
        #expect(try rendered(template, [("v", .text("ann"))]) == "Ann")
        #expect(try rendered("{{v | money | default: \"-\"}}") == "-")
        #expect(try rendered("{{v | mask: card | default: \"your card\"}}") == "your card")
        #expect(try rendered("{{v | mask: card | default: \"your card\" | upper}}") == "YOUR CARD")
        #expect(try rendered("{{v | default: '<&'}}", kind: .html) == "&lt;&amp;")
    }

    @Test("Values are escaped for what they are written into, after every other filter")
    func escapes() throws {
        let text = Value.text("<b a=\"1\">'&'\\\n\t\r\u{1}\u{7F}</b>")
        #expect(
            try rendered("{{v}}", [("v", text)], kind: .html)
                == "&lt;b a=&quot;1&quot;&gt;&#39;&amp;&#39;\\\n\t\r\u{1}\u{7F}&lt;/b&gt;")
        #expect(try rendered("{{v}}", [("v", text)], kind: .json) == "<b a=\\\"1\\\">'&'\\\\\\n\\t\\r\\u0001\\u007f</b>")
        #expect(try rendered("{{v}}", [("v", text)]) == "<b a=\"1\">'&'\\\n\t\r\u{1}\u{7F}</b>")
        #expect(
            try rendered("https://bank.example/{{v}}?a={{n}}", [("v", .text("../x y?#&=%é-._~Az9")), ("n", .integer(7))], kind: .link)
                == "https://bank.example/..%2Fx%20y%3F%23%26%3D%25%C3%A9-._~Az9?a=7")
        #expect(try rendered("{{v | truncate: 2}}", [("v", .text("<<<<"))], kind: .html) == "&lt;&lt;")
        #expect(try rendered("{{{v}}}", [("v", .text("<"))]) == "<")
    }

    @Test("Any text in a JSON string or an address is read back as it was, in HTML it has no sign of a tag left", arguments: 0..<8)
    func anyText(seed: UInt64) throws {
        var chance = Chance(seed: seed)
        let letters: [Unicode.Scalar] = [
            "\"", "\\", "/", "\u{0}", "\u{1F}", "\n", "\u{7F}", "\u{2028}", "<", "&", "'", "ї", "€", "🦉", "a", "{", "}",
        ]
        let json = try Template("{\"text\": \"{{v}}\"}", Template.Options(.json, .en))
        let html = try Template("{{v}}", Template.Options(.html, .en))
        let link = try Template("{{v}}", Template.Options(.link, .en))
        for _ in 0..<100 {
            var text = ""
            for _ in 0..<chance.below(30) { text.unicodeScalars.append(chance.pick(letters)) }
            let values = Record([("v", .text(text))])
            let read = try JSONDecoder().decode([String: String].self, from: Data(json.text(values).utf8))
            #expect(read == ["text": text], "seed \(seed)")
            let escaped = try html.text(values)
            #expect(!escaped.contains { $0 == "<" || $0 == ">" || $0 == "\"" || $0 == "'" }, "seed \(seed)")
            var back = escaped
            for (reference, letter) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")] {
                back = back.replacingOccurrences(of: reference, with: letter)
            }
            #expect(back == text, "seed \(seed)")
            let address = try link.text(values)
            #expect(address.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } && !address.contains { "/?#&=\"<>".contains($0) }, "seed \(seed)")
            #expect(address.removingPercentEncoding == text, "seed \(seed)")
        }
    }

    @Test("A value of another type than its filter writes is a fault that names the field and nothing of the value")
    func types() throws {
        for filter in [
            "money", "number", "percent", "date", "time", "datetime", "weekday", "month", "ordinal", "plural: one='a', other='b'",
        ] {
            #expect(throws: RenderFault.wrongType("a.b")) {
                try rendered("{{a.b | \(filter)}}", [("a", .record(Record([("b", .text("x"))])))])
            }
        }
        #expect(throws: RenderFault.wrongType("v")) { try rendered("{{v}}", [("v", .list([]))]) }
        #expect(throws: RenderFault.wrongType("v")) { try rendered("{{v}}", [("v", .record(Record()))]) }
        #expect(throws: RenderFault.missing("v")) { try rendered("{{v}}") }
        #expect(throws: RenderFault.missing("v")) { try rendered("{{v | money}}", [("v", .missing)]) }
        #expect(try rendered("[{{v | money}}]") { $0.missingIsEmpty = true } == "[]")
        #expect(try rendered("{{#v}}no{{/v}}{{^v}}none{{/v}}") == "none")
        #expect(try rendered("{{v}}", [("v", .boolean(true))]) == "true")
        #expect(try rendered("{{#v}}yes{{/v}}", [("v", .integer(0))]) == "yes")
        #expect(try rendered("{{#v}}yes{{/v}}", [("v", .text(""))]) == "")
    }
}

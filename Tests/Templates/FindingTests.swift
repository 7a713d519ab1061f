import Testing

@testable import Templates

@Suite("What is wrong with a template")
struct FindingTests {
    @Test("Mistakes are found all at once, each with its line and column")
    func allAtOnce() throws {
        let template = """
            Привіт, {{name | shout}}!
            {{#paid}}{{amount | money: gold}}
            {{date | date: long | number}} {{}} {{>footer}}
            {{/owed}} {{{raw}}} {{$block}} {{=x=}} {{a b}}
            {{count | plural: one="day"}} {{unclosed
            """
        let found = try findings(template, kind: .html).map(\.line)
        #expect(
            found == [
                "unknown_filter 1:18", "bad_argument 2:28", "filter_order 3:23", "bad_name 3:34", "unknown_partial 3:37",
                "section_not_open 4:1", "raw_refused 4:11", "unsupported_tag 4:21", "bad_delimiters 4:32", "bad_name 4:44",
                "plural_form 5:11", "tag_not_closed 5:31", "section_not_closed 2:1",
            ])
    }

    @Test(
        "Each mistake has its code, and its reason says what to do",
        arguments: [
            ("{{a", "tag_not_closed 1:1", "not closed"), ("{{{a}}", "tag_not_closed 1:1", "not closed"),
            ("{{#a}}{{#b}}{{/a}}{{/b}}", "section_crossed 1:13", "`b` is open"), ("{{/a}}", "section_not_open 1:1", "`a` is not open"),
            ("{{a|}}", "unknown_filter 1:5", "missing"), ("{{a|money|date}}", "filter_order 1:11", "`date`"),
            ("{{a|upper|money}}", "filter_order 1:11", "first"), ("{{a|fit|upper}}", "filter_order 1:9", "last"),
            ("{{a|fit}}{{b|fit}}", "filter_order 1:10", "another"), ("{{#a|upper}}", "filter_refused 1:5", "no filters"),
            ("{{a|truncate}}", "bad_argument 1:5", "count"), ("{{a|truncate:0}}", "bad_argument 1:14", "1 to 9999"),
            ("{{a|number:x}}", "bad_argument 1:12", "0 to 9"), ("{{a|upper:1}}", "bad_argument 1:5", "nothing"),
            ("{{a|default}}", "bad_argument 1:5", "one text"), ("{{a|default:\"x}}", "bad_argument 1:13", "not closed"),
            ("{{a|default:“x”}}", "bad_argument 1:13", "straight quotes"), ("{{a|plural:one=1}}", "bad_argument 1:16", "straight quotes"),
            ("{{a|plural:\"x\"}}", "bad_argument 1:12", "by name"), ("{{a|plural:few=\"x\"}}", "plural_form 1:12", "no form `few`"),
            ("{{a|plural:one=\"x\",one=\"y\",other=\"z\"}}", "plural_form 1:20", "twice"), ("{{a|mask:}}", "bad_argument 1:10", "missing"),
            ("{{a..b}}", "bad_name 1:3", "`.`"), ("{{a.}}", "bad_name 1:3", "no name"), ("{{a!}}", "bad_name 1:4", "`!`"),
            ("{{#a b}}", "bad_name 1:6", "`b`"), ("{{#a}}{{/a b}}", "bad_name 1:12", "`b`"), ("{{>}}", "bad_name 1:1", "no name"),
            ("{{= =}}", "bad_delimiters 1:1", "two words"),
            ("{{<a}}", "unsupported_tag 1:1", "`<`"), ("{{%x}}", "unsupported_tag 1:1", "`%`"), ("{{>*a}}", "unsupported_tag 1:1", "`*a`"),
        ])
    func each(template: String, line: String, reason: String) throws {
        let found = try #require(try findings(template).first)
        #expect(found.line == line, "\(template): \(found.reason)")
        #expect(found.reason.contains(reason), "\(template): \(found.reason)")
        #expect(!found.code.explanation.isEmpty)
    }

    @Test("Mistakes in a partial name it, once however often it is used and however it is indented")
    func partials() throws {
        let found = try findings("{{>p}}\n  {{>p}}\n", partials: ["p": "one\n{{v|no}}"])
        #expect(found.map(\.line) == ["unknown_filter p 2:5"])
    }

    @Test("A partial may contain itself, but not indented; partials and sections have a depth")
    func depth() throws {
        #expect(try findings("{{>p}}", partials: ["p": "{{#v}}{{>p}}{{/v}}"]).isEmpty)
        #expect(try findings("{{>p}}", partials: ["p": "a\n  {{>p}}\n"]).map(\.line) == ["partial_recursion p 2:3"])
        let deep = String(repeating: "{{#a}}", count: 33) + String(repeating: "{{/a}}", count: 33)
        #expect(try findings(deep).map(\.code) == [.tooDeep])
        #expect(try findings(deep) { $0.limits.depth = 1000 }.isEmpty)
        let chain = Dictionary(uniqueKeysWithValues: (0..<40).map { ("p\($0)", "{{>p\($0 + 1)}}") })
        #expect(try findings("{{>p0}}", partials: chain).map(\.code) == [.tooDeep])
        // Endless, but only while rendering: then the depth ends it.
        #expect(throws: RenderFault.tooDeep) { try rendered("{{>p}}", partials: ["p": "{{>p}}"]) }
    }

    @Test("A template, its pieces and its mistakes are bounded")
    func bounds() throws {
        #expect(try findings(String(repeating: "x", count: 101)) { $0.limits.octets = 100 }.map(\.code) == [.tooLarge])
        #expect(try findings(String(repeating: "{{a}}", count: 11)) { $0.limits.instructions = 10 }.map(\.code) == [.tooLarge])
        #expect(try findings(String(repeating: "{{}}", count: 500)).count == 100)
        // A partial that is used often is read once.
        let bomb = Dictionary(uniqueKeysWithValues: (0..<30).map { ("p\($0)", "{{>p\($0 + 1)}}{{>p\($0 + 1)}}") } + [("p30", "x")])
        #expect(try findings("{{>p0}}", partials: bomb).isEmpty)
        #expect(throws: RenderFault.tooManySteps) { try rendered("{{>p0}}", partials: bomb) }
        #expect(try findings("{{\(String(repeating: "a", count: 129))}}").map(\.code) == [.badName])
        #expect(try findings("{{a\(String(repeating: "|upper", count: 9))}}").map(\.code) == [.tooLarge])
        #expect(try findings("{{a|plural:\(Array(repeating: "x", count: 17).joined(separator: ","))}}").map(\.code) == [.tooLarge])
    }

    @Test("Lists within lists end when a rendering has taken too many steps, a text when its buffer is full")
    func rendering() throws {
        let items = Value.list((0..<400).map { .integer($0) })
        #expect(throws: RenderFault.tooManySteps) { try rendered("{{#a}}{{#b}}x{{/b}}{{/a}}", [("a", items), ("b", items)]) }
        let options = Template.Options(.html, .en)
        let template = try Template("{{v}}", options)
        for octets in 0..<20 {
            #expect(throws: RenderFault.full) { try template.text(Record([("v", .text("&&&&"))]), octetsMax: octets) }
        }
        #expect(try template.text(Record([("v", .text("&&&&"))]), octetsMax: 20) == "&amp;&amp;&amp;&amp;")
        #expect(throws: RenderFault.full) { try Template("text", options).text(Record(), octetsMax: 3) }
    }

    @Test("Unescaped values are refused where values are escaped, unless that is allowed")
    func raw() throws {
        #expect(try findings("{{{a}}}{{&a}}", kind: .html).map(\.line) == ["raw_refused 1:1", "raw_refused 1:8"])
        #expect(try findings("{{&a}}", kind: .json).map(\.code) == [.rawRefused])
        #expect(try findings("{{{a}}}{{&a}}").isEmpty)
        #expect(try findings("{{a | fit}}", kind: .html).map(\.code) == [.badArgument])
        #expect(try rendered("{{{a}}}", [("a", .text("<"))], kind: .html) { $0.allowsRaw = true } == "<")
    }

    @Test("Names may be of any script; ordinals are English")
    func languages() throws {
        #expect(try rendered("{{сума.покупки}}", [("сума", .record(Record([("покупки", .integer(5))])))], locale: "uk") == "5")
        #expect(try findings("{{a | ordinal}}", locale: "uk").map(\.line) == ["bad_argument 1:7"])
        #expect(try findings("{{a | plural: one='1', few='2'}}", locale: "uk").first?.reason.contains("many") == true)
        // The form that only fractions take may be left out.
        #expect(try findings("{{a | plural: one='1', few='2', many='5'}}", locale: "uk").isEmpty)
    }

    @Test("Every filter is known by its name and every code explained")
    func closedLists() {
        #expect(Set(TemplateFinding.Code.allCases.map(\.explanation)).count == TemplateFinding.Code.allCases.count)
        #expect(Filter.allCases.count == 18)
        #expect(Filter(rawValue: "upper-first") == .upperFirst)
    }
}

import Testing

@testable import Templates

/// A template against the shape of its values, and the shortening of a text that is too long.
@Suite("Checks before publishing")
struct CheckTests {
    static let payment = Shape.record([
        .init("amount", .money(digits: 9)), .init("at", .moment), .init("card", .text(letters: 19)), .init("shop", .text(letters: 40)),
        .init("note", .text(letters: 100).orMissing), .init("count", .integer(digits: 3)), .init("share", .decimal()),
        .init("customer", .record([.init("name", .text(letters: 60)), .init("city", .text(letters: 30).orMissing)])),
        .init("rows", .list(of: .record([.init("item", .text(letters: 10)), .init("count", .text(letters: 3))]), longest: 5)),
    ])

    static func check(_ template: String, _ locale: TextLocale = .uk) throws -> TemplateCheck {
        try Template(template, Template.Options(.plain, locale)).check(payment)
    }

    @Test("What the values do not have, cannot be or may lack is found, all at once")
    func found() throws {
        let found = try Self.check("{{amount | date}} {{shpo}} {{note}} {{customer.age}} {{customer}} {{customer.city}} {{at | money}}")
            .findings
        #expect(
            found.map(\.line) == [
                "wrong_type 1:1", "unknown_field 1:19", "may_be_missing 1:28", "unknown_field 1:37", "wrong_type 1:54",
                "may_be_missing 1:67", "wrong_type 1:85",
            ])
    }

    @Test("What is guarded by a section or has a default may be missing")
    func guarded() throws {
        #expect(try Self.check("{{#note}}{{note}} {{.}}{{/note}}{{note | default: \"-\"}}").findings.isEmpty)
        #expect(try Self.check("{{#customer.city}}{{customer.city}}{{/customer.city}}").findings.isEmpty)
        #expect(try Self.check("{{^note}}{{note}}{{/note}}").findings.map(\.code) == [.mayBeMissing])
    }

    @Test("Names are found as rendering finds them: in items first, then outside")
    func scopes() throws {
        #expect(try Self.check("{{#rows}}{{item}} {{count}} {{shop}}{{/rows}}").findings.isEmpty)
        // In the items `count` is a text.
        #expect(try Self.check("{{#rows}}{{count | number}}{{/rows}}{{count | number}}").findings.map(\.line) == ["wrong_type 1:10"])
        #expect(try Self.check("{{item}}").findings.map(\.code) == [.unknownField])
    }

    @Test("A plural without the form for fractions takes whole numbers only")
    func fractions() throws {
        let forms = "plural: one='a', few='b', many='c'"
        #expect(try Self.check("{{count | \(forms)}}").findings.isEmpty)
        #expect(try Self.check("{{share | \(forms)}}").findings.map(\.code) == [.wrongType])
        #expect(try Self.check("{{share | \(forms), other='d'}}").findings.isEmpty)
    }

    @Test("The uses of fields say where they stand, what they take and what they show")
    func uses() throws {
        let template = try Template(
            "{{#rows}}{{>line}}{{/rows}}{{card | mask}}{{^note}}{{/note}}", partials: ["line": "{{item | upper | default: 'x'}}"],
            Template.Options(.plain, .en))
        let uses = template.uses
        #expect(uses.map { $0.path.joined(separator: ".") } == ["rows", "item", "card", "note"])
        #expect(uses.map(\.isCondition) == [true, false, false, true])
        #expect(uses.map(\.isMasked) == [false, false, true, false])
        #expect(uses[1].sections == [["rows"]])
        #expect(uses[1].place == Place(partial: "line", line: 1, column: 1))
        #expect(uses[1].hasDefault)
        #expect(uses[2].accepts == [.text, .integer])
    }

    @Test("A template names the partials that it puts in, those within others too, and no others")
    func partials() throws {
        let template = try Template(
            "{{>b}}\n  {{>b}}\n{{>a}}", partials: ["a": "x", "b": "{{>c}}", "c": "y", "d": "z"], Template.Options(.plain, .en))
        #expect(template.partials == ["a", "b", "c"])
        #expect(try Template("x", Template.Options(.plain, .en)).partials.isEmpty)
    }

    @Test("A partial within itself has uses once and no bound")
    func recursion() throws {
        let template = try Template(
            "{{>p}}", partials: ["p": "{{shop}}{{#rows}}{{>p}}{{/rows}}"], Template.Options(.plain, .en))
        #expect(template.uses.map(\.path) == [["shop"], ["rows"]])
        #expect(template.check(Self.payment).length.most == nil)
        #expect(template.check(Self.payment).findings.isEmpty)
    }

    @Test("A template that partials make too large to be checked is named")
    func bomb() throws {
        let partials = Dictionary(
            uniqueKeysWithValues: (0..<30).map { ("p\($0)", "{{>p\($0 + 1)}}{{>p\($0 + 1)}}") } + [("p30", "{{shop}}")])
        let template = try Template("{{>p0}}", partials: partials, Template.Options(.plain, .en))
        let check = template.check(Self.payment)
        #expect(check.findings.map(\.code) == [.tooLarge])
        #expect(check.length.most == nil)
        #expect(template.uses.count <= template.options.limits.steps)
    }

    @Test("No text is shorter or longer than the bound says", arguments: TextLocale.all)
    func bounds(locale: TextLocale) throws {
        let needed = locale.plural.known.map { "\($0.rawValue)='<# \($0.rawValue)>'" }.joined(separator: ", ")
        let pieces = [
            "Paid {{amount | money}}", "{{amount | money: code}}{{amount | money: plain}}", "{{at | datetime: full}}",
            "{{at | date: medium}}",
            "{{at | weekday}}{{at | month}}{{at | time: medium}}{{at}}", "{{card | mask}}{{card | mask: phone}}{{card | mask: last}}",
            "{{shop | truncate: 12}}{{shop}}", "{{note | truncate: 5 | default: 'a long default'}}",
            "{{note | default: 'a long default' | truncate: 5}}", "{{count | plural: \(needed)}}",
            "{{count | number: 2}}",
            "{{share | percent: 2}}", "{{#rows}}{{item}}, {{/rows}}", "{{^note}}no note{{/note}}",
            "{{customer.name}}{{amount}}{{count}}{{share}}",
        ]
        var chance = Chance(seed: 7)
        for piece in pieces {
            let template = try Template(piece, Template.Options(.plain, locale))
            let check = template.check(Self.payment)
            #expect(check.findings.isEmpty, "\(piece): \(check.findings)")
            for _ in 0..<40 {
                let letters = try template.text(Self.values(&chance)).unicodeScalars.count
                #expect(letters >= check.length.least, "\(piece)")
                #expect(letters <= check.length.most ?? 0, "\(piece)")
            }
        }
    }

    static func values(_ chance: inout Chance) throws -> Record {
        func text(_ most: Int) -> Value { .text(String(repeating: "ж", count: chance.below(most + 1))) }
        let codes = ["UAH", "EUR", "USD", "JPY", "KWD", "XAF", "CAD"]
        let full = chance.below(2) == 0
        return Record([
            (
                "amount",
                try .money(full ? -999_999_999_99 : Int64(chance.below(100_000)), chance.pick(codes.filter { $0 != "JPY" && $0 != "XAF" }))
            ),
            ("at", .moment(LocalMoment(seconds: Int64(chance.below(4_000_000_000)), offset: 3600))),
            ("card", .text(full ? "4111 1111 1111 1234" : "")), ("shop", text(40)), ("note", chance.below(2) == 0 ? .missing : text(100)),
            ("count", .integer(full ? -999 : Int64(chance.below(1000)))),
            (
                "share",
                full ? .decimal(try #require(ExactDecimal(-922_337_203_685_477_580, scale: 6))) : .decimal(try ExactDecimal(text: "0.5"))
            ),
            ("customer", .record(Record([("name", text(60))]))),
            (
                "rows",
                .list(
                    (0..<chance.below(6)).map { _ in
                        .record(Record([("item", .text(String(repeating: "x", count: chance.below(11))))]))
                    })
            ),
        ])
    }

    @Test("A long value with `fit` is shortened to what fits, and only that value")
    func fitting() throws {
        let template = try Template("Paid at {{shop | fit: 4}}, thanks", Template.Options(.plain, .en))
        func fitted(_ shop: String, _ most: Int) throws -> (String, Bool) {
            let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 200)
            defer { buffer.deallocate() }
            let (octets, fits) = try template.render(Record([("shop", .text(shop))]), into: buffer) { text in
                text.count { $0 & 0xC0 != 0x80 } <= most
            }
            return (String(decoding: buffer[..<octets], as: UTF8.self), fits)
        }
        #expect(try fitted("Corner Bakery", 40) == ("Paid at Corner Bakery, thanks", true))
        #expect(try fitted("Corner Bakery", 28) == ("Paid at Corner Ba..., thanks", true))
        #expect(try fitted("Corner Bakery", 26) == ("Paid at Corner..., thanks", true))
        #expect(try fitted("Пекарня на розі", 28) == ("Paid at Пекарня н..., thanks", true))
        // Four letters must stay: 23 letters in all.
        #expect(try fitted("Corner Bakery", 23) == ("Paid at Corn..., thanks", true))
        #expect(try fitted("Corner Bakery", 22) == ("Paid at Corner Bakery, thanks", false))
        #expect(try fitted("Shop", 10) == ("Paid at Shop, thanks", false))
    }

    @Test("A text without a value to shorten is what it is")
    func unfitting() throws {
        let template = try Template("Paid at {{shop}}", Template.Options(.plain, .en))
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 64)
        defer { buffer.deallocate() }
        let (octets, fits) = try template.render(Record([("shop", .text("Bakery"))]), into: buffer) { _ in false }
        #expect(octets == 14)
        #expect(!fits)
        #expect(try template.render(Record([("shop", .text("Bakery"))]), into: buffer).stretch == nil)
    }

    @Test("A record in another order than the template was compiled for renders the same")
    func order() throws {
        var options = Template.Options(.plain, .en)
        options.fields = ["a", "b", "c"]
        let template = try Template("{{a}}{{b}}{{c}}", options)
        #expect(try template.text(Record([("a", .integer(1)), ("b", .integer(2)), ("c", .integer(3))])) == "123")
        #expect(try template.text(Record([("c", .integer(3)), ("x", .missing), ("b", .integer(2)), ("a", .integer(1))])) == "123")
        var record = Record()
        record.add("a", .integer(1))
        record.add("b", .integer(2))
        record.add("c", .integer(3))
        record.set(1, .integer(7))
        record.set(9, .integer(8))
        #expect(try template.text(record) == "173")
    }
}

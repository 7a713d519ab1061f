import Foundation
import Testing

@testable import Templates

/// The guide for editors, held against the program.
@Suite("Guide of templates")
struct GuideTests {
    /// Rows of the guide's tables, cell by cell.
    static func rows() throws -> [[String]] {
        let path = MustacheTests.golden + "../../docs/guides/templates.md"
        let text = try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
        return text.split(separator: "\n").filter { $0.hasPrefix("| ") }.map { line in
            line.replacingOccurrences(of: "\\|", with: "\u{1}").split(separator: "|")
                .map { $0.trimmingCharacters(in: .whitespaces).replacingOccurrences(of: "\u{1}", with: "|") }
        }
    }

    static func payment() throws -> Record {
        Record([
            ("amount", try .money(123_450, "UAH")), ("fee", try .money(0, "UAH")), ("card", .text("4111 1111 1111 1234")),
            ("phone", .text("+44 7700 900123")), ("iban", .text("UA21 3223 1300 0002 6007 2335 6600 1")), ("shop", .text("Corner Bakery")),
            ("at", .moment(LocalMoment(seconds: 1_795_370_640, offset: 7200))), ("due", try .date(2026, 12, 3)), ("days", .integer(3)),
            ("rate", try .decimal("0.125")), ("name", .text("ann")), ("rank", .integer(2)), ("note", .text("")),
            ("customer", .record(Record([("city", .text("Lviv"))]))), ("blocked", .boolean(false)),
            ("rows", .list([.record(Record([("item", .text("Bread"))])), .record(Record([("item", .text("Milk"))]))])),
        ])
    }

    @Test("Every example of the guide is what comes out")
    func examples() throws {
        var count = 0
        for row in try Self.rows() where row.count == 3 && row[0].hasPrefix("`") {
            let template = String(row[0].dropFirst().dropLast())
            let locale = try #require(TextLocale.exact(row[1]), "\(row[1])")
            let text = try Template(template, Template.Options(.plain, locale)).text(try Self.payment())
            let spaced = text.replacingOccurrences(of: "\u{A0}", with: " ").replacingOccurrences(of: "\u{202F}", with: " ")
            #expect(spaced.trimmingCharacters(in: .whitespaces) == row[2], "\(template)")
            count += 1
        }
        #expect(count >= 35)
    }

    @Test("The guide shows every filter and explains every code in the program's own words")
    func complete() throws {
        let rows = try Self.rows()
        let examples = rows.filter { $0.count == 3 }.map { $0[0] }.joined(separator: "\n")
        for filter in Filter.allCases {
            #expect(examples.contains("| \(filter.rawValue)"), "\(filter.rawValue)")
        }
        let codes = Dictionary(rows.filter { $0.count == 2 }.map { ($0[0], $0[1]) }, uniquingKeysWith: { first, _ in first })
        for code in TemplateFinding.Code.allCases {
            #expect(codes["`\(code.rawValue)`"] == code.explanation, "\(code.rawValue)")
        }
    }

    @Test("The guide names every language")
    func languages() throws {
        let path = MustacheTests.golden + "../../docs/guides/templates.md"
        let text = try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
        #expect(text.contains(TextLocale.all.map(\.tag).joined(separator: ", ") + "."))
    }
}

import Foundation
import Testing

@testable import Templates

/// Mustache, against the cases of its specification and against a library that nobody here wrote.
@Suite("Mustache")
struct MustacheTests {
    static let golden = #filePath.split(separator: "/").dropLast(2).map { "/\($0)" }.joined() + "/Golden/"

    @Test("Every case of ours renders as the specification wants it, here and in swift-mustache")
    func cases() throws {
        let cases = try MustacheFile.read(Self.golden + "mustache-cases.json")
        #expect(cases.count > 130)
        for one in cases {
            #expect(try one.ours() == one.expected, "\(one.name)")
            #expect(try one.theirs() == one.expected, "swift-mustache: \(one.name)")
        }
    }

    /// The specification's own files are not part of this repository: set-up fetches them, and `MUSTACHE_SPEC=FOLDER` has the JSON files of other ones.
    static let specification =
        ProcessInfo.processInfo.environment["MUSTACHE_SPEC"]
        ?? #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/.tools/mustache-spec"

    /// What every implementation has to do.
    static let scope = ["comments", "delimiters", "interpolation", "inverted", "partials", "sections"]

    /// Cases in scope in which swift-mustache does not do what the specification says: there it is no oracle, and the specification holds.
    static let differing: [String: String] = [:]

    /// Optional modules of the specification, why none of their cases is in scope, and how such a template is refused.
    static let outside: [(file: String, why: String, codes: Set<TemplateFinding.Code>)] = [
        ("~inheritance", "blocks and parents: a text is put together by partials alone", [.unsupportedTag]),
        ("~dynamic-names", "names made at run time: which partial is put in could not be checked before", [.unsupportedTag]),
    ]

    private static func file(_ name: String) throws -> [MustacheCase] {
        let path = "\(specification)/\(name).json"
        try #require(FileManager.default.fileExists(atPath: path), "there is no \(path): run scripts/fetch-mustache-spec")
        return try MustacheFile.read(path)
    }

    @Test("Every case of the specification's own files renders as it says, here and in swift-mustache", arguments: scope)
    func rendersSpecification(name: String) throws {
        for one in try Self.file(name) {
            let ours = try one.ours()
            #expect(ours == one.expected, "\(name): \(one.name)")
            let theirs = try one.theirs()
            if Self.differing["\(name): \(one.name)"] == nil {
                #expect(theirs == ours, "swift-mustache: \(name): \(one.name)")
            } else {
                // One that came to agree is taken off the list.
                #expect(theirs != ours, "swift-mustache agrees by now: \(name): \(one.name)")
            }
        }
    }

    @Test("The specification's files are whole, and each difference that is excused is one of its cases")
    func wholeSpecification() throws {
        let cases = try Self.scope.flatMap { name in try Self.file(name).map { "\(name): \($0.name)" } }
        #expect(cases.count == 133 && Set(Self.differing.keys).isSubset(of: cases))
    }

    @Test("What the specification leaves to implementations is refused by name, not rendered as something else")
    func optional() throws {
        for (file, why, codes) in Self.outside {
            let cases = try Self.file(file)
            #expect(cases.count >= 20)
            for one in cases {
                let texts = [one.template] + (one.partials ?? [:]).values
                let found = texts.flatMap { text -> [TemplateFinding.Code] in
                    do throws(TemplateFaults) {
                        _ = try Template(text, partials: [:], Template.Options(.plain, .en))
                        return []
                    } catch {
                        return error.findings.map(\.code)
                    }
                }
                #expect(!codes.isDisjoint(with: found), "\(file): \(one.name): \(why)")
            }
        }
    }

    @Test("Random templates with random values render as swift-mustache renders them", arguments: 0..<12)
    func random(seed: UInt64) throws {
        var chance = Chance(seed: seed)
        for turn in 0..<80 {
            let one = RandomMustache.make(&chance)
            for kind in [OutputKind.html, .plain] {
                let theirs = try #require(try one.theirs(kind))
                let place: Comment = "seed \(seed), turn \(turn), \(kind): \(one.template.debugDescription) \(one.data.value)"
                #expect(try one.ours(kind) == theirs, place)
            }
        }
    }
}

/// Numbers from a seed (SplitMix64), so that a failure can be repeated.
struct Chance: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }

    mutating func pick<Element>(_ list: [Element]) -> Element { list[below(list.count)] }
}

/// Templates and values of what both libraries share. Left out on purpose: a section over an empty text or with the point over a truth value,
/// where the specification is silent; and sections that are opened within a line and closed alone on one, blanks at the very end, and names
/// that are not ASCII, where swift-mustache 2.1.1 keeps a line end too many, drops them, and refuses them.
enum RandomMustache {
    /// What is written, what is a record, what is a list.
    static let names = ["a", "b", "shop", "order_1"]
    static let records = ["r", "s"]
    static let lists = ["l", "m"]
    static let texts = ["Corner Bakery", "<b>&\"'", "{{a}}", "Їжак", "x\ny", "12", " "]

    static func make(_ chance: inout Chance) -> MustacheCase {
        let data = record(&chance, depth: 3)
        let template = lines(&chance, depth: 4, partial: true) + "."
        let partial = line(&chance, depth: 2, partial: false) + "."
        return MustacheCase(
            name: "random", template: template, data: Loose(value: data), partials: ["p": partial], expected: "")
    }

    private static func record(_ chance: inout Chance, depth: Int) -> Value {
        var record = Record()
        for name in names where chance.below(4) > 0 { record.add(name, scalar(&chance)) }
        guard depth > 0 else { return .record(record) }
        for name in records where chance.below(4) > 0 { record.add(name, self.record(&chance, depth: depth - 1)) }
        for name in lists where chance.below(4) > 0 {
            record.add(name, .list((0..<chance.below(4)).map { _ in self.record(&chance, depth: depth - 1) }))
        }
        return .record(record)
    }

    private static func scalar(_ chance: inout Chance) -> Value {
        switch chance.below(6) {
        case 0, 1: .text(chance.pick(texts))
        case 2: .integer(Int64(chance.below(2000)) - 1000)
        case 3: ExactDecimal(Int64(chance.below(99_999)), scale: 2).map { .decimal($0) } ?? .missing
        case 4: .boolean(chance.below(2) == 0)
        default: .missing
        }
    }

    /// Whole lines: text, or a section whose tags stand alone.
    private static func lines(_ chance: inout Chance, depth: Int, partial: Bool) -> String {
        (0..<(1 + chance.below(4))).map { _ in
            let blanks = chance.pick(["", "", "  ", "\t"])
            switch chance.below(depth > 0 ? 5 : 3) {
            case 0: return blanks + "{{! note }}\n"
            case 1, 2: return blanks + line(&chance, depth: depth, partial: partial) + "!\n"
            default:
                let (open, close) = section(&chance)
                return blanks + open + "\n" + lines(&chance, depth: depth - 1, partial: partial) + blanks + close + "\n"
            }
        }.joined()
    }

    /// Pieces within a line.
    private static func line(_ chance: inout Chance, depth: Int, partial: Bool) -> String {
        (0..<(1 + chance.below(5))).map { _ in
            switch chance.below(depth > 0 ? 8 : 5) {
            case 0: return chance.pick(["Paid ", "}} ", "{ ", "ціна", " - "])
            case 1: return "{{\(chance.pick(names + ["r.a", "s.r.b"]))}}"
            case 2: return "{{{\(chance.pick(names))}}}"
            case 3: return "{{& \(chance.pick(names)) }}"
            case 4: return "[{{! note }}]"
            case 5 where partial: return "[{{>p}}]"
            default:
                let (open, close) = section(&chance)
                return "<" + open + line(&chance, depth: depth - 1, partial: partial) + close + ">"
            }
        }.joined()
    }

    private static func section(_ chance: inout Chance) -> (open: String, close: String) {
        let name = chance.pick(names + records + lists + ["r.a", "s.r.b", "r.l"])
        return (chance.pick(["{{#\(name)}}", "{{# \(name) }}", "{{^\(name)}}"]), "{{/\(name)}}")
    }
}

extension Loose {
    init(value: Value) { self.value = value }
}

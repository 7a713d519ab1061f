import Testing

@testable import MartletModel

/// Seeded documents: small alphabets, so that two of them have much in common.
struct DocumentDice {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func roll(_ sides: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state >> 33) % sides
    }

    /// The last two names differ only in how they are written.
    static let words = ["a", "b", "prefix", "group", "x y", "", "'", "\u{E9}", "e\u{301}", "\u{1F600}", "\u{FF5E}"]

    mutating func value(_ depth: Int = 0) -> JSONValue {
        switch roll(depth > 3 ? 5 : 8) {
        case 0: return .null
        case 1: return .flag(roll(2) == 0)
        case 2: return .integer(Int64(roll(5)) - 2)
        case 3, 4: return .text(DocumentDice.words[roll(DocumentDice.words.count)])
        case 5, 6: return .list((0..<roll(6)).map { _ in value(depth + 1) })
        default:
            var fields: [String: JSONValue] = [:]
            for _ in 0..<roll(6) { fields[DocumentDice.words[roll(DocumentDice.words.count)]] = value(depth + 1) }
            return .object(fields)
        }
    }

    /// The same document with some places changed.
    mutating func edited(_ value: JSONValue) -> JSONValue {
        switch value {
        case .list(var list):
            for index in list.indices where roll(3) == 0 { list[index] = edited(list[index]) }
            if roll(3) == 0 { list.insert(self.value(3), at: roll(list.count + 1)) }
            if roll(3) == 0, !list.isEmpty { list.remove(at: roll(list.count)) }
            return .list(list)
        case .object(var fields):
            for name in fields.keys.sorted() where roll(3) == 0 { fields[name] = edited(fields[name] ?? .null) }
            if roll(3) == 0 { fields[DocumentDice.words[roll(DocumentDice.words.count)]] = self.value(3) }
            if roll(3) == 0, let name = fields.keys.sorted().first { fields[name] = nil }
            return .object(fields)
        default: return roll(2) == 0 ? value : self.value(3)
        }
    }
}

@Suite("Rulebook: documents")
struct JSONTests {
    private func read(_ text: String) throws -> JSONValue { try JSONValue(reading: Array(text.utf8), maximumBytes: 10_000) }
    private func text(_ value: JSONValue) -> String { String(decoding: value.canonical, as: UTF8.self) }

    @Test("The canonical form is that of RFC 8785: no blanks, fields by UTF-16, only what must be escaped is")
    func canonical() throws {
        let words =
            #"{ "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Dalet", "1": "One", "\ud83d\ude00": "Grin", "\u0080": "Control", "\u00f6": "o" }"#
        // Section 3.2.3: the emoji's first unit lies below that of U+FB33.
        let order = try read(words).canonical.split(separator: UInt8(ascii: ",")).map { String(decoding: $0, as: UTF8.self) }
        #expect(
            order.map { $0.split(separator: ":")[1].filter { $0 != "}" } } == [
                "\"Carriage Return\"", "\"One\"", "\"Control\"", "\"o\"", "\"Euro Sign\"", "\"Grin\"", "\"Dalet\"",
            ])
        let escapes = #"{"b": [1, -7, 0, true, false, null], "a": "\u000f\n\t\b\f\r\"\\\/é€\u0000"}"#
        #expect(text(try read(escapes)) == #"{"a":"\u000f\n\t\b\f\r\"\\/é€\u0000","b":[1,-7,0,true,false,null]}"#)
        #expect(try text(read(" [ ] ")) == "[]" && text(read("{ }")) == "{}")
    }

    @Test("What was written canonically is read as the same, and written the same", arguments: 0..<300)
    func roundTrip(seed: UInt64) throws {
        var dice = DocumentDice(seed)
        let value = dice.value()
        let again = try JSONValue(reading: value.canonical, maximumBytes: 1 << 20)
        #expect(again == value)
        #expect(again.canonical == value.canonical)
    }

    @Test(
        "Whatever is no document is named with its place",
        arguments: [
            ("", 0, "ends"), ("[1,]", 3, "a value"), ("{\"a\":1,\"a\":2}", 7, "twice"), ("[1] 2", 4, "behind"), ("01", 0, "no number"),
            ("1.5", 0, "whole"), ("1e3", 0, "whole"), ("-0", 0, "between"), ("9007199254740992", 0, "between"),
            ("\"\\ud800\"", 7, "surrogate"), ("\"\\ud800\\u0041\"", 13, "surrogate"), ("\"\\udc00\"", 7, "surrogate"),
            ("\"\\x\"", 3, "escape"),
            ("\"\\u12\"", 3, "hexadecimal"), ("\"a", 2, "does not end"), ("\"\u{1}\"", 1, "control"), ("{a:1}", 1, "name of a field"),
            ("{\"a\" 1}", 5, "colon"), ("{\"a\":1", 6, "comma"), ("[1 2]", 3, "comma"), ("nul", 0, "a value"), ("-", 0, "no number"),
            ("\"\\", 2, "end"),
        ])
    func refused(text: String, offset: Int, word: String) {
        do {
            _ = try read(text)
            Issue.record("\(text) was read")
        } catch let fault as JSONFault {
            #expect(fault.offset == offset && fault.problem.contains(word), "\(text): \(fault)")
            #expect(fault.description.hasPrefix("byte \(offset)"))
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test("Depth and length are bounded, and bytes that are no UTF-8 refused")
    func bounds() throws {
        let deep = String(repeating: "[", count: 33) + String(repeating: "]", count: 33)
        #expect(throws: Never.self) { try read(deep) }
        #expect(throws: JSONFault.self) { try read("[" + deep + "]") }
        #expect(throws: JSONFault.self) { try JSONValue(reading: Array("[1,2]".utf8), maximumBytes: 4) }
        #expect(throws: JSONFault.self) { try JSONValue(reading: [34, 0xFF, 34], maximumBytes: 4) }
    }

    @Test("Texts that only look alike differ")
    func spelling() throws {
        #expect(JSONValue.text("\u{E9}") != JSONValue.text("e\u{301}"))
        #expect(JSONValue.object(["\u{E9}": .null]) != JSONValue.object(["e\u{301}": .null]))
        #expect(JSONValue.flag(true) != JSONValue.integer(1))
        #expect(JSONValue.null.kind == "null" && JSONValue.flag(true).kind == "true or false" && JSONValue.integer(1).kind == "a number")
    }

    @Test("Applying what differs makes the other document, to the byte", arguments: 0..<1500)
    func diff(seed: UInt64) throws {
        var dice = DocumentDice(seed)
        let old = dice.value()
        let new = seed % 3 == 0 ? dice.value() : dice.edited(old)
        let changes = old.changes(to: new)
        #expect(changes.isEmpty == (old == new))
        #expect(old.applying(changes)?.canonical == new.canonical, "seed \(seed)\n\(text(old))\n\(text(new))\n\(changes.map(\.place))")
        #expect(changes.allSatisfy { $0.before != $0.after })
    }

    @Test("A route in the middle is one change, named where people look for it")
    func places() throws {
        let old = try read(
            #"{"routes": [{"group": "a", "prefix": "1"}, {"group": "a", "prefix": "2"}, {"group": "a", "prefix": "3"}], "x y": 1}"#)
        let new = try read(
            #"{"routes": [{"group": "a", "prefix": "1"}, {"group": "b", "prefix": "15"}, {"group": "a", "prefix": "2"}, {"group": "c", "prefix": "3"}]}"#
        )
        let changes = old.changes(to: new)
        #expect(changes.map(\.place) == ["$.routes[1]", "$.routes[2].group", "$['x y']"])
        #expect(changes.map(\.before) == [nil, .text("a"), .integer(1)])
        #expect(old.applying(changes) == new)
        #expect(new.applying(changes) == nil)
        #expect(
            JSONStep.field("it's").text == #"['it\'s']"# && JSONStep.field("1a").text == "['1a']" && JSONStep.field("a_1").text == ".a_1")
        #expect(JSONStep.field("a") != JSONStep.element(0))
    }

    @Test("Long lists that have nothing in common are compared place by place")
    func long() {
        let old = JSONValue.list((0..<3000).map { .integer(Int64($0)) })
        let new = JSONValue.list((0..<2500).map { .integer(Int64(-1 - $0)) })
        let changes = old.changes(to: new)
        #expect(changes.count == 3000)
        #expect(old.applying(changes) == new)
    }

    @Test("A change that does not fit makes nothing")
    func misfits() {
        let list = JSONValue.list([.integer(1)])
        for path in [[JSONStep.element(3)], [.field("a")], [.element(0), .field("a")]] {
            #expect(list.applying([JSONChange(path: path, before: .integer(9), after: .integer(2))]) == nil)
            #expect(JSONValue.object([:]).applying([JSONChange(path: path, before: .integer(9), after: .integer(2))]) == nil)
        }
        #expect(list.applying([JSONChange(path: [.element(0)], before: .integer(9), after: nil)]) == nil)
        #expect(list.applying([JSONChange(path: [.element(5)], before: nil, after: .null)]) == nil)
        #expect(JSONValue.null.applying([JSONChange(path: [.element(0)], before: nil, after: .null)]) == nil)
    }
}

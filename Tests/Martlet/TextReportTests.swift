import Dispatch
import Foundation
import SMPP
import SMSText
import Synchronization
import Testing

@testable import martlet

@Suite("martlet text explain")
struct TextReportTests {
    @Test("It tells alphabet, parts and room")
    func plain() throws {
        #expect(
            try TextReport.lines("Hello", .standard) == [
                "alphabet  GSM 7-bit", "parts     1", "units     5, of 160 in one message; 155 left",
            ])
    }

    @Test("It names every letter that forces UCS-2 with its places, and the cheaper spellings with their parts")
    func forcing() throws {
        let text = "“" + String(repeating: "x", count: 80) + "” – żx\u{200E}"
        let lines = try TextReport.lines(text, .standard)
        #expect(lines[0] == "alphabet  UCS-2" && lines[1] == "parts     2" && lines[2].contains("in each part"))
        #expect(lines[3] == "letters that GSM 7-bit lacks:")
        #expect(lines.contains("  “ U+201C, 1 time, at 1; instead \""))
        #expect(lines.contains("  ż U+017C, 1 time, at 86; instead z"))
        #expect(lines.contains { $0.hasSuffix("can be left out") })
        #expect(lines.contains { $0.hasPrefix("  1 part of GSM 7-bit, without marks on letters: \"xxx") })
        let many = try TextReport.lines(String(repeating: "ж", count: 20), .standard)
        #expect(many[4].hasPrefix("  ж U+0436, 20 times, at 1, 2,") && many[4].hasSuffix(", ..."))
    }

    @Test("Without a cheaper spelling it says so, and of very many letters how many more there are")
    func none() throws {
        #expect(try TextReport.lines("你好", .standard).last == "no spelling is cheaper")
        let many = String(String.UnicodeScalarView((0x4E00..<0x4E50).compactMap { Unicode.Scalar($0) }))
        #expect(try TextReport.lines(many, .standard).contains("  and 16 more"))
    }

    @Test("Where the profile spells a text otherwise, that is told first; and alone where the text cannot go as it is")
    func spelled() throws {
        let rules = TextRules(spellings: [.typographic])
        let text = "“" + String(repeating: "x", count: 80) + "”"
        let lines = try TextReport.lines(text, rules)
        #expect(lines[0] == "Its operator's profile sends it spelled otherwise:" && lines[1].hasPrefix("  1 part of GSM 7-bit: \"xxx"))
        #expect(lines[2] == "As it is given:" && lines[3] == "alphabet  UCS-2")
        let strict = TextRules(options: TextOptions(alphabets: [.gsm7]), spellings: [.typographic])
        #expect(try TextReport.lines(text, strict).count == 2)
        #expect(throws: TextFault.noAlphabet) { try TextReport.lines("你好", strict) }
    }
}

@Suite("What was learnt of receipts")
struct ReceiptFormsTests {
    @Test("It is kept over restarts, forgotten when it is in doubt, and lines that cannot be read are passed over")
    func kept() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "martlet-forms-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let queue = DispatchQueue(label: "test")
        let forms = ReceiptForms(path: path, background: queue) { _ in }
        #expect(forms.known.isEmpty)
        forms.keep(.decimalToHex, of: "harbour")
        forms.keep(.asIs, of: "south west")
        queue.sync {}
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "decimalToHex harbour\nasIs south west\n")
        #expect(ReceiptForms(path: path, background: queue) { _ in }.known == ["harbour": .decimalToHex, "south west": .asIs])
        forms.keep(nil, of: "harbour")
        queue.sync {}
        #expect(ReceiptForms(path: path, background: queue) { _ in }.known == ["south west": .asIs])
        try "nonsense\nsideways x\nhexToDecimal y\n".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(ReceiptForms(path: path, background: queue) { _ in }.known == ["y": .hexToDecimal])
    }

    @Test("That it cannot be written is told, and nothing else")
    func unwritable() {
        let queue = DispatchQueue(label: "test")
        let told = Told()
        let forms = ReceiptForms(path: "/nowhere/at/all", background: queue) { reason in told.list.withLock { $0.append(reason) } }
        forms.keep(.asIs, of: "x")
        queue.sync {}
        #expect(forms.known == ["x": .asIs] && told.list.withLock { $0.count } == 1)
    }

    private final class Told: Sendable { let list = Mutex<[String]>([]) }
}

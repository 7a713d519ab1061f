import Foundation
import MartletModel
import Testing

@testable import MartletEngine

/// A rulebook with a fault of every kind in it, and the list that compiling makes of them for whoever writes rulebooks.
@Suite("Rulebook: all faults at once")
struct FaultyRulebookTests {
    private static let folder = "\(#filePath)".split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/Golden/rulebook-faults"

    private static func findings() throws -> [RulebookFinding] {
        let data = try Data(contentsOf: URL(filePath: "\(folder)/rulebook.json"))
        guard case .list(let list) = try JSONValue(reading: Array(data), maximumBytes: 1 << 20) else { throw Unreadable() }
        let objects = try list.map { element in
            guard case .text(let word)? = element["kind"], let kind = RulebookKind(rawValue: word), case .text(let key)? = element["key"],
                let content = element["content"]
            else { throw Unreadable() }
            return RulebookObject(kind: kind, key: key, version: 1, content: content)
        }
        return DecisionBook.compile(
            RulebookSource(number: 1, at: 0, objects: objects),
            in: Rulebook.Surroundings(
                groups: ["north"], served: ChannelSet(.sms), known: KnownNumbers(segments: [13], packages: [17], purposes: [2])),
            zoneFile: WordingRig.zoneFile
        ).findings
    }

    private struct Unreadable: Error {}

    /// As a person reads it: errors first, then by place.
    private static func page(_ findings: [RulebookFinding]) -> String {
        var page = """
            # What compiling finds

            Of `rulebook.json`, which has a fault of every kind in it. An error stops publishing, a warning asks somebody to look. The test that reads this
            page compiles the rulebook and compares; `UPDATE_GOLDEN=1` writes the page anew.

            """
        for (severity, head) in [(RulebookFinding.Severity.error, "Errors"), (.warning, "Warnings")] {
            page += "\n## \(head)\n\n| where | what is wrong | what to do |\n|---|---|---|\n"
            let rows = findings.filter { $0.severity == severity }.map { finding in
                "| `\(finding.path)` | \(cell(finding.message)) | \(cell(finding.remedy)) |\n"
            }
            page += rows.sorted().joined()
        }
        return page
    }

    private static func cell(_ text: String) -> String { text.replacing("|", with: "\\|") }

    @Test("One compiling names every fault, at its place, with words and a remedy: the list that people read")
    func golden() throws {
        let page = FaultyRulebookTests.page(try FaultyRulebookTests.findings())
        let file = URL(filePath: "\(FaultyRulebookTests.folder)/findings.md")
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" { try page.write(to: file, atomically: true, encoding: .utf8) }
        #expect(try String(contentsOf: file, encoding: .utf8) == page, "run with UPDATE_GOLDEN=1 and review the difference")
    }

    @Test("Each kind of fault that the rulebook was written with is among them, and none stands there twice")
    func kinds() throws {
        let findings = try FaultyRulebookTests.findings()
        #expect(Set(findings.map { "\($0.path) \($0.message)" }).count == findings.count)
        #expect(findings.allSatisfy { $0.path.contains("/") && !$0.message.isEmpty && !$0.remedy.isEmpty })
        let wanted: [(String, String)] = [
            // Never reached.
            ("plan/stopped$.steps[0].fallback", "never reached"), ("matrix/bank$.cells[1]", "never reached"),
            ("matrix/bank$.cells[3]", "plan of its own"), ("package/cards$.events[1]", "never asked"),
            ("package/cards$.events[0].thresholds[0]", "holds nothing back"), ("event/login$.threshold", "never asked"),
            ("suppression/deceased$.statuses", "never asked"), ("suppression/lawsuit-texts$", "adds nothing"),
            ("cap/day$.most", "never reached"),
            ("quiet-hours/spare$", "nobody waits"), ("quiet-hours/night$.windows[1]", "adds nothing"), ("plan/idle$", "no event"),
            ("template/sms.spare$", "no event uses it"),
            // Going round.
            ("event/loan_due$.actionRequired.completedBy", "leads back"), ("plan/again$.steps[2]", "same way"),
            ("partial/a$.texts.en", "puts itself in"),
            // Too late.
            ("event/appointment$.deadline", "told to nobody"), ("quiet-hours/always$.windows", "every minute"),
            ("event/loan_due$.deadline", "past its deadline"), ("quiet-hours/night$.classes", "never wait"),
            // Nobody could be told.
            ("event/push_only$.templates", "can hand anything over"), ("event/statement$", "no package"),
            ("event/news$.plan", "class marketing"),
            ("event/sign_in$.templates", "no channel with a template"),
            // Words that are missing or mean nothing.
            ("template/sms.card-payment$.texts.en", "no field `balance`"), ("template/sms.card-payment$.texts.uk", "line 1"),
            ("template/push.card-payment$.texts", "in uk"), ("template/sms.card-payment$.texts", "in ru"),
            ("matrix/bank$.cells[3].segment", "no segment 7"),
            ("template/push.card-payment$.texts.en.body", "line 1"), ("template/sms.loan-due$.texts.xx", "in this language"),
            ("event/news$.templates.sms", "no template"), ("event/news$.type", "no event-type/weather"),
            ("template/sms.appointment$.texts.en", "partial `thanks`"), ("override/statement.sms$", "version 7"),
            ("event-type/cards$.colour", "no such field"),
            // Who may read what.
            ("template/push.card-payment$.texts.en.title", "financial"), ("template/sms.card-payment$.texts.en", "identifier"),
            ("event/sign_in$.class", "secret"), ("event/sign_in$.templates", "mail"), ("event/news$.purpose", "consent"),
        ]
        for (path, words) in wanted {
            #expect(findings.contains { $0.path.hasPrefix(path) && $0.message.contains(words) }, "\(path): \(words)")
        }
    }
}

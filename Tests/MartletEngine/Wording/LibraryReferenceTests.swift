import Calendar
import Foundation
import MartletModel
import Templates
import Testing

@testable import MartletEngine

/// What customers would read of the starter library, kept in files that people of the bank can read: `Tests/Golden/library`, one an event. Whoever changes a
/// text, a filter or what is known of a language sees there what becomes of each message. `UPDATE_REFERENCE=1` writes them anew.
@Suite("Reference: the starter library as customers read it")
struct LibraryReferenceTests {
    static let folder = "\(#filePath)".split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/Golden/library"
    static let isUpdating = ProcessInfo.processInfo.environment["UPDATE_REFERENCE"] == "1"

    /// Pages by the name of their file.
    static let pages = Result { try make() }

    private static func make() throws -> [String: String] {
        let source = try LibraryWordingTests.source()
        let samples = try LibraryWordingTests.json("samples.json")
        let (rulebook, _, findings) = DecisionBook.compile(source, in: Rulebook.Surroundings(), zoneFile: WordingRig.zoneFile)
        try #require(findings.areUsable)
        var compiler = WordingCompiler(rulebook, parts: 10)
        let texts = compiler.run(broken: [])
        let zone = try Zone(tzif: try #require(WordingRig.zoneFile("Europe/Kyiv")))
        var pages: [String: String] = [:]
        for (event, own) in zip(rulebook.decisions.events, texts) {
            var page = "# \(event.key)\n\nWritten with the values of `assets/library/samples.json`; `·` is a blank that does not break.\n"
            for channel in ChannelKind.allCases {
                guard let compiled = own[channel] else { continue }
                for language in LibraryWordingTests.languages {
                    let details = try LibraryWordingTests.customer(samples, language)
                    let record = WordingFields(event).record(try LibraryWordingTests.sample(event, samples, language), details, zone)
                    let text = try #require(compiled.texts.first { $0.locale == language }, "\(event.key) \(channel.word) \(language)")
                    page += "\n## \(channel.word), \(language)\n"
                    for (piece, template) in text.pieces {
                        let words = try #require(template, "\(piece.path)").text(record)
                        page += "\n\(piece.name):\n\n\(quoted(words))\n"
                    }
                }
            }
            pages["\(event.key).md"] = page
        }
        return pages
    }

    /// Indented by four blanks, so that a reader of Markdown shows it as it is.
    private static func quoted(_ text: String) -> String {
        text.replacing("\u{A0}", with: "·").replacing("\u{202F}", with: "·").split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.isEmpty ? "" : "    \($0)" }.joined(separator: "\n")
    }

    @Test("Every text of every event is, in each language, what its page shows; a page that differs is named with its first line that does")
    func pages() throws {
        let pages = try Self.pages.get()
        #expect(pages.count == 55)
        if Self.isUpdating { try FileManager.default.createDirectory(atPath: Self.folder, withIntermediateDirectories: true) }
        for (name, page) in pages.sorted(by: { $0.key < $1.key }) {
            let path = "\(Self.folder)/\(name)"
            let kept = try? String(contentsOfFile: path, encoding: .utf8)
            if Self.isUpdating, kept != page { try page.write(toFile: path, atomically: true, encoding: .utf8) }
            guard !Self.isUpdating, kept != page else { continue }
            Issue.record("Tests/Golden/library/\(name): \(Self.difference(kept, page))")
        }
    }

    @Test("There is no page of an event that the library has no more")
    func noOthers() throws {
        let pages = try Self.pages.get()
        if Self.isUpdating { try FileManager.default.createDirectory(atPath: Self.folder, withIntermediateDirectories: true) }
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder)
        for name in names where pages[name] == nil {
            if Self.isUpdating {
                try FileManager.default.removeItem(atPath: "\(Self.folder)/\(name)")
            } else {
                Issue.record("Tests/Golden/library/\(name): the library has no such event")
            }
        }
    }

    @Test("A difference is told by section, line and both texts")
    func tellsDifference() {
        #expect(Self.difference(nil, "a") == "it is not there; UPDATE_REFERENCE=1 writes it")
        let kept = "# a\n\n## sms, en\n\ntext:\n\n    one\n"
        #expect(Self.difference(kept, kept.replacing("one", with: "two")) == "sms, en, line 7: \"    one\" is \"    two\" now")
        #expect(Self.difference(kept, kept + "more\n") == "sms, en, line 8: \"\" is \"more\" now")
    }

    static func difference(_ kept: String?, _ page: String) -> String {
        guard let kept else { return "it is not there; UPDATE_REFERENCE=1 writes it" }
        let (old, new) = (
            kept.split(separator: "\n", omittingEmptySubsequences: false), page.split(separator: "\n", omittingEmptySubsequences: false)
        )
        var section = ""
        for line in 0..<max(old.count, new.count) {
            let (before, after) = (line < old.count ? String(old[line]) : "", line < new.count ? String(new[line]) : "")
            guard before == after else {
                return "\(section)\(section.isEmpty ? "" : ", ")line \(line + 1): \"\(before)\" is \"\(after)\" now"
            }
            if before.hasPrefix("## ") { section = String(before.dropFirst(3)) }
        }
        return "it ends otherwise"
    }
}

import Foundation
import Testing

/// The pages say what is there: links lead somewhere, commands exist, every module is on the map.
@Suite struct DocumentTests {
    @Test("Every link between the pages leads to a file, and to a heading where it names one")
    func links() throws {
        var broken: [String] = []
        for page in try Repository.pages() {
            let text = Markdown.withoutCode(try Repository.text(page))
            for match in text.matches(of: #/\]\((?<target>[^)\s]+)\)/#) {
                let target = String(match.target)
                guard !target.contains("://"), !target.hasPrefix("mailto:") else { continue }
                let halves = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
                let path = halves[0].isEmpty ? page : Markdown.path(String(halves[0]), from: page)
                guard Repository.exists(path) else {
                    broken.append("\(page): \(target) is not there")
                    continue
                }
                guard halves.count == 2, path.hasSuffix(".md") else { continue }
                if !Markdown.anchors(of: try Repository.text(path)).contains(String(halves[1])) {
                    broken.append("\(page): \(target) names no heading")
                }
            }
        }
        #expect(broken.isEmpty, "\(broken.joined(separator: "\n"))")
    }

    @Test("Every make target and script that a page shows exists")
    func commands() throws {
        let targets = Set(try Repository.text("Makefile").matches(of: #/(?m)^([a-z0-9-]+):/#).map { String($0.1) })
        #expect(targets.isSuperset(of: ["run", "test", "check", "coverage", "bench", "bench-peers", "faults", "dist", "help"]))
        for page in try Repository.pages() {
            let code = Markdown.code(in: try Repository.text(page))
            for match in code.matches(of: #/\bmake ([a-z][a-z0-9-]*)/#) {
                #expect(targets.contains(String(match.1)), "\(page): make \(match.1)")
            }
            for match in code.matches(of: #/\bscripts\/[a-z0-9-]+/#) {
                #expect(Repository.exists(String(match.0)), "\(page): \(match.0)")
            }
        }
    }

    @Test("Every make target that a person may type is explained in make help")
    func help() throws {
        let text = try Repository.text("Makefile")
        let named = text.matches(of: #/\.PHONY: ([a-z0-9-]+)/#).map { String($0.1) }
        let explained = Set(text.matches(of: #/(?m)^([a-z0-9-]+):.*## \S/#).map { String($0.1) })
        #expect(!named.isEmpty)
        for target in named { #expect(explained.contains(target), "\(target) has no ## line") }
    }

    @Test("Every module has its place on the map of docs/ARCHITECTURE.md")
    func map() throws {
        let page = try Repository.text("docs/ARCHITECTURE.md")
        for module in try Repository.folders(in: "Sources") {
            #expect(page.contains("`\(module)`"), "\(module)")
        }
    }

    @Test("Decision records are numbered without a gap and are all listed in their index")
    func decisions() throws {
        let records = Repository.files(in: "docs/decisions", ending: ".md").compactMap { $0.split(separator: "/").last.map(String.init) }
            .filter { $0.first?.isNumber == true }
        let index = try Repository.text("docs/decisions/README.md")
        for (position, name) in records.enumerated() {
            #expect(Int(name.prefix(4)) == position + 1, "\(name)")
            #expect(index.contains("(\(name))"), "\(name) is not in the index")
        }
    }

    @Test("Headings become anchors as the usual viewers make them")
    func anchors() {
        let text = "# Run it\n## What is durable, when?\n### `make run`\n```\n# not a heading\n```\n"
        #expect(Markdown.anchors(of: text) == ["run-it", "what-is-durable-when", "make-run"])
        #expect(Markdown.path("../a.md", from: "docs/b/c.md") == "docs/a.md")
        #expect(Markdown.code(in: "see `make run` and\n```sh\nmake test\n```\nmake sure").contains("make sure") == false)
    }
}

/// As much of Markdown as the tests need.
enum Markdown {
    /// Text without fenced blocks and code spans.
    static func withoutCode(_ text: String) -> String {
        var kept: [Substring] = []
        walk(text) { line, fenced in
            if !fenced { kept.append(line) }
        }
        return kept.joined(separator: "\n").replacing(#/`[^`]*`/#, with: "")
    }

    /// Only the fenced blocks and code spans, a line each.
    static func code(in text: String) -> String {
        var kept: [Substring] = []
        walk(text) { line, fenced in
            if fenced { kept.append(line) } else { kept.append(contentsOf: line.matches(of: #/`([^`]*)`/#).map(\.1)) }
        }
        return kept.joined(separator: "\n")
    }

    static func anchors(of text: String) -> Set<String> {
        var result: Set<String> = []
        walk(text) { line, fenced in
            guard !fenced, line.hasPrefix("#") else { return }
            let title = line.drop { $0 == "#" }.drop(while: \.isWhitespace).lowercased()
            let kept = title.filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" || $0 == "_" }
            result.insert(kept.replacing(" ", with: "-"))
        }
        return result
    }

    /// `target` as a path from the root, when it stands in `page`.
    static func path(_ target: String, from page: String) -> String {
        var parts = page.split(separator: "/").dropLast().map(String.init)
        for part in target.split(separator: "/") {
            switch part {
            case ".": continue
            case "..": if !parts.isEmpty { parts.removeLast() }
            default: parts.append(String(part))
            }
        }
        return parts.joined(separator: "/")
    }

    private static func walk(_ text: String, _ take: (_ line: Substring, _ fenced: Bool) -> Void) {
        var fenced = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.drop(while: \.isWhitespace).hasPrefix("```") { fenced.toggle() } else { take(line, fenced) }
        }
    }
}

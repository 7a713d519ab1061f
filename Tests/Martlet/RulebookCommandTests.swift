import Foundation
import MartletModel
import MartletSettings
import Testing
import Zip

@testable import martlet

/// `martlet rulebook`, as a person meets it who keeps the rulebook in files.
@Suite("Rulebook: verbs") struct RulebookCommandTests {
    private static let routes = #"{"name": "Routes", "description": "All.", "content": {"routes": [{"prefix": "", "group": "g"}]}}"#

    private func put(_ text: String, _ path: String) throws {
        try FileManager.default.createDirectory(atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    @Test("Files are checked, imported where they differ, published, rolled back, and exported as they were")
    func round() async throws {
        try await AdministrationRig.with { place, folder in
            func rulebook(_ words: String...) async throws -> Int32 { try await AdministrationRig.run(RulebookCommand.self, words + place) }
            let files = "\(folder)/files"
            try put(Self.routes, "\(files)/routes/default.json")
            try put(
                "name: Poland\ndescription: Cheaper.\nunit:\ncontent:\n  routes:\n    - {prefix: \"48\", group: g}\n",
                "\(files)/routes/pl.yaml")
            try put("not read", "\(files)/.git/HEAD")
            #expect(try await rulebook("check", files) == 0)
            #expect(try await rulebook("import", files, "--note", "first") == 0)
            #expect(try await rulebook("diff") == 0)
            #expect(try await rulebook("publish", "--note", "go", "--base", "7") == 1)
            #expect(try await rulebook("publish", "--note", "go") == 0)
            #expect(try await rulebook("publish", "--note", "again") == 1)
            let local = "\(folder)/data/local"
            #expect(try FileManager.default.contentsOfDirectory(atPath: local).contains { $0.hasPrefix("rulebook") })

            // The same files write nothing; a changed one writes one version.
            #expect(try await rulebook("import", files, "--note", "same") == 0)
            try put(Self.routes.replacing("All.", with: "All of them."), "\(files)/routes/default.json")
            #expect(try await rulebook("import", files, "--note", "words") == 0)
            let out = "\(folder)/out"
            #expect(try await rulebook("export", out) == 0)
            let exported = try RulebookFiles(folder: out).read()
            #expect(exported.map(\.name) == ["routes/default", "routes/pl"])
            #expect(exported.map(\.body) == (try RulebookFiles(folder: files).read()).map(\.body))
            #expect(exported.first?.body.description == "All of them.")
            let before = try text("\(out)/routes/pl.json")
            #expect(try await rulebook("export", out, "--published") == 0)
            #expect(try text("\(out)/routes/pl.json") == before)

            #expect(try await rulebook("publish", "--note", "less", "--without", "routes/pl") == 0)
            #expect(try await rulebook("diff", "--from", "1", "--to", "2") == 0)
            #expect(try await rulebook("rollback", "1", "--note", "back") == 0)
            #expect(try await rulebook("rollback", "9", "--note", "back") == 1)
            #expect(try await rulebook("list") == 0)
            #expect(try await rulebook("list", "--releases") == 0)
            #expect(try await rulebook("show", "routes/pl", "--version", "1") == 0)
            #expect(try await rulebook("show", "routes/nobody") == 1)
        }
    }

    @Test("Files of events need no number; those that have one keep it, and nothing is written twice")
    func numbers() async throws {
        try await AdministrationRig.with { place, folder in
            func rulebook(_ words: String...) async throws -> Int32 { try await AdministrationRig.run(RulebookCommand.self, words + place) }
            let files = "\(folder)/files"
            func type(_ key: String, _ content: String) throws {
                try put("name: T\ndescription: D\ncontent: \(content)\n", "\(files)/event-type/\(key).yaml")
            }
            try type("a", "{group: x}")
            try type("b", "{number: 40}")
            try type("c", "{}")
            #expect(try await rulebook("check", files) == 0)
            #expect(try await rulebook("import", files, "--note", "first") == 0)
            #expect(try await rulebook("import", files, "--note", "same") == 0)
            let out = "\(folder)/out"
            #expect(try await rulebook("export", out) == 0)
            #expect(try RulebookFiles(folder: out).read().map(\.number) == [.integer(41), .integer(40), .integer(42)])
            try type("d", "{number: 40}")
            #expect(try await rulebook("check", files) == 1)
            try type("d", "{number: 41}")
            #expect(try await rulebook("import", files, "--note", "taken") == 1)
            // The second import wrote no version.
            #expect(try await rulebook("show", "event-type/c", "--version", "1") == 0)
            #expect(try await rulebook("show", "event-type/c", "--version", "2") == 1)
        }
    }

    @Test("A zip archive does for a folder: exported, checked and imported elsewhere it is the same rulebook")
    func archive() async throws {
        try await AdministrationRig.with { place, folder in
            func rulebook(_ words: String...) async throws -> Int32 { try await AdministrationRig.run(RulebookCommand.self, words + place) }
            let library = "\(#filePath)".split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/assets/library"
            #expect(try await rulebook("import", library, "--note", "starter") == 0)
            let (file, out) = ("\(folder)/rules.zip", "\(folder)/out")
            #expect(try await rulebook("export", "--zip", file) == 0)
            #expect(try await rulebook("export", out) == 0)
            // A folder or an archive, not both, not neither.
            await #expect(throws: (any Error).self) { _ = try await rulebook("export", out, "--zip", file) }
            await #expect(throws: (any Error).self) { _ = try await rulebook("export") }
            #expect(try await rulebook("export", "--zip", "\(folder)/absent/rules.zip") == 1)
            let packed = try RulebookFiles.read(at: file)
            // A folder is read in the order of its files' names, endings included.
            let plain = try RulebookFiles.read(at: out).sorted { ($0.kind.rawValue, $0.key) < ($1.kind.rawValue, $1.key) }
            #expect(packed.map(\.name) == plain.map(\.name) && packed.map(\.body) == plain.map(\.body) && packed.count > 200)
            #expect(try await rulebook("check", file) == 0)
            // The same again writes nothing.
            #expect(try await rulebook("import", file, "--note", "same") == 0)
            #expect(try await rulebook("show", "event/card_payment", "--version", "2") == 1)
            // Nothing is published of it yet.
            #expect(try await rulebook("export", "--zip", file, "--published") == 0)
            #expect(try RulebookFiles.read(at: file).isEmpty)
        }
    }

    @Test("Of an archive the folder around it, folders, dot files and what lies beside the kinds are passed over; the rest must be right")
    func archives() throws {
        let place = FileManager.default.temporaryDirectory.appending(path: "martlet-rules-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        func read(_ names: [(String, String)]) throws -> [String] {
            let path = "\(place)/rules.zip"
            try Data(try Zip.write(names.map { Zip.Entry(name: $0.0, bytes: Array($0.1.utf8)) })).write(to: URL(filePath: path))
            do throws(RulebookFiles.Faults) {
                return try RulebookFiles.read(at: path).map(\.name)
            } catch {
                return error.lines.map { $0.replacing("\(place)/", with: "") }
            }
        }
        let sound = Self.routes
        #expect(try read([("b/routes/x.json", sound), ("b/.git/HEAD", "x"), ("b/README.md", "x"), ("b/routes/.keep", "")]) == ["routes/x"])
        #expect(
            try read([("routes/x.json", sound), ("README.md", "x"), ("routes/a.yaml", "name: n\ndescription: d\ncontent: {}\n")]) == [
                "routes/a", "routes/x",
            ])
        #expect(try read([]).isEmpty)
        let lines = try read([
            ("routes/x.json", sound), ("routes/x.yaml", "name: n\ndescription: d\ncontent: {}\n"), ("cards/a.json", sound),
            ("cap/old/a.json", sound),
            ("cap/a.txt", ""), ("cap/b.json", "{"),
        ])
        for start in [
            "rules.zip/routes/x.yaml: rules.zip/routes/x.json is the same object",
            "rules.zip/cards/a.json: there is no such kind", "rules.zip/cap/old/a.json: a file of the rulebook is KIND/KEY.json",
            "rules.zip/cap/a.txt: a file of the rulebook ends with", "rules.zip/cap/b.json: byte 1",
        ] {
            #expect(lines.contains { $0.hasPrefix(start) }, "\(start) of \(lines)")
        }
        // What is no archive, cut off, or too large.
        let bytes = try Data(contentsOf: URL(filePath: "\(place)/rules.zip"))
        func fault(_ data: Data) throws -> String {
            try data.write(to: URL(filePath: "\(place)/bad.zip"))
            let faults = #expect(throws: RulebookFiles.Faults.self) { _ = try RulebookFiles.read(at: "\(place)/bad.zip") }
            return faults?.lines.first?.replacing("\(place)/", with: "") ?? ""
        }
        #expect(try fault(bytes.dropLast(1)) == "bad.zip: the archive is cut off: its end is missing")
        #expect(try fault(Data("hello".utf8)) == "bad.zip: it is no zip archive")
        #expect(try fault(Data(count: (64 << 20) + 1)) == "bad.zip: it holds more than 64 MiB, packed or unpacked")
        #expect(throws: RulebookFiles.Faults.self) { _ = try RulebookFiles.read(at: "\(place)/nowhere.zip") }
        var many = RulebookArchive(path: "\(place)/many.zip")
        let body = RulebookFiles.Body(name: "n", description: "d", unit: nil, content: .object([:]))
        for number in 0...10_000 { try many.add(.cap, "c\(number)", body) }
        let faults = #expect(throws: RulebookFiles.Faults.self) { try many.write() }
        #expect(faults?.lines == ["\(place)/many.zip: it holds more than 10000 files"])
    }

    @Test("A mistake names file, place and reason, all at once, and nothing is written")
    func mistakes() async throws {
        try await AdministrationRig.with { place, folder in
            let files = "\(folder)/files"
            try put(#"{"name": "", "descripton": "x", "unit": "a"}"#, "\(files)/routes/a.json")
            try put("{", "\(files)/routes/b.json")
            try put("name: [\n", "\(files)/routes/c.yaml")
            try put("name: n\ndescription: d\ncontent: 1.5\n", "\(files)/routes/d.yaml")
            try put("x", "\(files)/routes/e.txt")
            try put(Self.routes, "\(files)/routes/F.json")
            try put(Self.routes, "\(files)/routes/g.json")
            try put("name: n\ndescription: d\ncontent: {}\n", "\(files)/routes/g.yaml")
            try put("[]", "\(files)/routes/h.json")
            try put(Self.routes, "\(files)/templates/a.json")
            let faults = #expect(throws: RulebookFiles.Faults.self) { _ = try RulebookFiles(folder: files).read() }
            let lines = faults?.lines.map { $0.replacing("\(files)/", with: "") } ?? []
            for start in [
                "routes/a.json: $.descripton: there is no such field", "routes/a.json: $.unit: it is not the number",
                "routes/a.json: $.name: a text of 1",
                "routes/a.json: $.description: a text", "routes/a.json: $.content: it is missing", "routes/b.json: byte 1",
                "routes/c.yaml:",
                "routes/d.yaml:3:10: content: numbers are whole", "routes/e.txt: a file of the rulebook ends with",
                "routes/F.json: its name is",
                "routes/g.yaml: \(files)/routes/g.json is the same object".replacing("\(files)/", with: ""),
                "routes/h.json: $: it is not an object",
                "templates: there is no such kind; kinds are routes",
            ] {
                #expect(lines.contains { $0.hasPrefix(start) }, "\(start) of \(lines)")
            }
            #expect(try await AdministrationRig.run(RulebookCommand.self, ["check", files] + place) == 1)
            #expect(try await AdministrationRig.run(RulebookCommand.self, ["check", "\(folder)/nowhere"] + place) == 1)
            #expect(try await AdministrationRig.run(RulebookCommand.self, ["import", files, "--note", "x"] + place) == 1)

            // What compiling finds stands at its file too.
            let second = "\(folder)/second"
            try put(Self.routes.replacing("\"g\"", with: "\"absent\""), "\(second)/routes/a.json")
            let (found, areUsable) = RulebookFiles.findings(try RulebookFiles(folder: second).read(), .init(groups: ["g"]))
            #expect(!areUsable && found.first?.hasPrefix("\(second)/routes/a.json: $.content.routes[0].group: error: ") == true, "\(found)")
            #expect(try await AdministrationRig.run(RulebookCommand.self, ["import", second, "--note", "x"] + place) == 1)
            #expect(try await AdministrationRig.run(RulebookCommand.self, ["list"] + place) == 0)
        }
    }

    @Test("The starter library is checked, imported and published without a word against it; a mistake in a text stands at its file")
    func library() async throws {
        try await AdministrationRig.with { place, folder in
            let library = "\(#filePath)".split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/assets/library"
            let files = try RulebookFiles(folder: library).read()
            #expect(RulebookFiles.findings(files, .init(groups: ["g"])).lines.isEmpty)
            for words in [["check", library], ["import", library, "--note", "starter"], ["publish", "--note", "starter"]] {
                #expect(try await AdministrationRig.run(RulebookCommand.self, words + place) == 0, "\(words)")
            }
            let broken = files.map { file in
                var file = file
                if file.name == "template/sms.card-payment" { file.body.content = .object(["channel": .text("sms")]) }
                return file
            }
            let (lines, areUsable) = RulebookFiles.findings(broken, .init(groups: ["g"]))
            #expect(!areUsable && lines.allSatisfy { $0.hasPrefix("\(library)/template/sms.card-payment.json: $.content") }, "\(lines)")
        }
    }

    @Test("What the demo bank has otherwise than the starter library makes a rulebook with it of which nothing bad is to be said")
    func demo() throws {
        let root = "\(#filePath)".split(separator: "/").dropLast(3).map { "/\($0)" }.joined()
        let own = try RulebookFiles(folder: "\(root)/config/demo/rulebook").read()
        let library = try RulebookFiles(folder: "\(root)/assets/library").read()
        // All but its plan over two operators are objects of the library, said otherwise.
        #expect(Set(own.map(\.name)).subtracting(library.map(\.name)) == ["plan/two-operators"])
        let both = library.filter { file in !own.contains { $0.name == file.name } } + own
        #expect(RulebookFiles.findings(both, .init(groups: ["harbour", "quiet"])).lines.isEmpty)
    }

    @Test("A zone's file is read by its name, and nothing outside of their folder")
    func zones() {
        #expect(ZoneFiles.read("Europe/Kyiv")?.starts(with: Array("TZif".utf8)) ?? false)
        #expect(ZoneFiles.read("Europe/Atlantis") == nil && ZoneFiles.read("../../../etc/passwd") == nil)
    }

    @Test("YAML is read as the JSON it stands for")
    func yaml() {
        let (value, mistakes) = YAMLDocument.read("a: true\nb: [1, -2, \"3\", x, ~]\nc: {d: null, e: 'false'}\nf: +7\n")
        #expect(
            value
                == .object([
                    "a": .flag(true), "b": .list([.integer(1), .integer(-2), .text("3"), .text("x"), .null]),
                    "c": .object(["d": .null, "e": .text("false")]), "f": .text("+7"),
                ]))
        #expect(mistakes.map(\.path) == ["f"])
        #expect(YAMLDocument.read("").value == nil)
    }
}

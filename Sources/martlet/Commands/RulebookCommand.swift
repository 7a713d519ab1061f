import ArgumentParser
import FoundationEssentials
import MartletDesk
import MartletModel

/// The rulebook from the shell: over the desk's use cases, on the store itself, so the desk may run or not.
struct RulebookCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rulebook", abstract: "The rulebook: objects, releases, and the files in which a bank keeps it.",
        discussion: """
            A file is FOLDER/KIND/KEY.json or .yaml, with name, description, unit (its number, or none) and content; a zip archive may hold them instead. \
            Exit codes: 0 done, 1 refused, or the database is away, 2 bad settings or a wrong key.
            """,
        subcommands: [
            List.self, Show.self, Diff.self, Publish.self, Rollback.self, RulebookRetire.self, Export.self, Import.self, Check.self,
        ])

    static func with(_ place: StoreCommand.Place, _ body: (Rulebooks, Caller) async throws -> Void) async throws {
        var caller = PrincipalCommand.caller
        caller.reason = "martlet rulebook"
        let who = caller
        try await PrincipalCommand.withDesk(place) { desk, rowKey in
            do {
                let world = DeskReference.rulebooks(config: place.config, data: place.data)
                try await body(Rulebooks(Units(desk, rowKey: rowKey), world), who)
            } catch let faults as RulebookFiles.Faults {
                throw refused(faults.lines)
            }
        }
    }

    static func refused(_ lines: [String]) -> ExitCode {
        for line in lines { Swift.print(line) }
        return ExitCode(1)
    }

    /// All of a list, page by page.
    static func all<Item>(_ page: (PageWish) async throws -> Page<Item>) async throws -> [Item] {
        var (items, after): ([Item], Cursor?) = ([], nil)
        repeat {
            let next = try await page(try PageWish(after: after, limit: PageWish.most))
            items += next.items
            after = next.next
        } while after != nil
        return items
    }

    /// `KIND/KEY`.
    struct Name: ExpressibleByArgument {
        var kind: RulebookKind
        var key: String

        init?(argument: String) {
            let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, let kind = RulebookKind(rawValue: String(parts[0])), RulebookObject.isKey(String(parts[1])) else {
                return nil
            }
            (self.kind, key) = (kind, String(parts[1]))
        }

        var selected: RulebookSelection.Name { .init(kind: kind.rawValue, key: key) }
    }

    static func print(_ differences: [RulebookDifference]) {
        for one in differences {
            let from = one.before.map { "version \($0)" } ?? "not there"
            Swift.print("\(one.kind.rawValue)/\(one.key): \(from) -> \(one.after.map { "version \($0)" } ?? "not there")")
            for change in one.changes {
                func text(_ value: JSONValue?) -> String { value.map { String(decoding: $0.canonical, as: UTF8.self) } ?? "nothing" }
                Swift.print("  \(change.place): \(text(change.before)) -> \(text(change.after))")
            }
        }
        if differences.isEmpty { Swift.print("nothing differs") }
    }

    static func print(_ findings: [RulebookFinding]) {
        for one in findings { Swift.print("\(one.severity.rawValue): \(one.path): \(one.message); \(one.remedy)") }
    }

    static func print(_ made: RulebookPublished) {
        print(made.warnings)
        Swift.print(
            "release \(made.release.number) published\(made.isHanded ? "" : "; the node does not have it yet, the desk goes on trying")")
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "Shows objects, or releases.")

        @OptionGroup var place: StoreCommand.Place
        @Flag(help: "Releases, the newest first.") var releases = false

        func run() async throws {
            try await RulebookCommand.with(place) { rulebooks, caller in
                if releases {
                    let all = try await RulebookCommand.all { try await rulebooks.releases($0, by: caller) }
                    Table.print(
                        [["release", "at", "by", "restores", "note"]]
                            + all.map {
                                [String($0.number), timestamp($0.at * 1000), $0.author, $0.restores.map { String($0) } ?? "-", $0.note]
                            })
                } else {
                    let all = try await RulebookCommand.all { try await rulebooks.list($0, by: caller) }
                    Table.print(
                        [["object", "newest", "published", "unit", "retired", "name"]]
                            + all.map {
                                [
                                    $0.path, String($0.newest), $0.published.map { String($0) } ?? "-", $0.unit.map { String($0) } ?? "all",
                                    $0.retiredAt == nil ? "-" : "yes", $0.name,
                                ]
                            })
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Prints an object as its file would have it.")

        @Argument(help: "KIND/KEY.") var object: Name
        @OptionGroup var place: StoreCommand.Place
        @Option(help: "Number of the version; otherwise the newest.") var version: Int64?

        func run() async throws {
            try await RulebookCommand.with(place) { rulebooks, caller in
                Swift.print(try RulebookFiles.text(try await RulebookCommand.body(object, version, rulebooks, caller)), terminator: "")
            }
        }
    }

    static func body(_ name: Name, _ version: Int64?, _ rulebooks: Rulebooks, _ caller: Caller) async throws -> RulebookFiles.Body {
        let entry = try await rulebooks.get(name.kind, name.key, by: caller)
        let content = try await rulebooks.version(name.kind, name.key, version, by: caller).content ?? .null
        return RulebookFiles.Body(name: entry.name, description: entry.description, unit: entry.unit, content: content)
    }

    struct Diff: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "diff", abstract: "What differs between two releases, or what publishing would change, with what compiling says.")

        @OptionGroup var place: StoreCommand.Place
        @Option(help: "Number of the older release, 0 for the empty one.") var from: Int64?
        @Option(help: "Number of the newer release.") var to: Int64?

        func validate() throws {
            guard (from == nil) == (to == nil) else { throw ValidationError("--from and --to come together") }
        }

        func run() async throws {
            try await RulebookCommand.with(place) { rulebooks, caller in
                if let from, let to {
                    RulebookCommand.print(try await rulebooks.diff(from: from, to: to, by: caller))
                } else {
                    let preview = try await rulebooks.preview(RulebookSelection(), by: caller)
                    RulebookCommand.print(preview.differences)
                    RulebookCommand.print(preview.findings)
                    if !preview.findings.areUsable { throw ExitCode(1) }
                }
            }
        }
    }

    struct Publish: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "publish", abstract: "Publishes the newest versions as a release and hands it to the node.")

        @OptionGroup var place: StoreCommand.Place
        @Option(help: "Why.") var note: String
        @Option(help: "Newest release as you know it; where there is a newer one, nothing is published. Otherwise whatever is the newest.")
        var base: Int64?
        @Option(help: "KIND/KEY whose newest version is taken, again for each; otherwise all.") var only: [Name] = []
        @Option(help: "KIND/KEY that is taken out, again for each.") var without: [Name] = []

        func run() async throws {
            try await RulebookCommand.with(place) { rulebooks, caller in
                let selection = RulebookSelection(objects: only.isEmpty ? nil : only.map(\.selected), without: without.map(\.selected))
                let known = if let base { base } else { try await rulebooks.preview(selection, by: caller).base }
                RulebookCommand.print(try await rulebooks.publish(selection, note: note, base: known, by: caller))
            }
        }
    }

    struct Rollback: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rollback", abstract: "Publishes what an earlier release held, as a new one.")

        @Argument(help: "Number of the earlier release.") var release: Int64
        @OptionGroup var place: StoreCommand.Place
        @Option(help: "Why.") var note: String

        func run() async throws {
            try await RulebookCommand.with(place) { rulebooks, caller in
                let base = try await rulebooks.preview(RulebookSelection(objects: []), by: caller).base
                RulebookCommand.print(try await rulebooks.rollBack(to: release, note: note, base: base, by: caller))
            }
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export",
            abstract: "Writes the objects into files, the newest versions of those in use or those that are published.")

        @Argument(help: "Folder; files of the same name are written anew, others left alone.") var folder: String?
        @OptionGroup var place: StoreCommand.Place
        @Option(help: "Zip archive to write instead of a folder; one of the same name is written anew.") var zip: String?
        @Flag(help: "The versions of the newest release, and no object that is not in it.") var published = false

        func validate() throws {
            guard (folder == nil) != (zip == nil) else { throw ValidationError("name a folder, or a file after --zip") }
        }

        func run() async throws {
            try await RulebookCommand.with(place) { rulebooks, caller in
                var archive = zip.map { RulebookArchive(path: $0) }
                for entry in try await RulebookCommand.all({ try await rulebooks.list($0, by: caller) }) {
                    if published ? entry.published == nil : entry.retiredAt != nil { continue }
                    let content = try await rulebooks.version(entry.kind, entry.key, published ? entry.published : nil, by: caller).content
                    let body = RulebookFiles.Body(
                        name: entry.name, description: entry.description, unit: entry.unit, content: content ?? .null)
                    if let folder { Swift.print(try RulebookFiles(folder: folder).write(entry.kind, entry.key, body)) }
                    try archive?.add(entry.kind, entry.key, body)
                }
                if let archive { Swift.print("\(archive.path): \(try archive.write()) file(s)") }
            }
        }
    }

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import", abstract: "Writes files as new versions, where they differ; publishing is another step.",
            discussion: """
                First all files are read and compiled together; with an error in any nothing is written. Events and event types that are new here keep \
                the numbers of their files; where a file has none, it is given one.
                """)

        @Argument(help: "Folder, or zip archive.") var folder: String
        @OptionGroup var place: StoreCommand.Place
        @Option(help: "Why; it stands with each version.") var note: String

        func run() async throws {
            try await RulebookCommand.with(place) { rulebooks, caller in
                let entries = try await RulebookCommand.all { try await rulebooks.list($0, by: caller) }
                let known = Dictionary(uniqueKeysWithValues: entries.map { ($0.path, $0) })
                var files = try RulebookFiles.read(at: folder)
                for index in files.indices where files[index].lacksNumber && known[files[index].name] != nil {
                    files[index].number = try await RulebookCommand.body(Name(files[index]), nil, rulebooks, caller).content["number"]
                }
                let surroundings = try DeskReference.rulebooks(config: place.config, data: place.data).surroundings()
                let (lines, areUsable) = RulebookFiles.findings(files, surroundings)
                for line in lines { Swift.print(line) }
                guard areUsable else { throw ExitCode(1) }
                var written = 0
                // Those that ask for a number of their own first, before it is given to another.
                for file in files.filter({ !$0.lacksNumber }) + files.filter(\.lacksNumber) {
                    let entry = known[file.name]
                    if let entry, entry.retiredAt == nil, try await RulebookCommand.body(Name(file), nil, rulebooks, caller) == file.body {
                        continue
                    }
                    let wish = RulebookEntry.Wish(
                        name: file.body.name, description: file.body.description, unit: file.body.unit, content: file.body.content,
                        note: note)
                    do {
                        let (saved, _) = try await rulebooks.save(
                            file.kind, file.key, wish, version: entry?.version, numbering: .kept, isChecked: false, by: caller)
                        Swift.print("\(file.path): \(saved.path) is version \(saved.newest)")
                        written += 1
                    } catch let fault as DeskFault {
                        throw RulebookCommand.refused(["\(file.path): \(fault)", "\(written) version(s) were written before it"])
                    }
                }
                let absent = Set(entries.lazy.filter { $0.retiredAt == nil }.map(\.path)).subtracting(files.map(\.name)).sorted()
                for name in absent { Swift.print("\(name): it has no file and stays; rulebook retire \(name) ends its use") }
                Swift.print("\(written) of \(files.count) file(s) written as new versions")
            }
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Reads and compiles files against the settings, without the database.",
            discussion: "For the checks before a merge. Exit codes: 0 they can be published, 1 they cannot, 2 bad settings.")

        @Argument(help: "Folder, or zip archive.") var folder: String
        @OptionGroup var place: StoreCommand.Place

        func run() async throws {
            let settings: ServerSettings
            do {
                settings = try ServerSettings.read(
                    file: place.config, dataDirectory: place.data, environment: ProcessInfo.processInfo.environment)
            } catch let mistakes as ServerSettings.Mistakes {
                for line in mistakes.lines { Swift.print(line) }
                throw ExitCode(ExitStatus.badSettings)
            }
            let files: [RulebookFiles.File]
            do {
                files = try RulebookFiles.read(at: folder)
            } catch let faults {
                throw RulebookCommand.refused(faults.lines)
            }
            let (lines, areUsable) = RulebookFiles.findings(files, DeskReference.surroundings(settings))
            for line in lines { Swift.print(line) }
            guard areUsable else { throw ExitCode(1) }
            Swift.print("\(files.count) file(s) can be published")
        }
    }
}

extension RulebookCommand.Name {
    init(_ file: RulebookFiles.File) { (kind, key) = (file.kind, file.key) }
}

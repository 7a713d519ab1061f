import ArgumentParser
import FoundationEssentials
import Glibc
import Guard
import MartletDesk
import MartletNode
import MartletStore
import SQL

/// Takes files over: through the running desk where there is one, for it owns the customers' keys, else by itself.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Takes over data from files of the bank's.",
        subcommands: [CustomersImport.self, ContactsImport.self, ListsImport.self, List.self, Cancel.self, Discard.self])

    private static let discussion = """
        A desk that runs takes a sealed copy of the file and imports it, after those that wait already; without one this program does. Refused \
        lines go to FILE.errors.csv with line, field and reason; the others are taken. The columns are in docs/guides/import.md.
        Exit codes: 0 all lines were read, 1 it stopped before the end, 2 bad settings or no keys, 3 another import without a desk runs.
        """

    struct Wish: ParsableArguments {
        @Argument(help: "The file: a regular one, UTF-8.") var file: String
        @Option(help: "csv or ndjson; otherwise as the file's name ends.") var format: String?
        @Option(help: "One character between the fields of CSV, or `tab`.") var separator = ","
        @Option(help: "File with names of columns that are other than ours: lines `ours = theirs`.") var map: String?
        @Option(help: "Stops when more lines than this were refused.") var maxErrors = 1000
        @Option(help: "Lines to a transaction, 1 to 100000; through a desk, imports.batch holds.") var batch = 32_768

        func options(_ kind: ImportKind) throws -> ImportOptions {
            var words = ""
            if let map {
                do {
                    words = try String(contentsOfFile: map, encoding: .utf8)
                } catch {
                    throw ImportCommand.failure("\(map) cannot be read as UTF-8")
                }
            }
            guard (1...100_000).contains(batch) else { throw ValidationError("--batch is 1 to 100000") }
            let named = file.hasSuffix(".ndjson") || file.hasSuffix(".jsonl") ? "ndjson" : "csv"
            do {
                var options = try ImportOptions(
                    kind: kind.rawValue, format: format ?? named, separator: separator, map: words, errorsMaximum: maxErrors)
                options.lines = batch
                return options
            } catch {
                throw ValidationError("--\(error)")
            }
        }
    }

    struct CustomersImport: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "customers", abstract: "Adds and changes customers from a file; run again, it goes on where it stood.",
            discussion: ImportCommand.discussion)

        @OptionGroup var wish: Wish
        @OptionGroup var place: StoreCommand.Place

        func run() async throws { try await ImportCommand.run(.customers, wish, place) }
    }

    struct ContactsImport: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "contacts", abstract: "Enters contacts made elsewhere (branch, call centre, social page) from a file.",
            discussion: ImportCommand.discussion)

        @OptionGroup var wish: Wish
        @OptionGroup var place: StoreCommand.Place

        func run() async throws { try await ImportCommand.run(.contacts, wish, place) }
    }

    struct ListsImport: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "lists", abstract: "Puts customers on suppression lists, or takes them off, from a file.",
            discussion: ImportCommand.discussion)

        @OptionGroup var wish: Wish
        @OptionGroup var place: StoreCommand.Place

        func run() async throws { try await ImportCommand.run(.lists, wish, place) }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows the imports of the desk, newest first.")

        @OptionGroup var place: StoreCommand.Place

        func run() async throws {
            try await ImportCommand.with(place) { imports, caller in
                var rows = [["import", "kind", "state", "read", "lines", "refused", "by", "why it stopped"]]
                for entry in try await imports.list(try PageWish(limit: 100), by: caller).items {
                    switch entry {
                    case .sound(let view):
                        let (job, progress) = (view.job, view.progress)
                        rows.append([
                            job.id, job.options.kind.rawValue, job.state.word, "\(progress.percent) %", "\(progress.lines)",
                            "\(progress.refused)", job.source, job.fault ?? "",
                        ])
                    case .damaged(let one): rows.append([one.id, "", "damaged", "", "", "", "", one.reason])
                    }
                }
                Table.print(rows)
            }
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends an import of the desk; what was read stays, the desk's copy of the file goes.")

        @Argument(help: "Its id.") var id: String
        @OptionGroup var place: StoreCommand.Place

        func run() async throws {
            try await ImportCommand.with(place) { imports, caller in
                let view = try await imports.cancel(id, by: caller)
                print("import \(view.job.id) is cancelled; \(view.progress.lines) lines were read")
            }
        }
    }

    struct Discard: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes away an import of the desk whose row is damaged, with the desk's copy of its file.")

        @Argument(help: "Its id, as `list` shows it.") var id: String
        @OptionGroup var place: StoreCommand.Place

        func run() async throws {
            try await ImportCommand.with(place) { imports, caller in
                try await imports.discard(id, by: caller)
                print("import \(id) is gone; hand the file in again if it is still wanted")
            }
        }
    }

    private static func run(_ kind: ImportKind, _ wish: Wish, _ place: StoreCommand.Place) async throws {
        let options = try wish.options(kind)
        try await StoreCommand.with(place) { store, _, settings in
            let opened = try AtRest.keys(settings)
            let keys = opened.days
            let desk = try await desk(store)
            let caller = caller("martlet import \(kind.rawValue)")
            do {
                if let subjects = try await subjects(settings, opened.master, place.data, store) {
                    let names = try await Definitions(Units(desk, rowKey: keys.rowKey)).names(by: caller)
                    let importing = FileImport(desk.customers(CustomerVault(keys, subjects), names: names), options)
                    let shown = ImportReport()
                    let end = try await importing.run(file: wish.file, by: caller) { shown.show($0) }
                    print(shown.summary(end, "\(wish.file).errors.csv"))
                } else {
                    let imports = Imports(desk, keys: keys, folder: "\(place.data)/desk/imports", settings: settings.imports)
                    try await ImportThroughDesk(imports: imports, caller: caller, file: wish.file, options: options).run()
                }
            } catch let fault as ImportFault {
                throw failure(fault.description)
            } catch let fault as DeskFault {
                throw failure(fault.description)
            }
        }
    }

    private static func with(_ place: StoreCommand.Place, _ body: (Imports, Caller) async throws -> Void) async throws {
        try await StoreCommand.with(place) { store, _, settings in
            let keys = try AtRest.keys(settings)
            let imports = Imports(
                try await desk(store), keys: keys.days, folder: "\(place.data)/desk/imports", settings: settings.imports)
            do {
                try await body(imports, caller("martlet import"))
            } catch let fault as DeskFault {
                throw failure(fault.description)
            }
        }
    }

    private static func desk(_ store: SQLStore) async throws -> Desk {
        guard try await store.read({ try $0.row(StoreStatements.meta, [.text("installation")]) }) != nil else {
            throw failure("the store is not made yet; run martlet store migrate")
        }
        return StoreCommand.desk(store)
    }

    /// Whoever holds the master key may import; the audit says which user of the machine it was.
    private static func caller(_ what: String) -> Caller {
        var caller = Caller.system("import")
        caller.reason = "\(what), by user \(getuid())"
        return caller
    }

    static func failure(_ text: String) -> ExitCode {
        print("martlet: \(text)")
        return ExitCode(1)
    }

    /// The customers' keys as their owner; nil: a desk that runs is.
    private static func subjects(
        _ settings: ServerSettings, _ master: MasterKey, _ data: String, _ store: SQLStore
    ) async throws -> SubjectKeys? {
        do {
            return try await CustomerKeys.open(settings, master, store: store)
        } catch let fault as SubjectKeyFault {
            if case .missing = fault { throw failure("\(fault); the store has customers: \(CustomerKeysCheck.remedy)") }
            guard case .inUse = fault else { throw failure("\(fault)") }
            do throws(DirectoryLock.Fault) {
                _ = try DirectoryLock("\(data)/desk")
            } catch {
                if case .inUse = error { return nil }
            }
            print("martlet: \(fault)")
            throw ExitCode(ExitStatus.dataInUse)
        }
    }
}

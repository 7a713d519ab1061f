import ArgumentParser
import FoundationEssentials
import Guard
import MartletDesk
import MartletNode
import MartletStore
import SQL

struct StoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store", abstract: "The database of history and administration.",
        subcommands: [Migrate.self, Check.self, Project.self, Retain.self, Backup.self, Restore.self, Reconcile.self])

    struct Place: ParsableArguments {
        @Option(help: "Settings file.") var config: String
        @Option(help: "Data directory, where a SQLite file lies that is named without one.") var data = "data"
    }

    /// Opens the store that the settings name, runs `body`, closes it; a fault is one line and exit code 1.
    static func with(_ place: Place, _ body: (SQLStore, Migrator, ServerSettings) async throws -> Void) async throws {
        let settings = try AtRest.settings(file: place.config, data: place.data)
        let store = SQLStore(settings.store.address, statements: try StoreStatements.all(), options: settings.store.options)
        do {
            try await body(store, try StoreSchema.migrator(), settings)
            await store.close()
        } catch {
            await store.close()
            if error is ExitCode { throw error }
            print("martlet: \(settings.store.address.description): \(error)")
            throw ExitCode(1)
        }
    }

    struct Migrate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "migrate", abstract: "Makes the store's tables, or brings them to this program's; safe to repeat.",
            discussion: "Sending goes on meanwhile. Exit codes: 0 done, 1 the database refused or is away, 2 bad settings.")

        @OptionGroup var place: Place

        func run() async throws {
            try await StoreCommand.with(place) { store, _, _ in
                let now = Int64(Date().timeIntervalSince1970 * 1000)
                let done = try await StoreSchema.prepare(store, now: now)
                for file in done { print("applied \(file)") }
                print(done.isEmpty ? "nothing to apply" : "\(done.count) applied")
            }
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Compares the store with this program: tables, indexes, and whether every statement is taken.",
            discussion: """
                With --rows it also reads the whole store and names what is damaged: SQLite's own check of its file, the tag of every row \
                that has one, the chain of the audit. Changes nothing, beside a running desk or without one.
                Exit codes: 0 sound, 1 something is missing, refused or damaged, or the database is away, 2 bad settings or a wrong key.
                """)

        @OptionGroup var place: Place
        @Flag(help: "Reads every page and row, and names damage.") var rows = false

        func run() async throws {
            try await StoreCommand.with(place) { store, migrator, settings in
                let difference = try await Schema.check(store, migrator)
                for line in difference.missing { print("missing: \(line)") }
                for line in difference.refused { print("refused: \(line)") }
                for line in difference.foreign { print("not from a file of this program: \(line)") }
                if difference.isSound {
                    print("sound: \(migrator.newest) file(s) applied, \(store.statements.all.count) statements")
                }
                let isUndamaged = rows ? try await undamaged(store, settings) : true
                guard difference.isSound, isUndamaged else { throw ExitCode(1) }
            }
        }

        /// Prints what is damaged; false: something is.
        private func undamaged(_ store: SQLStore, _ settings: ServerSettings) async throws -> Bool {
            let signer = try AuditCommand.signer(settings)
            let keys = try AtRest.keys(settings).days
            var lines: [String] = []
            if let file = settings.desk.checkpoints, FileManager.default.fileExists(atPath: file) { lines = try AuditCommand.lines(file) }
            let report = try await StoreDamage(store, rowKey: keys.rowKey, checkpoints: lines, keys: [signer.publicKey]).run()
            for finding in report.findings { print("damaged: \(finding)") }
            if report.count > report.findings.count { print("and \(report.count - report.findings.count) more") }
            if report.untagged > 0 {
                print(
                    "\(report.untagged) row(s) are of an earlier version and carry no tag; martlet store project --from-start tags "
                        + "those whose records the journal still holds")
            }
            if report.isSound {
                print("undamaged: \(report.rows) rows carry their tags, \(report.entries) entries of the audit their hashes")
            }
            return report.isSound
        }
    }
}

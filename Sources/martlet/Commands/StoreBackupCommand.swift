import ArgumentParser
import FoundationEssentials
import Glibc
import MartletStore
import SQL

extension StoreCommand {
    /// Small files of the node that belong to what the store holds: what sources and groups are called whose numbers stand in its rows, and who
    /// may send.
    static let nodeFiles = ["sources.json", "groups", "receipt-forms"]
    static let copyName = "store.db"
    static let markName = "backup"
    static let mark = "martlet-store-backup v1"

    struct Backup: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "backup", abstract: "Saves the store as it was at one moment, beside a running node and desk.",
            discussion: """
                SQLite: a checked copy of the file, without what was deleted. PostgreSQL is saved by its own means (pg_dump, or pg_basebackup with \
                its log), as docs/operating/backup.md has it; this saves the node's small files that belong to it. \
                Keys are saved apart: martlet keys backup. Exit codes: 0 done, 1 it failed, 2 bad settings.
                """)

        @Argument(help: "A new directory.") var directory: String
        @OptionGroup var place: StoreCommand.Place

        func run() async throws {
            umask(0o077)
            let (settings, _) = try AtRest.settings(place)
            guard mkdir(directory, 0o700) == 0 else {
                throw AtRest.failure("\(directory) cannot be made: \(String(cString: strerror(errno)))")
            }
            var lines = [StoreCommand.mark, "made \(Date().formatted(.iso8601))"]
            switch settings.store.address {
            case .sqlite(let file):
                do throws(SQLFault) {
                    try SQLiteCopy.make(of: file, to: "\(directory)/\(StoreCommand.copyName)")
                } catch {
                    throw AtRest.failure("\(file): \(error)")
                }
                let store = SQLStore(.sqlite(file: "\(directory)/\(StoreCommand.copyName)"), statements: try StoreStatements.all())
                let newest = try? await store.read { try $0.row(StoreStatements.newestAudit)?.integer("sequence") ?? 0 }
                await store.close()
                guard let newest else { throw AtRest.failure("\(file) is no store of Martlet; name the right one in store.url") }
                lines += ["engine sqlite", "audit \(newest)"]
                print("\(file) saved and found sound; its audit ends with entry \(newest)")
            case .postgres(let address):
                lines.append("engine postgres")
                print("\(address.description) is saved by its own means, such as:")
                print("  pg_dump --format=custom --file=\(directory)/store.pgdump DATABASE")
            }
            // Behind the rows that name their numbers.
            for name in StoreCommand.nodeFiles where AtRest.exists("\(place.data)/\(name)") {
                try AtRest.copy("\(place.data)/\(name)", to: "\(directory)/\(name)")
                lines.append("file \(name)")
            }
            try AtRest.write("\(lines.joined(separator: "\n"))\n", to: "\(directory)/\(StoreCommand.markName)")
        }
    }
}

import ArgumentParser
import FoundationEssentials
import Glibc
import Guard
import MartletDesk
import MartletNode
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
            guard
                FileManager.default.createFile(
                    atPath: "\(directory)/\(StoreCommand.markName)", contents: Data("\(lines.joined(separator: "\n"))\n".utf8))
            else { throw AtRest.failure("\(directory)/\(StoreCommand.markName) cannot be written") }
        }
    }

    struct Restore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "restore", abstract: "Puts a saved store in its place and makes keys, node and history agree with it.",
            discussion: """
                The keys come first: martlet keys restore. The desk must be stopped, a node may go on sending (--role node). With PostgreSQL, \
                restore its database by its own means first; this brings the small files back and does what martlet store reconcile does. \
                Exit codes: 0 done, 1 it failed, 2 bad settings or a wrong key, 3 a desk is running.
                """)

        @Argument(help: "Directory that martlet store backup made.") var directory: String
        @OptionGroup var place: StoreCommand.Place

        func run() async throws {
            let (settings, master) = try AtRest.settings(place)
            let lock = try AtRest.hold(place.data, [.desk])
            guard let text = try? String(contentsOfFile: "\(directory)/\(StoreCommand.markName)", encoding: .utf8),
                text.hasPrefix(StoreCommand.mark)
            else {
                throw AtRest.failure("\(directory) is no whole backup of a store: its file `\(StoreCommand.markName)` is missing")
            }
            guard AtRest.exists("\(place.data)/keys/check") else {
                throw AtRest.failure(
                    "there are no keys in \(place.data)/keys; bring them back first: martlet keys restore", ExitStatus.badSettings)
            }
            let isSQLite = text.contains("\nengine sqlite\n")
            if case .sqlite(let file) = settings.store.address {
                guard isSQLite else { throw AtRest.failure("the backup is of a PostgreSQL database, store.url names a SQLite file") }
                try StoreCommand.bring("\(directory)/\(StoreCommand.copyName)", to: file)
            } else if isSQLite {
                throw AtRest.failure("the backup is of a SQLite file, store.url names a PostgreSQL database")
            }
            for name in StoreCommand.nodeFiles where AtRest.exists("\(directory)/\(name)") {
                if AtRest.exists("\(place.data)/\(name)") {
                    print("\(place.data)/\(name) is there and stays as it is")
                } else {
                    try AtRest.copy("\(directory)/\(name)", to: "\(place.data)/\(name)")
                    print("\(place.data)/\(name) brought back")
                }
            }
            try await StoreCommand.reconcile(place, settings, master, givesUp: false)
            withExtendedLifetime(lock) {}
        }
    }

    struct Reconcile: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reconcile", abstract: "Makes store, keys, node and history agree after one of them was restored; safe to repeat.",
            discussion: """
                Who was erased is erased again, no customer's number is given out twice, the node gets its customers anew, the history goes on where \
                the log is. The desk must be stopped. Exit codes: 0 done, 1 it failed, or keys of customers are missing, 2 bad settings or \
                a wrong key, 3 a desk is running.
                """)

        @OptionGroup var place: StoreCommand.Place
        @Flag(help: "Takes customers out of the store whose keys are lost for good, so that an import makes them anew.")
        var giveUpLost = false

        func run() async throws {
            let (settings, master) = try AtRest.settings(place)
            let lock = try AtRest.hold(place.data, [.desk])
            try await StoreCommand.reconcile(place, settings, master, givesUp: giveUpLost)
            withExtendedLifetime(lock) {}
        }
    }

    /// A checked copy in the place where no file is.
    private static func bring(_ copy: String, to file: String) throws {
        for path in [file, "\(file)-wal"] where AtRest.exists(path) {
            throw AtRest.failure("\(path) is there; move it away first, a store is never written over")
        }
        let findings: [String]
        do throws(SQLFault) {
            findings = try SQLiteCopy.findings(of: copy)
        } catch {
            throw AtRest.failure("\(copy): \(error)")
        }
        guard findings.isEmpty else { throw AtRest.failure("\(copy) is damaged: \(findings.prefix(5).joined(separator: "; "))") }
        try AtRest.copy(copy, to: "\(file).unfinished")
        guard rename("\(file).unfinished", file) == 0 else {
            throw AtRest.failure("\(file) cannot be written: \(String(cString: strerror(errno)))", ExitStatus.diskFailed)
        }
        print("\(file) brought back")
    }

    fileprivate static func reconcile(
        _ place: StoreCommand.Place, _ settings: ServerSettings, _ master: MasterKey, givesUp: Bool
    ) async throws {
        try await StoreCommand.with(place) { store, _, _ in
            try await StoreSchema.ready(store, now: Int64(Date().timeIntervalSince1970 * 1000))
            let vault: CustomerVault
            do {
                let keys = try KeyStore(directory: settings.node.keyDirectory, master: master, access: .reader)
                vault = CustomerVault(
                    keys, try await CustomerKeys.open(settings.node.subjectKeyDirectory, master, store, givesUp: givesUp))
            } catch let fault as SubjectKeyFault {
                throw AtRest.failure("\(fault)", CustomerKeys.status(fault))
            } catch let fault as KeyStoreFault {
                throw AtRest.failure("\(fault)", ExitStatus.badSettings)
            }
            var caller = Caller.system("reconcile")
            caller.reason = "martlet store reconcile, by user \(getuid())"
            let report = try await StoreReconciling(
                StoreCommand.desk(store).customers(vault), journal: settings.node.journalDirectory, folder: "\(place.data)/desk"
            )
            .run(givesUp: givesUp, by: caller)
            print(
                "\(report.customers) customer(s) looked at: \(report.erasedAgain) erased again, \(report.keysErased) key(s) of erased ones destroyed"
            )
            switch report.history {
            case .follows: print("history: what it lacks of the log comes when the desk runs")
            case .otherLog: print("history: the log is another one, or not there; what it brings is added")
            case .movedBack: print("history: the log ends before what the history has of it; it goes on from there")
            }
            if report.givenUp > 0 { print("\(report.givenUp) customer(s) given up; import them again") }
            guard report.lost == report.givenUp else {
                throw AtRest.failure("the keys of \(report.lost) customer(s) are missing: \(CustomerKeysCheck.remedy)")
            }
        }
    }
}

/// The customers' keys, for who owns them: made anew only where no customer was ever lost with them.
enum CustomerKeys {
    /// - Parameter givesUp: also where the store has customers.
    /// - Throws: `SubjectKeyFault`; `.missing` when there are none, though the store has customers.
    static func open(_ directory: String, _ master: MasterKey, _ store: SQLStore, givesUp: Bool = false) async throws -> SubjectKeys {
        do throws(SubjectKeyFault) {
            return try SubjectKeys(directory: directory, master: master, access: .owner(create: givesUp))
        } catch {
            guard case .missing = error, try await CustomerKeysCheck.highest(store) == 0 else { throw error }
            return try SubjectKeys(directory: directory, master: master, access: .owner(create: true))
        }
    }

    static func status(_ fault: SubjectKeyFault) -> Int32 {
        if case .inUse = fault { return ExitStatus.dataInUse }
        return ExitStatus.badSettings
    }
}

import ArgumentParser
import FoundationEssentials
import Glibc
import MartletNode
import MartletStore
import SQL

extension StoreCommand {
    struct Restore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "restore", abstract: "Puts a saved store in its place and makes keys, node and history agree with it.",
            discussion: """
                The keys come first: martlet keys restore. The desk must be stopped, a node may go on sending (--role node). With PostgreSQL, \
                restore its database by its own means first; this brings the small files back and does what martlet store reconcile does. \
                Interrupted, at any moment, it is run again with the same directory and goes on; no desk starts before that. \
                Exit codes: 0 done, 1 it failed, 2 bad settings or a wrong key, 3 a desk is running, 4 the disk failed.
                """)

        @Argument(help: "Directory that martlet store backup made.") var directory: String
        @OptionGroup var place: StoreCommand.Place

        func run() async throws {
            let (settings, master) = try AtRest.settings(place)
            let lock = try AtRest.hold(place.data, [.desk])
            let saved = try SavedStore(directory)
            guard AtRest.exists("\(place.data)/keys/check") else {
                throw AtRest.failure(
                    "there are no keys in \(place.data)/keys; bring them back first: martlet keys restore", ExitStatus.badSettings)
            }
            let restoring = StoreRestoring(data: place.data)
            let last = restoring.last()
            let file = try saved.file(settings.store.address)
            var isThere = true
            if let file { isThere = try saved.isBrought(file, last) }
            if let file, !isThere { try saved.requireNew(file, last) }

            var run = StoreRestoring.Run(left: .store, from: saved.directory, mark: saved.mark)
            if let file, !isThere {
                try restoring.note(run)
                try saved.bring(to: file)
            }
            run.left = .files
            try restoring.note(run)
            try saved.bringSmall(place.data)
            run.left = .reconcile
            try restoring.note(run)
            try await StoreCommand.reconcile(place, settings, master, givesUp: false)
            withExtendedLifetime(lock) {}
        }
    }

    /// What `martlet store backup` made.
    private struct SavedStore {
        /// Absolute, so that another run finds it from elsewhere.
        let directory: String
        let mark: String

        init(_ directory: String) throws(ExitCode) {
            guard let real = realpath(directory, nil) else {
                throw AtRest.failure("\(directory) cannot be read: \(String(cString: strerror(errno)))")
            }
            defer { free(real) }
            self.directory = String(cString: real)
            guard let mark = try? String(contentsOfFile: "\(self.directory)/\(StoreCommand.markName)", encoding: .utf8),
                mark.hasPrefix(StoreCommand.mark)
            else {
                throw AtRest.failure("\(directory) is no whole backup of a store: its file `\(StoreCommand.markName)` is missing")
            }
            self.mark = mark
        }

        /// Where its copy of SQLite's file belongs; nil: it is of a PostgreSQL database, as the store of the settings is.
        func file(_ address: StoreAddress) throws(ExitCode) -> String? {
            let isSQLite = mark.contains("\nengine sqlite\n")
            switch address {
            case .sqlite(let file):
                guard isSQLite else { throw AtRest.failure("the backup is of a PostgreSQL database, store.url names a SQLite file") }
                return file
            case .postgres:
                guard !isSQLite else { throw AtRest.failure("the backup is of a SQLite file, store.url names a PostgreSQL database") }
                return nil
            }
        }

        /// Whether a run before, of this very backup, was killed behind the moment when the file was in its place.
        func isBrought(_ file: String, _ last: StoreRestoring.Run?) throws(ExitCode) -> Bool {
            guard let last, last.mark == mark, AtRest.exists(file) else { return false }
            switch last.left {
            case .store:
                guard !AtRest.exists("\(file)-wal"), try AtRest.areSame(file, "\(directory)/\(StoreCommand.copyName)") else { return false }
            case .files, .reconcile: break
            case .nothing: return false
            }
            print("\(file) was brought back by the run before")
            return true
        }

        /// That no file is in the place, and the copy is whole.
        func requireNew(_ file: String, _ last: StoreRestoring.Run?) throws(ExitCode) {
            for path in [file, "\(file)-wal"] where AtRest.exists(path) {
                var words = "\(path) is there; move it away first, a store is never written over"
                if let last, last.left == .nothing {
                    words += ". It came whole from \(last.from): nothing is left to do, unless that is to be done once more"
                } else if let last, last.mark != mark {
                    words += ". The restore from \(last.from) was cut short: to go on with that, name that directory"
                }
                throw AtRest.failure(words)
            }
            let copy = "\(directory)/\(StoreCommand.copyName)"
            let findings: [String]
            do throws(SQLFault) {
                findings = try SQLiteCopy.findings(of: copy)
            } catch {
                throw AtRest.failure("\(copy): \(error)")
            }
            guard findings.isEmpty else { throw AtRest.failure("\(copy) is damaged: \(findings.prefix(5).joined(separator: "; "))") }
        }

        func bring(to file: String) throws(ExitCode) {
            try AtRest.copy("\(directory)/\(StoreCommand.copyName)", to: file)
            print("\(file) brought back")
        }

        func bringSmall(_ data: String) throws(ExitCode) {
            for name in StoreCommand.nodeFiles where AtRest.exists("\(directory)/\(name)") {
                let path = "\(data)/\(name)"
                if AtRest.exists(path) {
                    print("\(path) is there and stays as it is")
                } else {
                    try AtRest.copy("\(directory)/\(name)", to: path)
                    print("\(path) brought back")
                }
            }
        }
    }
}

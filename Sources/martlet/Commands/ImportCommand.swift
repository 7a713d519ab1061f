import ArgumentParser
import FoundationEssentials
import Glibc
import Guard
import MartletDesk
import MartletStore
import SQL

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Takes over data from files of the bank's.", subcommands: [CustomersImport.self])

    struct CustomersImport: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "customers", abstract: "Adds and changes customers from a file; run again, it goes on where it stood.",
            discussion: """
                Refused lines go to FILE.errors.csv with line, field and reason; the others are taken. The columns are in docs/guides/import.md. \
                Exit codes: 0 all lines were read, 1 it stopped before the end, 2 bad settings, 3 the keys belong to a running desk.
                """)

        @Argument(help: "The file: a regular one, UTF-8.") var file: String
        @OptionGroup var place: StoreCommand.Place
        @Option(help: "csv or ndjson; otherwise as the file's name ends.") var format: String?
        @Option(help: "One character between the fields of CSV, or `tab`.") var separator = ","
        @Option(help: "File with names of columns that are other than ours: lines `ours = theirs`.") var map: String?
        @Option(help: "Stops when more lines than this were refused.") var maxErrors = 1000
        @Option(help: "Lines to a transaction, 1 to 100000.") var batch = 32_768

        func run() async throws {
            let options = try options()
            try await StoreCommand.with(place) { store, _, settings in
                let vault = try await ImportCommand.vault(settings.masterKeyFile, place.data, store)
                guard let row = try await store.read({ try $0.row(StoreStatements.meta, [.text("installation")]) }) else {
                    throw ImportCommand.failure("the store is not made yet; run martlet store migrate")
                }
                let desk = Desk(store: store, chain: "martlet-\(try row.text("value"))") {
                    Int64(Date().timeIntervalSince1970 * 1_000_000)
                }
                let importing = CustomerImport(desk.customers(vault), options)
                let shown = ImportReport()
                var caller = Caller.system("import")
                caller.reason = "martlet import customers, by user \(getuid())"
                do {
                    let end = try await importing.run(file: file, by: caller) { shown.show($0) }
                    print(shown.summary(end, "\(file).errors.csv"))
                } catch let fault as ImportFault {
                    throw ImportCommand.failure(fault.description)
                }
            }
        }

        private func options() throws -> ImportOptions {
            var options = ImportOptions()
            let word = format ?? (file.hasSuffix(".ndjson") || file.hasSuffix(".jsonl") ? "ndjson" : "csv")
            guard let format = ImportOptions.Format(rawValue: word) else { throw ValidationError("--format is csv or ndjson") }
            let sign = separator == "tab" ? "\t" : separator
            guard let byte = sign.utf8.first, sign.utf8.count == 1, byte == 9 || (0x20..<0x7F).contains(byte), byte != 0x22 else {
                throw ValidationError("--separator is one character of ASCII other than a quote, or `tab`")
            }
            guard (1...100_000).contains(batch) else { throw ValidationError("--batch is 1 to 100000") }
            guard maxErrors >= 0 else { throw ValidationError("--max-errors is 0 or more") }
            options.format = format
            options.separator = byte
            options.errorsMaximum = maxErrors
            options.lines = batch
            if let map {
                do {
                    options.map = try String(contentsOfFile: map, encoding: .utf8)
                } catch {
                    throw ImportCommand.failure("\(map) cannot be read as UTF-8")
                }
            }
            return options
        }
    }

    static func failure(_ text: String) -> ExitCode {
        print("martlet: \(text)")
        return ExitCode(1)
    }

    /// The keys of this installation: its hash keys as a reader beside the node, the subjects' keys as their owner.
    static func vault(_ masterKeyFile: String, _ data: String, _ store: SQLStore) async throws -> CustomerVault {
        do {
            let master = try MasterKey.load(
                from: masterKeyFile, credentials: ProcessInfo.processInfo.environment["CREDENTIALS_DIRECTORY"])
            let keys = try KeyStore(directory: "\(data)/keys", master: master, access: .reader)
            return CustomerVault(
                keys, try await CustomerKeys.open("\(data)/keys/subjects", master, store))
        } catch let fault as SubjectKeyFault {
            print("martlet: \(fault)")
            if case .inUse = fault { throw ExitCode(ExitStatus.dataInUse) }
            if case .missing = fault { print("the store has customers: \(CustomerKeysCheck.remedy)") }
            throw ExitCode(1)
        } catch let fault as KeyStoreFault {
            throw failure("\(fault)")
        } catch let fault as MasterKeyFault {
            print("martlet: \(fault)")
            throw ExitCode(ExitStatus.badSettings)
        }
    }
}

/// Lines of progress, one a second at most.
final class ImportReport {
    private let clock = ContinuousClock()
    private let began: ContinuousClock.Instant
    private var first: ImportProgress?
    private var last: ContinuousClock.Instant?

    init() { began = clock.now }

    func show(_ progress: ImportProgress) {
        if first == nil {
            first = progress
            if progress.lines > 0 { print("import \(progress.id) goes on behind line \(progress.lines)") }
            return
        }
        if let last, last.duration(to: clock.now) < .seconds(1) { return }
        last = clock.now
        let (rate, left) = pace(progress)
        print("\(percent(progress)) %, \(progress.lines) lines, \(rate) a second, \(left) s left, \(progress.refused) refused")
    }

    func summary(_ end: ImportProgress, _ errors: String) -> String {
        let counts = "\(end.added) added, \(end.changed) changed, \(end.same) as they were, \(end.refused) refused"
        return "import \(end.id) done: \(end.lines) lines, \(counts), \(pace(end).rate) lines a second"
            + (end.refused > 0 ? "; the refused ones are in \(errors)" : "")
    }

    private func percent(_ progress: ImportProgress) -> Int { progress.size == 0 ? 100 : progress.position * 100 / progress.size }

    /// Of this run, not of the import as a whole.
    private func pace(_ progress: ImportProgress) -> (rate: Int, left: Int) {
        let spent = began.duration(to: clock.now)
        let seconds = Double(spent.components.seconds) + Double(spent.components.attoseconds) / 1e18
        let lines = progress.lines - (first?.lines ?? 0)
        let octets = progress.position - (first?.position ?? 0)
        guard seconds > 0, octets > 0 else { return (0, 0) }
        return (Int(Double(lines) / seconds), Int(Double(progress.size - progress.position) / (Double(octets) / seconds)))
    }
}

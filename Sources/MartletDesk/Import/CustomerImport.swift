import Glibc
import Guard
import MartletModel
import MartletStore
import SQL

/// What an import reads, and how.
public struct ImportOptions: Sendable {
    public enum Format: String, Sendable, CaseIterable { case csv, ndjson }

    public var format = Format.csv
    /// Between the fields of CSV, one byte of ASCII.
    public var separator: UInt8 = UInt8(ascii: ",")
    /// Names of columns that are other than ours, as `ImportMap` reads them.
    public var map = ""
    /// Lines that may be refused before the import stops.
    public var errorsMaximum = 1000
    /// Lines to a transaction.
    public var lines = 32_768
    /// Tasks that seal.
    public var tasks = 2
    public init() {}
}

/// How far an import is.
public struct ImportProgress: Codable, Equatable, Sendable {
    public var id: String
    public var isDone = false
    /// Byte of the file that is read next, and bytes of the file.
    public var position = 0
    public var size = 0
    /// Lines read, the heading included.
    public var lines = 0
    public var added = 0
    public var changed = 0
    /// Lines that said nothing new.
    public var same = 0
    public var refused = 0
    var errorsAt = 0
}

/// An import of customers from a file: a stream with bounded memory, each stretch of lines one transaction together with the place in the file. So it
/// can be killed at any moment and goes on where it stood; and what is read twice is written once, for a customer is known by its reference.
public struct CustomerImport: Sendable {
    let customers: Customers
    let options: ImportOptions

    /// The desk's customers from a file of the bank's.
    public init(_ customers: Customers, _ options: ImportOptions) {
        self.customers = customers
        self.options = options
    }

    private var desk: Desk { customers.desk }
    private var vault: CustomerVault { customers.vault }

    /// Runs it to its end.
    /// - Parameter progress: called after each transaction.
    /// - Throws: `ImportFault`, `DeskFault`.
    public func run(
        file path: String, by caller: Caller, progress report: (ImportProgress) -> Void = { _ in }
    ) async throws -> ImportProgress {
        try caller.require(.importCustomers)
        guard caller.unit == nil else {
            throw DeskFault.invalid([FieldFault("unit", "forbidden", "files are imported by who belongs to the whole bank")])
        }
        let file = try ImportFile(path)
        let id = try identity(file)
        var progress = try await begin(id, caller)
        progress.size = file.size
        report(progress)
        if progress.isDone { return progress }
        let errors = try ErrorFile("\(path).errors.csv", size: progress.errorsAt)
        do {
            try await run(file, errors, caller, &progress, report)
            try await enter(progress, "done", caller)
            return progress
        } catch {
            // A task of its own: this one may be cancelled, and the entry is made all the same.
            let reached = progress
            try await Task { try await enter(reached, "stopped", caller) }.value
            if case SQLFault.cancelled = error { throw ImportFault.cancelled }
            throw error
        }
    }

    /// The same file read in another way is another import.
    private func identity(_ file: ImportFile) throws(ImportFault) -> String {
        var head = try file.head()
        head.append(contentsOf: "\(options.format.rawValue) \(options.separator) \(options.map)".utf8)
        return vault.hashes.file(head: head, bytes: UInt64(file.size))
    }

    private func begin(_ id: String, _ caller: Caller) async throws -> ImportProgress {
        let now = desk.nowMilliseconds
        return try await desk.store.transaction { session in
            try session.run(ImportStatements.begin, [.text(id), .text(caller.name), .integer(now)])
            guard let row = try session.row(ImportStatements.find, [.text(id)]) else { throw ImportFault.runsElsewhere }
            return try ImportProgress(row)
        }
    }

    private func enter(_ progress: ImportProgress, _ outcome: String, _ caller: Caller) async throws(DeskFault) {
        try await desk.act(.importCustomers, by: caller) { _ in
            let counts = "\(progress.added) added, \(progress.changed) changed, \(progress.refused) refused"
            return ((), AuditTrail.Line(act: .customersImported, object: "import:\(progress.id)", outcome: "\(outcome): \(counts)"))
        }
    }

    // MARK: The stretches

    /// While one stretch is being written, the next one is read and sealed.
    private func run(
        _ file: ImportFile, _ errors: ErrorFile, _ caller: Caller, _ progress: inout ImportProgress, _ report: (ImportProgress) -> Void
    ) async throws {
        var reader = try ImportReading(file, options, customers.names, vault.hashes, position: progress.position, line: progress.lines)
        var writing: (batch: ImportBatch, task: Task<ImportProgress, any Error>)?
        /// The number of changes that the one being written leaves behind.
        var ahead: Int64?
        do {
            while true {
                if Task.isCancelled { throw ImportFault.cancelled }
                var faults: [(line: Int, fault: FieldFault)] = []
                var batch = try reader.next(&faults)
                let (known, isAhead): (KnownCustomers, Bool)
                if let inWriting = writing, ahead == nil || inWriting.batch.shares(batch) {
                    progress = try await inWriting.task.value
                    writing = nil
                    report(progress)
                    (known, isAhead) = (try await read(batch), false)
                } else {
                    (known, isAhead) = (try await read(batch), writing != nil)
                }
                let keys = try make(batch.groups.count { known.rows[$0.hash] == nil })
                let composer = BatchComposer(vault: vault, circumstances: circumstances(caller))
                let first = isAhead ? ahead ?? known.change : known.change
                let composed = try await composer.compose(batch, known, keys: keys, change: first, tasks: options.tasks)
                if let inWriting = writing {
                    progress = try await inWriting.task.value
                    writing = nil
                    report(progress)
                }
                faults.append(contentsOf: composed.faults)
                for one in faults.sorted(by: { $0.line < $1.line }) { errors.add(line: one.line, one.fault) }
                try errors.flush()
                batch.refused = Set(faults.map(\.line)).count
                guard progress.refused + batch.refused <= options.errorsMaximum || batch.refused == 0 else {
                    progress = try await write(batch, composed, composer, keys, progress, errors.size, isLast: false)
                    throw ImportFault.tooManyErrors(refused: progress.refused, maximum: options.errorsMaximum)
                }
                let (now, size, ready) = (progress, errors.size, batch)
                // A stretch in which nothing stands takes a number all the same.
                ahead = first + Int64(max(1, composed.numbers))
                writing = (
                    batch, Task { try await write(ready, composed, composer, keys, now, size, isLast: ready.isLast) }
                )
                if batch.isLast { break }
            }
            if let writing { progress = try await writing.task.value }
            report(progress)
        } catch {
            // What is being written comes to its end; what it says is behind the fault that came first.
            if let writing, let last = try? await writing.task.value { progress = last }
            throw error
        }
    }

    private func circumstances(_ caller: Caller) -> WritingCircumstances {
        WritingCircumstances(now: desk.nowMilliseconds, source: caller.name)
    }

    private func read(_ batch: ImportBatch) async throws -> KnownCustomers {
        let tags = vault.tags
        return try await desk.store.read { try KnownCustomers(batch, tags, $0) }
    }

    private func make(_ count: Int) throws -> [SubjectKey] {
        var keys: [SubjectKey] = []
        keys.reserveCapacity(count)
        while keys.count < count { keys.append(contentsOf: try vault.subjects.make(min(SubjectKeys.maximumBatch, count - keys.count))) }
        return keys
    }

    /// Writes the batch with its place. Where another wrote customers since they were looked up, it is composed anew within the transaction, which
    /// nobody can come before.
    private func write(
        _ batch: ImportBatch, _ composed: ComposedBatch, _ composer: BatchComposer, _ keys: [SubjectKey], _ before: ImportProgress,
        _ errorsAt: Int, isLast: Bool
    ) async throws -> ImportProgress {
        let now = desk.nowMilliseconds
        return try await desk.store.transaction(durability: .relaxed, limit: .seconds(300)) { session in
            guard let taken = try session.row(CustomerStatements.takeChange, [.number(max(1, composed.numbers))]) else {
                throw DeskFault.broken("the store has no number of changes; run martlet store migrate")
            }
            let first = try taken.integer("number") - Int64(max(1, composed.numbers)) + 1
            var ready = composed
            if first != composed.first, composed.numbers > 0 {
                // Keys of customers who were added meanwhile stay unused.
                ready = try composer.compose(
                    batch.groups[...], try KnownCustomers(batch, vault.tags, session), keys[...], change: first - 1)
            }
            for part in ready.parts { try part.write(session) }
            var progress = before
            progress.isDone = isLast
            progress.position = batch.position
            progress.lines = batch.line
            progress.added += ready.added
            progress.changed += ready.changed
            progress.same += ready.same
            progress.refused += batch.refused
            progress.errorsAt = errorsAt
            guard try session.run(ImportStatements.move, progress.values(from: before.lines, at: now)) == 1 else {
                throw ImportFault.runsElsewhere
            }
            return progress
        }
    }
}

extension ImportProgress {
    init(_ row: SQLRow) throws(SQLFault) {
        id = try row.text("id")
        isDone = try row.integer("state") == 2
        position = try row.integer("position", as: Int.self)
        lines = try row.integer("line", as: Int.self)
        added = try row.integer("added", as: Int.self)
        changed = try row.integer("changed", as: Int.self)
        same = try row.integer("same", as: Int.self)
        refused = try row.integer("refused", as: Int.self)
        errorsAt = try row.integer("errors_at", as: Int.self)
    }

    /// - Parameter lines: as they stood when it was read.
    func values(from lines: Int, at now: Int64) -> [SQLValue] {
        [
            .text(id), .number(lines), .number(isDone ? 2 : 1), .number(position), .number(self.lines), .number(errorsAt), .number(added),
            .number(changed), .number(same), .number(refused), .integer(now),
        ]
    }
}

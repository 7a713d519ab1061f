import Guard
import MartletModel
import MartletStore
import SQL

/// Customers of a file, stretch after stretch: each is one transaction together with the place in the file. What is read twice is written once, for a
/// customer is known by its reference.
struct CustomerImport: Sendable {
    let customers: Customers
    let options: ImportOptions

    private var desk: Desk { customers.desk }
    private var vault: CustomerVault { customers.vault }

    /// While one stretch is being written, the next one is read and sealed.
    func run(
        _ file: ImportFile, _ errors: ErrorFile, _ caller: Caller, _ progress: inout ImportProgress,
        _ report: (ImportProgress) -> Void
    ) async throws {
        var reader = try ImportReading<DraftReader>(
            file, options, customers.names, vault.hashes, position: progress.position, line: progress.lines)
        var writing: (batch: ImportBatch, task: Task<ImportProgress, any Error>)?
        /// The number of changes that the one being written leaves behind.
        var ahead: Int64?
        do {
            while true {
                if Task.isCancelled { throw ImportFault.cancelled }
                var faults: [(line: Int, fault: FieldFault)] = []
                var batch = ImportBatch()
                let end = try reader.next(&faults) { batch.append($0, line: $1) }
                (batch.position, batch.line, batch.isLast) = (end.position, end.line, end.isLast)
                let (known, isAhead): (KnownCustomers, Bool)
                if let inWriting = writing, ahead == nil || inWriting.batch.shares(batch) {
                    progress = try await inWriting.task.value
                    writing = nil
                    report(progress)
                    (known, isAhead) = (try await read(batch), false)
                } else {
                    (known, isAhead) = (try await read(batch), writing != nil)
                }
                let keys = try make(batch.groups.count { known.isNew($0.hash) })
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
                if !composed.damaged.isEmpty { try await customers.setAside(composed.damaged.sorted()) }
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
        WritingCircumstances(now: desk.nowMilliseconds, source: caller.name, way: .file)
    }

    private func read(_ batch: ImportBatch) async throws -> KnownCustomers {
        let (tags, damage) = (vault.tags, desk.damage)
        return try await desk.store.read { try KnownCustomers(batch, tags, damage, $0) }
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
                    batch.groups[...], try KnownCustomers(batch, vault.tags, desk.damage, session), keys[...], change: first - 1)
                // Damaged since its lines were read: they are in no file of errors, so they are read again when the import goes on.
                if let subject = ready.damaged.subtracting(composed.damaged).min() {
                    throw DeskFault.tampered(noun: "customer", key: "\(subject)")
                }
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
            try progress.move(from: before.lines, at: now, session)
            return progress
        }
    }
}

import Guard
import MartletModel
import MartletStore
import SQL

/// Contacts of a file, stretch after stretch: each is one transaction together with the place in the file. A contact that is there already, with the
/// same customer, time, kind, unit and words, is not entered again; so a file may be imported twice.
struct ContactImport: Sendable {
    let customers: Customers
    let options: ImportOptions

    private var desk: Desk { customers.desk }
    private var vault: CustomerVault { customers.vault }

    private typealias Line = (number: Int, draft: ContactDraft)

    func run(
        _ file: ImportFile, _ errors: ErrorFile, _ caller: Caller, _ progress: inout ImportProgress,
        _ report: (ImportProgress) -> Void
    ) async throws {
        var reader = try ImportReading<ContactReader>(
            file, options, customers.names, vault.hashes, position: progress.position, line: progress.lines)
        while true {
            if Task.isCancelled { throw ImportFault.cancelled }
            var faults: [(line: Int, fault: FieldFault)] = []
            var lines: [Line] = []
            let end = try reader.next(&faults) { lines.append(($1, $0)) }
            // Which lines are refused is known only when the customers were looked up: before the transaction that counts them, for their faults
            // are in the file of errors before the place moves behind them.
            let (ready, known) = (lines, try await references(lines))
            for line in ready { if let fault = fault(line.draft, known) { faults.append((line.number, fault)) } }
            if !known.damaged.isEmpty { try await customers.setAside(known.damaged.values.sorted()) }
            for one in faults.sorted(by: { $0.line < $1.line }) { errors.add(line: one.line, one.fault) }
            try errors.flush()
            let refused = Set(faults.map(\.line))
            let (before, size) = (progress, errors.size)
            let isTooMany = !refused.isEmpty && progress.refused + refused.count > options.errorsMaximum
            progress = try await write(
                ready.filter { !refused.contains($0.number) }, refused.count, end, before, size, caller, isLast: end.isLast && !isTooMany)
            report(progress)
            if isTooMany { throw ImportFault.tooManyErrors(refused: progress.refused, maximum: options.errorsMaximum) }
            if end.isLast { return }
        }
    }

    private func fault(_ draft: ContactDraft, _ known: Known) -> FieldFault? {
        if let subject = known.damaged[draft.referenceHash] { return .damaged("reference", subject) }
        guard known.rows[draft.referenceHash] != nil else { return FieldFault("reference", "unknown", "no customer has it") }
        guard draft.at <= desk.nowMilliseconds + 86_400_000 else { return FieldFault("at", "range", "it is in the future") }
        return nil
    }

    /// Customers by the lines' references.
    private struct Known: Sendable {
        var rows: [UInt64: CustomerRow] = [:]
        /// Whose row or key is damaged.
        var damaged: [UInt64: SubjectNumber] = [:]
    }

    private func references(_ lines: [Line]) async throws -> Known {
        let hashes = Set(lines.map(\.draft.referenceHash)).sorted()
        return try await desk.store.read { try rows(hashes, $0) }
    }

    private func rows(_ hashes: [UInt64], _ session: SQLSession) throws -> Known {
        var known = Known()
        let width = CustomerStatements.references
        for start in stride(from: 0, to: hashes.count, by: width) {
            let values = (start..<start + width).map { SQLValue.hash(hashes[min($0, hashes.count - 1)]) }
            for found in try session.rows(CustomerStatements.byReferences, values) {
                let row = try RowDamage.sound {
                    let row = try CustomerRow(found, vault.tags)
                    if row.erasedAt == nil { _ = try vault.key(row.subject) }
                    return row
                }
                if let row {
                    if let reference = row.reference { known.rows[reference] = row }
                } else if let reference = try found.optionalInteger("reference") {
                    known.damaged[UInt64(bitPattern: reference)] = SubjectNumber(truncatingIfNeeded: try found.integer("subject"))
                }
            }
        }
        return known
    }

    /// One transaction, under the number of changes: so no customer is erased while contacts of that customer are written.
    private func write(
        _ lines: [Line], _ refused: Int, _ end: ImportReading<ContactReader>.End, _ before: ImportProgress, _ errorsAt: Int,
        _ caller: Caller, isLast: Bool
    ) async throws -> ImportProgress {
        let now = desk.nowMilliseconds
        return try await desk.store.transaction(durability: .relaxed, limit: .seconds(300)) { session in
            let count = max(1, lines.count)
            guard let taken = try session.row(CustomerStatements.takeChange, [.number(count)]) else {
                throw DeskFault.broken("the store has no number of changes; run martlet store migrate")
            }
            let first = try taken.integer("number") - Int64(count) + 1
            let known = try rows(Set(lines.map(\.draft.referenceHash)).sorted(), session)
            var batch = SQLBatch(table: ContactStatements.table, columns: ContactStatements.columns)
            var written: [Made: Set<String>] = [:]
            var progress = before
            var sealer = Sealer()
            for (place, line) in lines.enumerated() {
                // Erased since it was looked up: what the bank says of nobody is not kept, and is no fault of the file's.
                if let subject = known.damaged[line.draft.referenceHash] { throw DeskFault.tampered(noun: "customer", key: "\(subject)") }
                guard let customer = known.rows[line.draft.referenceHash] else {
                    progress.same += 1
                    continue
                }
                let subject = customer.subject
                let made = Made(subject: subject, at: line.draft.at, kind: line.draft.kind, unit: line.draft.unit)
                if written[made] == nil { written[made] = try summaries(made, session) }
                guard written[made, default: []].insert(line.draft.summary).inserted else {
                    progress.same += 1
                    continue
                }
                let number = first + Int64(place)
                let row = ContactRow(
                    subject: subject, at: line.draft.at, number: number, kind: line.draft.kind.number, unit: line.draft.unit,
                    enteredAt: now, source: caller.name,
                    sealed: try sealer.seal(
                        ContactWords(kind: line.draft.kind, summary: line.draft.summary).bytes, context: .contact(number, of: subject),
                        key: try vault.key(subject)))
                batch.append(row.values(vault.tags))
                progress.added += 1
            }
            try session.bulk(batch)
            (progress.isDone, progress.position, progress.lines) = (isLast, end.position, end.line)
            progress.refused += refused
            progress.errorsAt = errorsAt
            try progress.move(from: before.lines, at: now, session)
            return progress
        }
    }

    /// By what two contacts are the same, beside their words.
    private struct Made: Hashable {
        var subject: SubjectNumber
        var at: Int64
        var kind: ContactKind
        var unit: UInt16
    }

    /// The words of those that are in the store.
    private func summaries(_ made: Made, _ session: SQLSession) throws -> Set<String> {
        var found: Set<String> = []
        for row in try session.rows(ContactStatements.moment, [.number(made.subject), .integer(made.at)]) {
            guard let row = try RowDamage.sound({ try ContactRow(row, vault.tags) }) else {
                desk.damage.note("contact of customer \(made.subject)", instead: "an imported contact is not compared with it")
                continue
            }
            // Of another kind by its number alone: no need to open it.
            guard row.kind == made.kind.number, row.unit == made.unit else { continue }
            let words = try customers.words(of: row)
            if words.kind == made.kind { found.insert(words.summary) }
        }
        return found
    }
}

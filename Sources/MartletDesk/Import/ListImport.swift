import Guard
import MartletModel
import MartletStore
import SQL

/// Entries of suppression lists from a file, stretch after stretch: each is one transaction together with the place in the file. What stands so already
/// changes nothing; so a file may be imported twice.
struct ListImport: Sendable {
    let customers: Customers
    let options: ImportOptions

    /// Lines to a transaction at most: each customer is opened and sealed anew in it.
    private static let stretch = 2000
    /// Customers with one address at most; more of them and the address says nothing of a customer.
    static let sharing = 100

    private var desk: Desk { customers.desk }
    private var vault: CustomerVault { customers.vault }

    private typealias Line = (number: Int, draft: ListingDraft)

    func run(
        _ file: ImportFile, _ errors: ErrorFile, _ caller: Caller, _ progress: inout ImportProgress,
        _ report: (ImportProgress) -> Void
    ) async throws {
        var options = options
        options.lines = min(options.lines, ListImport.stretch)
        var reader = try ImportReading<ListReader>(
            file, options, customers.names, vault.hashes, position: progress.position, line: progress.lines)
        while true {
            if Task.isCancelled { throw ImportFault.cancelled }
            var faults: [(line: Int, fault: FieldFault)] = []
            var lines: [Line] = []
            let end = try reader.next(&faults) { lines.append(($1, $0)) }
            // Before the transaction that counts them, for their faults are in the file of errors before the place moves behind them.
            let ready = lines
            let found = try await desk.store.read { session in try ready.map { try verdict($0.draft, session) } }
            var damaged: Set<SubjectNumber> = []
            for (line, verdict) in zip(lines, found) {
                if let fault = verdict.fault { faults.append((line.number, fault)) }
                if let subject = verdict.damaged { damaged.insert(subject) }
            }
            if !damaged.isEmpty { try await customers.setAside(damaged.sorted()) }
            for one in faults.sorted(by: { $0.line < $1.line }) { errors.add(line: one.line, one.fault) }
            try errors.flush()
            let refused = Set(faults.map(\.line))
            let (before, size) = (progress, errors.size)
            let isTooMany = !refused.isEmpty && progress.refused + refused.count > options.errorsMaximum
            progress = try await write(
                lines.filter { !refused.contains($0.number) }, refused.count, end, before, size, caller, isLast: end.isLast && !isTooMany)
            report(progress)
            if isTooMany { throw ImportFault.tooManyErrors(refused: progress.refused, maximum: options.errorsMaximum) }
            if end.isLast { return }
        }
    }

    private struct Verdict: Sendable {
        /// Nil: the line holds.
        var fault: FieldFault?
        /// A customer of the line whose row or key is damaged.
        var damaged: SubjectNumber?
    }

    private func verdict(_ draft: ListingDraft, _ session: SQLSession) throws -> Verdict {
        do {
            return Verdict(fault: try fault(draft, session))
        } catch {
            guard let subject = RowDamage.customer(error) else { throw error }
            return Verdict(fault: .damaged(draft.column, subject), damaged: subject)
        }
    }

    /// - Throws: what `RowDamage.naming` throws where a customer is damaged.
    private func fault(_ draft: ListingDraft, _ session: SQLSession) throws -> FieldFault? {
        let rows = try rows(draft.whom, session)
        if rows.isEmpty { return FieldFault(draft.column, "unknown", "no customer has it") }
        if rows.count > ListImport.sharing {
            return FieldFault(draft.column, "too_many", "more than \(ListImport.sharing) customers have it")
        }
        for row in rows {
            let listed = try RowDamage.naming(row.subject) { try vault.opened(row) }.customer.listed
            if draft.isOff { continue }
            if listed.count >= CustomerLimits.listed, !listed.contains(where: { $0.list == draft.entry.list }) {
                return FieldFault("list", "too_many", "a customer stands on at most \(CustomerLimits.listed) lists")
            }
        }
        return nil
    }

    /// The customers whom the line names.
    private func rows(_ whom: ListingDraft.Whom, _ session: SQLSession) throws -> [CustomerRow] {
        switch whom {
        case .reference(let hash):
            guard let found = try session.row(CustomerStatements.byReference, [.hash(hash)]) else { return [] }
            let subject = SubjectNumber(truncatingIfNeeded: try found.integer("subject"))
            let row = try RowDamage.naming(subject) { try CustomerRow(found, vault.tags) }
            return row.erasedAt == nil ? [row] : []
        case .address(let kind, let hash):
            let holders = try customers.holders(of: hash, kind, after: 0, limit: ListImport.sharing + 1, session)
            return try holders.compactMap { subject in
                try RowDamage.naming(subject) {
                    guard let row = try customers.row(subject: subject, session) else {
                        throw DeskFault.tampered(noun: "customer", key: "\(subject)")
                    }
                    return row.erasedAt == nil ? row : nil
                }
            }
        }
    }

    private func write(
        _ lines: [Line], _ refused: Int, _ end: ImportReading<ListReader>.End, _ before: ImportProgress, _ errorsAt: Int,
        _ caller: Caller, isLast: Bool
    ) async throws -> ImportProgress {
        let circumstances = WritingCircumstances(now: desk.nowMilliseconds, source: caller.name, way: .file)
        return try await desk.store.transaction(durability: .relaxed, limit: .seconds(300)) { session in
            var progress = before
            for line in lines {
                // Read here: two lines may be of one customer. One who was erased since the look-up is no fault of the file's.
                var isNews = false
                for row in try rows(line.draft.whom, session) {
                    if try customers.take(line.draft, row, circumstances, session) { isNews = true }
                }
                if isNews { progress.changed += 1 } else { progress.same += 1 }
            }
            (progress.isDone, progress.position, progress.lines) = (isLast, end.position, end.line)
            progress.refused += refused
            progress.errorsAt = errorsAt
            try progress.move(from: before.lines, at: circumstances.now, session)
            return progress
        }
    }
}

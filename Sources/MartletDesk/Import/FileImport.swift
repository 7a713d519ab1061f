import Guard
import SQL

/// An import from a file: a stream with bounded memory. It can be killed at any moment and goes on where it stood, for the place in the file moves in the
/// transactions of its lines.
public struct FileImport: Sendable {
    let customers: Customers
    let options: ImportOptions

    public init(_ customers: Customers, _ options: ImportOptions) {
        self.customers = customers
        self.options = options
    }

    private var desk: Desk { customers.desk }

    /// A file of the bank's, where it lies; refused lines go to `PATH.errors.csv`.
    /// - Parameter progress: called after each transaction.
    /// - Throws: `ImportFault`, `DeskFault`.
    public func run(
        file path: String, by caller: Caller, progress report: (ImportProgress) -> Void = { _ in }
    ) async throws -> ImportProgress {
        try FileImport.require(caller)
        let file = try ImportFile(path)
        let id = try FileImport.identity(file, options, customers.vault.hashes)
        var last: ImportProgress?
        do {
            let (end, isNew) = try await run(file, place: id, errors: "\(path).errors.csv", by: caller) {
                last = $0
                report($0)
            }
            if isNew { try await enter(end, "done", caller) }
            return end
        } catch {
            // A task of its own: this one may be cancelled, and the entry is made all the same.
            if let reached = last { try await Task { try await enter(reached, "stopped", caller) }.value }
            if case SQLFault.cancelled = error { throw ImportFault.cancelled }
            throw error
        }
    }

    /// Without an entry in the audit.
    /// - Parameters:
    ///   - place: id of the row that says how far it is.
    ///   - errors: path of the file of refused lines.
    /// - Returns: how it ended, and whether anything was left to read.
    func run(
        _ file: ImportFile, place: String, errors: String, by caller: Caller, progress report: (ImportProgress) -> Void
    ) async throws -> (end: ImportProgress, isNew: Bool) {
        let now = desk.nowMilliseconds
        var progress = try await desk.store.transaction { session in
            try ImportProgress.begin(place, source: caller.name, at: now, session)
        }
        let size = file.size
        progress.size = size
        report(progress)
        if progress.isDone { return (progress, false) }
        let errors = try ErrorFile(errors, size: progress.errorsAt)
        switch options.kind {
        case .customers: try await CustomerImport(customers: customers, options: options).run(file, errors, caller, &progress, report)
        case .contacts: try await ContactImport(customers: customers, options: options).run(file, errors, caller, &progress, report)
        case .lists: try await ListImport(customers: customers, options: options).run(file, errors, caller, &progress, report)
        }
        return (progress, true)
    }

    /// The same file read in another way is another import.
    static func identity(_ file: ImportFile, _ options: ImportOptions, _ hashes: CustomerHashes) throws(ImportFault) -> String {
        var identity = try file.identity()
        identity.append(contentsOf: options.reading.utf8)
        return hashes.file(head: identity, bytes: UInt64(file.size))
    }

    /// Files are imported by who belongs to the whole bank.
    static func require(_ caller: Caller) throws(DeskFault) {
        try caller.require(.importCustomers)
        guard caller.unit == nil else {
            throw DeskFault.invalid([FieldFault("unit", "forbidden", "files are imported by who belongs to the whole bank")])
        }
    }

    private func enter(_ progress: ImportProgress, _ outcome: String, _ caller: Caller) async throws(DeskFault) {
        let act = options.kind.act
        try await desk.act(.importCustomers, by: caller) { _ in
            ((), AuditTrail.Line(act: act, object: "import:\(progress.id)", outcome: "\(outcome): \(progress.counts)"))
        }
    }
}

extension ImportKind {
    /// As the audit calls an import of it.
    var act: AuditAct {
        switch self {
        case .customers: .customersImported
        case .contacts: .contactsImported
        case .lists: .listsImported
        }
    }
}

public import Guard
import MartletModel
import MartletStore
import SQL
import Synchronization

/// Files that the desk imports, one after the other: handed in, looked at, cancelled, gone on with.
public struct Imports: Sendable {
    let desk: Desk
    let folder: ImportFolder
    let settings: ImportSettings
    private let hashes: CustomerHashes
    private let seal: RowSeal
    private let uploads = Uploads()

    /// - Parameter folder: `DATA/desk/imports`.
    public init(_ desk: Desk, keys: KeyStore, folder: String, settings: ImportSettings) {
        self.desk = desk
        self.folder = ImportFolder(path: folder, keys: keys)
        self.settings = settings
        hashes = CustomerHashes(keys)
        seal = RowSeal(keys.rowKey, table: "import_job", noun: "import", columns: ImportStatements.jobColumns)
    }

    // MARK: Handing in

    /// Takes a file as it comes and lets it wait for its turn.
    /// - Parameters:
    ///   - size: bytes, where whoever sends says so.
    ///   - place: the import of which this is the file; nil: one of its own.
    ///   - next: the following bytes; nil: there are no more.
    /// - Throws: `ImportFault`, `DeskFault`, and what `next` throws.
    public func take(
        _ options: ImportOptions, size: Int? = nil, place: String? = nil, by caller: Caller, _ next: () async throws -> [UInt8]?
    ) async throws -> ImportView {
        try FileImport.require(caller)
        try uploads.begin()
        defer { uploads.end() }
        try await requireRoom(by: caller)
        try folder.make()
        guard let thread = OwnThread.started("import-upload") else { throw DeskFault.broken("the system gives no thread") }
        defer { thread.stop() }
        let id = MessageID.drawn(desk.nowMilliseconds).description
        let upload = try ImportUpload(thread, folder, id: id, settings: settings)
        if let size { try await upload.check(size) }
        while let bytes = try await next() { try await upload.add(bytes) }
        let bytes = try await upload.end()
        if let size, size != bytes { throw ImportFault.cannotRead(path: "the file", reason: "\(bytes) bytes came instead of \(size)") }
        let now = desk.nowMilliseconds
        let job = ImportJob(
            id: id, version: 1, state: .waiting, options: options, place: place ?? id, size: bytes, source: caller.name,
            reason: caller.reason, createdAt: now, changedAt: now)
        let seal = seal
        do throws(DeskFault) {
            try await desk.act(.importCustomers, by: caller) { session in
                try session.run(ImportStatements.addJob, job.values + [seal.tag(job.values)])
                return ((), line(job, .importTaken, "\(options.kind.rawValue), \(bytes) bytes"))
            }
        } catch {
            // The job may be there. If it is not, the file is found without one and goes.
            if case .store(.commitUnknown) = error { await upload.keep() }
            throw error
        }
        await upload.keep()
        return try await get(id, by: caller)
    }

    /// A file of this machine, read where it lies.
    public func take(file path: String, _ options: ImportOptions, place: String, by caller: Caller) async throws -> ImportView {
        let bytes = try PlainBytes(path)
        var at = 0
        return try await take(options, size: bytes.size, place: place, by: caller) {
            var piece = [UInt8](repeating: 0, count: FileSeal.pieceBytes)
            let count = try piece.withUnsafeMutableBytes { bytes.read(at: at, into: $0) }.get()
            at += count
            return count == 0 ? nil : Array(piece.prefix(count))
        }
    }

    private func requireRoom(by caller: Caller) async throws {
        let count = try await desk.read(.importCustomers, by: caller) { session in try open(session).jobs.count }
        guard count < ImportSettings.openMaximum else { throw ImportFault.full(reason: "\(count) imports wait; wait for some of them") }
    }

    // MARK: Looking

    /// Newest first, each read for itself: one whose row is damaged is named, and the others are shown.
    public func list(_ wish: PageWish, by caller: Caller) async throws(DeskFault) -> Page<ImportEntry> {
        try FileImport.require(caller)
        // Digits of an id are below this letter.
        let before = wish.after?.text ?? "g"
        return try await desk.read(.importCustomers, by: caller) { session in
            let rows = try session.rows(ImportStatements.jobs, [.text(before), .number(wish.limit + 1)])
            return Page(try rows.map { try entry($0, session) }, limit: wish.limit, cursor: { Cursor(text: $0.id) })
        }
    }

    public func get(_ id: String, by caller: Caller) async throws(DeskFault) -> ImportView {
        try FileImport.require(caller)
        return try await desk.read(.importCustomers, by: caller) { session in try view(try find(id, session), session) }
    }

    /// The newest job of the same file, read in the same way; and how far its import is, whoever runs it.
    public func known(
        file path: String, _ options: ImportOptions, by caller: Caller
    ) async throws -> (place: String, job: ImportView?, progress: ImportProgress?) {
        let place = try FileImport.identity(try ImportFile(path), options, hashes)
        return try await desk.read(.importCustomers, by: caller) { session in
            // One that is damaged says nothing of the file.
            let jobs = try session.rows(ImportStatements.jobsOfPlace, [.text(place)]).compactMap { try read($0).job }
            return (place, try jobs.first.map { try view($0, session) }, try ImportProgress.find(place, session))
        }
    }

    /// The file of refused lines, as far as its lines are counted, piece by piece; empty: there are none.
    public func errors(_ id: String, by caller: Caller) async throws -> @Sendable () throws -> [UInt8]? {
        let view = try await get(id, by: caller)
        guard view.progress.errorsAt > 0 else { return { nil } }
        let pieces: ErrorPieces
        do throws(ImportFault) {
            pieces = ErrorPieces(try PlainBytes(folder.errors(id)), end: view.progress.errorsAt)
        } catch {
            throw DeskFault.broken("\(error)")
        }
        return { try pieces.next() }
    }

    // MARK: Changing

    /// Ends an import that is not done; what was read stays. The file goes.
    public func cancel(_ id: String, by caller: Caller) async throws(DeskFault) -> ImportView {
        let view = try await change(id, by: caller, .importCancelled) { job throws(DeskFault) in
            guard job.state.isOpen || job.state == .stopped else {
                throw .conflict(field: "state", reason: "the import is \(job.state.word)")
            }
            job.state = .cancelled
        }
        // One that runs is read from until it notices, which the open file outlives.
        do throws(ImportFault) {
            try folder.removeFile(id)
        } catch {
            throw .broken("\(error)")
        }
        return view
    }

    /// Goes on with one that stopped.
    /// - Parameter errorsMaximum: lines that may be refused in all; nil: as before.
    public func resume(_ id: String, errorsMaximum: Int?, by caller: Caller) async throws(DeskFault) -> ImportView {
        if let errorsMaximum, errorsMaximum < 0 { throw .invalid([FieldFault("maxErrors", "range", "0 or more")]) }
        return try await change(id, by: caller, .importResumed) { job throws(DeskFault) in
            guard job.state == .stopped else { throw .conflict(field: "state", reason: "the import is \(job.state.word)") }
            job.state = .waiting
            job.fault = nil
            if let errorsMaximum { job.options.errorsMaximum = errorsMaximum }
        }
    }

    /// Takes away one whose row is damaged, with its files: nothing of it can be believed, so it can be neither cancelled nor gone on with.
    public func discard(_ id: String, by caller: Caller) async throws(DeskFault) {
        try FileImport.require(caller)
        let seal = seal
        try await desk.act(.importCustomers, by: caller) { session in
            guard let row = try session.row(ImportStatements.job, [.text(id)]) else { throw DeskFault.notFound(noun: "import", key: id) }
            do {
                try seal.check(row, id)
            } catch DeskFault.tampered {
                try session.run(ImportStatements.forgetJob, [.text(id)])
                return ((), AuditTrail.Line(act: .importCancelled, object: "import:\(id)", outcome: "discarded: its row was damaged"))
            }
            throw DeskFault.conflict(field: "state", reason: "its row is as Martlet wrote it; cancel it instead")
        }
        // Who can write to the table can write any text as an id, which is no name of a file of ours then.
        guard MessageID(text: id) != nil else { return }
        do throws(ImportFault) {
            try folder.removeFile(id)
            try folder.removeErrors(id)
        } catch {
            throw .broken("\(error)")
        }
    }

    private func change(
        _ id: String, by caller: Caller, _ act: AuditAct, _ change: @escaping @Sendable (inout ImportJob) throws(DeskFault) -> Void
    ) async throws(DeskFault) -> ImportView {
        try FileImport.require(caller)
        return try await desk.act(.importCustomers, by: caller) { session in
            var job = try find(id, session)
            try change(&job)
            try write(&job, session)
            let view = try view(job, session)
            return (view, line(job, act, view.progress.counts))
        }
    }

    // MARK: For whoever works at them

    /// Those that run or wait: first the one that runs, then by how long they have waited; and those of them whose rows are damaged.
    func open() async throws -> (jobs: [ImportJob], damaged: [DamagedImport]) {
        try await desk.store.read { try open($0) }
    }

    private func open(_ session: SQLSession) throws -> (jobs: [ImportJob], damaged: [DamagedImport]) {
        var (jobs, damaged): ([ImportJob], [DamagedImport]) = ([], [])
        for state in [ImportJob.State.running, .waiting] {
            var after = ""
            while true {
                let rows = try session.rows(
                    ImportStatements.jobsInState, [.integer(state.rawValue), .text(after), .number(Imports.rowsAtOnce)])
                for row in rows {
                    switch try read(row) {
                    case .sound(let job): jobs.append(job)
                    case .damaged(let one): damaged.append(one)
                    }
                    after = try row.text("id")
                }
                if rows.count < Imports.rowsAtOnce { break }
            }
        }
        return (jobs, damaged)
    }

    private static let rowsAtOnce = 100

    func isCancelled(_ id: String) async throws -> Bool {
        try await desk.store.read { try find(id, $0).state == .cancelled }
    }

    /// Begins it.
    func start(_ id: String) async throws -> ImportJob {
        try await desk.store.transaction(repeats: 3) { session in
            var job = try find(id, session)
            if job.state == .waiting {
                job.state = .running
                try write(&job, session)
            }
            return job
        }
    }

    /// Ends it, with its entry in the audit; on the disk when this returns, so that the file may go.
    /// - Parameter fault: why it stopped; nil: it is done.
    func end(_ job: ImportJob, fault: String?) async throws(DeskFault) {
        try await desk.act(.importCustomers, by: job.caller) { session in
            var job = try find(job.id, session)
            let counts = try view(job, session).progress.counts
            // Cancelled meanwhile: so it stays, whatever was read until then.
            if job.state != .cancelled {
                job.state = fault == nil ? .done : .stopped
                job.fault = fault
                try write(&job, session)
            }
            let outcome = job.state == .cancelled ? "cancelled" : fault == nil ? "done" : "stopped"
            return ((), line(job, job.options.kind.act, "\(outcome): \(counts)"))
        }
    }

    // MARK: Rows

    func find(_ id: String, _ session: SQLSession) throws -> ImportJob {
        guard let row = try session.row(ImportStatements.job, [.text(id)]) else { throw DeskFault.notFound(noun: "import", key: id) }
        return try ImportJob(row, seal)
    }

    private enum Read {
        case sound(ImportJob)
        case damaged(DamagedImport)

        var job: ImportJob? { if case .sound(let job) = self { job } else { nil } }
    }

    /// Whatever is wrong with a row is the row's alone.
    private func read(_ row: SQLRow) throws -> Read {
        let id = try row.text("id")
        do {
            return .sound(try ImportJob(row, seal))
        } catch DeskFault.tampered {
            let reason = "its row is not as Martlet wrote it; discard it, and hand the file in again"
            return .damaged(DamagedImport(id: id, reason: reason))
        } catch {
            return .damaged(DamagedImport(id: id, reason: DeskFault.of(error).description))
        }
    }

    private func entry(_ row: SQLRow, _ session: SQLSession) throws -> ImportEntry {
        switch try read(row) {
        case .sound(let job): .sound(try view(job, session))
        case .damaged(let one): .damaged(one)
        }
    }

    private func view(_ job: ImportJob, _ session: SQLSession) throws -> ImportView {
        var progress = try ImportProgress.find(job.place, session) ?? ImportProgress(id: job.place)
        progress.size = job.size
        return ImportView(job: job, progress: progress)
    }

    private func write(_ job: inout ImportJob, _ session: SQLSession) throws {
        let before = job.version
        job.version += 1
        job.changedAt = desk.nowMilliseconds
        let values: [SQLValue] = [
            .text(job.id), .integer(before), .integer(job.version), .integer(job.state.rawValue), job.stored, .text(job.fault),
            .integer(job.changedAt), seal.tag(job.values),
        ]
        guard try session.run(ImportStatements.changeJob, values) == 1 else {
            throw DeskFault.changed(noun: "import", version: job.version)
        }
    }

    private func line(_ job: ImportJob, _ act: AuditAct, _ outcome: String) -> AuditTrail.Line {
        AuditTrail.Line(act: act, object: "import:\(job.id)", outcome: outcome)
    }
}

/// Files that come in now.
private final class Uploads: Sendable {
    private let count = Mutex(0)

    func begin() throws(ImportFault) {
        let isFree = count.withLock { count in
            guard count < ImportSettings.uploadsMaximum else { return false }
            count += 1
            return true
        }
        guard isFree else { throw .full(reason: "\(ImportSettings.uploadsMaximum) files come in already; wait for one of them") }
    }

    func end() { count.withLock { $0 -= 1 } }
}

extension MessageID {
    /// 48 bits of time, version 7, then what is drawn, with the variant's two bits (RFC 9562, section 5.7).
    fileprivate static func drawn(_ milliseconds: Int64) -> MessageID {
        MessageID(
            high: UInt64(truncatingIfNeeded: milliseconds) << 16 | 0x7000 | .random(in: 0...0xFFF),
            low: 1 << 63 | .random(in: 0..<1 << 62))
    }
}

public import Logging
public import MartletModel
import SQL
import Synchronization

/// What the desk's imports counted since it started.
public final class ImportFigures: Sendable {
    static let linesMetric = Metric("martlet_desk_import_lines_total", .counter, doc: "Lines of files that the desk imported or refused.")
    static let refusedMetric = Metric("martlet_desk_import_refused_total", .counter, doc: "Lines of those files that were refused.")
    static let stoppedMetric = Metric(
        "martlet_desk_imports_stopped_total", .counter,
        doc: "Imports that stopped before the end of their file; `GET /v1/imports` says why.")
    static let damagedMetric = Metric(
        "martlet_desk_imports_damaged", .gauge,
        doc: "Imports set aside because their rows are not as Martlet wrote them; `GET /v1/imports` names them.")
    static let runningMetric = Metric("martlet_desk_import_running", .gauge, doc: "1 while the desk imports a file.")

    public static let metrics = [linesMetric, refusedMetric, stoppedMetric, damagedMetric, runningMetric]

    private struct Sums {
        var lines = 0
        var refused = 0
        var stopped = 0
        var damaged: Set<String> = []
        var isRunning = false
    }

    private let sums = Mutex(Sums())

    public init() {}

    public var samples: [(metric: Metric, value: Double)] {
        let sums = sums.withLock { $0 }
        return [
            (ImportFigures.linesMetric, Double(sums.lines)), (ImportFigures.refusedMetric, Double(sums.refused)),
            (ImportFigures.stoppedMetric, Double(sums.stopped)),
            (ImportFigures.damagedMetric, Double(sums.damaged.count)), (ImportFigures.runningMetric, sums.isRunning ? 1 : 0),
        ]
    }

    func moved(from before: ImportProgress, to after: ImportProgress) {
        sums.withLock { sums in
            sums.lines += after.lines - before.lines
            sums.refused += after.refused - before.refused
        }
    }

    func run(_ isRunning: Bool) { sums.withLock { $0.isRunning = isRunning } }
    func stop() { sums.withLock { $0.stopped += 1 } }

    /// - Parameter damaged: all that are now.
    /// - Returns: those that were not before.
    func setAside(_ damaged: [DamagedImport]) -> [DamagedImport] {
        sums.withLock { sums in
            defer { sums.damaged = Set(damaged.map(\.id)) }
            return damaged.filter { !sums.damaged.contains($0.id) }
        }
    }
}

/// Imports what waits, one file after the other; part of a running desk.
public struct ImportWorker: Sendable {
    private let imports: Imports
    private let customers: Customers
    private let names: @Sendable () async throws -> CustomerNames
    private let figures: ImportFigures
    private let logger: Logger
    /// Between two looks at what waits, and at whether what runs was cancelled.
    private let pause: Duration

    /// - Parameter names: what the bank calls units, packages and so on, read anew for each file.
    public init(
        _ imports: Imports, _ customers: Customers, names: @escaping @Sendable () async throws -> CustomerNames,
        figures: ImportFigures = ImportFigures(), logger: Logger, pause: Duration = .seconds(1)
    ) {
        self.imports = imports
        self.customers = customers
        self.names = names
        self.figures = figures
        self.logger = logger
        self.pause = pause
    }

    /// Until the task is cancelled.
    /// - Throws: what keeps it from its work for now; run again, it goes on.
    public func run() async throws {
        var sinceCleaning = 0
        try imports.folder.make()
        while true {
            if sinceCleaning == 0 { try await imports.clean() }
            sinceCleaning = (sinceCleaning + 1) % 3600
            while try await step() {}
            try await Task.sleep(for: pause)
        }
    }

    /// - Returns: false: nothing waits.
    func step() async throws -> Bool {
        let open = try await imports.open()
        for one in figures.setAside(open.damaged) {
            logger.error("an import is set aside, the others go on", metadata: ["import": "\(one.id)", "fault": "\(one.reason)"])
        }
        guard let waiting = open.jobs.first else { return false }
        let job = try await imports.start(waiting.id)
        guard job.state == .running else { return true }
        figures.run(true)
        defer { figures.run(false) }
        do {
            try await work(job)
            try await imports.end(job, fault: nil)
        } catch {
            // The desk stops: it goes on with this one when it comes back.
            if Task.isCancelled { throw CancellationError() }
            guard let fault = ImportWorker.lasting(error) else { throw error }
            try await imports.end(job, fault: fault)
            if case ImportFault.cancelled = error { return try finished(job) }
            figures.stop()
            logger.warning("an import stopped", metadata: ["import": "\(job.id)", "fault": "\(fault)"])
            return true
        }
        return try finished(job)
    }

    /// Its end is on the disk: the file may go.
    private func finished(_ job: ImportJob) throws -> Bool {
        try imports.folder.removeFile(job.id)
        return true
    }

    private func work(_ job: ImportJob) async throws {
        var known = customers
        known.names = try await names()
        var options = job.options
        // One core at most: the desk answers meanwhile.
        (options.lines, options.tasks) = (imports.settings.lines, 1)
        let importing = FileImport(known, options)
        let (imports, pause, figures) = (imports, pause, figures)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                var last: ImportProgress?
                _ = try await importing.run(
                    try imports.folder.open(job), place: job.place, errors: imports.folder.errors(job.id), by: job.caller
                ) { progress in
                    if let last { figures.moved(from: last, to: progress) }
                    last = progress
                }
                return true
            }
            group.addTask {
                while try await !imports.isCancelled(job.id) { try await Task.sleep(for: pause) }
                return false
            }
            defer { group.cancelAll() }
            guard try await group.next() == false else { return }
            group.cancelAll()
            // The stretch that is being written comes to its end first; how the rest ends, nobody asks any more.
            _ = await group.nextResult()
            throw ImportFault.cancelled
        }
    }

    /// What will not pass by itself, in words without personal data; nil: it may.
    private static func lasting(_ error: any Error) -> String? {
        switch error {
        case ImportFault.runsElsewhere: nil
        case let fault as ImportFault: fault.description
        case DeskFault.store(let fault): lasting(fault)
        case let fault as DeskFault: fault.description
        case let fault as SQLFault: lasting(fault)
        default: "\(error)"
        }
    }

    private static func lasting(_ fault: SQLFault) -> String? {
        switch fault {
        case .busy, .cancelled, .timedOut, .away, .lost, .commitUnknown, .conflict, .readOnly, .full, .disk, .connect, .closed: nil
        // What the database says of it may hold what stood in the row; the log has it.
        case .constraint, .refused, .corrupt, .parameters, .row, .tooManyRows, .unknownStatement, .setting:
            "the store does not take it; the log of the desk says more"
        }
    }
}

import ArgumentParser
import FoundationEssentials
import Glibc
import MartletDesk

/// Hands a file to the running desk and shows how far it is. The desk goes on when this program ends; run again, it shows the same import.
struct ImportThroughDesk {
    let imports: Imports
    let caller: Caller
    let file: String
    let options: ImportOptions

    func run() async throws {
        let shown = ImportReport()
        let known = try await imports.known(file: file, options, by: caller)
        if let end = known.progress, end.isDone {
            if end.refused > 0, let job = known.job { try await copyErrors(job.job.id) }
            return print(shown.summary(end, errors))
        }
        let job: ImportView
        switch known.job {
        case let there? where there.job.state.isOpen: job = there
        case let there? where there.job.state == .stopped:
            job = try await imports.resume(there.job.id, errorsMaximum: options.errorsMaximum, by: caller)
        default: job = try await imports.take(file: file, options, place: known.place, by: caller)
        }
        print("the desk has it as import \(job.job.id); it goes on when this program ends, `martlet import cancel` stops it")
        fflush(nil)
        let end = try await ended(job, shown)
        if end.progress.refused > 0 { try await copyErrors(job.job.id) }
        switch end.job.state {
        case .done: print(shown.summary(end.progress, errors))
        case .stopped: throw ImportCommand.failure("the import stopped: \(end.job.fault ?? "")")
        case .waiting, .running, .cancelled: throw ImportCommand.failure("the import is \(end.job.state.word)")
        }
    }

    private var errors: String { "\(file).errors.csv" }

    private func ended(_ job: ImportView, _ shown: ImportReport) async throws -> ImportView {
        var view = job
        var state: ImportJob.State?
        while view.job.state.isOpen {
            if view.job.state != state, view.job.state == .waiting { print("it waits for the desk to begin with it") }
            if view.job.state == .running { shown.show(view.progress) }
            state = view.job.state
            try await Task.sleep(for: .milliseconds(300))
            view = try await imports.get(job.job.id, by: caller)
        }
        return view
    }

    private func copyErrors(_ id: String) async throws {
        let next = try await imports.errors(id, by: caller)
        var bytes: [UInt8] = []
        // At most as many lines as may be refused.
        while let piece = try next() { bytes += piece }
        do {
            try Data(bytes).write(to: URL(filePath: errors), options: .atomic)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: errors)
        } catch {
            throw ImportCommand.failure("\(errors) cannot be written; the desk has the refused lines at /v1/imports/\(id)/errors")
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
        print("\(progress.percent) %, \(progress.lines) lines, \(rate) a second, \(left) s left, \(progress.refused) refused")
        // Also where it goes into a file or another program.
        fflush(nil)
    }

    func summary(_ end: ImportProgress, _ errors: String) -> String {
        let counts = "\(end.added) added, \(end.changed) changed, \(end.same) as they were, \(end.refused) refused"
        return "import \(end.id) done: \(end.lines) lines, \(counts), \(pace(end).rate) lines a second"
            + (end.refused > 0 ? "; the refused ones are in \(errors)" : "")
    }

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

extension ImportProgress {
    var percent: Int { size == 0 ? 100 : position * 100 / size }
}

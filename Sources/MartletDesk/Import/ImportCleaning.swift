import MartletStore
import SQL

extension Imports {
    /// Jobs that one transaction forgets.
    private static let jobsInStep = 100

    /// Takes away what nobody needs any more: imports that ended, or stopped, so long ago as `imports.keep` says, with their files of refused lines; and
    /// files that a crash left.
    /// - Returns: imports that were forgotten.
    @discardableResult func clean() async throws -> Int {
        let before = desk.nowMilliseconds - settings.keep
        var forgotten = 0
        for state in [ImportJob.State.done, .cancelled, .stopped] {
            while true {
                let gone = try await forget(state, before)
                forgotten += gone
                if gone < Imports.jobsInStep { break }
            }
        }
        // What the command imported without a desk has no job.
        forgotten += try await desk.store.transaction(repeats: 3) { try $0.run(ImportStatements.forget, [.integer(before)]) }
        if forgotten > 0 {
            let count = forgotten
            try await desk.act(.importCustomers, by: .system("imports")) { _ in
                ((), AuditTrail.Line(act: .importsForgotten, object: "import", outcome: "\(count) import(s)"))
            }
        }
        try await sweep()
        return forgotten
    }

    private func forget(_ state: ImportJob.State, _ before: Int64) async throws -> Int {
        try await desk.store.transaction(repeats: 3) { session in
            let rows = try session.rows(
                ImportStatements.oldJobs, [.integer(state.rawValue), .integer(before), .number(Imports.jobsInStep)])
            // By their ids alone: a row that was changed goes too.
            for row in rows { try session.run(ImportStatements.forgetJob, [.text(try row.text("id"))]) }
            return rows.count
        }
    }

    /// Files whose jobs are over or were never entered. Who writes one holds its lock until the job is in the store, so the lock is looked at first.
    private func sweep() async throws {
        let names = try folder.names()
        for id in names.files where folder.isLeft(id) {
            switch try await standing(id) {
            case .none, .over: try folder.removeFile(id)
            case .wanted: break
            }
        }
        for id in names.errors where try await standing(id) == .none { try folder.removeErrors(id) }
    }

    private enum Standing {
        /// There is no such import.
        case none
        case over
        /// Its file is still to be read; or its row is damaged, and the file stays until somebody discards it.
        case wanted
    }

    private func standing(_ id: String) async throws -> Standing {
        try await desk.store.read { session in
            do {
                let state = try find(id, session).state
                return state == .done || state == .cancelled ? .over : .wanted
            } catch DeskFault.notFound {
                return .none
            } catch is DeskFault {
                return .wanted
            }
        }
    }
}

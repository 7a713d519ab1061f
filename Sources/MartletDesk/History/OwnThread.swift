import Threads

/// A thread that an actor runs on: for work that waits for the disk, which must not hold one of the few threads that all tasks share.
final class OwnThread: SerialExecutor {
    private struct Waiting {
        var jobs: [UnownedJob] = []
        var isStopping = false
    }

    private let waiting = Monitor(Waiting())

    /// - Parameter name: as the system shows it, at most 15 characters.
    /// - Returns: nil when the system gives no thread.
    static func started(_ name: String) -> OwnThread? {
        let own = OwnThread()
        // The thread keeps the object until `stop`.
        guard let worker = Worker(name, { own.run() }) else { return nil }
        worker.detach()
        return own
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        waiting.change { $0.jobs.append(job) }
    }

    /// Ends the thread once nothing waits. Nothing may be asked of its actor after that.
    func stop() { waiting.change { $0.isStopping = true } }

    private func run() {
        while true {
            let work = waiting.wait(until: { !$0.jobs.isEmpty || $0.isStopping }) { waiting in
                defer { waiting.jobs.removeAll(keepingCapacity: true) }
                return waiting.jobs
            }
            if work.isEmpty { return }
            for job in work { job.runSynchronously(on: asUnownedSerialExecutor()) }
        }
    }
}

import Glibc

/// A thread that an actor runs on: for work that waits for the disk, which must not hold one of the few threads that all tasks share.
///
/// `@unchecked Sendable`: `jobs` and `isStopping` are touched only with `mutex` held; the thread keeps this object until `stop`.
final class OwnThread: SerialExecutor, @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [UnownedJob] = []
    private var isStopping = false

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    /// - Returns: nil when the system gives no thread.
    static func started() -> OwnThread? {
        let own = OwnThread()
        let kept = Unmanaged.passRetained(own)
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<OwnThread>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, kept.toOpaque())
        guard code == 0 else {
            kept.release()
            return nil
        }
        pthread_detach(thread)
        return own
    }

    deinit {
        pthread_cond_destroy(changed)
        changed.deallocate()
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pthread_mutex_lock(mutex)
        jobs.append(job)
        pthread_cond_signal(changed)
        pthread_mutex_unlock(mutex)
    }

    /// Ends the thread once nothing waits. Nothing may be asked of its actor after that.
    func stop() {
        pthread_mutex_lock(mutex)
        isStopping = true
        pthread_cond_signal(changed)
        pthread_mutex_unlock(mutex)
    }

    private func run() {
        while true {
            pthread_mutex_lock(mutex)
            while jobs.isEmpty, !isStopping { pthread_cond_wait(changed, mutex) }
            let work = jobs
            jobs.removeAll(keepingCapacity: true)
            pthread_mutex_unlock(mutex)
            if work.isEmpty { return }
            for job in work { job.runSynchronously(on: asUnownedSerialExecutor()) }
        }
    }
}

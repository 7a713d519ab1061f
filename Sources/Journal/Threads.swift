import CJournal
import Glibc

/// State behind one lock, with waiting for a condition on it. Made of POSIX threads rather than `Mutex`, so that the thread
/// sanitizer sees what it orders.
///
/// `@unchecked Sendable`: `state`, a heap cell that nothing else points to, is touched only with `mutex` held.
final class Monitor<State>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let state = UnsafeMutablePointer<State>.allocate(capacity: 1)

    init(_ initial: sending State) {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
        state.initialize(to: initial)
    }

    deinit {
        state.deinitialize(count: 1)
        state.deallocate()
        pthread_cond_destroy(changed)
        changed.deallocate()
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Changes the state without waking anyone.
    func locked<R, E: Error>(_ body: (inout State) throws(E) -> R) throws(E) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state.pointee)
    }

    /// Changes the state, then wakes all who wait.
    func change<R>(_ body: (inout State) -> R) -> R {
        pthread_mutex_lock(mutex)
        let result = body(&state.pointee)
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
        return result
    }

    /// Waits until `ready` holds or `timeout` nanoseconds are over (nil: for ever), then runs `body`.
    func wait<R>(timeout: UInt64? = nil, until ready: (State) -> Bool, then body: (inout State) -> R) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        if let timeout {
            var end = timespec()
            clock_gettime(CLOCK_MONOTONIC, &end)
            let nanoseconds = UInt64(end.tv_nsec) + timeout
            end.tv_sec += Int(nanoseconds / 1_000_000_000)
            end.tv_nsec = Int(nanoseconds % 1_000_000_000)
            while !ready(state.pointee), pthread_cond_timedwait(changed, mutex, &end) == 0 {}
        } else {
            while !ready(state.pointee) { pthread_cond_wait(changed, mutex) }
        }
        return body(&state.pointee)
    }
}

/// A thread of the operating system.
struct Worker: Sendable {
    private let thread: pthread_t

    private final class Work {
        let name: String
        let body: @Sendable () -> Void
        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// nil when the system gives no thread.
    /// - Parameter name: at most 15 bytes, seen in `top -H`.
    init?(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let work = Unmanaged.passRetained(Work(name, body))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let work = Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
                cj_name_thread(work.name)
                work.body()
                return nil
            }, work.toOpaque())
        guard result == 0 else {
            work.release()
            return nil
        }
        self.thread = thread
    }

    var isCurrent: Bool { pthread_equal(thread, pthread_self()) != 0 }

    func join() { pthread_join(thread, nil) }
    func detach() { pthread_detach(thread) }
}

public import Glibc

/// State behind one lock, with waiting for a change of it. Made of POSIX threads rather than `Mutex`, so that the thread sanitizer sees
/// what it orders. Inlinable: a lock is taken for a few instructions, and who calls through a generic not specialised pays many times that.
///
/// `@unchecked Sendable`: `state`, a heap cell that nothing else points to, is touched only with `mutex` held.
public final class Monitor<State>: @unchecked Sendable {
    @usableFromInline let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    @usableFromInline let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    @usableFromInline let state = UnsafeMutablePointer<State>.allocate(capacity: 1)

    @inlinable
    public init(_ initial: sending State) {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
        state.initialize(to: initial)
    }

    @inlinable
    deinit {
        state.deinitialize(count: 1)
        state.deallocate()
        pthread_cond_destroy(changed)
        changed.deallocate()
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Changes the state without waking anyone.
    @inlinable
    public func locked<Result, Failure: Error>(_ body: (inout State) throws(Failure) -> Result) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state.pointee)
    }

    /// Changes the state, then wakes all who wait.
    @inlinable
    public func change<Result>(_ body: (inout State) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        let result = body(&state.pointee)
        pthread_cond_broadcast(changed)
        return result
    }

    /// Runs `body` until it gives a result; between runs waits for a change, or for the moment that it names.
    @inlinable
    public func wait<Result>(_ body: (inout State) -> Step<Result>) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            switch body(&state.pointee) {
            case .go(let result): return result
            case .wait(until: nil): pthread_cond_wait(changed, mutex)
            case .wait(until: let moment?):
                var end = timespec(tv_sec: Int(moment / 1_000_000_000), tv_nsec: Int(moment % 1_000_000_000))
                pthread_cond_timedwait(changed, mutex, &end)
            }
        }
    }

    /// Waits until `ready` holds or `timeout` nanoseconds are over (nil: for ever), then runs `body`, ready or not.
    @inlinable
    public func wait<Result>(timeout: UInt64? = nil, until ready: (State) -> Bool, then body: (inout State) -> Result) -> Result {
        let end = timeout.map { steadyNow().addingReportingOverflow($0).partialValue }
        return wait { state in
            if ready(state) || end.map({ steadyNow() >= $0 }) ?? false { return .go(body(&state)) }
            return .wait(until: end)
        }
    }
}

/// What who waits wants next.
public enum Step<Result> {
    case go(Result)
    /// Monotonic nanoseconds (`steadyNow`); nil: until something changes.
    case wait(until: UInt64?)
}

/// Nanoseconds of the clock that a monitor waits by: monotonic, and of no day.
public func steadyNow() -> UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}

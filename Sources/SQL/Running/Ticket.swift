import Glibc
import Synchronization
import Threads

/// How long a call may take, and whether it is still wanted. Asked from its worker while it runs.
final class Ticket: Sendable {
    /// Monotonic nanoseconds.
    let deadline: UInt64
    private let isCancelled = Atomic<Bool>(false)

    /// What is left of the time limit, at least `least`: for a commit or a rollback, which is not to be left half done.
    func ending(least: Duration) -> Ticket {
        let now = Clock.now
        return Ticket(limit: max(least, .nanoseconds(Int64(clamping: deadline > now ? deadline - now : 0))))
    }

    init(limit: Duration) { deadline = Clock.now + Clock.nanoseconds(limit) }

    func cancel() { isCancelled.store(true, ordering: .releasing) }

    /// Why no more time should go into it; nil: go on.
    func over(during: String) -> SQLFault? {
        if isCancelled.load(ordering: .acquiring) { return .cancelled }
        return Clock.now >= deadline ? .timedOut(during: during) : nil
    }
}

enum Clock {
    /// Monotonic nanoseconds.
    static var now: UInt64 { steadyNow() }

    /// Wall milliseconds since 1970.
    static var wall: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// For threads of the store only.
    static func pause(_ duration: Duration) {
        var time = timespec(tv_sec: Int(duration.components.seconds), tv_nsec: Int(duration.components.attoseconds / 1_000_000_000))
        nanosleep(&time, nil)
    }

    /// At least one and at most a year, so that sums cannot overflow.
    static func nanoseconds(_ duration: Duration) -> UInt64 {
        let bounded = min(max(duration, .nanoseconds(1)), .seconds(31_536_000))
        return UInt64(bounded.components.seconds) * 1_000_000_000 + UInt64(bounded.components.attoseconds / 1_000_000_000)
    }
}

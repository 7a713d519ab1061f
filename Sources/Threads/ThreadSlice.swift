import CThreads
import Glibc

/// How long a thread may keep a core that another one waits for.
///
/// Linux lets who has a core finish a slice, 3 ms by default, before one that wakes up gets its turn. From 6.12 on a thread names its own, and one
/// with a shorter slice does not wait for one with a longer (sched_setattr(2), `sched_runtime` of a thread under `SCHED_OTHER`). It takes no larger
/// share by that, so it needs no right.
public enum ThreadSlice {
    /// The least that the kernel gives. Nanoseconds.
    public static let least: UInt64 = 100_000

    public enum Outcome: Equatable, Sendable {
        case short
        /// The kernel knows no slices of threads.
        case unknown
        /// `errno` of what could not be read or set.
        case failed(CInt)
    }

    /// Of every thread of this process, and so of all that they start.
    public static func shortenAll() -> Outcome {
        // A thread inherits the slice of the one that starts it, so after a round that met none which was still as before there is none.
        for _ in 0..<16 {
            let threads: [CInt]
            do throws(ThreadList.Unreadable) { threads = try ThreadList.all() } catch { return .failed(error.code) }
            var isDone = true
            for thread in threads where of(thread) != least {
                isDone = false
                let code = set(thread, least)
                // One that ended meanwhile is none any more.
                guard code == 0 || code == ESRCH else { return .failed(code) }
                if code == 0, of(thread) == nil { return .unknown }
            }
            if isDone { return .short }
        }
        return .failed(EAGAIN)
    }

    /// Nanoseconds; nil: the kernel does not tell, or there is no such thread. Thread 0 is the calling one.
    public static func of(_ thread: CInt) -> UInt64? {
        var attributes = threads_attributes()
        guard threads_get_attributes(thread, &attributes) == 0, attributes.runtime > 0 else { return nil }
        return attributes.runtime
    }

    /// The slice of one thread is the kernel's own again, as of a thread whose parent has a short one.
    /// - Returns: 0, or what `errno` says.
    public static func giveBack(_ thread: CInt) -> CInt { set(thread, 0) }

    private static func set(_ thread: CInt, _ nanoseconds: UInt64) -> CInt {
        // Niceness and policy are set by the same call, to what they are.
        var attributes = threads_attributes()
        let code = threads_get_attributes(thread, &attributes)
        guard code == 0 else { return code }
        attributes.runtime = nanoseconds
        return threads_set_attributes(thread, &attributes)
    }
}

import Glibc
import Threads

/// Puts the desk behind the node where both want the same core.
///
/// A projector that catches up wants all it can get, and the scheduler gives each who wants a core the same: on two cores the node's loop
/// then waits several milliseconds for its turn. Two things help, and neither needs a right: niceness, by which the desk gets a
/// smaller share, and the batch policy, by which a desk that wakes up never takes the core from who is at work (sched(7)). The short
/// slices (`ThreadSlice`) that it has from the node which started it are given back.
public enum DeskPriority {
    /// `SCHED_BATCH` of <sched.h>, which Swift's Glibc module leaves out.
    private static let batch: Int32 = 3
    /// On Linux a number of a process here is one of a thread.
    private static let oneThread = __priority_which_t(PRIO_PROCESS.rawValue)

    /// Of every thread of this process, and so of all that they start.
    /// - Parameter niceness: 1...19, as nice(1) has it; 0 changes nothing.
    /// - Returns: why it could not be done; nil: it was.
    public static func lower(to niceness: Int) -> String? {
        guard niceness > 0 else { return nil }
        // Linux keeps both for each thread. A thread inherits them from the one that starts it, so after a round that met none which was
        // still as before there is none.
        for _ in 0..<16 {
            let threads: [pid_t]
            do throws(ThreadList.Unreadable) { threads = try ThreadList.all() } catch {
                return "the list of threads cannot be read: errno \(error.code)"
            }
            var isDone = true
            for thread in threads where getpriority(oneThread, id_t(thread)) < Int32(niceness) {
                isDone = false
                // One that ended meanwhile is none any more.
                if setpriority(oneThread, id_t(thread), Int32(niceness)) != 0, errno != ESRCH { return String(cString: strerror(errno)) }
                var none = sched_param()
                if sched_setscheduler(thread, batch, &none) != 0, errno != ESRCH { return String(cString: strerror(errno)) }
                let code = ThreadSlice.giveBack(thread)
                if code != 0, code != ESRCH { return String(cString: strerror(code)) }
            }
            if isDone { return nil }
        }
        return "new threads come and come"
    }
}

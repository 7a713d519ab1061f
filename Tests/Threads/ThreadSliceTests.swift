import Glibc
import Testing

@testable import Threads

@Suite("Threads: slices")
struct ThreadSliceTests {
    @Test("Every thread has the least slice then, and those that they start; where the kernel has none, that is said")
    func all() throws {
        let niceness = getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0)
        // Linux before 6.12 has none of a thread's own.
        guard ThreadSlice.of(0) != nil else {
            #expect(ThreadSlice.shortenAll() == .unknown)
            return
        }
        #expect(ThreadSlice.shortenAll() == .short)
        let seen = Monitor<UInt64?>(nil)
        try #require(Worker("slices") { seen.change { $0 = ThreadSlice.of(0) } }).join()
        #expect(seen.locked { $0 } == ThreadSlice.least && ThreadSlice.of(getpid()) == ThreadSlice.least)
        #expect(getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) == niceness)
    }

    @Test("A thread that is not there has none")
    func none() {
        #expect(ThreadSlice.of(.max) == nil)
    }
}

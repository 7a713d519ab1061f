import Glibc
import Testing
import Threads

@testable import MartletDesk

@Suite("History: the pace of catching up") struct CatchUpPaceTests {
    private func rest(took: Int = 100, waited: Int, carried: UInt64 = 4000, grown: UInt64 = 100) -> Duration {
        CatchUpPace.rest(
            after: .init(took: .milliseconds(took), waited: .milliseconds(waited), carried: carried, grown: grown))
    }

    @Test("It rests forty times as long as it waited for a core, seven transactions at most")
    func rests() {
        #expect(rest(waited: 10) == .milliseconds(400))
        #expect(rest(waited: 1000) == .milliseconds(700))
    }

    @Test("Where cores are free, or nobody sends, it goes at its full speed")
    func free() {
        #expect(rest(waited: 0) == .zero)
        #expect(rest(waited: 1000, grown: 0) == .zero)
        #expect(rest(took: 0, waited: 10) == .zero)
    }

    @Test("It goes twice as fast as the log grows, however long it waits")
    func gains() {
        // 4000 bytes in 100 ms; of growth at 500 in 100 ms that is twice as much after 400 ms.
        #expect(rest(waited: 1000, grown: 500) == .milliseconds(300))
        #expect(rest(waited: 1000, grown: 1000) == .milliseconds(100))
        #expect(rest(waited: 1000, grown: 2000) == .zero)
        #expect(rest(waited: 1000, grown: 9000) == .zero)
    }

    @Test("From round to round it goes by what the system and the log tell; a log that does not grow gives no rest")
    func rounds() {
        var pace = CatchUpPace(segmentSize: 1000, from: 1 << 32, end: 3 << 32)
        #expect(pace.rest(at: 2 << 32, end: 3 << 32) == .zero)
        #expect(ThreadList.waitForCores() != nil)
    }

    @Test("Distances in the log count whole segments, and none backwards")
    func distances() {
        let segment = 1000
        #expect(LogDistance.bytes(from: (1 << 32) + 400, to: (1 << 32) + 900, segmentSize: segment) == 500)
        #expect(LogDistance.bytes(from: (1 << 32) + 900, to: (3 << 32) + 100, segmentSize: segment) == 1200)
        #expect(LogDistance.bytes(from: 3 << 32, to: 1 << 32, segmentSize: segment) == 0)
        #expect(LogDistance.bytes(from: (1 << 32) + 5000, to: 2 << 32, segmentSize: segment) == 0)
    }

    @Test("Every thread of the process stands behind, and those that they start")
    func priority() throws {
        #expect(DeskPriority.lower(to: 0) == nil)
        // One step, which these tests can afford: it cannot be taken back.
        #expect(ThreadSlice.shortenAll() != .failed(EPERM))
        #expect(DeskPriority.lower(to: 1) == nil)
        #expect(ThreadSlice.of(0) != ThreadSlice.least)
        #expect(getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) >= 1)
        #expect(try ThreadList.all().contains(getpid()))
    }
}

import Testing

@testable import MartletEngine

@Suite("The oldest segment of the log")
struct OldestSegmentTests {
    private func choice(over: Bool = false, old: Bool = false, live: Int = 0, segments: Int = 3, lacked: Bool = false) -> OldestSegment {
        .choose(.init(isOverCap: over, isPastTime: old, live: live, segments: segments, isLacked: lacked))
    }

    @Test("Without need it stays; what must outlive it goes forward first, early where that is little")
    func carried() {
        #expect(choice() == .stays)
        #expect(choice(live: 10) == .stays)
        #expect(choice(live: 10, segments: 9) == .isCarried)
        #expect(choice(live: 1000, segments: 9) == .stays)
        for over in [false, true] {
            #expect(choice(over: over, old: true, live: 1) == .isCarried)
            #expect(choice(over: over, old: true, live: 1, lacked: true) == .isCarried)
        }
    }

    @Test("Past its time it goes once the history has it; over the cap it goes whatever the history lacks, and that is said")
    func goes() {
        #expect(choice(old: true) == .goes(.time))
        #expect(choice(old: true, lacked: true) == .stays)
        #expect(choice(over: true) == .goes(.cap))
        #expect(choice(over: true, old: true) == .goes(.time))
        #expect(choice(over: true, lacked: true) == .goes(.capBeforeHistory))
        #expect(choice(over: true, old: true, lacked: true) == .goes(.capBeforeHistory))
    }

    @Test("As long as the desk's word was not read, everything is lacked; where there is no desk, nothing is")
    func need() {
        var need = HistoryNeed()
        #expect(need.lacks(1))
        need.take(first: 5)
        #expect(!need.lacks(4) && need.lacks(5) && need.lacks(6))
        need.take(first: 0)
        #expect(need.lacks(1))
        need.take(first: nil)
        #expect(!need.lacks(1))
    }
}

import Testing
import Threads

@Suite("Threads") struct MonitorTests {
    struct Failure: Error {}

    @Test("Who waits goes on when a change makes it ready, and sees that change")
    func change() throws {
        let monitor = Monitor(0)
        let seen = Monitor<Int?>(nil)
        let worker = try #require(Worker("waits") { seen.change { $0 = monitor.wait(until: { $0 > 1 }) { $0 } } })
        monitor.change { $0 = 1 }
        monitor.change { $0 = 2 }
        worker.join()
        #expect(seen.locked { $0 } == 2)
    }

    @Test("A wait with a time limit ends by it, not ready")
    func limit() {
        let monitor = Monitor(7)
        let began = steadyNow()
        let found = monitor.wait(timeout: 1_000_000, until: { $0 > 7 }) { $0 }
        #expect(found == 7 && steadyNow() - began >= 1_000_000)
    }

    @Test("What is ready waits for nothing, whatever its limit")
    func ready() {
        #expect(Monitor(1).wait(timeout: .max, until: { $0 == 1 }) { $0 } == 1)
    }

    @Test("A step says until when it waits, and is asked again then")
    func steps() {
        let monitor = Monitor(0)
        let times: Int = monitor.wait { times in
            times += 1
            return times < 3 ? .wait(until: steadyNow() + 100_000) : .go(times)
        }
        #expect(times == 3)
    }

    @Test("What is thrown under the lock comes out, with the lock free and the change kept")
    func throwing() {
        let monitor = Monitor(0)
        #expect(throws: Failure.self) {
            try monitor.locked { state throws(Failure) in
                state = 1
                throw Failure()
            }
        }
        #expect(monitor.locked { $0 } == 1)
    }

    @Test("Additions of many threads are all there")
    func exclusion() {
        let sum = Monitor(0)
        let workers = (0..<4).compactMap { _ in Worker("adds") { for _ in 0..<1000 { sum.locked { $0 += 1 } } } }
        for worker in workers { worker.join() }
        #expect(workers.count == 4 && sum.locked { $0 } == 4000)
    }

    @Test("A worker knows itself")
    func current() throws {
        let own = Monitor<Worker?>(nil)
        let answer = Monitor<Bool?>(nil)
        let worker = try #require(
            Worker("knows") { answer.change { $0 = own.wait(until: { $0 != nil }, then: { $0?.isCurrent }) } })
        own.change { $0 = worker }
        worker.join()
        #expect(answer.locked { $0 } == true && !worker.isCurrent)
    }
}

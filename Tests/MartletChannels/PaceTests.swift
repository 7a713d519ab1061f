import MartletModel
import NIOCore
import NIOEmbedded
import SMPP
import Testing

@testable import MartletChannels

@Suite struct PaceTests {
    /// Sends as soon as there is room until `end`, waking only when told to; the times of the sends.
    private func run(_ pace: inout Pace, from start: Int64, to end: Int64, share: Double = 1) -> [Int64] {
        var now = start
        var times: [Int64] = []
        while now < end {
            let room = pace.room(at: now, share: share)
            if room > 0 {
                pace.took(room, at: now)
                times += [Int64](repeating: now, count: room)
            }
            let next = pace.next(after: now, share: share)
            #expect(next > now)
            now = next
        }
        return times
    }

    private func most(_ times: [Int64], in span: Int64) -> Int {
        var most = 0
        var tail = 0
        for (index, time) in times.enumerated() {
            while times[tail] <= time - span { tail += 1 }
            most = max(most, index - tail + 1)
        }
        return most
    }

    @Test(
        "Never more than the rate in any one second, never more than a fiftieth of it in 20 ms, and nearly all of it is used",
        arguments: [1, 2, 7, 10, 49, 50, 51, 100, 333, 5000])
    func rate(limit: Int) {
        var pace = Pace(limit: limit)
        let times = run(&pace, from: 5_000_000, to: 15_000_000)
        #expect(most(times, in: 1_000_000) <= limit)
        #expect(most(times, in: 20_000) <= (limit + 49) / 50)
        #expect(times.count >= limit * 95 / 10)
    }

    @Test("Without a limit there is always room; a share slows to at least one a second")
    func bounds() {
        var free = Pace(limit: 0)
        free.took(1_000_000, at: 1)
        #expect(free.room(at: 1) == .max && free.next(after: 1) == 1)
        var slow = Pace(limit: 100)
        let times = run(&slow, from: 0, to: 10_000_000, share: 0.25)
        #expect(most(times, in: 1_000_000) <= 25 && times.count >= 230)
        var least = Pace(limit: 5)
        #expect(run(&least, from: 0, to: 10_000_000, share: 0.01).count == 10)
    }

    @Test("A changed limit counts what was sent before it")
    func changed() {
        var pace = Pace(limit: 10)
        let before = run(&pace, from: 0, to: 500_000)
        #expect(before.count == 10)
        pace.setLimit(40)
        let after = run(&pace, from: 500_000, to: 900_000)
        #expect(before.count + after.count == 30)
        pace.setLimit(5)
        #expect(pace.room(at: 950_000) == 0)
        #expect(pace.next(after: 950_000) > 1_500_000)
        pace.setLimit(0)
        #expect(pace.room(at: 950_000) == .max)
    }

    @Test("A throttle halves the speed once a window and pauses 100 ms up to 1 s; 90 % is back within 30 s")
    func backoff() {
        var backoff = Backoff()
        #expect(backoff.share(at: 0) == 1 && !backoff.isPaused(at: 0))
        for _ in 0..<50 { backoff.throttled(at: 1_000_000) }
        #expect(backoff.share(at: 1_000_000) == 0.5 && backoff.pausedUntil == 1_100_000)
        var now: Int64 = 1_100_000
        var pauses: [Int64] = []
        for _ in 0..<8 {
            backoff.throttled(at: now)
            pauses.append(backoff.pausedUntil - now)
            now = backoff.pausedUntil
        }
        #expect(pauses == [200_000, 400_000, 800_000, 1_000_000, 1_000_000, 1_000_000, 1_000_000, 1_000_000])
        #expect(backoff.share(at: now) >= Backoff.shareMinimum)
        #expect(backoff.share(at: now + 30_000_000) >= 0.9)
        #expect(backoff.share(at: now + 60_000_000) == 1)
        backoff.throttled(at: now + 60_000_000)
        #expect(backoff.pausedUntil == now + 60_100_000)
    }

    @Test("An unlimited connection backs off from the rate it had, and is unlimited again afterwards")
    func unlimited() {
        var throttle = SMPPThrottle(messagesPerSecond: 0, partsPerSecond: 0)
        for millisecond in 0..<2000 as Range<Int64> { throttle.took(messages: 1, parts: 1, at: millisecond * 1000) }
        #expect(throttle.room(at: 2_000_000).parts == .max)
        throttle.throttled(at: 2_000_000)
        #expect(throttle.room(at: 2_050_000).parts == 0 && throttle.next(after: 2_050_000) == 2_100_000)
        let room = throttle.room(at: 2_100_000).parts
        #expect(room >= 9 && room <= 11)
        throttle.took(messages: room, parts: room, at: 2_100_000)
        #expect((2_120_000...2_130_000).contains(throttle.next(after: 2_100_000)))
        #expect(throttle.room(at: 60_000_000).parts == .max)
        var quiet = ObservedRate()
        quiet.took(5, at: 0)
        #expect(quiet.parts(at: 9_000_000) == 0)
    }

    @Test("A paced connection keeps its rate in parts, and wakes its owner by time alone")
    func connection() throws {
        let world = World()
        var settings = World.settings(window: 1000)
        settings.partsPerSecond = 100
        settings.messagesPerSecond = 80
        let connection = try world.bound(settings)
        world.autoAnswer = .ok
        var next: UInt32 = 1
        var times: [Int64] = []
        let long = String(repeating: "0123456789", count: 40)
        world.onRoom = { connection in
            var room = connection.room
            while room > 0 {
                let isLong = next % 10 == 0
                connection.hand([world.handover(next, text: isLong ? long : "short", parts: isLong ? 3 : 1)])
                next += 1
                room = connection.room
            }
        }
        connection.release()
        world.onRoom?(connection)
        var seen = 0
        for _ in 0..<2500 {
            world.advance(milliseconds: 2, step: 2)
            times += [Int64](repeating: world.clock, count: world.smsc.submits.count - seen)
            seen = world.smsc.submits.count
        }
        #expect(most(times, in: 1_000_000) <= 100)
        #expect(times.count >= 400)
        #expect(connection.counters.messages <= 5 * 80 + 80)
        #expect(world.settled.allSatisfy { if case .accepted = $0.outcome { true } else { false } })
    }

    @Test("A throttled connection pauses, sends again by itself, and recovers")
    func throttled() throws {
        let world = World()
        var settings = World.settings(window: 100)
        settings.partsPerSecond = 200
        let connection = try world.bound(settings)
        var next: UInt32 = 1
        world.onRoom = { connection in
            let room = connection.room
            guard room > 0 else { return }
            connection.hand((0..<UInt32(room)).map { world.handover(next + $0) })
            next += UInt32(room)
        }
        world.autoAnswer = .throttled
        world.onRoom?(connection)
        world.advance(milliseconds: 50)
        #expect(connection.room == 0 && world.settled.allSatisfy { $0.outcome == .throttled(status: 0x58) })
        world.autoAnswer = .ok
        world.advance(milliseconds: 28_000)
        let before = world.smsc.submits.count
        world.advance(milliseconds: 2000)
        #expect(world.smsc.submits.count - before >= 360)
    }
}

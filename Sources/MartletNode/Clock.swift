import Glibc
public import MartletModel

/// Reads both clocks. The only place of the sending process that does so for the core.
public struct SystemClock: Sendable {
    /// Microseconds ahead of the machine's: tests of what takes hours go by it.
    let ahead: Int64

    public init(ahead: Int64 = 0) { self.ahead = ahead }

    @inline(__always)
    public func now() -> Instant {
        Instant(wall: SystemClock.read(CLOCK_REALTIME) &+ ahead, steady: SystemClock.read(CLOCK_MONOTONIC) &+ ahead)
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}

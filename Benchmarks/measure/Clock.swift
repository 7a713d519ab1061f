import Glibc

/// Nanoseconds of a clock that never jumps.
public func steadyNanoseconds() -> UInt64 { read(CLOCK_MONOTONIC) }

/// Nanoseconds since 1970; may jump.
public func wallNanoseconds() -> UInt64 { read(CLOCK_REALTIME) }

private func read(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Returns at `due` (steady nanoseconds), or at once when that is past.
public func sleep(until due: UInt64) {
    var time = timespec(tv_sec: Int(due / 1_000_000_000), tv_nsec: Int(due % 1_000_000_000))
    while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
}

/// CPU time of this process so far, user and system, in microseconds.
public func ownCPUMicroseconds() -> Double {
    var usage = rusage()
    getrusage(CInt(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
}

/// Timers of this process fire at most a microsecond late instead of the kernel's usual fifty. Where that is refused they stay as they were.
public func askForPreciseTimers() {
    let file = open("/proc/self/timerslack_ns", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    _ = write(file, "1000", 4)
    close(file)
}

/// One line on standard error.
public func complain(_ text: String) {
    let line = Array("\(text)\n".utf8)
    _ = write(2, line, line.count)
}

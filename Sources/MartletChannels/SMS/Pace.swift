/// Keeps a rate: never more than `limit` in any one second, and no more than a fiftieth of it (rounded up) in any 20 ms, so that
/// the peer sees a stream and not a hammer. Pure: time is given in, steady microseconds, never going back.
struct Pace {
    /// A little longer than a second, so that what leaves within the limit also arrives within it when the wire's delay wavers.
    static let period: Int64 = 1_010_000
    static let burstPeriod: Int64 = 20_000
    static let burstsPerSecond = 50

    private(set) var limit: Int
    /// Times of the last sends, `sent & (count - 1)` is the next place.
    private var times: ContiguousArray<Int64>
    private var sent = 0
    /// Sends before these are older than a period or a burst period.
    private var tail = 0
    private var burstTail = 0

    /// - Parameter limit: a second; 0: none.
    init(limit: Int) {
        self.limit = limit
        times = ContiguousArray(repeating: 0, count: Pace.size(limit))
    }

    private static func size(_ limit: Int) -> Int {
        var size = 1
        while size < limit { size *= 2 }
        return size
    }

    /// What was sent before still counts.
    mutating func setLimit(_ limit: Int) {
        self.limit = limit
        let size = Pace.size(limit)
        guard size > times.count else { return }
        var larger = ContiguousArray<Int64>(repeating: 0, count: size)
        for index in max(0, sent - times.count)..<sent { larger[index & (size - 1)] = times[index & (times.count - 1)] }
        times = larger
    }

    /// Limit and burst at this share of the configured rate, at least one. A burst that was rounded up holds for as much longer than
    /// 20 ms, so that bursts on end come to the limit and not above or far below it.
    private func bounds(_ share: Double) -> (limit: Int, burst: Int, period: Int64) {
        let effective = share >= 1 ? limit : max(1, Int(Double(limit) * share))
        let burst = (effective + Pace.burstsPerSecond - 1) / Pace.burstsPerSecond
        return (effective, burst, max(Pace.burstPeriod, effective < Pace.burstsPerSecond ? 0 : Int64(burst) * 1_000_000 / Int64(effective)))
    }

    private mutating func forget(before now: Int64, burstPeriod: Int64) {
        let mask = times.count - 1
        tail = max(tail, sent - times.count)
        burstTail = max(burstTail, sent - times.count)
        while tail < sent, times[tail & mask] <= now - Pace.period { tail += 1 }
        while burstTail < sent, times[burstTail & mask] <= now - burstPeriod { burstTail += 1 }
    }

    /// How many may be sent now.
    /// - Parameter share: 0 < share <= 1 of the limit.
    mutating func room(at now: Int64, share: Double = 1) -> Int {
        if limit == 0 { return Int.max }
        let (limit, burst, period) = bounds(share)
        forget(before: now, burstPeriod: period)
        return max(0, min(limit - (sent - tail), burst - (sent - burstTail)))
    }

    /// When there is room again; `now` when there is.
    mutating func next(after now: Int64, share: Double = 1) -> Int64 {
        if room(at: now, share: share) > 0 { return now }
        let (limit, burst, period) = bounds(share)
        let mask = times.count - 1
        var when = now
        let over = sent - tail - limit
        if over >= 0 { when = max(when, times[(tail + over) & mask] + Pace.period) }
        let burstOver = sent - burstTail - burst
        if burstOver >= 0 { when = max(when, times[(burstTail + burstOver) & mask] + period) }
        return when
    }

    mutating func took(_ count: Int, at now: Int64) {
        if limit == 0 { return }
        let mask = times.count - 1
        for _ in 0..<count {
            times[sent & mask] = now
            sent += 1
        }
    }
}

/// What a peer's `throttled` does to our speed: a short pause that grows from 100 ms to 1 s, half the rate, and back up
/// by a fixed step a second, so that 90 % is reached again within 24 s of the last one. Pure; steady microseconds.
struct Backoff {
    static let recoveryPerSecond = 0.04
    static let shareMinimum = 1.0 / 64
    static let pauseMinimum: Int64 = 100_000
    static let pauseMaximum: Int64 = 1_000_000
    /// Without a throttle for this long the next pause is the shortest again.
    static let calm: Int64 = 5_000_000

    private var share = 1.0
    private var since: Int64 = 0
    private var pause: Int64 = 0
    private(set) var pausedUntil: Int64 = 0
    private var lastThrottle: Int64?

    init() {}

    /// Share of the configured rate that holds now.
    func share(at now: Int64) -> Double {
        if share >= 1 { return 1 }
        return min(1, share + Backoff.recoveryPerSecond * Double(max(0, now - since)) / 1_000_000)
    }

    func isPaused(at now: Int64) -> Bool { now < pausedUntil }

    /// The answers of one window tell one thing: what comes while paused does not count again.
    mutating func throttled(at now: Int64) {
        if isPaused(at: now) { return }
        if let lastThrottle, now - lastThrottle < Backoff.calm {
            pause = min(max(pause * 2, Backoff.pauseMinimum), Backoff.pauseMaximum)
        } else {
            pause = Backoff.pauseMinimum
        }
        lastThrottle = now
        share = max(Backoff.shareMinimum, share(at: now) / 2)
        since = now
        pausedUntil = now + pause
    }
}

/// Parts sent in the last full second: the rate that halving starts from where none is configured.
struct ObservedRate {
    private var second: Int64 = 0
    private var current = 0
    private var previous = 0

    init() {}

    private mutating func turn(to now: Int64) {
        let this = now / 1_000_000
        if this == second { return }
        previous = this == second + 1 ? current : 0
        current = 0
        second = this
    }

    mutating func took(_ count: Int, at now: Int64) {
        turn(to: now)
        current += count
    }

    mutating func parts(at now: Int64) -> Int {
        turn(to: now)
        return max(previous, current)
    }
}

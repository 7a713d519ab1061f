/// Pace in messages and parts with the back-off on top: how much one connection may send now, and when again.
struct SMPPThrottle {
    private var messages: Pace
    private var parts: Pace
    private var backoff = Backoff()
    private var observed = ObservedRate()
    /// Set while an unlimited connection recovers from a throttle: the rate it had.
    private var recovering: Pace?

    init(messagesPerSecond: Int, partsPerSecond: Int) {
        messages = Pace(limit: messagesPerSecond)
        parts = Pace(limit: partsPerSecond)
    }

    mutating func setLimits(messagesPerSecond: Int, partsPerSecond: Int) {
        messages.setLimit(messagesPerSecond)
        parts.setLimit(partsPerSecond)
    }

    private var isUnlimited: Bool { messages.limit == 0 && parts.limit == 0 }

    /// Messages that may be begun and parts that may be sent.
    mutating func room(at now: Int64) -> (messages: Int, parts: Int) {
        if backoff.isPaused(at: now) { return (0, 0) }
        let share = backoff.share(at: now)
        if share >= 1 { recovering = nil }
        let slow = recovering?.room(at: now, share: share) ?? Int.max
        return (messages.room(at: now, share: share), min(parts.room(at: now, share: share), slow))
    }

    /// What submits leave of the pace; nothing while the peer's last `throttled` still slows them.
    mutating func leftover(at now: Int64) -> Int {
        if backoff.isPaused(at: now) || backoff.share(at: now) < 1 { return 0 }
        let room = room(at: now)
        return min(room.messages, room.parts)
    }

    /// When `room` is not 0 again; `now` when it is not.
    mutating func next(after now: Int64) -> Int64 {
        let start = max(now, backoff.pausedUntil)
        let share = backoff.share(at: start)
        let limited = max(messages.next(after: start, share: share), parts.next(after: start, share: share))
        return max(limited, recovering?.next(after: start, share: share) ?? start)
    }

    mutating func took(messages begun: Int, parts count: Int, at now: Int64) {
        messages.took(begun, at: now)
        parts.took(count, at: now)
        recovering?.took(count, at: now)
        observed.took(count, at: now)
    }

    mutating func throttled(at now: Int64) {
        if isUnlimited, recovering == nil { recovering = Pace(limit: min(20_000, max(10, observed.parts(at: now)))) }
        backoff.throttled(at: now)
    }
}

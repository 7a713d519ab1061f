public import MartletModel

/// What each source may send, and how much of its rate is used. The parts of the day are the ledger's, so they outlive restarts and
/// trims; the rate's memory is one moment in time.
struct Limits {
    struct Entry {
        var limits: SourceLimits
        /// Nanoseconds that one part takes of the rate, and that may be taken ahead.
        var interval: Int64 = 0
        var ahead: Int64 = 0
        /// Steady nanoseconds up to which the rate is used: of all classes but the strict ones, of those.
        var used: Int64 = .min
        var usedStrict: Int64 = .min
    }

    private var entries: [Entry?] = []

    func limits(_ source: SourceNumber) -> SourceLimits? { Int(source) < entries.count ? entries[Int(source)]?.limits : nil }

    /// Replaces all; what is used of a rate stays used.
    mutating func set(_ all: [SourceNumber: SourceLimits], _ ledger: Ledger, _ now: Instant) {
        let before = entries
        entries = Array(repeating: nil, count: (all.keys.max().map { Int($0) } ?? -1) + 1)
        for (source, limits) in all where limits.rate > 0 || limits.dailyQuota > 0 {
            var entry = Entry(limits: limits)
            if limits.rate > 0 {
                entry.interval = 1_000_000_000 / Int64(limits.rate)
                entry.ahead = entry.interval * Int64(limits.burst > 0 ? limits.burst : limits.rate)
                let known = Int(source) < before.count ? before[Int(source)] : nil
                if let known, known.limits.rate > 0 {
                    entry.used = min(known.used, now.steady * 1000 + entry.ahead)
                    entry.usedStrict = min(known.usedStrict, now.steady * 1000 + entry.ahead)
                } else if ledger[source].lastAt > now.wall - entry.ahead / 1000 {
                    // It sent a moment ago, perhaps to the process before this one: a restart gives no second burst.
                    entry.used = now.steady * 1000 + entry.ahead
                    entry.usedStrict = entry.used
                }
            }
            entries[Int(source)] = entry
        }
    }

    /// Takes parts of a source's rate.
    /// - Returns: nil when there was room, else nanoseconds until there is.
    mutating func take(_ source: SourceNumber, parts: Int, isStrict: Bool, _ now: Instant) -> Int64? {
        guard Int(source) < entries.count, let entry = entries[Int(source)], entry.interval > 0 else { return nil }
        let moment = now.steady * 1000
        let used = max(isStrict ? entry.usedStrict : entry.used, moment)
        // A message of more parts than the burst goes when nothing is taken ahead, and what follows pays for it.
        let room = max(0, entry.ahead - Int64(parts) * entry.interval)
        if used - moment > room { return used - moment - room }
        let after = used + Int64(parts) * entry.interval
        if isStrict { entries[Int(source)]?.usedStrict = after } else { entries[Int(source)]?.used = after }
        return nil
    }
}

extension Engine {
    /// What each source may send from now on.
    public mutating func set(limits: [SourceNumber: SourceLimits], _ now: Instant) { self.limits.set(limits, ledger, now) }

    public func limits(_ source: SourceNumber) -> SourceLimits { limits.limits(source) ?? SourceLimits() }

    /// The day's quota never stands in the way of security messages and codes, and they have a rate of their own: bulk of the same
    /// source delays neither.
    mutating func exceeds(_ source: SourceNumber, _ messageClass: MessageClass, parts: Int, _ now: Instant) -> Refusal? {
        guard let limits = limits.limits(source) else { return nil }
        let isStrict = messageClass.lane.isStrict
        if limits.dailyQuota > 0, !isStrict, today(source, now).parts + UInt64(parts) > UInt64(limits.dailyQuota) {
            return .quotaUsedUp(retryAfterSeconds: secondsToNextDay(now))
        }
        if let wait = self.limits.take(source, parts: parts, isStrict: isStrict, now) {
            return .rateLimited(retryAfterSeconds: Int(wait / 1_000_000_000) + 1)
        }
        return nil
    }

    private func secondsToNextDay(_ now: Instant) -> Int {
        let day: Int64 = 86_400_000_000
        let since = ((now.wall - configuration.dayBegins) % day + day) % day
        return Int((day - since + 999_999) / 1_000_000)
    }
}

/// A stretch of each day of some weekdays in which customers are not disturbed. Minutes of the day, 0...1439; `until` is not in it. From
/// 22:00 until 07:00 goes over midnight into the day after; equal: the whole day.
public struct QuietWindow: Hashable, Sendable {
    public var days: [Weekday]
    public var from: Int
    public var until: Int

    public init(days: [Weekday] = Weekday.allCases, from: Int, until: Int) {
        self.days = days
        self.from = from
        self.until = until
    }

    /// From midnight of its first day.
    var length: Int { until > from ? until - from : until - from + 1440 }
}

/// Windows of a week and holidays, put together once: asked in some ten nanoseconds. Immutable.
public struct QuietHours: Sendable {
    private static let week = 7 * 1440

    /// Minutes of the week from Monday's midnight, joined and rising; the last may reach into the next week.
    private let stretches: ContiguousArray<(from: Int, until: Int)>
    /// Of each holiday; empty: holidays are as other days.
    private let holidayWindows: ContiguousArray<(from: Int, until: Int)>
    private let holidays: Holidays

    /// Nothing is quiet.
    public static let none = QuietHours(windows: [])

    /// - Parameters:
    ///   - holidayWindows: what is quiet on each holiday besides, whatever its weekday; their `days` do not count.
    public init(windows: [QuietWindow], holidays: Holidays = .none, holidayWindows: [QuietWindow] = []) {
        var all: [(from: Int, until: Int)] = []
        for window in windows {
            for day in window.days {
                let from = day.rawValue * 1440 + window.from
                all.append((from, from + window.length))
                // Sunday's window may reach into Monday, where the week begins anew.
                if from + window.length > QuietHours.week { all.append((0, from + window.length - QuietHours.week)) }
            }
        }
        all.sort { $0 < $1 }
        var joined: ContiguousArray<(from: Int, until: Int)> = []
        for one in all {
            if let last = joined.last, one.from <= last.until {
                joined[joined.count - 1].until = max(last.until, one.until)
            } else {
                joined.append(one)
            }
        }
        stretches = joined
        self.holidays = holidays
        self.holidayWindows = ContiguousArray(holidayWindows.map { ($0.from, $0.from + $0.length) })
    }

    /// Local minutes since 1970: where the stretch ends that `minute` lies in; `minute` itself: it is not quiet. What follows may be quiet again.
    @inline(__always)
    func end(at minute: Int64) -> Int64 {
        var end = minute
        if !stretches.isEmpty {
            // 1970-01-01 was a Thursday: Monday's midnight lies three days before.
            let shifted = minute + 3 * 1440
            let ofWeek = Int(shifted - LocalTime.floored(shifted, Int64(QuietHours.week)) * Int64(QuietHours.week))
            for one in stretches where one.from <= ofWeek && ofWeek < one.until { end = max(end, minute + Int64(one.until - ofWeek)) }
        }
        if !holidayWindows.isEmpty {
            let day = LocalTime.floored(minute, 1440)
            for one in [day - 1, day] where holidays.contains(CivilDay(Int32(clamping: one))) {
                let ofDay = Int(minute - one * 1440)
                for window in holidayWindows where window.from <= ofDay && ofDay < window.until {
                    end = max(end, minute + Int64(window.until - ofDay))
                }
            }
        }
        return end
    }

    /// As far ahead as a moment is looked for, days.
    public static let horizon: Int64 = 400

    /// The first moment from `seconds` on at which clocks of `zone` show a time that is not quiet: `seconds` itself when it is not. Exact over
    /// changes of the offset: an hour that clocks pass over holds up nobody, one that they show twice is quiet twice.
    /// - Parameter wish: the customer's own quiet hours, every day, besides.
    /// - Returns: nil when it is quiet for `horizon` days.
    public func nextAllowed(from seconds: Int64, in zone: Zone, wish: QuietWindow? = nil) -> Int64? {
        var now = seconds
        let limit = seconds + QuietHours.horizon * 86_400
        while now <= limit {
            let local = zone.local(at: now)
            var minute = local.minute
            var isQuiet = false
            while true {
                var end = self.end(at: minute)
                if let wish { end = max(end, wish.end(at: minute)) }
                guard end > minute else { break }
                isQuiet = true
                minute = end
                guard minute - local.minute <= QuietHours.horizon * 1440 else { break }
            }
            guard isQuiet else { return now }
            let then = now + (minute * 60 - local.seconds)
            // Before that the offset may change, and what clocks show with it.
            if let change = zone.nextChange(after: now), change <= then { now = change } else { now = then }
        }
        return nil
    }
}

extension QuietWindow {
    /// As `QuietHours.end`, of every day.
    @inline(__always)
    func end(at minute: Int64) -> Int64 {
        let ofDay = Int(minute - LocalTime.floored(minute, 1440) * 1440)
        if from < until { return (from..<until).contains(ofDay) ? minute + Int64(until - ofDay) : minute }
        if ofDay >= from { return minute + Int64(1440 - ofDay + until) }
        return ofDay < until ? minute + Int64(until - ofDay) : minute
    }
}

/// The windows of a quiet profile laid over one week, minute by minute from Monday's midnight: what is known of them before anybody waits.
/// Holidays, the changes of the clocks and customers' own hours come on top of it.
struct QuietWeek {
    static let minutes = 7 * 1440

    /// How many windows each minute lies in.
    private var windows = [UInt8](repeating: 0, count: minutes)

    /// - Parameter windows: at most `QuietProfile.mostWindows`.
    init(_ windows: [QuietProfile.Window]) {
        for window in windows {
            // A window that lies over itself, as one of 25 hours would, does not exist: none is longer than a day.
            QuietWeek.each(of: window) { self.windows[$0] &+= 1 }
        }
    }

    private static func each(of window: QuietProfile.Window, _ body: (Int) -> Void) {
        let length = window.until > window.from ? window.until - window.from : window.until - window.from + 1440
        for day in window.days {
            let from = day * 1440 + window.from
            // Sunday's may go on into Monday.
            for minute in from..<(from + length) { body(minute % minutes) }
        }
    }

    /// No minute is left in which somebody could be told.
    var isAlways: Bool { windows.allSatisfy { $0 > 0 } }

    /// Whether the others make quiet whatever this one, which is among them, does.
    func isCovered(_ window: QuietProfile.Window) -> Bool {
        var isCovered = !window.days.isEmpty
        QuietWeek.each(of: window) { if windows[$0] < 2 { isCovered = false } }
        return isCovered
    }

    /// The longest time without a break, and the minute of the week at which it begins; nil: nothing is quiet, or all is.
    var longest: (from: Int, minutes: Int)? {
        guard let open = windows.firstIndex(of: 0) else { return nil }
        var longest: (from: Int, minutes: Int)?
        var run = 0
        // Once around, beginning where nothing is quiet, so that no stretch is cut in two.
        for step in 1...QuietWeek.minutes {
            let minute = (open + step) % QuietWeek.minutes
            run = windows[minute] > 0 ? run + 1 : 0
            if run > longest?.minutes ?? 0 { longest = ((minute - run + 1 + QuietWeek.minutes) % QuietWeek.minutes, run) }
        }
        return longest
    }

    /// For people: `Saturday 20:00`.
    static func clock(_ minuteOfWeek: Int) -> String {
        let day = QuietProfile.days[minuteOfWeek / 1440 % 7]
        let (hour, minute) = (minuteOfWeek % 1440 / 60, minuteOfWeek % 60)
        return "\(day.prefix(1).uppercased())\(day.dropFirst()) \(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute)"
    }
}

/// Lengths of time as people say them.
enum LengthOfTime {
    /// In the largest unit that says it whole: `36 hours`, `90 minutes`, `1 day`.
    static func words(_ seconds: Int64) -> String {
        let units: [(length: Int64, one: String, many: String)] = [
            (86_400, "day", "days"), (3600, "hour", "hours"), (60, "minute", "minutes"),
        ]
        for unit in units where seconds >= unit.length && seconds % unit.length == 0 {
            let count = seconds / unit.length
            return "\(count) \(count == 1 ? unit.one : unit.many)"
        }
        return "\(seconds) \(seconds == 1 ? "second" : "seconds")"
    }
}

/// One moment as the core sees it: both clocks, read once for a whole turn. Time is an argument; nothing in the core asks for it.
public struct Instant: Equatable, Sendable {
    /// Microseconds since 1970-01-01T00:00:00Z; may jump.
    public var wall: Int64
    /// Microseconds of a clock that never jumps; its zero has no meaning.
    public var steady: Int64

    @inlinable public init(wall: Int64, steady: Int64) {
        self.wall = wall
        self.steady = steady
    }

    @inlinable public var wallMilliseconds: Int64 { wall / 1000 }

    public func advanced(microseconds: Int64) -> Instant {
        Instant(wall: wall + microseconds, steady: steady + microseconds)
    }
}

/// Wall time as text, RFC 3339 in UTC with microseconds: `2026-11-22T18:04:09.000123Z`.
public func timestamp(_ microseconds: Int64) -> String {
    var days = microseconds / 86_400_000_000
    var rest = microseconds % 86_400_000_000
    if rest < 0 {
        rest += 86_400_000_000
        days -= 1
    }
    let (year, month, day) = civil(days)
    func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let seconds = rest / 1_000_000
    let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    let time = "\(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))"
    return "\(date)T\(time).\(padded(rest % 1_000_000, 6))Z"
}

/// Days since 1970-01-01 as year, month and day of the Gregorian calendar.
public func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    // Years are counted from March so that the leap day is the last of a year; 146,097 days are 400 years.
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, day)
}

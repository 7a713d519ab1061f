/// A day of the Gregorian calendar.
public struct CalendarDate: Sendable, Equatable {
    /// 1...9999.
    public let year: Int
    /// 1...12.
    public let month: Int
    /// 1...31.
    public let day: Int

    /// Nil for a day that the calendar does not have.
    public init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month), (1...Self.days(in: month, of: year)).contains(day) else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    /// The day that lies `number` days after 1 January 1970, held within the years 1...9999.
    init(dayNumber number: Int) {
        let held = min(max(number, Self.first), Self.last)
        // Counted in years that begin on 1 March, so that the odd day is the last: eras of 400 years have 146,097 days.
        let shifted = held + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Days since 1 January 1970.
    var dayNumber: Int {
        let year = month <= 2 ? self.year - 1 : self.year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// 0 is Monday, 6 is Sunday.
    var weekday: Int {
        let shifted = (dayNumber + 3) % 7
        return shifted < 0 ? shifted + 7 : shifted
    }

    /// Numbers of 1 January 1 and 31 December 9999.
    private static let first = -719_162
    private static let last = 2_932_896

    private static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// A time of day.
public struct ClockTime: Sendable, Equatable {
    /// 0...23.
    public let hour: Int
    /// 0...59.
    public let minute: Int
    /// 0...59.
    public let second: Int

    /// Nil for a time that no clock shows.
    public init?(hour: Int, minute: Int, second: Int = 0) {
        guard (0...23).contains(hour), (0...59).contains(minute), (0...59).contains(second) else { return nil }
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// `second` of a day: 0..<86,400.
    init(secondOfDay second: Int) {
        hour = second / 3600
        minute = second / 60 % 60
        self.second = second % 60
    }
}

/// An instant as a clock on the wall shows it. Whoever makes it knows the zone; here is only what that came to.
public struct LocalMoment: Sendable, Equatable {
    /// Seconds since 1 January 1970, UTC.
    public var seconds: Int64
    /// Seconds that local time is ahead of UTC.
    public var offset: Int32

    public init(seconds: Int64, offset: Int32) {
        self.seconds = seconds
        self.offset = offset
    }

    /// The day and the time there. Outside of the years 1...9999 the nearest day of those.
    var parts: (date: CalendarDate, time: ClockTime) {
        let (sum, overflow) = seconds.addingReportingOverflow(Int64(offset))
        let local = Int(overflow ? seconds : sum)
        let second = local % 86_400
        let day = local / 86_400
        return second < 0
            ? (CalendarDate(dayNumber: day - 1), ClockTime(secondOfDay: second + 86_400))
            : (CalendarDate(dayNumber: day), ClockTime(secondOfDay: second))
    }
}

/// A day of the Gregorian calendar, extended to before 1582: days since 1970-01-01, before it negative.
public struct CivilDay: Hashable, Comparable, Sendable {
    public let number: Int32

    @inlinable public init(_ number: Int32) { self.number = number }

    /// Nil: there is no such day, as 30 February or 29 February of a common year. Years 1...9999.
    public init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month), (1...CivilDay.length(ofMonth: month, year)).contains(day) else {
            return nil
        }
        self.init(Int32(CivilDay.number(year: year, month: month, day: day)))
    }

    /// Days since 1970-01-01 of a day that there is. Years are counted from March, so that the leap day is the last of a year.
    static func number(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    public var date: (year: Int, month: Int, day: Int) {
        let shifted = Int(number) + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let fromMarch = (5 * dayOfYear + 2) / 153
        let month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * fromMarch + 2) / 5 + 1)
    }

    /// 1970-01-01 was a Thursday.
    public var weekday: Weekday { Weekday(index: ((Int(number) + 3) % 7 + 7) % 7) }

    public static func < (one: CivilDay, other: CivilDay) -> Bool { one.number < other.number }

    public static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    static func length(ofMonth month: Int, _ year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// Monday is the first, as in ISO 8601.
public enum Weekday: Int, CaseIterable, Sendable {
    case monday = 0, tuesday, wednesday, thursday, friday, saturday, sunday

    /// - Parameter index: 0...6.
    init(index: Int) {
        switch index {
        case 0: self = .monday
        case 1: self = .tuesday
        case 2: self = .wednesday
        case 3: self = .thursday
        case 4: self = .friday
        case 5: self = .saturday
        default: self = .sunday
        }
    }

    /// The word used in the rulebook.
    public var word: String {
        switch self {
        case .monday: "monday"
        case .tuesday: "tuesday"
        case .wednesday: "wednesday"
        case .thursday: "thursday"
        case .friday: "friday"
        case .saturday: "saturday"
        case .sunday: "sunday"
        }
    }
}

/// Relative times of schedule_delivery_time and validity_period (SMPP 3.4, section 7.1.1.2): `YYMMDDhhmmss000R`.
public enum RelativeTime {
    /// Longest span written, in seconds: 30 days, since a month has no fixed length.
    public static let maximumSeconds: Int64 = 30 * 86_400

    /// The span as 16 octets, bounded to 1 second ... 30 days.
    public static func text(seconds: Int64) -> ShortText {
        let bounded = UInt64(min(max(seconds, 1), maximumSeconds))
        var value = bounded / 86_400 * 1_000_000
        value += bounded / 3600 % 24 * 10_000
        value += bounded / 60 % 60 * 100
        value += bounded % 60
        var octets: (UInt64, UInt64) = (0, 0)
        return withUnsafeMutableBytes(of: &octets) { target in
            for index in 0..<16 { target[index] = 48 }
            var index = 11
            while value > 0 {
                target[index] = UInt8(48 + value % 10)
                value /= 10
                index -= 1
            }
            target[15] = 0x52
            return ShortText(octets: UnsafeRawBufferPointer(target)) ?? ShortText()
        }
    }

    /// Seconds of a relative time, a month counted as 30 days and a year as 365; nil for other text.
    public static func seconds(_ text: some Collection<UInt8>) -> Int64? {
        guard text.count == 16 else { return nil }
        var total: Int64 = 0
        var pair: Int64 = 0
        for (index, octet) in text.enumerated() {
            if index == 15 { return octet == 0x52 ? total : nil }
            guard octet >= 48, octet <= 57 else { return nil }
            pair = index % 2 == 0 ? Int64(octet - 48) : pair * 10 + Int64(octet - 48)
            if index % 2 == 1, index < 12 { total += pair * unit(index / 2) }
        }
        return nil
    }

    /// Seconds in one of the pair's unit: year, month, day, hour, minute, second.
    private static func unit(_ pair: Int) -> Int64 {
        switch pair {
        case 0: 365 * 86_400
        case 1: 30 * 86_400
        case 2: 86_400
        case 3: 3600
        case 4: 60
        default: 1
        }
    }
}

/// Absolute times (section 7.1.1.1): `YYMMDDhhmmsstnnp`, local time with its distance from UTC in quarters of an hour.
/// YY is read as 2000 ... 2099.
public struct AbsoluteTime: Hashable, Sendable {
    /// Whole seconds since 1970-01-01 00:00 UTC.
    public var seconds: Int64
    /// Tenths of a second, 0 ... 9.
    public var tenths: UInt8
    /// How far local time is ahead of UTC, -48 ... 48.
    public var quarterHours: Int8

    public init(seconds: Int64, tenths: UInt8 = 0, quarterHours: Int8 = 0) {
        self.seconds = seconds
        self.tenths = min(tenths, 9)
        self.quarterHours = min(max(quarterHours, -48), 48)
    }

    /// Nil unless there are 16 octets that name a moment: no 30th of February, no 25th hour.
    public init?(_ octets: some Collection<UInt8>) {
        guard octets.count == 16 else { return nil }
        var rest = Array(octets)[...]
        guard let local = CivilTime(digits: &rest, yearDigits: 2, hasSeconds: true), let tenths = CivilTime.number(&rest, 1),
            let quarters = CivilTime.number(&rest, 2), quarters <= 48, let sign = rest.first, sign == 0x2B || sign == 0x2D
        else { return nil }
        let ahead = sign == 0x2B ? quarters : -quarters
        self.init(seconds: local.seconds - Int64(ahead) * 900, tenths: UInt8(tenths), quarterHours: Int8(ahead))
    }

    /// Nil for a year outside of 2000 ... 2099.
    public var text: ShortText? {
        let local = CivilTime(seconds: seconds + Int64(quarterHours) * 900)
        guard let date = local.digits(yearDigits: 2, hasSeconds: true) else { return nil }
        let quarters = Int(quarterHours.magnitude)
        return ShortText("\(date)\(min(tenths, 9))\(quarters / 10)\(quarters % 10)\(quarterHours < 0 ? "-" : "+")")
    }
}

/// schedule_delivery_time or validity_period, in either of its forms.
public enum PDUTime: Hashable, Sendable {
    /// Seconds from now.
    case relative(Int64)
    case absolute(AbsoluteTime)

    /// Nil for anything else than the two forms of 16 octets; the empty text (at once, or the SMSC's own) is none of them.
    public init?(_ octets: some Collection<UInt8>) {
        if let span = RelativeTime.seconds(octets) {
            self = .relative(span)
        } else if let moment = AbsoluteTime(octets) {
            self = .absolute(moment)
        } else {
            return nil
        }
    }

    /// The moment it means, in seconds since 1970.
    public func seconds(from now: Int64) -> Int64 {
        switch self {
        case .relative(let span): now + span
        case .absolute(let moment): moment.seconds
        }
    }

    public var text: ShortText? {
        switch self {
        case .relative(let span): RelativeTime.text(seconds: span)
        case .absolute(let moment): moment.text
        }
    }
}

/// A date and a time of day of the Gregorian calendar, without a zone.
struct CivilTime: Equatable {
    var year: Int
    var month: Int
    var day: Int
    var hour: Int
    var minute: Int
    var second: Int

    /// Reads YY or YYYY, MMDDhhmm and, where there, ss off the front of `rest`; nil when a digit or a range is wrong.
    init?(digits rest: inout ArraySlice<UInt8>, yearDigits: Int, hasSeconds: Bool) {
        guard let year = CivilTime.number(&rest, yearDigits), let month = CivilTime.number(&rest, 2), let day = CivilTime.number(&rest, 2),
            let hour = CivilTime.number(&rest, 2), let minute = CivilTime.number(&rest, 2),
            let second = hasSeconds ? CivilTime.number(&rest, 2) : 0
        else { return nil }
        self.year = yearDigits == 2 ? 2000 + year : year
        (self.month, self.day, self.hour, self.minute, self.second) = (month, day, hour, minute, second)
        guard (1...12).contains(month), day >= 1, day <= CivilTime.days(in: month, of: self.year), hour < 24, minute < 60, second < 60
        else {
            return nil
        }
    }

    /// - Parameter seconds: since 1970-01-01 00:00; years 1 ... 9999.
    init(seconds: Int64) {
        let dayNumber = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let ofDay = Int(seconds - dayNumber * 86_400)
        // Days are counted from 1 March of year 0, so that the leap day ends a year; 146,097 days are 400 years.
        let shifted = Int(dayNumber) + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        (hour, minute, second) = (ofDay / 3600, ofDay / 60 % 60, ofDay % 60)
    }

    /// Since 1970-01-01 00:00.
    var seconds: Int64 {
        let fromMarch = month <= 2 ? year - 1 : year
        let era = (fromMarch >= 0 ? fromMarch : fromMarch - 399) / 400
        let yearOfEra = fromMarch - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = Int64(era * 146_097 + dayOfEra - 719_468)
        return days * 86_400 + Int64(hour * 3600 + minute * 60 + second)
    }

    /// Nil when the year does not fit: 2000 ... 2099 for two digits.
    func digits(yearDigits: Int, hasSeconds: Bool) -> String? {
        let shown = yearDigits == 2 ? year - 2000 : year
        guard shown >= 0, shown < (yearDigits == 2 ? 100 : 10_000) else { return nil }
        func pair(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let date = yearDigits == 2 ? pair(shown) : pair(shown / 100) + pair(shown % 100)
        return "\(date)\(pair(month))\(pair(day))\(pair(hour))\(pair(minute))\(hasSeconds ? pair(second) : "")"
    }

    static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Takes `count` decimal digits off the front.
    static func number(_ rest: inout ArraySlice<UInt8>, _ count: Int) -> Int? {
        var value = 0
        for _ in 0..<count {
            guard let octet = rest.popFirst(), octet >= 48, octet <= 57 else { return nil }
            value = value * 10 + Int(octet - 48)
        }
        return value
    }
}

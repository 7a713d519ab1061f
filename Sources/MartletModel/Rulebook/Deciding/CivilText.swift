/// Dates and times as rulebooks and events write them.
enum CivilText {
    /// `2027-02-28` as days since 1970, years 1900...2199; nil: there is no such day.
    static func date(_ text: some StringProtocol) -> Int32? {
        let bytes = Array(text.utf8)
        guard bytes.count == 10, bytes[4] == 45, bytes[7] == 45, let year = digits(bytes[0..<4]), let month = digits(bytes[5..<7]),
            let day = digits(bytes[8..<10]), (1900...2199).contains(year), (1...12).contains(month), day >= 1
        else { return nil }
        // The day that the arithmetic finds must be the one that was written: 30 February is none.
        let found = days(year, month, day)
        let civil = civil(found)
        return civil.year == year && civil.month == month && civil.day == day ? Int32(found) : nil
    }

    /// `02-29` as month and day; nil: no year has it.
    static func yearly(_ text: some StringProtocol) -> (month: Int, day: Int)? {
        // 2000 was a leap year.
        guard text.utf8.count == 5, let number = date("2000-\(text)") else { return nil }
        let civil = civil(Int64(number))
        return (Int(civil.month), Int(civil.day))
    }

    /// `18:30` or `18:30:05` as seconds since midnight.
    static func time(_ text: some StringProtocol) -> Int32? {
        let bytes = Array(text.utf8)
        guard bytes.count == 5 || bytes.count == 8, bytes[2] == 58, let hour = digits(bytes[0..<2]), let minute = digits(bytes[3..<5]),
            hour < 24, minute < 60
        else { return nil }
        guard bytes.count == 8 else { return Int32(hour * 3600 + minute * 60) }
        guard bytes[5] == 58, let second = digits(bytes[6..<8]), second < 60 else { return nil }
        return Int32(hour * 3600 + minute * 60 + second)
    }

    /// RFC 3339, section 5.6, with at most six digits of a second; a leap second is the one before it.
    static func instant(_ text: some StringProtocol) -> (microseconds: Int64, offset: Int32)? {
        let bytes = Array(text.utf8)
        guard (20...32).contains(bytes.count), bytes[10] | 32 == UInt8(ascii: "t") else { return nil }
        guard let day = date(String(decoding: bytes[..<10], as: UTF8.self)) else { return nil }
        var clock = Array(bytes[11..<19])
        if clock[6] == UInt8(ascii: "6"), clock[7] == UInt8(ascii: "0") { clock.replaceSubrange(6..<8, with: "59".utf8) }
        guard let second = time(String(decoding: clock, as: UTF8.self)) else { return nil }
        var index = 19
        var fraction: Int64 = 0
        if bytes[index] == UInt8(ascii: ".") {
            var places = 0
            index += 1
            while index < bytes.count, (48...57).contains(bytes[index]) {
                guard places < 6 else { return nil }
                fraction = fraction * 10 + Int64(bytes[index] - 48)
                places += 1
                index += 1
            }
            guard places > 0 else { return nil }
            while places < 6 {
                fraction *= 10
                places += 1
            }
        }
        guard index < bytes.count else { return nil }
        let offset: Int32
        switch bytes[index] {
        case UInt8(ascii: "Z"), UInt8(ascii: "z"):
            guard index == bytes.count - 1 else { return nil }
            offset = 0
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            guard bytes.count - index == 6, let ahead = time(String(decoding: bytes[(index + 1)...], as: UTF8.self)) else { return nil }
            offset = bytes[index] == UInt8(ascii: "-") ? -ahead : ahead
        default: return nil
        }
        return ((Int64(day) * 86_400 + Int64(second) - Int64(offset)) * 1_000_000 + fraction, offset)
    }

    private static func digits(_ bytes: ArraySlice<UInt8>) -> Int64? {
        var value: Int64 = 0
        for byte in bytes {
            guard (48...57).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - 48)
        }
        return value
    }

    /// Days since 1970 of a day of the Gregorian calendar; the other way round than `civil`.
    static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = (shifted / 400, shifted % 400)
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

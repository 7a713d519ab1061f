/// Wall microseconds of a moment written as RFC 3339 has it: `2026-11-22T18:04:09Z`, with a fraction, with `+02:00` for `Z`. Nil for
/// anything else; a leap second counts as the second after it. Digits of a fraction beyond the sixth are dropped.
public func moment(_ text: some StringProtocol) -> Int64? {
    let bytes = Array(text.utf8.prefix(48))
    guard bytes.count >= 20, bytes.count == text.utf8.count else { return nil }
    func number(_ place: Int, _ count: Int) -> Int64? {
        guard place + count <= bytes.count else { return nil }
        var value: Int64 = 0
        for byte in bytes[place..<place + count] {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - 0x30)
        }
        return value
    }
    func has(_ place: Int, _ signs: String) -> Bool { place < bytes.count && signs.utf8.contains(bytes[place]) }
    guard let year = number(0, 4), has(4, "-"), let month = number(5, 2), has(7, "-"), let day = number(8, 2), has(10, "Tt"),
        let hour = number(11, 2), has(13, ":"), let minute = number(14, 2), has(16, ":"), let second = number(17, 2),
        (1...12).contains(month), hour < 24, minute < 60, second <= 60
    else { return nil }
    let days = dayNumber(year, month, day)
    // A day that the month does not have comes back as another.
    guard civil(days) == (year, month, day) else { return nil }
    var place = 19
    var micros: Int64 = 0
    if has(place, ".") {
        place += 1
        var unit: Int64 = 100_000
        let start = place
        while place < bytes.count, (0x30...0x39).contains(bytes[place]) {
            micros += Int64(bytes[place] - 0x30) * unit
            unit /= 10
            place += 1
        }
        guard place > start else { return nil }
    }
    var offset: Int64 = 0
    if has(place, "Zz") {
        place += 1
    } else {
        guard has(place, "+-"), let hours = number(place + 1, 2), has(place + 3, ":"), let minutes = number(place + 4, 2), hours < 24,
            minutes < 60
        else { return nil }
        offset = (hours * 60 + minutes) * (has(place, "-") ? -60 : 60)
        place += 6
    }
    guard place == bytes.count else { return nil }
    return ((days * 24 + hour) * 3600 + minute * 60 + second - offset) * 1_000_000 + micros
}

/// Days from 1970-01-01 to a date of the Gregorian calendar: the other way of `civil`.
private func dayNumber(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
}

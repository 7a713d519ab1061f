/// Wall microseconds of a time of RFC 3339, section 5.6: `2026-11-22T18:04:09.000123Z`, `2026-11-22T20:04:09+02:00`. Digits of the
/// fraction beyond the sixth are passed over; second 60 is taken as the next minute's first.
/// - Returns: nil for anything else, such as a date without a zone.
public func moment(_ text: some Sequence<UInt8>) -> Int64? {
    var input = MomentReader(Array(text.prefix(64)))
    guard let year = input.number(4), input.take("-"), let month = input.number(2), input.take("-"), let day = input.number(2),
        input.take("T") || input.take("t"), let hour = input.number(2), input.take(":"), let minute = input.number(2), input.take(":"),
        let second = input.number(2), let fraction = input.fraction(), let offset = input.offset(), input.isAtEnd,
        (1...12).contains(month), day >= 1, hour <= 23, minute <= 59, second <= 60
    else { return nil }
    let days = daysSince1970(year, month, day)
    // The 31st of a short month would be another day.
    guard civil(days) == (year, month, day) else { return nil }
    return ((days * 24 + hour) * 60 + minute - offset) * 60_000_000 + second * 1_000_000 + fraction
}

/// The inverse of `civil`.
private func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
}

private struct MomentReader {
    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { at == bytes.count }

    mutating func take(_ sign: Unicode.Scalar) -> Bool {
        guard at < bytes.count, bytes[at] == UInt8(ascii: sign) else { return false }
        at += 1
        return true
    }

    mutating func number(_ digits: Int) -> Int64? {
        guard at + digits <= bytes.count else { return nil }
        var value: Int64 = 0
        for _ in 0..<digits {
            guard bytes[at] >= 48, bytes[at] <= 57 else { return nil }
            value = value * 10 + Int64(bytes[at] - 48)
            at += 1
        }
        return value
    }

    /// Microseconds; 0 when there is none.
    mutating func fraction() -> Int64? {
        guard take(".") else { return 0 }
        var value: Int64 = 0
        var count = 0
        while at < bytes.count, bytes[at] >= 48, bytes[at] <= 57 {
            if count < 6 { value = value * 10 + Int64(bytes[at] - 48) }
            count += 1
            at += 1
        }
        guard count > 0 else { return nil }
        for _ in 0..<max(0, 6 - count) { value *= 10 }
        return value
    }

    /// Minutes east of UTC.
    mutating func offset() -> Int64? {
        if take("Z") || take("z") { return 0 }
        let isEast = take("+")
        guard isEast || take("-"), let hours = number(2), take(":"), let minutes = number(2), hours <= 23, minutes <= 59 else { return nil }
        return (isEast ? 1 : -1) * (hours * 60 + minutes)
    }
}

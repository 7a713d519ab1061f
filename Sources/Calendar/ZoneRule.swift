/// The rule behind the last transition of a zone's file: a POSIX TZ string with the extensions of RFC 9636, section 3.3.1, such as
/// `EET-2EEST,M3.5.0/3,M10.5.0/4`.
struct ZoneRule: Equatable, Sendable {
    /// Seconds ahead of UTC, the other way round than the string has it.
    var standard: Int32
    /// Nil: no summer time.
    var summer: Summer?

    struct Summer: Equatable, Sendable {
        var offset: Int32
        var begins: Change
        var ends: Change
    }

    /// When clocks change in a year: a day, and seconds from its midnight on the clocks before the change, -167...167 hours.
    struct Change: Equatable, Sendable {
        var day: Day
        var time: Int32
    }

    enum Day: Equatable, Sendable {
        /// `Jn`: 1...365, 29 February is never counted.
        case julian(Int)
        /// `n`: 0...365, 29 February is counted.
        case zeroBased(Int)
        /// `Mm.w.d`: weekday d (0 is Sunday) of week w of month m; week 5 is the last.
        case month(Int, week: Int, weekday: Int)

        func number(in year: Int) -> Int {
            let newYear = CivilDay.number(year: year, month: 1, day: 1)
            switch self {
            case .julian(let day): return newYear + day - 1 + (CivilDay.isLeap(year) && day >= 60 ? 1 : 0)
            case .zeroBased(let day): return newYear + day
            case .month(let month, let week, let weekday):
                let first = CivilDay.number(year: year, month: month, day: 1)
                // 1970-01-01 was a Thursday, which is 4 when Sunday is 0.
                let ahead = ((weekday - (first + 4)) % 7 + 7) % 7
                var day = ahead + (week - 1) * 7
                while day >= CivilDay.length(ofMonth: month, year) { day -= 7 }
                return first + day
            }
        }
    }

    /// The offset at a moment, and when the next may hold.
    func span(at seconds: Int64) -> (offset: Int32, until: Int64?) {
        guard let summer else { return (standard, nil) }
        let year = CivilDay(Int32(clamping: LocalTime.floored(seconds + Int64(standard), 86_400))).date.year
        // A change may be meant days before or after its year (RFC 9636 allows 167 hours), so the years beside it count too.
        var last: (at: Int64, offset: Int32)?
        var next: Int64?
        for one in (year - 1)...(year + 1) {
            let begins = moment(summer.begins, one, before: standard)
            let ends = moment(summer.ends, one, before: summer.offset)
            for (at, offset) in [(begins, summer.offset), (ends, standard)] {
                // Of two changes at one moment (summer time all year) the one to summer time holds.
                if at <= seconds, at > last?.at ?? .min || at == last?.at && offset == summer.offset { last = (at, offset) }
                if at > seconds { next = min(next ?? .max, at) }
            }
        }
        return (last?.offset ?? standard, next)
    }

    private func moment(_ change: Change, _ year: Int, before offset: Int32) -> Int64 {
        Int64(change.day.number(in: year)) * 86_400 + Int64(change.time) - Int64(offset)
    }
}

extension ZoneRule {
    /// Nil: no such string.
    init?(_ text: some Sequence<UInt8>) {
        var reader = Reader(bytes: Array(text))
        guard reader.skipName(), let west = reader.time(maximumHours: 24) else { return nil }
        standard = -west
        if reader.isAtEnd {
            summer = nil
            return
        }
        guard reader.skipName() else { return nil }
        var offset = standard + 3600
        if reader.peek != UInt8(ascii: ",") {
            guard let west = reader.time(maximumHours: 24) else { return nil }
            offset = -west
        }
        guard let begins = reader.change(), let ends = reader.change(), reader.isAtEnd else { return nil }
        summer = Summer(offset: offset, begins: begins, ends: ends)
    }

    private struct Reader {
        let bytes: [UInt8]
        var index = 0

        var isAtEnd: Bool { index == bytes.count }
        var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

        mutating func take(_ byte: Character) -> Bool {
            guard peek == byte.asciiValue else { return false }
            index += 1
            return true
        }

        /// Three letters or more, or anything of letters, digits and signs in `<>`.
        mutating func skipName() -> Bool {
            let start = index
            if take("<") {
                while let byte = peek, byte != UInt8(ascii: ">") {
                    guard isLetter(byte) || (48...57).contains(byte) || byte == 43 || byte == 45 else { return false }
                    index += 1
                }
                return index > start + 1 && take(">")
            }
            while let byte = peek, isLetter(byte) { index += 1 }
            return index - start >= 3
        }

        private func isLetter(_ byte: UInt8) -> Bool { (97...122).contains(byte | 32) }

        mutating func number(_ range: ClosedRange<Int>) -> Int? {
            var value = 0
            let start = index
            while let byte = peek, (48...57).contains(byte), index - start < 3 {
                value = value * 10 + Int(byte - 48)
                index += 1
            }
            return index > start && range.contains(value) ? value : nil
        }

        /// `[+-]hh[:mm[:ss]]` in seconds.
        mutating func time(maximumHours: Int) -> Int32? {
            let isNegative = take("-")
            if !isNegative { _ = take("+") }
            guard let hours = number(0...maximumHours) else { return nil }
            var seconds = hours * 3600
            for unit in [60, 1] where take(":") {
                guard let part = number(0...59) else { return nil }
                seconds += part * unit
            }
            return Int32(isNegative ? -seconds : seconds)
        }

        mutating func change() -> Change? {
            guard take(","), let day = day() else { return nil }
            guard take("/") else { return Change(day: day, time: 7200) }
            guard let time = time(maximumHours: 167) else { return nil }
            return Change(day: day, time: time)
        }

        private mutating func day() -> Day? {
            if take("J") { return number(1...365).map { .julian($0) } }
            guard take("M") else { return number(0...365).map { .zeroBased($0) } }
            guard let month = number(1...12), take("."), let week = number(1...5), take("."), let weekday = number(0...6) else {
                return nil
            }
            return .month(month, week: week, weekday: weekday)
        }
    }
}

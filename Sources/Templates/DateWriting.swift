/// Length of a date: 22.11.26, 22 лист. 2026 р., 22 листопада 2026 р., неділя, 22 листопада 2026 р.
enum DateStyle: String, CaseIterable {
    case short, medium, long, full

    var index: Int {
        switch self {
        case .short: 0
        case .medium: 1
        case .long: 2
        case .full: 3
        }
    }
}

/// Length of a time: 18:04, 18:04:09.
enum TimeStyle: String, CaseIterable {
    case short, medium

    var index: Int { self == .short ? 0 : 1 }
}

extension Output {
    mutating func write(_ date: CalendarDate, _ style: DateStyle, _ locale: TextLocale) {
        write(calendar: locale.dates.date[style.index], date, nil, locale.dates)
    }

    mutating func write(_ time: ClockTime, _ style: TimeStyle, _ locale: TextLocale) {
        write(calendar: locale.dates.time[style.index], nil, time, locale.dates)
    }

    /// Date and time, joined as the locale joins them. A long or full date has a short time beside it: the long forms of times name zones.
    mutating func write(_ moment: LocalMoment, _ style: DateStyle, _ locale: TextLocale) {
        let (date, time) = moment.parts
        let join = locale.dates.join[style.index]
        var index = 0
        while index < join.utf8CodeUnitCount {
            let byte = join.utf8Start[index]
            // `{1}` is the date, `{0}` the time.
            if byte == 0x7B, index + 2 < join.utf8CodeUnitCount {
                if join.utf8Start[index + 1] == 0x31 {
                    write(date, style, locale)
                } else {
                    write(time, style == .medium ? .medium : .short, locale)
                }
                index += 3
            } else {
                write(byte)
                index += 1
            }
        }
    }

    /// The weekday's name by itself.
    mutating func write(weekdayOf date: CalendarDate, _ locale: TextLocale) { write(locale.dates.days[date.weekday]) }

    /// The month's name by itself, nominative.
    mutating func write(monthOf date: CalendarDate, _ locale: TextLocale) { write(locale.dates.monthsAlone[date.month - 1]) }

    /// Writes by a pattern of CLDR (UTS 35, part 4, "Date Format Patterns"): runs of one letter are fields, what stands in apostrophes is
    /// text. `scripts/make-locales` takes no pattern with a field that is not among these or with an apostrophe that is written.
    private mutating func write(calendar pattern: StaticString, _ date: CalendarDate?, _ time: ClockTime?, _ facts: DateFacts) {
        let bytes = pattern.utf8Start
        let length = pattern.utf8CodeUnitCount
        var index = 0
        var quoted = false
        while index < length {
            let byte = bytes[index]
            if byte == 0x27 {
                quoted.toggle()
                index += 1
            } else if !quoted, (0x41...0x5A).contains(byte & 0xDF), byte < 0x80 {
                var run = 1
                while index + run < length, bytes[index + run] == byte { run += 1 }
                if let date { write(field: byte, run, date, facts) }
                if let time { write(field: byte, run, time, facts) }
                index += run
            } else {
                write(byte)
                index += 1
            }
        }
    }

    private mutating func write(field: UInt8, _ run: Int, _ date: CalendarDate, _ facts: DateFacts) {
        switch field {
        case 0x79: run == 2 ? write(digits: UInt64(date.year % 100), width: 2) : write(digits: UInt64(date.year))  // y
        case 0x64: write(number: date.day, run)  // d
        case 0x4D:  // M
            switch run {
            case 1, 2: write(number: date.month, run)
            case 3: write(facts.monthsShort[date.month - 1])
            default: write(facts.months[date.month - 1])
            }
        case 0x4C: write(facts.monthsAlone[date.month - 1])  // L
        case 0x45: write(run < 4 ? facts.daysShort[date.weekday] : facts.days[date.weekday])  // E
        default: break
        }
    }

    private mutating func write(field: UInt8, _ run: Int, _ time: ClockTime, _ facts: DateFacts) {
        switch field {
        case 0x48: write(number: time.hour, run)  // H
        case 0x68: write(number: time.hour % 12 == 0 ? 12 : time.hour % 12, run)  // h
        case 0x6D: write(number: time.minute, run)  // m
        case 0x73: write(number: time.second, run)  // s
        case 0x61: write(time.hour < 12 ? facts.morning : facts.afternoon)  // a
        default: break
        }
    }

    private mutating func write(number: Int, _ run: Int) {
        if run == 2 { write(digits: UInt64(number), width: 2) } else { write(digits: UInt64(number)) }
    }
}

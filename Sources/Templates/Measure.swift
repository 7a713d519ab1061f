/// How many letters a piece of a template can become. What a locale writes is measured by writing it.
struct Measure {
    private let program: Program
    private let locale: TextLocale

    /// Digits of the largest number there is.
    private static let digitsMax = 19

    init(_ template: Template) {
        program = template.program
        locale = template.options.locale
    }

    func literal(_ stretch: Stretch) -> LengthBound {
        let letters = letters(stretch)
        return LengthBound(least: letters, most: letters)
    }

    private func letters(_ stretch: Stretch) -> Int {
        guard stretch.start >= 0 else { return 0 }
        return program.literals[Int(stretch.start)..<Int(stretch.start + stretch.count)].count { $0 & 0xC0 != 0x80 }
    }

    func slot(_ slot: Slot, _ shape: Shape, mayBeMissing: Bool) -> LengthBound {
        var most = value(slot.format, shape)
        var fallback: Int? = letters(slot.fallback)
        for index in 0..<Int(slot.stepCount) {
            let step = program.steps[Int(slot.firstStep) + index]
            most = changed(most, step)
            if index >= Int(slot.stepsBeforeFallback) { fallback = changed(fallback, step) }
        }
        most = most.map { max($0, fallback ?? 0) }
        if let growth = growth(slot, shape) { most = most.map { $0 > Int.max / growth ? Int.max : $0 * growth } }
        return LengthBound(least: least(slot, shape, mayBeMissing), most: most)
    }

    /// How many letters one of a value can become; nil: it stays one.
    private func growth(_ slot: Slot, _ shape: Shape) -> Int? {
        switch slot.escape {
        case .plain: nil
        // An escape has at most six letters. Numbers and the names of the calendar have none.
        case .html, .json: shape.kind == .text || slot.fallback.count > 0 || isPlural(slot.format) ? 6 : nil
        // Each of at most four bytes becomes three letters: blanks within numbers and letters of months too.
        case .link: 12
        }
    }

    private func isPlural(_ format: Format) -> Bool {
        if case .plural = format { true } else { false }
    }

    /// A number, a date and the like have a letter at least; a text may be empty.
    private func least(_ slot: Slot, _ shape: Shape, _ mayBeMissing: Bool) -> Int {
        shape.kind == .text || mayBeMissing || isPlural(slot.format) ? 0 : 1
    }

    private func changed(_ most: Int?, _ step: TextStep) -> Int? {
        switch step {
        case .upper, .lower, .upperFirst, .lowerFirst: most
        case .truncate(let letters): min(most ?? .max, letters)
        case .mask(.card): min(most ?? .max, 5)
        case .mask(.last): min(most ?? .max, 4)
        case .mask(.account): min(most ?? .max, 7)
        case .mask(.phone): most
        }
    }

    private func value(_ format: Format, _ shape: Shape) -> Int? {
        switch format {
        case .plain: plain(shape)
        case .money(let style): money(shape, style)
        case .number(let places): number(shape, places, grouped: true)
        case .percent(let places): number(shape, places, grouped: true).map { $0 + 5 }
        case .date(let style): longestDay { $0.write($1, style, locale) }
        case .weekday: longestDay { $0.write(weekdayOf: $1, locale) }
        case .month: longestDay { $0.write(monthOf: $1, locale) }
        case .time(let style): longestTime { $0.write($1, style, locale) }
        case .datetime(let style): moment(style)
        case .ordinal: number(shape, 0, grouped: false).map { $0 + 2 }
        case .plural(let index): plural(program.forms[Int(index)], shape)
        }
    }

    private func plain(_ shape: Shape) -> Int? {
        switch shape.kind {
        case .text: shape.longest
        case .integer: number(shape, 0, grouped: false)
        case .decimal: number(shape, nil, grouped: false)
        case .money: money(shape, .symbol)
        case .date: longestDay { $0.write($1, .short, locale) }
        case .time: longestTime { $0.write($1, .short, locale) }
        case .moment: moment(.short)
        case .boolean: 5
        case .list, .record: nil
        }
    }

    private func number(_ shape: Shape, _ places: Int?, grouped: Bool) -> Int? {
        let digits = min(max(shape.longest ?? Self.digitsMax, 1), Self.digitsMax)
        let behind = places ?? (shape.kind == .decimal ? 18 : 0)
        let whole = ShownNumber(-Int64(clamping: tenTo(digits) - 1), scale: 0, places: 0)
        let letters = written { $0.writeSigned(whole, locale.numbers, grouped: grouped) }
        return letters + (behind > 0 ? behind + 1 : 0)
    }

    private func money(_ shape: Shape, _ style: MoneyStyle) -> Int? {
        let longest = locale.symbols.map { self.letters($0.symbol) }.max() ?? 0
        let digits = min(max(shape.longest ?? Self.digitsMax, 1), Self.digitsMax)
        // No currency has more than four digits behind the point.
        let whole = ShownNumber(-Int64(clamping: tenTo(digits) - 1), scale: 0, places: 4)
        let amount = written { $0.writeSigned(whole, locale.numbers) }
        return style == .plain ? amount : amount + 1 + (style == .code ? 3 : max(3, longest))
    }

    private func letters(_ text: StaticString) -> Int {
        UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount).count { $0 & 0xC0 != 0x80 }
    }

    private func plural(_ forms: PluralForms, _ shape: Shape) -> Int? {
        guard let number = number(shape, nil, grouped: true) else { return nil }
        return forms.forms.map { form in
            guard form.start >= 0 else { return 0 }
            let signs = program.literals[Int(form.start)..<Int(form.start + form.count)].count { $0 == 0x23 }
            return letters(form) + signs * (number - 1)
        }.max()
    }

    private func moment(_ style: DateStyle) -> Int? {
        // 10:04:44 and 22:44:44: two digits everywhere, before noon and after it.
        [36_284, 81_884].map { second in
            longestDay { $0.write(LocalMoment(seconds: Int64($1.dayNumber) * 86_400 + second, offset: 0), style, locale) }
        }.max()
    }

    /// Every month, every weekday, days of two digits.
    private func longestDay(_ write: (inout Output, CalendarDate) -> Void) -> Int {
        (1...12).flatMap { month in (20...26).compactMap { CalendarDate(year: 2026, month: month, day: $0) } }
            .map { day in written { write(&$0, day) } }.max() ?? 0
    }

    private func longestTime(_ write: (inout Output, ClockTime) -> Void) -> Int {
        [10, 22].compactMap { ClockTime(hour: $0, minute: 44, second: 44) }.map { time in written { write(&$0, time) } }.max() ?? 0
    }

    private func written(_ write: (inout Output) -> Void) -> Int {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 512) { buffer in
            var spare: UInt8 = 0
            return withUnsafeMutablePointer(to: &spare) { spare in
                var output = Output(buffer, spare: spare)
                write(&output)
                return UnsafeBufferPointer(rebasing: UnsafeBufferPointer(buffer)[..<output.count]).count { $0 & 0xC0 != 0x80 }
            }
        }
    }
}

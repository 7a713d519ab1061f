/// One rendering. Sections are entered by calls on the stack, bounded by the template's depth; nothing here asks for memory by itself.
struct Renderer {
    private let program: Program
    private let locale: TextLocale
    private let missingIsEmpty: Bool
    private let stepsMax: Int
    private let depthMax: Int
    private var output: Output
    private var steps = 0
    private var depth = 0
    private var stretch: Range<Int>?
    private var keep = 0

    /// What names are looked up in, innermost first.
    private struct Scope {
        let value: Value
        let outer: UnsafePointer<Scope>?
    }

    init(_ template: Template, _ output: Output) {
        self.output = output
        program = template.program
        locale = template.options.locale
        missingIsEmpty = template.options.missingIsEmpty
        stepsMax = template.options.limits.steps
        depthMax = template.options.limits.depth
    }

    mutating func render(_ root: Value) throws(RenderFault) -> Rendered {
        let scope = Scope(value: root, outer: nil)
        try withUnsafePointer(to: scope) { scope throws(RenderFault) in
            try run(0, 0, program.procedures[0].count, scope)
        }
        guard !output.overflowed else { throw .full }
        return Rendered(octets: output.count, stretch: stretch, keep: keep)
    }

    private mutating func run(_ procedure: Int, _ start: Int, _ end: Int, _ scope: UnsafePointer<Scope>) throws(RenderFault) {
        var index = start
        while index < end {
            steps += 1
            guard steps <= stepsMax else { throw .tooManySteps }
            let instruction = program.procedures[procedure][index]
            index += 1
            switch instruction {
            case .literal(let stretch): write(stretch)
            case .slot(let number):
                try write(number, scope)
                guard !output.overflowed else { throw .full }
            case .section(let path, let close):
                try section(program.paths[Int(path)], procedure, index, Int(close), scope)
                index = Int(close)
            case .inverted(let path, let close):
                if find(program.paths[Int(path)], scope)?.holds != true { try run(procedure, index, Int(close), scope) }
                index = Int(close)
            case .call(let number):
                depth += 1
                guard depth <= depthMax else { throw .tooDeep }
                try run(Int(number), 0, program.procedures[Int(number)].count, scope)
                depth -= 1
            }
        }
    }

    private mutating func section(
        _ path: Path, _ procedure: Int, _ start: Int, _ end: Int, _ scope: UnsafePointer<Scope>
    ) throws(RenderFault) {
        guard let value = find(path, scope), value.holds else { return }
        guard case .list(let items) = value else { return try enter(value, procedure, start, end, scope) }
        for item in items { try enter(item, procedure, start, end, scope) }
    }

    private mutating func enter(
        _ value: Value, _ procedure: Int, _ start: Int, _ end: Int, _ scope: UnsafePointer<Scope>
    ) throws(RenderFault) {
        let inner = Scope(value: value, outer: scope)
        try withUnsafePointer(to: inner) { inner throws(RenderFault) in
            try run(procedure, start, end, inner)
        }
    }

    // MARK: Names

    /// The first name is looked for from the innermost record outward, the others only inside of what it names (mustache(5), "dotted
    /// names"). Nil when there is no such field.
    private func find(_ path: Path, _ scope: UnsafePointer<Scope>) -> Value? {
        guard path.count > 0 else { return scope.pointee.value }
        let number = program.nameIndexes[path.first]
        var place: UnsafePointer<Scope>? = scope
        var found: Value?
        while let here = place {
            if case .record(let record) = here.pointee.value, let value = record.find(program.names[number], near: program.hints[number]) {
                found = value
                break
            }
            place = here.pointee.outer
        }
        guard path.count > 1 else { return found }
        for offset in 1..<path.count {
            let number = program.nameIndexes[path.first + offset]
            guard case .record(let record) = found else { return nil }
            found = record.find(program.names[number], near: 0)
        }
        return found
    }

    // MARK: Values

    private mutating func write(_ stretch: Stretch) {
        program.literals.withUnsafeBufferPointer { literals in
            output.write(UnsafeBufferPointer(rebasing: literals[Int(stretch.start)..<Int(stretch.start + stretch.count)]))
        }
    }

    private mutating func write(_ number: Int32, _ scope: UnsafePointer<Scope>) throws(RenderFault) {
        let slot = program.slots[Int(number)]
        let path = program.paths[Int(slot.path)]
        let start = output.count
        let value = find(path, scope) ?? .missing
        var firstStep = slot.firstStep
        if lacks(value, slot) {
            guard slot.fallback.start >= 0 else { throw .missing(program.text(of: path)) }
            write(slot.fallback)
            firstStep += slot.stepsBeforeFallback
        } else {
            guard try write(value, slot) else { throw .wrongType(program.text(of: path)) }
        }
        if slot.stepCount > 0 {
            for index in Int(firstStep)..<Int(slot.firstStep + slot.stepCount) {
                output.apply(program.steps[index], from: start, locale.isTurkic)
            }
        }
        output.escape(from: start, as: slot.escape)
        if slot.fit >= 0 {
            stretch = start..<output.count
            keep = Int(slot.fit)
        }
    }

    /// Whether something else has to be written instead: a default, or a fault.
    private func lacks(_ value: Value, _ slot: Slot) -> Bool {
        switch value {
        case .missing: slot.fallback.start >= 0 || !missingIsEmpty
        case .text(let text): text.isEmpty && slot.fallback.start >= 0
        case .integer, .decimal, .money, .date, .time, .moment, .boolean, .list, .record: false
        }
    }

    /// False when the value cannot be written so.
    private mutating func write(_ value: Value, _ slot: Slot) throws(RenderFault) -> Bool {
        if case .missing = value { return true }
        switch slot.format {
        case .plain: return writePlain(value)
        case .money(let style):
            guard case .money(let money) = value else { return false }
            output.write(money, style, locale)
        case .number(let places):
            guard let (coefficient, scale) = number(value) else { return false }
            output.writeSigned(ShownNumber(coefficient, scale: scale, places: places), locale.numbers)
        case .percent(let places):
            guard let (coefficient, scale) = number(value),
                let hundredth = ShownNumber(hundredTimes: coefficient, scale: scale, places: places)
            else { return false }
            output.write(hundredth, percentOf: locale)
        case .ordinal:
            guard case .integer(let number) = value else { return false }
            output.write(ordinal: number)
        case .plural(let forms):
            guard let (coefficient, scale) = number(value) else { return false }
            return writePlural(coefficient, scale, program.forms[Int(forms)])
        case .date, .time, .datetime, .weekday, .month: return writeCalendar(value, slot.format)
        }
        return true
    }

    private func number(_ value: Value) -> (Int64, Int)? {
        switch value {
        case .integer(let number): (number, 0)
        case .decimal(let number): (number.coefficient, Int(number.scale))
        case .missing, .text, .money, .date, .time, .moment, .boolean, .list, .record: nil
        }
    }

    private mutating func writePlain(_ value: Value) -> Bool {
        switch value {
        case .text(let text): output.write(text)
        case .integer(let number): output.writePlain(number)
        case .decimal(let number):
            output.writeSigned(
                ShownNumber(number.coefficient, scale: Int(number.scale), places: nil), locale.numbers, grouped: false)
        case .money(let money): output.write(money, .symbol, locale)
        case .date(let date): output.write(date, .short, locale)
        case .time(let time): output.write(time, .short, locale)
        case .moment(let moment): output.write(moment, .short, locale)
        case .boolean(let value): output.write(value ? "true" : "false")
        case .missing: break
        case .list, .record: return false
        }
        return true
    }

    private mutating func writeCalendar(_ value: Value, _ format: Format) -> Bool {
        var date: CalendarDate?
        var time: ClockTime?
        switch value {
        case .date(let day): date = day
        case .time(let clock): time = clock
        case .moment(let moment):
            if case .datetime(let style) = format {
                output.write(moment, style, locale)
                return true
            }
            let parts = moment.parts
            (date, time) = (parts.date, parts.time)
        case .missing, .text, .integer, .decimal, .money, .boolean, .list, .record: return false
        }
        switch format {
        case .date(let style): return date.map { output.write($0, style, locale) } != nil
        case .time(let style): return time.map { output.write($0, style, locale) } != nil
        case .weekday: return date.map { output.write(weekdayOf: $0, locale) } != nil
        case .month: return date.map { output.write(monthOf: $0, locale) } != nil
        case .plain, .money, .number, .percent, .datetime, .ordinal, .plural: return false
        }
    }

    /// The form of the number's category, `#` in it being the number. Millions that have no form of their own take `other`.
    private mutating func writePlural(_ coefficient: Int64, _ scale: Int, _ forms: PluralForms) -> Bool {
        let category = locale.plural.category(PluralOperands(magnitude: coefficient.magnitude, scale: scale))
        var form = forms.forms[category.index]
        if form.start < 0, scale == 0 { form = forms.forms[PluralCategory.other.index] }
        guard form.start >= 0 else { return false }
        for index in Int(form.start)..<Int(form.start + form.count) {
            let byte = program.literals[index]
            if byte == 0x23 {
                output.writeSigned(ShownNumber(coefficient, scale: scale, places: nil), locale.numbers)
            } else {
                output.write(byte)
            }
        }
        return true
    }
}

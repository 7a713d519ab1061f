extension Template {
    /// Every use of a field that a rendering can come by, in the order of the text. A partial counts at each place it is used at, but not
    /// within itself. At most `Limits.steps` pieces are looked at; `check` names a template that has more.
    public var uses: [FieldUse] {
        var walk = UseWalk(program: program, kind: options.kind, stepsLeft: options.limits.steps)
        walk.run(0, 0, program.procedures[0].count, [])
        return walk.uses
    }

    /// Compares the template with what its values will look like: fields that are not there, types that a tag cannot write, values that may
    /// be missing; and how long the text can become.
    /// - Parameter shape: a record.
    public func check(_ shape: Shape) -> TemplateCheck {
        var walk = ShapeWalk(self)
        let length = walk.run(0, 0, program.procedures[0].count, [shape])
        return TemplateCheck(findings: walk.findings, length: length)
    }
}

/// Goes through a program as a rendering would that enters every section once.
private struct UseWalk {
    let program: Program
    let kind: OutputKind
    var stepsLeft: Int
    var uses: [FieldUse] = []
    private var calls: [Int32] = []

    init(program: Program, kind: OutputKind, stepsLeft: Int) {
        self.program = program
        self.kind = kind
        self.stepsLeft = stepsLeft
    }

    mutating func run(_ procedure: Int, _ start: Int, _ end: Int, _ sections: [[String]]) {
        var index = start
        while index < end, stepsLeft > 0 {
            stepsLeft -= 1
            let instruction = program.procedures[procedure][index]
            index += 1
            switch instruction {
            case .literal: break
            case .slot(let number):
                let slot = program.slots[Int(number)]
                let path = Int(slot.path)
                uses.append(
                    FieldUse(
                        path: program.parts(of: program.paths[path]), sections: sections, accepts: slot.accepts, isCondition: false,
                        isMasked: slot.masked, hasDefault: slot.fallback.start >= 0,
                        isInAddress: kind == .html && slot.escape == .link, place: program.places[path]))
            case .section(let path, let close):
                run(procedure, index, Int(close), sections + [condition(path, sections)])
                index = Int(close)
            case .inverted(let path, let close):
                _ = condition(path, sections)
                run(procedure, index, Int(close), sections)
                index = Int(close)
            case .call(let number):
                guard !calls.contains(number) else { break }
                calls.append(number)
                run(Int(number), 0, program.procedures[Int(number)].count, sections)
                calls.removeLast()
            }
        }
    }

    private mutating func condition(_ path: Int32, _ sections: [[String]]) -> [String] {
        let parts = program.parts(of: program.paths[Int(path)])
        uses.append(
            FieldUse(
                path: parts, sections: sections, accepts: .any, isCondition: true, isMasked: false, hasDefault: true,
                isInAddress: false, place: program.places[Int(path)]))
        return parts
    }
}

/// The same with the shapes of values in place of values.
private struct ShapeWalk {
    private let template: Template
    private let program: Program
    private var stepsLeft: Int
    private(set) var findings: [TemplateFinding] = []
    private var calls: [Int32] = []
    /// Names that sections around here have seen to be there.
    private var present: [[String]] = []
    private let measure: Measure

    init(_ template: Template) {
        self.template = template
        program = template.program
        stepsLeft = template.options.limits.steps
        measure = Measure(template)
    }

    mutating func run(_ procedure: Int, _ start: Int, _ end: Int, _ scopes: [Shape]) -> LengthBound {
        var length = LengthBound.none
        var index = start
        while index < end, findings.count < template.options.limits.findings {
            stepsLeft -= 1
            guard stepsLeft > 0 else {
                if stepsLeft == 0 {
                    let place = Place(partial: nil, line: 1, column: 1)
                    findings.append(TemplateFinding(.tooLarge, place, "With its partials the template is too large to be checked."))
                }
                return LengthBound(least: length.least, most: nil)
            }
            let instruction = program.procedures[procedure][index]
            index += 1
            switch instruction {
            case .literal(let stretch): length = length + measure.literal(stretch)
            case .slot(let number): length = length + slot(program.slots[Int(number)], scopes)
            case .section(let path, let close):
                length = length + section(path, procedure, index, Int(close), scopes)
                index = Int(close)
            case .inverted(let path, let close):
                _ = find(path, scopes)
                let body = run(procedure, index, Int(close), scopes)
                length = length + LengthBound(least: 0, most: body.most)
                index = Int(close)
            case .call(let number):
                // A partial within itself goes on for as long as the values do.
                guard !calls.contains(number) else { return LengthBound(least: length.least, most: nil) }
                calls.append(number)
                length = length + run(Int(number), 0, program.procedures[Int(number)].count, scopes)
                calls.removeLast()
            }
        }
        return length
    }

    private mutating func section(_ path: Int32, _ procedure: Int, _ start: Int, _ end: Int, _ scopes: [Shape]) -> LengthBound {
        guard let shape = find(path, scopes) else { return .none }
        present.append(program.parts(of: program.paths[Int(path)]))
        defer { present.removeLast() }
        let inner = shape.kind == .list ? shape.item ?? shape : shape.certain
        let body = run(procedure, start, end, scopes + [inner])
        return body.times(shape.kind == .list ? shape.longest : 1)
    }

    private mutating func slot(_ slot: Slot, _ scopes: [Shape]) -> LengthBound {
        guard let shape = find(slot.path, scopes) else { return .none }
        let path = program.paths[Int(slot.path)]
        let place = program.places[Int(slot.path)]
        guard slot.accepts.contains(shape.kinds) else {
            findings.append(
                TemplateFinding(
                    .wrongType, place, "The field `\(program.text(of: path))` is of the type \(shape.kind), which cannot be written so."))
            return .none
        }
        let mayBeMissing = shape.isOptional && !present.contains(program.parts(of: path))
        if mayBeMissing, slot.fallback.start < 0, !template.options.missingIsEmpty {
            findings.append(TemplateFinding(.mayBeMissing, place, "The field `\(program.text(of: path))` may be missing."))
        }
        return measure.slot(slot, shape, mayBeMissing: mayBeMissing)
    }

    /// What a path names, by the rule that rendering follows; nil, and a finding, when nothing does.
    private mutating func find(_ number: Int32, _ scopes: [Shape]) -> Shape? {
        let path = program.paths[Int(number)]
        let parts = program.parts(of: path)
        guard let first = parts.first else { return scopes.last }
        var found = scopes.reversed().lazy.compactMap { $0.kind == .record ? $0.field(first) : nil }.first
        var optional = found?.isOptional ?? false
        for part in parts.dropFirst() {
            found = found.flatMap { $0.kind == .record ? $0.field(part) : nil }
            optional = optional || (found?.isOptional ?? false)
        }
        guard let found else {
            findings.append(TemplateFinding(.unknownField, program.places[Int(number)], "There is no field `\(program.text(of: path))`."))
            return nil
        }
        return optional ? found.orMissing : found
    }
}

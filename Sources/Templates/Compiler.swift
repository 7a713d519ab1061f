/// Turns a template's text into a program. Everything that is wrong is found in one go, as far as the rest can still be understood.
struct Compiler {
    private let partials: [String: String]
    private let options: Template.Options
    private var findings: [TemplateFinding] = []

    private var procedures: [[Instruction]] = []
    private var literals: [UInt8] = []
    private var slots: [Slot] = []
    private var paths: [Path] = []
    private var places: [Place] = []
    private var names: [String] = []
    private var nameIndexes: [Int] = []
    private var nameNumbers: [String: Int] = [:]
    private var forms: [PluralForms] = []
    private var steps: [TextStep] = []

    /// Procedures by partial, indentation and what stands around it.
    private var known: [PartialUse: Int32] = [:]
    /// Partials being compiled, outermost first.
    private var within: [PartialUse] = []
    private var octets = 0
    private var instructions = 0
    private var fits = 0

    /// Where in the markup the text goes on; nil: it has none, or nobody asks.
    private var markup: MarkupScan?

    private struct PartialUse: Hashable {
        let name: String
        let indent: String
        let stand: MarkupScan.Stand?
    }

    /// A section that is open while its body is read.
    private struct OpenSection {
        let name: [String]
        let inverted: Bool
        let path: Int32
        let offset: Int
        /// Where its instruction stands, to be given its end.
        let index: Int
        let stand: MarkupScan.Stand?
    }

    static func compile(_ text: String, _ partials: [String: String], _ options: Template.Options) throws(TemplateFaults) -> Program {
        var compiler = Compiler(partials: partials, options: options)
        compiler.procedures.append([])
        compiler.read(Source(text), into: 0)
        guard compiler.findings.isEmpty else { throw TemplateFaults(findings: compiler.findings) }
        let hints = compiler.names.map { options.fields.firstIndex(of: $0) ?? 0 }
        return Program(
            procedures: compiler.procedures, literals: compiler.literals, slots: compiler.slots, paths: compiler.paths,
            places: compiler.places, names: compiler.names, nameIndexes: compiler.nameIndexes, hints: hints, forms: compiler.forms,
            steps: compiler.steps, partials: Set(compiler.known.keys.map(\.name)).sorted())
    }

    private init(partials: [String: String], options: Template.Options) {
        self.partials = partials
        self.options = options
        if options.kind == .html, options.checksMarkup {
            markup = MarkupScan(refused: options.refusedSchemes, hosts: options.pictureHosts)
        }
    }

    private mutating func find(_ code: TemplateFinding.Code, _ place: Place, _ reason: String) {
        guard findings.count < options.limits.findings else { return }
        let finding = TemplateFinding(code, place, reason)
        // A partial used at two indentations is read twice.
        if !findings.contains(finding) { findings.append(finding) }
    }

    // MARK: Reading

    private mutating func read(_ source: Source, into procedure: Int) {
        octets += source.bytes.count
        guard octets <= options.limits.octets else {
            return find(.tooLarge, source.place(0), "The template and its partials have more than \(options.limits.octets) octets.")
        }
        var reader = TagReader()
        var open: [OpenSection] = []
        var position = 0
        reading: while findings.count < options.limits.findings {
            switch reader.next(source, from: position) {
            case .end: break reading
            case .broken(let at):
                find(.tagNotClosed, source.place(at), "The tag that begins here is not closed.")
                break reading
            case .tag(let tag):
                let line = tag.kind.standsAlone ? source.line(of: tag.whole) : nil
                literal(source, position..<max(line?.lowerBound ?? tag.whole.lowerBound, position), procedure)
                position = line?.upperBound ?? tag.whole.upperBound
                let indent = line.map { source.text($0.lowerBound..<tag.whole.lowerBound) } ?? ""
                take(tag, source, indent, &open, &reader, procedure)
            }
        }
        literal(source, min(position, source.bytes.count)..<source.bytes.count, procedure)
        for section in open {
            find(.sectionNotClosed, source.place(section.offset), "The section `\(section.name.joined(separator: "."))` is not closed.")
        }
    }

    private mutating func take(
        _ tag: Tag, _ source: Source, _ indent: String, _ open: inout [OpenSection], _ reader: inout TagReader, _ procedure: Int
    ) {
        switch tag.kind {
        case .comment: break
        case .value: value(tag, source, raw: false, procedure)
        case .raw: value(tag, source, raw: true, procedure)
        case .section: openSection(tag, source, inverted: false, &open, procedure)
        case .inverted: openSection(tag, source, inverted: true, &open, procedure)
        case .close: closeSection(tag, source, &open, procedure)
        case .partial: partial(tag, source, indent, procedure)
        case .delimiters:
            if !reader.change(source, tag.inside) {
                find(.badDelimiters, source.place(tag.whole.lowerBound), TemplateFinding.Code.badDelimiters.explanation)
            }
        case .unsupported(let sign):
            let reason = "Tags that begin with `\(Unicode.Scalar(sign))` are not used here."
            find(.unsupportedTag, source.place(tag.whole.lowerBound), reason)
        }
    }

    // MARK: Writing

    private mutating func emit(_ instruction: Instruction, _ procedure: Int, _ place: @autoclosure () -> Place) {
        instructions += 1
        guard instructions <= options.limits.instructions else {
            if instructions == options.limits.instructions + 1 {
                find(.tooLarge, place(), "The template has more than \(options.limits.instructions) pieces.")
            }
            return
        }
        procedures[procedure].append(instruction)
    }

    private mutating func literal(_ source: Source, _ range: Range<Int>, _ procedure: Int) {
        guard !range.isEmpty else { return }
        emit(.literal(keep(source.bytes[range])), procedure, Place(partial: nil, line: 1, column: 1))
        guard markup != nil else { return }
        for index in range {
            do throws(MarkupScan.Mistake) {
                try markup?.take(source.bytes[index])
            } catch {
                find(error.code, source.place(index), error.reason)
            }
        }
    }

    /// How a value is escaped where the text is by now.
    private mutating func escape(_ place: Place) -> OutputKind {
        do throws(MarkupScan.Mistake) {
            return try markup?.escape() ?? options.kind
        } catch {
            find(error.code, place, error.reason)
            return options.kind
        }
    }

    /// What stands around a tag that other text may follow, or precede, than is written here.
    private mutating func boundary(_ place: Place) -> MarkupScan.Stand? {
        do throws(MarkupScan.Mistake) {
            return try markup?.boundary()
        } catch {
            find(error.code, place, error.reason)
            return nil
        }
    }

    /// Holds where a section or a partial ended against where it began. Nil: it has been said already that it may not be there.
    private mutating func ends(_ begun: MarkupScan.Stand?, _ what: String, _ place: Place) {
        guard let begun, let ended = boundary(place), ended != begun else { return }
        find(.unsafePlace, place, "\(what) begins and ends at different places of a tag: each holds tags and attributes whole.")
        markup?.resume(begun)
    }

    private mutating func keep(_ bytes: some Collection<UInt8>) -> Stretch {
        let start = literals.count
        literals += bytes
        return Stretch(start: Int32(start), count: Int32(literals.count - start))
    }

    private mutating func path(_ parts: [String], _ place: Place) -> Int32 {
        let first = nameIndexes.count
        for part in parts {
            let number = nameNumbers[part] ?? names.count
            if number == names.count {
                names.append(part)
                nameNumbers[part] = number
            }
            nameIndexes.append(number)
        }
        paths.append(Path(first: first, count: parts.count))
        places.append(place)
        return Int32(paths.count - 1)
    }

    // MARK: Tags

    private mutating func value(_ tag: Tag, _ source: Source, raw: Bool, _ procedure: Int) {
        do throws(TagMistake) {
            let contents = try TagParser.contents(source, tag.inside)
            let plan = try FilterReader.plan(contents.filters, options.locale)
            let place = source.place(tag.whole.lowerBound)
            if raw, options.kind != .plain, !options.allowsRaw {
                find(.rawRefused, place, "The value of `\(contents.path.joined(separator: "."))` would go into this text without escape.")
            }
            if plan.fit >= 0 { fit(place) }
            let escape = escape(place)
            emit(.slot(slot(contents.path, plan, escape: raw ? .plain : escape, place)), procedure, place)
        } catch {
            find(error.code, source.place(error.offset), error.reason)
        }
    }

    private mutating func fit(_ place: Place) {
        fits += 1
        if options.kind != .plain {
            find(.badArgument, place, "`fit` belongs to plain texts.")
        } else if fits > 1 {
            find(.filterOrder, place, "One value of a template has `fit`; this is another.")
        }
    }

    private mutating func slot(_ parts: [String], _ plan: FilterPlan, escape: OutputKind, _ place: Place) -> Int32 {
        var format = plan.format
        if case .plural = format {
            var kept = PluralForms()
            kept.takesFractions = plan.takesFractions
            for (category, text) in plan.forms { kept.forms[category.index] = keep(text.utf8) }
            forms.append(kept)
            format = .plural(Int32(forms.count - 1))
        }
        let firstStep = Int32(steps.count)
        steps += plan.steps
        let fallback = plan.fallback.map { keep($0.utf8) } ?? Stretch(start: -1, count: 0)
        slots.append(
            Slot(
                path: path(parts, place), format: format, firstStep: firstStep, stepCount: Int32(plan.steps.count), fallback: fallback,
                stepsBeforeFallback: Int32(plan.stepsBeforeFallback), escape: escape, accepts: plan.accepts, fit: plan.fit,
                masked: plan.masked))
        return Int32(slots.count - 1)
    }

    private mutating func openSection(_ tag: Tag, _ source: Source, inverted: Bool, _ open: inout [OpenSection], _ procedure: Int) {
        let offset = tag.whole.lowerBound
        do throws(TagMistake) {
            let name = try TagParser.name(source, tag.inside)
            if open.count + 1 > options.limits.depth {
                find(.tooDeep, source.place(offset), "Sections are nested deeper than \(options.limits.depth).")
            }
            let path = path(name, source.place(offset))
            let stand = boundary(source.place(offset))
            open.append(
                OpenSection(
                    name: name, inverted: inverted, path: path, offset: offset, index: procedures[procedure].count, stand: stand))
            emit(inverted ? .inverted(path: path, end: 0) : .section(path: path, end: 0), procedure, source.place(offset))
        } catch {
            find(error.code, source.place(error.offset), error.reason)
        }
    }

    private mutating func closeSection(_ tag: Tag, _ source: Source, _ open: inout [OpenSection], _ procedure: Int) {
        let place = source.place(tag.whole.lowerBound)
        do throws(TagMistake) {
            let name = try TagParser.name(source, tag.inside)
            let text = name.joined(separator: ".")
            guard let section = open.last else { return find(.sectionNotOpen, place, "The section `\(text)` is not open here.") }
            if section.name == name {
                open.removeLast()
                ends(section.stand, "The section `\(text)`", place)
                close(section, procedure)
            } else if let index = open.lastIndex(where: { $0.name == name }) {
                let inner = open[(index + 1)...].map { "`\($0.name.joined(separator: "."))`" }.joined(separator: ", ")
                find(.sectionCrossed, place, "The section `\(text)` is closed while \(inner) is open.")
                open.removeSubrange(index...)
            } else {
                find(.sectionNotOpen, place, "The section `\(text)` is not open here; `\(section.name.joined(separator: "."))` is.")
            }
        } catch {
            find(error.code, source.place(error.offset), error.reason)
        }
    }

    private mutating func close(_ section: OpenSection, _ procedure: Int) {
        // Not there when the template has too many instructions, which was found already.
        guard section.index < procedures[procedure].count else { return }
        let end = Int32(procedures[procedure].count)
        procedures[procedure][section.index] =
            section.inverted ? .inverted(path: section.path, end: end) : .section(path: section.path, end: end)
    }

    private mutating func partial(_ tag: Tag, _ source: Source, _ indent: String, _ procedure: Int) {
        let place = source.place(tag.whole.lowerBound)
        let name = source.text(tag.inside)
        if name.hasPrefix("*") {
            return find(.unsupportedTag, place, "The name of the partial `\(name)` would be made at run time; such names are written out.")
        }
        guard let text = partials[name] else {
            if name.isEmpty {
                find(.badName, place, "A partial has no name.")
            } else if !options.missingIsEmpty {
                find(.unknownPartial, place, "There is no partial `\(name)`.")
            }
            return
        }
        let stand = boundary(place)
        let use = PartialUse(name: name, indent: indent, stand: stand)
        if let number = known[use] { return emit(.call(number), procedure, place) }
        // Indented once more at each turn, it would have no end.
        guard !within.contains(where: { $0.name == name }) else {
            return find(.partialRecursion, place, "The partial `\(name)` contains itself, indented or in another place of a tag.")
        }
        guard within.count < options.limits.depth else {
            return find(.tooDeep, place, "Partials are nested deeper than \(options.limits.depth).")
        }
        let number = Int32(procedures.count)
        known[use] = number
        procedures.append([])
        within.append(use)
        read(Source(text, partial: name, indent: indent), into: Int(number))
        within.removeLast()
        ends(stand, "The partial `\(name)`", place)
        emit(.call(number), procedure, place)
    }
}

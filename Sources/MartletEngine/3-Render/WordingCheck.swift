import Calendar
import MartletModel
import SMSText
import Templates

/// Holds one text against the event that fills it: fields and their types, who may read them, how long it can get.
struct WordingCheck {
    let event: EventDefinition
    private let fields: WordingFields
    private let shape: Shape
    /// Parts that the node sends at most.
    private let parts: Int

    init(_ event: EventDefinition, parts: Int) {
        self.event = event
        self.parts = parts
        fields = WordingFields(event)
        shape = WordingFields.shape(event)
    }

    /// - Parameter partials: paths of the partials by name.
    func check(
        _ piece: WordingText.Piece, _ template: Template, _ partials: [String: String], _ content: TemplateContent
    ) -> [RulebookFinding] {
        var findings: [RulebookFinding] = template.check(shape).findings.map { finding in
            RulebookFinding(
                WordingCheck.path(finding.place, piece, partials), .error, "\(WordingCheck.words(finding)) (event/\(event.key))",
                remedy: WordingRemedy.of(finding.code))
        }
        for use in template.uses {
            if let finding = breach(use, piece, partials) { findings.append(finding) }
        }
        if content.channel == .sms, findings.isEmpty, let finding = length(template, piece, content) { findings.append(finding) }
        return findings
    }

    // MARK: Who may read it

    private func breach(_ use: FieldUse, _ piece: WordingText.Piece, _ partials: [String: String]) -> RulebookFinding? {
        guard let (name, dataClass, type) = field(use) else { return nil }
        // That there is a value says nothing of it, but of yes and no it says all.
        if use.isCondition, type != .boolean { return nil }
        let place = use.isInAddress ? .link : piece.place
        guard !place.shows(dataClass, isMasked: use.isMasked) else { return nil }
        let canMask = type == .text && place.shows(dataClass, isMasked: true)
        return RulebookFinding(
            WordingCheck.path(use.place, piece, partials), .error,
            "\(WordingCheck.words(use.place)): `\(name)` of event/\(event.key) is \(dataClass.word), and \(place.doc)",
            remedy: canMask ? "take it out, or mask it, as in {{\(name) | mask: last}}" : "take it out")
    }

    /// What a use names, found as a rendering finds it: in the innermost section that has it, else outside.
    private func field(_ use: FieldUse) -> (name: String, dataClass: DataClass, type: ParameterType)? {
        var path = use.path
        var sections = use.sections
        if path.isEmpty {
            guard let innermost = sections.popLast() else { return nil }
            path = innermost
        }
        let isOfCustomer = sections.contains([EventParameter.customer])
        guard let first = path.first else { return nil }
        if first == EventParameter.customer || isOfCustomer && WordingFields.customerNames.contains(first) {
            return (path.joined(separator: "."), .personal, .text)
        }
        return event.parameters.first { $0.name == first }.map { ($0.name, $0.dataClass, $0.type) }
    }

    // MARK: How long it gets

    private func length(_ template: Template, _ piece: WordingText.Piece, _ content: TemplateContent) -> RulebookFinding? {
        let shortest = [true, false].compactMap { cost(template, WordingFields.shortest(event, flags: $0), CustomerDetails()) }.min()
        if let shortest, shortest > parts {
            return RulebookFinding(
                piece.path, .error, "it has \(shortest) parts even with the shortest values of event/\(event.key); \(parts) are the most",
                remedy: "write a shorter text")
        }
        let longest = [true, false].compactMap {
            cost(template, WordingFields.longest(event, flags: $0), WordingFields.longestName)
        }.max()
        guard let longest, longest > parts else { return nil }
        return RulebookFinding(
            piece.path, .warning,
            "it has up to \(longest) parts with the longest values of event/\(event.key); \(parts) are the most, and longer ones are not sent",
            remedy: "give texts among its parameters a maximum, or let one be shortened, as in {{name | fit: 10}}")
    }

    /// Parts by the standard rules; nil: it cannot be written, which was found before.
    private func cost(_ template: Template, _ values: [EventPayload.NamedValue], _ details: CustomerDetails) -> Int? {
        do throws(WordingFault) {
            return try Wording.write(
                template, fields.record(values, details, .utc),
                count: { text in
                    let parts = SMSText.plan(text).parts
                    return Engine.TextCount(parts: parts, submits: parts)
                }, wanted: parts, limit: .max
            ).count.parts
        } catch {
            return nil
        }
    }

    // MARK: Words

    /// Where something stands: in the text itself, or in a partial.
    static func path(_ place: Place, _ piece: WordingText.Piece, _ partials: [String: String]) -> String {
        place.partial.flatMap { partials[$0] } ?? piece.path
    }

    static func words(_ place: Place) -> String { "line \(place.line), column \(place.column)" }

    /// Findings of rulebooks begin small and end without a point.
    static func words(_ finding: TemplateFinding) -> String {
        var reason = finding.reason
        if reason.hasSuffix(".") { reason.removeLast() }
        return "\(words(finding.place)): \(reason.prefix(1).lowercased())\(reason.dropFirst())"
    }
}

/// What an editor does about a mistake in a text.
enum WordingRemedy {
    static func of(_ code: TemplateFinding.Code) -> String {
        switch code {
        case .tagNotClosed: "close it with }}"
        case .sectionNotClosed, .sectionNotOpen, .sectionCrossed: "open each section once, and close the innermost first"
        case .badName: "write the name of a field"
        case .badDelimiters: "write two signs, or leave {{ and }} as they are"
        case .unsupportedTag: "take it out"
        case .rawRefused: "write it with two braces"
        case .unsafeAddress: "begin with https:// and the host's name, or with the scheme of your app"
        case .unsafePlace: "write it as text between tags, or in a quoted attribute"
        case .filterRefused: "take the filter out"
        case .unknownFilter: "the guide on templates has the filters"
        case .badArgument: "write the argument as the guide on templates has it"
        case .filterOrder: "put the filter that writes a number or a date first, and fit last"
        case .pluralForm: "write every form that the language has"
        case .unknownPartial: "write the partial, with a text"
        case .partialRecursion, .tooDeep: "put less into one another"
        case .tooLarge: "write a shorter text"
        case .unknownField: "name a parameter of the event, or customer.givenName or customer.familyName"
        case .wrongType: "use a filter for this type"
        case .mayBeMissing: "say what is written then, as in {{name | default: \"...\"}}"
        }
    }
}

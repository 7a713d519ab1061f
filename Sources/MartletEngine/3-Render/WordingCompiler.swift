import MartletModel
import Templates

/// Compiles the texts of a rulebook and looks at each as each event that uses it would fill it. Names everything at once.
struct WordingCompiler {
    /// One event over one channel.
    struct Compiled {
        var template: TemplateContent
        var override: OverrideContent?
        var texts: [Language] = []

        /// The texts in one language; a piece without a template has mistakes.
        struct Language {
            var locale: String
            var isOverridden: Bool
            var pieces: [(piece: WordingText.Piece, template: Template?)]
        }
    }

    let rulebook: Rulebook
    /// Parts that the node sends at most.
    let parts: Int
    /// Of the bank, in small letters, where markup may have pictures; nil: anywhere.
    let pictureHosts: Set<String>?
    private var rules: DecisionRules { rulebook.decisions }
    private var wording: WordingObjects { rulebook.wording }
    private(set) var findings: [RulebookFinding] = []
    /// Paths and messages of those; several events that share a template share its mistakes.
    private var known: Set<String> = []
    private var partials: [String: Partials] = [:]
    private(set) var usedPartials: Set<String> = []
    private var hasBrokenTexts = false

    /// Partials as they are in one language.
    private struct Partials {
        var texts: [String: String] = [:]
        var paths: [String: String] = [:]
    }

    /// More are not named.
    static let mostFindings = 1000

    init(_ rulebook: Rulebook, parts: Int, pictureHosts: Set<String>? = nil) {
        self.rulebook = rulebook
        self.parts = parts
        self.pictureHosts = pictureHosts
    }

    /// - Parameter broken: names of objects that could not be read whole: what their events say is not known, so no text is held against them.
    /// - Returns: by place of the event.
    mutating func run(broken: Set<String>) -> [[ChannelKind: Compiled]] {
        let templates = Dictionary(wording.templates.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        var overrides: [Int: [ChannelKind: OverrideContent]] = [:]
        for override in wording.overrides { overrides[override.event, default: [:]][override.channel] = override }
        var used: Set<String> = []
        var all: [[ChannelKind: Compiled]] = []
        for (place, event) in rules.events.enumerated() {
            var own: [ChannelKind: Compiled] = [:]
            let check = broken.contains("event/\(event.key)") ? nil : WordingCheck(event, parts: parts)
            for channel in ChannelKind.allCases {
                guard let name = event.templates[channel], let template = templates["\(channel.word).\(name)"] else { continue }
                used.insert(template.key)
                own[channel] = compile(template, overrides[place]?[channel], check, WordingFields(event))
            }
            if check != nil { checkLanguages(event, own) }
            all.append(own)
        }
        for template in wording.templates where !used.contains(template.key) {
            _ = compile(template, nil, nil, nil)
            find("\(template.name)$", .warning, "no event uses it", remedy: "take it out, or name it in an event")
        }
        // A text with mistakes may be the one that puts it in.
        for partial in wording.partials where !hasBrokenTexts && !usedPartials.contains(partial.key) {
            find("\(partial.name)$", .warning, "no text puts it in", remedy: "take it out, or write {{>\(partial.key)}} where it belongs")
        }
        checkPartials()
        return all
    }

    /// The texts of one event over one channel, for who looks at them alone.
    /// - Parameter isBroken: the event could not be read whole, so its texts are not held against it.
    /// - Returns: nil: it has none for this channel.
    mutating func run(event place: Int, over channel: ChannelKind, isBroken: Bool) -> Compiled? {
        let event = rules.events[place]
        guard let name = event.templates[channel], let template = wording.templates.first(where: { $0.key == "\(channel.word).\(name)" })
        else { return nil }
        let override = wording.overrides.last { $0.event == place && $0.channel == channel }
        return compile(template, override, isBroken ? nil : WordingCheck(event, parts: parts), WordingFields(event))
    }

    private mutating func compile(
        _ template: TemplateContent, _ override: OverrideContent?, _ check: WordingCheck?, _ fields: WordingFields?
    ) -> Compiled {
        var compiled = Compiled(template: template, override: override)
        let own = Dictionary(override?.texts.map { ($0.locale, $0) } ?? [], uniquingKeysWith: { first, _ in first })
        let texts =
            template.texts.map { own[$0.locale] ?? $0 }
            + (override?.texts ?? []).filter { text in !template.texts.contains { $0.locale == text.locale } }
        for text in texts {
            guard let locale = TextLocale.exact(text.locale) ?? CustomerLocale(text.locale).flatMap({ TextLocale.exact($0.language.text) })
            else {
                let path = text.pieces.first?.path ?? template.name
                find(
                    path, .error, "amounts and dates cannot be written in this language yet",
                    remedy: "the languages are \(TextLocale.all.map(\.tag).joined(separator: ", "))")
                continue
            }
            let pieces = text.pieces.map { piece in (piece, self.compile(piece, text.locale, locale, fields)) }
            compiled.texts.append(.init(locale: text.locale, isOverridden: own[text.locale] != nil, pieces: pieces))
            guard let check else { continue }
            for (piece, program) in pieces {
                guard let program else { continue }
                for finding in check.check(piece, program, partials[text.locale]?.paths ?? [:], template) { find(finding) }
            }
        }
        if let check, template.channel == .sms, template.sender == nil, override?.sender == nil {
            find(
                "\(template.name)$", .warning, "it has no sender: event/\(check.event.key) is told in the name of whoever reports it",
                remedy: "write the sender that customers know you by")
        }
        return compiled
    }

    private mutating func compile(
        _ piece: WordingText.Piece, _ language: String, _ locale: TextLocale, _ fields: WordingFields?
    ) -> Template? {
        if partials[language] == nil { partials[language] = partials(in: language) }
        let partials = partials[language] ?? Partials()
        var options = Template.Options(piece.place.output, locale)
        options.fields = fields?.names ?? []
        options.refusedSchemes = WordingPlace.refusedSchemes
        options.pictureHosts = pictureHosts
        do throws(TemplateFaults) {
            let template = try Template(piece.text, partials: partials.texts, options)
            usedPartials.formUnion(template.partials)
            return template
        } catch {
            hasBrokenTexts = true
            for finding in error.findings {
                var remedy = WordingRemedy.of(finding.code)
                if finding.code == .unknownPartial { remedy += " in \(language)" }
                find(WordingCheck.path(finding.place, piece, partials.paths), .error, WordingCheck.words(finding), remedy: remedy)
            }
            return nil
        }
    }

    /// Of each partial the text in this language, a country's own before the language's.
    private func partials(in language: String) -> Partials {
        var it = Partials()
        let general = CustomerLocale(language)?.language.text
        for partial in wording.partials {
            let text = partial.texts.first { $0.locale == language } ?? partial.texts.first { $0.locale == general }
            guard let piece = text?.pieces.first else { continue }
            it.texts[partial.key] = piece.text
            it.paths[partial.key] = piece.path
        }
        return it
    }

    /// Each partial by itself, so that mistakes of those are found too that nobody puts in yet, and those that put themselves in: a text with one
    /// would have no end. (Mustache allows it, for lists within lists; events have none.)
    private mutating func checkPartials() {
        var reach: [String: [String: Set<String>]] = [:]
        for partial in wording.partials {
            for text in partial.texts {
                guard let piece = text.pieces.first, let general = CustomerLocale(text.locale)?.language.text,
                    let locale = TextLocale.exact(text.locale) ?? TextLocale.exact(general),
                    let template = compile(piece, text.locale, locale, nil)
                else { continue }
                reach[text.locale, default: [:]][partial.key] = Set(template.partials)
            }
        }
        for partial in wording.partials {
            for text in partial.texts {
                guard let piece = text.pieces.first, let own = reach[text.locale], own[partial.key]?.contains(partial.key) == true else {
                    continue
                }
                let others = own.keys.filter { key in
                    key != partial.key && own[partial.key]?.contains(key) == true && own[key]?.contains(partial.key) == true
                }.sorted()
                // A loop is told at the first of its partials.
                guard others.allSatisfy({ $0 > partial.key }) else { continue }
                let way = others.isEmpty ? "" : ", by way of \(others.map { "partial/\($0)" }.joined(separator: ", "))"
                find(piece.path, .error, "it puts itself in\(way): the text would have no end", remedy: "take out one of these {{>...}}")
            }
        }
    }

    /// A customer who is told over one channel in Ukrainian is told so over all of them, and those of a unit in the unit's language.
    private mutating func checkLanguages(_ event: EventDefinition, _ own: [ChannelKind: Compiled]) {
        for channel in ChannelKind.allCases {
            guard let one = own[channel] else { continue }
            let others = own.filter { $0.key != channel }.values.flatMap(\.texts).map(\.locale)
            var missing: [String: [String]] = [:]
            for locale in Set(others) { missing[locale] = ["another channel has one"] }
            for (unit, locale) in rules.zones.locales.sorted(by: { $0.key < $1.key }) {
                missing[locale.text, default: []].append("unit \(unit)")
            }
            missing = missing.filter { locale, _ in
                let general = CustomerLocale(locale)?.language.text
                return !one.texts.contains { $0.locale == locale || $0.locale == general }
            }
            guard !missing.isEmpty else { continue }
            // One finding, however many units there are.
            let words = missing.sorted { $0.key < $1.key }.map { locale, why in
                "\(locale) (\(why.prefix(3).joined(separator: ", "))\(why.count > 3 ? " and others" : ""))"
            }
            find(
                "\(one.template.name)$.texts", .warning, "event/\(event.key) has no text here in \(words.joined(separator: ", "))",
                remedy: "write it; until then those customers read it in \(one.template.standard)")
        }
    }

    private mutating func find(_ path: String, _ severity: RulebookFinding.Severity, _ message: String, remedy: String) {
        find(RulebookFinding(path, severity, message, remedy: remedy))
    }

    private mutating func find(_ finding: RulebookFinding) {
        guard findings.count < WordingCompiler.mostFindings, known.insert("\(finding.path): \(finding.message)").inserted else { return }
        findings.append(finding)
    }
}

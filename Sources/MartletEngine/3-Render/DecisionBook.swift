public import Calendar
public import MartletModel

/// All of one release that deciding and writing go by: immutable, swapped whole. A class, so that taking hold of it is one count.
public final class DecisionBook: Sendable {
    /// Number of the release; 0: of none, as when files are checked.
    public let release: UInt32
    public let rules: DecisionRules
    public let decider: Decider
    public let wording: Wording

    public init(release: UInt32, rules: DecisionRules, decider: Decider, wording: Wording) {
        self.release = release
        self.rules = rules
        self.decider = decider
        self.wording = wording
    }

    /// The one compile of a rulebook, called when it is checked, written, previewed, published and loaded. Pure; the same objects and
    /// surroundings give the same result.
    /// - Parameters:
    ///   - zones: reads a time zone by its IANA name; nil: the machine has none of this name.
    /// - Returns: the rulebook as far as it can be made, the book when no finding is an error, and all findings at once.
    public static func compile(
        _ source: RulebookSource, in surroundings: Rulebook.Surroundings, zones: (String) -> Zone?
    ) -> (rulebook: Rulebook, book: DecisionBook?, findings: [RulebookFinding]) {
        var surroundings = surroundings
        if surroundings.templates == nil { surroundings.templates = WordingObjects.names(source) }
        var (rulebook, findings) = Rulebook.compile(source, in: surroundings)
        var read: [Zone] = []
        var unknown: Set<String> = []
        for name in rulebook.decisions.zones.names {
            if let zone = zones(name) { read.append(zone) } else { unknown.insert(name) }
        }
        if !unknown.isEmpty {
            // Read once more, so that each place that names one is found.
            surroundings.zones = (surroundings.zones ?? Set(rulebook.decisions.zones.names)).subtracting(unknown)
            (rulebook, findings) = Rulebook.compile(source, in: surroundings)
        }
        var compiler = WordingCompiler(rulebook, parts: surroundings.parts, pictureHosts: surroundings.pictureHosts)
        // Events whose parameters could not be read; other mistakes of an event say nothing against its texts.
        let broken = findings.lazy.filter { $0.severity == .error && $0.path.contains("$.parameters") }.map {
            String($0.path.prefix { $0 != "$" })
        }
        let texts = compiler.run(broken: Set(broken))
        findings += compiler.findings
        guard findings.areUsable else { return (rulebook, nil, findings) }
        let book = DecisionBook(
            release: UInt32(clamping: source.number), rules: rulebook.decisions, decider: Decider(rulebook.decisions, zones: read),
            wording: Wording(rulebook.decisions.events, texts))
        return (rulebook, book, findings)
    }

    /// The same for who has no word for zones.
    /// - Parameter zoneFile: the bytes of a zone as tzdata installs it.
    public static func compile(
        _ source: RulebookSource, in surroundings: Rulebook.Surroundings, zoneFile: (String) -> [UInt8]?
    ) -> (rulebook: Rulebook, book: DecisionBook?, findings: [RulebookFinding]) {
        compile(source, in: surroundings) { name -> Zone? in
            guard let bytes = zoneFile(name) else { return nil }
            // A file that is none is as good as no file.
            do throws(TZifFault) { return try Zone(tzif: bytes) } catch { return nil }
        }
    }

    /// What the customer reads: the customer's own language, else the unit's; none: each text's standard.
    public func locale(of customer: borrowing Customer) -> CustomerLocale { rules.zones.locale(of: customer) }
}

extension Wording {
    init(_ definitions: [EventDefinition], _ texts: [[ChannelKind: WordingCompiler.Compiled]]) {
        self.init(ContiguousArray(zip(definitions, texts).map { event, own in own[.sms].flatMap { Wording.short(event, $0) } }))
    }

    /// Nil: no language has a text, which was found.
    private static func short(_ event: EventDefinition, _ compiled: WordingCompiler.Compiled) -> Short? {
        var languages: ContiguousArray<Language> = []
        for text in compiled.texts {
            guard let code = CustomerLocale(text.locale), let template = text.pieces.first?.template else { continue }
            languages.append(Language(code: code, locale: text.locale, template: template, isOverridden: text.isOverridden))
        }
        guard let standard = languages.firstIndex(where: { $0.locale == compiled.template.standard }) else { return nil }
        return Short(
            fields: WordingFields(event), template: compiled.template.key, version: UInt32(clamping: compiled.template.version),
            override: UInt32(clamping: compiled.override?.version ?? 0), sender: compiled.override?.sender ?? compiled.template.sender,
            parts: compiled.template.parts, standard: standard, languages: languages)
    }
}

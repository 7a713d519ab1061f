/// What a rulebook says to customers: its texts as they are written, by key. The engine compiles them.
public struct WordingObjects: Equatable, Sendable {
    public var templates: [TemplateContent] = []
    public var partials: [PartialContent] = []
    public var overrides: [OverrideContent] = []

    public init() {}

    /// - Parameter rules: of the same source.
    static func compile(
        _ source: RulebookSource, _ rules: DecisionRules, _ surroundings: Rulebook.Surroundings, _ findings: inout [RulebookFinding]
    ) -> WordingObjects {
        var it = WordingObjects()
        for object in source.objects where object.kind == .template {
            if let template = TemplateContent.read(object, &findings) { it.templates.append(template) }
        }
        for object in source.objects where object.kind == .partial { it.partials.append(PartialContent.read(object, &findings)) }
        let events = Dictionary(rules.events.enumerated().map { ($0.element.key, $0.offset) }, uniquingKeysWith: { first, _ in first })
        let templates = Dictionary(it.templates.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        for object in source.objects where object.kind == .override {
            if let override = OverrideContent.read(object, events, rules, templates, &findings) { it.overrides.append(override) }
        }
        it.checkPictures(surroundings, &findings)
        return it
    }

    /// The templates of a source as events name them, `sms/card-payment`: for `Rulebook.Surroundings`.
    public static func names(_ source: RulebookSource) -> Set<String> {
        Set(
            source.objects.lazy.filter { $0.kind == .template }.map { object in
                let (channel, rest) = TemplateContent.parts(of: object.key)
                return "\(channel)/\(rest)"
            })
    }
}

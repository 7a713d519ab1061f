// Which objects name which others.

extension RulebookSource {
    /// Names of the objects that name this one by a field, in their order: what would be left with nothing to go by were it taken out. What texts put in
    /// is known to who reads texts.
    public func users(of kind: RulebookKind, _ key: String) -> [String] {
        let overrides = kind == .template ? overrides(of: key) : []
        return objects.filter { object in
            guard !(object.kind == kind && object.key == key) else { return false }
            return object.names(kind, key) || object.kind == .override && overrides.contains(object.key)
        }.map(\.name)
    }

    /// Keys that overrides of a template have: those of the events that use it.
    private func overrides(of template: String) -> Set<String> {
        let channel = TemplateContent.parts(of: template).first
        return Set(objects.lazy.filter { $0.kind == .event && $0.names(.template, template) }.map { "\($0.key).\(channel)" })
    }
}

extension RulebookKind {
    /// Kinds whose objects may name one of this kind, or put it into a text.
    public var namers: Set<RulebookKind> {
        switch self {
        case .eventType, .purpose: [.event]
        case .quietHours: [.event]
        case .plan: [.event, .matrix]
        case .event: [.event, .package, .override]
        case .holidays: [.quietHours]
        case .template: [.event, .override]
        case .partial: [.template, .partial, .override]
        case .routes, .package, .zones, .cap, .matrix, .suppression, .override: []
        }
    }
}

extension RulebookObject {
    /// Whether its content, or its key, names another object.
    fileprivate func names(_ named: RulebookKind, _ name: String) -> Bool {
        func holds(_ value: JSONValue?, _ wanted: String) -> Bool { if case .text(let text)? = value { text == wanted } else { false } }
        func anyHolds(_ list: JSONValue?, _ field: String) -> Bool {
            if case .list(let elements)? = list { elements.contains { holds($0[field], name) } } else { false }
        }
        switch (kind, named) {
        case (.event, .eventType): return holds(content["type"], name)
        case (.event, .purpose): return holds(content["purpose"], name)
        case (.event, .quietHours): return holds(content["quietHours"], name)
        case (.event, .plan): return holds(content["plan"], name)
        case (.event, .event): return holds(content["actionRequired"]?["completedBy"], name)
        case (.event, .template):
            let (channel, rest) = TemplateContent.parts(of: name)
            return holds(content["templates"]?[channel], rest)
        case (.package, .event): return anyHolds(content["events"], "event")
        case (.matrix, .plan): return anyHolds(content["cells"], "plan")
        case (.quietHours, .holidays): return holds(content["holidays"], name)
        case (.override, .event): return OverrideContent.parts(of: key)?.event == name
        default: return false
        }
    }
}

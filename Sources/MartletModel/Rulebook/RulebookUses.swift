// Which objects name which others.

extension RulebookSource {
    /// Names of the objects that name this one, in their order: what would be left with nothing to go by were it taken out.
    public func users(of kind: RulebookKind, _ key: String) -> [String] {
        objects.filter { $0.content.names(kind, key, from: $0.kind) && !($0.kind == kind && $0.key == key) }.map(\.name)
    }
}

extension JSONValue {
    /// Whether the content of an object names another one.
    fileprivate func names(_ kind: RulebookKind, _ key: String, from owner: RulebookKind) -> Bool {
        func holds(_ value: JSONValue?) -> Bool { if case .text(let text)? = value { text == key } else { false } }
        func anyHolds(_ list: JSONValue?, _ field: String) -> Bool {
            if case .list(let elements)? = list { elements.contains { holds($0[field]) } } else { false }
        }
        return switch (owner, kind) {
        case (.event, .eventType): holds(self["type"])
        case (.event, .purpose): holds(self["purpose"])
        case (.event, .quietHours): holds(self["quietHours"])
        case (.event, .plan): holds(self["plan"])
        case (.event, .event): holds(self["actionRequired"]?["completedBy"])
        case (.package, .event): anyHolds(self["events"], "event")
        case (.matrix, .plan): anyHolds(self["cells"], "plan")
        case (.quietHours, .holidays): holds(self["holidays"])
        default: false
        }
    }
}

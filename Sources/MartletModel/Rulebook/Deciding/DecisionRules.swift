/// All that decides whether, how and when a customer is told of an event: plain data, references between its parts as places in these lists.
/// Lists are in the order of their objects' keys.
public struct DecisionRules: Equatable, Sendable {
    public var eventTypes: [EventType] = []
    public var events: [EventDefinition] = []
    public var packages: [Package] = []
    public var purposes: [ConsentPurpose] = []
    public var quietHours: [QuietProfile] = []
    public var holidays: [HolidayCalendar] = []
    public var zones = ZoneNames()
    public var caps: [FrequencyCap] = []
    public var plans: [DeliveryPlan] = []
    public var matrix: [MatrixCell] = []
    public var suppressions: [SuppressionRule] = []

    public init() {}

    /// No event is known.
    public var isEmpty: Bool { events.isEmpty }

    /// Most objects of one kind.
    public static let most = 20_000

    /// What is wrong goes to the findings, all at once.
    static func compile(
        _ source: RulebookSource, _ surroundings: Rulebook.Surroundings, _ findings: inout [RulebookFinding]
    ) -> DecisionRules {
        let draft = RulebookDraft(source, &findings)
        var rules = DecisionRules()
        rules.eventTypes = draft.read(.eventType, &findings, EventType.read)
        rules.purposes = draft.read(.purpose, &findings, ConsentPurpose.read)
        rules.holidays = draft.read(.holidays, &findings, HolidayCalendar.read)
        rules.quietHours = draft.read(.quietHours, &findings) { reading, key, findings in
            QuietProfile.read(reading, key, draft, &findings)
        }
        rules.zones = ZoneNames.compile(draft, surroundings, &findings)
        rules.caps = draft.read(.cap, &findings, FrequencyCap.read)
        rules.plans = draft.read(.plan, &findings, DeliveryPlan.read)
        rules.matrix = MatrixCell.compile(draft, &findings)
        rules.suppressions = draft.read(.suppression, &findings, SuppressionRule.read)
        rules.events = draft.read(.event, &findings) { reading, key, findings in
            EventDefinition.read(reading, key, draft, surroundings, &findings)
        }
        rules.packages = draft.read(.package, &findings) { reading, key, findings in Package.read(reading, key, draft, &findings) }
        rules.check(draft, surroundings, &findings)
        return rules
    }
}

/// The objects of a rulebook while they are read: who refers to another finds its place here.
struct RulebookDraft {
    private var objects: [RulebookKind: [RulebookObject]] = [:]
    private var places: [RulebookKind: [String: Int]] = [:]

    init(_ source: RulebookSource, _ findings: inout [RulebookFinding]) {
        for object in source.objects { objects[object.kind, default: []].append(object) }
        for (kind, list) in objects {
            places[kind] = Dictionary(list.enumerated().map { ($0.element.key, $0.offset) }, uniquingKeysWith: { first, _ in first })
        }
        for (kind, list) in objects.sorted(by: { $0.key.rawValue < $1.key.rawValue }) where kind != .routes {
            if list.count > DecisionRules.most {
                findings.append(
                    RulebookFinding(
                        kind.rawValue, .error, "\(list.count) objects of this kind; \(DecisionRules.most) are the most",
                        remedy: "retire those that nobody uses"))
            }
        }
    }

    subscript(kind: RulebookKind) -> [DocumentReading] {
        (objects[kind] ?? []).map { DocumentReading($0.content, at: $0.name) }
    }

    /// Every object of a kind, in order, so that places stay true: one that cannot be read stands there with what could be.
    func read<Item>(
        _ kind: RulebookKind, _ findings: inout [RulebookFinding],
        _ item: (DocumentReading, String, inout [RulebookFinding]) -> Item
    ) -> [Item] {
        (objects[kind] ?? []).map { item(DocumentReading($0.content, at: $0.name), $0.key, &findings) }
    }

    /// The place of an object that a field names; nil, with a finding, when there is none.
    func place(
        _ kind: RulebookKind, _ reading: DocumentReading, _ field: String?, _ key: String, _ findings: inout [RulebookFinding]
    ) -> Int? {
        if let place = places[kind]?[key] { return place }
        reading.error(
            field, "there is no \(kind.rawValue)/\(key.utf8.count <= 64 ? key : "...")", remedy: "write it, or name another", &findings)
        return nil
    }

    /// Of a field that must be there.
    func place(_ kind: RulebookKind, _ reading: DocumentReading, _ field: String, _ findings: inout [RulebookFinding]) -> Int? {
        guard let key = reading.text(field, maximumBytes: 64, &findings) else { return nil }
        return place(kind, reading, field, key, &findings)
    }

    func optionalPlace(_ kind: RulebookKind, _ reading: DocumentReading, _ field: String, _ findings: inout [RulebookFinding]) -> Int? {
        guard reading.field(field) != nil, let key = reading.optionalText(field, maximumBytes: 64, &findings) else { return nil }
        return place(kind, reading, field, key, &findings)
    }
}

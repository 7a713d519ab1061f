/// The rules that people of the bank change while the node runs, versioned as a whole: what a decision goes by beside the node's own settings.
/// Compiled from its objects; immutable, swapped whole.
public struct Rulebook: Equatable, Sendable {
    /// Of the release; 0: none was published.
    public var number: Int64
    /// Which connection group serves which numbers; nil: no release says it, and the settings' routes hold.
    public var routes: [NumberRoute]?
    /// What events there are, and whether, how and when customers are told of them.
    public var decisions: DecisionRules
    /// What they are told, as it is written.
    public var wording: WordingObjects

    public init(
        number: Int64 = 0, routes: [NumberRoute]? = nil, decisions: DecisionRules = DecisionRules(),
        wording: WordingObjects = WordingObjects()
    ) {
        self.number = number
        self.routes = routes
        self.decisions = decisions
        self.wording = wording
    }

    /// What compiling looks at beside the objects.
    public struct Surroundings: Equatable, Sendable {
        /// Connection groups that there are; nil: not known here, so none is missed.
        public var groups: Set<String>?
        /// Templates that there are, as `sms/card-payment`; nil as above.
        public var templates: Set<String>?
        /// Time zones that the machine knows; nil as above.
        public var zones: Set<String>?
        /// Parts that the node sends of one short message at most.
        public var parts: Int
        /// Names of the pictures that were uploaded; nil as above.
        public var images: Set<String>?
        /// Hosts of the bank, in small letters, where other pictures may lie; none: nowhere; nil as above.
        public var pictureHosts: Set<String>?
        /// Channels over which this version can hand anything over; nil as above.
        public var served: ChannelSet?
        /// Numbers that the bank defined; nil as above.
        public var known: KnownNumbers?

        public init(
            groups: Set<String>? = nil, templates: Set<String>? = nil, zones: Set<String>? = nil, parts: Int = 10,
            images: Set<String>? = nil, pictureHosts: Set<String>? = nil, served: ChannelSet? = nil, known: KnownNumbers? = nil
        ) {
            self.groups = groups
            self.templates = templates
            self.zones = zones
            self.parts = parts
            self.images = images
            self.pictureHosts = pictureHosts
            self.served = served
            self.known = known
        }
    }

    /// Reads the objects and their forms. The one compile that preview, publishing and loading call is the engine's `DecisionBook.compile`, which
    /// begins here and looks into the texts besides. Pure; the same objects and surroundings give the same result.
    /// - Returns: the rulebook as far as it can be made, to be used only when no finding is an error, and all findings at once.
    public static func compile(_ source: RulebookSource, in surroundings: Surroundings) -> (rulebook: Rulebook, findings: [RulebookFinding])
    {
        var rulebook = Rulebook(number: source.number)
        var findings: [RulebookFinding] = []
        let routes = source.objects.filter { $0.kind == .routes }
        if !routes.isEmpty { rulebook.routes = NumberRoute.compile(routes, surroundings, &findings) }
        rulebook.decisions = DecisionRules.compile(source, surroundings, &findings)
        rulebook.wording = WordingObjects.compile(source, rulebook.decisions, surroundings, &findings)
        return (rulebook, findings)
    }
}

/// What objects a rulebook has. Raw values are stored and stand in files: never change one.
public enum RulebookKind: String, CaseIterable, Sendable {
    /// Which connection group serves which numbers.
    case routes
    case eventType = "event-type"
    case event
    case package
    case purpose
    case quietHours = "quiet-hours"
    case holidays
    case zones
    case cap
    case plan
    case matrix
    case suppression
    case template
    case partial
    case override

    /// Whether customers read what its objects say.
    public var isText: Bool {
        switch self {
        case .template, .partial, .override: true
        case .routes, .eventType, .event, .package, .purpose, .quietHours, .holidays, .zones, .cap, .plan, .matrix, .suppression: false
        }
    }

    /// For people.
    public var doc: String {
        switch self {
        case .routes:
            "Which connection group serves which numbers. All objects of this kind together are the table; no prefix stands twice."
        case .eventType:
            "What kind of thing happened, as the bank sorts its events; thresholds and wishes of customers are of an event type."
        case .event: "An event that the bank's systems report: what it says, and what follows from it."
        case .package: "What customers connect: events, thresholds, channels, fee."
        case .purpose: "What a customer's data may be used for, which asks for consent."
        case .quietHours: "When customers are not disturbed by some classes."
        case .holidays: "Days on which the bank does not disturb."
        case .zones: "Time zones of customers and units. All objects of this kind together are the table."
        case .cap: "How many notifications of some classes a customer gets at most within a time."
        case .plan: "Over which channels a customer is told, step by step."
        case .matrix: "Which plan a class follows, by segment and engagement. All objects of this kind together are the table."
        case .suppression: "Customers who are not told, by what the bank knows of them."
        case .template: "What customers read over one channel, in the bank's languages. Events share them."
        case .partial: "A text that templates put in: a footer, a greeting."
        case .override: "Texts of one event in the place of those of its template, which stays as it is."
        }
    }
}

/// A rulebook as it is written: the chosen version of each object.
public struct RulebookSource: Equatable, Sendable {
    /// Of the release.
    public var number: Int64
    /// When it was published, wall milliseconds.
    public var at: Int64
    /// By kind and key.
    public var objects: [RulebookObject]

    public init(number: Int64, at: Int64, objects: [RulebookObject]) {
        self.number = number
        self.at = at
        self.objects = objects.sorted { ($0.kind.rawValue, $0.key) < ($1.kind.rawValue, $1.key) }
    }
}

/// One version of an object.
public struct RulebookObject: Equatable, Sendable {
    public var kind: RulebookKind
    /// Its name among those of its kind: lower-case letters, digits, `-`, `_`, `.`; 1...64 bytes.
    public var key: String
    public var version: Int64
    public var content: JSONValue

    public init(kind: RulebookKind, key: String, version: Int64, content: JSONValue) {
        self.kind = kind
        self.key = key
        self.version = version
        self.content = content
    }

    /// Bytes of the canonical content.
    public static let contentMaximum = 4 << 20

    public static func isKey(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || [45, 46, 95].contains($0) }
    }

    /// As findings, diffs and the audit name it: `routes/default`.
    public var name: String { "\(kind.rawValue)/\(key)" }
}

/// What compiling has to say of one place. Holds no value of the document but names that it defines, so it may be logged.
public struct RulebookFinding: Equatable, Sendable {
    public enum Severity: String, Sendable {
        /// The rulebook cannot be used.
        case error
        /// It can, and somebody should look.
        case warning
    }

    /// `routes/default` and the place in it: `routes/default$.routes[3].group`.
    public var path: String
    public var severity: Severity
    public var message: String
    public var remedy: String

    public init(_ path: String, _ severity: Severity, _ message: String, remedy: String) {
        self.path = path
        self.severity = severity
        self.message = message
        self.remedy = remedy
    }
}

extension [RulebookFinding] {
    public var areUsable: Bool { !contains { $0.severity == .error } }
}

/// What kind of thing happened, as the bank sorts its events: thresholds and wishes of customers are of an event type.
public struct EventType: Equatable, Sendable {
    public var key: String
    /// What customers' records name it by; given once.
    public var number: UInt16
    /// Which page of the catalogue it stands on: `cards`, `loans`. For people.
    public var group: String

    public init(key: String, number: UInt16, group: String = "") {
        self.key = key
        self.number = number
        self.group = group
    }

    /// `{"number": 3, "group": "cards"}`.
    static func read(_ reading: DocumentReading, _ key: String, _ findings: inout [RulebookFinding]) -> EventType {
        reading.allow(["number", "group", "note"], &findings)
        let number = reading.integer("number", in: 1...65_535, &findings)
        let group = reading.optionalText("group", maximumBytes: 64, &findings)
        _ = reading.optionalText("note", maximumBytes: 200, &findings)
        return EventType(key: key, number: UInt16(number ?? 0), group: group ?? "")
    }
}

/// What a customer's data may be used for, which asks for consent.
public struct ConsentPurpose: Equatable, Sendable {
    public var key: String
    /// What consents name it by.
    public var number: UInt16
    /// What holds of a customer who said nothing.
    public var isPresumed: Bool

    public init(key: String, number: UInt16, isPresumed: Bool = false) {
        self.key = key
        self.number = number
        self.isPresumed = isPresumed
    }

    /// `{"number": 2, "presumed": false}`.
    static func read(_ reading: DocumentReading, _ key: String, _ findings: inout [RulebookFinding]) -> ConsentPurpose {
        reading.allow(["number", "presumed", "note"], &findings)
        let number = reading.integer("number", in: 1...65_535, &findings)
        _ = reading.optionalText("note", maximumBytes: 200, &findings)
        return ConsentPurpose(key: key, number: UInt16(number ?? 0), isPresumed: reading.flag("presumed", false, &findings))
    }
}

/// Customers who are not told, whatever they consented to: by what the bank knows of them, or by a list of the bank on which they stand. Addresses that must not be written to are no
/// part of a rulebook; they are facts of the customer's record.
public struct SuppressionRule: Equatable, Sendable {
    public var key: String
    /// Each list that is not empty must hold the customer's.
    public var statuses: [CustomerStatus]
    public var segments: [UInt16]
    public var tiers: [UInt16]
    public var units: [UInt16]
    /// Lists of the bank on one of which the customer stands.
    public var lists: [UInt16]
    public var classes: ClassSet
    public var channels: ChannelSet
    /// Holds back what is mandatory, too.
    public var isForMandatory: Bool

    public init(
        key: String, statuses: [CustomerStatus] = [], segments: [UInt16] = [], tiers: [UInt16] = [], units: [UInt16] = [],
        lists: [UInt16] = [], classes: ClassSet, channels: ChannelSet = .all, isForMandatory: Bool = false
    ) {
        self.key = key
        self.statuses = statuses
        self.segments = segments
        self.tiers = tiers
        self.units = units
        self.lists = lists
        self.classes = classes
        self.channels = channels
        self.isForMandatory = isForMandatory
    }

    /// - Parameter today: days since 1970 in the customer's time zone; read only where the customer stands on a list.
    public func names(_ customer: borrowing Customer, on today: UInt16) -> Bool {
        (statuses.isEmpty || statuses.contains(customer.status)) && (segments.isEmpty || segments.contains(customer.segment))
            && (tiers.isEmpty || tiers.contains(customer.tier)) && (units.isEmpty || units.contains(customer.unit))
            && (lists.isEmpty || list(of: customer, on: today) != nil)
    }

    /// The first of its lists on which the customer stands.
    public func list(of customer: borrowing Customer, on today: UInt16) -> UInt16? {
        for place in customer.listed.indices where customer.listed[place].holds(on: today) && lists.contains(customer.listed[place].list) {
            return customer.listed[place].list
        }
        return nil
    }

    /// `{"lists": [16], "classes": ["marketing"], "channels": ["sms"]}`.
    static func read(_ reading: DocumentReading, _ key: String, _ findings: inout [RulebookFinding]) -> SuppressionRule {
        reading.allow(["statuses", "segments", "tiers", "units", "lists", "classes", "channels", "mandatory", "note"], &findings)
        _ = reading.optionalText("note", maximumBytes: 200, &findings)
        let classes = reading.words("classes", of: MessageClass.words, &findings)
        if classes?.isEmpty ?? true {
            reading.error("classes", "it names no class", remedy: "name the classes that are not sent, such as [\"marketing\"]", &findings)
        }
        let channels = reading.words("channels", of: ChannelKind.words, &findings)
        let rule = SuppressionRule(
            key: key, statuses: reading.words("statuses", of: CustomerStatus.words, &findings) ?? [],
            segments: reading.numbers("segments", &findings), tiers: reading.numbers("tiers", &findings),
            units: reading.numbers("units", &findings), lists: reading.numbers("lists", &findings), classes: ClassSet(classes ?? []),
            channels: channels.map { ChannelSet($0) } ?? .all, isForMandatory: reading.flag("mandatory", false, &findings))
        if rule.statuses.isEmpty, rule.segments.isEmpty, rule.tiers.isEmpty, rule.units.isEmpty, rule.lists.isEmpty {
            reading.error(nil, "it names no customers", remedy: "name statuses, segments, tiers, units or lists", &findings)
        }
        return rule
    }
}

extension CustomerStatus {
    public var word: String {
        switch self {
        case .active: "active"
        case .blocked: "blocked"
        case .deceased: "deceased"
        case .closed: "closed"
        }
    }

    static let words = CustomerStatus.allCases.map { ($0.word, $0) }
}

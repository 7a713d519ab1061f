public import Calendar
public import MartletModel

/// A rulebook as decisions read it: numbers and places instead of names, lists that lie flat. Made once when a rulebook is taken into use;
/// immutable, swapped whole.
public struct Decider: Sendable {
    let events: ContiguousArray<Event>
    /// Place by number; -1: there is none.
    private let places: ContiguousArray<Int16>
    /// For each event its packages, one after the other.
    let entries: ContiguousArray<PackageEntry>
    let thresholds: ContiguousArray<Money>
    let conditions: ContiguousArray<PersonalCondition>
    let plans: ContiguousArray<DeliveryPlan>
    let suppressions: ContiguousArray<SuppressionRule>
    let quiet: ContiguousArray<QuietHours>
    public let caps: ContiguousArray<FrequencyCap>
    /// The same as records name them.
    public let counters: ContiguousArray<CapLedger.Counter>
    private let cells: [UInt64: Int16]
    private let zones: ContiguousArray<Zone>
    private let zoneOfNumber: [UInt16: Int]
    private let zoneOfUnit: [UInt16: Int]
    private let zoneOfAll: Int?

    /// An event's definition without what a decision does not read.
    struct Event: Sendable {
        var number: UInt16
        var type: UInt16
        var messageClass: MessageClass
        var isPublished: Bool
        var isMandatory: Bool
        var needsPackage: Bool
        var hasDuplicates: Bool
        var isPresumed: Bool
        /// 0: no consent is asked for.
        var purpose: UInt16
        var channels: ChannelSet
        var entries: Range<Int32>
        var conditions: Range<Int32>
        /// Bits of the caps that it counts for.
        var caps: UInt32
        /// Place; -1: none.
        var quiet: Int16
        var plan: Int16
        var isAtBestHour: Bool
        /// Microseconds after it happened.
        var deadline: Int64
        /// Within the limit's time; `.max`: any number.
        var most: UInt32
    }

    struct PackageEntry: Sendable {
        var package: UInt16
        var channels: ChannelSet
        var thresholds: Range<Int32>
    }

    /// - Parameter zones: those of `rules.zones.names`, in their order; one that is missing counts as UTC.
    public init(_ rules: DecisionRules, zones: [Zone] = []) {
        var entries: ContiguousArray<PackageEntry> = []
        var thresholds: ContiguousArray<Money> = []
        var conditions: ContiguousArray<PersonalCondition> = []
        var packagesOfEvent: [[(package: Package, entry: Package.Entry)]] = Array(repeating: [], count: rules.events.count)
        for package in rules.packages {
            for entry in package.entries where entry.event < packagesOfEvent.count { packagesOfEvent[entry.event].append((package, entry)) }
        }
        var quietOfClass: [MessageClass: Int16] = [:]
        for (place, profile) in rules.quietHours.enumerated() {
            for one in profile.classes.classes { quietOfClass[one] = Int16(clamping: place) }
        }
        var events: ContiguousArray<Event> = []
        for (place, definition) in rules.events.enumerated() {
            let first = Int32(entries.count)
            for (package, entry) in packagesOfEvent[place] {
                let from = Int32(thresholds.count)
                thresholds.append(contentsOf: entry.thresholds)
                entries.append(
                    PackageEntry(package: package.number, channels: package.channels ?? .all, thresholds: from..<Int32(thresholds.count)))
            }
            conditions.append(contentsOf: definition.conditions)
            var caps: UInt32 = 0
            for (place, cap) in rules.caps.prefix(FrequencyCap.mostCaps).enumerated() where cap.classes.contains(definition.messageClass) {
                caps |= 1 << UInt32(place)
            }
            let purpose = definition.purpose.flatMap { rules.purposes.indices.contains($0) ? rules.purposes[$0] : nil }
            events.append(
                Event(
                    number: definition.number,
                    type: rules.eventTypes.indices.contains(definition.type) ? rules.eventTypes[definition.type].number : 0,
                    messageClass: definition.messageClass, isPublished: definition.isPublished, isMandatory: definition.isMandatory,
                    needsPackage: !definition.isMandatory && !definition.isForEveryone, hasDuplicates: definition.duplicates != nil,
                    isPresumed: purpose?.isPresumed ?? false, purpose: purpose?.number ?? 0, channels: definition.channels,
                    entries: first..<Int32(entries.count),
                    conditions: Int32(conditions.count - definition.conditions.count)..<Int32(conditions.count),
                    caps: definition.messageClass.ignoresCaps || definition.isMandatory ? 0 : caps,
                    quiet: definition.quiet.map { Int16(clamping: $0) } ?? quietOfClass[definition.messageClass] ?? -1,
                    plan: definition.plan.map { Int16(clamping: $0) } ?? -1, isAtBestHour: definition.isAtBestHour,
                    deadline: definition.deadline * 1_000_000,
                    most: definition.limit.map { UInt32(clamping: $0.most) } ?? .max))
        }
        var places = ContiguousArray<Int16>(repeating: -1, count: Int(events.map(\.number).max() ?? 0) + 1)
        for (place, event) in events.enumerated() { places[Int(event.number)] = Int16(clamping: place) }
        (self.events, self.places, self.entries, self.thresholds) = (events, places, entries, thresholds)
        self.conditions = conditions
        plans = ContiguousArray(rules.plans)
        suppressions = ContiguousArray(rules.suppressions)
        caps = ContiguousArray(rules.caps.prefix(FrequencyCap.mostCaps))
        counters = ContiguousArray(caps.map { CapLedger.Counter($0) })
        quiet = ContiguousArray(rules.quietHours.map { Decider.hours($0, rules) })
        var cells: [UInt64: Int16] = [:]
        for cell in rules.matrix {
            cells[Decider.cell(cell.messageClass, cell.segment ?? 0, cell.engagement)] = Int16(clamping: cell.plan)
        }
        self.cells = cells
        self.zones = ContiguousArray(rules.zones.names.indices.map { $0 < zones.count ? zones[$0] : .utc })
        (zoneOfNumber, zoneOfUnit, zoneOfAll) = (rules.zones.zones, rules.zones.units, rules.zones.assumed)
    }

    private static func hours(_ profile: QuietProfile, _ rules: DecisionRules) -> QuietHours {
        func window(_ one: QuietProfile.Window) -> QuietWindow {
            QuietWindow(days: Weekday.allCases.filter { one.days.contains($0.rawValue) }, from: one.from, until: one.until)
        }
        let calendar = profile.holidays.flatMap { rules.holidays.indices.contains($0) ? rules.holidays[$0] : nil }
        let holidays = calendar.map { calendar in
            Holidays(yearly: calendar.yearly.map { ($0 / 100, $0 % 100) }, single: calendar.single.map { CivilDay($0) })
        }
        return QuietHours(
            windows: profile.windows.map(window), holidays: holidays ?? .none,
            holidayWindows: holidays == nil ? [] : profile.holidayWindows.map(window))
    }

    private static func cell(_ messageClass: MessageClass, _ segment: UInt16, _ engagement: Engagement?) -> UInt64 {
        UInt64(messageClass.rawValue) << 32 | UInt64(segment) << 8 | UInt64(engagement?.rawValue ?? 0)
    }

    /// Place of the definition with this number; nil: there is none, and the door refused the event.
    public func place(of number: UInt16) -> Int? {
        guard Int(number) < places.count, places[Int(number)] >= 0 else { return nil }
        return Int(places[Int(number)])
    }

    /// The customer's own, else the unit's, else the bank's.
    public func zone(of customer: borrowing Customer) -> Zone {
        let place =
            (customer.zone == 0 ? nil : zoneOfNumber[customer.zone]) ?? (customer.unit == 0 ? nil : zoneOfUnit[customer.unit]) ?? zoneOfAll
        return place.map { zones[$0] } ?? .utc
    }

    /// The cell that says most of this customer; nil: none fits.
    func plan(_ messageClass: MessageClass, _ customer: borrowing Customer) -> Int16? {
        let engagement = Decider.engagement(customer)
        if customer.segment != 0 {
            if let engagement, let plan = cells[Decider.cell(messageClass, customer.segment, engagement)] { return plan }
            if let plan = cells[Decider.cell(messageClass, customer.segment, nil)] { return plan }
        }
        if let engagement, let plan = cells[Decider.cell(messageClass, 0, engagement)] { return plan }
        return cells[Decider.cell(messageClass, 0, nil)]
    }

    static func engagement(_ customer: borrowing Customer) -> Engagement? {
        for one in customer.attributes where one.attribute == CustomerAttribute.engagement {
            guard case .integer(let value) = one.value, let value = UInt8(exactly: value) else { return nil }
            return Engagement(rawValue: value)
        }
        return nil
    }
}

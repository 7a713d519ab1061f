import MartletModel

/// What a release offers to customers: what can be connected, what is told in any case, and what their wishes may name.
struct OwnOffer: Sendable {
    var packages: [OfferedPackage] = []
    var fixed: [OfferedEvent] = []
    var eventTypes: [OfferedType] = []
    var purposes: Set<UInt16> = []
    var zones = ZoneNames()
    /// Names of events that are told in any case, by the number of their type.
    private var mandatory: [UInt16: [String]] = [:]
    /// Numbers of the types of which events say an amount that can be compared.
    private var typesWithAmount: Set<UInt16> = []

    /// Nothing was published.
    init() {}

    /// - Parameters:
    ///   - rules: of the release.
    ///   - entries: by path, for what people call them.
    init(_ rules: DecisionRules, _ entries: [String: RulebookEntry]) {
        zones = rules.zones
        purposes = Set(rules.purposes.map(\.number))
        eventTypes = rules.eventTypes.map {
            OfferedType(eventType: $0.number, key: $0.key, name: entries["event-type/\($0.key)"]?.name ?? $0.key)
        }
        // A release may have been published before this version's checks: what it names need not be there.
        func number(ofTypeOf event: EventDefinition) -> UInt16 {
            rules.eventTypes.indices.contains(event.type) ? rules.eventTypes[event.type].number : 0
        }
        func offered(_ event: EventDefinition, _ thresholds: [Money] = []) -> OfferedEvent {
            OfferedEvent(
                event: event.key, name: entries["event/\(event.key)"]?.name ?? event.key, eventType: number(ofTypeOf: event),
                channels: event.channels.words, thresholds: thresholds.map { OwnAmount($0) })
        }
        for event in rules.events where event.isPublished {
            let type = number(ofTypeOf: event)
            if event.threshold != nil { typesWithAmount.insert(type) }
            guard event.isMandatory else { continue }
            fixed.append(offered(event))
            mandatory[type, default: []].append(entries["event/\(event.key)"]?.name ?? event.key)
        }
        packages = rules.packages.map { package in
            let entry = entries["package/\(package.key)"]
            let told = package.entries.reduce(into: ChannelSet()) { $0.formUnion(rules.events[$1.event].channels) }
            return OfferedPackage(
                package: package.number, name: entry?.name ?? package.key, description: entry?.description,
                events: package.entries.map { offered(rules.events[$0.event], $0.thresholds) },
                channels: told.intersection(package.channels ?? .all).words, allowedChannels: told.words,
                fee: package.fee.map { OfferedPackage.Fee($0) })
        }.sorted { $0.package < $1.package }
    }

    /// What of the customer's packages nothing follows from.
    func withoutEffect(_ packages: [OfferedPackage]) -> [WithoutEffect] {
        var found: [WithoutEffect] = []
        for (index, package) in packages.enumerated() {
            let types = Set(package.events.map(\.eventType))
            for (place, one) in package.connected.enumerated() {
                let path = "packages[\(index)].connected[\(place)]"
                guard package.name != nil else {
                    found.append(.init(path: path, reason: "The package is no longer offered, and tells nothing."))
                    continue
                }
                for word in one.channels ?? [] where !package.allowedChannels.contains(word) {
                    found.append(.init(path: "\(path).channels", reason: "No event of the package is told over \(word)."))
                }
                for (threshold, own) in one.thresholds.enumerated()
                where !types.contains(own.eventType) || !typesWithAmount.contains(own.eventType) {
                    let reason =
                        types.contains(own.eventType)
                        ? "Events of this type say no amount." : "No event of the package is of this type."
                    found.append(.init(path: "\(path).thresholds[\(threshold)]", reason: reason))
                }
            }
        }
        return found
    }

    /// Which of the event types that a customer switched off are told all the same.
    func withoutEffect(muted: [UInt16]) -> [WithoutEffect] {
        muted.enumerated().flatMap { index, type in
            (mandatory[type] ?? []).map { WithoutEffect(path: "mutedEventTypes[\(index)]", reason: "\($0): told in any case.") }
        }
    }
}

extension OfferedPackage.Fee {
    fileprivate init(_ fee: Package.Fee) {
        let shown = OwnAmount(fee.amount)
        (amount, currency, period) = (shown.amount, shown.currency, fee.period.rawValue)
    }
}

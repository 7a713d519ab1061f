// Parts of a rulebook that nobody ever comes to, because something before them takes everything. Such a rulebook does what its other parts
// say, so all of it is a warning. What stands ready for classes that have no event yet is no mistake.

extension DecisionRules {
    /// - Parameter draft: the objects as they are written, for the places of what lies within them.
    func checkUnreachable(_ draft: RulebookDraft, _ findings: inout [RulebookFinding]) {
        checkCells(draft, &findings)
        checkEntries(draft, &findings)
        checkThresholds(&findings)
        checkSuppressions(&findings)
        checkCaps(&findings)
        checkProfiles(draft, &findings)
    }

    private func warning(
        _ kind: RulebookKind, _ key: String, _ field: String, _ message: String, remedy: String, _ findings: inout [RulebookFinding]
    ) {
        findings.append(RulebookFinding("\(kind.rawValue)/\(key)$\(field)", .warning, message, remedy: remedy))
    }

    /// Classes that have events, of which none is asked by the test.
    private func classes(without isAsked: (EventDefinition) -> Bool) -> ClassSet {
        var (all, asked): (ClassSet, ClassSet) = ([], [])
        for event in events {
            all.formUnion(ClassSet(event.messageClass))
            if isAsked(event) { asked.formUnion(ClassSet(event.messageClass)) }
        }
        return all.subtracting(asked)
    }

    /// A plan of the event's own goes before the matrix.
    private func checkCells(_ draft: RulebookDraft, _ findings: inout [RulebookFinding]) {
        var left = classes { $0.plan == nil }
        for reading in draft[.matrix] {
            for cell in reading.elements("cells") {
                guard let word = cell.field("class").flatMap({ DocumentReading($0, path: "").written }),
                    let one = MessageClass(word: word), left.contains(one)
                else { continue }
                // Once a class: there may be a cell for each segment.
                left.remove(ClassSet(one))
                cell.warning(
                    nil, "it is never reached: every event of class \(word) has a plan of its own, which goes before the matrix",
                    remedy: "take the cells of this class out, or take `plan` out of the events", &findings)
            }
        }
    }

    /// What is told to everybody is told without asking for a package.
    private func checkEntries(_ draft: RulebookDraft, _ findings: inout [RulebookFinding]) {
        let events = Dictionary(events.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        for (reading, package) in zip(draft[.package], packages) {
            for element in reading.elements("events") {
                guard let key = element.field("event").flatMap({ DocumentReading($0, path: "").written }), let event = events[key] else {
                    continue
                }
                if event.isMandatory || event.isForEveryone {
                    let word = event.isMandatory ? "mandatory" : "for everyone"
                    element.warning(
                        nil, "it is never asked: event/\(key) is \(word), so it is told without a package",
                        remedy: "take it out of the package, or take `\(event.isMandatory ? "mandatory" : "everyone")` out of the event",
                        &findings)
                } else if let channels = package.channels, event.isPublished, !event.channels.isEmpty,
                    channels.isDisjoint(with: event.channels)
                {
                    element.warning(
                        nil, "event/\(key) has no template for a channel of this package, so it tells nobody of it by itself",
                        remedy: "write a template for one of them, or name more channels", &findings)
                }
                for threshold in element.elements("thresholds") {
                    // What is no amount was told when it was read.
                    var told: [RulebookFinding] = []
                    guard let amount = Package.money(threshold, &told), amount.minor <= 0 else { continue }
                    threshold.warning(
                        nil, "it holds nothing back: every amount reaches it", remedy: "write an amount above zero, or take it out",
                        &findings)
                }
            }
        }
    }

    private func checkThresholds(_ findings: inout [RulebookFinding]) {
        for event in events where event.threshold != nil && (event.isMandatory || event.isForEveryone) {
            warning(
                .event, event.key, ".threshold",
                "it is never asked: an event that is \(event.isMandatory ? "mandatory" : "for everyone") is told whatever the amount",
                remedy: "take it out, or put the event into a package instead", &findings)
        }
    }

    // MARK: Whom not to tell

    /// More rules than a person writes are not compared with each other: it would take too long.
    private static let mostCompared = 500

    private func checkSuppressions(_ findings: inout [RulebookFinding]) {
        for (place, rule) in suppressions.enumerated() {
            if let words = rule.wordsOfStates {
                warning(.suppression, rule.key, ".statuses", words, remedy: "take the rule out, or name other customers", &findings)
                continue
            }
            guard suppressions.count <= DecisionRules.mostCompared else { continue }
            let covering = suppressions.indices.first { other in
                other != place && suppressions[other].covers(rule) && (other < place || !rule.covers(suppressions[other]))
            }
            guard let covering else { continue }
            warning(
                .suppression, rule.key, "",
                "it adds nothing: suppression/\(suppressions[covering].key) is for all these customers, classes and channels",
                remedy: "take it out, or narrow the other one", &findings)
        }
    }

    // MARK: How many

    private func checkCaps(_ findings: inout [RulebookFinding]) {
        let spared = classes { !$0.isMandatory }
        for (place, cap) in caps.enumerated() {
            if !cap.classes.isEmpty, cap.classes.isSubset(of: spared) {
                warning(
                    .cap, cap.key, ".classes", "it counts nothing: every event of these classes is mandatory",
                    remedy: "take it out, or name other classes", &findings)
                continue
            }
            let covering = caps.indices.first { other in
                other != place && caps[other].covers(cap) && (other < place || !cap.covers(caps[other]))
            }
            guard let covering else { continue }
            let other = caps[covering]
            warning(
                .cap, cap.key, ".most",
                "it is never reached: cap/\(other.key) stops after \(other.most) in \(LengthOfTime.words(other.within)), before it does",
                remedy: "take it out, or let it allow fewer or count longer", &findings)
        }
    }

    // MARK: When

    private func checkProfiles(_ draft: RulebookDraft, _ findings: inout [RulebookFinding]) {
        let named = Set(events.compactMap(\.quiet))
        let spared = classes { $0.quiet == nil }
        for (place, (reading, profile)) in zip(draft[.quietHours], quietHours).enumerated() {
            if !named.contains(place), profile.classes.isSubset(of: spared) {
                let words =
                    profile.classes.isEmpty
                    ? "it has no class, and no event names it" : "every event of its classes has quiet hours of its own"
                warning(.quietHours, profile.key, "", "nobody waits by it: \(words)", remedy: "take it out, or use it", &findings)
            }
            let week = QuietWeek(profile.windows)
            // Places are those of what could be read only where all of it could.
            let windows = reading.elements("windows")
            guard windows.count == profile.windows.count else { continue }
            for (window, element) in zip(profile.windows, windows) where week.isCovered(window) {
                element.warning(
                    nil, "it adds nothing: other windows are quiet at all these hours", remedy: "take one of them out", &findings)
            }
        }
    }
}

extension SuppressionRule {
    /// Why the customers of these states are never asked for by a rule; nil: they are.
    fileprivate var wordsOfStates: String? {
        guard !statuses.isEmpty, !statuses.contains(.active) else { return nil }
        if statuses.allSatisfy({ $0 == .deceased }) { return "it is never asked: nobody writes to the deceased in any case" }
        guard !classes.contains(.security), !isForMandatory else { return nil }
        return "it is never asked: customers of these states hear of security and of what is mandatory only, in any case"
    }

    /// Whether this rule holds back all that the other one does.
    fileprivate func covers(_ other: SuppressionRule) -> Bool {
        func holds<Item: Equatable>(_ own: [Item], _ its: [Item]) -> Bool {
            own.isEmpty || !its.isEmpty && its.allSatisfy { own.contains($0) }
        }
        return classes.isSuperset(of: other.classes) && channels.isSuperset(of: other.channels) && holds(statuses, other.statuses)
            && holds(segments, other.segments) && holds(tiers, other.tiers) && holds(units, other.units)
            && holds(lists, other.lists) && (isForMandatory || !other.isForMandatory)
    }
}

extension FrequencyCap {
    /// Whether this cap is used up whenever the other one is: it counts all that the other does, for as long, and allows no more.
    fileprivate func covers(_ other: FrequencyCap) -> Bool {
        classes.isSuperset(of: other.classes) && within >= other.within && most <= other.most
    }
}

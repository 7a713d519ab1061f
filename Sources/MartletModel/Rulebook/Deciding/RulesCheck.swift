// What is wrong with objects only when they are seen together.

extension DecisionRules {
    /// - Parameter draft: the objects as they are written.
    func check(_ draft: RulebookDraft, _ surroundings: Rulebook.Surroundings, _ findings: inout [RulebookFinding]) {
        once(.eventType, eventTypes.map { ($0.key, $0.number) }, &findings)
        once(.event, events.map { ($0.key, $0.number) }, &findings)
        once(.package, packages.map { ($0.key, $0.number) }, &findings)
        once(.purpose, purposes.map { ($0.key, $0.number) }, &findings)
        checkQuietHours(&findings)
        if caps.count > FrequencyCap.mostCaps {
            findings.append(
                RulebookFinding(
                    RulebookKind.cap.rawValue, .error, "\(caps.count) caps; \(FrequencyCap.mostCaps) are the most",
                    remedy: "join some of them"))
        }
        checkReach(&findings)
        checkPlans(draft, surroundings, &findings)
        checkWaiting(&findings)
        checkCompletions(&findings)
        draft.checkSteps(&findings)
        checkUnreachable(draft, &findings)
        draft.checkNumbers(surroundings.known, &findings)
    }

    private func error(
        _ kind: RulebookKind, _ key: String, _ field: String, _ message: String, remedy: String, _ findings: inout [RulebookFinding]
    ) {
        findings.append(RulebookFinding("\(kind.rawValue)/\(key)$.\(field)", .error, message, remedy: remedy))
    }

    /// A number is in customers' records and in the log: two things of one number would be taken for each other.
    private func once(_ kind: RulebookKind, _ list: [(key: String, number: UInt16)], _ findings: inout [RulebookFinding]) {
        var known: [UInt16: String] = [:]
        for one in list where one.number > 0 {
            if let first = known[one.number] {
                error(
                    kind, one.key, "number", "\(kind.rawValue)/\(first) has this number", remedy: "write the number that it was given",
                    &findings)
            } else {
                known[one.number] = one.key
            }
        }
    }

    private func checkQuietHours(_ findings: inout [RulebookFinding]) {
        var known: [MessageClass: String] = [:]
        for profile in quietHours {
            for one in profile.classes.classes {
                if let first = known.updateValue(profile.key, forKey: one) {
                    error(
                        .quietHours, profile.key, "classes", "quiet-hours/\(first) is for class \(one.word) already",
                        remedy: "leave one of them", &findings)
                }
            }
        }
        if !quietHours.isEmpty, zones.assumed == nil {
            findings.append(
                RulebookFinding(
                    RulebookKind.zones.rawValue, .warning, "customers without a zone have quiet hours by UTC",
                    remedy: "write a default zone into an object of kind zones"))
        }
    }

    /// An event that no package has is told to nobody.
    private func checkReach(_ findings: inout [RulebookFinding]) {
        var isInPackage = [Bool](repeating: false, count: events.count)
        for entry in packages.flatMap(\.entries) where entry.event < events.count {
            isInPackage[entry.event] = true
            if !entry.thresholds.isEmpty, events[entry.event].threshold == nil {
                let owner = packages.first { $0.entries.contains(entry) }?.key ?? ""
                error(
                    .package, owner, "events", "event/\(events[entry.event].key) has no parameter for thresholds",
                    remedy: "name one in the event's threshold, or take the thresholds out", &findings)
            }
        }
        for (place, event) in events.enumerated()
        where event.isPublished && !event.isMandatory && !event.isForEveryone && !isInPackage[place] {
            findings.append(
                RulebookFinding(
                    "event/\(event.key)$", .error, "no package has it, so nobody could be told",
                    remedy: "put it into a package, set everyone, or do not publish it yet"))
        }
    }

    /// Whatever plan an event may follow must be there, go over a channel that it has a template for, and be through before its deadline.
    private func checkPlans(_ draft: RulebookDraft, _ surroundings: Rulebook.Surroundings, _ findings: inout [RulebookFinding]) {
        // Looked up once: a matrix has thousands of cells, a bank thousands of events.
        var plansOfClass: [MessageClass: Set<Int>] = [:]
        var isUsed = [Bool](repeating: false, count: plans.count)
        for cell in matrix where cell.plan < plans.count {
            plansOfClass[cell.messageClass, default: []].insert(cell.plan)
            isUsed[cell.plan] = true
        }
        let general = Set(matrix.filter { $0.segment == nil && $0.engagement == nil }.map(\.messageClass))
        for (event, written) in zip(events, draft[.event]) {
            // One that names a plan which is not there was told so: the matrix is not what it would follow.
            if event.plan == nil, written.field("plan") != nil { continue }
            let places = event.plan.map { [$0] } ?? plansOfClass[event.messageClass] ?? []
            var ways: ChannelSet = []
            for place in places.sorted() where place < plans.count {
                isUsed[place] = true
                for step in plans[place].steps { ways.formUnion(ChannelSet(step.channels)) }
                guard event.isPublished else { continue }
                let plan = plans[place]
                if !event.templates.isEmpty, !plan.steps.contains(where: { $0.channels.contains { event.channels.contains($0) } }) {
                    error(
                        .event, event.key, "templates", "plan/\(plan.key), which it may follow, has no channel with a template",
                        remedy: "write a template for one of the plan's channels", &findings)
                }
                let begins = plan.lastBegins(over: event.channels)
                if begins >= event.deadline {
                    error(
                        .event, event.key, "deadline",
                        "the last step of plan/\(plan.key) begins after \(LengthOfTime.words(begins)), when it is past its deadline of "
                            + LengthOfTime.words(event.deadline),
                        remedy: "shorten the plan's waits, or give the event more time", &findings)
                }
            }
            ways.formIntersection(event.channels)
            if let served = surroundings.served, event.isPublished, !ways.isEmpty, ways.isDisjoint(with: served) {
                let words = ChannelKind.allCases.filter { served.contains($0) }.map(\.word).joined(separator: ", ")
                findings.append(
                    RulebookFinding(
                        "event/\(event.key)$.templates", .warning,
                        "none of its channels can hand anything over yet, so it is told to nobody (channel_forbidden)",
                        remedy: "write a template for one that can: \(words)"))
            }
            let hasGeneral = event.plan != nil || general.contains(event.messageClass)
            if event.isPublished, !hasGeneral {
                error(
                    .event, event.key, "plan", "neither it nor a cell of the matrix says how class \(event.messageClass.word) is told",
                    remedy: "write a cell of this class without segment and engagement, or name a plan", &findings)
            }
        }
        for (place, plan) in plans.enumerated() where !isUsed[place] {
            findings.append(
                RulebookFinding(
                    "plan/\(plan.key)$", .warning, "no event and no cell of the matrix uses it", remedy: "take it out, or use it"))
        }
    }
}

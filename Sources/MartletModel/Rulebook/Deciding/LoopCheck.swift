// What leads back to where it began.

extension DecisionRules {
    /// Events that complete each other: each would be done by what opens it again.
    func checkCompletions(_ findings: inout [RulebookFinding]) {
        // 0: not looked at, else the number of the walk that came by.
        var walks = [Int](repeating: 0, count: events.count)
        for first in events.indices where walks[first] == 0 {
            var place = first
            while walks[place] == 0 {
                walks[place] = first + 1
                guard let next = events[place].actionRequired?.completedBy, events.indices.contains(next) else { break }
                place = next
            }
            // Back where this same walk has been: from there on it goes round.
            guard walks[place] == first + 1, let next = events[place].actionRequired?.completedBy, events.indices.contains(next) else {
                continue
            }
            var round = [place]
            var other = next
            while other != place, let next = events[other].actionRequired?.completedBy, round.count <= events.count {
                round.append(other)
                other = next
            }
            guard other == place else { continue }
            name(round, &findings)
        }
    }

    private func name(_ round: [Int], _ findings: inout [RulebookFinding]) {
        // Begun with the least, so that the same loop is always told in the same words.
        let least = round.indices.min { events[round[$0]].key < events[round[$1]].key } ?? 0
        let keys = (round[least...] + round[..<least]).map { events[$0].key }
        guard let first = keys.first else { return }
        let path = "event/\(first)$.actionRequired.completedBy"
        guard keys.count > 1 else {
            findings.append(
                RulebookFinding(path, .error, "it would complete itself", remedy: "name the event that says that it is done"))
            return
        }
        let words = (keys.dropFirst() + [first]).map { "event/\($0)" }.joined(separator: ", that by ")
        findings.append(
            RulebookFinding(
                path, .error, "it leads back to itself: it is completed by \(words); none of them would ever be done",
                remedy: "let one of them be completed by an event that asks for nothing"))
    }
}

extension RulebookDraft {
    /// Steps of a plan that go the way of a step before them.
    func checkSteps(_ findings: inout [RulebookFinding]) {
        for plan in self[.plan] {
            let steps = plan.elements("steps").prefix(DeliveryPlan.mostSteps)
            let ways = steps.map { Way($0) }
            for (number, step) in steps.enumerated() {
                guard let way = ways[number], let before = ways[..<number].firstIndex(of: way) else { continue }
                step.warning(
                    nil, "it goes the same way as step \(before + 1): who did not hear then will hardly hear now, or hears it twice",
                    remedy: "take it out, or name another channel or route", &findings)
            }
        }
    }

    /// By what a step reaches the customer; what it waits for is not part of it.
    private struct Way: Hashable {
        var channels: Set<String>
        var route: JSONValue?

        init?(_ step: DocumentReading) {
            channels = Set(step.elements("channels").compactMap(\.written))
            route = step.field("route")
            if channels.isEmpty { return nil }
        }
    }
}

extension DocumentReading {
    /// The elements of a list as they stand there, for who looks again at what was read; none where it is no list.
    func elements(_ name: String) -> [DocumentReading] {
        guard case .list(let elements)? = field(name) else { return [] }
        return elements.enumerated().map { DocumentReading($0.element, path: "\(path).\(name)[\($0.offset)]") }
    }

    /// Nil: it is no text.
    var written: String? { if case .text(let text) = value { text } else { nil } }
}

/// Which event completes which: an event that asks for something names the one that says that it is done, and both sides find each other by the
/// hash of the same values.
extension DecisionRules {
    /// Tells every event what it completes. An open one is found under one hash, and an event ends at most one kind: what would need more is an error.
    mutating func linkCompletions(_ findings: inout [RulebookFinding]) {
        for place in events.indices {
            guard let action = events[place].actionRequired, let other = action.completedBy, other != place, events.indices.contains(other)
            else { continue }
            let event = events[place]
            func error(_ field: String, _ message: String, remedy: String) {
                findings.append(RulebookFinding("event/\(event.key)$.actionRequired.\(field)", .error, message, remedy: remedy))
            }
            let completing = events[other]
            if !event.supersedes.isEmpty, Set(event.supersedes) != Set(action.by) {
                error(
                    "by", "supersedes names other parameters, and one that is open is found by one set of them",
                    remedy: "name the same parameters in both")
                continue
            }
            if !completing.supersedes.isEmpty {
                error(
                    "completedBy", "event/\(completing.key) takes the place of others (supersedes), so it cannot complete one",
                    remedy: "name another event, or take out its supersedes")
                continue
            }
            if let first = completing.completes.flatMap({ it in events.first { $0.number == it.event } }) {
                error(
                    "completedBy", "event/\(completing.key) completes event/\(first.key) already, and one event completes one other",
                    remedy: "report an event of its own for each")
                continue
            }
            var by: [Int] = []
            for parameter in (event.found ?? []).map({ event.parameters[$0] }) {
                guard let same = completing.parameters.firstIndex(where: { $0.name == parameter.name && $0.type == parameter.type }) else {
                    error(
                        "by", "event/\(completing.key) has no parameter \(parameter.name) of type \(parameter.type.word)",
                        remedy: "name parameters that both events have")
                    continue
                }
                by.append(same)
            }
            events[other].completes = EventDefinition.Completion(event: event.number, by: by)
        }
    }
}

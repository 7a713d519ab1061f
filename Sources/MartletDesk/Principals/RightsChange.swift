import Guard

/// What became of a principal's rights, as its entry of the audit says it: every right that came and that went, by name. Rights of one noun stand
/// together (`customers.read+write`), so that even all of them fit into the text of an entry.
struct RightsChange {
    private let added: Set<Right>
    private let removed: Set<Right>
    /// Nil: it stays.
    private let unit: String?

    /// - Parameter before: nil: the principal is new.
    init(_ after: Principal, before: Principal?) {
        added = after.rights.subtracting(before?.rights ?? [])
        removed = (before?.rights ?? []).subtracting(after.rights)
        unit = before?.unit == after.unit ? nil : after.unit.map { "unit \($0)" } ?? "no unit"
    }

    init(added: Set<Right>, removed: Set<Right>, unit: String? = nil) {
        (self.added, self.removed, self.unit) = (added, removed, unit)
    }

    /// `done: gave customers.read+write; took audit.read; unit 3`; `done` where nothing changed. Where the words do not fit into an entry, how many rights.
    var outcome: String {
        let named = words { RightsChange.text($0) }
        return named.utf8.count <= AuditChain.maximumText ? named : words { "\($0.count) rights" }
    }

    private func words(_ text: (Set<Right>) -> String) -> String {
        var parts: [String] = []
        if !added.isEmpty { parts.append("gave \(text(added))") }
        if !removed.isEmpty { parts.append("took \(text(removed))") }
        if let unit { parts.append(unit) }
        return parts.isEmpty ? "done" : "done: \(parts.joined(separator: "; "))"
    }

    private static func text(_ rights: Set<Right>) -> String {
        var found: [(noun: Substring, verbs: [Substring])] = []
        for right in Right.allCases where rights.contains(right) {
            let words = right.rawValue.split(separator: ".", maxSplits: 1)
            let (noun, verb) = (words[0], words[words.count - 1])
            if let place = found.firstIndex(where: { $0.noun == noun }) {
                found[place].verbs.append(verb)
            } else {
                found.append((noun, [verb]))
            }
        }
        return found.map { "\($0.noun).\($0.verbs.joined(separator: "+"))" }.joined(separator: " ")
    }
}

/// One place where two documents differ.
public struct JSONChange: Hashable, Sendable {
    /// How to get there from the whole document. In lists the number is that of the older document, of what was added that of the newer.
    public var path: [JSONStep]
    /// Nil: it was added.
    public var before: JSONValue?
    /// Nil: it was taken out.
    public var after: JSONValue?

    public init(path: [JSONStep], before: JSONValue?, after: JSONValue?) {
        self.path = path
        self.before = before
        self.after = after
    }

    /// As people and JSON path readers write it (RFC 9535, section 2): `$.routes[3].group`.
    public var place: String { path.reduce(into: "$") { $0 += $1.text } }
}

public enum JSONStep: Hashable, Sendable {
    case field(String)
    case element(Int)

    var text: String {
        switch self {
        case .element(let index): return "[\(index)]"
        case .field(let name):
            let isPlain = name.utf8.allSatisfy { $0 == 95 || (48...57).contains($0) || (97...122).contains($0 | 32) }
            guard !isPlain || name.isEmpty || name.first?.isNumber ?? true else { return ".\(name)" }
            return "['\(name.flatMap { $0 == "'" || $0 == "\\" ? ["\\", $0] : [$0] }.reduce(into: "") { $0.append($1) })']"
        }
    }

    public static func == (one: JSONStep, other: JSONStep) -> Bool {
        switch (one, other) {
        case (.field(let a), .field(let b)): a.utf8.elementsEqual(b.utf8)
        case (.element(let a), .element(let b)): a == b
        default: false
        }
    }
}

extension JSONValue {
    /// Lists longer than this between their common beginning and end are compared place by place: looking for what moved costs the product
    /// of their lengths.
    private static let searchMaximum = 2000

    /// What makes `newer` of this document, field by field; empty: they are equal. `applying` it gives `newer` to the byte.
    public func changes(to newer: JSONValue) -> [JSONChange] {
        var changes: [JSONChange] = []
        compare(newer, [], &changes)
        return changes
    }

    private func compare(_ newer: JSONValue, _ path: [JSONStep], _ changes: inout [JSONChange]) {
        switch (self, newer) {
        case (.object(let old), .object(let new)): JSONValue.compare(old.inOrder, new.inOrder, path, &changes)
        case (.list(let old), .list(let new)): JSONValue.compare(old, new, path, &changes)
        default: if self != newer { changes.append(JSONChange(path: path, before: self, after: newer)) }
        }
    }

    private typealias Fields = [(key: String, value: JSONValue)]

    private static func compare(_ old: Fields, _ new: Fields, _ path: [JSONStep], _ changes: inout [JSONChange]) {
        var (left, right) = (0, 0)
        while left < old.count || right < new.count {
            let (one, other) = (left < old.count ? old[left] : nil, right < new.count ? new[right] : nil)
            if let one, let other, one.key.utf8.elementsEqual(other.key.utf8) {
                one.value.compare(other.value, path + [.field(one.key)], &changes)
                (left, right) = (left + 1, right + 1)
            } else if let one, other.map({ one.key.utf16.lexicographicallyPrecedes($0.key.utf16) }) ?? true {
                changes.append(JSONChange(path: path + [.field(one.key)], before: one.value, after: nil))
                left += 1
            } else if let other {
                changes.append(JSONChange(path: path + [.field(other.key)], before: nil, after: other.value))
                right += 1
            }
        }
    }

    private static func compare(_ old: [JSONValue], _ new: [JSONValue], _ path: [JSONStep], _ changes: inout [JSONChange]) {
        let begin = zip(old, new).prefix { $0 == $1 }.count
        let end = zip(old[begin...].reversed(), new[begin...].reversed()).prefix { $0 == $1 }.count
        let (gone, added) = moved(old[begin..<old.count - end], new[begin..<new.count - end])
        var (left, right) = (begin, begin)
        while left < old.count - end || right < new.count - end {
            let (isGone, isAdded) = (gone.contains(left), added.contains(right))
            if isGone, isAdded {
                // Between two elements that stayed: the one became the other.
                old[left].compare(new[right], path + [.element(left)], &changes)
                (left, right) = (left + 1, right + 1)
            } else if isGone {
                changes.append(JSONChange(path: path + [.element(left)], before: old[left], after: nil))
                left += 1
            } else if isAdded {
                changes.append(JSONChange(path: path + [.element(right)], before: nil, after: new[right]))
                right += 1
            } else {
                (left, right) = (left + 1, right + 1)
            }
        }
    }

    /// Places of `old` that are not in `new`, and of `new` that are not in `old`.
    private static func moved(_ old: ArraySlice<JSONValue>, _ new: ArraySlice<JSONValue>) -> (gone: Set<Int>, added: Set<Int>) {
        guard max(old.count, new.count) <= searchMaximum else { return (Set(old.indices), Set(new.indices)) }
        var (gone, added): (Set<Int>, Set<Int>) = ([], [])
        for change in Array(new).difference(from: Array(old)) {
            switch change {
            case .remove(let offset, _, _): gone.insert(old.startIndex + offset)
            case .insert(let offset, _, _): added.insert(new.startIndex + offset)
            }
        }
        return (gone, added)
    }

    /// This document with the changes made.
    /// - Returns: nil where a change does not fit: what it says was there is not.
    public func applying(_ changes: [JSONChange]) -> JSONValue? { applying(changes[...], depth: 0) }

    private func applying(_ changes: ArraySlice<JSONChange>, depth: Int) -> JSONValue? {
        guard let first = changes.first else { return self }
        if first.path.count == depth {
            guard changes.count == 1, first.before == self else { return nil }
            return first.after
        }
        switch self {
        case .object(var fields):
            let groups = JSONValue.grouped(changes, depth)
            // What goes goes first: a name that only looks like another takes its place.
            for isRemoval in [true, false] {
                for (step, group) in groups
                where (group.count == 1 && group.first?.after == nil && group.first?.path.count == depth + 1) == isRemoval {
                    guard case .field(let name) = step else { return nil }
                    if let only = group.first, only.path.count == depth + 1, only.before == nil || only.after == nil {
                        guard group.count == 1, fields.removeValue(forKey: name) == only.before else { return nil }
                        if let after = only.after { fields[name] = after }
                    } else {
                        guard let made = fields[name]?.applying(group, depth: depth + 1) else { return nil }
                        fields[name] = made
                    }
                }
            }
            return .object(fields)
        case .list(let list): return JSONValue.applying(changes, depth: depth, to: list)
        case .null, .flag, .integer, .text: return nil
        }
    }

    private static func applying(_ changes: ArraySlice<JSONChange>, depth: Int, to list: [JSONValue]) -> JSONValue? {
        var edited: [JSONValue?] = list
        var added: [(Int, JSONValue)] = []
        for (step, group) in grouped(changes, depth) {
            guard case .element(let index) = step else { return nil }
            // What was added has a number of its own, which may be that of an element that was changed.
            let inner = group.filter { !($0.path.count == depth + 1 && $0.before == nil) }
            for change in group where change.path.count == depth + 1 && change.before == nil {
                if let after = change.after { added.append((index, after)) }
            }
            guard let first = inner.first else { continue }
            guard list.indices.contains(index) else { return nil }
            if first.path.count == depth + 1, first.after == nil {
                guard inner.count == 1, first.before == list[index] else { return nil }
                edited[index] = nil
            } else {
                guard let made = list[index].applying(inner[...], depth: depth + 1) else { return nil }
                edited[index] = made
            }
        }
        var result = edited.compactMap { $0 }
        for (index, value) in added.sorted(by: { $0.0 < $1.0 }) {
            guard index <= result.count else { return nil }
            result.insert(value, at: index)
        }
        return .list(result)
    }

    /// Changes by their step at `depth`, in the order of their first.
    private static func grouped(_ changes: ArraySlice<JSONChange>, _ depth: Int) -> [(JSONStep, ArraySlice<JSONChange>)] {
        var order: [JSONStep] = []
        var groups: [JSONStep: [JSONChange]] = [:]
        for change in changes where change.path.count > depth {
            let step = change.path[depth]
            if groups[step] == nil { order.append(step) }
            groups[step, default: []].append(change)
        }
        return order.map { ($0, (groups[$0] ?? [])[...]) }
    }
}

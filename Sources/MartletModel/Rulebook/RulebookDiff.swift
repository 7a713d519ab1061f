/// What differs between two sets of objects, object by object and field by field.
public struct RulebookDifference: Equatable, Sendable {
    public var kind: RulebookKind
    public var key: String
    /// Versions; nil: it is not in that set.
    public var before: Int64?
    public var after: Int64?
    /// Empty for another version with the same content.
    public var changes: [JSONChange]

    /// By kind and key; objects of one version in both are left out.
    public static func between(_ old: [RulebookObject], _ new: [RulebookObject]) -> [RulebookDifference] {
        struct Name: Hashable {
            var kind: RulebookKind
            var key: String
        }
        var pairs: [Name: (old: RulebookObject?, new: RulebookObject?)] = [:]
        for object in old { pairs[Name(kind: object.kind, key: object.key), default: (nil, nil)].old = object }
        for object in new { pairs[Name(kind: object.kind, key: object.key), default: (nil, nil)].new = object }
        var differences: [RulebookDifference] = []
        for (name, pair) in pairs where pair.old?.version != pair.new?.version {
            let changes: [JSONChange] =
                switch (pair.old?.content, pair.new?.content) {
                case (let before?, let after?): before.changes(to: after)
                case (let before, let after): [JSONChange(path: [], before: before, after: after)]
                }
            differences.append(
                RulebookDifference(kind: name.kind, key: name.key, before: pair.old?.version, after: pair.new?.version, changes: changes))
        }
        return differences.sorted { ($0.kind.rawValue, $0.key) < ($1.kind.rawValue, $1.key) }
    }
}

/// Which connection group serves the numbers of one prefix; of several that fit the longest holds.
public struct NumberRoute: Hashable, Sendable {
    /// 0...15 digits without plus; empty: every number.
    public var prefix: String
    /// Name of a connection group.
    public var group: String

    public init(prefix: String, group: String) {
        self.prefix = prefix
        self.group = group
    }

    /// Of one rulebook, over all its objects of this kind.
    public static let most = 100_000

    /// The content of a `routes` object: `{"routes": [{"prefix": "44", "group": "harbour", "note": "..."}]}`, note at will.
    static func compile(
        _ objects: [RulebookObject], _ surroundings: Rulebook.Surroundings, _ findings: inout [RulebookFinding]
    ) -> [NumberRoute] {
        var routes: [NumberRoute] = []
        var places: [String: String] = [:]
        for object in objects {
            let document = DocumentReading(object.content, at: object.name)
            document.allow(["routes"], &findings)
            for element in document.list("routes", &findings) {
                guard let route = read(element, surroundings, &findings) else { continue }
                if let first = places.updateValue(element.path, forKey: route.prefix) {
                    findings.append(
                        RulebookFinding(
                            "\(element.path).prefix", .error, "the prefix '\(route.prefix)' has a route already, at \(first)",
                            remedy: "leave one of them"))
                }
                routes.append(route)
            }
        }
        let name = objects.first?.name ?? RulebookKind.routes.rawValue
        if routes.count > most {
            findings.append(RulebookFinding(name, .error, "\(routes.count) routes; \(most) are the most", remedy: "use shorter prefixes"))
        }
        if routes.isEmpty {
            findings.append(
                RulebookFinding(name, .error, "no number has a route: every message would be refused", remedy: "write a route"))
        } else if places[""] == nil {
            findings.append(
                RulebookFinding(
                    name, .warning, "numbers of other prefixes are refused (no_route)",
                    remedy: "where that is not meant, write a route with an empty prefix"))
        }
        return routes
    }

    private static func read(
        _ element: DocumentReading, _ surroundings: Rulebook.Surroundings, _ findings: inout [RulebookFinding]
    ) -> NumberRoute? {
        element.allow(["prefix", "group", "note"], &findings)
        _ = element.optionalText("note", maximumBytes: 200, &findings)
        let prefix = element.text("prefix", maximumBytes: 15, &findings)
        let group = element.text("group", maximumBytes: 32, &findings)
        guard let prefix, let group else { return nil }
        guard prefix.utf8.allSatisfy({ (48...57).contains($0) }) else {
            findings.append(
                RulebookFinding(
                    "\(element.path).prefix", .error, "a prefix holds digits only", remedy: "write 44 for numbers that begin with +44"))
            return nil
        }
        guard prefix.first != "0" else {
            findings.append(
                RulebookFinding(
                    "\(element.path).prefix", .error, "no international number begins with 0",
                    remedy: "write the country code first, without plus and zeros before it"))
            return nil
        }
        if let groups = surroundings.groups, !groups.contains(group) {
            findings.append(
                RulebookFinding(
                    "\(element.path).group", .error, "no connection is of group '\(group)'", remedy: "name the group of a connection"))
        }
        return NumberRoute(prefix: prefix, group: group)
    }
}

import MartletEngine
public import MartletModel
import MartletStore
import SQL

/// An object of the rulebook that names another one, or puts it into a text.
public struct RulebookUser: Equatable, Sendable {
    public var kind: RulebookKind
    public var key: String
    /// By its newest version.
    public var isNewest: Bool
    /// By the version in the newest release: while one does, what it names cannot be taken out.
    public var isPublished: Bool
}

/// How an override stands to the template whose texts it takes the place of.
public struct OverrideDrift: Equatable, Sendable {
    /// Key of the template.
    public var template: String
    /// Versions of the template: the one it was written over, and the newest.
    public var basedOn: Int64
    public var newest: Int64
    /// In which its texts are others than those of the version it was written over.
    public var languages: [String]
    /// What the template became since.
    public var changes: [JSONChange]

    /// For a person.
    public var words: String {
        let since = newest == basedOn ? "" : "; the template is at version \(newest)"
        guard !languages.isEmpty else { return "says what template/\(template) v\(basedOn) says\(since)" }
        return "differs from template/\(template) v\(basedOn) in \(languages.joined(separator: ", "))\(since)"
    }
}

extension Rulebooks {
    /// Who uses an object, as far as the caller sees them; by name.
    public func users(of kind: RulebookKind, _ key: String, by caller: Caller) async throws(DeskFault) -> [RulebookUser] {
        try await desk.read(.readRulebook, by: caller) { session in
            let visibility = try units.visibility(of: caller, session)
            _ = try find(kind, key, visibility, session)
            return try users(of: kind, key, in: try entries(session).filter { visibility.sees($0.unit) }, session)
        }
    }

    /// By name. A retired one uses it by the newest release alone.
    /// - Parameter entries: among which users are looked for.
    func users(of kind: RulebookKind, _ key: String, in entries: [RulebookEntry], _ session: SQLSession) throws -> [RulebookUser] {
        let drafts = try entries.filter { $0.retiredAt == nil && kind.namers.contains($0.kind) }.map { try self.newest($0, session) }
        let numbers = Set(entries.map(\.number))
        let released = try newestRelease(session).map { try parts($0, session) } ?? []
        let seen = released.filter { numbers.contains($0.number) }.map(\.object)
        let (newest, published) = (Rulebooks.users(drafts, of: kind, key), Rulebooks.users(seen, of: kind, key))
        return newest.union(published).sorted { ($0.kind.rawValue, $0.key) < ($1.kind.rawValue, $1.key) }.map {
            RulebookUser(kind: $0.kind, key: $0.key, isNewest: newest.contains($0), isPublished: published.contains($0))
        }
    }

    private struct Name: Hashable {
        var kind: RulebookKind
        var key: String
    }

    private static func users(_ objects: [RulebookObject], of kind: RulebookKind, _ key: String) -> Set<Name> {
        let names = Set(RulebookSource(number: 0, at: 0, objects: objects).allUsers(of: kind, key))
        return Set(objects.lazy.filter { names.contains($0.name) }.map { Name(kind: $0.kind, key: $0.key) })
    }

    /// - Returns: nil: it is no override, or what it names is not there for the caller.
    func drift(of entry: RulebookEntry, _ visibility: Visibility, _ session: SQLSession) throws -> OverrideDrift? {
        guard entry.kind == .override, let (event, channel) = OverrideContent.parts(of: entry.key),
            let definition = try newest(.event, event, visibility, session),
            case .text(let name)? = definition.content["templates"]?[channel.word],
            let template = try newest(.template, "\(channel.word).\(name)", visibility, session),
            let own = try newest(.override, entry.key, visibility, session), case .integer(let basedOn)? = own.content["basedOn"],
            (1...template.version).contains(basedOn)
        else { return nil }
        let number = try number(of: .template, template.key, session)
        let base = try content(of: number, basedOn, "\(template.name)@\(basedOn)", session).content ?? .null
        var languages: [String] = []
        if case .object(let texts)? = own.content["texts"] {
            languages = texts.keys.filter { texts[$0] != base["texts"]?[$0] }.sorted()
        }
        return OverrideDrift(
            template: template.key, basedOn: basedOn, newest: template.version, languages: languages,
            changes: base.changes(to: template.content))
    }

    private func number(of kind: RulebookKind, _ key: String, _ session: SQLSession) throws -> Int64 {
        try session.row(RulebookStatements.object, [.text(kind.rawValue), .text(key)])?.integer("number") ?? 0
    }

    private func newest(
        _ kind: RulebookKind, _ key: String, _ visibility: Visibility, _ session: SQLSession
    ) throws -> RulebookObject? {
        guard let row = try session.row(RulebookStatements.object, [.text(kind.rawValue), .text(key)]) else { return nil }
        let entry = try RulebookEntry(row, objectSeal)
        guard visibility.sees(entry.unit) else { return nil }
        return try newest(entry, session)
    }
}

import Guard
import MartletEngine
public import MartletModel
import MartletStore
import SQL

/// What goes into the next release beside what is in the newest one.
public struct RulebookSelection: Equatable, Sendable, Codable {
    public struct Name: Hashable, Sendable, Codable {
        public var kind: String
        public var key: String
        public init(kind: String, key: String) {
            self.kind = kind
            self.key = key
        }
    }

    /// Objects whose newest version is taken; nil: every object that the caller may change, and of those the retired ones are taken out.
    public var objects: [Name]?
    /// Objects that are taken out.
    public var without: [Name]

    public init(objects: [Name]? = nil, without: [Name] = []) {
        self.objects = objects
        self.without = without
    }
}

/// What publishing would do.
public struct RulebookPreview: Equatable, Sendable {
    /// Number of the newest release, 0 where there is none: what `publish` expects.
    public var base: Int64
    public var differences: [RulebookDifference]
    public var findings: [RulebookFinding]
}

/// A release as it was made.
public struct RulebookPublished: Equatable, Sendable {
    public var release: RulebookRelease
    public var warnings: [RulebookFinding]
    /// The node has it. If not, the release holds all the same, and `deliver` brings it as soon as the folder can be written.
    public var isHanded: Bool
}

/// Releases: sets of versions published as a whole. Nothing of one is ever changed; going back is a new release with an older one's content.
extension Rulebooks {
    /// Compiles what would be published, and says what differs from what holds.
    public func preview(_ selection: RulebookSelection, by caller: Caller) async throws(DeskFault) -> RulebookPreview {
        let (surroundings, needsApproval) = (try surroundings(), try needsApproval())
        return try await desk.read(.readRulebook, by: caller) { session in
            let visibility = try units.visibility(of: caller, session)
            let made = try candidate(selection, visibility, session)
            let unapproved = try needsApproval ? unapproved(made.new, session) : []
            let findings = try self.findings(made.source(1, 0), self.surroundings(surroundings, session)) + made.stillNamed + unapproved
            return RulebookPreview(base: made.base, differences: made.differences.filter { made.sees(visibility, $0) }, findings: findings)
        }
    }

    /// Publishes a new release and hands it to the node.
    /// - Parameters:
    ///   - note: why.
    ///   - base: the newest release as the caller knows it, 0 for none.
    /// - Throws: `.invalid` with every error that compiling found; `.changed`: there is a newer release; `.conflict`: nothing differs.
    public func publish(
        _ selection: RulebookSelection, note: String, base: Int64, by caller: Caller
    ) async throws(DeskFault) -> RulebookPublished {
        try caller.require(.publishRulebook)
        return try await release(.rulebookPublished, note, base, restores: nil, by: caller) { visibility, session in
            try candidate(selection, visibility, session)
        }
    }

    /// Publishes the content of an earlier release again, as a new one. All of it, so the caller must be of the whole bank.
    /// - Parameter target: the earlier release.
    public func rollBack(
        to target: Int64, note: String, base: Int64, by caller: Caller
    ) async throws(DeskFault) -> RulebookPublished {
        try caller.require(.publishRulebook)
        guard caller.unit == nil else {
            throw .invalid([FieldFault("unit", "foreign", "rolling back concerns every unit: a caller of the whole bank does it")])
        }
        return try await release(.rulebookRolledBack, note, base, restores: target, by: caller) { _, session in
            let newest = try newestRelease(session)
            return Candidate(
                base: newest?.number ?? 0, old: try newest.map { try parts($0, session) } ?? [],
                new: try parts(try find(target, session), session))
        }
    }

    /// Newest first.
    public func releases(_ wish: PageWish, by caller: Caller) async throws(DeskFault) -> Page<RulebookRelease> {
        let below = try wish.after?.number() ?? .max
        return try await desk.read(.readRulebook, by: caller) { session in
            let rows = try session.rows(RulebookStatements.releases, [.integer(below), .number(wish.limit + 1)])
            return Page(try rows.map { try RulebookRelease($0, releaseSeal) }, limit: wish.limit) { Cursor(number: $0.number) }
        }
    }

    /// What differs between two releases, as far as the caller sees the objects; 0 is the empty rulebook.
    public func diff(from old: Int64, to new: Int64, by caller: Caller) async throws(DeskFault) -> [RulebookDifference] {
        try await desk.read(.readRulebook, by: caller) { session in
            let visibility = try units.visibility(of: caller, session)
            let made = Candidate(
                base: old, old: old == 0 ? [] : try parts(try find(old, session), session),
                new: new == 0 ? [] : try parts(try find(new, session), session))
            return made.differences.filter { made.sees(visibility, $0) }
        }
    }

    /// Writes the newest release where the node looks for it, unless it is there; at each start of the desk and after each release.
    /// - Returns: its number; nil: there is none, or the node has a newer one from before the store was restored.
    @discardableResult public func deliver() async throws(DeskFault) -> Int64? {
        let found = try await desk.read(.readRulebook, by: .system("desk")) { session -> RulebookSource? in
            guard let newest = try newestRelease(session) else { return nil }
            return RulebookSource(number: newest.number, at: newest.at, objects: try parts(newest, session).map(\.object))
        }
        guard let source = found else { return nil }
        do {
            let bytes = try RulebookFile.bytes(source, digest: BodyDigest.sha256)
            if let newer = try world.folder.numbers().first, newer > source.number { return nil }
            if !world.folder.holds(source.number, bytes) { try world.folder.put(source.number, bytes) }
        } catch {
            throw .broken("release \(source.number) cannot be handed to the node: \(error)")
        }
        world.tell()
        return source.number
    }

    // MARK: How a release is made

    /// An object in a release.
    struct Part {
        var number: Int64
        var unit: Int64?
        var object: RulebookObject
    }

    /// What holds, and what would.
    struct Candidate {
        var base: Int64
        var old: [Part]
        var new: [Part]

        func source(_ number: Int64, _ at: Int64) -> RulebookSource { RulebookSource(number: number, at: at, objects: new.map(\.object)) }
        var differences: [RulebookDifference] { RulebookDifference.between(old.map(\.object), new.map(\.object)) }

        /// What is taken out although others name it, with the names of those.
        var stillNamed: [RulebookFinding] {
            let (kept, after) = (Set(new.map(\.number)), source(0, 0))
            return old.filter { !kept.contains($0.number) }.compactMap { part in
                let users = after.allUsers(of: part.object.kind, part.object.key)
                guard !users.isEmpty else { return nil }
                let shown = users.prefix(20).joined(separator: ", ") + (users.count > 20 ? " and \(users.count - 20) more" : "")
                return RulebookFinding(
                    part.object.name, .error, "it cannot be taken out, for it is used by \(shown)",
                    remedy: "change those first, or take them out too")
            }
        }

        func sees(_ visibility: Visibility, _ difference: RulebookDifference) -> Bool {
            (new + old).first { $0.object.kind == difference.kind && $0.object.key == difference.key }.map { visibility.sees($0.unit) }
                ?? false
        }
    }

    private func release(
        _ act: AuditAct, _ note: String, _ base: Int64, restores: Int64?, by caller: Caller,
        _ make: @escaping @Sendable (Visibility, SQLSession) throws -> Candidate
    ) async throws(DeskFault) -> RulebookPublished {
        var checks = FieldChecks()
        checks.text("note", note, 1...500)
        try checks.finish()
        // What held before may hold again at once: who goes back has no time to look for a second pair of eyes.
        let (surroundings, needsApproval) = (try surroundings(), try restores == nil ? needsApproval() : false)
        let handed: Int64
        do { handed = try world.folder.numbers().first ?? 0 } catch { throw .broken("\(error)") }
        let result = try await desk.act(.publishRulebook, by: caller) { session in
            try session.run(StoreStatements.lockAudit)
            let made = try make(try units.visibility(of: caller, session), session)
            guard made.base == base else { throw DeskFault.changed(noun: "rulebook", version: made.base) }
            let differences = made.differences
            guard !differences.isEmpty else {
                throw DeskFault.conflict(field: "objects", reason: "nothing differs from release \(made.base)")
            }
            // The node takes the highest number: none that it may have had is given again, also where the store was restored.
            let source = made.source(max(made.base, handed) + 1, desk.nowMilliseconds)
            let unapproved = try needsApproval ? unapproved(made.new, session) : []
            let findings = try self.findings(source, self.surroundings(surroundings, session)) + made.stillNamed + unapproved
            guard findings.areUsable else { throw DeskFault.invalid(FieldFault.of(findings)) }
            try world.agree(source, differences, caller)
            let hash = BodyDigest.sha256(RulebookFile.document(source))
            let release = RulebookRelease(
                number: source.number, at: source.at, author: caller.name, note: note, restores: restores, hash: hash)
            try session.run(RulebookStatements.addRelease, release.values + [releaseSeal.tag(release.values)])
            for part in made.new {
                try session.run(
                    RulebookStatements.addEntry, [.integer(release.number), .integer(part.number), .integer(part.object.version)])
            }
            return ((release, findings), AuditTrail.Line(act: act, object: "rulebook/\(release.number)"))
        }
        return RulebookPublished(release: result.0, warnings: result.1, isHanded: await isHanded(result.0.number))
    }

    /// The release is committed: what hinders its way to the node is told by `deliver`, which is called again.
    private func isHanded(_ number: Int64) async -> Bool {
        do throws(DeskFault) { return try await deliver() == number } catch { return false }
    }

    /// The newest release with the newest versions of what was selected.
    func candidate(_ selection: RulebookSelection, _ visibility: Visibility, _ session: SQLSession) throws -> Candidate {
        let newest = try newestRelease(session)
        let old = try newest.map { try parts($0, session) } ?? []
        var new = Dictionary(uniqueKeysWithValues: old.map { ($0.number, $0) })
        for (place, entry) in try selected(selection.objects, "objects", visibility, session).enumerated() {
            if entry.retiredAt != nil {
                guard selection.objects == nil else {
                    throw DeskFault.invalid([
                        FieldFault("objects[\(place)].key", "retired", "it is retired; write it anew, or leave it out")
                    ])
                }
                new[entry.number] = nil
                continue
            }
            new[entry.number] = Part(number: entry.number, unit: entry.unit, object: try self.newest(entry, session))
        }
        for entry in try selected(selection.without, "without", visibility, session) { new[entry.number] = nil }
        return Candidate(base: newest?.number ?? 0, old: old, new: new.values.sorted { $0.number < $1.number })
    }

    private func selected(
        _ names: [RulebookSelection.Name]?, _ field: String, _ visibility: Visibility, _ session: SQLSession
    ) throws -> [RulebookEntry] {
        guard let names else {
            return try entries(session).filter { visibility.mayChange($0.unit) }
        }
        return try names.enumerated().map { index, name in
            guard let kind = RulebookKind(rawValue: name.kind) else {
                throw DeskFault.invalid([
                    FieldFault(
                        "\(field)[\(index)].kind", "unknown", "one of \(RulebookKind.allCases.map(\.rawValue).joined(separator: ", "))")
                ])
            }
            let entry = try find(kind, name.key, visibility, session)
            try visibility.requireChange(entry.unit)
            return entry
        }
    }

    func find(_ release: Int64, _ session: SQLSession) throws -> RulebookRelease {
        guard let row = try session.row(RulebookStatements.release, [.integer(release)]) else {
            throw DeskFault.notFound(noun: "release", key: String(release))
        }
        return try RulebookRelease(row, releaseSeal)
    }

    /// What a release is made of. Its hash is made again: an entry or a content that was changed in the database is named.
    func parts(_ release: RulebookRelease, _ session: SQLSession) throws -> [Part] {
        let rows = try session.rows(RulebookStatements.entries, [.integer(release.number)])
        let unitOf = Dictionary(uniqueKeysWithValues: try entries(session).map { ($0.number, $0.unit) })
        let parts = try rows.map { row in
            let (word, number) = (try row.text("kind"), try row.integer("object"))
            guard let kind = RulebookKind(rawValue: word) else {
                throw DeskFault.broken("release \(release.number) has objects of kind \(word), which this version does not know")
            }
            let content = try JSONValue(reading: Array(try row.text("content").utf8), maximumBytes: RulebookObject.contentMaximum)
            return Part(
                number: number, unit: unitOf[number] ?? nil,
                object: RulebookObject(kind: kind, key: try row.text("key"), version: try row.integer("version"), content: content))
        }
        let source = RulebookSource(number: release.number, at: release.at, objects: parts.map(\.object))
        guard BodyDigest.sha256(RulebookFile.document(source)) == release.hash else {
            throw DeskFault.tampered(noun: "rulebook release", key: String(release.number))
        }
        return parts
    }
}

extension FieldFault {
    /// Of faults whose path is a place in an object of the rulebook, as findings have it, and not in the request.
    static let rulebook = "rulebook"

    /// Errors of a rulebook, as faults of the request that would publish it, each at its place.
    static func of(_ findings: [RulebookFinding]) -> [FieldFault] {
        findings.filter { $0.severity == .error }.map { FieldFault($0.path, rulebook, "\($0.message); \($0.remedy)") }
    }
}

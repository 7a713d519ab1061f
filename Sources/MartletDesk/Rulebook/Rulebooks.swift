import Guard
public import MartletEngine
public import MartletModel
import MartletStore
import SQL

/// The rulebook: its objects with all their versions. Publishing and rolling back are in `Releases`.
public struct Rulebooks: Sendable {
    /// What the rulebook needs of the world around the desk.
    public struct World: Sendable {
        /// What compiling looks at beside the objects, as it is now.
        public var surroundings: @Sendable () throws -> Rulebook.Surroundings
        /// How each group's operator wants texts, and the numbers of the groups, as they are now.
        public var texts: @Sendable () throws -> (texts: Texts, groups: [String: GroupNumber])
        /// The bytes of a time zone by its name, as tzdata installs it; nil: the machine has none of this name.
        public var zoneFile: @Sendable (String) -> [UInt8]?
        /// Where the node looks for it.
        public var folder: RulebookFolder
        /// Tells the node to look now; without it the node notices within two seconds.
        public var tell: @Sendable () -> Void
        /// Where customers find uploaded pictures, without a stroke at its end, as it is now; nil: the bank did not say.
        public var pictureAddress: @Sendable () throws -> String?
        /// Whether every text that is published has to be approved by somebody else than its author, as it is now.
        public var needsApproval: @Sendable () throws -> Bool
        /// Whether the caller may publish this: the place of the rule that two people must agree. Throws when not.
        public var agree: @Sendable (RulebookSource, [RulebookDifference], Caller) throws -> Void

        public init(
            folder: RulebookFolder, surroundings: @escaping @Sendable () throws -> Rulebook.Surroundings,
            texts: @escaping @Sendable () throws -> (texts: Texts, groups: [String: GroupNumber]) = { (Texts(), [:]) },
            zoneFile: @escaping @Sendable (String) -> [UInt8]? = { _ in nil },
            tell: @escaping @Sendable () -> Void = {}, needsApproval: @escaping @Sendable () throws -> Bool = { false },
            pictureAddress: @escaping @Sendable () throws -> String? = { nil },
            agree: @escaping @Sendable (RulebookSource, [RulebookDifference], Caller) throws -> Void = { _, _, _ in }
        ) {
            self.folder = folder
            self.surroundings = surroundings
            self.texts = texts
            self.zoneFile = zoneFile
            self.tell = tell
            self.needsApproval = needsApproval
            self.pictureAddress = pictureAddress
            self.agree = agree
        }
    }

    /// Objects of a rulebook.
    public static let most: Int64 = 10_000

    /// Kinds whose objects Martlet gives a number.
    public static let numbered: Set<RulebookKind> = [.event, .eventType]

    let units: Units
    var desk: Desk { units.desk }
    let world: World
    let objectSeal: RulebookObjectSeal
    let versionSeal: RowSeal
    let releaseSeal: RowSeal
    let approvalSeal: RowSeal
    let imageSeal: RowSeal
    private let numbers: RulebookNumbers

    public init(_ units: Units, _ world: World) {
        self.units = units
        self.world = world
        objectSeal = RulebookObjectSeal(units.rowKey)
        versionSeal = RowSeal(units.rowKey, table: "rulebook_version", noun: "rulebook version", columns: RulebookStatements.versionColumns)
        releaseSeal = RowSeal(units.rowKey, table: "rulebook_release", noun: "rulebook release", columns: RulebookStatements.releaseColumns)
        approvalSeal = RowSeal(
            units.rowKey, table: "rulebook_approval", noun: "approval of a text", columns: RulebookStatements.approvalColumns)
        imageSeal = RowSeal(units.rowKey, table: "image", noun: "image", columns: ImageStatements.columns)
        numbers = RulebookNumbers(units.rowKey)
    }

    public func list(_ wish: PageWish, by caller: Caller) async throws(DeskFault) -> Page<RulebookEntry> {
        let after = try wish.after?.number() ?? 0
        return try await desk.read(.readRulebook, by: caller) { session in
            let visibility = try units.visibility(of: caller, session)
            let release = try newestRelease(session)?.number
            var page = try units.visible(wish, after: after, { visibility.sees($0.unit) }, number: \.number) { after, limit in
                try session.rows(RulebookStatements.objects, [.integer(after), .number(limit)]).map { try RulebookEntry($0, objectSeal) }
            }
            for index in page.items.indices { page.items[index].published = try published(page.items[index].number, release, session) }
            return page
        }
    }

    public func get(_ kind: RulebookKind, _ key: String, by caller: Caller) async throws(DeskFault) -> RulebookEntry {
        try await desk.read(.readRulebook, by: caller) { session in
            let visibility = try units.visibility(of: caller, session)
            var entry = try find(kind, key, visibility, session)
            entry.published = try published(entry.number, try newestRelease(session)?.number, session)
            entry.drift = try drift(of: entry, visibility, session)
            return entry
        }
    }

    /// Newest first, without content.
    public func versions(
        _ kind: RulebookKind, _ key: String, _ wish: PageWish, by caller: Caller
    ) async throws(DeskFault) -> Page<RulebookVersion> {
        let below = try wish.after?.number() ?? .max
        return try await desk.read(.readRulebook, by: caller) { session in
            let entry = try find(kind, key, try units.visibility(of: caller, session), session)
            let held = try published(entry.number, try newestRelease(session)?.number, session)
            let rows = try session.rows(
                RulebookStatements.versions, [.integer(entry.number), .integer(below), .number(wish.limit + 1)])
            let versions = try rows.map { row in
                var version = try RulebookVersion(row, versionSeal)
                version.state = try state(entry.number, version.number, held, session)
                version.approval = try approval(of: entry, version.number, session)
                return version
            }
            return Page(versions, limit: wish.limit) { Cursor(number: $0.number) }
        }
    }

    /// - Parameter number: of the version; nil: the newest.
    public func version(
        _ kind: RulebookKind, _ key: String, _ number: Int64?, by caller: Caller
    ) async throws(DeskFault) -> RulebookVersion {
        try await desk.read(.readRulebook, by: caller) { session in
            let entry = try find(kind, key, try units.visibility(of: caller, session), session)
            let version = try content(of: entry.number, number ?? entry.newest, "\(entry.path)@\(number ?? entry.newest)", session)
            return try stated(entry, version, session)
        }
    }

    /// What differs between two versions of an object, field by field.
    public func diff(
        _ kind: RulebookKind, _ key: String, from old: Int64, to new: Int64, by caller: Caller
    ) async throws(DeskFault) -> [JSONChange] {
        let before = try await version(kind, key, old, by: caller)
        let after = try await version(kind, key, new, by: caller)
        return (before.content ?? .null).changes(to: after.content ?? .null)
    }

    /// Writes a draft: a new object, or a new version of one. What compiling it together with the newest versions of all others has to say of it,
    /// and of those that name it, comes back with it and stops nothing.
    /// - Parameters:
    ///   - version: of the object as the caller read it; nil: there is none yet.
    ///   - numbering: of an event or event type.
    ///   - isChecked: false: it is not compiled, and its type not looked for, for the caller did so with many others.
    public func save(
        _ kind: RulebookKind, _ key: String, _ wish: RulebookEntry.Wish, version: Int64?, numbering: RulebookNumbering = .given,
        isChecked: Bool = true, by caller: Caller
    ) async throws(DeskFault) -> (entry: RulebookEntry, findings: [RulebookFinding]) {
        try caller.require(.writeRulebook)
        try wish.check(key: key)
        let surroundings = try surroundings()
        let entry = try await desk.act(.writeRulebook, by: caller) { session in
            try session.run(StoreStatements.lockAudit)
            let visibility = try units.visibility(of: caller, session)
            var wish = wish
            let at = desk.nowMilliseconds
            let entry: RulebookEntry
            if let row = try session.row(RulebookStatements.object, [.text(kind.rawValue), .text(key)]) {
                var present = try RulebookEntry(row, objectSeal)
                guard visibility.sees(present.unit) else { throw DeskFault.conflict(field: "key", reason: "another unit has it") }
                // What is retired is written as if it were new, by whoever does not know of it.
                guard present.version == version || version == nil && present.retiredAt != nil else {
                    throw DeskFault.changed(noun: "rulebook object", version: present.version)
                }
                try visibility.requireChange(present.unit)
                try visibility.requireChange(wish.unit)
                (present.name, present.description, present.unit) = (wish.name, wish.description, wish.unit)
                (present.newest, present.version, present.changedAt) = (present.newest + 1, present.version + 1, at)
                present.retiredAt = nil
                try change(present, session)
                entry = present
            } else {
                guard version == nil else { throw DeskFault.notFound(noun: "rulebook object", key: "\(kind.rawValue)/\(key)") }
                wish.unit = wish.unit ?? caller.unit
                try visibility.requireChange(wish.unit)
                let number = (try session.row(RulebookStatements.newestObject)?.optionalInteger("number") ?? 0) + 1
                guard number <= Rulebooks.most else {
                    throw DeskFault.conflict(field: "key", reason: "\(Rulebooks.most) objects are the most")
                }
                entry = RulebookEntry(number, kind, key, wish, owner: caller.name, at: at)
                try session.run(RulebookStatements.addObject, entry.values + [objectSeal.tag(entry)])
            }
            try units.require(wish.unit, session)
            var faults = isChecked && kind == .event ? try typeFaults(wish.content, session) : []
            do {
                wish.content = try numbers.numbered(wish.content, kind, key, numbering, session) { row in
                    let one = try RulebookEntry(row, objectSeal)
                    // Of this object the newest version is not there yet.
                    let newest = one.number == entry.number ? one.newest - 1 : one.newest
                    guard newest > 0 else { return (one.key, nil) }
                    return (one.key, try self.content(of: one.number, newest, "\(one.path)@\(newest)", session).content)
                }
            } catch DeskFault.invalid(let others) {
                faults += others
            }
            guard faults.isEmpty else { throw DeskFault.invalid(faults) }
            let bytes = wish.content.canonical
            let made = RulebookVersion(entry.newest, wish, hash: BodyDigest.sha256(bytes), author: caller.name, at: at)
            let values = made.values(of: entry.number)
            let text = SQLValue.text(String(decoding: bytes, as: UTF8.self))
            try session.run(RulebookStatements.addVersion, values + [versionSeal.tag(values), text])
            return (entry, AuditTrail.Line(act: .rulebookWritten, object: "rulebook/\(entry.path)@\(entry.newest)"))
        }
        return (entry, isChecked ? try await findings(of: kind, key, surroundings, by: caller) : [])
    }

    /// What compiling the newest versions of all objects says of one, and of those that name it, as far as the caller sees them.
    private func findings(
        of kind: RulebookKind, _ key: String, _ surroundings: Rulebook.Surroundings, by caller: Caller
    ) async throws(DeskFault) -> [RulebookFinding] {
        let (source, seen, around) = try await desk.read(.writeRulebook, by: caller) { session in
            let visibility = try units.visibility(of: caller, session)
            var objects: [RulebookObject] = []
            var seen: Set<String> = []
            for entry in try entries(session) where entry.retiredAt == nil {
                objects.append(try newest(entry, session))
                if visibility.sees(entry.unit) { seen.insert(entry.path) }
            }
            return (RulebookSource(number: 0, at: 0, objects: objects), seen, try self.surroundings(surroundings, session))
        }
        let name = "\(kind.rawValue)/\(key)"
        let others = Set(source.objects.map(\.name)).subtracting(seen.intersection(source.users(of: kind, key))).subtracting([name])
        return findings(source, around).filter { !others.contains(String($0.path.prefix { $0 != "$" })) }
    }

    /// An event without a type, or whose type is not there, is no event, not in a draft either: it has no page in the catalogue, no thresholds and no wishes.
    private func typeFaults(_ content: JSONValue, _ session: SQLSession) throws -> [FieldFault] {
        // What is no object is refused as a whole.
        guard case .object(let fields) = content else { return [] }
        guard let written = fields["type"], written != .null else {
            return [FieldFault("content.type", "required", "an event has a type; name an event-type")]
        }
        guard case .text(let type) = written else {
            return [FieldFault("content.type", "type", "it is \(written.kind), not the key of an event-type")]
        }
        if let row = try session.row(RulebookStatements.object, [.text(RulebookKind.eventType.rawValue), .text(type)]),
            try RulebookEntry(row, objectSeal).retiredAt == nil
        {
            return []
        }
        return [FieldFault("content.type", "unknown", "there is no such event-type; write it first, or name another")]
    }

    // MARK: Rows

    /// What the one compile of the house says.
    func findings(_ source: RulebookSource, _ surroundings: Rulebook.Surroundings) -> [RulebookFinding] {
        DecisionBook.compile(source, in: surroundings, zoneFile: world.zoneFile).findings
    }

    func surroundings() throws(DeskFault) -> Rulebook.Surroundings {
        do { return try world.surroundings() } catch { throw .broken("what the rulebook refers to cannot be read: \(error)") }
    }

    func pictureAddress() throws(DeskFault) -> String? {
        do { return try world.pictureAddress() } catch { throw .broken("where pictures are found cannot be read: \(error)") }
    }

    func find(_ kind: RulebookKind, _ key: String, _ visibility: Visibility, _ session: SQLSession) throws -> RulebookEntry {
        let name = "\(kind.rawValue)/\(key)"
        guard let row = try session.row(RulebookStatements.object, [.text(kind.rawValue), .text(key)]) else {
            throw DeskFault.notFound(noun: "rulebook object", key: name)
        }
        let entry = try RulebookEntry(row, objectSeal)
        guard visibility.sees(entry.unit) else { throw DeskFault.notFound(noun: "rulebook object", key: name) }
        return entry
    }

    func newestRelease(_ session: SQLSession) throws -> RulebookRelease? {
        try session.row(RulebookStatements.newestRelease).map { try RulebookRelease($0, releaseSeal) }
    }

    /// Version of an object in a release.
    func published(_ object: Int64, _ release: Int64?, _ session: SQLSession) throws -> Int64? {
        guard let release else { return nil }
        return try session.row(RulebookStatements.released, [.integer(object), .integer(release)])?.integer("version")
    }

    /// A version with its content, both as they were written.
    func content(of object: Int64, _ number: Int64, _ name: String, _ session: SQLSession) throws -> RulebookVersion {
        guard let row = try session.row(RulebookStatements.version, [.integer(object), .integer(number)]) else {
            throw DeskFault.notFound(noun: "rulebook version", key: name)
        }
        var version = try RulebookVersion(row, versionSeal)
        let bytes = Array(try row.text("content").utf8)
        guard BodyDigest.sha256(bytes) == version.hash else { throw DeskFault.tampered(noun: "rulebook version", key: name) }
        version.content = try JSONValue(reading: bytes, maximumBytes: RulebookObject.contentMaximum)
        return version
    }

    /// The version with what follows from releases and approvals.
    func stated(_ entry: RulebookEntry, _ version: RulebookVersion, _ session: SQLSession) throws -> RulebookVersion {
        var version = version
        let held = try published(entry.number, try newestRelease(session)?.number, session)
        version.state = try state(entry.number, version.number, held, session)
        version.approval = try approval(of: entry, version.number, session)
        return version
    }

    private func state(_ object: Int64, _ number: Int64, _ held: Int64?, _ session: SQLSession) throws -> RulebookVersion.State {
        if number == held { return .published }
        let first = try session.row(RulebookStatements.firstRelease, [.integer(object), .integer(number)])
        return try first?.optionalInteger("release") == nil ? .draft : .retired
    }

    func change(_ entry: RulebookEntry, _ session: SQLSession) throws {
        let changed = try session.run(
            RulebookStatements.changeObject,
            [
                .integer(entry.number), .integer(entry.version - 1), .integer(entry.version), .text(entry.name), .text(entry.description),
                .number(entry.unit), .integer(entry.newest), .integer(entry.changedAt), .number(entry.retiredAt), objectSeal.tag(entry),
            ])
        guard changed == 1 else { throw DeskFault.changed(noun: "rulebook object", version: entry.version) }
    }
}

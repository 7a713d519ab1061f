public import MartletModel
import MartletStore
import SQL

/// A sender system: the node's part, and what people say of it.
public struct SourceEntry: Equatable, Sendable {
    public var known: KnownSource
    /// 0: nobody has said anything yet.
    public var version: Int64
    public var description: String
    public var unit: Int64?
    public var owner: String
    /// What the node has not been told yet.
    public var pending: SourceChange?
    /// Wall milliseconds; 0: nobody has said anything yet.
    public var createdAt: Int64
    public var changedAt: Int64

    /// What a person writes.
    public struct Wish: Equatable, Sendable, Codable {
        public var description: String
        public var unit: Int64?
        public var change: SourceChange?

        public init(description: String, unit: Int64? = nil, change: SourceChange? = nil) {
            self.description = description
            self.unit = unit
            self.change = change
        }

        func check() throws(DeskFault) {
            var checks = FieldChecks()
            checks.text("description", description, 1...1000)
            try checks.finish()
            try change?.check()
        }
    }

    init(_ known: KnownSource) {
        self.known = known
        (version, description, owner, createdAt, changedAt) = (0, "", "", 0, 0)
    }

    init(_ row: SQLRow, _ known: KnownSource, _ seal: RowSeal) throws {
        try seal.check(row, known.name)
        self.known = known
        version = try row.integer("version")
        description = try row.text("description")
        unit = try row.optionalInteger("unit")
        owner = try row.text("owner")
        if let text = try row.optionalText("pending") {
            pending = SourceChange(try JSONValue(reading: Array(text.utf8), maximumBytes: 10_000))
        }
        createdAt = try row.integer("created_at")
        changedAt = try row.integer("changed_at")
    }

    /// In the order of `SourceStatements.columns`.
    var values: [SQLValue] {
        [
            .number(known.number), .integer(version), .text(known.name), .text(description), .number(unit), .text(owner), pendingText,
            .integer(createdAt), .integer(changedAt),
        ]
    }

    var pendingText: SQLValue { .text(pending.map { String(decoding: $0.document.canonical, as: UTF8.self) }) }
}

/// Sender systems: seen and changed. Making one, its keys and its scopes stay with `martlet source`: a key is shown once, to a person at the
/// machine.
public struct Sources: Sendable {
    let units: Units
    var desk: Desk { units.desk }
    private let catalogue: SourceCatalogue
    private let seal: RowSeal

    public init(_ units: Units, _ catalogue: SourceCatalogue) {
        self.units = units
        self.catalogue = catalogue
        seal = RowSeal(units.rowKey, table: "source", noun: "source", columns: SourceStatements.columns)
    }

    public func list(_ wish: PageWish, by caller: Caller) async throws(DeskFault) -> Page<SourceEntry> {
        try caller.require(.readReference)
        let after = try wish.after?.number() ?? 0
        let known = try known()
        return try await desk.read(.readReference, by: caller) { session in
            let visibility = try units.visibility(of: caller, session)
            return try units.visible(wish, after: after, { visibility.sees($0.unit) }, number: { Int64($0.known.number) }) { after, limit in
                try known.lazy.filter { Int64($0.number) > after }.prefix(limit).map { try entry($0, session) }
            }
        }
    }

    public func get(_ number: SourceNumber, by caller: Caller) async throws(DeskFault) -> SourceEntry {
        try caller.require(.readReference)
        let known = try known(number)
        return try await desk.read(.readReference, by: caller) { session in
            try find(known, try units.visibility(of: caller, session), session)
        }
    }

    /// Says what a source is, whose it is, and what it may send. What concerns sending is written to the node's file behind the commit, and
    /// again by `deliver` until that has succeeded.
    /// - Parameter version: of the entry as the caller read it; 0 where nobody had said anything.
    public func put(
        _ number: SourceNumber, _ wish: SourceEntry.Wish, version: Int64, by caller: Caller
    ) async throws(DeskFault) -> SourceEntry {
        try caller.require(.manageReference)
        try wish.check()
        let known = try known(number)
        let made = try await desk.act(.manageReference, by: caller) { session in
            try session.run(StoreStatements.lockAudit)
            let visibility = try units.visibility(of: caller, session)
            var entry = try find(known, visibility, session)
            guard entry.version == version else { throw DeskFault.changed(noun: "source", version: entry.version) }
            try visibility.requireChange(entry.unit)
            try visibility.requireChange(wish.unit)
            try units.require(wish.unit, session)
            (entry.description, entry.unit) = (wish.description, wish.unit)
            if let change = wish.change, !change.isNothing { entry.pending = entry.pending?.followed(by: change) ?? change }
            try write(&entry, by: caller, session)
            return (entry, AuditTrail.Line(act: .sourceWritten, object: "source/\(number)@\(entry.version)"))
        }
        guard made.pending != nil else { return made }
        // What hinders it is told by `deliver`, which is called again; that it is pending stands in the answer.
        do throws(DeskFault) { try await deliver() } catch { return made }
        return try await get(number, by: caller)
    }

    /// Brings to the node's file what it has not been told yet; at each start of the desk, after a change, and from time to time.
    /// - Throws: `.broken`: the file cannot be written; what is pending stays so.
    public func deliver() async throws(DeskFault) {
        let system = Caller.system("desk")
        let all = try known()
        let waiting = try await desk.read(.readReference, by: system) { session in
            try session.rows(SourceStatements.pending, [.integer(1000)]).compactMap { row -> SourceEntry? in
                let number = try row.integer("number")
                return try all.first { Int64($0.number) == number }.map { try SourceEntry(row, $0, seal) }
            }
        }
        for entry in waiting {
            guard let change = entry.pending else { continue }
            do { try catalogue.change(entry.known.number, change) } catch {
                throw .broken("source \(entry.known.name): the node's file of sources cannot be changed: \(error)")
            }
            do throws(DeskFault) {
                try await told(entry, by: system)
            } catch {
                // What came meanwhile is brought the next time.
                if case .changed = error { continue }
                throw error
            }
        }
    }

    private func told(_ entry: SourceEntry, by caller: Caller) async throws(DeskFault) {
        try await desk.act(.manageReference, by: caller) { session in
            var fresh = try self.entry(entry.known, session)
            guard fresh.version == entry.version else { throw DeskFault.changed(noun: "source", version: fresh.version) }
            fresh.pending = nil
            try write(&fresh, by: caller, session)
            let object = "source/\(entry.known.number)@\(fresh.version)"
            return ((), AuditTrail.Line(act: .sourceWritten, object: object, outcome: "delivered"))
        }
    }

    private func known() throws(DeskFault) -> [KnownSource] {
        do { return try catalogue.read() } catch { throw .broken("the node's file of sources cannot be read: \(error)") }
    }

    private func known(_ number: SourceNumber) throws(DeskFault) -> KnownSource {
        guard let found = try known().first(where: { $0.number == number }) else {
            throw .notFound(noun: "source", key: String(number))
        }
        return found
    }

    private func entry(_ known: KnownSource, _ session: SQLSession) throws -> SourceEntry {
        guard let row = try session.row(SourceStatements.one, [.number(known.number)]) else { return SourceEntry(known) }
        return try SourceEntry(row, known, seal)
    }

    private func find(_ known: KnownSource, _ visibility: Visibility, _ session: SQLSession) throws -> SourceEntry {
        let entry = try entry(known, session)
        guard visibility.sees(entry.unit) else { throw DeskFault.notFound(noun: "source", key: String(known.number)) }
        return entry
    }

    private func write(_ entry: inout SourceEntry, by caller: Caller, _ session: SQLSession) throws {
        let before = entry.version
        entry.version += 1
        entry.changedAt = desk.nowMilliseconds
        if before == 0 {
            (entry.owner, entry.createdAt) = (caller.name, entry.changedAt)
            try session.run(SourceStatements.add, entry.values + [seal.tag(entry.values)])
            return
        }
        let changed = try session.run(
            SourceStatements.change,
            [
                .number(entry.known.number), .integer(before), .integer(entry.version), .text(entry.known.name), .text(entry.description),
                .number(entry.unit), entry.pendingText, .integer(entry.changedAt), seal.tag(entry.values),
            ])
        guard changed == 1 else { throw DeskFault.changed(noun: "source", version: entry.version) }
    }
}

public import MartletModel
import MartletStore
import SQL

extension Rulebooks {
    /// Ends the use of an object: who publishes everything takes it out, its versions stay, and writing it anew brings it back.
    /// - Parameter version: of the object as the caller read it.
    /// - Throws: `.conflict` with the names of those that use it, by their newest version or by the one in the newest release.
    public func retire(_ kind: RulebookKind, _ key: String, version: Int64, by caller: Caller) async throws(DeskFault) {
        try await desk.act(.writeRulebook, by: caller) { session in
            try session.run(StoreStatements.lockAudit)
            let visibility = try units.visibility(of: caller, session)
            var entry = try find(kind, key, visibility, session)
            try visibility.requireChange(entry.unit)
            guard entry.version == version else { throw DeskFault.changed(noun: "rulebook object", version: entry.version) }
            guard entry.retiredAt == nil else { throw DeskFault.conflict(field: "key", reason: "it is retired already") }
            // Whoever sees it or not: it would be missed by them all.
            let users = try self.users(of: kind, key, in: try entries(session).filter { $0.retiredAt == nil }, session)
            guard users.isEmpty else {
                let names = users.map { "\($0.kind.rawValue)/\($0.key)" }
                let shown = names.prefix(20).joined(separator: ", ") + (names.count > 20 ? " and \(names.count - 20) more" : "")
                throw DeskFault.conflict(field: "key", reason: "it is used by \(shown)")
            }
            let now = desk.nowMilliseconds
            (entry.version, entry.changedAt, entry.retiredAt) = (entry.version + 1, now, now)
            try change(entry, session)
            return ((), AuditTrail.Line(act: .rulebookRetired, object: "rulebook/\(entry.path)"))
        }
    }

    /// All objects, retired ones too.
    func entries(_ session: SQLSession) throws -> [RulebookEntry] {
        try session.rows(RulebookStatements.objects, [.integer(0), .integer(Rulebooks.most)], maximum: Int(Rulebooks.most))
            .map { try RulebookEntry($0, objectSeal) }
    }

    /// The newest version of an object.
    func newest(_ entry: RulebookEntry, _ session: SQLSession) throws -> RulebookObject {
        let version = try content(of: entry.number, entry.newest, "\(entry.path)@\(entry.newest)", session)
        return RulebookObject(kind: entry.kind, key: entry.key, version: entry.newest, content: version.content ?? .null)
    }
}

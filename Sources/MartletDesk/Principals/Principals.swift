public import Guard
import MartletStore
import SQL

/// Use cases of principals. Nobody gives a right that he has not, nor takes or changes one of a principal that has more than he.
public struct Principals: Sendable {
    let desk: Desk
    private let tag: PrincipalTag

    /// - Parameter rowKey: of the installation, `KeyStore.rowKey`.
    public init(_ desk: Desk, rowKey: Secret) {
        self.desk = desk
        tag = PrincipalTag(rowKey: rowKey)
    }

    /// The caller with this key; nil: nobody's, or revoked.
    /// - Throws: `.tampered` where its row was changed; `.store`.
    func caller(presenting key: String) async throws(DeskFault) -> Caller? {
        guard key.hasPrefix(APIKey.adminPrefix) else { return nil }
        let hash = APIKey.hash(presented: Array(key.utf8)).bytes
        let tag = tag
        do {
            let found = try await desk.store.read { session in
                try session.row(PrincipalStatements.byKey, [.bytes(hash)]).map { try tag.principal($0) }
            }
            guard let found, found.revokedAt == nil, found.keyHash == hash else { return nil }
            return Caller(name: "principal:\(found.name)", rights: found.rights, unit: found.unit)
        } catch {
            throw DeskFault.of(error)
        }
    }

    public func list(_ wish: PageWish, by caller: Caller) async throws(DeskFault) -> Page<Principal> {
        let tag = tag
        return try await desk.read(.readPrincipals, by: caller) { session in
            // Those of other units are passed over, so a page may take more than one look.
            var (found, after) = ([Principal](), wish.after?.text ?? "")
            while found.count <= wish.limit {
                let rows = try session.rows(PrincipalStatements.page, [.text(after), .number(wish.limit + 1)])
                let principals = try rows.map { try tag.principal($0) }
                found += principals.filter { caller.unit == nil || $0.unit == caller.unit }
                guard rows.count > wish.limit, let last = principals.last else { break }
                after = last.name
            }
            return Page(Array(found.prefix(wish.limit + 1)), limit: wish.limit) { Cursor(text: $0.name) }
        }
    }

    public func get(_ name: String, by caller: Caller) async throws(DeskFault) -> Principal {
        let tag = tag
        return try await desk.read(.readPrincipals, by: caller) { session in
            try Principals.find(name, tag, caller, session)
        }
    }

    /// What a new principal is to be.
    public struct Wish: Sendable {
        public var name: String
        public var rights: Set<Right>
        public var unit: Int64?

        public init(name: String, rights: Set<Right>, unit: Int64? = nil) {
            self.name = name
            self.rights = rights
            self.unit = unit
        }
    }

    /// - Returns: its key too, which is shown this once and kept nowhere.
    public func add(_ wish: Wish, by caller: Caller) async throws(DeskFault) -> (principal: Principal, key: Secret) {
        try caller.require(.managePrincipals)
        try Principals.check(wish.rights, wish.unit, caller)
        guard Principal.isName(wish.name) else {
            throw .invalid([
                FieldFault("name", "malformed", "1 to \(Principal.maximumName) letters, digits, dots, hyphens and underscores")
            ])
        }
        let key = APIKey.generate(prefix: APIKey.adminPrefix)
        let (tag, hash, now) = (tag, APIKey.hash(of: key).bytes, desk.nowMilliseconds)
        let made = try await desk.act(.managePrincipals, by: caller) { session in
            // Its own index would say so too, but not which of its columns it was.
            guard try session.row(PrincipalStatements.byName, [.text(wish.name)]) == nil else {
                throw DeskFault.conflict(field: "name", reason: "there is a principal of this name; names are never used again")
            }
            let newest = try session.row(PrincipalStatements.newestID)?.optionalInteger("id") ?? 0
            let principal = Principal(
                id: newest + 1, version: 1, name: wish.name, rights: wish.rights, unit: wish.unit, createdAt: now, keyHash: hash)
            try session.run(
                PrincipalStatements.add,
                [
                    .integer(principal.id), .integer(1), .text(principal.name), .bytes(hash), .text(principal.rightsText),
                    .number(principal.unit), .integer(now), .bytes(tag.tag(principal)),
                ])
            let line = AuditTrail.Line(
                act: .principalAdded, object: "principal:\(wish.name)", outcome: RightsChange(principal, before: nil).outcome)
            return (principal, line)
        }
        return (made, key)
    }

    /// - Parameter version: as it was read.
    public func change(
        _ name: String, rights: Set<Right>, unit: Int64?, version: Int64, by caller: Caller
    ) async throws(DeskFault) -> Principal {
        try caller.require(.managePrincipals)
        try Principals.check(rights, unit, caller)
        return try await alter(name, version, .principalChanged, caller) { principal in
            principal.rights = rights
            principal.unit = unit
        }
    }

    /// A new key in the place of the old one, which is refused from now on.
    public func rotate(_ name: String, version: Int64?, by caller: Caller) async throws(DeskFault) -> (principal: Principal, key: Secret) {
        let key = APIKey.generate(prefix: APIKey.adminPrefix)
        let hash = APIKey.hash(of: key).bytes
        let principal = try await alter(name, version, .principalRotated, caller) { $0.keyHash = hash }
        return (principal, key)
    }

    /// For good: the name stays, so that the audit keeps its meaning.
    public func revoke(_ name: String, version: Int64?, by caller: Caller) async throws(DeskFault) -> Principal {
        let now = desk.nowMilliseconds
        return try await alter(name, version, .principalRevoked, caller) { $0.revokedAt = now }
    }

    /// - Parameter version: nil: whatever it is at.
    private func alter(
        _ name: String, _ version: Int64?, _ act: AuditAct, _ caller: Caller, _ change: @escaping @Sendable (inout Principal) -> Void
    ) async throws(DeskFault) -> Principal {
        let tag = tag
        return try await desk.act(.managePrincipals, by: caller) { session in
            var principal = try Principals.find(name, tag, caller, session)
            let read = principal.version
            if let version, version != read { throw DeskFault.changed(noun: "principal", version: read) }
            guard principal.revokedAt == nil else {
                throw DeskFault.conflict(field: "name", reason: "the principal is revoked, which is for good")
            }
            // Who may do less than it may not make it his tool.
            try Principals.check(principal.rights, principal.unit, caller)
            let before = principal
            change(&principal)
            principal.version = read + 1
            let changed = try session.run(
                PrincipalStatements.change,
                [
                    .integer(principal.id), .integer(read), .bytes(principal.keyHash), .text(principal.rightsText), .number(principal.unit),
                    .number(principal.revokedAt), .bytes(tag.tag(principal)),
                ])
            guard changed == 1 else { throw DeskFault.changed(noun: "principal", version: read + 1) }
            return (
                principal, AuditTrail.Line(act: act, object: "principal:\(name)", outcome: RightsChange(principal, before: before).outcome)
            )
        }
    }

    private static func find(_ name: String, _ tag: PrincipalTag, _ caller: Caller, _ session: SQLSession) throws -> Principal {
        guard let row = try session.row(PrincipalStatements.byName, [.text(name)]) else {
            throw DeskFault.notFound(noun: "principal", key: name)
        }
        let principal = try tag.principal(row)
        guard caller.unit == nil || caller.unit == principal.unit else { throw DeskFault.notFound(noun: "principal", key: name) }
        return principal
    }

    private static func check(_ rights: Set<Right>, _ unit: Int64?, _ caller: Caller) throws(DeskFault) {
        var faults: [FieldFault] = []
        let beyond = rights.subtracting(caller.rights).map(\.rawValue).sorted()
        if !beyond.isEmpty {
            faults.append(FieldFault("rights", "beyond_own", "you have not \(beyond.joined(separator: ", ")) yourself"))
        }
        if let own = caller.unit, unit != own { faults.append(FieldFault("unit", "beyond_own", "you belong to unit \(own)")) }
        if !faults.isEmpty { throw .invalid(faults) }
    }
}

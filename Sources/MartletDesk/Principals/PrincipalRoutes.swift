import Guard
import MartletModel

/// `/v1/principals`: the pattern for the routes of other nouns.
struct PrincipalRoutes: APINoun {
    let principals: Principals

    struct Document: Encodable {
        var name: String
        var rights: [String]
        var unit: Int64?
        var version: Int64
        var createdAt: String
        var revokedAt: String?
        /// Only where it was made.
        var key: String?

        init(_ principal: Principal, key: String? = nil) {
            name = principal.name
            rights = principal.rights.map(\.rawValue).sorted()
            unit = principal.unit
            version = principal.version
            createdAt = timestamp(principal.createdAt * 1000)
            revokedAt = principal.revokedAt.map { timestamp($0 * 1000) }
            self.key = key
        }
    }

    private struct Wish: Decodable {
        var name: String
        var rights: [String]
        var unit: Int64?
    }

    private struct Change: Decodable {
        var rights: [String]
        var unit: Int64?
    }

    func add(to routes: inout APIRoutes) {
        let principals = principals
        routes.get("/v1/principals") { ask in
            .page(try await principals.list(try ask.page(), by: ask.caller)) { Document($0) }
        }
        routes.post("/v1/principals") { ask in
            let wish = try await ask.body(Wish.self)
            let rights = try Right.set(wish.rights)
            let (made, key) = try await principals.add(
                Principals.Wish(name: wish.name, rights: rights, unit: wish.unit), by: ask.caller)
            return .json(Document(made, key: key.reveal()), version: made.version, status: 201, location: "/v1/principals/\(made.name)")
        }
        routes.get("/v1/principals/{name}") { ask in
            let principal = try await principals.get(ask.part("name"), by: ask.caller)
            return .json(Document(principal), version: principal.version)
        }
        routes.put("/v1/principals/{name}") { ask in
            let change = try await ask.body(Change.self)
            let principal = try await principals.change(
                ask.part("name"), rights: try Right.set(change.rights), unit: change.unit, version: try ask.version(), by: ask.caller)
            return .json(Document(principal), version: principal.version)
        }
        routes.post("/v1/principals/{name}/rotate") { ask in
            let (principal, key) = try await principals.rotate(ask.part("name"), version: try ask.version(), by: ask.caller)
            return .json(Document(principal, key: key.reveal()), version: principal.version)
        }
        routes.delete("/v1/principals/{name}") { ask in
            .done(version: try await principals.revoke(ask.part("name"), version: try ask.version(), by: ask.caller).version)
        }
    }
}

extension Right {
    /// - Throws: `.invalid` with every word that is no right.
    public static func set(_ words: [String]) throws(DeskFault) -> Set<Right> {
        var rights: Set<Right> = []
        var faults: [FieldFault] = []
        for (index, word) in words.enumerated() {
            if let right = Right(rawValue: word) {
                rights.insert(right)
            } else {
                faults.append(FieldFault("rights[\(index)]", "unknown_right", "there is no such right; the page of rights has all"))
            }
        }
        if !faults.isEmpty { throw .invalid(faults) }
        return rights
    }
}

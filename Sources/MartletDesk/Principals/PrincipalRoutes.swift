import Guard
import MartletModel

/// `/v1/principals`: the pattern for the routes of other nouns.
struct PrincipalRoutes: APINoun {
    let principals: Principals

    struct Document: Codable {
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

    private struct Wish: Decodable, APIExplained {
        var name: String
        var rights: [String]
        var unit: Int64?

        static let explained = [
            "name": APIField("1 to 64 of a-z, 0-9, _ and -, a letter first; never used again."),
            "rights": APIField("What it may do.", words: Right.allCases.map(\.rawValue)),
            "unit": APIField("The unit it belongs to; not there: the whole bank."),
        ]
    }

    private struct Change: Decodable, APIExplained {
        var rights: [String]
        var unit: Int64?

        static let explained = Wish.explained
    }

    private static let one = APISchema.of(Document.self, "Principal")
    private static let list = APIOperation(
        .get, "/v1/principals", "Who may administer", [.readPrincipals], query: APIParameter.page,
        answer: .json(.page(of: Document.self, "Principal")))
    private static let add = APIOperation(
        .post, "/v1/principals", "Makes a principal", note: "Its key is in this answer and nowhere else.", [.managePrincipals],
        body: .of(Wish.self, "PrincipalWish", isBody: true), status: 201, answer: .json(one), isVersioned: true,
        refuses: [APIErrors.conflict])
    private static let get = APIOperation(
        .get, "/v1/principals/{name}", "One principal", [.readPrincipals], answer: .json(one), isVersioned: true)
    private static let change = APIOperation(
        .put, "/v1/principals/{name}", "Changes rights and unit", [.managePrincipals], match: .needed,
        body: .of(Change.self, "PrincipalChange", isBody: true), answer: .json(one), isVersioned: true, refuses: [APIErrors.conflict])
    private static let rotate = APIOperation(
        .post, "/v1/principals/{name}/rotate", "Gives a new key", note: "The old one is refused from now on.", [.managePrincipals],
        match: .needed, answer: .json(one), isVersioned: true, refuses: [APIErrors.conflict])
    private static let revoke = APIOperation(
        .delete, "/v1/principals/{name}", "Revokes a principal for good", [.managePrincipals], match: .needed, status: 204,
        answer: .nothing,
        isVersioned: true, refuses: [APIErrors.conflict])

    static let operations = [list, add, get, change, rotate, revoke]

    func add(to routes: inout APIRoutes) {
        let principals = principals
        routes.on(PrincipalRoutes.list) { ask in
            .page(try await principals.list(try ask.page(), by: ask.caller)) { Document($0) }
        }
        routes.on(PrincipalRoutes.add) { ask in
            let wish = try await ask.body(Wish.self)
            let rights = try Right.set(wish.rights)
            let (made, key) = try await principals.add(
                Principals.Wish(name: wish.name, rights: rights, unit: wish.unit), by: ask.caller)
            return .json(Document(made, key: key.reveal()), version: made.version, status: 201, location: "/v1/principals/\(made.name)")
        }
        routes.on(PrincipalRoutes.get) { ask in
            let principal = try await principals.get(ask.part("name"), by: ask.caller)
            return .json(Document(principal), version: principal.version)
        }
        routes.on(PrincipalRoutes.change) { ask in
            let change = try await ask.body(Change.self)
            let principal = try await principals.change(
                ask.part("name"), rights: try Right.set(change.rights), unit: change.unit, version: try ask.version(), by: ask.caller)
            return .json(Document(principal), version: principal.version)
        }
        routes.on(PrincipalRoutes.rotate) { ask in
            let (principal, key) = try await principals.rotate(ask.part("name"), version: try ask.version(), by: ask.caller)
            return .json(Document(principal, key: key.reveal()), version: principal.version)
        }
        routes.on(PrincipalRoutes.revoke) { ask in
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

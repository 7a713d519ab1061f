import MartletModel

/// `/v1/units`.
public struct UnitRoutes: APINoun {
    let units: Units

    public init(_ units: Units) { self.units = units }

    struct Document: Codable {
        var number: Int64
        var version: Int64
        var code: String
        var name: String
        var description: String
        var parent: Int64?
        var zone: String
        var locale: String
        var owner: String
        var createdAt: String
        var changedAt: String

        init(_ unit: Unit) {
            (number, version, code, name, description) = (unit.number, unit.version, unit.code, unit.name, unit.description)
            (parent, zone, locale, owner) = (unit.parent, unit.zone, unit.locale, unit.owner)
            (createdAt, changedAt) = (timestamp(unit.createdAt * 1000), timestamp(unit.changedAt * 1000))
        }
    }

    private static let one = APISchema.of(Document.self, "Unit")
    private static let wish = APISchema.of(Unit.Wish.self, "UnitWish", isBody: true)
    private static let list = APIOperation(
        .get, "/v1/units", "Units of the bank", [.readReference], query: APIParameter.page, answer: .json(.page(of: Document.self, "Unit")))
    private static let add = APIOperation(
        .post, "/v1/units", "Makes a unit", [.manageReference], body: wish, status: 201, answer: .json(one), isVersioned: true,
        refuses: [APIErrors.conflict])
    private static let get = APIOperation(
        .get, "/v1/units/{number}", "One unit", [.readReference], answer: .json(one), isVersioned: true)
    private static let change = APIOperation(
        .put, "/v1/units/{number}", "Changes a unit", [.manageReference], match: .needed, body: wish, answer: .json(one), isVersioned: true,
        refuses: [APIErrors.conflict])

    public static let operations = [list, add, get, change]

    public func add(to routes: inout APIRoutes) {
        let units = units
        routes.on(UnitRoutes.list) { ask in .page(try await units.list(try ask.page(), by: ask.caller)) { Document($0) } }
        routes.on(UnitRoutes.add) { ask in
            let unit = try await units.add(try await ask.body(Unit.Wish.self), by: ask.caller)
            return .json(Document(unit), version: unit.version, status: 201, location: "/v1/units/\(unit.number)")
        }
        routes.on(UnitRoutes.get) { ask in
            let unit = try await units.get(try ask.number(of: "unit"), by: ask.caller)
            return .json(Document(unit), version: unit.version)
        }
        routes.on(UnitRoutes.change) { ask in
            let unit = try await units.change(
                try ask.number(of: "unit"), try await ask.body(Unit.Wish.self), version: try ask.version(), by: ask.caller)
            return .json(Document(unit), version: unit.version)
        }
    }
}

extension APIRequest {
    /// The part `number` of the path.
    /// - Throws: `.notFound`: what is no number names nothing.
    func number(of noun: String) throws(DeskFault) -> Int64 {
        guard let number = Int64(part("number")), number > 0 else { throw .notFound(noun: noun, key: part("number")) }
        return number
    }
}

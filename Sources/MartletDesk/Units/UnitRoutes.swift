import MartletModel

/// `/v1/units`.
public struct UnitRoutes: APINoun {
    let units: Units

    public init(_ units: Units) { self.units = units }

    struct Document: Encodable {
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

    public func add(to routes: inout APIRoutes) {
        let units = units
        routes.get("/v1/units") { ask in .page(try await units.list(try ask.page(), by: ask.caller)) { Document($0) } }
        routes.post("/v1/units") { ask in
            let unit = try await units.add(try await ask.body(Unit.Wish.self), by: ask.caller)
            return .json(Document(unit), version: unit.version, status: 201, location: "/v1/units/\(unit.number)")
        }
        routes.get("/v1/units/{number}") { ask in
            let unit = try await units.get(try ask.number(of: "unit"), by: ask.caller)
            return .json(Document(unit), version: unit.version)
        }
        routes.put("/v1/units/{number}") { ask in
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

import MartletModel

/// `/v1/definitions/{kind}`: apps, packages, purposes, segments, tiers, attributes, kinds of contact.
public struct DefinitionRoutes: APINoun {
    let definitions: Definitions

    public init(_ definitions: Definitions) { self.definitions = definitions }

    struct Document: Encodable {
        struct Attribute: Encodable {
            var type: String
            var personal: Bool
            var choices: [String]?
        }

        var kind: String
        var number: Int64
        var version: Int64
        var code: String
        var name: String
        var description: String
        var unit: Int64?
        var owner: String
        var attribute: Attribute?
        var createdAt: String
        var changedAt: String
        var retiredAt: String?

        init(_ one: Definition) {
            (kind, number, version, code, name) = (one.kind.rawValue, one.number, one.version, one.code, one.name)
            (description, unit, owner) = (one.description, one.unit, one.owner)
            attribute = one.attribute.map {
                Attribute(type: $0.type.rawValue, personal: $0.isPersonal, choices: $0.choices.isEmpty ? nil : $0.choices)
            }
            (createdAt, changedAt) = (timestamp(one.createdAt * 1000), timestamp(one.changedAt * 1000))
            retiredAt = one.retiredAt.map { timestamp($0 * 1000) }
        }
    }

    private struct Body: Decodable {
        struct Attribute: Decodable {
            var type: String
            var personal: Bool
            var choices: [String]?
        }

        var code: String
        var name: String
        var description: String
        var unit: Int64?
        var attribute: Attribute?
        var retired: Bool?

        func wish() throws(DeskFault) -> Definition.Wish {
            var type: AttributeType?
            if let attribute {
                guard let kind = AttributeType.Kind(rawValue: attribute.type) else {
                    let words = AttributeType.Kind.allCases.map(\.rawValue).joined(separator: ", ")
                    throw .invalid([FieldFault("attribute.type", "unknown", "one of \(words)")])
                }
                type = AttributeType(kind, isPersonal: attribute.personal, choices: attribute.choices ?? [])
            }
            return Definition.Wish(code: code, name: name, description: description, unit: unit, attribute: type)
        }
    }

    public func add(to routes: inout APIRoutes) {
        let definitions = definitions
        routes.get("/v1/definitions/{kind}") { ask in
            .page(try await definitions.list(try kind(ask), try ask.page(), by: ask.caller)) { Document($0) }
        }
        routes.post("/v1/definitions/{kind}") { ask in
            let kind = try kind(ask)
            let made = try await definitions.add(kind, try await ask.body(Body.self).wish(), by: ask.caller)
            return .json(
                Document(made), version: made.version, status: 201, location: "/v1/definitions/\(kind.rawValue)/\(made.number)")
        }
        routes.get("/v1/definitions/{kind}/{number}") { ask in
            let kind = try kind(ask)
            let made = try await definitions.get(kind, try ask.number(of: kind.rawValue), by: ask.caller)
            return .json(Document(made), version: made.version)
        }
        routes.put("/v1/definitions/{kind}/{number}") { ask in
            let (kind, body) = (try kind(ask), try await ask.body(Body.self))
            let made = try await definitions.change(
                kind, try ask.number(of: kind.rawValue), try body.wish(), isRetired: body.retired ?? false, version: try ask.version(),
                by: ask.caller)
            return .json(Document(made), version: made.version)
        }
    }

    private func kind(_ ask: APIRequest) throws(DeskFault) -> DefinitionKind {
        guard let kind = DefinitionKind(rawValue: ask.part("kind")) else {
            throw .notFound(noun: "kind of definitions", key: ask.part("kind"))
        }
        return kind
    }
}

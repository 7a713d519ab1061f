import MartletModel

/// `/v1/definitions/{kind}`: apps, packages, purposes, segments, tiers, attributes, kinds of contact, suppression lists.
public struct DefinitionRoutes: APINoun {
    let definitions: Definitions

    public init(_ definitions: Definitions) { self.definitions = definitions }

    struct Document: Codable {
        struct Attribute: Codable {
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

    private struct Body: Decodable, APIExplained {
        struct Attribute: Decodable, APIExplained {
            var type: String
            var personal: Bool
            var choices: [String]?

            static let explained = ["type": APIField(words: AttributeType.Kind.allCases.map(\.rawValue))]
        }

        var code: String
        var name: String
        var description: String
        var unit: Int64?
        var attribute: Attribute?
        var retired: Bool?

        static let explained = [
            "code": APIField("What files and programs call it."), "unit": APIField("Whose it is; not there: the whole bank's."),
            "attribute": APIField("Of attributes alone."), "retired": APIField("Nothing new may use it."),
        ]

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

    private static let one = APISchema.of(Document.self, "Definition")
    private static let wish = APISchema.of(Body.self, "DefinitionWish", isBody: true)
    private static let kinds = "Kinds are \(DefinitionKind.allCases.map(\.rawValue).joined(separator: ", "))."
    private static let list = APIOperation(
        .get, "/v1/definitions/{kind}", "What the bank defined of a kind", note: kinds, [.readReference], query: APIParameter.page,
        answer: .json(.page(of: Document.self, "Definition")))
    private static let add = APIOperation(
        .post, "/v1/definitions/{kind}", "Defines something", note: kinds, [.manageReference], body: wish, status: 201, answer: .json(one),
        isVersioned: true, refuses: [APIErrors.conflict])
    private static let get = APIOperation(
        .get, "/v1/definitions/{kind}/{number}", "One definition", [.readReference], answer: .json(one), isVersioned: true)
    private static let change = APIOperation(
        .put, "/v1/definitions/{kind}/{number}", "Changes a definition, or ends its use for what is new", [.manageReference],
        match: .needed,
        body: wish, answer: .json(one), isVersioned: true, refuses: [APIErrors.conflict])

    public static let operations = [list, add, get, change]

    public func add(to routes: inout APIRoutes) {
        let definitions = definitions
        routes.on(DefinitionRoutes.list) { ask in
            .page(try await definitions.list(try kind(ask), try ask.page(), by: ask.caller)) { Document($0) }
        }
        routes.on(DefinitionRoutes.add) { ask in
            let kind = try kind(ask)
            let made = try await definitions.add(kind, try await ask.body(Body.self).wish(), by: ask.caller)
            return .json(
                Document(made), version: made.version, status: 201, location: "/v1/definitions/\(kind.rawValue)/\(made.number)")
        }
        routes.on(DefinitionRoutes.get) { ask in
            let kind = try kind(ask)
            let made = try await definitions.get(kind, try ask.number(of: kind.rawValue), by: ask.caller)
            return .json(Document(made), version: made.version)
        }
        routes.on(DefinitionRoutes.change) { ask in
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

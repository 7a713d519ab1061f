import Foundation
import Guard
import Hummingbird
import MartletModel
import NIOCore
import SQL
import Testing

@testable import MartletDesk

@Suite("Desk: OpenAPI document") struct APIDocumentTests {
    /// Every noun of the desk, over one store; where nothing is asked, the world around it is empty.
    static func nouns(_ desk: Desk) -> [any APINoun] {
        let units = Units(desk, rowKey: ReferenceRig.rowKey)
        let world = Rulebooks.World(folder: RulebookFolder("/nonexistent"), surroundings: { Rulebook.Surroundings(groups: []) })
        return [
            UnitRoutes(units), DefinitionRoutes(Definitions(units)), RulebookRoutes(Rulebooks(units, world)),
            SourceRoutes(Sources(units, SourceCatalogue(read: { [] }, change: { _, _ in }))),
        ]
    }

    @Test("Every operation is declared once, has a name of its own, says what it does, and needs a right unless it is open")
    func declared() {
        let all = APIDocument.operations
        #expect(Set(all.map(\.id)).count == all.count)
        #expect(Set(all.map { "\($0.method) \($0.path)" }).count == all.count)
        for it in all {
            #expect(!it.summary.isEmpty && it.summary.last != ".", "\(it.id)")
            #expect(it.isOpen == it.rights.isEmpty, "\(it.id)")
            #expect(it.isOpen || it.path.hasPrefix("/v1/"), "\(it.id)")
            #expect((it.status == 204) == { if case .nothing = it.answer { true } else { false } }(), "\(it.id)")
        }
        #expect(Set(all.flatMap(\.problems).map(\.code)).union(["method_not_allowed"]) == Set(APIErrors.all.map(\.code)))
    }

    @Test(
        "Every schema was read off its type: none is empty, a body takes no member that is not described, every reference leads somewhere")
    func schemas() throws {
        let document = APIDocument.document(APIDocument.operations)
        guard case .map(let schemas)? = document["components"]?["schemas"] else {
            Issue.record("there are no schemas")
            return
        }
        let names = Set(schemas.map(\.name))
        for schema in schemas {
            guard case .map(let members)? = schema.value["properties"] else {
                // The trace's hop has members as they come.
                #expect(schema.value["additionalProperties"] != nil, "\(schema.name)")
                continue
            }
            #expect(!members.isEmpty, "\(schema.name)")
        }
        for operation in APIDocument.operations {
            for (name, body) in operation.body?.components ?? [:] {
                #expect(body["additionalProperties"] == .flag(false), "\(name)")
                #expect(document["components"]?["schemas"]?[name] == body, "\(name) is two things")
            }
        }
        for part in document.json.components(separatedBy: "\"#/components/schemas/").dropFirst() {
            #expect(names.contains(String(part.prefix { $0 != "\"" })))
        }
        #expect(document["components"]?["schemas"]?["PrincipalWish"]?["required"] == .texts(["name", "rights"]))
        let unit = document["components"]?["schemas"]?["PrincipalWish"]?["properties"]?["unit"]
        #expect(unit?["type"] == .texts(["integer", "null"]) && unit?["description"] != nil)
        let content = document["components"]?["schemas"]?["RulebookWish"]?["properties"]?["content"]
        #expect(content == .map([:]), "any JSON")
    }

    @Test("What the desk serves stands in the document, which it hands out itself")
    func served() async throws {
        try await DeskRig.with(.sqlite) { rig in
            var routes = APIRoutes()
            for noun in Self.nouns(rig.desk) { noun.add(to: &routes) }
            let declared = UnitRoutes.operations + DefinitionRoutes.operations + RulebookRoutes.operations + SourceRoutes.operations
            #expect(Set(routes.operations.map(\.id)) == Set(declared.map(\.id)))
            let answer = try await rig.ask("GET", "/openapi.json")
            #expect(answer.status == 200 && answer.json["openapi"] as? String == "3.1.0")
            let paths = try #require(answer.json["paths"] as? [String: Any])
            #expect(Set(paths.keys).isSuperset(of: ["/openapi.json", "/healthz", "/v1/audit", "/v1/principals/{name}/rotate"]))
        }
    }

    @Test("Without one of its rights an operation is refused, with them it is not, whatever else is wrong with the request")
    func rights() async throws {
        try await ReferenceRig.with(.sqlite) { desk, _ in
            var routes = APIRoutes()
            for noun in Self.nouns(desk) + [
                PrincipalRoutes(principals: Principals(desk, rowKey: ReferenceRig.rowKey)), AuditRoutes(audits: Audits(desk: desk)),
            ] {
                noun.add(to: &routes)
            }
            for route in routes.paths.values.flatMap(\.values) {
                let it = route.operation
                func ask(_ rights: Set<Right>) async -> DeskFault? {
                    await ReferenceRig.fault {
                        let parts = Dictionary(uniqueKeysWithValues: it.parts.map { ($0, $0 == "kind" ? "app" : "1") })
                        _ = try await route.answer(
                            APIRequest(
                                caller: ReferenceRig.caller(nil, "ann", rights), parts: parts, query: APIQuery([]),
                                headers: ["if-match": "\"1\""],
                                content: .init(buffer: .init(string: "{}")), bodyLimit: 100))
                    }
                }
                for right in it.rights {
                    let fault = await ask(Set(Right.allCases).subtracting([right]))
                    #expect(fault == .forbidden(right), "\(it.id)")
                }
                if case .forbidden(let right)? = await ask(Set(it.rights)) { Issue.record("\(it.id) needs \(right) too") }
            }
        }
    }

    @Test("Texts that YAML would read as something else stand in quotes")
    func yaml() {
        let node = APINode.map([
            "plain": .text("Two words"), "no": .text("yes"), "200": .text("a: b"), "list": .list([.text("x"), .integer(1), .flag(true)]),
            "quote": .text("say \"so\"\n\\ \u{1}"), "empty": .map([]), "deep": .list([.map(["$ref": .text("#/a")])]),
        ])
        #expect(
            node.yaml == """
                plain: Two words
                "no": "yes"
                "200": "a: b"
                list: [x, 1, true]
                quote: "say \\"so\\"\\n\\\\ \\u0001"
                empty: {}
                deep:
                  -
                    $ref: "#/a"

                """)
    }
}

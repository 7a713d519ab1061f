import MartletModel

/// The admin API as OpenAPI 3.1, written from what is declared beside the routes.
public enum APIDocument {
    /// All operations of the desk. What a listener serves is compared with it by a test.
    static let operations =
        PrincipalRoutes.operations + AuditRoutes.operations + UnitRoutes.operations + DefinitionRoutes.operations + SourceRoutes.operations
        + RulebookRoutes.operations + TextRoutes.operations + CustomerRoutes.operations + SelfRoutes.operations + HistoryRoutes.operations
        + StatisticsRoutes.operations + DecisionStatisticsRoutes.operations
        + ImportRoutes.operations + ImageRoutes.operations + HealthRoutes.operations

    /// For `docs/reference/admin-openapi.yaml`.
    public static var page: String {
        "# Written by `make reference` from what is declared beside the routes; do not edit.\n" + document(operations).yaml
    }

    static func document(_ operations: [APIOperation]) -> APINode {
        var paths: [APINode.Member] = []
        for path in Set(operations.map(\.path)).sorted() {
            let here = operations.filter { $0.path == path }
            let methods = APIRoutes.Method.allCases.compactMap { method in here.first { $0.method == method } }
            var members = methods.map { APINode.Member(name: $0.method.rawValue.lowercased(), value: operation($0)) }
            if let parts = methods.first?.parts, !parts.isEmpty {
                members.insert(.init(name: "parameters", value: .list(parts.map { part($0) })), at: 0)
            }
            paths.append(.init(name: path, value: .map(members)))
        }
        return .map([
            "openapi": .text("3.1.0"), "info": info,
            "servers": .list([.map(["url": .text("http://127.0.0.1:8090"), "description": .text("The demo")])]),
            "security": .list([.map(["key": .list([])])]), "paths": .map(paths), "components": components(operations),
        ])
    }

    private static let info = APINode.map([
        "title": .text("Martlet, administration"), "version": .text("1"),
        "license": .map(["name": .text("Apache-2.0"), "identifier": .text("Apache-2.0")]),
        "description": .text(
            "How people and their tools administer Martlet. Guides: docs/guides/admin-api.md, rulebook.md, customers.md, history.md.\n\n"
                + "Members may be added to answers at any time; a reader passes over those it does not know. Requests are strict: a member or "
                + "parameter that is not described here is refused, and every fault is named at once, by path and reason."),
    ])

    // MARK: Operations

    private static func operation(_ it: APIOperation) -> APINode {
        var words = it.note.map { [$0] } ?? []
        if it.isSelf { words.append("Needs a customer's token.") }
        if !it.rights.isEmpty, !it.isSelf { words.append("Needs \(it.rights.map { "`\($0.rawValue)`" }.joined(separator: " and ")).") }
        var parameters = it.query.map { one in
            APINode.map(["name": .text(one.name), "in": .text("query"), "description": .text(one.doc), "schema": one.schema])
        }
        if it.match != .none { parameters.append(parameter(it.match == .needed ? "ifMatch" : "ifMatchOrNone")) }
        if !it.isOpen { parameters.append(parameter("reason")) }
        let file = it.file.map { APINode.Member(name: $0, value: .map(["schema": .map(["type": .text("string")])])) }
        let json = it.body.map { APINode.Member(name: "application/json", value: .map(["schema": $0.node])) }
        let bodies = file + (json.map { [$0] } ?? [])
        let body: APINode? = bodies.isEmpty ? nil : .map(["required": .flag(!it.isBodyOptional), "content": .map(bodies)])
        return .map([
            "operationId": .text(it.id), "tags": .texts([it.tag]), "summary": .text(it.summary),
            "description": words.isEmpty ? nil : .text(words.joined(separator: " ")),
            "security": it.isOpen ? .list([]) : it.isSelf ? .list([.map(["customer": .list([])])]) : nil,
            "parameters": parameters.isEmpty ? nil : .list(parameters), "requestBody": body, "responses": responses(it),
        ])
    }

    private static func parameter(_ name: String) -> APINode { .map(["$ref": .text("#/components/parameters/\(name)")]) }

    private static func part(_ name: String) -> APINode {
        .map([
            "name": .text(name), "in": .text("path"), "required": .flag(true),
            "schema": .map(["type": .text("string"), "minLength": .integer(1)]),
        ])
    }

    private static func responses(_ it: APIOperation) -> APINode {
        var members = ([it.status] + it.also).map { APINode.Member(name: String($0), value: answer(it, $0)) }
        for refusal in refusals(it) {
            members.append(.init(name: String(refusal.status), value: .map(["$ref": .text("#/components/responses/\(refusal.name)")])))
        }
        return .map(members)
    }

    /// Problems of one status that an operation can answer: one response, shared by all that have the same.
    private struct Refusal {
        var status: Int
        var codes: [ErrorCode]
        /// Such as `BrokenTampered`.
        var name: String {
            codes.map { $0.code.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined() }.joined()
        }
    }

    private static func refusals(_ it: APIOperation) -> [Refusal] {
        // Every path answers another method so.
        let problems = it.problems + [APIErrors.methodNotAllowed]
        return Set(problems.map(\.status)).sorted().map { status in
            let codes = APIErrors.all.filter { code in code.status == status && problems.contains { $0.code == code.code } }
            return Refusal(status: status, codes: codes)
        }
    }

    private static func response(_ refusal: Refusal) -> APINode {
        .map([
            "description": .text(refusal.codes.map { "`\($0.code)`: \($0.title)." }.joined(separator: " ")),
            "headers": headers(ofProblem: refusal.status),
            "content": .map(["application/problem+json": .map(["schema": APISchema.reference("Problem")])]),
        ])
    }

    private static func answer(_ it: APIOperation, _ status: Int) -> APINode {
        let text = APINode.map(["schema": .map(["type": .text("string")])])
        var headers: [APINode.Member] = []
        if it.isVersioned { headers.append(.init(name: "ETag", value: header("The version; a change sends it as If-Match."))) }
        if status == 201 { headers.append(.init(name: "Location", value: header("Where it is found, if it has a path of its own."))) }
        let content: APINode? =
            switch it.answer {
            case .nothing: nil
            case .json(let schema): .map(["application/json": .map(["schema": schema.node])])
            case .text(let type): .map([.init(name: type, value: text)])
            case .file(let types): .map(types.map { .init(name: $0, value: text) })
            }
        let words = status == 201 ? "It was made." : status == 204 ? "It was done." : "As asked for."
        return .map(["description": .text(words), "headers": headers.isEmpty ? nil : .map(headers), "content": content])
    }

    private static func headers(ofProblem status: Int) -> APINode? {
        switch status {
        case 401: .map(["WWW-Authenticate": header("How to authenticate.")])
        case 405: .map(["Allow": header("The methods that there are.")])
        case 412: .map(["ETag": header("The version that it has now.")])
        case 503: .map(["Retry-After": header("Seconds; not there where trying again by itself is not safe.")])
        default: nil
        }
    }

    private static func header(_ doc: String) -> APINode {
        .map(["description": .text(doc), "schema": .map(["type": .text("string")])])
    }

    // MARK: Components

    private static func components(_ operations: [APIOperation]) -> APINode {
        var schemas: [String: APINode] = ["Problem": problem]
        for it in operations {
            schemas.merge(it.body?.components ?? [:]) { old, _ in old }
            if case .json(let schema) = it.answer { schemas.merge(schema.components) { old, _ in old } }
        }
        var responses: [String: APINode] = [:]
        for refusal in operations.flatMap({ refusals($0) }) { responses[refusal.name] = response(refusal) }
        let match = APINode.map(["type": .text("string"), "pattern": .text("^\"[0-9]+\"$")])
        func header(_ name: String, _ doc: String, _ schema: APINode, required: Bool = false) -> APINode {
            .map(["name": .text(name), "in": .text("header"), "required": .flag(required), "description": .text(doc), "schema": schema])
        }
        return .map([
            "securitySchemes": .map([
                "key": .map([
                    "type": .text("http"), "scheme": .text("bearer"),
                    "description": .text("Printed by `martlet principal add` or `rotate`."),
                ]),
                "customer": .map([
                    "type": .text("http"), "scheme": .text("bearer"),
                    "description": .text("A customer's token, as `POST /v1/customers/{id}/tokens` answers it."),
                ]),
            ]),
            "parameters": .map([
                "ifMatch": header("If-Match", "The ETag of the answer in which it was read.", match, required: true),
                "ifMatchOrNone": header("If-Match", "The ETag of the answer in which it was read; without one it is new.", match),
                "reason": header(
                    "Martlet-Reason", "Why; it stands in the audit. Needed where personal data is shown.",
                    .map(["type": .text("string"), "maxLength": .integer(1024)])),
            ]),
            "responses": .map(responses.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: $0.value) }),
            "schemas": .map(schemas.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: $0.value) }),
        ])
    }

    private static let problem = APINode.map([
        "type": .text("object"), "required": .texts(["type", "title", "status"]),
        "description": .text("As RFC 9457 has it. docs/reference/admin-errors.md says what to do."),
        "properties": .map([
            "type": .map(["type": .text("string"), "enum": .texts(APIErrors.all.map { "/problems/\($0.code)" })]),
            "title": .map(["type": .text("string")]), "status": .map(["type": .text("integer")]),
            "detail": .map(["type": .text("string"), "description": .text("What is particular to this request.")]),
            "errors": .map([
                "type": .text("array"),
                "items": .map([
                    "type": .text("object"), "required": .texts(["path", "code", "message"]),
                    "properties": .map([
                        "path": .map([
                            "type": .text("string"),
                            "description": .text("JSON Pointer into the body, or `/` and the name of a parameter or header."),
                        ]), "code": .map(["type": .text("string")]), "message": .map(["type": .text("string")]),
                    ]),
                ]),
            ]),
        ]),
    ])
}

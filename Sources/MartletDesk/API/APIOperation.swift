import MartletModel

/// A route as it is declared, once: what the router serves, what is asked of caller and query before its handler runs, and what the OpenAPI
/// document says of it.
public struct APIOperation: Sendable {
    /// Whether a change says which version it changes (`If-Match`).
    enum Match: Sendable { case none, needed, optional }

    enum Answer: Sendable {
        case nothing
        case json(APISchema)
        /// Lines of text of this media type.
        case text(String)
        /// Bytes of one of these media types.
        case file([String])
    }

    var method: APIRoutes.Method
    var path: String
    /// What it does, in a few words; with the method and path its name.
    var summary: String
    /// What else a caller should know.
    var note: String?
    /// All of them are needed, and are asked for before anything of the request is read.
    var rights: [Right]
    var query: [APIParameter]
    var match: Match
    var body: APISchema?
    /// Whether the body may be missing.
    var isBodyOptional: Bool
    /// Media types of a body that is a file, read as it comes.
    var file: [String]
    var status: Int
    /// Other statuses with the same answer.
    var also: [Int]
    var answer: Answer
    /// The answer carries the version as `ETag`.
    var isVersioned: Bool
    /// Refusals besides those that follow from the rest.
    var refuses: [ErrorCode]
    /// Without a key: health, and the document itself.
    var isOpen: Bool
    /// A customer's token opens it, and nothing else does.
    var isSelf: Bool

    init(
        _ method: APIRoutes.Method, _ path: String, _ summary: String, note: String? = nil, _ rights: [Right] = [],
        query: [APIParameter] = [], match: Match = .none, body: APISchema? = nil, isBodyOptional: Bool = false, file: [String] = [],
        status: Int = 200, answer: Answer, isVersioned: Bool = false,
        refuses: [ErrorCode] = [], also: [Int] = [], isOpen: Bool = false, isSelf: Bool = false
    ) {
        self.method = method
        self.path = path
        self.summary = summary
        self.note = note
        self.rights = rights
        self.query = query
        self.match = match
        self.body = body
        self.isBodyOptional = isBodyOptional
        self.file = file
        self.status = status
        self.also = also
        self.answer = answer
        self.isVersioned = isVersioned
        self.refuses = refuses
        self.isOpen = isOpen
        self.isSelf = isSelf
    }

    /// A file is asked for by HEAD too, to learn of it without its bytes.
    var answersHead: Bool { if case .file = answer { true } else { false } }

    /// Names of the path's parts.
    var parts: [String] { path.split(separator: "/").filter { $0.first == "{" }.map { String($0.dropFirst().dropLast()) } }

    /// Such as `getUnitsNumber`: of its own for each operation.
    var id: String {
        var id = method.rawValue.lowercased()
        for step in path.split(whereSeparator: { "/-.{}".contains($0) }) where step != "v1" {
            id += step.prefix(1).uppercased() + step.dropFirst()
        }
        return id
    }

    /// The noun: what stands behind `/v1`.
    var tag: String {
        let steps = path.split(separator: "/")
        return steps.first == "v1" && steps.count > 1 ? String(steps[1]) : "desk"
    }

    /// What can be refused, by what is declared.
    var problems: [ErrorCode] {
        var problems = isOpen ? [] : [APIErrors.malformedHeader, APIErrors.unauthenticated, APIErrors.invalid]
        if !rights.isEmpty { problems.append(APIErrors.forbidden) }
        if !parts.isEmpty || isSelf { problems.append(APIErrors.notFound) }
        if match == .needed { problems.append(APIErrors.versionMissing) }
        if match != .none { problems.append(APIErrors.changed) }
        if body != nil { problems += [APIErrors.malformedJSON, APIErrors.bodyTooLarge] }
        if !file.isEmpty { problems.append(APIErrors.bodyTooLarge) }
        problems += refuses
        if !isOpen {
            problems += [
                APIErrors.broken, APIErrors.tampered, APIErrors.storeAway, APIErrors.starting, APIErrors.outcomeUnknown,
                APIErrors.timeLimit,
            ]
        }
        return problems
    }
}

/// A parameter of the query.
struct APIParameter: Sendable {
    var name: String
    var doc: String
    var schema: APINode

    init(_ name: String, _ doc: String, _ schema: APINode = .map(["type": .text("string")])) {
        self.name = name
        self.doc = doc
        self.schema = schema
    }

    static func words(_ name: String, _ doc: String, _ words: [String]) -> APIParameter {
        APIParameter(name, doc, .map(["type": .text("string"), "enum": .texts(words)]))
    }

    static let page = [
        APIParameter(
            "limit", "How many items at most.",
            .map([
                "type": .text("integer"), "minimum": .integer(1), "maximum": .integer(Int64(PageWish.most)),
                "default": .integer(Int64(PageWish.usual)),
            ])),
        APIParameter("cursor", "`next` of the answer before."),
    ]
}

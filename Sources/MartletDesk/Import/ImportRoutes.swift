import MartletModel

/// `/v1/imports`: files handed in as a stream, and what becomes of them.
public struct ImportRoutes: APINoun {
    let imports: Imports

    public init(_ imports: Imports) { self.imports = imports }

    struct Document: Codable {
        var id: String
        var kind: String
        var format: String
        var state: String
        /// Bytes of the file, and the one that is read next.
        var size: Int
        var position: Int
        /// Lines read, the heading included.
        var lines: Int
        var added: Int
        var changed: Int
        /// Lines that said nothing new.
        var same: Int
        var refused: Int
        var maxErrors: Int
        /// Why it stopped.
        var fault: String?
        var source: String
        var createdAt: String
        var changedAt: String

        init(_ view: ImportView) {
            let (job, progress) = (view.job, view.progress)
            (id, kind, format, state) = (job.id, job.options.kind.rawValue, job.options.format.rawValue, job.state.word)
            (size, position, lines, maxErrors) = (job.size, progress.position, progress.lines, job.options.errorsMaximum)
            (added, changed, same, refused) = (progress.added, progress.changed, progress.same, progress.refused)
            (fault, source) = (job.fault, job.source)
            (createdAt, changedAt) = (timestamp(job.createdAt * 1000), timestamp(job.changedAt * 1000))
        }
    }

    private struct List: Codable {
        /// One whose row is not as Martlet wrote it.
        struct Damaged: Codable {
            var id: String
            var reason: String
        }

        var items: [Document] = []
        var damaged: [Damaged] = []
        var next: String?

        init(_ page: Page<ImportEntry>) {
            for entry in page.items {
                switch entry {
                case .sound(let view): items.append(Document(view))
                case .damaged(let one): damaged.append(Damaged(id: one.id, reason: one.reason))
                }
            }
            next = page.next.map(APICursor.text)
        }
    }

    private struct Resume: Decodable, APIExplained {
        var maxErrors: Int?

        static let explained = ["maxErrors": APIField("Lines that may be refused; not there: as before.")]
    }

    private static let one = APISchema.of(Document.self, "Import")
    private static let damaged: APINode = .map([
        "type": .text("array"), "description": .text("Rows that are not as Martlet wrote them; nothing else of them is shown."),
        "items": .map([
            "type": .text("object"), "required": .texts(["id", "reason"]),
            "properties": .map(["id": .map(["type": .text("string")]), "reason": .map(["type": .text("string")])]),
        ]),
    ])
    private static let take = APIOperation(
        .post, "/v1/imports", "Hands in a file",
        note: "The body is the file. What it says of itself stands in the query, for the body is read as it comes.",
        [.importCustomers],
        query: [
            .words("kind", "What it is about; not there: customers.", ImportKind.allCases.map(\.rawValue)),
            .words("format", "Not there: by the Content-Type.", ImportOptions.Format.allCases.map(\.rawValue)),
            APIParameter("separator", "Of CSV: one character of ASCII other than a quote, or `tab`; not there: a comma."),
            APIParameter("map", "Names of columns that are other than ours: lines `ours = theirs`."),
            APIParameter(
                "maxErrors", "Stops when more lines than this were refused.", .map(["type": .text("integer"), "minimum": .integer(0)])),
        ],
        file: ["text/csv", "application/x-ndjson", "application/jsonl"], status: 201, answer: .json(one),
        refuses: [APIErrors.importsFull, APIErrors.noRoom])
    private static let list = APIOperation(
        .get, "/v1/imports", "Files handed in, newest first", note: "Those whose rows are damaged are named apart and not worked at.",
        [.importCustomers], query: APIParameter.page,
        answer: .json(.page(of: Document.self, "Import", besides: ["damaged": ImportRoutes.damaged])))
    private static let get = APIOperation(.get, "/v1/imports/{id}", "One import", [.importCustomers], answer: .json(one))
    private static let errors = APIOperation(
        .get, "/v1/imports/{id}/errors", "The lines that were refused", note: "Line, field and reason; nothing of the line itself.",
        [.importCustomers], answer: .text("text/csv"))
    private static let cancel = APIOperation(
        .post, "/v1/imports/{id}/cancel", "Ends an import; what was read stays", [.importCustomers], answer: .json(one),
        refuses: [APIErrors.conflict])
    private static let discard = APIOperation(
        .delete, "/v1/imports/{id}", "Takes away an import whose row is damaged",
        note: "With its files. One whose row is sound is cancelled instead.", [.importCustomers], status: 204, answer: .nothing,
        refuses: [APIErrors.conflict])
    private static let resume = APIOperation(
        .post, "/v1/imports/{id}/resume", "Goes on with an import that stopped", [.importCustomers],
        body: .of(Resume.self, "ImportResume", isBody: true), isBodyOptional: true, answer: .json(one), refuses: [APIErrors.conflict])

    public static let operations = [take, list, get, errors, cancel, discard, resume]

    /// For as long as a file of the largest size may come in over a slow line.
    private static let uploadLimit = Duration.seconds(6 * 3600)

    public func add(to routes: inout APIRoutes) {
        let imports = imports
        routes.on(ImportRoutes.take, timeLimit: ImportRoutes.uploadLimit) { ask in
            let options = try ImportRoutes.options(ask)
            let size = ask.header("content-length").flatMap { Int($0) }
            var pieces = ask.pieces().makeAsyncIterator()
            let view = try await ImportRoutes.problems {
                try await imports.take(options, size: size, by: ask.caller) { try await pieces.next() }
            }
            return .json(Document(view), status: 201, location: "/v1/imports/\(view.job.id)")
        }
        routes.on(ImportRoutes.list) { ask in
            .json(List(try await imports.list(try ask.page(), by: ask.caller)))
        }
        routes.on(ImportRoutes.get) { ask in
            .json(Document(try await imports.get(ask.part("id"), by: ask.caller)))
        }
        routes.on(ImportRoutes.errors) { ask in
            let next = try await imports.errors(ask.part("id"), by: ask.caller)
            return APIAnswer(headers: [APIHeader("Content-Type", "text/csv; charset=utf-8")], body: .pieces(next: next))
        }
        routes.on(ImportRoutes.cancel) { ask in
            .json(Document(try await imports.cancel(ask.part("id"), by: ask.caller)))
        }
        routes.on(ImportRoutes.discard) { ask in
            try await imports.discard(ask.part("id"), by: ask.caller)
            return .done()
        }
        routes.on(ImportRoutes.resume) { ask in
            let bytes = try await ask.bytes()
            let wish = bytes.isEmpty ? Resume() : try StrictJSON.decode(Resume.self, from: bytes)
            return .json(Document(try await imports.resume(ask.part("id"), errorsMaximum: wish.maxErrors, by: ask.caller)))
        }
    }

    /// From the query, for the body is the file; the format also from its type.
    private static func options(_ ask: APIRequest) throws -> ImportOptions {
        let type = ask.header("content-type")?.split(separator: ";").first.map { String($0).trimmed.lowercased() }
        let known = ["text/csv": "csv", "application/x-ndjson": "ndjson", "application/jsonl": "ndjson"]
        guard let format = ask.query["format"] ?? type.flatMap({ known[$0] }) else {
            throw DeskFault.invalid([
                FieldFault("format", "required", "csv or ndjson, here or by Content-Type: text/csv, application/x-ndjson")
            ])
        }
        var errors = 1000
        if let text = ask.query["maxErrors"] {
            guard let number = Int(text) else { throw DeskFault.invalid([FieldFault("maxErrors", "type", "it is not a number")]) }
            errors = number
        }
        return try ImportOptions(
            kind: ask.query["kind"] ?? ImportKind.customers.rawValue, format: format, separator: ask.query["separator"] ?? ",",
            map: ask.query["map"] ?? "", errorsMaximum: errors)
    }

    /// Why a file was not taken, as callers of the admin API hear it.
    private static func problems<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let fault as ImportFault {
            switch fault {
            case .tooLarge: throw APIProblem(APIErrors.bodyTooLarge, detail: fault.description)
            case .noRoom: throw APIProblem(APIErrors.noRoom, detail: fault.description)
            case .full: throw APIProblem(APIErrors.importsFull, detail: fault.description, headers: [APIHeader("Retry-After", "60")])
            case .empty: throw DeskFault.invalid([FieldFault("", "required", fault.description)])
            case .cannotRead, .cannotWrite, .header, .tooManyErrors, .runsElsewhere, .cancelled: throw DeskFault.broken(fault.description)
            }
        }
    }
}

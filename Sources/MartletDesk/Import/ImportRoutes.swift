import MartletModel

/// `/v1/imports`: files handed in as a stream, and what becomes of them.
public struct ImportRoutes: APINoun {
    let imports: Imports

    public init(_ imports: Imports) { self.imports = imports }

    struct Document: Encodable {
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

    private struct Resume: Decodable {
        var maxErrors: Int?
    }

    /// For as long as a file of the largest size may come in over a slow line.
    private static let uploadLimit = Duration.seconds(6 * 3600)

    public func add(to routes: inout APIRoutes) {
        let imports = imports
        routes.add(
            .post, "/v1/imports",
            APIRoutes.Route(
                handler: { ask in
                    let options = try ImportRoutes.options(ask)
                    let size = ask.header("content-length").flatMap { Int($0) }
                    var pieces = ask.pieces().makeAsyncIterator()
                    let view = try await ImportRoutes.problems {
                        try await imports.take(options, size: size, by: ask.caller) { try await pieces.next() }
                    }
                    return .json(Document(view), status: 201, location: "/v1/imports/\(view.job.id)")
                }, timeLimit: ImportRoutes.uploadLimit))
        routes.get("/v1/imports") { ask in
            .page(try await imports.list(try ask.page(), by: ask.caller)) { Document($0) }
        }
        routes.get("/v1/imports/{id}") { ask in
            try ask.query.allow([])
            return .json(Document(try await imports.get(ask.part("id"), by: ask.caller)))
        }
        routes.get("/v1/imports/{id}/errors") { ask in
            try ask.query.allow([])
            let next = try await imports.errors(ask.part("id"), by: ask.caller)
            return APIAnswer(headers: [APIHeader("Content-Type", "text/csv; charset=utf-8")], body: .pieces(next: next))
        }
        routes.post("/v1/imports/{id}/cancel") { ask in
            .json(Document(try await imports.cancel(ask.part("id"), by: ask.caller)))
        }
        routes.post("/v1/imports/{id}/resume") { ask in
            let bytes = try await ask.bytes()
            let wish = bytes.isEmpty ? Resume() : try StrictJSON.decode(Resume.self, from: bytes)
            return .json(Document(try await imports.resume(ask.part("id"), errorsMaximum: wish.maxErrors, by: ask.caller)))
        }
    }

    /// From the query, for the body is the file; the format also from its type.
    private static func options(_ ask: APIRequest) throws -> ImportOptions {
        try ask.query.allow(["kind", "format", "separator", "map", "maxErrors"])
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

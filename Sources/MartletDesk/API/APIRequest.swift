import FoundationEssentials
import Hummingbird
import NIOCore

/// What a route is asked: who asks, and the parts of the request, each read strictly, with the fault of each named.
struct APIRequest: Sendable {
    /// Who asks, with the reason of the header `Martlet-Reason`.
    let caller: Caller
    /// Parts of the path by name, as they were before percent-encoding.
    let parts: [String: String]
    let query: APIQuery
    private let headers: [String: String]
    private let content: RequestBody
    private let bodyLimit: Int

    /// - Parameter headers: by name in lower case.
    init(caller: Caller, parts: [String: String], query: APIQuery, headers: [String: String], content: RequestBody, bodyLimit: Int) {
        self.caller = caller
        self.parts = parts
        self.query = query
        self.headers = headers
        self.content = content
        self.bodyLimit = bodyLimit
    }

    /// A part of the path; a route asks only for those that stand in its path.
    func part(_ name: String) -> String { parts[name] ?? "" }

    func header(_ name: String) -> String? { headers[name] }

    /// The body as JSON. A field that `Body` does not read is a fault, like one of another type; all that is known is named at once.
    func body<Body: Decodable>(_ type: Body.Type) async throws -> Body {
        try StrictJSON.decode(type, from: try await bytes())
    }

    /// The whole body, at most as large as the route allows.
    func bytes() async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await piece in content {
            guard bytes.count + piece.readableBytes <= bodyLimit else { throw APIProblem(APIErrors.bodyTooLarge) }
            bytes.append(contentsOf: piece.readableBytesView)
        }
        return bytes
    }

    /// The body piece by piece, for routes that take more than fits in memory. Pieces are at most 64 KiB.
    func pieces() -> AsyncThrowingMapSequence<RequestBody, [UInt8]> { content.map { Array($0.readableBytesView) } }

    /// The version that a change is meant for, from `If-Match`.
    func version() throws(APIProblem) -> Int64 {
        guard let text = headers["if-match"] else { throw APIProblem(APIErrors.versionMissing) }
        guard text.count >= 3, text.first == "\"", text.last == "\"", let version = Int64(text.dropFirst().dropLast()), version > 0 else {
            throw APIProblem(APIErrors.malformedHeader, detail: "If-Match: send one ETag as it was answered, such as \"7\"")
        }
        return version
    }

    /// `limit` and `cursor`.
    func page() throws -> PageWish {
        var after: Cursor?
        if let text = query["cursor"] {
            guard let cursor = APICursor.cursor(text) else {
                throw DeskFault.invalid([FieldFault("cursor", "malformed", "it is not one that was answered")])
            }
            after = cursor
        }
        guard let text = query["limit"] else { return try PageWish(after: after) }
        guard let limit = Int(text) else { throw DeskFault.invalid([FieldFault("limit", "type", "it is not a number")]) }
        return try PageWish(after: after, limit: limit)
    }
}

/// What stands behind the question mark.
struct APIQuery: Sendable {
    private let values: [String: String]
    private let repeated: [String]

    init(_ pairs: [(name: String, value: String)]) {
        var values: [String: String] = [:]
        var repeated: [String] = []
        for pair in pairs where values.updateValue(pair.value, forKey: pair.name) != nil { repeated.append(pair.name) }
        self.values = values
        self.repeated = repeated
    }

    subscript(name: String) -> String? { values[name] }

    /// - Throws: `.invalid` with every parameter that the route does not know, or that comes twice.
    func allow(_ names: [String]) throws(DeskFault) {
        var faults = values.keys.filter { !names.contains($0) }.sorted().map {
            FieldFault(
                $0, "unknown_field",
                names.isEmpty ? "there are no parameters here" : "there is no such parameter; there are \(names.joined(separator: ", "))")
        }
        faults += repeated.map { FieldFault($0, "repeated", "it is given more than once") }
        if !faults.isEmpty { throw .invalid(faults) }
    }
}

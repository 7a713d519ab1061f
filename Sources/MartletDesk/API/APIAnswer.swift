import FoundationEssentials

struct APIHeader: Equatable, Sendable {
    var name: String
    var value: String

    init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// What a route answers.
struct APIAnswer: Sendable {
    enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// Written piece by piece, as fast as the peer takes it; `next` is asked until it has no more. What it throws ends the connection,
        /// so that the peer never takes a part for the whole.
        case pieces(next: @Sendable () async throws -> [UInt8]?)
    }

    var status = 200
    var headers: [APIHeader] = []
    var body = Body.none

    /// - Parameter version: of the thing that is shown, its ETag.
    static func json(_ document: some Encodable, version: Int64? = nil, status: Int = 200, location: String? = nil) -> APIAnswer {
        var headers = [APIHeader("Content-Type", "application/json")]
        if let version { headers.append(APIHeader("ETag", "\"\(version)\"")) }
        if let location { headers.append(APIHeader("Location", location)) }
        return APIAnswer(status: status, headers: headers, body: .bytes(APIJSON.bytes(document)))
    }

    /// 204, with the version that the thing has now.
    static func done(version: Int64? = nil) -> APIAnswer {
        APIAnswer(status: 204, headers: version.map { [APIHeader("ETag", "\"\($0)\"")] } ?? [])
    }

    private struct List<Item: Encodable>: Encodable {
        var items: [Item]
        var next: String?
    }

    /// `{"items": [...], "next": "..."}`; without `next` that was all.
    static func page<Item, Document: Encodable>(_ page: Page<Item>, _ document: (Item) -> Document) -> APIAnswer {
        json(List(items: page.items.map(document), next: page.next.map(APICursor.text)))
    }

    static func text(_ text: String, status: Int = 200, type: String = "text/plain; charset=utf-8") -> APIAnswer {
        APIAnswer(status: status, headers: [APIHeader("Content-Type", type)], body: .bytes(Array(text.utf8)))
    }
}

/// Documents as bytes, their members in alphabetical order.
enum APIJSON {
    static func bytes(_ document: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(document))
        } catch {
            // Documents hold texts, numbers and lists, which have a JSON form always.
            preconditionFailure("a document of the admin API has no JSON form: \(error)")
        }
    }
}

/// A cursor as callers carry it: base64url without padding (RFC 4648, section 5), so that nobody builds one.
enum APICursor {
    static func text(_ cursor: Cursor) -> String { Base64URL.text(cursor.key) }

    static func cursor(_ text: String) -> Cursor? { Base64URL.bytes(text).map { Cursor(key: $0) } }
}

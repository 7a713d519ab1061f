import NIOHTTP1

/// One request to the admin API, whole.
struct Request: Sendable {
    var method: HTTPMethod
    /// Without the query; percent-encoding undone.
    var path: String
    var query: [String: String]
    var host: String?
    var origin: String?
    var body: [UInt8]

    /// nil when the target or its escapes are malformed.
    init?(_ head: HTTPRequestHead, body: [UInt8]) {
        method = head.method
        let target = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = target.first, first.hasPrefix("/"), let path = Self.unescaped(first) else { return nil }
        self.path = path
        query = [:]
        if target.count == 2 {
            for pair in target[1].split(separator: "&") {
                let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard let name = Self.unescaped(sides[0]), let value = Self.unescaped(sides.count == 2 ? sides[1] : "") else { return nil }
                query[name] = value
            }
        }
        host = head.headers.first(name: "host")
        origin = head.headers.first(name: "origin")
        self.body = body
    }

    private static func unescaped(_ text: Substring) -> String? {
        var octets: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte != UInt8(ascii: "%") {
                octets.append(byte)
                continue
            }
            guard let high = rest.popFirst(), let low = rest.popFirst(),
                let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
            else { return nil }
            octets.append(value)
        }
        return String(validating: octets, as: UTF8.self)
    }

    /// A page from elsewhere that the person's browser has open must not steer the simulator: a request from a page names its
    /// origin, which must be this server; and a name that is made to point at this machine is not among the hosts served.
    var isFromHere: Bool {
        guard let host else { return false }
        if let origin, origin != "http://\(host)" { return false }
        let name = host.hasPrefix("[") ? String(host.prefix { $0 != "]" }.dropFirst()) : String(host.prefix { $0 != ":" })
        let isAddress = !name.isEmpty && name.utf8.allSatisfy { $0 == 0x2E || (0x30...0x39).contains($0) }
        return isAddress || host.hasPrefix("[") || name == "localhost"
    }
}

/// What goes back.
struct Response: Sendable {
    var status: HTTPResponseStatus = .ok
    var type = "application/json"
    var headers: [(String, String)] = []
    var content: Content

    enum Content: Sendable {
        case bytes([UInt8])
        /// Chunks as they are made; the closure waits for each to be written.
        case stream(@Sendable (ResponseStream) async throws -> Void)
        /// Server-sent events until the page goes.
        case events
    }

    static func json(_ value: JSONText.Value, status: HTTPResponseStatus = .ok) -> Response {
        Response(status: status, content: .bytes(JSONText(value).bytes + [0x0a]))
    }

    /// application/problem+json (RFC 9457), as the intake's.
    static func problem(_ status: HTTPResponseStatus, _ detail: String, field: FieldError? = nil) -> Response {
        var entries: [(String, JSONText.Value)] = [
            ("type", .text("about:blank")), ("title", .text(status.reasonPhrase)), ("status", .integer(Int(status.code))),
            ("detail", .text(detail)),
        ]
        if let field {
            entries.append(
                ("errors", .list([.map([("path", .text(field.field)), ("code", .text("invalid")), ("message", .text(field.reason))])])))
        }
        var response = json(.map(entries), status: status)
        response.type = "application/problem+json"
        return response
    }
}

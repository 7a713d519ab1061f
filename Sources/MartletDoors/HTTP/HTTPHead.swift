import MartletModel
import NIOHTTP1

/// What this door needs to know of a request's head, collected in one pass over its fields.
struct HTTPHeadFacts {
    /// Value of the Authorization field; nil: there is none.
    var authorization: String?
    var contentLength: Int?
    var isChunked = false
    /// The body is JSON by its Content-Type and not encoded.
    var isJSON = false
    /// The body is lines of JSON by its Content-Type and not encoded.
    var isLines = false
    /// A body is announced.
    var hasBody: Bool { isChunked || (contentLength ?? 0) > 0 }
    /// Value of the Idempotency-Key field; nil: there is none.
    var idempotencyKey: String?
    var hasSecondIdempotencyKey = false
    /// Of a valid traceparent; one that is not counts as absent, and so do two of them.
    var trace: TraceContext?
    var expectsContinue = false
    var expectsSomethingElse = false
    /// The decoder stops after a request that asks for another protocol.
    var asksForUpgrade = false
    /// The framing cannot be trusted: answer 400 and close (RFC 9112, sections 3.2 and 6.3).
    var isMalformed = false

    init(_ head: HTTPRequestHead) {
        var hosts = 0
        var isEncoded = false
        var contentTypes = 0
        var traces = 0
        for (name, value) in head.headers {
            // Names differ in length mostly, so most fields cost one comparison of two integers.
            switch name.utf8.count {
            case 4 where name.isField("host"):
                hosts += 1
            case 6 where name.isField("expect"):
                if value.isField("100-continue") { expectsContinue = true } else { expectsSomethingElse = true }
            case 7 where name.isField("upgrade"):
                asksForUpgrade = true
            case 11 where name.isField("traceparent"):
                traces += 1
                trace = traces == 1 ? TraceContext(value) : nil
            case 12 where name.isField("content-type"):
                contentTypes += 1
                isJSON = value == "application/json" || HTTPHeadFacts.isText(value, of: "application/json")
                if !isJSON {
                    isLines = ["application/x-ndjson", "application/jsonl"].contains { HTTPHeadFacts.isText(value, of: $0) }
                }
            case 13 where name.isField("authorization"):
                if authorization != nil { isMalformed = true }
                authorization = value
            case 14 where name.isField("content-length"):
                // The decoder takes digits only and refuses a second field; both are held here too, so that no later one loosens it.
                if contentLength != nil || value.utf8.count > 18 { isMalformed = true }
                contentLength = Int(value)
                if contentLength == nil { isMalformed = true }
            case 15 where name.isField("idempotency-key"):
                if idempotencyKey != nil { hasSecondIdempotencyKey = true }
                idempotencyKey = String(HTTPHeadFacts.trimmed(value[...].utf8)) ?? ""
            case 16 where name.isField("content-encoding"):
                isEncoded = !value.isField("identity")
            case 17 where name.isField("transfer-encoding"):
                if isChunked || !value.isField("chunked") { isMalformed = true }
                isChunked = true
            default: break
            }
        }
        if isEncoded || contentTypes > 1 {
            isJSON = false
            isLines = false
        }
        if head.version == .http1_0 {
            // Transfer codings do not exist in HTTP/1.0 and expectations are ignored (RFC 9112, 6.1; RFC 9110, 10.1.1).
            if isChunked { isMalformed = true }
            expectsContinue = false
            expectsSomethingElse = false
            if hosts > 1 { isMalformed = true }
        } else if hosts != 1 {
            isMalformed = true
        }
        if isChunked, contentLength != nil { isMalformed = true }
        if head.method == .CONNECT { asksForUpgrade = true }
    }

    /// This type, with `charset=utf-8` if with a charset at all. Other parameters have no meaning (RFC 8259, section 11).
    static func isText(_ value: String, of type: String) -> Bool {
        var pieces = value.utf8.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map(trimmed)
        guard !pieces.isEmpty, matches(pieces.removeFirst(), type) else { return false }
        for piece in pieces {
            guard let equals = piece.firstIndex(of: UInt8(ascii: "=")) else {
                if piece.isEmpty { continue }
                return false
            }
            guard matches(piece[..<equals], "charset") else { continue }
            var charset = piece[piece.index(after: equals)...]
            if charset.count >= 2, charset.first == UInt8(ascii: "\""), charset.last == UInt8(ascii: "\"") {
                charset = charset.dropFirst().dropLast()
            }
            guard matches(charset, "utf-8") else { return false }
        }
        return true
    }

    /// The key of `Bearer KEY`; nil when the credentials are of another scheme or empty.
    static func bearer(_ value: String) -> Substring.UTF8View? {
        let scheme = "bearer"
        let bytes = value.utf8
        guard bytes.count > scheme.utf8.count + 1, matches(bytes.prefix(scheme.utf8.count), scheme),
            bytes[bytes.index(bytes.startIndex, offsetBy: scheme.utf8.count)] == UInt8(ascii: " ")
        else { return nil }
        let key = trimmed(bytes.dropFirst(scheme.utf8.count))
        return key.isEmpty || key.contains(UInt8(ascii: " ")) ? nil : key
    }

    private static func trimmed(_ bytes: Substring.UTF8View) -> Substring.UTF8View {
        var rest = bytes
        while let first = rest.first, first == 0x20 || first == 0x09 { rest = rest.dropFirst() }
        while let last = rest.last, last == 0x20 || last == 0x09 { rest = rest.dropLast() }
        return rest
    }

    /// Same but for the case of ASCII letters; `lower` is in lower case.
    private static func matches(_ bytes: some Sequence<UInt8>, _ lower: String) -> Bool {
        bytes.elementsEqual(lower.utf8) { byte, wanted in
            (byte >= 65 && byte <= 90 ? byte | 0x20 : byte) == wanted
        }
    }
}

extension String {
    /// Same but for the case of ASCII letters; `lower` is in lower case.
    fileprivate func isField(_ lower: StaticString) -> Bool {
        guard utf8.count == lower.utf8CodeUnitCount else { return false }
        var text = self
        return text.withUTF8 { bytes in
            for (place, byte) in bytes.enumerated() {
                let small = byte &- 65 < 26 ? byte | 0x20 : byte
                if small != lower.utf8Start[place] { return false }
            }
            return true
        }
    }
}

import MartletModel
import NIOCore
import NIOHTTP1

/// What goes back for one request.
enum HTTPAnswer {
    /// 202; without parts for an event, which may yet become any number of messages, or none.
    case accepted(MessageID, parts: UInt8?)
    /// 202 as it was given before to the same idempotency key, and saying so.
    case repeated(MessageID, parts: UInt8?)
    /// 200 with this JSON.
    case document(ByteBuffer)
    /// 202 with this JSON.
    case taken(ByteBuffer)
    case problem(HTTPProblem)
    /// 100: the caller may send the body it announced. It takes a place in the order of answers but is none.
    case goOn

    /// Its parts, for any wire; nil for `goOn`.
    var content: (status: Int, type: String, fields: [(String, String)], body: ByteBuffer)? {
        switch self {
        case .accepted(let id, let parts):
            return (202, "application/json", [], HTTPStationery.acceptedDocument(id, parts))
        case .repeated(let id, let parts):
            return (202, "application/json", [("Idempotent-Replayed", "true")], HTTPStationery.acceptedDocument(id, parts))
        case .document(let body):
            return (200, "application/json", [("Cache-Control", "no-store")], body)
        case .taken(let body):
            return (202, "application/json", [("Cache-Control", "no-store")], body)
        case .problem(let problem):
            var fields: [(String, String)] = []
            if let allow = problem.allow { fields.append(("Allow", allow)) }
            if let challenge = problem.challenge { fields.append(("WWW-Authenticate", challenge)) }
            if let seconds = problem.retryAfterSeconds { fields.append(("Retry-After", String(seconds))) }
            return (problem.code.status, "application/problem+json", fields, problem.body)
        case .goOn: return nil
        }
    }
}

/// Writes answers as bytes, beneath NIO's encoder: one buffer for all answers of a turn and no header list for each.
/// What every answer shares is kept written, and is renewed when the second changes.
struct HTTPStationery {
    /// `Date: Sun, 22 Nov 2026 18:04:09 GMT` and its line end (RFC 9110, section 5.6.7).
    private(set) var date: [UInt8] = []
    /// `Sun, 22 Nov 2026 18:04:09 GMT`.
    private(set) var dateText = ""
    /// A whole 202 for a message of 1...9 parts, and one for an event, on a connection that is kept; id and parts are to be filled in.
    private var accepted = Ready()
    private var acceptedEvent = Ready()
    private var second = Int64.min

    /// - Parameter wall: microseconds since 1970.
    mutating func renew(wall: Int64) {
        let now = wall / 1_000_000
        guard now != second else { return }
        second = now
        dateText = HTTPStationery.fixdate(now)
        date = Array("Date: \(dateText)\r\n".utf8)
        accepted = Ready(date, parts: 1)
        acceptedEvent = Ready(date, parts: nil)
    }

    /// An answer with a place for the id.
    private struct Ready {
        var bytes: [UInt8] = []
        var idPlace = 0
        /// Of the one digit; it is the last but one.
        var partsPlace: Int { bytes.count - 2 }

        init() {}

        init(_ date: [UInt8], parts: UInt8?) {
            let document = Array(HTTPStationery.acceptedDocument(.none, parts).readableBytesView)
            bytes = Array("HTTP/1.1 202 Accepted\r\n".utf8) + date
            bytes += Array("Content-Type: application/json\r\nContent-Length: \(document.count)\r\n\r\n".utf8)
            idPlace = bytes.count + #"{"id":""#.utf8.count
            bytes += document
        }

        func write(_ id: MessageID, parts: UInt8?, to out: inout ByteBuffer) {
            _ = out.writeWithUnsafeMutableBytes(minimumWritableBytes: bytes.count) { room in
                bytes.withUnsafeBytes { room.copyMemory(from: $0) }
                id.write(hex: UnsafeMutableRawBufferPointer(rebasing: room[idPlace..<idPlace + 32]).assumingMemoryBound(to: UInt8.self))
                if let parts { room[partsPlace] = UInt8(ascii: "0") &+ parts }
                return bytes.count
            }
        }
    }

    /// - Parameters:
    ///   - closes: the connection ends after this answer, which says so.
    ///   - headOnly: the request was HEAD: the length is told, the body is not sent.
    func write(_ answer: HTTPAnswer, to out: inout ByteBuffer, closes: Bool, headOnly: Bool) {
        if case .accepted(let id, let parts) = answer, parts ?? 0 < 10, !closes {
            return (parts == nil ? acceptedEvent : accepted).write(id, parts: parts, to: &out)
        }
        guard let content = answer.content else {
            out.writeStaticString("HTTP/1.1 100 Continue\r\n\r\n")
            return
        }
        write(
            status: content.status, type: content.type, fields: content.fields, body: content.body, to: &out, closes: closes,
            headOnly: headOnly)
    }

    static func acceptedDocument(_ id: MessageID, _ parts: UInt8?) -> ByteBuffer {
        let counted = parts.map { #","parts":\#($0)"# } ?? ""
        return ByteBuffer(string: #"{"id":"\#(id.text)","state":"accepted"\#(counted)}"#)
    }

    /// Head of a batch's answer, whose lines follow in chunks, or until the connection ends.
    func writeBatchHead(to out: inout ByteBuffer, isChunked: Bool, closes: Bool) {
        out.writeStaticString("HTTP/1.1 200 OK\r\n")
        out.writeBytes(date)
        out.writeStaticString("Content-Type: application/x-ndjson\r\nCache-Control: no-store\r\n")
        if isChunked { out.writeStaticString("Transfer-Encoding: chunked\r\n") }
        if closes { out.writeStaticString("Connection: close\r\n") }
        out.writeStaticString("\r\n")
    }

    private static let lineStart = Array(#"{"status":202,"id":""#.utf8)
    private static let partsStart = Array(#","parts":"#.utf8)

    /// One line of a batch's answer.
    static func write(_ answer: HTTPBatch.Answer, to out: inout ByteBuffer) {
        switch answer {
        case .accepted(let id, let parts):
            out.writeBytes(lineStart)
            _ = out.writeWithUnsafeMutableBytes(minimumWritableBytes: 32) { room in
                id.write(hex: UnsafeMutableRawBufferPointer(rebasing: room[..<32]).assumingMemoryBound(to: UInt8.self))
                return 32
            }
            out.writeInteger(UInt8(ascii: "\""))
            write(parts, to: &out)
            out.writeStaticString("}\n")
        case .repeated(let id, let parts):
            out.writeString(#"{"status":202,"id":"\#(id.text)""#)
            write(parts, to: &out)
            out.writeStaticString(#","replayed":true}"#)
            out.writeStaticString("\n")
        case .text(let text):
            out.writeImmutableBuffer(text)
        }
    }

    private static func write(_ parts: UInt8?, to out: inout ByteBuffer) {
        guard let parts else { return }
        out.writeBytes(partsStart)
        if parts >= 100 { out.writeInteger(UInt8(ascii: "0") &+ parts / 100) }
        if parts >= 10 { out.writeInteger(UInt8(ascii: "0") &+ parts / 10 % 10) }
        out.writeInteger(UInt8(ascii: "0") &+ parts % 10)
    }

    /// Names and values are our own, so none can hold a line end.
    func write(
        status: Int, type: String, fields: [(String, String)] = [], body: ByteBuffer, to out: inout ByteBuffer, closes: Bool, headOnly: Bool
    ) {
        out.writeString("HTTP/1.1 \(status) \(HTTPResponseStatus(statusCode: status).reasonPhrase)\r\n")
        out.writeBytes(date)
        out.writeString("Content-Type: \(type)\r\nContent-Length: \(body.readableBytes)\r\n")
        for (name, value) in fields { out.writeString("\(name): \(value)\r\n") }
        if closes { out.writeStaticString("Connection: close\r\n") }
        out.writeStaticString("\r\n")
        if !headOnly { out.writeImmutableBuffer(body) }
    }

    /// - Parameter seconds: since 1970, in UTC.
    static func fixdate(_ seconds: Int64) -> String {
        var days = seconds / 86_400
        var rest = seconds % 86_400
        if rest < 0 {
            rest += 86_400
            days -= 1
        }
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let (year, month, day) = civil(days)
        // 1970-01-01 was a Thursday.
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][Int(((days % 7) + 7) % 7)]
        let name = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][Int(month) - 1]
        return "\(weekday), \(two(day)) \(name) \(year) \(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60)) GMT"
    }
}

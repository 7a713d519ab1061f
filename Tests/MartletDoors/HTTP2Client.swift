import NIOCore
import NIOEmbedded
import NIOHPACK

@testable import MartletDoors

/// The other end of an HTTP/2 connection, frame by frame and by hand (RFC 9113), so that it can also do what no client should.
final class HTTP2Client {
    struct Frame: Equatable {
        var type: UInt8
        var flags: UInt8
        var stream: UInt32
        var payload: [UInt8]
    }

    /// What came back on one stream.
    struct Answer: Equatable {
        var fields: [[String]] = []
        /// Interim answers before it.
        var interim: [String] = []
        var body = ""
        var ended = false
        var reset: UInt32?

        subscript(_ name: String) -> String? { fields.first { $0[0] == name }?[1] }
        var status: Int { self[":status"].flatMap { Int($0) } ?? 0 }
    }

    static let data: UInt8 = 0
    static let headers: UInt8 = 1
    static let reset: UInt8 = 3
    static let settings: UInt8 = 4
    static let ping: UInt8 = 6
    static let goAway: UInt8 = 7
    static let windowUpdate: UInt8 = 8
    static let continuation: UInt8 = 9
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private(set) var answers: [UInt32: Answer] = [:]
    private(set) var settings: [UInt16: UInt32] = [:]
    private(set) var pings = 0
    /// Newest stream that was looked at, and why.
    private(set) var leaving: (newest: UInt32, code: UInt32)?
    private var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
    private var arrived: [UInt8] = []
    private var nextStream: UInt32 = 1

    /// A preface and its settings: identifier and value.
    static func begin(_ settings: [(UInt16, UInt32)] = []) -> [UInt8] {
        let payload = settings.flatMap { word($0.0) + word($0.1) }
        return preface + bytes(Frame(type: Self.settings, flags: 0, stream: 0, payload: payload))
    }

    static func bytes(_ frame: Frame) -> [UInt8] {
        Array(word(UInt32(frame.payload.count)).dropFirst()) + [frame.type, frame.flags] + word(frame.stream) + frame.payload
    }

    static func word<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

    /// A header block of literal fields, nothing indexed (RFC 7541, section 6.2.2).
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        func text(_ text: String) -> [UInt8] {
            var count = text.utf8.count
            if count < 127 { return [UInt8(count)] + Array(text.utf8) }
            var out: [UInt8] = [127]
            count -= 127
            while count >= 128 {
                out.append(UInt8(count & 127 | 128))
                count >>= 7
            }
            return out + [UInt8(count)] + Array(text.utf8)
        }
        return fields.flatMap { [0] + text($0.0) + text($0.1) }
    }

    /// The next stream's number.
    func stream() -> UInt32 {
        defer { nextStream += 2 }
        return nextStream
    }

    static func head(_ stream: UInt32, _ fields: [(String, String)], ends: Bool) -> [UInt8] {
        bytes(Frame(type: headers, flags: ends ? 5 : 4, stream: stream, payload: block(fields)))
    }

    static func body(_ stream: UInt32, _ text: String, ends: Bool = true) -> [UInt8] {
        bytes(Frame(type: data, flags: ends ? 1 : 0, stream: stream, payload: Array(text.utf8)))
    }

    static func fields(
        _ method: String, _ path: String, key: String? = "KEY", type: String? = nil, extra: [(String, String)] = []
    ) -> [(String, String)] {
        var fields = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "h")]
        if let key { fields.append(("authorization", "Bearer \(key)")) }
        if let type { fields.append(("content-type", type)) }
        return fields + extra
    }

    static func post(
        _ stream: UInt32, _ body: String = #"{"to":"+447700900123","text":"hello"}"#, key: String? = "KEY", extra: [(String, String)] = []
    ) -> [UInt8] {
        let length = ("content-length", String(body.utf8.count))
        return head(stream, fields("POST", "/v1/messages", key: key, type: "application/json", extra: [length] + extra), ends: false)
            + Self.body(stream, body)
    }

    static func get(_ stream: UInt32, _ path: String) -> [UInt8] { head(stream, fields("GET", path), ends: true) }

    /// Takes what the server wrote; windows are opened again when `opens`.
    /// - Returns: what there is to send for that.
    @discardableResult func take(_ bytes: [UInt8]) throws -> [UInt8] {
        arrived += bytes
        var reply: [UInt8] = []
        var rest = arrived[...]
        while rest.count >= 9 {
            let head = Array(rest.prefix(9))
            let count = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
            guard rest.count >= 9 + count else { break }
            let stream = head[5..<9].reduce(0) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
            let frame = Frame(type: head[3], flags: head[4], stream: stream, payload: Array(rest.dropFirst(9).prefix(count)))
            rest = rest.dropFirst(9 + count)
            reply += try take(frame)
        }
        arrived = Array(rest)
        return reply
    }

    private func take(_ frame: Frame) throws -> [UInt8] {
        func number(_ range: Range<Int>) -> UInt32 { frame.payload[range].reduce(0) { $0 << 8 | UInt32($1) } }
        switch frame.type {
        case Self.data:
            answers[frame.stream, default: Answer()].body += String(decoding: frame.payload, as: UTF8.self)
            if frame.flags & 1 != 0 { answers[frame.stream, default: Answer()].ended = true }
        case Self.headers:
            var block = ByteBuffer(bytes: frame.payload)
            let fields = try decoder.decodeHeaders(from: &block).map { [$0.name, $0.value] }
            if fields.first?[1].hasPrefix("1") == true {
                answers[frame.stream, default: Answer()].interim.append(fields[0][1])
            } else {
                answers[frame.stream, default: Answer()].fields += fields
            }
            if frame.flags & 1 != 0 { answers[frame.stream, default: Answer()].ended = true }
        case Self.reset: answers[frame.stream, default: Answer()].reset = number(0..<4)
        case Self.settings where frame.flags & 1 == 0:
            for at in stride(from: 0, to: frame.payload.count, by: 6) { settings[UInt16(number(at..<at + 2))] = number(at + 2..<at + 6) }
            return Self.bytes(Frame(type: Self.settings, flags: 1, stream: 0, payload: []))
        case Self.ping: pings += 1
        case Self.goAway: leaving = (number(0..<4), number(4..<8))
        default: break
        }
        return []
    }
}

/// A door and one HTTP/2 connection on an embedded loop.
final class HTTP2Bench {
    let bench: DoorBench
    let client = HTTP2Client()
    private(set) var faults: [String] = []

    init(settings: HTTPSettings = HTTPSettings(), clientSettings: [(UInt16, UInt32)] = []) throws {
        bench = try DoorBench(settings: settings)
        try send(HTTP2Client.begin(clientSettings))
        try read()
    }

    var intake: FakeIntake { bench.intake }
    var isOpen: Bool { bench.isOpen }

    /// In one read of the socket.
    func send(_ bytes: [UInt8]) throws {
        do {
            try bench.send(ByteBuffer(bytes: bytes))
        } catch {
            // The embedded channel hands on what the pipeline reported; the frames say what came of it.
            faults.append("\(error)")
        }
    }

    /// Takes everything written and answers it as a client does.
    func read() throws {
        while let bytes = try bench.channel.readOutbound(as: IOData.self) {
            guard case .byteBuffer(let buffer) = bytes else { throw DoorBenchFault(text: "no bytes") }
            let reply = try client.take(Array(buffer.readableBytesView))
            if !reply.isEmpty, isOpen { try send(reply) }
        }
    }

    /// What came back on this stream so far.
    func answer(_ stream: UInt32) throws -> HTTP2Client.Answer? {
        try read()
        return client.answers[stream]
    }

    func end() throws { _ = try? bench.channel.finish(acceptAlreadyClosed: true) }
}

import NIOCore
import NIOPosix
import SMPP

@testable import MartletSimulators

/// A PDU as it came off the wire.
struct Seen: Sendable, Equatable {
    var command: UInt32
    var status: UInt32
    var sequence: UInt32
    var body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
    /// A body that is one C-octet string.
    var word: String { String(decoding: body.prefix { $0 != 0 }, as: UTF8.self) }
}

/// A small ESME that writes what a test tells it to and hands out what comes, in order.
actor Client {
    private let channel: any Channel
    private var stream: AsyncStream<Seen>.AsyncIterator
    private var sequence: UInt32 = 0
    private var set: [Seen] = []

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private var reader = FrameReader()
        private let continuation: AsyncStream<Seen>.Continuation
        init(_ continuation: AsyncStream<Seen>.Continuation) { self.continuation = continuation }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var buffer = unwrapInboundIn(data)
            do {
                try reader.read(&buffer) { frame in
                    let header = frame.header
                    continuation.yield(
                        Seen(
                            command: header.command.rawValue, status: header.status.rawValue, sequence: header.sequence,
                            body: Array(frame.bytes.dropFirst(16))))
                }
            } catch {
                context.close(promise: nil)
            }
        }

        func channelInactive(context: ChannelHandlerContext) { continuation.finish() }
    }

    init(port: Int) async throws {
        let (stream, continuation) = AsyncStream.makeStream(of: Seen.self)
        channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Collector(continuation)) }
            }
            .connect(host: "127.0.0.1", port: port).get()
        self.stream = stream.makeAsyncIterator()
    }

    func write(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
    }

    @discardableResult
    func send(_ command: UInt32, _ body: [UInt8] = [], status: UInt32 = 0, sequence given: UInt32? = nil) async throws -> UInt32 {
        let number: UInt32
        if let given {
            number = given
        } else {
            sequence += 1
            number = sequence
        }
        try await write(pdu(command, body, status: status, sequence: number))
        return number
    }

    /// The next PDU; nil when the connection is closed.
    func next() async -> Seen? {
        if !set.isEmpty { return set.removeFirst() }
        return await pull()
    }

    private func pull() async -> Seen? {
        var iterator = stream
        let seen = await iterator.next(isolation: self)
        stream = iterator
        return seen
    }

    /// The next PDU of this command; those before it stay for later.
    func next(_ command: UInt32) async -> Seen? {
        if let index = set.firstIndex(where: { $0.command == command }) { return set.remove(at: index) }
        while let seen = await pull() {
            if seen.command == command { return seen }
            set.append(seen)
        }
        return nil
    }

    func close() async throws {
        try await channel.close().get()
    }

    /// Binds and says the status.
    func bind(_ command: UInt32 = 0x09, systemId: String = "martlet", password: String = "") async throws -> UInt32? {
        try await send(command, z(systemId) + z(password) + z("") + [0x34, 0, 0] + z(""))
        return await next(command | 0x8000_0000)?.status
    }

    /// Binds in the given way to `smsc`.
    static func bound(to smsc: SMSC, as command: UInt32 = 0x09) async throws -> Client {
        let client = try await Client(port: smsc.port)
        _ = try await client.bind(command)
        return client
    }

    func submit(_ submit: Submit = Submit()) async throws -> UInt32 {
        try await send(0x04, submit.body)
    }
}

func z(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }

func pdu(_ command: UInt32, _ body: [UInt8], status: UInt32 = 0, sequence: UInt32) -> [UInt8] {
    [UInt32(16 + body.count), command, status, sequence].flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) }
    } + body
}

/// The fields of a submit_sm that the tests vary.
struct Submit {
    var source = "HARBOUR"
    var destination = "447700900123"
    var esmClass: UInt8 = 0
    var registered: UInt8 = 1
    var dataCoding: UInt8 = 0
    var text: [UInt8] = Array("hello".utf8)
    var parameters: [UInt8] = []

    var body: [UInt8] {
        [0, 5, 0] + z(source) + [1, 1] + z(destination) + [esmClass, 0, 0, 0, 0, registered, 0, dataCoding, 0, UInt8(text.count)]
            + text + parameters
    }
}

/// Runs an operator and its admin API on free ports around `body`.
func world(
    _ settings: [SMSCSettings] = [SMSCSettings(name: "north", port: 0, keep: 1000)],
    _ body: (Simulators, SMSC) async throws -> Void
) async throws {
    let world = try await Simulators.start(SimulatorSettings(adminPort: 0, smscs: settings), nowMicros: 1_795_370_941_000_000)
    do {
        try await body(world, world.smscs[0])
    } catch {
        try await world.stop()
        throw error
    }
    try await world.stop()
}

/// One operator with this behaviour.
func smsc(_ change: (inout SMSCSettings) -> Void) -> [SMSCSettings] {
    var settings = SMSCSettings(name: "north", port: 0, keep: 1000)
    change(&settings)
    return [settings]
}

/// What an HTTP server said.
struct Answer: Sendable {
    var status: Int
    var head: String
    var body: String
    var json: Loose {
        get throws { try Loose.json(Array(body.utf8)) }
    }
}

extension Loose {
    subscript(_ key: String) -> Loose? {
        guard case .map(let entries) = kind else { return nil }
        return entries.first { $0.key == key }?.value
    }

    subscript(_ index: Int) -> Loose? {
        guard case .list(let items) = kind, items.indices.contains(index) else { return nil }
        return items[index]
    }

    var items: Int {
        if case .list(let items) = kind { items.count } else { -1 }
    }

    var integer: Int? {
        if case .integer(let number) = kind { number } else { nil }
    }

    var text: String? {
        if case .text(let text) = kind { text } else { nil }
    }
}

/// One request on a connection of its own, written as it stands; reads until the server closes, or until `until` was seen.
func http(
    _ world: Simulators, _ method: String, _ path: String, _ body: String = "", host: String? = nil, origin: String? = nil,
    until: String? = nil
) async throws -> Answer {
    let port = Int(world.adminEndpoint.split(separator: ":").last ?? "") ?? 0
    let (stream, continuation) = AsyncStream.makeStream(of: [UInt8].self)
    let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Bytes(continuation)) }
        }
        .connect(host: "127.0.0.1", port: port).get()
    var request = "\(method) \(path) HTTP/1.1\r\nHost: \(host ?? world.adminEndpoint)\r\nConnection: close\r\n"
    if let origin { request += "Origin: \(origin)\r\n" }
    request += "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    // A server that refuses may close before it has read everything.
    try? await channel.writeAndFlush(ByteBuffer(string: request)).get()
    var all: [UInt8] = []
    for await chunk in stream {
        all += chunk
        if let until, String(decoding: all, as: UTF8.self).contains(until) { break }
    }
    try? await channel.close().get()
    let text = String(decoding: all, as: UTF8.self)
    let split = text.firstRange(ofText: "\r\n\r\n")
    let head = split.map { String(text[..<$0.lowerBound]) } ?? text
    var rest = split.map { String(text[$0.upperBound...]) } ?? ""
    if head.lowercased().contains("transfer-encoding: chunked"), until == nil { rest = unchunked(rest) }
    let status = head.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    return Answer(status: status, head: head, body: rest)
}

private final class Bytes: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let continuation: AsyncStream<[UInt8]>.Continuation
    init(_ continuation: AsyncStream<[UInt8]>.Continuation) { self.continuation = continuation }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        continuation.yield(Array(unwrapInboundIn(data).readableBytesView))
    }
    func channelInactive(context: ChannelHandlerContext) { continuation.finish() }
}

private func unchunked(_ text: String) -> String {
    var rest = Array(text.utf8)[...]
    var result: [UInt8] = []
    while let end = rest.firstIndex(of: 0x0D) {
        guard let count = Int(String(decoding: rest[rest.startIndex..<end], as: UTF8.self), radix: 16), count > 0 else { break }
        let start = end + 2
        guard start + count + 2 <= rest.endIndex else { break }
        result += rest[start..<start + count]
        rest = rest[(start + count + 2)...]
    }
    return String(decoding: result, as: UTF8.self)
}

extension String {
    fileprivate func firstRange(ofText text: String) -> Range<String.Index>? {
        var index = startIndex
        while index < endIndex {
            if self[index...].hasPrefix(text) { return index..<self.index(index, offsetBy: text.count) }
            index = self.index(after: index)
        }
        return nil
    }
}

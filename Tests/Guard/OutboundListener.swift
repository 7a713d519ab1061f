import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// A server on loopback that counts what connects to it and answers by path.
final class OutboundListener: Sendable {
    struct Seen: Sendable {
        var method: String
        var uri: String
        var headers: [(String, String)]
        var body: [UInt8]
    }

    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let port: Int
    private let counters = Counters()
    private let channel: any Channel

    /// - Parameter redirect: where `/redirect` sends whoever asks.
    init(_ address: String = "127.0.0.1", port wanted: Int = 0, redirect: String = "", tls: NIOSSLContext? = nil) throws {
        let counters = self.counters
        let server = ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                counters.connected.withLock { $0 += 1 }
                return channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Answering(counters, redirect))
                }
            }
        channel = try server.bind(host: address, port: wanted).wait()
        port = channel.localAddress?.port ?? 0
    }

    var connections: Int { counters.connected.withLock { $0 } }
    var seen: [Seen] { counters.requests.withLock { $0 } }

    func stop() async throws {
        try await channel.close()
        try await group.shutdownGracefully()
    }

    final class Counters: Sendable {
        let connected = Mutex(0)
        let requests = Mutex<[Seen]>([])
    }

    private final class Answering: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private let counters: Counters
        private let redirect: String
        private var head: HTTPRequestHead?
        private var body: [UInt8] = []

        init(_ counters: Counters, _ redirect: String) {
            self.counters = counters
            self.redirect = redirect
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                body = []
            case .body(let bytes): body += Array(bytes.readableBytesView)
            case .end:
                guard let head else { return }
                counters.requests.withLock {
                    $0.append(
                        Seen(
                            method: head.method.rawValue, uri: head.uri, headers: head.headers.map { ($0.name.lowercased(), $0.value) },
                            body: body))
                }
                answer(head.uri, context)
            }
        }

        private func answer(_ uri: String, _ context: ChannelHandlerContext) {
            switch uri {
            case "/silent": break
            case "/close": context.close(promise: nil)
            case "/redirect": respond(.found, [("location", redirect)], "", context)
            case "/big": respond(.ok, [], String(repeating: "x", count: 100_000), context)
            case "/drip":
                write(.head(HTTPResponseHead(version: .http1_1, status: .ok, headers: ["transfer-encoding": "chunked"])), context)
                drip(context.channel, context.loopBound)
            default: respond(.ok, [], "heard", context)
            }
        }

        /// A byte at a time, for ever.
        private func drip(_ channel: any Channel, _ context: NIOLoopBound<ChannelHandlerContext>) {
            guard channel.isActive else { return }
            write(.body(.byteBuffer(ByteBuffer(string: "."))), context.value)
            let bound = NIOLoopBound(self, eventLoop: channel.eventLoop)
            channel.eventLoop.scheduleTask(in: .milliseconds(20)) { bound.value.drip(channel, context) }
        }

        private func respond(_ status: HTTPResponseStatus, _ fields: [(String, String)], _ text: String, _ context: ChannelHandlerContext) {
            var headers = HTTPHeaders(fields)
            headers.add(name: "content-length", value: String(text.utf8.count))
            write(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers)), context)
            write(.body(.byteBuffer(ByteBuffer(string: text))), context)
            write(.end(nil), context)
        }

        private func write(_ part: HTTPServerResponsePart, _ context: ChannelHandlerContext) {
            context.writeAndFlush(wrapOutboundOut(part), promise: nil)
        }
    }
}

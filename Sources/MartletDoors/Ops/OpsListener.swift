public import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Whether a node can take messages now, and if not, why, in words without customer data.
public struct ReadyState: Sendable, Equatable {
    public var reasons: [String]
    public var isReady: Bool { reasons.isEmpty }

    /// - Parameter reasons: empty when it is ready.
    public init(reasons: [String] = []) { self.reasons = reasons }
}

/// Serves what operations look at: `/metrics` (Prometheus text format 0.0.4), `/healthz` (the process answers) and `/readyz`
/// (it takes messages). It lives on a loop of its own, so that a scrape never delays a message, and needs no key: bind it to
/// loopback or to a network of operations only.
public final class OpsListener: Sendable {
    private let group: any EventLoopGroup
    private let host: String
    private let port: Int
    private let pages: OpsPages

    /// - Parameters:
    ///   - group: its control loop, not the hot one.
    ///   - port: 0 takes a free one.
    ///   - metrics: the whole text of `/metrics`; called once for each request.
    public init(
        group: any EventLoopGroup, host: String, port: Int, metrics: @escaping @Sendable () async -> [UInt8],
        ready: @escaping @Sendable () -> ReadyState
    ) {
        self.group = group
        self.host = host
        self.port = port
        pages = OpsPages(metrics: metrics, ready: ready)
    }

    /// - Returns: the listening channel; closing it stops the listener, and its connections end when their peers leave or fall silent.
    /// - Throws: what the system says when it cannot listen there.
    public func start() async throws -> any Channel {
        let pages = pages
        let open = OpsConnections()
        return try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 4)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard open.enter(channel) else { return }
                    try OpsListener.attach(to: channel, pages: pages)
                }
            }
            .bind(host: host, port: port)
            .get()
    }

    static func attach(to channel: any Channel, pages: OpsPages) throws {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 8 * 1024
        limits.maxHeaderListSize = 16 * 1024
        limits.maxHeaderFieldCount = 64
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(IdleStateHandler(readTimeout: .seconds(90)))
        try pipeline.configureHTTPServerPipeline(withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
        try pipeline.addHandler(OpsHandler(pages: pages))
    }
}

/// At most 64 connections at once; further ones are closed.
private final class OpsConnections: Sendable {
    private let count = Atomic(0)

    func enter(_ channel: any Channel) -> Bool {
        let isIn = count.add(1, ordering: .relaxed).newValue <= 64
        channel.closeFuture.whenComplete { _ in self.count.subtract(1, ordering: .relaxed) }
        if !isIn { channel.close(promise: nil) }
        return isIn
    }
}

struct OpsPages: Sendable {
    var metrics: @Sendable () async -> [UInt8]
    var ready: @Sendable () -> ReadyState
}

/// One connection: one request at a time, as NIO's pipelining handler hands them.
final class OpsHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart
    private let pages: OpsPages
    private var head: HTTPRequestHead?

    init(pages: OpsPages) { self.pages = pages }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end:
            guard let head else { return }
            self.head = nil
            respond(to: head, context)
        }
    }

    private func respond(to head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let path = head.uri.prefix { $0 != "?" }
        let known = ["/metrics", "/healthz", "/readyz"].contains(path)
        guard known else { return answer(head, .notFound, "text/plain; charset=utf-8", Array("not found\n".utf8), context) }
        guard head.method == .GET || head.method == .HEAD else {
            return answer(head, .methodNotAllowed, "text/plain; charset=utf-8", Array("use GET\n".utf8), context)
        }
        switch path {
        case "/healthz":
            answer(head, .ok, "text/plain; charset=utf-8", Array("ok\n".utf8), context)
        case "/readyz":
            let state = pages.ready()
            answer(head, state.isReady ? .ok : .serviceUnavailable, "application/json", state.document, context)
        default:
            let handler = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            let loop = context.eventLoop
            let metrics = pages.metrics
            Task {
                let text = await metrics()
                loop.execute {
                    let (handler, context) = handler.value
                    handler.answer(head, .ok, "text/plain; version=0.0.4; charset=utf-8", text, context)
                }
            }
        }
    }

    private func answer(
        _ request: HTTPRequestHead, _ status: HTTPResponseStatus, _ type: String, _ body: [UInt8], _ context: ChannelHandlerContext
    ) {
        guard context.channel.isActive else { return }
        var headers = HTTPHeaders([
            ("Content-Type", type), ("Content-Length", String(body.count)), ("Cache-Control", "no-store"),
        ])
        if status == .methodNotAllowed { headers.add(name: "Allow", value: "GET, HEAD") }
        let keeps = request.isKeepAlive && request.version != .http1_0
        if !keeps { headers.add(name: "Connection", value: "close") }
        context.write(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))), promise: nil)
        if request.method != .HEAD {
            context.write(wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(bytes: body)))), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        if !keeps { context.close(promise: nil) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) } else { context.fireUserInboundEventTriggered(event) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

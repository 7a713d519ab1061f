import NIOCore
import NIOHTTP1

/// Writes the chunks of one response; each call returns once the chunk is written, so that a slow reader slows the maker.
struct ResponseStream: Sendable {
    let channel: any Channel

    func write(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: bytes)))).get()
    }
}

/// One connection to the admin API: collects a request, has it answered, writes the response.
final class AdminHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let router: AdminRouter
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    private var isTooLarge = false

    static let bodyMaximum = 65_536

    init(_ router: AdminRouter) {
        self.router = router
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
            isTooLarge = false
        case .body(let buffer):
            if body.count + buffer.readableBytes > Self.bodyMaximum { isTooLarge = true } else { body += buffer.readableBytesView }
        case .end:
            guard let head else { return }
            self.head = nil
            let request: Request?
            let refusal: Response
            if isTooLarge {
                request = nil
                refusal = .problem(.payloadTooLarge, "at most \(Self.bodyMaximum) octets")
            } else {
                request = Request(head, body: body)
                refusal = .problem(.badRequest, "the target is malformed")
            }
            body = []
            Self.answer(request, else: refusal, head, on: context.channel, router)
        }
    }

    /// Answering waits for operators, so it leaves the loop; the pipeline hands in one request of a connection at a time.
    private static func answer(
        _ request: Request?, else refusal: Response, _ head: HTTPRequestHead, on channel: any Channel, _ router: AdminRouter
    ) {
        Task {
            var response = refusal
            if let request { response = await router.answer(request) }
            await write(response, head, to: channel, router)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A request that is no HTTP, or a peer that went: nothing can be said to it.
        context.close(promise: nil)
    }

    private static func write(_ response: Response, _ head: HTTPRequestHead, to channel: any Channel, _ router: AdminRouter) async {
        var headers = HTTPHeaders([
            ("Content-Type", response.type), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"), ("Content-Security-Policy", AdminRouter.contentSecurityPolicy),
        ])
        headers.add(contentsOf: response.headers)
        if case .bytes(let bytes) = response.content { headers.add(name: "Content-Length", value: String(bytes.count)) }
        if !head.isKeepAlive { headers.add(name: "Connection", value: "close") }
        do {
            let start = HTTPResponseHead(version: head.version, status: response.status, headers: headers)
            channel.write(HTTPServerResponsePart.head(start), promise: nil)
            switch response.content {
            case .bytes(let bytes):
                channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: bytes))), promise: nil)
            case .stream(let make):
                try await make(ResponseStream(channel: channel))
            case .events:
                return await router.events(to: channel)
            }
            try await channel.writeAndFlush(HTTPServerResponsePart.end(nil)).get()
            if !head.isKeepAlive { try await channel.close() }
        } catch {
            // The peer went while it was being answered.
            channel.close(promise: nil)
        }
    }
}

extension HTTPHeaders {
    fileprivate mutating func add(contentsOf pairs: [(String, String)]) {
        for (name, value) in pairs { replaceOrAdd(name: name, value: value) }
    }
}

import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOPosix
import Testing

@testable import MartletDoors

/// What operations read, over real sockets where the answer is asynchronous.
@Suite struct OpsListenerTests {
    static func exchange(_ request: String, ready: ReadyState = ReadyState()) async throws -> [Answer] {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let listener = OpsListener(
            group: group, host: "127.0.0.1", port: 0, metrics: { Array("martlet_up 1\n".utf8) }, ready: { ready })
        let server = try await listener.start()
        let address = try #require(server.localAddress)
        let ended = group.next().makePromise(of: String.self)
        let channel = try await ClientBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Collector(ended: ended)) }
            }
            .connect(to: address).get()
        let timeout = group.next().scheduleTask(in: .seconds(60)) { channel.close(promise: nil) }
        channel.writeAndFlush(ByteBuffer(string: request), promise: nil)
        let text = try await ended.futureResult.get()
        timeout.cancel()
        try await server.close()
        try await group.shutdownGracefully()
        return Answer.all(in: text, headOnly: request.hasPrefix("HEAD"))
    }

    static func get(_ path: String, _ method: String = "GET", version: String = "HTTP/1.1", last: Bool = true) -> String {
        "\(method) \(path) \(version)\r\nHost: h\r\n\(last ? "Connection: close\r\n" : "")\r\n"
    }

    @Test("Metrics come in the text format that Prometheus reads")
    func metrics() async throws {
        let answers = try await OpsListenerTests.exchange(
            OpsListenerTests.get("/metrics", last: false) + OpsListenerTests.get("/metrics?x=1"))
        #expect(answers.map(\.status) == [200, 200])
        #expect(answers.first?["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8")
        #expect(answers.first?.body == "martlet_up 1\n")
    }

    @Test("A living process says ok, to HEAD without a body")
    func health() async throws {
        #expect(try await OpsListenerTests.exchange(OpsListenerTests.get("/healthz")).first?.body == "ok\n")
        #expect(try await OpsListenerTests.exchange(OpsListenerTests.get("/healthz", "HEAD")).first?.status == 200)
        #expect(try await OpsListenerTests.exchange(OpsListenerTests.get("/healthz", version: "HTTP/1.0")).first?.closes == true)
    }

    @Test("A node that is ready says 200, one that is not says 503 and every reason")
    func readiness() async throws {
        let ready = try await OpsListenerTests.exchange(OpsListenerTests.get("/readyz"))
        #expect(ready.first?.status == 200)
        #expect(ready.first?.body == #"{"ready":true,"reasons":[]}"#)
        let not = try await OpsListenerTests.exchange(
            OpsListenerTests.get("/readyz"), ready: ReadyState(reasons: ["no connection is bound", "the \"journal\" refuses"]))
        #expect(not.first?.status == 503)
        #expect(not.first?.body == #"{"ready":false,"reasons":["no connection is bound","the \"journal\" refuses"]}"#)
    }

    @Test("Any other path is 404, any other method 405")
    func others() async throws {
        #expect(try await OpsListenerTests.exchange(OpsListenerTests.get("/")).first?.status == 404)
        let posted = try await OpsListenerTests.exchange(OpsListenerTests.get("/metrics", "DELETE"))
        #expect(posted.first?.status == 405)
        #expect(posted.first?["Allow"] == "GET, HEAD")
        #expect(try await OpsListenerTests.exchange("nonsense\r\n\r\n").first?.status == 400)
    }

    @Test("A silent connection is closed")
    func silent() throws {
        let channel = EmbeddedChannel()
        try OpsListener.attach(to: channel, pages: OpsPages(metrics: { [] }, ready: { ReadyState() }))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        channel.pipeline.fireUserInboundEventTriggered("another event")
        #expect(channel.isActive)
        channel.pipeline.fireUserInboundEventTriggered(IdleStateHandler.IdleStateEvent.read)
        #expect(!channel.isActive)
    }

    @Test("Beyond 64 connections a scrape is closed, and one that ends makes room")
    func limit() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let listener = OpsListener(group: group, host: "127.0.0.1", port: 0, metrics: { [] }, ready: { ReadyState() })
        let server = try await listener.start()
        let address = try #require(server.localAddress)
        var open: [any Channel] = []
        for _ in 0..<65 { open.append(try await ClientBootstrap(group: group).connect(to: address).get()) }
        try await open[64].closeFuture.get()
        #expect(open[0].isActive)
        for one in open where one.isActive { try await one.close() }
        try await server.close()
        try await group.shutdownGracefully()
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private var text = ""
        private let ended: EventLoopPromise<String>
        init(ended: EventLoopPromise<String>) { self.ended = ended }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) { text += String(buffer: unwrapInboundIn(data)) }
        func channelInactive(context: ChannelHandlerContext) { ended.succeed(text) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

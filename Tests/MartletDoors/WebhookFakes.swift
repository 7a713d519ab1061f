import Foundation
import Guard
import MartletModel
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

@testable import MartletDoors

/// The node's side as far as webhooks see it: ends wait in order, go to a teller with room, and what it says of them is remembered.
final class WebhookNode: TellerOwner {
    var waiting: [SourceNumber: [Notice]] = [:]
    private(set) var tellers: [SourceNumber: any Teller] = [:]
    private var given: [SlotReference: Notice] = [:]
    private(set) var outcomes: [(number: UInt32, outcome: NoticeOutcome)] = []

    func add(_ teller: any Teller) {
        tellers[teller.source] = teller
        pump(teller.source)
    }

    func remove(_ teller: any Teller) { if tellers[teller.source] === teller { tellers[teller.source] = nil } }
    func roomChanged(_ teller: any Teller) { pump(teller.source) }

    func told(_ batch: [(slot: SlotReference, outcome: NoticeOutcome)], by teller: any Teller) {
        for (slot, outcome) in batch {
            outcomes.append((slot.index, outcome))
            guard let notice = given.removeValue(forKey: slot) else { continue }
            if outcome == .notHeard { waiting[teller.source, default: []].insert(notice, at: 0) }
        }
        pump(teller.source)
    }

    func pump(_ source: SourceNumber) {
        guard let teller = tellers[source], let list = waiting[source] else { return }
        let batch = Array(list.prefix(teller.room))
        guard !batch.isEmpty else { return }
        waiting[source]?.removeFirst(batch.count)
        for notice in batch { given[notice.slot] = notice }
        teller.tell(batch)
    }

    func heard(_ source: ClosedRange<UInt32>) -> Int { outcomes.count { source.contains($0.number) && $0.outcome == .heard } }
}

/// Webhooks on a loop of their own.
final class WebhookBench: Sendable {
    let group: any EventLoopGroup
    let node: NIOLoopBound<WebhookNode>
    let webhooks: NIOLoopBound<Webhooks>
    let sources: NIOLoopBound<FakeSources>
    let reports = Reports()
    var loop: any EventLoop { node.eventLoop }

    final class Reports: Sendable { let list = Mutex<[WebhookReport]>([]) }

    /// - Parameter group: whose loop it is; a loop whose clock stands still unless the test moves it will do.
    init(
        on group: any EventLoopGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1), _ post: @escaping Webhooks.Post
    ) async throws {
        self.group = group
        let loop = group.next()
        let reports = self.reports
        (node, webhooks, sources) = try await loop.submit {
            let node = WebhookNode()
            let sources = FakeSources()
            for number in 1...4 {
                sources.keys["K\(number)"] = Source(number: SourceNumber(number), name: "s\(number)", scopes: [.send])
            }
            let webhooks = Webhooks(
                owner: node, eventLoop: loop, post: post, now: { Instant(wall: 1_795_370_710_000_000, steady: 0) }, random: { 0 },
                report: { one in reports.list.withLock { $0.append(one) } })
            return (NIOLoopBound(node, eventLoop: loop), NIOLoopBound(webhooks, eventLoop: loop), NIOLoopBound(sources, eventLoop: loop))
        }.get()
    }

    @discardableResult
    func run<Result: Sendable>(_ body: @escaping @Sendable (WebhookNode, Webhooks) throws -> Result) async throws -> Result {
        let (node, webhooks) = (node, webhooks)
        return try await loop.submit { try body(node.value, webhooks.value) }.get()
    }

    func replace(_ list: [Webhook]) async throws {
        let (webhooks, sources) = (webhooks, sources)
        try await loop.submit { webhooks.value.replace(list, sources: sources.value) }.get()
    }

    /// Asks on the loop until it is so; false after a minute. Never blocks a thread: posts are tasks, and on two cores two
    /// blocked threads are all there are.
    func wait(_ condition: @escaping @Sendable (WebhookNode, Webhooks) -> Bool) async throws -> Bool {
        for _ in 0..<6000 {
            if try await run(condition) { return true }
            try await Task.sleep(for: .milliseconds(10))
        }
        return false
    }

    /// Ends of a source, numbered.
    func end(_ source: SourceNumber, _ numbers: ClosedRange<Int>, tries: UInt8 = 0) async throws {
        try await run { node, _ in
            for number in numbers {
                var notice = SMPPBench.notice(number)
                notice.tries = tries
                node.waiting[source, default: []].append(notice)
            }
            node.pump(source)
        }
    }

    func outcomes() async throws -> [String] { try await run { node, _ in node.outcomes.map { "\($0.number) \($0.outcome)" } } }

    func stop() async throws {
        let webhooks = webhooks
        let promise = loop.makePromise(of: Void.self)
        loop.execute { webhooks.value.stop(within: .seconds(2)) { promise.succeed() } }
        try await promise.futureResult.get()
        try await group.shutdownGracefully()
    }
}

/// An endpoint on loopback that answers with a status, or not at all.
final class WebhookReceiver: Sendable {
    struct Post: Sendable {
        var headers: [String: String]
        var body: [UInt8]
    }

    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let seen = Seen()
    private let channel: any Channel
    let port: Int

    final class Seen: Sendable {
        let posts = Mutex<[Post]>([])
        let status = Mutex<Int?>(200)
    }

    /// - Parameter status: nil: takes the post and says nothing.
    init(status: Int?) throws {
        let seen = self.seen
        seen.status.withLock { $0 = status }
        channel = try ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Answering(seen))
                }
            }
            .bind(host: "127.0.0.1", port: 0).wait()
        port = channel.localAddress?.port ?? 0
    }

    var posts: [Post] { seen.posts.withLock { $0 } }
    func answer(_ status: Int?) { seen.status.withLock { $0 = status } }

    func stop() async throws {
        try await channel.close()
        try await group.shutdownGracefully()
    }

    private final class Answering: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private let seen: Seen
        private var post = Post(headers: [:], body: [])

        init(_ seen: Seen) { self.seen = seen }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                post = Post(headers: Dictionary(head.headers.map { ($0.name.lowercased(), $0.value) }) { a, _ in a }, body: [])
            case .body(let bytes): post.body += Array(bytes.readableBytesView)
            case .end:
                seen.posts.withLock { $0.append(post) }
                guard let status = seen.status.withLock({ $0 }) else { return }
                let head = HTTPResponseHead(
                    version: .http1_1, status: HTTPResponseStatus(statusCode: status), headers: ["content-length": "0"])
                context.write(wrapOutboundOut(.head(head)), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }
}

extension Webhook {
    static let secret = WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")!

    static func to(
        _ number: Int, _ address: String = "127.0.0.1", port: Int = 9, inFlight: Int = 4, timeout: Int64 = 300_000
    ) throws -> Webhook {
        Webhook(
            source: "s\(number)", url: try OutboundURL("http://\(address):\(port)/hook"), secrets: [secret], timeout: timeout,
            inFlight: inFlight)
    }
}

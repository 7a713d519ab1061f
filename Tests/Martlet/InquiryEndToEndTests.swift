import Dispatch
import Foundation
import Guard
import Journal
import Logging
import MartletChannels
import MartletEngine
import MartletModel
import MartletSimulators
import NIOCore
import NIOPosix
import Testing

@testable import MartletNode

/// A node, a connection of ours and a simulated operator over a real socket; the operator's receipts never come.
private final class Place: Sendable {
    let directory: String
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let node: NIOLoopBound<Node>
    let simulators: Simulators
    let connection: NIOLoopBound<SMPPConnection>
    var loop: any EventLoop { group.next() }
    var smsc: SMSC { simulators.smscs[0] }

    init(_ behaviour: Behaviour) async throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "martlet-ask-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: "\(directory)/data", withIntermediateDirectories: true)
        let master = try MasterKey.create(at: "\(directory)/master.key")
        var options = NodeOptions(dataDirectory: "\(directory)/data")
        options.journal.segmentSize = 512 << 10
        options.journal.batchSize = 64 << 10
        options.journal.recordSize = 32 << 10
        options.journal.spares = 1
        options.engine.routes = Routes([.init(prefix: "", group: 1)])
        options.engine.inquiries = [1: .all]
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let loop = group.next()
        let settings = options
        node = try await Task.detached {
            try Node.open(
                settings, master: master, loop: loop, logger: logger, background: DispatchQueue(label: "test"), storageFailed: { _ in }
            ).0
        }.value
        simulators = try await Simulators.start(
            SimulatorSettings(adminPort: 0, smscs: [SMSCSettings(name: "north", port: 0, behaviour: behaviour)]),
            nowMicros: 1_795_370_941_000_000)
        let (bound, port) = (node, simulators.smscs[0].port)
        connection = try await loop.submit {
            let node = bound.value
            node.groupNames = [1: "north"]
            let settings = SMPPConnectionSettings(name: "north", host: "127.0.0.1", port: port, systemID: "martlet", password: "")
            let made = try SMPPConnections.make(settings, firstNumber: 1, group: 1, on: loop, owner: node) { 0 }
            node.start()
            node.add(made[0])
            try made[0].start()
            return NIOLoopBound(made[0], eventLoop: loop)
        }.get()
    }

    func run<Result: Sendable>(_ body: @escaping @Sendable (Node) -> Result) async throws -> Result {
        let node = node
        return try await loop.submit { body(node.value) }.get()
    }

    /// Asks on the loop until it holds; false after ten seconds.
    func wait(_ condition: @escaping @Sendable (Node) -> Bool) async throws -> Bool {
        for _ in 0..<1000 {
            if try await run(condition) { return true }
            try await Task.sleep(for: .milliseconds(10))
        }
        return false
    }

    /// A message that the operator has taken.
    func sent(_ messageClass: MessageClass) async throws -> MessageID {
        let promise = loop.makePromise(of: MessageID?.self)
        let node = node
        loop.execute {
            let submission = Submission(
                source: 7, messageClass: messageClass, to: PhoneNumber(digits: 447_700_900_123), from: "HARBOUR", text: "Hello",
                reference: "", validity: nil, receivedAt: node.value.now())
            node.value.submit(submission) { acceptance in
                if case .accepted(let id, _) = acceptance { promise.succeed(id) } else { promise.succeed(nil) }
            }
        }
        let id = try #require(try await promise.futureResult.get())
        for _ in 0..<1000 {
            if try await story(id)?.state == .sent { return id }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("the operator did not take the message")
        return id
    }

    func story(_ id: MessageID) async throws -> Story? {
        let promise = loop.makePromise(of: Story?.self)
        let node = node
        loop.execute { node.value.story(of: id) { promise.completeWith($0.mapError { $0 as any Error }) } }
        return try await promise.futureResult.get()
    }

    /// The engine sees the clock so much later, and what is due then is done.
    func pass(seconds: Int64) async throws {
        try await run { node in
            let now = node.now()
            node.turn.begin(now.advanced(microseconds: seconds * 1_000_000))
            node.engine.tick(&node.turn)
            _ = node.append()
            node.kickSoon()
            node.askAll()
        }
    }

    func stop() async throws {
        let promise = loop.makePromise(of: Void.self)
        let node = node
        loop.execute { node.value.drain { promise.succeed() } }
        try await promise.futureResult.get()
        let journal = try await run { $0.takeJournal() }
        await Task.detached { journal.close() }.value
        try await simulators.stop()
        try await group.shutdownGracefully()
        try FileManager.default.removeItem(atPath: directory)
    }
}

@Suite("Asking an operator, end to end", .serialized, .timeLimit(.minutes(2)))
struct InquiryEndToEndTests {
    @Test("Where receipts are dropped, a code's delivery is learnt by query_sm, and its story says so")
    func query() async throws {
        var behaviour = Behaviour()
        behaviour.receipts = false
        let place = try await Place(behaviour)
        let id = try await place.sent(.otp)
        try await place.pass(seconds: 25)
        #expect(try await place.wait { $0.openMessages == 0 })
        let story = try #require(try await place.story(id))
        #expect(story.state == .delivered && story.attempts[0].receipts.map(\.state) == [.delivered])
        #expect(story.hops.last?.what == "asked, the provider says DELIVRD" && story.hops.last?.hop == "ask")
        let stats = try #require(await place.smsc.stats())
        #expect(stats.queries == 1 && stats.cancels == 0 && stats.receiptsSent == 0)
        let metrics = try await place.run { $0.metricsText() }
        #expect(metrics.contains("martlet_settled_by_query_total 1"))
        #expect(metrics.contains(#"martlet_inquiries_total{what="query",result="state"} 1"#))
        try await place.stop()
    }

    @Test("A code past its deadline that the operator still has is taken back; a source's cancellation likewise")
    func cancel() async throws {
        var behaviour = Behaviour()
        behaviour.receiptAfterMs = 600_000
        let place = try await Place(behaviour)
        let wanted = try await place.sent(.service)
        let promise = place.loop.makePromise(of: Cancellation.self)
        try await place.run { node in node.cancel(wanted, source: 7) { promise.succeed($0) } }
        #expect(try await promise.futureResult.get() == .tooLate)
        #expect(try await place.wait { $0.openMessages == 0 })
        #expect(try await place.story(wanted)?.state == .cancelled)
        let code = try await place.sent(.otp)
        try await place.pass(seconds: 181)
        #expect(try await place.wait { $0.openMessages == 0 })
        let story = try #require(try await place.story(code))
        #expect(story.state == .expired && story.reason == .withdrawn)
        #expect(await place.smsc.stats()?.cancels == 2)
        try await place.stop()
    }

    @Test("An operator that compares every octet of its padded upper-case ids is asked and told by those")
    func exactIds() async throws {
        var behaviour = Behaviour()
        (behaviour.answerIdForm, behaviour.exactIds, behaviour.receiptAfterMs) = (.paddedUpper, true, 600_000)
        let place = try await Place(behaviour)
        let asked = try await place.sent(.security)
        try await place.pass(seconds: 75)
        #expect(try await place.wait { $0.metricsText().contains(#"martlet_inquiries_total{what="query",result="state"} 1"#) })
        let story = try #require(try await place.story(asked))
        #expect(story.hops.last?.what == "asked, the provider says ENROUTE")
        let code = try await place.sent(.otp)
        try await place.pass(seconds: 181)
        #expect(try await place.wait { $0.openMessages == 1 })
        #expect(try await place.story(code)?.reason == .withdrawn)
        try await place.stop()
    }

    @Test("An operator that does not know query_sm is asked once and then left alone; its messages stay as they were")
    func unknownCommand() async throws {
        var behaviour = Behaviour()
        (behaviour.receipts, behaviour.query) = (false, .unknown)
        let place = try await Place(behaviour)
        let id = try await place.sent(.otp)
        try await place.pass(seconds: 25)
        #expect(try await place.wait { $0.metricsText().contains(#"martlet_inquiries_rest{group="north",what="query"} 1"#) })
        let story = try #require(try await place.story(id))
        #expect(story.state == .sent && story.hops.last?.what == "asked, the provider does not know the command")
        try await place.pass(seconds: 110)
        #expect(await place.smsc.stats()?.queries == 1)
        try await place.stop()
    }
}

extension Node {
    fileprivate func metricsText() -> String {
        var out = MetricText()
        write(to: &out)
        return out.text
    }
}

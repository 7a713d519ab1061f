import Foundation
import MartletEngine
import MartletModel
import NIOCore
import Testing

@testable import MartletNode

/// Where a source hears, in a test's hands. Confined to the node's loop.
final class FakeTeller: Teller {
    let source: SourceNumber = 7
    let name = "core"
    var room = 10
    /// Kept for the test to answer when nil.
    var answer: NoticeOutcome?
    var notices: [Notice] = []
    var asked = 0
    weak var owner: (any TellerOwner)?

    init(owner: any TellerOwner, answer: NoticeOutcome?) {
        self.owner = owner
        self.answer = answer
    }

    func askedAgain() { asked += 1 }

    func tell(_ batch: [Notice]) {
        notices += batch
        if let answer { owner?.told(batch.map { ($0.slot, answer) }, by: self) }
    }
}

extension NodeTests {
    private func listen(_ rig: Rig, _ answer: NoticeOutcome? = .heard) throws -> NIOLoopBound<FakeTeller> {
        let (node, loop) = (rig.node, rig.loop)
        return try loop.submit {
            let teller = FakeTeller(owner: node.value, answer: answer)
            node.value.add(teller)
            return NIOLoopBound(teller, eventLoop: loop)
        }.wait()
    }

    private func delivered(_ rig: Rig, _ connection: NIOLoopBound<FakeConnection>, _ text: String = "Hello") throws -> MessageID {
        guard case .accepted(let id, _) = try rig.submit(text, tells: [.delivered, .failed]) else { throw Rig.Unexpected() }
        _ = try rig.wait { _ in connection.value.handed.contains { $0.id == id } }
        try rig.run { _ in connection.value.hear("p\(id.text)", .delivered) }
        return id
    }

    @Test("A source that listens hears of the end once it is durable, and its story says so")
    func tells() throws {
        let rig = try Rig()
        try rig.run { $0.start() }
        let connection = try rig.connect()
        let teller = try listen(rig)
        let id = try delivered(rig, connection)
        #expect(try rig.wait { _ in teller.value.notices.map(\.id) == [id] })
        #expect(try rig.run { _ in teller.value.notices[0].payload.reference } == "r-1")
        #expect(try rig.wait { $0.metricsText().contains("martlet_told_total{outcome=\"heard\"} 1") })
        #expect(try rig.wait { $0.metricsText().contains("martlet_untold_messages 0") })
        #expect(try #require(try rig.story(id)).hops.last?.what == "source: heard")
        try rig.stop()
    }

    @Test("A source that is away hears later, after a restart too, from what lies on disk; a refused notice is told no more")
    func tellsLater() throws {
        let rig = try Rig()
        try rig.run { $0.start() }
        let connection = try rig.connect()
        let ids = [try delivered(rig, connection, "first"), try delivered(rig, connection, "second")]
        #expect(try rig.wait { $0.metricsText().contains("martlet_untold_messages 2") })
        try rig.stop()
        let next = try Rig(at: try rig.crashImage())
        try next.run { $0.start() }
        let teller = try listen(next, .refused)
        #expect(try next.wait { _ in teller.value.notices.map(\.id) == ids })
        #expect(try next.run { _ in teller.value.notices.map(\.payload.text) } == ["first", "second"])
        #expect(try next.wait { $0.metricsText().contains("martlet_told_total{outcome=\"refused\"} 2") })
        try next.run { node in node.remove(teller.value) }
        try next.stop()
    }

    @Test("What was not heard is told again; a teller without room is given nothing")
    func tellsAgain() throws {
        let rig = try Rig()
        try rig.run { $0.start() }
        let connection = try rig.connect()
        let teller = try listen(rig, nil)
        let id = try delivered(rig, connection)
        #expect(try rig.wait { _ in teller.value.notices.count == 1 })
        try rig.run { node in
            teller.value.room = 0
            node.told([(teller.value.notices[0].slot, .notHeard)], by: teller.value)
        }
        #expect(try rig.run { _ in teller.value.notices.count } == 1)
        try rig.run { node in
            teller.value.room = 1
            teller.value.answer = .heard
            node.roomChanged(teller.value)
        }
        #expect(try rig.run { _ in teller.value.notices.map(\.id) } == [id, id])
        #expect(try rig.wait { $0.metricsText().contains("martlet_untold_messages 0") })
        try rig.stop()
    }

    @Test("A notice put off comes again by the clock; a parked one when its source asks, who hears how many there are")
    func tellsAgainLater() throws {
        let rig = try Rig()
        try rig.run { $0.start() }
        let connection = try rig.connect()
        let teller = try listen(rig, .later(milliseconds: 1))
        let id = try delivered(rig, connection)
        #expect(try rig.wait { _ in teller.value.notices.count >= 3 })
        try rig.run { _ in teller.value.answer = .parked }
        #expect(try rig.wait { $0.metricsText().contains("martlet_parked_messages 1") })
        func ask(_ source: SourceNumber, since: Int64) throws -> Int? {
            let (node, loop) = (rig.node, rig.loop)
            let promise = loop.makePromise(of: Int?.self)
            loop.execute { node.value.tellAgain(source, since: since) { promise.succeed($0) } }
            return try promise.futureResult.wait()
        }
        #expect(try ask(8, since: 0) == 0)
        #expect(try ask(7, since: .max) == 0)
        try rig.run { _ in
            teller.value.answer = .heard
            teller.value.notices = []
        }
        #expect(try ask(7, since: 0) == 1)
        #expect(try rig.wait { _ in teller.value.notices.map(\.id) == [id] })
        #expect(try rig.run { _ in teller.value.asked } == 2)
        #expect(try rig.wait { $0.metricsText().contains("martlet_untold_messages 0") })
        try rig.stop()
        #expect(try ask(7, since: 0) == nil)
    }

    @Test("Cancelling answers when it is durable; an ended message and another source's are told apart, a stopping node refuses")
    func cancels() throws {
        let rig = try Rig()
        let (node, loop) = (rig.node, rig.loop)
        @Sendable func cancel(_ id: MessageID, source: SourceNumber = 7) throws -> Cancellation {
            let promise = loop.makePromise(of: Cancellation.self)
            loop.execute { node.value.cancel(id, source: source) { promise.succeed($0) } }
            return try promise.futureResult.wait()
        }
        let id = try rig.accepted()
        #expect(try cancel(id, source: 8) == .notFound)
        #expect(try cancel(id) == .cancelled)
        #expect(try cancel(id) == .cancelled)
        let story = try #require(try rig.story(id))
        #expect(story.state == .cancelled && story.reason == .cancelledBySource)
        try rig.run { $0.start() }
        let connection = try rig.connect()
        let sent = try rig.accepted()
        #expect(try rig.wait { _ in connection.value.handed.count == 1 })
        #expect(try cancel(sent) == .tooLate)
        try rig.run { _ in connection.value.hear("p\(sent.text)", .delivered) }
        #expect(try rig.wait { $0.openMessages == 0 })
        #expect(try cancel(sent) == .tooLate)
        #expect(try cancel(MessageID(milliseconds: 1, partition: 0, random: 1)) == .notFound)
        try rig.stop()
        #expect(try cancel(id) == .storage)
    }
}

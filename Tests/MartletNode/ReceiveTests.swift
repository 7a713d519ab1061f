import Foundation
import Journal
import MartletEngine
import MartletModel
import NIOCore
import Testing

@testable import MartletNode

extension NodeTests {
    private static let rules = InboundRules(optOut: .init(["stop"]), optIn: .init(["start"]), fallback: 7)

    private func bring(_ rig: Rig, _ connection: NIOLoopBound<FakeConnection>, _ batch: [Inbound]) throws -> Bool {
        let (node, loop) = (rig.node, rig.loop)
        return try loop.flatSubmit {
            let promise = loop.makePromise(of: Bool.self)
            node.value.received(batch, by: connection.value) { promise.succeed($0) }
            return promise.futureResult
        }.wait()
    }

    /// As an operator does it: again while it hears "later", such as until the index is made after a start.
    private func keep(_ rig: Rig, _ connection: NIOLoopBound<FakeConnection>, _ batch: [Inbound]) throws -> Bool {
        for _ in 0..<6000 {
            if try bring(rig, connection, batch) { return true }
            usleep(10_000)
        }
        return false
    }

    private func part(_ number: UInt8, _ text: String) -> Inbound {
        Inbound(
            group: 1, from: "447700900123", to: "7070", octets: Array(text.utf8), dataCoding: 0,
            part: Inbound.Part(kind: .header8, reference: 5, total: 2, number: number))
    }

    @Test("A message from a handset is durable before its answer, told to its source, and has a story")
    func receives() throws {
        let rig = try Rig()
        try rig.run {
            $0.start()
            $0.set(inbound: NodeTests.rules)
        }
        let connection = try rig.connect()
        let hello = Inbound(group: 1, from: "447700900123", to: "7070", octets: Array("hello".utf8), dataCoding: 0)
        let sent = try rig.accepted("Will you come?")
        #expect(try rig.wait { _ in connection.value.handed.count == 1 })
        #expect(try keep(rig, connection, [hello]))
        let teller = try rig.loop.submit {
            let teller = FakeTeller(owner: rig.node.value, answer: .heard)
            rig.node.value.add(teller)
            return NIOLoopBound(teller, eventLoop: rig.loop)
        }.wait()
        #expect(try rig.wait { _ in teller.value.notices.map(\.payload.text) == ["hello"] })
        let id = try rig.run { _ in teller.value.notices[0].id }
        #expect(try rig.wait { $0.metricsText().contains("martlet_untold_messages 0") })
        let story = try #require(try rig.story(id))
        #expect(story.inReplyTo == sent)
        #expect(story.state == .received && story.hops.map(\.hop) == ["receive", "tell"] && story.reference == "447700900123")
        #expect(try rig.run { $0.metricsText() }.contains("martlet_inbound_total{what=\"message\"} 1"))
        try rig.stop()
    }

    @Test("Parts that wait are found again after a crash; one brought twice is answered as the first")
    func receivesParts() throws {
        let rig = try Rig()
        try rig.run { $0.start() }
        let connection = try rig.connect()
        #expect(try keep(rig, connection, [part(1, "hello ")]))
        #expect(try keep(rig, connection, [part(1, "hello ")]))
        let next = try Rig(at: try rig.crashImage())
        try rig.stop()
        try next.run {
            $0.start()
            $0.set(inbound: NodeTests.rules)
        }
        let other = try next.connect()
        #expect(try keep(next, other, [part(2, "world")]))
        let teller = try next.loop.submit {
            let teller = FakeTeller(owner: next.node.value, answer: .heard)
            next.node.value.add(teller)
            return NIOLoopBound(teller, eventLoop: next.loop)
        }.wait()
        #expect(try next.wait { _ in teller.value.notices.map(\.payload.text) == ["hello world"] })
        try next.stop()
        #expect(try bring(next, other, [part(1, "x")]) == false, "a stopped node keeps nothing")
    }

    @Test("After a trim the story and the notice still say what a message is the reply to, and the error that one ended with")
    func carriedEnds() throws {
        let rig = try Rig { $0.keepMicroseconds = 1_000_000 }
        try rig.run {
            $0.start()
            $0.set(inbound: NodeTests.rules)
        }
        let connection = try rig.connect(window: 100, answering: false)
        try rig.run { _ in connection.value.answer = { $0.text == "lost" ? .accepted(providerID: "lost") : .refused(status: 1) } }
        guard case .accepted(let lost, _) = try rig.submit("lost", tells: .failed) else { throw Rig.Unexpected() }
        #expect(try rig.wait { $0.metricsText().contains("martlet_outcomes_total{outcome=\"accepted\"} 1") })
        try rig.run { [rig] _ in
            rig.node.value.heard(
                [Heard(group: 1, providerID: "lost", state: .undeliverable, error: 27)], by: connection.value, durable: { _ in })
        }
        #expect(try keep(rig, connection, [Inbound(group: 1, from: "447700900123", to: "7070", octets: Array("yes".utf8), dataCoding: 0)]))
        let text = String(repeating: "x", count: 1400)
        for round in 0..<12 {
            for _ in 0..<60 { _ = try rig.submit(text) }
            if round % 4 == 3 { usleep(700_000) }
        }
        #expect(try rig.wait { $0.takeJournal().segments.first.map { $0.number > 1 } ?? false })
        let next = try Rig(at: try rig.crashImage())
        let teller = try next.loop.submit {
            let teller = FakeTeller(owner: next.node.value, answer: .heard)
            next.node.value.add(teller)
            return NIOLoopBound(teller, eventLoop: next.loop)
        }.wait()
        #expect(try next.wait { _ in teller.value.notices.count >= 2 })
        let notices = try next.run { _ in teller.value.notices }
        let ended = try #require(notices.first { $0.id == lost })
        #expect(ended.error == 27 && ended.reason == .undeliverable)
        let reply = try #require(notices.first { $0.state == .received })
        #expect(reply.payload.inReplyTo == lost)
        let story = try #require(try next.story(lost))
        let carried = try #require(story.hops.first)
        #expect(carried.what == "carried forward" && carried.details.map(\.1) == ["failed", "undeliverable", "27"])
        let answer = try #require(try next.story(reply.id))
        #expect(answer.inReplyTo == lost && answer.state == .received && answer.hops.first?.what == "carried forward")
        #expect(answer.hops.first?.details.map(\.0) == ["state", "inReplyTo"])
        try next.stop()
        try rig.stop()
    }

    @Test("More opted out than memory is meant for is told once, and shown")
    func mostOptOuts() throws {
        let rig = try Rig { $0.engine.optOutMaximum = 1 }
        try rig.run { $0.set(inbound: NodeTests.rules) }
        let connection = try rig.connect()
        #expect(try keep(rig, connection, [Inbound(group: 1, from: "447700900123", to: "7070", octets: Array("stop".utf8), dataCoding: 0)]))
        #expect(try rig.run { $0.hasToldOfOptOuts } == false)
        try rig.run {
            $0.watchOptOuts()
            $0.watchOptOuts()
        }
        #expect(try rig.run { $0.hasToldOfOptOuts })
        guard case .refused(.full) = try rig.submit(to: 447_700_900_999, messageClass: .marketing) else { throw Rig.Unexpected() }
        let metrics = try rig.run { $0.metricsText() }
        #expect(metrics.contains("martlet_opt_out_refusals_total 1") && metrics.contains("martlet_opted_out_numbers 1"))
        #expect(
            try keep(rig, connection, [Inbound(group: 1, from: "447700900123", to: "7070", octets: Array("start".utf8), dataCoding: 0)]))
        try rig.run { $0.watchOptOuts() }
        #expect(try rig.run { $0.hasToldOfOptOuts } == false)
        try rig.stop()
    }

    @Test("Who opts out gets none of what waits")
    func optsOut() throws {
        let rig = try Rig()
        try rig.run {
            $0.start()
            $0.set(inbound: NodeTests.rules)
        }
        let connection = try rig.connect()
        try rig.run { _ in connection.value.isBound = false }
        let id = try rig.accepted("an offer", messageClass: .marketing)
        let stop = Inbound(group: 1, from: "447700900123", to: "7070", octets: Array("STOP".utf8), dataCoding: 0)
        #expect(try keep(rig, connection, [stop]))
        try rig.run { node in
            connection.value.isBound = true
            node.roomChanged(connection.value)
        }
        #expect(try rig.wait { $0.metricsText().contains("martlet_ended_total{class=\"marketing\",state=\"suppressed\"} 1") })
        let story = try #require(try rig.story(id))
        #expect(story.state == .suppressed && story.reason == .optedOut)
        #expect(try rig.run { _ in connection.value.handed.isEmpty })
        try rig.stop()
    }

    @Test("A text is replaced in memory and after a restart from disk; then it is too late")
    func replaces() throws {
        let rig = try Rig()
        try rig.run { $0.start() }
        let id = try rig.accepted("old")
        @Sendable func replace(_ rig: Rig, _ id: MessageID, _ text: String, source: SourceNumber = 7) throws -> Replacement.Verdict {
            let promise = rig.loop.makePromise(of: Replacement.Verdict.self)
            rig.loop.execute {
                rig.node.value.replace(id, source: source, with: Replacement(text: text, validity: nil, tells: [])) { promise.succeed($0) }
            }
            return try promise.futureResult.wait()
        }
        #expect(try replace(rig, id, "newer") == .replaced)
        #expect(try replace(rig, id, "x", source: 8) == .notFound)
        let next = try Rig(at: try rig.crashImage())
        try rig.stop()
        #expect(try replace(rig, id, "x") == .storage)
        try next.run { $0.start() }
        // Nothing had been bound, so it cannot have left; what is not the text is read back from disk.
        #expect(try replace(next, id, "newest") == .replaced)
        let connection = try next.connect()
        #expect(try next.wait { _ in connection.value.handed.map(\.text) == ["newest"] })
        #expect(try replace(next, MessageID(milliseconds: 1, partition: 0, random: 1), "x") == .notFound)
        #expect(try next.wait { _ in connection.value.outstanding == 0 })
        #expect(try #require(try next.story(id)).hops.contains { $0.what == "text replaced" })
        try next.stop()
    }
}

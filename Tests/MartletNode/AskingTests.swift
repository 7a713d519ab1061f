import MartletEngine
import MartletModel
import NIOCore
import Testing

@testable import MartletNode

/// The node's part in asking providers: ids are read back from the log, put to a connection of the group, and what is said is recorded.
@Suite("Asking providers through the node", .serialized)
struct AskingTests {
    private func sent(_ rig: Rig, _ connection: NIOLoopBound<FakeConnection>, _ text: String = "Hello") throws -> MessageID {
        let id = try rig.accepted(text)
        #expect(try rig.wait { _ in connection.value.handed.contains { $0.id == id } })
        #expect(try rig.wait { node in node.engine.last(of: id).map { $0 < node.durableEnd } ?? false })
        return id
    }

    @Test("A source's cancellation of what a provider has: too late by its answer, told to the provider, and its end is in the story")
    func cancels() throws {
        let rig = try Rig { $0.engine.inquiries = [1: .all] }
        try rig.run { $0.start() }
        let connection = try rig.connect(answering: false)
        try rig.run { _ in
            connection.value.answer = { .accepted(providerID: "p\($0.id.text)") }
            connection.value.knows = { _ in .cancelled }
        }
        let id = try sent(rig, connection)
        #expect(try rig.wait { _ in connection.value.outstanding == 0 })
        let promise = rig.loop.makePromise(of: Cancellation.self)
        try rig.run { $0.cancel(id, source: 7) { promise.succeed($0) } }
        #expect(try promise.futureResult.wait() == .tooLate)
        #expect(try rig.wait { $0.openMessages == 0 })
        let asked = try rig.run { _ in connection.value.asked.map { [$0.what.word, $0.providerID, $0.from, "\($0.to.digits)"] } }
        #expect(asked == [["cancel", "p\(id.text)", "HARBOUR", "447700900123"]])
        let story = try #require(try rig.story(id))
        #expect(story.state == .cancelled && story.reason == .cancelledBySource)
        #expect(story.hops.suffix(2).map(\.what) == ["told to forget it, the provider took it back", "cancelled"])
        #expect(try rig.run { $0.metricsText() }.contains(#"martlet_inquiries_total{what="cancel",result="cancelled"} 1"#))
        try rig.stop()
    }

    @Test("A refused cancellation leaves the message as it was, and the story says so; each part is asked for by its own id, few at a time")
    func refused() throws {
        let rig = try Rig { $0.engine.inquiries = [1: .all] }
        try rig.run { $0.start() }
        let connection = try rig.connect(answering: false)
        let id = try rig.accepted(String(repeating: "x", count: 400))
        #expect(try rig.wait { _ in connection.value.handed.count == 1 })
        try rig.run { node in
            connection.value.knows = { _ in .refused(status: 0x11) }
            let handover = connection.value.handed[0]
            for part: UInt8 in [0, 1, 2] {
                let answer = Settled(
                    slot: handover.slot, attempt: 1, part: part, outcome: .accepted(providerID: "p\(part)"), handedAt: node.now().wall,
                    rawID: part == 1 ? "00P1" : "")
                node.settled([answer], by: connection.value)
            }
        }
        try rig.run { $0.cancel(id, source: 7) { _ in } }
        #expect(try rig.wait { _ in connection.value.asked.count == 3 })
        #expect(try rig.run { _ in connection.value.asked.map(\.providerID) } == ["p0", "p1", "p2"])
        #expect(try rig.run { _ in connection.value.asked.map(\.wireID) } == ["p0", "00P1", "p2"])
        #expect(try rig.wait { $0.metricsText().contains(#"what="cancel",result="refused"} 3"#) })
        let story = try #require(try rig.story(id))
        #expect(story.state == .sent && story.hops.last?.what == "told to forget it, the provider refused")
        #expect(story.attempts[0].providerIDs == ["p0", "p1", "p2"])
        #expect(story.hops.contains { hop in hop.what == "answer: accepted" && hop.details.contains { $0 == ("providerId", "00P1") } })
        #expect(story.hops.last?.details.contains { $0 == ("status", "0x11") } ?? false)
        try rig.stop()
    }

    @Test("A provider that does not know the command is told no more of what waits for it")
    func rests() throws {
        let rig = try Rig { $0.engine.inquiries = [1: .all] }
        try rig.run { $0.start() }
        let connection = try rig.connect(answering: false)
        let id = try rig.accepted(String(repeating: "x", count: 600))
        #expect(try rig.wait { _ in connection.value.handed.count == 1 })
        try rig.run { node in
            connection.value.knows = { _ in .notKnown(status: 3) }
            let handover = connection.value.handed[0]
            for part in 0..<UInt8(4) {
                let answer = Settled(
                    slot: handover.slot, attempt: 1, part: part, outcome: .accepted(providerID: "p\(part)"), handedAt: node.now().wall)
                node.settled([answer], by: connection.value)
            }
        }
        try rig.run { $0.cancel(id, source: 7) { _ in } }
        #expect(try rig.wait { $0.metricsText().contains(#"what="cancel",result="not_asked"} 2"#) })
        #expect(try rig.run { _ in connection.value.asked.map(\.providerID) } == ["p0", "p1"])
        #expect(try rig.story(id)?.state == .sent)
        try rig.stop()
    }

    @Test("With no connection to ask, or with the id gone, the message stays as it is and nothing is recorded")
    func nobody() throws {
        let rig = try Rig { $0.engine.inquiries = [1: .all] }
        try rig.run { $0.start() }
        let connection = try rig.connect()
        let id = try sent(rig, connection)
        #expect(try rig.wait { _ in connection.value.outstanding == 0 })
        try rig.run { $0.cancel(id, source: 7) { _ in } }
        #expect(try rig.wait { $0.metricsText().contains(#"what="cancel",result="not_asked"} 1"#) })
        let story = try #require(try rig.story(id))
        #expect(story.state == .sent && story.hops.last?.what == "answer: accepted")
        try rig.stop()
    }

    @Test("What cannot be read back is not asked about")
    func unreadable() throws {
        let rig = try Rig()
        try rig.run { $0.start() }
        let connection = try rig.connect()
        let id = try sent(rig, connection)
        let (found, lost) = try rig.run { node in
            let slot = SlotReference(index: 0, generation: 0)
            var found: [(group: GroupNumber, inquiry: Inquiry)] = []
            var lost: [InquiryAnswer] = []
            let newest = node.engine.last(of: id) ?? 0
            for payloadAt in [UInt64(0), newest] {
                let item = Engine.Asking(
                    slot: slot, id: id, group: 1, what: .query, parts: 1, newest: newest, payloadAt: payloadAt)
                InquiryReading.read(item, node.parts.reader, node.parts.recordKeys, &found, &lost)
            }
            return (found.count, lost.map(\.result))
        }
        #expect(found == 0 && lost == [.notFound, .notFound])
        try rig.stop()
    }
}

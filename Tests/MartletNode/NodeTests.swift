import Foundation
import Journal
import MartletEngine
import MartletModel
import NIOCore
import SMSText
import Synchronization
import Testing

@testable import MartletNode

@Suite("Node", .serialized)
struct NodeTests {
    @Test("A message is answered when durable, handed over, delivered, and its story is told after it ended")
    func wholeWay() throws {
        let rig = try Rig()
        try rig.run { $0.start() }
        let connection = try rig.connect()
        let id = try rig.accepted()
        #expect(try rig.wait { $0.metricsText().contains("martlet_outcomes_total{outcome=\"accepted\"} 1") })
        let sent = try #require(try rig.story(id))
        #expect(sent.state == .sent)
        #expect(sent.attempts.map(\.connection) == ["harbour-1"])
        try rig.run { _ in connection.value.hear("p\(id.text)", .delivered) }
        #expect(try rig.wait { $0.openMessages == 0 })
        let story = try #require(try rig.story(id))
        #expect(story.state == .delivered)
        #expect(story.from == "HARBOUR")
        #expect(story.reference == "r-1")
        #expect(story.hops.map(\.what) == ["request read", "accepted", "submitted", "answer: accepted", "receipt DELIVRD"])
        #expect(try rig.story(id, source: 8) == nil)
        #expect(try rig.story(MessageID(milliseconds: 1, partition: 0, random: 1)) == nil)
        try rig.stop()
    }

    @Test("Each part has a row in its attempt: its id, the last that was heard of it, when; a passing state does not undo a final one")
    func partReceipts() throws {
        let rig = try Rig()
        try rig.run { $0.start() }
        let connection = try rig.connect(answering: false)
        let id = try rig.accepted(String(repeating: "x", count: 200))
        #expect(try rig.wait { _ in connection.value.handed.count == 1 })
        try rig.run { node in
            let handover = connection.value.handed[0]
            for part: UInt8 in [1, 0] {
                node.settled(
                    [
                        Settled(
                            slot: handover.slot, attempt: 1, part: part, outcome: .accepted(providerID: "p\(part)"),
                            handedAt: node.now().wall)
                    ], by: connection.value)
            }
            connection.value.hear("p0", .enroute)
            connection.value.hear("p1", .accepted)
            connection.value.hear("p1", .delivered)
        }
        #expect(try rig.wait { $0.metricsText().contains("martlet_receipts_total{state=\"DELIVRD\"} 1") })
        let open = try #require(try rig.story(id))
        let rows = open.attempts[0].receipts
        #expect(rows.map(\.part) == [1, 2] && rows.map(\.providerID) == ["p0", "p1"] && rows.map(\.state) == [.enroute, .delivered])
        #expect(rows.allSatisfy { $0.at > 0 } && open.state == .sent)
        #expect(open.hops.filter { $0.hop == "track" }.map(\.what) == ["receipt ENROUTE", "receipt ACCEPTD", "receipt DELIVRD"])
        try rig.run { _ in
            connection.value.owner?.heard(
                [Heard(group: 1, providerID: "p0", state: .undeliverable, error: 27)], by: connection.value, durable: { _ in })
        }
        #expect(try rig.wait { $0.openMessages == 0 })
        let ended = try #require(try rig.story(id))
        #expect(ended.state == .failed && ended.attempts[0].receipts.map(\.state) == [.undeliverable, .delivered])
        #expect(ended.attempts[0].receipts.map(\.error) == [27, 0])
        try rig.stop()
    }

    @Test("Other rules for texts reach what waits: it is planned anew, durable first, and its story and parts say so")
    func otherRules() throws {
        let rig = try Rig()
        try rig.run { $0.start() }
        let text = String(repeating: "д", count: 100)
        guard case .accepted(let id, let parts) = try rig.submit(text) else { throw Rig.Unexpected() }
        #expect(parts == 2)
        try rig.run { $0.set(texts: Texts([1: TextRules(options: TextOptions(alphabets: [.gsm7]), spellings: [.russian])])) }
        let connection = try rig.connect()
        #expect(try rig.wait { _ in connection.value.handed.count == 1 })
        let handover = try rig.run { _ in connection.value.handed[0] }
        #expect(handover.parts == 1 && handover.text == text)
        #expect(TextShape(code: handover.textShape)?.spelled(text) == String(repeating: "d", count: 100))
        #expect(try rig.wait { $0.metricsText().contains("martlet_replanned_total 1") })
        #expect(try rig.wait { $0.metricsText().contains("martlet_outcomes_total{outcome=\"accepted\"} \(handover.parts)") })
        let story = try #require(try rig.story(id))
        #expect(story.parts == 1 && !story.possibleDuplicate)
        #expect(story.hops.map(\.what).contains("planned anew: its operator's profile changed"))
        guard case .refused(.noAlphabet) = try rig.submit("你好") else { throw Rig.Unexpected() }
        #expect(try rig.run { $0.metricsText() }.contains("martlet_refused_total{reason=\"no_alphabet\"} 1"))
        try rig.stop()
    }

    @Test("A message that is planned anew into more submits than the setting allows is what hand-overs may exceed their room by")
    func widerCredit() throws {
        let rig = try Rig {
            $0.engine.partsMaximum = 2
            $0.engine.texts = Texts([1: TextRules(options: TextOptions(alphabets: [.gsm7]), spellings: [.russian])])
        }
        try rig.run { $0.start() }
        guard case .accepted(_, let parts) = try rig.submit(String(repeating: "д", count: 300)) else { throw Rig.Unexpected() }
        #expect(parts == 2)
        try rig.run { $0.set(texts: Texts([1: TextRules(options: TextOptions(alphabets: [.ucs2]))])) }
        let connection = try rig.connect(window: 1)
        #expect(try rig.wait { _ in connection.value.handed.count == 1 })
        #expect(try rig.run { node in (node.engine.submitsLargest, connection.value.handed[0].parts) } == (5, 5))
        try rig.stop()
    }

    @Test("The story of a text that its operator cuts tells its parts on the air")
    func payloadParts() throws {
        let rig = try Rig { $0.engine.texts = Texts([1: TextRules(options: TextOptions(concatenation: .payload))]) }
        guard case .accepted(let id, let parts) = try rig.submit(String(repeating: "x", count: 400)) else { throw Rig.Unexpected() }
        #expect(parts == 3)
        #expect(try rig.story(id)?.parts == 3)
        try rig.stop()
    }

    @Test("The trace context of a message is in its story, also when the journal is read back by another process")
    func traced() throws {
        let trace = TraceContext(high: 1, low: 2, parent: 3, flags: 1)
        let rig = try Rig()
        guard case .accepted(let id, _) = try rig.submit(trace: trace) else { throw Rig.Unexpected() }
        #expect(try rig.story(id)?.trace == trace)
        try rig.stop()
        let next = try Rig(at: try rig.crashImage())
        let story = try #require(try next.story(id))
        #expect(story.trace == trace)
        #expect(story.hops.first { $0.what == "accepted" }?.details.map(\.1) == ["1", trace.text])
        try next.stop()
    }

    @Test("What cannot be taken is refused with its reason")
    func refusals() throws {
        let rig = try Rig {
            $0.engine.routes = Routes([.init(prefix: "44", group: 1)]); $0.engine.openMaximum = 1
        }
        guard case .refused(.noRoute) = try rig.submit(to: 33_612_345_678) else { throw Rig.Unexpected() }
        guard case .refused(.tooManyParts) = try rig.submit(String(repeating: "ж", count: 700)) else { throw Rig.Unexpected() }
        _ = try rig.accepted()
        guard case .refused(.full) = try rig.submit() else { throw Rig.Unexpected() }
        try rig.stop()
        guard case .refused(.stopping) = try rig.submit() else { throw Rig.Unexpected() }
        #expect(try rig.run { $0.notReadyReasons } == ["stopping"])
        #expect(try rig.run { $0.metricsText() }.contains("martlet_refused_total{reason=\"no_route\"} 1"))
    }

    @Test("After a clean stop an open message goes on, not flagged; its payload is read back from the journal")
    func cleanRestart() throws {
        let rig = try Rig()
        let id = try rig.accepted("Grüße 😀", messageClass: .service)
        try rig.stop()
        let next = try Rig(at: try rig.crashImage())
        #expect(next.opening.report.stoppedCleanly)
        #expect(next.opening.open == 1)
        let connection = try next.connect()
        try next.run { $0.start() }
        #expect(try next.wait { _ in connection.value.handed.count == 1 })
        let handover = try next.run { _ in connection.value.handed[0] }
        #expect(handover.id == id)
        #expect(handover.text == "Grüße 😀")
        #expect(try next.wait { $0.metricsText().contains("martlet_outcomes_total{outcome=\"accepted\"} 1") })
        #expect(try next.story(id)?.attempts.first?.possibleDuplicate == false)
        try next.stop()
    }

    @Test("After a crash what may have been on the wire is flagged; an old code is left unknown")
    func crash() throws {
        let rig = try Rig()
        let connection = try rig.connect(answering: false)
        let id = try rig.accepted()
        #expect(try rig.wait { _ in connection.value.handed.count == 1 })
        #expect(try rig.story(id)?.state == .submitted)
        let image = try rig.crashImage()
        let next = try Rig(at: image)
        let second = try next.connect()
        try next.run { $0.start() }
        #expect(try next.wait { _ in second.value.handed.count == 1 })
        #expect(try next.wait { $0.metricsText().contains("martlet_outcomes_total{outcome=\"accepted\"} 1") })
        #expect(try next.story(id)?.attempts.first?.possibleDuplicate == true)
        try next.stop()
        try rig.stop()
    }

    @Test("A receipt of an ended message is kept in its story and changes nothing")
    func lateReceipt() throws {
        let rig = try Rig()
        try rig.run { $0.start() }
        let connection = try rig.connect()
        let id = try rig.accepted()
        #expect(try rig.wait { $0.metricsText().contains("martlet_outcomes_total{outcome=\"accepted\"} 1") })
        try rig.run { _ in connection.value.hear("p\(id.text)", .delivered) }
        #expect(try rig.wait { $0.openMessages == 0 })
        try rig.run { _ in connection.value.hear("p\(id.text)", .undeliverable) }
        #expect(try rig.wait { $0.metricsText().contains("martlet_late_receipts_total 1") })
        let told = try rig.wait { $0.metricsText().contains("martlet_orphan_receipts 0") }
        #expect(told)
        for _ in 0..<6000 where try rig.story(id)?.hops.last?.what != "late receipt UNDELIV" { usleep(10_000) }
        let story = try #require(try rig.story(id))
        #expect(story.hops.last?.what == "late receipt UNDELIV")
        #expect(story.state == .delivered)
        try rig.stop()
    }

    @Test("A receipt that comes in one batch with the answer and the end of its message is in its story all the same")
    func receiptInOneBatch() throws {
        let rig = try Rig()
        let connection = try rig.connect(answering: false)
        let id = try rig.accepted()
        #expect(try rig.wait { _ in connection.value.handed.count == 1 })
        try rig.run { _ in
            connection.value.settle(connection.value.handed[0], .accepted(providerID: "one"))
            connection.value.hear("one", .delivered)
            connection.value.hear("one", .undeliverable)
        }
        #expect(try rig.wait { $0.metricsText().contains("martlet_late_receipts_total 1") })
        #expect(try rig.wait { $0.metricsText().contains("martlet_orphan_receipts 0") })
        #expect(try rig.story(id)?.state == .delivered)
        try rig.stop()
    }

    @Test("A receipt before its answer waits for it, over a restart too")
    func earlyReceipt() throws {
        let rig = try Rig()
        let connection = try rig.connect(answering: false)
        let id = try rig.accepted()
        #expect(try rig.wait { _ in connection.value.handed.count == 1 })
        let durable = rig.loop.makePromise(of: Bool.self)
        try rig.run { _ in connection.value.hear("early", .delivered) { durable.succeed($0) } }
        #expect(try durable.futureResult.wait())
        try rig.run { _ in connection.value.settle(connection.value.handed[0], .accepted(providerID: "early")) }
        #expect(try rig.wait { $0.openMessages == 0 })
        #expect(try rig.story(id)?.state == .delivered)
        try rig.stop()
    }

    @Test("Every outcome has its words in the story")
    func outcomes() throws {
        let rig = try Rig()
        try rig.run { $0.start() }
        let connection = try rig.connect(answering: false)
        let ids = try [Outcome.refused(status: 0x0B), .unencodable, .throttled(status: 0x58), .deferred(status: 8), .unknown].map {
            outcome in
            let id = try rig.accepted(messageClass: .otp)
            #expect(try rig.wait { _ in connection.value.handed.last?.id == id })
            try rig.run { _ in connection.value.settle(connection.value.handed[connection.value.handed.count - 1], outcome) }
            return id
        }
        let stories = try ids.map { try #require(try rig.story($0)) }
        #expect(stories[0].state == .failed && stories[0].reason == .refused)
        #expect(stories[1].reason == .cannotBeEncoded)
        #expect(stories[2].hops.contains { $0.what == "answer: throttled" })
        #expect(stories[3].hops.contains { $0.what == "answer: deferred" })
        #expect(stories[4].state == .unknown)
        try rig.stop()
    }

    @Test("Old segments are trimmed; an open message in them is carried forward and its story goes on")
    func carry() throws {
        let rig = try Rig { $0.keepMicroseconds = 1_000_000 }
        try rig.run { $0.start() }
        let held = try rig.accepted("stays open", to: 447_700_900_999)
        let connection = try rig.connect(window: 100, answering: false)
        try rig.run { _ in connection.value.answer = { $0.text == "stays open" ? .deferred(status: 8) : .refused(status: 1) } }
        let text = String(repeating: "x", count: 1400)
        for round in 0..<12 {
            for _ in 0..<60 { _ = try rig.submit(text) }
            if round % 4 == 3 { usleep(700_000) }
        }
        #expect(try rig.wait { !$0.metricsText().contains("martlet_carried_total 0") })
        #expect(try rig.wait { $0.takeJournal().segments.first.map { $0.number > 1 } ?? false })
        let story = try #require(try rig.story(held))
        #expect(story.hops.contains { $0.what == "carried forward" })
        #expect(story.from == "HARBOUR")
        try rig.stop()
        let next = try Rig(at: try rig.crashImage())
        #expect(try next.story(held)?.id == held)
        try next.stop()
    }

    @Test("Over its cap the journal is trimmed as fast as it fills, not only now and then")
    func capHolds() throws {
        let rig = try Rig { $0.capBytes = 2 << 20 }
        // Without the clockwork nothing looks by itself.
        let connection = try rig.connect(window: 1000)
        try rig.run { _ in connection.value.answer = { _ in .refused(status: 1) } }
        let text = String(repeating: "x", count: 1400)
        var most = 0
        for _ in 0..<40 {
            for _ in 0..<60 { _ = try rig.submit(text) }
            most = max(most, try rig.run { $0.takeJournal().segments.count })
        }
        #expect(most <= 8, "\(most) segments of a cap of four")
        #expect(try rig.run { $0.takeJournal().segments.last?.number ?? 0 } > 8)
        try rig.stop()
    }

    @Test("Where the volume has little room left the oldest segments go below the cap, as many as are lacking; with room none does")
    func volume() throws {
        let room = Mutex(1 << 40)
        let rig = try Rig { $0.disk.room = { _ in room.withLock { $0 } } }
        let connection = try rig.connect(window: 1000)
        try rig.run { _ in connection.value.answer = { _ in .refused(status: 1) } }
        let text = String(repeating: "x", count: 1400)
        func fill(upTo segments: Int) throws -> Bool {
            for _ in 0..<4000 {
                if try rig.run({ Int($0.takeJournal().segments.last?.number ?? 0) }) >= segments { return true }
                _ = try rig.submit(text)
            }
            return false
        }
        #expect(try fill(upTo: 6))
        #expect(try rig.run { $0.takeJournal().segments.first?.number } == 1)
        // Room for one more: one is lacking with each that is begun.
        room.withLock { $0 = 512 << 10 }
        #expect(try fill(upTo: 8))
        #expect(try rig.wait { $0.takeJournal().segments.first.map { $0.number == 3 } ?? false })
        room.withLock { $0 = -5 }
        #expect(try fill(upTo: 9))
        room.withLock { $0 = 1 << 40 }
        #expect(try fill(upTo: 11))
        #expect(try rig.run { $0.takeJournal().segments.first?.number } == 3)
        try rig.stop()
    }

    @Test("When the disk fails twice nobody is told that a message is durable, and the node says so once")
    func diskFailure() throws {
        let rig = try Rig { options in
            options.disk.fdatasync = { _ in -EIO }
        }
        let acceptance = try rig.submit()
        guard case .refused(.storage) = acceptance else { throw Rig.Unexpected() }
        for _ in 0..<6000 where rig.failures.list.withLock({ $0.isEmpty }) { usleep(10_000) }
        #expect(rig.failures.list.withLock { $0.count } == 1)
        guard case .refused(.storage) = try rig.submit() else { throw Rig.Unexpected() }
        #expect(try rig.run { $0.notReadyReasons } == ["the journal failed"])
    }

    @Test("A million-message backlog needs little memory: payloads that left the ring are read from the journal")
    func backlog() throws {
        let rig = try Rig {
            $0.engine.ring = 4096 * 4; $0.engine.codeRing = 4096 * 4
        }
        try rig.run { $0.start() }
        let texts = (0..<300).map { "text number \($0) " + String(repeating: "y", count: 100) }
        for text in texts { _ = try rig.submit(text, messageClass: .marketing) }
        let connection = try rig.connect(window: 7)
        #expect(try rig.wait { _ in connection.value.handed.count == 300 })
        #expect(try rig.run { _ in connection.value.handed.map(\.text) } == texts)
        try rig.stop()
    }

    @Test("A connection can be added, found, and taken out; acts of people are marked")
    func connections() throws {
        let rig = try Rig()
        let connection = try rig.connect()
        #expect(try rig.run { $0.allConnections.count } == 1)
        try rig.run { node in
            node.note("hold connection harbour-1")
            node.changingCredit(of: 1) {}
            node.set(routes: Routes([]))
            node.remove(connection.value)
        }
        #expect(try rig.run { $0.allConnections.isEmpty })
        #expect(try rig.run { $0.queued(1) } == 0)
        guard case .refused(.noRoute) = try rig.submit() else { throw Rig.Unexpected() }
        try rig.stop()
    }
}

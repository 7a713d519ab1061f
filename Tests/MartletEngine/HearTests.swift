import MartletModel
import Testing

@testable import MartletEngine

@Suite("Late receipts, orphans and lanes that stand still")
struct HearTests {
    @Test("A receipt for an ended message is a late record that changes nothing")
    func late() throws {
        let rig = Rig()
        let id = rig.accept()
        let handover = try #require(rig.hand())
        let answer = try #require(rig.answer(handover, .accepted(providerID: "a")).first)
        rig.hear("a", .delivered)
        rig.commit()
        let strays = rig.hear("a", .undeliverable).strays
        rig.commit()
        let stray = try #require(strays.first)
        let records = rig.step { $0.engine.late(stray, part: 0, header: answer.header, previous: 77, &$0.turn) }
        #expect(records.count == 1 && records[0].header.flags == .late && records[0].header.id == id)
        #expect(rig.engine.orphanCount == 0 && rig.engine.counts.lateReceipts == 1)
        #expect(rig.step { $0.engine.late(stray, part: 0, header: answer.header, previous: 77, &$0.turn) }.isEmpty)
        #expect(rig.fate(id) == "delivered")
    }

    @Test("A repeated receipt for one part of an open message is of its chain and changes nothing")
    func lateOfOpen() throws {
        let rig = Rig()
        let id = rig.accept(parts: 2)
        let handover = try #require(rig.hand())
        let answer = try #require(rig.answer(handover, part: 0, .accepted(providerID: "a")).first)
        rig.answer(handover, part: 1, .accepted(providerID: "b"))
        rig.hear("a", .delivered)
        let stray = try #require(rig.hear("a", .undeliverable).strays.first)
        rig.commit()
        let before = rig.engine.last(of: id)
        rig.step { $0.engine.late(stray, part: 0, header: answer.header, previous: before ?? 0, &$0.turn) }
        #expect(rig.engine.last(of: id) == rig.open.last?.position)
        rig.hear("b", .delivered)
        rig.commit()
        #expect(rig.fate(id) == "delivered" && rig.engine.slots.count == 0)
    }

    @Test("Passing receipts repeated without end fill no log; the final one is taken")
    func flood() throws {
        let rig = Rig()
        let id = rig.accept()
        rig.answer(try #require(rig.hand()), .accepted(providerID: "a"))
        for _ in 0..<1000 { rig.hear("a", .enroute) }
        #expect(rig.open.count < 100)
        rig.hear("a", .delivered)
        rig.commit()
        #expect(rig.fate(id) == "delivered" && rig.engine.slots.count == 0)
    }

    @Test("An id longer than the protocol allows is kept up to its limit, in answer, orphan and receipt alike")
    func longID() throws {
        let rig = Rig()
        let id = rig.accept()
        let long = String(repeating: "9", count: 80)
        let handover = try #require(rig.hand())
        rig.hear(long, .delivered)
        rig.answer(handover, .accepted(providerID: long))
        #expect(rig.fate(id) == "delivered")
    }

    @Test("Orphans are bounded: the oldest goes, and its record holds no segment")
    func orphanLimit() {
        let rig = Rig { $0.orphanMaximum = 2 }
        var strays: [Engine.Stray] = []
        rig.step { rig in
            let heard = (0..<5).map { Heard(group: 1, providerID: "o\($0)", state: .delivered, error: 0) }
            rig.engine.hear(heard, &rig.turn, strays: &strays)
        }
        #expect(strays.count == 5 && rig.engine.orphanCount == 2)
        #expect(rig.engine.livePerSegment[1] == 3, "two orphans and the credit mark")
        rig.commit()
        rig.restart()
        #expect(rig.engine.orphanCount == 2 && rig.engine.livePerSegment[1] == 3)
        rig.tick(seconds: 73 * 3600)
        #expect(rig.engine.orphanCount == 0 && rig.engine.livePerSegment[1] == 1)
    }

    @Test("A class held by a person gives nothing; what ends in its queue leaves it at once")
    func heldClass() {
        let rig = Rig()
        rig.step { $0.engine.hold(ClassSet(.marketing), of: 1, true, &$0.turn) }
        rig.commit()
        for _ in 0..<1100 { rig.accept(.marketing, validity: 5) }
        let last = rig.accept(.marketing, validity: 500)
        #expect(rig.hand() == nil)
        rig.tick(seconds: 6)
        #expect(rig.engine.openCount == 1)
        #expect(rig.engine.slots.count == 1 && rig.engine.queued(1) == 1)
        rig.step { $0.engine.hold(ClassSet(.marketing), of: 1, false, &$0.turn) }
        #expect(rig.hand() == nil, "the release is not durable")
        rig.commit()
        #expect(rig.hand()?.id == last)
        #expect(rig.engine.tickMicroseconds == 50_000)
    }
}

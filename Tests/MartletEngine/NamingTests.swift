import MartletModel
import Testing

@testable import MartletEngine

/// Reads ids as the test says.
private final class Naming: ReceiptNaming {
    var isLearnt = false
    var others: [String: [String]] = [:]
    var learned: [(answer: String, receipt: String)] = []

    func otherReadings(of heard: Heard) -> [String] { others[heard.receiptID] ?? [] }
    func learn(answer: String, from heard: Heard) { learned.append((answer, heard.receiptID)) }
}

/// Receipts whose ids can be read in several ways.
@Suite("Naming of receipts in the engine")
struct NamingTests {
    private let naming = Naming()

    /// Accepted, sent, answered with this id.
    private func sent(_ id: String, _ rig: Rig) throws -> MessageID {
        let message = rig.accept()
        let handover = try #require(rig.hand())
        rig.answer(handover, .accepted(providerID: id))
        rig.commit()
        return message
    }

    private func hear(_ id: String, handset: UInt64, _ rig: Rig, first: String? = nil) -> (records: [Record], strays: [Engine.Stray]) {
        var strays: [Engine.Stray] = []
        let heard = Heard(group: 1, providerID: first ?? id, state: .delivered, error: 0, receiptID: id, handset: handset)
        let records = rig.step { $0.engine.hear([heard], naming: naming, &$0.turn, strays: &strays) }
        rig.commit()
        return (records, strays)
    }

    @Test("Another reading is taken when the receipt names the handset of its message, and is learnt from")
    func proven() throws {
        let rig = Rig()
        let message = try sent("ff", rig)
        naming.others = ["255": ["ff"]]
        #expect(hear("255", handset: Rig.number.digits, rig).strays.isEmpty)
        #expect(rig.fate(message) == "delivered")
        #expect(naming.learned.map(\.answer) == ["ff"] && naming.learned.map(\.receipt) == ["255"])
        #expect(rig.engine.orphanCount == 0)
    }

    @Test("A receipt for another handset, or for none, is of no message here and teaches nothing")
    func strangers() throws {
        let rig = Rig()
        let message = try sent("ff", rig)
        naming.others = ["255": ["ff"]]
        for handset: UInt64 in [0, 12_345, 447_700_900_124] {
            #expect(hear("255", handset: handset, rig).strays.count == 1)
            #expect(rig.slot(message)?.state == .sent)
        }
        #expect(naming.learned.isEmpty && rig.engine.orphanCount == 1)
    }

    @Test("Where the expected reading meets the wrong handset and another the right one, the right one counts")
    func collision() throws {
        let rig = Rig()
        let wrong = try sent("16", rig)
        let right = try sent("10", rig)
        naming.others = ["16": ["10"]]
        // Both are of one handset here, so the expected reading is proven.
        _ = hear("16", handset: Rig.number.digits, rig)
        #expect(rig.fate(wrong) == "delivered" && rig.slot(right)?.state == .sent)
        let other = Rig()
        var submission = Submission(
            source: 1, messageClass: .otp, to: PhoneNumber(digits: 447_700_900_555), from: "Bank", text: "1", receivedAt: other.now)
        submission.validity = 3600
        other.step { _ = $0.engine.accept(submission, random: 77, &$0.turn) }
        other.commit()
        let handover = try #require(other.hand())
        other.answer(handover, .accepted(providerID: "16"))
        other.commit()
        let meant = try sent("10", other)
        _ = hear("16", handset: Rig.number.digits, other)
        #expect(other.fate(meant) == "delivered" && other.slot(handover.id)?.state == .sent)
        #expect(naming.learned.map(\.answer) == ["16", "10"])
    }

    @Test("The expected reading is taken without proof, as ever, but teaches nothing then")
    func unproven() throws {
        let rig = Rig()
        let message = try sent("16", rig)
        naming.others = ["16": ["10"]]
        #expect(hear("16", handset: 0, rig).strays.isEmpty)
        #expect(rig.fate(message) == "delivered" && naming.learned.isEmpty)
    }

    @Test("When the way is known its reading is taken at once, and another one only with the whole number in memory")
    func learnt() throws {
        let rig = Rig { $0.ring = 4096 }
        naming.isLearnt = true
        naming.others = ["255": ["ff"], "16": ["10"]]
        let first = try sent("ff", rig)
        #expect(hear("255", handset: 0, rig, first: "ff").strays.isEmpty)
        #expect(rig.fate(first) == "delivered" && naming.learned.isEmpty)
        let second = try sent("10", rig)
        #expect(hear("16", handset: 700_900_123, rig).strays.isEmpty)
        #expect(rig.fate(second) == "delivered" && naming.learned.map(\.answer) == ["10"])
        // Its payload is no longer in memory.
        let third = try sent("ff", rig)
        for _ in 0..<150 { rig.accept() }
        let number = rig.engine.slots.number(of: third)
        #expect(number.map { rig.engine.payload(of: $0) == nil } == true)
        #expect(hear("255", handset: Rig.number.digits, rig).strays.count == 1)
        // While nothing is known the partition of the number is proof enough.
        naming.isLearnt = false
        rig.engine.orphans = Orphans()
        #expect(hear("255", handset: Rig.number.digits, rig).strays.isEmpty)
        #expect(rig.fate(third) == "delivered")
    }

    @Test("An id longer than the protocol allows is kept up to its limit, whichever reading it is")
    func clipped() throws {
        let rig = Rig()
        let long = String(repeating: "7", count: 70)
        let message = try sent(long, rig)
        naming.others = ["x": [long]]
        _ = hear("x", handset: Rig.number.digits, rig)
        #expect(rig.fate(message) == "delivered")
    }
}

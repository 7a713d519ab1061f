import MartletModel
import Testing

@testable import MartletEngine

@Suite("Accept")
struct AcceptTests {
    @Test("An accepted message is a record with its whole payload, and leaves only when that is durable")
    func durable() throws {
        let rig = Rig()
        guard case .accepted(let id, let parts) = rig.verdict(.otp) else { return #expect(Bool(false)) }
        #expect(parts == 1 && id.ordinal == 0)
        #expect(!rig.hasWork && rig.hand() == nil)
        #expect(rig.engine.last(of: id) == rig.open[0].position)
        rig.commit()
        #expect(rig.hasWork && rig.engine.queued(1) == 1 && rig.engine.queued(1, .otp) == 1)
        let handover = try #require(rig.hand())
        #expect(
            handover.id == id && handover.attempt == 1 && handover.partMask == 1 && handover.to == Rig.number && handover.from == "Bank")
        #expect(handover.deadline == rig.now.wallMilliseconds + 180_000)
        #expect(rig.engine.isSubmitted(id) && !rig.hasWork)
        #expect(rig.engine.counts.accepted[Int(MessageClass.otp.rawValue)] == 1)
        let unknown = MessageID(high: 1, low: 1)
        #expect(!rig.engine.isSubmitted(unknown) && rig.engine.last(of: unknown) == nil)
    }

    @Test("What cannot be taken is refused with its reason and leaves nothing behind")
    func refusals() {
        let rig = Rig {
            $0.openMaximum = 2
            $0.partsMaximum = 3
        }
        guard case .refused(.noRoute) = rig.verdict(to: PhoneNumber(digits: 491_234_567)) else { return #expect(Bool(false)) }
        guard case .refused(.tooManyParts(4, 3)) = rig.verdict(parts: 4) else { return #expect(Bool(false)) }
        #expect(rig.open.isEmpty && rig.engine.openCount == 0)
        rig.accept()
        rig.accept()
        guard case .refused(.full(1)) = rig.verdict() else { return #expect(Bool(false)) }
        rig.engine.set(routes: Routes([]))
        #expect(rig.engine.openCount == 2)
    }

    @Test("More parts than a message has bits for are refused whatever the setting says")
    func partsBits() {
        let rig = Rig { $0.partsMaximum = 200 }
        guard case .refused(.tooManyParts(17, 16)) = rig.verdict(parts: 17) else { return #expect(Bool(false)) }
        guard case .accepted(_, 16) = rig.verdict(parts: 16) else { return #expect(Bool(false)) }
    }

    @Test("A validity beyond reason is a year, one below zero is none")
    func validity() {
        let rig = Rig()
        let long = rig.accept(validity: .max)
        #expect(rig.slot(long)?.deadline == rig.now.wallMilliseconds + 366 * 86_400_000)
        let none = rig.accept(validity: .min)
        rig.tick(seconds: 0.2)
        #expect(rig.fate(none) == "expired not_sent_in_time")
    }

    @Test("Two ids alike are refused, not folded into one message, and leave no gap in the sequence")
    func sameID() {
        let rig = Rig()
        let submission = Submission(source: 1, messageClass: .otp, to: Rig.number, from: "Bank", text: "1", receivedAt: rig.now)
        var verdicts: [Engine.Verdict] = []
        for _ in 0..<2 { rig.step { verdicts.append($0.engine.accept(submission, random: 7, &$0.turn)) } }
        guard case .refused(.storage) = verdicts[1] else { return #expect(Bool(false)) }
        let partition = Int(
            rig.slot({ if case .accepted(let id, _) = verdicts[0] { id } else { MessageID(high: 0, low: 0) } }())?.partition ?? 0)
        #expect(rig.engine.sequences[partition] == (partition == 0 ? 2 : 1))
        #expect(rig.engine.openCount == 1)
    }

    @Test("Messages to one number are of one partition and their parts carry different references")
    func partitions() throws {
        let rig = Rig()
        let first = rig.accept(parts: 2)
        let second = rig.accept(parts: 2)
        #expect(first.partition == second.partition)
        #expect(rig.slot(first)?.partsReference != rig.slot(second)?.partsReference)
        let handover = try #require(rig.hand())
        #expect(handover.partMask == 0b11 && handover.parts == 2)
    }
}

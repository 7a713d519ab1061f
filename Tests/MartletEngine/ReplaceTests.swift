import MartletModel
import SMSText
import Testing

@testable import MartletEngine

/// replace_sm: another text in the same place of the queue, durable before it goes out.
@Suite("Replacing a text")
struct ReplaceTests {
    @discardableResult
    private func replace(
        _ rig: Rig, _ id: MessageID, _ text: String, validity: Int64? = nil, tells: Submission.Tells = [], source: SourceNumber = 1,
        payload: Payload? = nil
    ) -> Replacement.Verdict? {
        var verdict: Replacement.Verdict?
        rig.step {
            verdict = $0.engine.replace(
                id, source: source, with: Replacement(text: text, validity: validity, tells: tells), payload, &$0.turn)
        }
        return verdict
    }

    @Test("The new text goes out, in the old one's place, once it is durable; nothing goes from behind it before")
    func replaces() throws {
        let rig = Rig()
        let first = rig.accept()
        rig.accept()
        #expect(replace(rig, first, "new") == .replaced)
        #expect(rig.next() == nil, "not durable yet")
        rig.commit()
        let handover = try #require(rig.next())
        #expect(handover.id == first && handover.text == "new" && handover.to == Rig.number && handover.from == "Bank")
        #expect(replace(rig, first, "newer") == .tooLate && replace(rig, MessageID.none, "x") == nil)
    }

    @Test("Parts, deadline and wishes are the new ones, after a restart and a carry forward too")
    func fields() throws {
        let rig = Rig()
        let id = rig.accept()
        let long = String(repeating: "y", count: 200)
        #expect(replace(rig, id, long, validity: 50, tells: .failed) == .replaced)
        rig.commit()
        rig.newSegment()
        rig.carry(upTo: 1)
        rig.commit()
        rig.restart(clean: true, before: 2)
        rig.commit()
        let slot = try #require(rig.slot(id))
        #expect(slot.parts == 2 && slot.deadline == 1_790_000_050_000 && slot.flags.contains(.tellsFailed))
        let handover = try #require(rig.next())
        #expect(handover.text == long && handover.partMask == 3)
        rig.restart(clean: true, before: 2)
        rig.commit()
        rig.tick(seconds: 60)
        #expect(rig.fate(id) == "expired not_sent_in_time" && rig.engine.owed(1, room: 1).map(\.parts) == [2])
    }

    @Test("How the old text was planned anew is not how the new one goes out, live, after a restart and after a trim")
    func afterReplan() throws {
        let rig = Rig()
        let id = rig.accept(parts: 2)
        rig.configuration.texts = Texts([1: TextRules(options: TextOptions(alphabets: [.ucs2]))])
        rig.engine.set(texts: rig.configuration.texts)
        #expect(rig.hand() == nil)
        rig.step { $0.engine.replan(&$0.turn) }
        rig.commit()
        #expect(rig.slot(id)?.textShape != 0 && rig.slot(id)?.parts == 5)
        rig.newSegment()
        #expect(replace(rig, id, "short") == .replaced)
        rig.commit()
        for segment in UInt64(0)...2 where segment != 1 {
            #expect(rig.slot(id)?.textShape == 0 && rig.slot(id)?.parts == 1)
            rig.restart(clean: true, before: segment)
            rig.commit()
        }
        let handover = try #require(rig.next())
        #expect(handover.text == "short" && handover.parts == 1 && TextShape(code: handover.textShape)?.alphabet == .ucs2)
    }

    @Test("What memory holds no more is replaced with the payload read back; without it, it is too late")
    func fromDisk() throws {
        let rig = Rig { $0.ring = 8192 }
        let id = rig.accept()
        for _ in 0..<12 { rig.accept(parts: 9) }
        let found = rig.engine.payloadPosition(of: id)
        let position = try #require(found)
        #expect(replace(rig, id, "new") == .tooLate)
        let payload = try #require(rig.sealed(position)).withUnsafeBytes { try Payload(reading: $0) }
        #expect(replace(rig, id, "new", payload: payload) == .replaced)
        #expect(rig.engine.payloadPosition(of: id) == nil)
    }

    @Test("Another source's, one already out, a part that its sender cut, and too long a text are left alone")
    func refused() throws {
        let rig = Rig()
        let id = rig.accept()
        #expect(replace(rig, id, "x", source: 2) == .notFound)
        #expect(replace(rig, id, String(repeating: "z", count: 153 * 10 + 1)) == .tooManyParts)
        let cut = Submission(
            source: 1, messageClass: .transactional, to: Rig.number, from: "Bank", text: "a", userDataHeader: [5, 0, 3, 1, 2, 1],
            receivedAt: rig.now)
        var made = MessageID.none
        rig.step { if case .accepted(let id, _) = $0.engine.accept(cut, random: 77, &$0.turn) { made = id } }
        rig.commit()
        #expect(replace(rig, made, "x") == .tooLate)
        #expect(rig.open.isEmpty)
    }
}

import MartletModel
import Testing

@testable import MartletEngine

@Suite("Settle, hear and tick")
struct TrackTests {
    @Test("Accepted by all parts is sent; delivered by all parts is delivered, and its memory returns")
    func delivered() throws {
        let rig = Rig()
        let id = rig.accept(parts: 2)
        let handover = try #require(rig.hand())
        rig.answer(handover, part: 0, .accepted(providerID: "a"))
        #expect(rig.slot(id)?.state == .submitted && rig.fate(id) == "queued")
        rig.answer(handover, part: 1, .accepted(providerID: "b"))
        #expect(rig.fate(id) == "sent")
        rig.hear("a", .enroute)
        rig.hear("a", .delivered)
        #expect(rig.fate(id) == "sent")
        rig.hear("b", .delivered)
        #expect(rig.fate(id) == "delivered")
        #expect(rig.engine.openCount == 1)
        rig.commit()
        #expect(rig.engine.openCount == 0 && rig.engine.slots.count == 0 && rig.engine.wheel.count == 0)
        #expect(rig.engine.counts.ended[Int(MessageClass.transactional.rawValue)][Int(MessageState.delivered.rawValue)] == 1)
    }

    @Test("Receipts that overtake the answers end the message when the last answer comes")
    func early() throws {
        let rig = Rig()
        let id = rig.accept()
        let handover = try #require(rig.hand())
        let heard = rig.hear("a", .delivered)
        #expect(heard.strays.count == 1 && rig.engine.orphanCount == 1 && rig.engine.counts.orphans == 1)
        #expect(rig.hear("a", .delivered).records.isEmpty, "the same orphan is kept once")
        #expect(rig.hear("z", .accepted).strays.isEmpty, "a passing state of an unknown message tells nothing")
        rig.answer(handover, .accepted(providerID: "a"))
        #expect(rig.fate(id) == "delivered" && rig.engine.orphanCount == 0)
        rig.commit()
        #expect(rig.engine.slots.count == 0)
        #expect(
            rig.engine.live(in: 1) == 2 + rig.engine.heads.filter { $0 == 1 }.count,
            "the credit mark, the sums of the source and the newest sequences")
    }

    @Test(
        "A bad receipt ends the message with what it says",
        arguments: [
            (ReceiptState.undeliverable, "failed undeliverable"), (.expired, "expired undeliverable"), (.rejected, "failed undeliverable"),
            (.deleted, "failed undeliverable"), (.unknown, "failed undeliverable"),
        ])
    func bad(_ state: ReceiptState, _ fate: String) throws {
        let rig = Rig()
        let id = rig.accept()
        rig.answer(try #require(rig.hand()), .accepted(providerID: "a"))
        rig.hear("a", state)
        #expect(rig.fate(id) == fate)
    }

    @Test("A bad receipt while another part is on the wire waits for that part's answer, live and in replay")
    func badWhileOpen() throws {
        for last in [Outcome.accepted(providerID: "b"), .unknown, .notWritten, .throttled(status: 1)] {
            let rig = Rig()
            let id = rig.accept(parts: 2)
            let handover = try #require(rig.hand())
            rig.answer(handover, part: 0, .accepted(providerID: "a"))
            rig.hear("a", .undeliverable)
            #expect(rig.slot(id)?.state == .submitted)
            rig.answer(handover, part: 1, last)
            #expect(rig.fate(id) == "failed undeliverable", "after \(last)")
            rig.commit()
            #expect(rig.engine.slots.count == 0)
            rig.restart()
            #expect(rig.engine.openCount == 0)
        }
    }

    @Test(
        "Refused for good is failed; what cannot be encoded says so",
        arguments: [(Outcome.refused(status: 11), "failed refused"), (.unencodable, "failed cannot_be_encoded")])
    func refused(_ outcome: Outcome, _ fate: String) throws {
        let rig = Rig()
        let id = rig.accept()
        rig.answer(try #require(rig.hand()), outcome)
        #expect(rig.fate(id) == fate)
        rig.commit()
        #expect(rig.engine.slots.count == 0)
    }

    @Test("One part refused while the other is on the wire: nothing is handed over again, and the end comes with the last answer")
    func refusedPart() throws {
        for last in [Outcome.accepted(providerID: "b"), .notWritten, .unknown, .deferred(status: 1)] {
            let rig = Rig()
            let id = rig.accept(parts: 2)
            let handover = try #require(rig.hand())
            rig.answer(handover, part: 0, .refused(status: 11))
            rig.commit()
            #expect(rig.hand() == nil)
            rig.answer(handover, part: 1, last)
            #expect(rig.fate(id) == "failed refused")
            rig.commit()
            #expect(rig.engine.slots.count == 0)
        }
    }

    @Test("A part throttled while another is on the wire is not handed over before that one is answered")
    func throttledPart() throws {
        let rig = Rig()
        let id = rig.accept(parts: 2)
        let handover = try #require(rig.hand())
        rig.answer(handover, part: 0, .throttled(status: 0x58))
        rig.commit()
        #expect(rig.hand() == nil)
        rig.answer(handover, part: 1, .accepted(providerID: "b"))
        rig.commit()
        let again = try #require(rig.hand())
        #expect(again.partMask == 0b01 && again.attempt == 2 && again.partsReference == handover.partsReference)
        rig.answer(again, part: 0, .accepted(providerID: "a"))
        #expect(rig.fate(id) == "sent")
    }

    @Test("Throttled costs no attempt and goes before what had no turn")
    func throttled() throws {
        let rig = Rig()
        let first = rig.accept()
        rig.accept()
        for n in UInt8(1)...20 {
            let handover = try #require(rig.hand())
            #expect(handover.id == first && handover.attempt == n)
            rig.answer(handover, .throttled(status: 0x58))
            rig.commit()
        }
        #expect(rig.slot(first)?.strikes == 0)
    }

    @Test("A passing refusal waits by the class's pauses and ends when they are used up")
    func deferred() throws {
        let rig = Rig()
        let id = rig.accept(.otp)
        for n in 1...3 {
            rig.answer(try #require(rig.hand()), .deferred(status: 0x14))
            rig.commit()
            #expect(rig.slot(id)?.flags.contains(.waiting) == true && rig.slot(id)?.strikes == UInt8(n))
            #expect(rig.hand() == nil)
            rig.tick(seconds: 0.5)
            #expect(rig.hand() == nil)
            rig.tick(seconds: 12)
        }
        rig.answer(try #require(rig.hand()), .deferred(status: 0x14))
        #expect(rig.fate(id) == "failed attempts_used_up")
    }

    @Test("A pause goes on over a restart, and is no longer for a clock that jumped back")
    func pauseOverRestart() throws {
        let rig = Rig()
        rig.accept(.transactional)
        rig.answer(try #require(rig.hand()), .deferred(status: 0x14))
        rig.commit()
        rig.restart(clean: true, after: 1)
        #expect(rig.next() == nil)
        rig.tick(seconds: 6)
        rig.answer(try #require(rig.next()), .deferred(status: 0x14))
        rig.commit()
        rig.now.wall -= 3_600_000_000
        rig.restart(clean: true, after: 1)
        #expect(rig.next() == nil)
        rig.tick(seconds: 37)
        #expect(rig.next() != nil)
        let other = Rig()
        other.accept(.transactional)
        other.answer(try #require(other.hand()), .deferred(status: 0x14))
        other.commit()
        other.restart(clean: true, after: 100)
        #expect(other.next() != nil, "a pause that is over is none")
    }

    @Test("What was not written goes back as it was, first in its queue and without a record")
    func notWritten() throws {
        let rig = Rig()
        let first = rig.accept(parts: 2)
        rig.accept()
        let handover = try #require(rig.hand())
        #expect(rig.answer(handover, part: 0, .notWritten).isEmpty)
        #expect(rig.hand()?.id != first)
        #expect(rig.answer(handover, part: 1, .notWritten).isEmpty)
        let again = try #require(rig.hand())
        #expect(again.id == first && again.partMask == 0b11 && again.attempt == 2)
    }

    @Test("Not written after another part was deferred ends the attempt with a record, so that its pause holds")
    func notWrittenLast() throws {
        let rig = Rig()
        let id = rig.accept(parts: 2)
        let handover = try #require(rig.hand())
        rig.answer(handover, part: 0, .deferred(status: 0x14))
        let records = rig.answer(handover, part: 1, .notWritten)
        #expect(records.count == 1 && records[0].header.flags.contains(.settlesAttempt))
        rig.commit()
        #expect(rig.slot(id)?.strikes == 1 && rig.hand() == nil)
        rig.tick(seconds: 7)
        #expect(rig.hand()?.partMask == 0b11)
    }

    @Test("A second answer, one of an earlier attempt and one for a freed slot change nothing and are counted")
    func stale() throws {
        let rig = Rig()
        rig.accept()
        let handover = try #require(rig.hand())
        rig.answer(handover, .throttled(status: 1))
        #expect(rig.answer(handover, .accepted(providerID: "a")).isEmpty)
        rig.commit()
        let second = try #require(rig.hand())
        #expect(rig.answer(handover, .accepted(providerID: "a")).isEmpty)
        rig.answer(second, .refused(status: 1))
        rig.commit()
        #expect(rig.answer(second, .accepted(providerID: "a")).isEmpty)
        #expect(rig.engine.counts.staleAnswers == 3)
        #expect(rig.engine.counts.outcomes[Int(Outcome.refused(status: 0).code)] == 1)
    }

    @Test("Unknown follows the class table: at once, once, after half a minute, never")
    func unknown() throws {
        for (messageClass, wait, times) in [
            (MessageClass.security, 0.2, 5), (.service, 0.2, 1), (.transactional, 31.0, 1), (.otp, 31.0, 0),
        ] {
            let rig = Rig()
            let id = rig.accept(messageClass)
            for _ in 0..<times {
                rig.answer(try #require(rig.hand()), .unknown)
                rig.commit()
                #expect(rig.slot(id)?.state == .unknown && rig.hand() == nil)
                if wait > 1 { #expect(rig.tick(seconds: 29).isEmpty) }
                let records = rig.tick(seconds: wait)
                #expect(records.map(\.body) == [.resumed(.init(why: .unknown))])
                #expect(rig.slot(id)?.flags.contains(.possibleDuplicate) == true)
            }
            rig.answer(try #require(rig.hand()), .unknown)
            rig.commit()
            #expect(rig.tick(seconds: 60).isEmpty && rig.hand() == nil)
            rig.tick(seconds: Double(messageClass.validity) + 16 * 60)
            rig.tick(seconds: 1)
            #expect(rig.fate(id) == "expired no_receipt")
            #expect(rig.engine.slots.count == 0)
        }
    }

    @Test("Only the unknown parts go again")
    func unknownPart() throws {
        let rig = Rig()
        rig.accept(.service, parts: 3)
        let handover = try #require(rig.hand())
        rig.answer(handover, part: 0, .accepted(providerID: "a"))
        rig.answer(handover, part: 1, .unknown)
        rig.answer(handover, part: 2, .accepted(providerID: "c"))
        rig.commit()
        rig.tick(seconds: 0.2)
        #expect(rig.hand()?.partMask == 0b010)
    }

    @Test("Deadlines: not sent in time, no receipt, and none for what is on the wire")
    func deadlines() throws {
        let rig = Rig()
        let waiting = rig.accept(validity: 10)
        let slow = rig.accept(validity: 10)
        let sent = rig.accept(validity: 10)
        let first = try #require(rig.hand())
        let second = try #require(rig.hand())
        let third = try #require(rig.hand())
        rig.answer(first, .throttled(status: 1))
        rig.answer(third, .accepted(providerID: "c"))
        rig.commit()
        rig.tick(seconds: 11)
        #expect(rig.fate(waiting) == "expired not_sent_in_time")
        #expect(rig.slot(slow)?.state == .submitted)
        rig.answer(second, .throttled(status: 1))
        rig.tick(seconds: 2)
        rig.tick(seconds: 2)
        #expect(rig.fate(slow) == "expired not_sent_in_time")
        #expect(rig.engine.openCount == 1 && rig.engine.slots.count == 1)
        rig.tick(seconds: 15 * 60 - 20)
        #expect(rig.fate(sent) == "sent")
        rig.tick(seconds: 20)
        #expect(rig.fate(sent) == "expired no_receipt")
        #expect(rig.hand() == nil && rig.engine.slots.count == 0)
    }

    @Test("A clock that jumped back does not end a message early, and its deadline is looked at again")
    func jump() {
        let rig = Rig()
        let id = rig.accept(validity: 10)
        rig.pass(seconds: 0, wall: -3600)
        rig.tick(seconds: 11)
        #expect(rig.slot(id)?.state == .queued)
        rig.tick(seconds: 3600)
        #expect(rig.fate(id) == "expired not_sent_in_time")
    }

    @Test("A message whose record is not durable yet is looked at again soon")
    func pending() {
        let rig = Rig()
        guard case .accepted(let id, _) = rig.verdict(validity: 1) else { return #expect(Bool(false)) }
        rig.pass(seconds: 2)
        rig.step { $0.engine.tick(&$0.turn) }
        #expect(rig.slot(id)?.state == .queued)
        rig.commit()
        rig.tick(seconds: 0.2)
        #expect(rig.fate(id) == "expired not_sent_in_time")
    }

    @Test(
        "A message that ended with parts on the wire is freed by the last answer",
        arguments: [Outcome.accepted(providerID: "x"), .unknown, .notWritten])
    func endedWhileOpen(_ last: Outcome) throws {
        let rig = Rig()
        let id = rig.accept(.service, parts: 2)
        let first = try #require(rig.hand())
        rig.answer(first, part: 0, .accepted(providerID: "a"))
        rig.answer(first, part: 1, .accepted(providerID: "b"))
        rig.commit()
        // As if part 1 were on the wire once more.
        let number = rig.engine.slots.number(of: id)
        rig.engine.slots.pointer(try #require(number)).pointee.openParts = 0b10
        rig.hear("a", .delivered)
        rig.hear("b", .delivered)
        rig.commit()
        #expect(rig.fate(id) == "delivered" && rig.engine.slots.count == 1)
        rig.answer(first, part: 1, last)
        rig.commit()
        #expect(rig.fate(id) == "delivered" && rig.engine.slots.count == 0)
    }
}

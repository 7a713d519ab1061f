import MartletModel
import Testing

@testable import MartletEngine

/// Cancellations that have to wait, and what is learnt of a group.
extension AskingTests {
    // MARK: Wishes

    @Test("A source's wish made while the message is on the wire is told to the provider once it has it; back in the queue it ends there")
    func wishOnTheWire() throws {
        let rig = rig()
        let id = rig.accept(.service)
        let handover = try #require(rig.next())
        var verdict: Cancellation?
        rig.step { verdict = $0.engine.cancel(id, source: 1, &$0.turn) }
        rig.tick(seconds: 1)
        #expect(verdict == .tooLate && rig.engine.takeInquiries().isEmpty)
        rig.answer(handover, .accepted(providerID: "p0"))
        rig.commit()
        rig.tick(seconds: 1)
        let item = try #require(rig.engine.takeInquiries().first)
        _ = answer(rig, item, .cancelled)
        #expect(rig.fate(id) == "cancelled cancelled_by_source" && rig.engine.inquiries.wishes.isEmpty)
        let other = self.rig()
        let back = other.accept(.service)
        let again = try #require(other.next())
        other.step { _ = $0.engine.cancel(back, source: 1, &$0.turn) }
        other.answer(again, .throttled(status: 0x58))
        other.commit()
        other.tick(seconds: 1)
        #expect(other.fate(back) == "cancelled cancelled_by_source" && other.next() == nil)
    }

    @Test("A wish waits for the open question, for somebody to be asked and for the end of a rest; what was delivered ends it")
    func wishWaits() throws {
        let rig = rig()
        let id = try sent(rig, .otp)
        let (question, _) = try #require(next(rig, within: 60))
        rig.step { _ = $0.engine.cancel(id, source: 1, &$0.turn) }
        #expect(rig.engine.takeInquiries().isEmpty)
        _ = answer(rig, question, .state(.enroute, error: 0, endedAt: 0))
        let (first, _) = try #require(next(rig, within: 2))
        #expect(first.what == .cancel && answer(rig, first, .notAsked, connection: "").isEmpty)
        let (second, after) = try #require(next(rig, within: 20))
        #expect(second.what == .cancel && after > 10)
        _ = answer(rig, second, .notNow(status: 0x58))
        rig.hear("p0", .delivered)
        rig.tick(seconds: 20)
        #expect(rig.fate(id) == "delivered" && rig.engine.inquiries.wishes.isEmpty && rig.engine.takeInquiries().isEmpty)
        let resting = self.rig()
        let ids = try [sent(resting, .service), sent(resting, .service)]
        resting.step { _ = $0.engine.cancel(ids[0], source: 1, &$0.turn) }
        _ = answer(resting, try #require(resting.engine.takeInquiries().first), .notKnown(status: 3))
        resting.step { _ = $0.engine.cancel(ids[1], source: 1, &$0.turn) }
        #expect(resting.engine.takeInquiries().isEmpty && resting.engine.inquiries.wishes.count == 1)
        resting.engine.askAnew(1)
        #expect(next(resting, within: 2)?.item.id == ids[1])
    }

    // MARK: Groups

    @Test("Codes go first, and room is kept for them; the bound counts parts")
    func strictFirst() throws {
        let rig = Rig {
            $0.inquiries = [1: .all]
            $0.codeRing = 1 << 20
        }
        var ids: [MessageID] = []
        for index in 0..<70 { ids.append(rig.accept(index == 69 ? .otp : .service, parts: index == 69 ? 1 : 4)) }
        while let handover = rig.next() {
            for part in 0..<handover.parts { rig.answer(handover, part: part, .accepted(providerID: "q\(handover.slot.index)-\(part)")) }
        }
        rig.commit()
        rig.step { for id in ids { _ = $0.engine.cancel(id, source: 1, &$0.turn) } }
        let items = rig.engine.takeInquiries()
        #expect(items.count == 49 && items[0].isStrict && items.dropFirst().allSatisfy { !$0.isStrict })
        #expect(rig.engine.inquiries.wishes.count == 21)
    }

    @Test("After a rest one inquiry goes first; its failure is the next rest, its answer lets the others through")
    func probe() throws {
        for (result, rests) in [(InquiryAnswer.Result.silent, true), (.cancelled, false), (.notAsked, false)] {
            let rig = rig(.cancel)
            var ids: [MessageID] = []
            for index in 0..<4 {
                ids.append(rig.accept(.service))
                rig.answer(try #require(rig.next()), .accepted(providerID: "p\(index)"))
            }
            rig.commit()
            rig.step { _ = $0.engine.cancel(ids[0], source: 1, &$0.turn) }
            _ = answer(rig, try #require(rig.engine.takeInquiries().first), .notKnown(status: 3))
            rig.tick(seconds: 3601)
            rig.step { for id in ids[1...] { _ = $0.engine.cancel(id, source: 1, &$0.turn) } }
            let items = rig.engine.takeInquiries()
            #expect(items.count == 1)
            _ = answer(rig, items[0], result)
            let isResting = rig.engine.rests(.cancel, 1, rig.now)
            #expect(isResting == rests)
            rig.tick(seconds: 1)
            #expect(rig.engine.takeInquiries().count == (rests ? 0 : result == .cancelled ? 2 : 1))
        }
    }

    @Test("A bind lost with three questions open is one failure, and keeps each try; a provider that is too busy costs none")
    func lostAndBusy() throws {
        let rig = rig(.query)
        var ids: [MessageID] = []
        for index in 0..<3 {
            ids.append(rig.accept(.security))
            rig.answer(try #require(rig.next()), .accepted(providerID: "p\(index)"))
        }
        rig.commit()
        rig.tick(seconds: 80)
        for round in 1...3 {
            var items = rig.engine.takeInquiries()
            while items.count < 3, let (item, _) = next(rig, within: 400 * Double(round * round)) { items.append(item) }
            #expect(items.count == 3)
            let answers = items.map { InquiryAnswer(slot: $0.slot, what: .query, part: 0, providerID: "p", result: .lost) }
            let records = rig.step { $0.engine.asked(answers, connection: "harbour-1", &$0.turn) }
            rig.commit()
            #expect(records.map(\.header.kind) == [.asked, .asked, .asked] && ids.allSatisfy { rig.slot($0)?.tries == UInt8(round) })
            let rests = rig.engine.rests(.query, 1, rig.now)
            #expect(rests == (round == 3))
        }
        let busy = self.rig(.query)
        let id = try sent(busy, .otp)
        for _ in 0..<6 {
            let (item, _) = try #require(next(busy, within: 30))
            #expect(answer(busy, item, .notNow(status: 0x58)).isEmpty && busy.slot(id)?.tries == 0)
        }
        let rests = busy.engine.rests(.query, 1, busy.now)
        #expect(!rests && busy.engine.counts.inquiries[1][9] == 6)
    }

    @Test("A provider that cannot tell of old messages is asked about young ones; another permission ends a rest")
    func oldAndReload() throws {
        let rig = rig(.query)
        for index in 0..<5 {
            _ = rig.accept(.service)
            rig.answer(try #require(rig.next()), .accepted(providerID: "p\(index)"))
        }
        rig.commit()
        rig.tick(seconds: 4400)
        let items = rig.engine.takeInquiries()
        #expect(items.count == 5)
        for item in items { _ = answer(rig, item, .refused(status: 0x67)) }
        let old = rig.engine.rests(.query, 1, rig.now)
        #expect(!old)
        _ = try sent(rig, .security)
        let (item, _) = try #require(next(rig, within: 90))
        _ = answer(rig, item, .notKnown(status: 3))
        let before = rig.engine.rests(.query, 1, rig.now)
        rig.engine.set(inquiries: [1: .all])
        let after = rig.engine.rests(.query, 1, rig.now)
        #expect(before && !after)
    }

    @Test("A code past its deadline is asked about where taking back rests")
    func queryWhileCancelRests() throws {
        let rig = rig()
        let ids = try [sent(rig, .service), sent(rig, .otp)]
        rig.step { _ = $0.engine.cancel(ids[0], source: 1, &$0.turn) }
        _ = answer(rig, try #require(rig.engine.takeInquiries().first), .notKnown(status: 3))
        var seen: [Inquiry.What] = []
        while let (item, _) = next(rig, within: 700) {
            seen.append(item.what)
            _ = answer(rig, item, .state(.enroute, error: 0, endedAt: 0))
        }
        #expect(seen == [.query, .query, .query, .query])
    }

    @Test("An answer for a part whose receipt came meanwhile changes nothing")
    func partGone() throws {
        let rig = rig(.query)
        let id = try sent(rig, .security, parts: 2)
        let (item, _) = try #require(next(rig, within: 90))
        rig.hear("p0", .delivered)
        #expect(answer(rig, item, .state(.undeliverable, error: 0, endedAt: 0), part: 0).isEmpty && rig.fate(id) == "sent")
        _ = answer(rig, item, .state(.delivered, error: 0, endedAt: 0), part: 1)
        #expect(rig.fate(id) == "delivered")
    }

    @Test("How often it was asked about is carried forward; a part of an unknown message is asked about after a restart")
    func carriedTries() throws {
        let rig = rig(.query)
        let id = try sent(rig, .security)
        let (item, _) = try #require(next(rig, within: 90))
        _ = answer(rig, item, .state(.enroute, error: 0, endedAt: 0))
        var tries: UInt8?
        if let number = rig.engine.slots.number(of: id) { tries = rig.engine.snapshot(number, [], rig.now).tries }
        #expect(tries == 1)
        let other = self.rig(.query)
        let unknown = other.accept(.otp, parts: 2)
        let handover = try #require(other.next())
        other.answer(handover, part: 0, .accepted(providerID: "p0"))
        other.answer(handover, part: 1, .unknown)
        other.commit()
        other.restart()
        other.commit()
        #expect(other.fate(unknown) == "unknown" && next(other, within: 60)?.item.parts == 1)
        // It died between the two answers.
        let third = self.rig(.query)
        _ = third.accept(.otp, parts: 2)
        third.answer(try #require(third.next()), part: 0, .accepted(providerID: "p0"))
        third.commit()
        third.restart(after: 20)
        third.commit()
        #expect(next(third, within: 60)?.item.parts == 1)
    }
}

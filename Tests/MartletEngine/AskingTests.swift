import MartletModel
import Testing

@testable import MartletEngine

/// Messages whose receipts stay out: asked about, told to be forgotten, settled by what is said.
@Suite("Asking providers")
struct AskingTests {
    func rig(_ allowed: InquirySet = .all) -> Rig { Rig { $0.inquiries = [1: allowed] } }

    /// Sent in so many parts, each with its id `p0`, `p1` and so on.
    func sent(_ rig: Rig, _ messageClass: MessageClass, parts: Int = 1) throws -> MessageID {
        let id = rig.accept(messageClass, parts: parts)
        let handover = try #require(rig.next())
        for part in 0..<parts { rig.answer(handover, part: UInt8(part), .accepted(providerID: "p\(part)")) }
        rig.commit()
        #expect(rig.fate(id) == "sent")
        return id
    }

    func answer(
        _ rig: Rig, _ item: Engine.Asking, _ result: InquiryAnswer.Result, part: UInt8 = 0, connection: String = "harbour-1"
    ) -> [Record] {
        let answer = InquiryAnswer(slot: item.slot, what: item.what, part: part, providerID: "p\(part)", result: result)
        let records = rig.step { $0.engine.asked([answer], connection: connection, &$0.turn) }
        rig.commit()
        return records
    }

    /// The next inquiry, and the seconds it took to come; nil: none within `limit`.
    func next(_ rig: Rig, within limit: Double) -> (item: Engine.Asking, after: Double)? {
        var passed = 0.0
        while passed < limit {
            rig.tick(seconds: 1)
            passed += 1
            if let item = rig.engine.takeInquiries().first { return (item, passed) }
        }
        return nil
    }

    @Test("A code without a receipt is asked about after 20 s; its answer ends it as a receipt would, and the record says so")
    func settled() throws {
        let rig = rig(.query)
        let id = try sent(rig, .otp)
        let (item, after) = try #require(next(rig, within: 60))
        #expect((16...25).contains(after) && item.what == .query && item.id == id && item.group == 1 && item.parts == 1)
        #expect(item.newest == rig.slot(id)?.last && item.payloadAt == rig.slot(id)?.payloadAt)
        let records = answer(rig, item, .state(.delivered, error: 0, endedAt: 1_790_000_020))
        #expect(
            records.map(\.body) == [
                .receipt(.init(part: 0, state: .delivered, error: 0, providerID: "p0", isAnswer: true, endedAt: 1_790_000_020))
            ])
        #expect(rig.fate(id) == "delivered" && rig.engine.slots.count == 0 && rig.engine.counts.settledByQuery == 1)
        #expect(rig.engine.counts.inquiries[1][1] == 1)
        // The answer again, and the receipt after all: nothing is undone.
        #expect(answer(rig, item, .state(.undeliverable, error: 1, endedAt: 0)).isEmpty && rig.engine.counts.staleAnswers == 1)
        #expect(rig.hear("p0", .undeliverable).strays.count == 1 && rig.fate(id) == "delivered")
    }

    @Test(
        "A bad state ends the message with what it says",
        arguments: [
            (ReceiptState.undeliverable, "failed undeliverable"), (.expired, "expired undeliverable"), (.rejected, "failed undeliverable"),
            (.deleted, "failed undeliverable"),
        ])
    func bad(_ state: ReceiptState, _ fate: String) throws {
        let rig = rig(.query)
        let id = try sent(rig, .security)
        let (item, _) = try #require(next(rig, within: 90))
        _ = answer(rig, item, .state(state, error: 5, endedAt: 0))
        #expect(rig.fate(id) == fate)
    }

    @Test("What is on its way, or not known, is asked about again after four times as long, and over restarts")
    func again() throws {
        let rig = rig(.query)
        let id = try sent(rig, .transactional)
        var waits: [Double] = []
        for state in [ReceiptState.enroute, .unknown, .accepted] {
            let (item, after) = try #require(next(rig, within: 20_000))
            waits.append(after)
            let records = answer(rig, item, .state(state, error: 0, endedAt: 0))
            let asked = RecordBody.Asked(
                what: .query, part: 0, tries: UInt8(waits.count), result: .state(state, error: 0, endedAt: 0), providerID: "p0",
                connection: "harbour-1")
            #expect(records.map(\.body) == [.asked(asked)] && rig.fate(id) == "sent")
            if waits.count == 2 {
                rig.restart(after: 0)
                rig.commit()
                #expect(rig.slot(id)?.tries == 2, "the log knows how often it was asked about")
            }
        }
        #expect((480...725).contains(waits[0]) && (1920...2890).contains(waits[1]) && (7680...11_530).contains(waits[2]), "\(waits)")
        let (last, _) = try #require(next(rig, within: 50_000))
        _ = answer(rig, last, .refused(status: 0x0C))
        #expect(rig.slot(id)?.tries == 4)
        rig.tick(seconds: 86_000)
        #expect(rig.engine.takeInquiries().isEmpty && rig.fate(id) == "expired no_receipt", "four questions are all")
    }

    @Test("The last question comes a minute before the message is given up")
    func lastQuestion() throws {
        let rig = rig(.query)
        let id = try sent(rig, .security)
        var passed = 0.0
        for _ in 0..<4 {
            let (item, after) = try #require(next(rig, within: 5000))
            passed += after
            _ = answer(rig, item, .state(.enroute, error: 0, endedAt: 0))
        }
        #expect((4439...4442).contains(passed), "\(passed)")
        rig.tick(seconds: 61)
        #expect(rig.fate(id) == "expired no_receipt")
    }

    @Test("Marketing is not asked about, nor what the operator's profile forbids, nor what no provider has")
    func notAsked() throws {
        let quiet = rig()
        let id = try sent(quiet, .marketing)
        #expect(next(quiet, within: 7200) == nil && quiet.fate(id) == "sent")
        let forbidden = rig([])
        _ = try sent(forbidden, .security)
        #expect(next(forbidden, within: 3600) == nil)
        let unknown = rig()
        _ = unknown.accept(.otp)
        unknown.answer(try #require(unknown.hand()), .unknown)
        unknown.commit()
        #expect(next(unknown, within: 1000) == nil, "without an id nothing can be named")
    }

    @Test("A part that was answered is asked about while another stays unknown; a bad state of it ends the message")
    func unknownPart() throws {
        let rig = rig(.query)
        let id = rig.accept(.otp, parts: 2)
        let handover = try #require(rig.next())
        rig.answer(handover, part: 0, .accepted(providerID: "p0"))
        rig.answer(handover, part: 1, .unknown)
        rig.commit()
        #expect(rig.fate(id) == "unknown")
        let (item, _) = try #require(next(rig, within: 60))
        #expect(item.parts == 1)
        _ = answer(rig, item, .state(.undeliverable, error: 0, endedAt: 0))
        #expect(rig.fate(id) == "failed undeliverable")
    }

    @Test("Permissions that come later hold for what was sent before")
    func reload() throws {
        let rig = rig([])
        _ = try sent(rig, .security)
        rig.engine.set(inquiries: [1: .query])
        #expect(next(rig, within: 120)?.item.what == .query)
    }

    @Test("An operator that does not know the command is left alone for an hour; one that fails or is silent after three in a row")
    func learns() throws {
        for (result, times) in [
            (InquiryAnswer.Result.notKnown(status: 3), 1), (.refused(status: 0x67), 3), (.silent, 3), (.refused(status: 0x0C), 99),
            (.notAsked, 99),
        ] {
            let rig = rig(.query)
            var asked = 0
            for _ in 0..<4 { _ = rig.accept(.security) }
            while let handover = rig.next() {
                rig.answer(handover, .accepted(providerID: "p\(asked)"))
                asked += 1
            }
            rig.commit()
            rig.tick(seconds: 80)
            let items = rig.engine.takeInquiries()
            #expect(items.count == 4)
            for (index, item) in items.enumerated() {
                let rests = rig.engine.rests(.query, 1, rig.now)
                #expect(rests == (index >= times))
                _ = answer(rig, item, result)
            }
            #expect(rig.engine.counts.inquiriesRested == (times <= 4 ? 1 : 0))
            #expect((next(rig, within: 400) == nil) == (times <= 4))
            let cancelRests = rig.engine.rests(.cancel, 1, rig.now)
            #expect(!cancelRests)
            guard times <= 4 else { continue }
            // Asked again when the rest is over, in the time that their receipts still have.
            #expect(next(rig, within: 3700)?.item.what == .query)
            let rests = rig.engine.rests(.query, 1, rig.now)
            #expect(!rests)
        }
    }

    @Test("A question that reached nobody does not count; an id that is gone does")
    func unasked() throws {
        let rig = rig(.query)
        let id = try sent(rig, .otp)
        let (item, _) = try #require(next(rig, within: 60))
        #expect(answer(rig, item, .notAsked, connection: "").isEmpty && rig.slot(id)?.tries == 0)
        let (other, after) = try #require(next(rig, within: 60))
        #expect(after <= 25)
        #expect(answer(rig, other, .notFound, connection: "").isEmpty && rig.slot(id)?.tries == 1)
        #expect(rig.engine.counts.inquiries[1][6] == 1 && rig.engine.counts.inquiries[1][7] == 1)
    }

    @Test("No more than 256 messages of a group are asked about at once; the others have their turn later")
    func bounded() throws {
        let rig = Rig {
            $0.inquiries = [1: .query]
            $0.codeRing = 1 << 20
        }
        for _ in 0..<300 { _ = rig.accept(.otp) }
        var made = 0
        while let handover = rig.next() {
            rig.answer(handover, .accepted(providerID: "p\(made)"))
            made += 1
        }
        rig.commit()
        rig.tick(seconds: 26)
        let items = rig.engine.takeInquiries()
        #expect(made == 300 && items.count == 256)
        for item in items { _ = answer(rig, item, .state(.delivered, error: 0, endedAt: 0)) }
        rig.tick(seconds: 26)
        #expect(rig.engine.takeInquiries().count == 44)
    }

    // MARK: Forgetting

    @Test("A code past its deadline is taken back from its provider: expired, withdrawn; another class is left to it")
    func withdrawn() throws {
        let rig = rig(.cancel)
        let id = try sent(rig, .otp)
        let (item, after) = try #require(next(rig, within: 300))
        #expect(item.what == .cancel && (178...182).contains(after))
        let records = answer(rig, item, .cancelled)
        #expect(records.map(\.header.kind) == [.asked, .ended] && rig.fate(id) == "expired withdrawn" && rig.engine.slots.count == 0)
        let other = self.rig(.cancel)
        _ = try sent(other, .security)
        #expect(next(other, within: 4000) == nil)
    }

    @Test("A cancellation that fails leaves the message as it was, is not tried again, and it is asked about further")
    func refused() throws {
        let rig = rig()
        let id = try sent(rig, .otp)
        var kinds: [Inquiry.What] = []
        for _ in 0..<4 {
            guard let (item, _) = next(rig, within: 1000) else { break }
            kinds.append(item.what)
            _ = answer(rig, item, item.what == .cancel ? .refused(status: 0x11) : .state(.enroute, error: 0, endedAt: 0))
            #expect(rig.fate(id) == "sent")
        }
        #expect(kinds == [.query, .query, .cancel, .query])
        rig.hear("p0", .delivered)
        #expect(rig.fate(id) == "delivered")
    }

    @Test("A source that cancels what a provider has hears that it is too late; the provider is told, and what it does is the end")
    func bySource() throws {
        let rig = rig()
        let id = try sent(rig, .service, parts: 2)
        var verdict: Cancellation?
        rig.step { verdict = $0.engine.cancel(id, source: 1, &$0.turn) }
        rig.step { _ = $0.engine.cancel(id, source: 1, &$0.turn) }
        #expect(verdict == .tooLate)
        let items = rig.engine.takeInquiries()
        #expect(items.count == 1 && items[0].what == .cancel && items[0].parts == 3)
        _ = answer(rig, items[0], .cancelled, part: 1)
        #expect(rig.fate(id) == "sent", "the handset may still get the other part")
        _ = answer(rig, items[0], .cancelled, part: 0)
        #expect(rig.fate(id) == "cancelled cancelled_by_source")
    }

    @Test("A part forgotten and another not: the message cannot arrive whole, and fails")
    func partly() throws {
        let rig = rig()
        let id = try sent(rig, .service, parts: 2)
        rig.step { _ = $0.engine.cancel(id, source: 1, &$0.turn) }
        let item = try #require(rig.engine.takeInquiries().first)
        _ = answer(rig, item, .cancelled, part: 1)
        _ = answer(rig, item, .refused(status: 0x11), part: 0)
        #expect(rig.fate(id) == "failed undeliverable")
    }

    @Test("The receipt that a provider deleted it, before its answer to the cancellation, is that answer")
    func deletedFirst() throws {
        let rig = rig()
        let id = try sent(rig, .service)
        rig.step { _ = $0.engine.cancel(id, source: 1, &$0.turn) }
        let item = try #require(rig.engine.takeInquiries().first)
        #expect(rig.hear("p0", .deleted).records.map(\.header.kind) == [.asked, .ended])
        #expect(rig.fate(id) == "cancelled cancelled_by_source")
        #expect(answer(rig, item, .cancelled).isEmpty)
    }

    @Test("A cancellation that reached nobody is tried again at the deadline's side; a part that was delivered is never taken back")
    func notReached() throws {
        let rig = rig(.cancel)
        _ = try sent(rig, .otp)
        let (item, _) = try #require(next(rig, within: 300))
        _ = answer(rig, item, .notAsked, connection: "")
        #expect(try #require(next(rig, within: 20)).item.what == .cancel)
        let other = self.rig()
        let id = try sent(other, .service, parts: 2)
        other.hear("p0", .delivered)
        other.step { _ = $0.engine.cancel(id, source: 1, &$0.turn) }
        #expect(other.engine.takeInquiries().isEmpty)
    }

    @Test("An answer to a message that ended meanwhile changes nothing, and its place is free")
    func endedMeanwhile() throws {
        let rig = rig(.query)
        let id = try sent(rig, .security)
        let (item, _) = try #require(next(rig, within: 90))
        rig.hear("p0", .delivered)
        rig.commit()
        #expect(answer(rig, item, .state(.undeliverable, error: 0, endedAt: 0)).isEmpty && rig.fate(id) == "delivered")
        #expect(rig.engine.inquiries.open.isEmpty)
    }

    @Test("The cancel's answer for one part, its receipt, and the answer for the other, in that order, are the source's cancellation")
    func deletedBetween() throws {
        let rig = rig()
        let id = try sent(rig, .service, parts: 2)
        rig.step { _ = $0.engine.cancel(id, source: 1, &$0.turn) }
        let item = try #require(rig.engine.takeInquiries().first)
        _ = answer(rig, item, .cancelled, part: 0)
        #expect(rig.hear("p0", .deleted).records.isEmpty && rig.fate(id) == "sent")
        _ = answer(rig, item, .cancelled, part: 1)
        #expect(rig.fate(id) == "cancelled cancelled_by_source")
    }

    @Test("A cancellation whose answer stayed out is answered by the receipt that it was deleted; one that was refused is not")
    func deletedLater() throws {
        for (messageClass, result, fate) in [
            (MessageClass.service, InquiryAnswer.Result.silent, "cancelled cancelled_by_source"),
            (.service, .lost, "cancelled cancelled_by_source"), (.service, .refused(status: 0x11), "failed undeliverable"),
            (.otp, .silent, "expired withdrawn"),
        ] {
            for asks in [false, true] {
                let rig = rig(asks ? .all : .cancel)
                let id = try sent(rig, messageClass)
                if messageClass == .service { rig.step { _ = $0.engine.cancel(id, source: 1, &$0.turn) } }
                var item = try #require(rig.engine.takeInquiries().first ?? next(rig, within: 300)?.item)
                while item.what == .query {
                    _ = answer(rig, item, .state(.enroute, error: 0, endedAt: 0))
                    item = try #require(next(rig, within: 300)?.item)
                }
                _ = answer(rig, item, result)
                // Who wished it is in the log.
                rig.restart()
                rig.commit()
                if asks {
                    let query = try #require(next(rig, within: 20_000)?.item)
                    #expect(query.what == .query)
                    _ = answer(rig, query, .state(.deleted, error: 0, endedAt: 0))
                } else {
                    rig.hear("p0", .deleted)
                }
                #expect(rig.fate(id) == fate, "\(messageClass) \(result) \(asks)")
            }
        }
    }

    /// Cancelled by its source, and its provider answered no cancellation.
    private func unanswered(_ rig: Rig) throws -> MessageID {
        let id = try sent(rig, .service, parts: 3)
        rig.step { _ = $0.engine.cancel(id, source: 1, &$0.turn) }
        let item = try #require(rig.engine.takeInquiries().first)
        for part in UInt8(0)..<3 { _ = answer(rig, item, .silent, part: part) }
        return id
    }

    @Test("A long message whose cancellation stayed unanswered is cancelled when every part was deleted, over a restart too")
    func deletedParts() throws {
        for restarts in [false, true] {
            let rig = rig(.cancel)
            let id = try unanswered(rig)
            #expect(rig.hear("p1", .deleted).records.map(\.header.kind) == [.asked] && rig.fate(id) == "sent")
            #expect(rig.hear("p1", .deleted).records.isEmpty, "the same once more")
            rig.hear("p0", .deleted)
            rig.commit()
            if restarts {
                rig.restart()
                rig.commit()
            }
            #expect(rig.fate(id) == "sent")
            #expect(rig.hear("p2", .deleted).records.map(\.header.kind) == [.asked, .ended])
            #expect(rig.fate(id) == "cancelled cancelled_by_source", "restart: \(restarts)")
        }
    }

    @Test("Where a part comes to the handset after another was deleted, the message fails: it never arrives whole")
    func deletedAndDelivered() throws {
        let rig = rig(.cancel)
        let id = try unanswered(rig)
        rig.hear("p1", .deleted)
        #expect(rig.hear("p0", .delivered).records.map(\.header.kind) == [.receipt, .receipt])
        #expect(rig.fate(id) == "failed undeliverable")
        // The other way round it was delivered in part before.
        let other = self.rig(.cancel)
        let second = try unanswered(other)
        other.hear("p0", .delivered)
        other.hear("p1", .deleted)
        #expect(other.fate(second) == "failed undeliverable")
    }

    @Test("Beyond the room for messages of which some parts were deleted, the next one fails by its receipt as before")
    func deletedRoom() throws {
        let rig = rig(.cancel)
        let id = try unanswered(rig)
        for number in 0..<Inquiries.forgottenMaximum {
            rig.engine.inquiries.forgot(0, "x", of: SlotReference(index: UInt32(number + 1000), generation: 9))
        }
        // Those of messages that are gone make room.
        #expect(rig.hear("p1", .deleted).records.map(\.header.kind) == [.asked])
        #expect(rig.engine.inquiries.forgotten.count == 1 && rig.fate(id) == "sent")
    }
}

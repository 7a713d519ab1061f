public import MartletModel

/// Asking providers about messages whose final receipt stays out, and telling them to forget what has no use any more. By the class
/// table, where the operator's profile allows it. An answer settles a part as a receipt would.
///
/// How often a message was asked about stands in `tries`, which counts something else only after its end.
extension Engine {
    /// Questions about one message.
    static let askMaximum: UInt8 = 4
    /// Time for the last one before the receipt's time is over.
    private static let lastQuestionMilliseconds: Int64 = 60_000
    /// Set in `tries` once the provider was told to forget it.
    static let cancelTried: UInt8 = 0x80

    /// A message whose parts the node looks up in the log, from its newest record back, and puts to a connection of its group.
    public struct Asking: Sendable {
        public var slot: SlotReference
        public var id: MessageID
        public var group: GroupNumber
        public var what: Inquiry.What
        public var parts: UInt16
        public var newest: UInt64
        public var payloadAt: UInt64

        public init(
            slot: SlotReference, id: MessageID, group: GroupNumber, what: Inquiry.What, parts: UInt16, newest: UInt64, payloadAt: UInt64
        ) {
            self.slot = slot
            self.id = id
            self.group = group
            self.what = what
            self.parts = parts
            self.newest = newest
            self.payloadAt = payloadAt
        }
    }

    /// Other permissions from now on. What was sent before gets its times by them with the next ticks.
    public mutating func set(inquiries: [GroupNumber: InquirySet]) {
        guard inquiries != configuration.inquiries else { return }
        configuration.inquiries = inquiries
        self.inquiries.cursor = 0
    }

    /// Slots looked at in one tick for new permissions.
    private static let lookStep: UInt32 = 65_536

    /// One stretch of the table; the whole of it at once would hold the loop for long.
    mutating func lookAgain(_ now: Instant) {
        guard let start = inquiries.cursor else { return }
        let stop = min(slots.bound, start &+ Engine.lookStep)
        for number in start..<stop where slots.pointer(number).pointee.id.high != 0 && slots.pointer(number).pointee.state == .sent {
            arm(number, wall: lookAt(number, now), now)
        }
        inquiries.cursor = stop < slots.bound ? stop : nil
    }

    private func allows(_ what: Inquiry.What, _ group: GroupNumber) -> Bool {
        configuration.inquiries[group]?.contains(InquirySet(what)) ?? false
    }

    /// Whether a group is left alone since its provider does not answer such inquiries.
    public func rests(_ what: Inquiry.What, _ group: GroupNumber, _ now: Instant) -> Bool {
        inquiries.rest(what, group, at: now.steady) > 0
    }

    // MARK: When

    /// Wall milliseconds at which a message that a provider has is looked at next: a question is due, or its provider is to forget it, or
    /// its time is over.
    mutating func lookAt(_ number: UInt32, _ now: Instant) -> Int64 {
        let slot = slots.pointer(number).pointee
        var at = receiptDeadline(slot)
        if mayAsk(slot), let first = slot.messageClass.askAfter {
            // Four times as long each time, and spread, so that what was sent together is not asked about together.
            let pause = jitter.spread(first * 1000 << Int64(2 * (slot.tries & ~Engine.cancelTried)))
            let next = now.wallMilliseconds + max(pause, inquiries.rest(.query, slot.group, at: now.steady) / 1000)
            // Before it is given up for want of a receipt, once more.
            let last = at - Engine.lastQuestionMilliseconds
            if last > now.wallMilliseconds { at = min(next, last) }
        }
        if mayWithdraw(slot) {
            let next = slot.deadline > now.wallMilliseconds ? slot.deadline : now.wallMilliseconds + jitter.spread(15_000)
            at = min(at, next + inquiries.rest(.cancel, slot.group, at: now.steady) / 1000)
        }
        return at
    }

    /// Parts that a provider has and that have not ended.
    private func standing(_ slot: Slot) -> UInt16 { slot.allParts & slot.answeredParts & ~slot.deliveredParts & ~slot.failedParts }

    private func mayAsk(_ slot: Slot) -> Bool {
        slot.tries & ~Engine.cancelTried < Engine.askMaximum && standing(slot) != 0 && allows(.query, slot.group)
    }

    private func mayWithdraw(_ slot: Slot) -> Bool {
        slot.messageClass.cancelsLate && mayCancel(slot)
    }

    /// All of it is with the provider, and nothing of it came to the handset.
    private func mayCancel(_ slot: Slot) -> Bool {
        slot.state == .sent && standing(slot) == slot.allParts && slot.tries & Engine.cancelTried == 0
            && allows(.cancel, slot.group)
    }

    /// The time of `lookAt` has come.
    mutating func look(_ number: UInt32, _ now: Instant) {
        let slot = slots.pointer(number).pointee
        if now.wallMilliseconds >= slot.deadline, mayWithdraw(slot) {
            inquire(.cancel, number, .withdrawn, now)
        } else if mayAsk(slot) {
            inquire(.query, number, .none, now)
        }
        arm(number, wall: lookAt(number, now), now)
    }

    /// Its source wants it no more: the provider is told so, where it may be.
    mutating func withdraw(_ number: UInt32, _ reason: EndReason, _ now: Instant) {
        if mayCancel(slots.pointer(number).pointee) { inquire(.cancel, number, reason, now) }
    }

    private mutating func inquire(_ what: Inquiry.What, _ number: UInt32, _ reason: EndReason, _ now: Instant) {
        let slot = slots.pointer(number)
        let reference = slots.reference(number)
        guard inquiries.open[reference] == nil, inquiries.hasRoom(slot.pointee.group),
            inquiries.rest(what, slot.pointee.group, at: now.steady) == 0
        else { return }
        switch what {
        case .query: slot.pointee.tries += 1
        case .cancel: slot.pointee.tries |= Engine.cancelTried
        }
        inquiries.begin(reference, .init(what: what, group: slot.pointee.group, reason: reason, left: standing(slot.pointee)))
    }

    // MARK: What

    public var hasInquiries: Bool { !inquiries.wanted.isEmpty }

    /// What is to be asked now. What has a record on its way to the disk waits.
    public mutating func takeInquiries() -> [Asking] {
        var list: [Asking] = []
        var waiting: [SlotReference] = []
        for reference in inquiries.wanted {
            guard let one = inquiries.open[reference] else { continue }
            guard let number = slots.number(of: reference), !slots.pointer(number).pointee.state.isEnd else {
                inquiries.end(reference)
                continue
            }
            let slot = slots.pointer(number).pointee
            if slot.pending > 0 {
                waiting.append(reference)
                continue
            }
            list.append(
                Asking(
                    slot: reference, id: slot.id, group: slot.group, what: one.what, parts: one.left, newest: slot.last,
                    payloadAt: slot.payloadAt))
        }
        inquiries.wanted = waiting
        return list
    }

    // MARK: Answers

    /// Takes what a provider said. An answer to what was not asked, or a second one, changes nothing.
    /// - Parameter connection: its name; empty where none was asked.
    public mutating func asked(_ batch: [InquiryAnswer], connection: String, _ turn: inout Turn) {
        for item in batch { asked(item, connection, &turn) }
    }

    private mutating func asked(_ item: InquiryAnswer, _ connection: String, _ turn: inout Turn) {
        let bit: UInt16 = 1 << UInt16(item.part & 15)
        guard var one = inquiries.open[item.slot], one.what == item.what, one.left & bit != 0 else {
            counts.staleAnswers += 1
            return
        }
        one.left &= ~bit
        counts.inquiries[Int(item.what.rawValue)][Int(item.result.code)] += 1
        if inquiries.learn(item.what, one.group, item.result, at: turn.now.steady) { counts.inquiriesRested += 1 }
        if item.result == .cancelled {
            one.cancelled |= bit
            one.cancelledID = clipped(item.providerID)
        }
        if item.result != .notAsked { one.asked |= bit }
        if one.left == 0 { inquiries.end(item.slot) } else { inquiries.update(item.slot, one) }
        guard let number = slots.number(of: item.slot), !slots.pointer(number).pointee.state.isEnd else { return }
        record(item, number, connection, &turn)
        if one.left == 0, !slots.pointer(number).pointee.state.isEnd { concluded(one, number, &turn) }
    }

    private mutating func record(_ item: InquiryAnswer, _ number: UInt32, _ connection: String, _ turn: inout Turn) {
        let slot = slots.pointer(number)
        switch item.result {
        case .notAsked, .notFound: return
        case .state(let state, let error, let endedAt) where state.settles:
            counts.settledByQuery += 1
            let receipt = RecordBody.Receipt(
                part: item.part, state: state, error: error, providerID: clipped(item.providerID), isAnswer: true, endedAt: endedAt)
            emit(.receipt(receipt), number, &turn, flags: slot.pointee.openParts == 0 ? .settlesAttempt : [])
        case .state, .cancelled, .refused, .notKnown, .silent:
            let asked = RecordBody.Asked(
                what: item.what, part: item.part, tries: slot.pointee.tries, result: item.result, providerID: clipped(item.providerID),
                connection: connection)
            emit(.asked(asked), number, &turn)
        }
    }

    /// A receipt that the provider deleted a part, while it is being told to: the same as its answer, which may come later.
    mutating func forgets(_ number: UInt32, _ part: UInt8, _ providerID: String, _ turn: inout Turn) -> Bool {
        let reference = slots.reference(number)
        guard let one = inquiries.open[reference], one.what == .cancel, one.left >> UInt16(part & 15) & 1 == 1 else { return false }
        let answer = InquiryAnswer(slot: reference, what: .cancel, part: part, providerID: providerID, result: .cancelled)
        asked(answer, "", &turn)
        return true
    }

    /// Every part has its answer, and the message is open still.
    private mutating func concluded(_ one: Inquiries.Open, _ number: UInt32, _ turn: inout Turn) {
        let slot = slots.pointer(number)
        switch one.what {
        case .query:
            // Nobody was there to be asked: that was no question.
            if one.asked == 0, slot.pointee.tries & ~Engine.cancelTried > 0 { slot.pointee.tries -= 1 }
        case .cancel:
            if one.asked == 0 { slot.pointee.tries &= ~Engine.cancelTried }
            if slot.pointee.state == .sent, one.cancelled == slot.pointee.allParts, slot.pointee.deliveredParts == 0 {
                let state: MessageState = one.reason == .withdrawn ? .expired : .cancelled
                return emit(.ended(.init(state: state, reason: one.reason)), number, &turn, after: .retire)
            }
            if one.cancelled != 0 {
                // Some of it comes to the handset, and never all of it.
                let part = UInt8(one.cancelled.trailingZeroBitCount)
                let receipt = RecordBody.Receipt(part: part, state: .deleted, error: 0, providerID: one.cancelledID, isAnswer: true)
                return emit(.receipt(receipt), number, &turn, flags: slot.pointee.openParts == 0 ? .settlesAttempt : [])
            }
        }
        if slot.pointee.state == .sent { arm(number, wall: lookAt(number, turn.now), turn.now) }
    }

    /// The fold of it: nothing but how often it was asked about.
    mutating func asked(_ it: RecordBody.Asked, _ number: UInt32) {
        let slot = slots.pointer(number)
        let times = max(slot.pointee.tries & ~Engine.cancelTried, it.tries & ~Engine.cancelTried)
        slot.pointee.tries = times | (slot.pointee.tries | it.tries) & Engine.cancelTried
    }
}

extension ReceiptState {
    /// Whether an answer with this state settles its part. A provider that says `unknown` has forgotten the part, or never looked: its
    /// receipt may still tell.
    var settles: Bool { isFinal && self != .unknown }
}

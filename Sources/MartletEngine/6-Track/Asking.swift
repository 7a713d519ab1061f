public import MartletModel

/// Asking providers about messages whose final receipt stays out, and telling them to forget what has no use any more. By the class
/// table, where the operator's profile allows it. An answer settles a part as a receipt would.
///
/// How often a message was asked about stands in `tries`, which counts something else only after its end. In the log it stands with what
/// was said, and with a message carried forward; a question for an id that is gone counts in this process only, since nothing was said.
extension Engine {
    /// Questions about one message.
    static let askMaximum: UInt8 = 4
    /// Time for the last one before the receipt's time is over, where one is left.
    private static let lastQuestionMilliseconds: Int64 = 60_000
    /// Set in `tries` once the provider was told to forget it; where its source wished that; where the provider said no.
    static let cancelTried: UInt8 = 0x80
    static let cancelBySource: UInt8 = 0x40
    static let cancelRefused: UInt8 = 0x20
    static let cancelBits: UInt8 = 0xE0
    /// A provider that does not know a message of this age, in milliseconds, has not just forgotten it.
    static let youngMilliseconds: Int64 = 900_000
    /// Wait before a cancellation that reached nobody is tried again.
    static let againMilliseconds: Int64 = 15_000

    /// A message whose parts the node looks up in the log, from its newest record back, and puts to a connection of its group.
    public struct Asking: Sendable {
        public var slot: SlotReference
        public var id: MessageID
        public var group: GroupNumber
        public var what: Inquiry.What
        public var parts: UInt16
        public var newest: UInt64
        public var payloadAt: UInt64
        public var isStrict: Bool

        public init(
            slot: SlotReference, id: MessageID, group: GroupNumber, what: Inquiry.What, parts: UInt16, newest: UInt64, payloadAt: UInt64,
            isStrict: Bool = false
        ) {
            self.slot = slot
            self.id = id
            self.group = group
            self.what = what
            self.parts = parts
            self.newest = newest
            self.payloadAt = payloadAt
            self.isStrict = isStrict
        }
    }

    /// Other permissions from now on. What was sent before gets its times by them with the next ticks.
    public mutating func set(inquiries: [GroupNumber: InquirySet]) {
        guard inquiries != configuration.inquiries else { return }
        for group in Set(inquiries.keys).union(configuration.inquiries.keys) where inquiries[group] != configuration.inquiries[group] {
            askAnew(group)
        }
        configuration.inquiries = inquiries
        self.inquiries.cursor = 0
    }

    /// A group's provider may be another from now on: what was learnt of it is forgotten, and it is left alone no more.
    public mutating func askAnew(_ group: GroupNumber) {
        inquiries.forget(group)
        inquiries.cursor = 0
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
            let pause = jitter.spread(first * 1000 << Int64(2 * (slot.tries & ~Engine.cancelBits)))
            let next = now.wallMilliseconds + max(pause, inquiries.rest(.query, slot.group, at: now.steady) / 1000)
            // A question that would come later than that comes a minute before the message is given up.
            let last = at - Engine.lastQuestionMilliseconds
            if last > now.wallMilliseconds { at = min(next, last) }
        }
        if mayWithdraw(slot) {
            let next = slot.deadline > now.wallMilliseconds ? slot.deadline : now.wallMilliseconds + jitter.spread(Engine.againMilliseconds)
            at = min(at, next + inquiries.rest(.cancel, slot.group, at: now.steady) / 1000)
        }
        return at
    }

    /// Parts that a provider has and that have not ended.
    func standing(_ slot: Slot) -> UInt16 { slot.allParts & slot.answeredParts & ~slot.deliveredParts & ~slot.failedParts }

    private func mayAsk(_ slot: Slot) -> Bool {
        slot.tries & ~Engine.cancelBits < Engine.askMaximum && standing(slot) != 0 && allows(.query, slot.group)
    }

    private func mayWithdraw(_ slot: Slot) -> Bool {
        slot.messageClass.cancelsLate && mayCancel(slot)
    }

    /// All of it is with the provider, and nothing of it came to the handset.
    private func mayCancel(_ slot: Slot) -> Bool {
        slot.state == .sent && standing(slot) == slot.allParts && slot.tries & Engine.cancelTried == 0
            && allows(.cancel, slot.group)
    }

    /// The time of `lookAt` has come. What cannot be taken back now can still be asked about.
    mutating func look(_ number: UInt32, _ now: Instant) {
        let slot = slots.pointer(number).pointee
        let withdraws = now.wallMilliseconds >= slot.deadline && mayWithdraw(slot)
        if !(withdraws && inquire(.cancel, number, .withdrawn, now)), mayAsk(slot) { _ = inquire(.query, number, .none, now) }
        arm(number, wall: lookAt(number, now), now)
    }

    /// - Returns: whether it is on its way; no while another one of this message is, or the group has no room or is left alone.
    private mutating func inquire(_ what: Inquiry.What, _ number: UInt32, _ reason: EndReason, _ now: Instant) -> Bool {
        let slot = slots.pointer(number)
        let reference = slots.reference(number)
        let one = Inquiries.Open(
            what: what, group: slot.pointee.group, isStrict: slot.pointee.messageClass.lane.isStrict, reason: reason,
            left: standing(slot.pointee))
        guard inquiries.open[reference] == nil, inquiries.admits(one, at: now.steady) else { return false }
        switch what {
        case .query: slot.pointee.tries += 1
        case .cancel: slot.pointee.tries |= Engine.cancelTried | (reason == .cancelledBySource ? Engine.cancelBySource : 0)
        }
        inquiries.begin(reference, one)
        return true
    }

    // MARK: Wishes

    /// Its source wants it no more: the provider is told so where it may be, now or when it can be.
    mutating func withdraw(_ number: UInt32, _ now: Instant) {
        let slot = slots.pointer(number).pointee
        guard mayCome(slot) else { return }
        if mayCancel(slot), inquire(.cancel, number, .cancelledBySource, now) { return }
        inquiries.wish(slots.reference(number), notBefore: now.steady)
    }

    /// A wish that cannot be granted yet may be later: nothing of the message has come to the handset, and its provider was not told.
    private func mayCome(_ slot: Slot) -> Bool {
        guard !slot.state.isEnd, slot.deliveredParts | slot.failedParts == 0, slot.tries & Engine.cancelTried == 0 else { return false }
        // One that is on the wire may come back to its queue.
        return allows(.cancel, slot.group) || slot.state == .submitted || slot.state == .queued
    }

    /// Grants what can be granted now: one that came back whole to its queue is cancelled there, one that a provider has is taken back.
    mutating func grantWishes(_ turn: inout Turn) {
        guard !inquiries.wishes.isEmpty else { return }
        let wishes = inquiries.wishes
        inquiries.wishes.removeAll(keepingCapacity: true)
        for wish in wishes {
            guard let number = slots.number(of: wish.slot), mayCome(slots.pointer(number).pointee) else { continue }
            let slot = slots.pointer(number).pointee
            if slot.state == .queued, !slot.mayHaveLeft {
                emit(.ended(.init(state: .cancelled, reason: .cancelledBySource)), number, &turn, after: .retire)
                continue
            }
            if wish.notBefore <= turn.now.steady, mayCancel(slot), inquire(.cancel, number, .cancelledBySource, turn.now) { continue }
            inquiries.wishes.append(wish)
        }
    }

    // MARK: What

    public var hasInquiries: Bool { !inquiries.wanted.isEmpty }

    /// What is to be asked now, the strict lanes first. What has a record on its way to the disk waits.
    public mutating func takeInquiries() -> [Asking] {
        var list: [Asking] = []
        var others: [Asking] = []
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
            let asking = Asking(
                slot: reference, id: slot.id, group: slot.group, what: one.what, parts: one.left, newest: slot.last,
                payloadAt: slot.payloadAt, isStrict: one.isStrict)
            if one.isStrict { list.append(asking) } else { others.append(asking) }
        }
        inquiries.wanted = waiting
        // No code waits behind bulk.
        return list + others
    }
}

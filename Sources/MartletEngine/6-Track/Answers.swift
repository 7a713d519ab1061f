public import MartletModel

/// What providers say to inquiries, and what follows for the message.
extension Engine {
    /// Takes what a provider said. An answer to what was not asked, or a second one, changes nothing.
    /// - Parameter connection: its name; empty where none was asked.
    public mutating func asked(_ batch: [InquiryAnswer], connection: String, _ turn: inout Turn) {
        // However many were open, a bind is lost once.
        var lost: InquirySet = []
        for item in batch {
            asked(item, connection, learns: item.result != .lost || lost.insert(InquirySet(item.what)).inserted, &turn)
        }
    }

    private mutating func asked(_ item: InquiryAnswer, _ connection: String, learns: Bool, _ turn: inout Turn) {
        let bit: UInt16 = 1 << UInt16(item.part & 15)
        guard var one = inquiries.open[item.slot], one.what == item.what, one.left & bit != 0 else {
            counts.staleAnswers += 1
            return
        }
        one.left &= ~bit
        counts.inquiries[Int(item.what.rawValue)][Int(item.result.code)] += 1
        let open = slots.number(of: item.slot).flatMap { slots.pointer($0).pointee.state.isEnd ? nil : $0 }
        let age = open.map { turn.now.wallMilliseconds - slots.pointer($0).pointee.id.milliseconds }
        let isYoung = age.map { $0 < Engine.youngMilliseconds } ?? false
        if learns, inquiries.learn(item.what, one.group, item.result, isYoung: isYoung, at: turn.now.steady) { counts.inquiriesRested += 1 }
        if item.result == .cancelled {
            one.cancelled |= bit
            one.cancelledID = clipped(item.providerID)
        }
        if item.result.wasPut { one.asked |= bit }
        if one.left == 0 { inquiries.end(item.slot) } else { inquiries.update(item.slot, one) }
        guard let number = open else { return }
        if item.what == .cancel {
            switch item.result {
            case .refused, .notKnown: slots.pointer(number).pointee.tries |= Engine.cancelRefused
            case .state, .cancelled, .silent, .notAsked, .notFound, .lost, .notNow: break
            }
        }
        record(item, number, connection, &turn)
        if one.left == 0, !slots.pointer(number).pointee.state.isEnd { concluded(one, number, &turn) }
    }

    private mutating func record(_ item: InquiryAnswer, _ number: UInt32, _ connection: String, _ turn: inout Turn) {
        let slot = slots.pointer(number)
        switch item.result {
        case .notAsked, .notFound, .notNow: return
        case .state(let state, let error, let endedAt) where state.settles:
            // Its receipt came before this answer, and holds.
            guard standing(slot.pointee) >> UInt16(item.part & 15) & 1 == 1 else { return }
            counts.settledByQuery += 1
            if state == .deleted, tookBack(number, item.part, item.providerID, connection, &turn) { return }
            let receipt = RecordBody.Receipt(
                part: item.part, state: state, error: error, providerID: clipped(item.providerID), isAnswer: true, endedAt: endedAt)
            emit(.receipt(receipt), number, &turn, flags: slot.pointee.openParts == 0 ? .settlesAttempt : [])
            if state == .delivered { arrived(number, &turn) }
        case .state, .cancelled, .refused, .notKnown, .silent, .lost:
            let asked = RecordBody.Asked(
                what: item.what, part: item.part, tries: slot.pointee.tries, result: item.result, providerID: clipped(item.providerID),
                connection: connection)
            emit(.asked(asked), number, &turn)
        }
    }

    /// A receipt that the provider deleted a part which it was told to delete: the same as its answer, which may come later, or never, or
    /// have come already.
    mutating func forgets(_ number: UInt32, _ part: UInt8, _ providerID: String, _ turn: inout Turn) -> Bool {
        let reference = slots.reference(number)
        let bit: UInt16 = 1 << UInt16(part & 15)
        guard var one = inquiries.open[reference], one.what == .cancel else { return tookBack(number, part, providerID, "", &turn) }
        if one.cancelled & bit != 0 { return true }
        let answer = InquiryAnswer(slot: reference, what: .cancel, part: part, providerID: providerID, result: .cancelled)
        if one.left & bit != 0 {
            asked(answer, "", learns: true, &turn)
            return true
        }
        // It had said no to this part, or nothing.
        guard one.asked & bit != 0 else { return false }
        one.cancelled |= bit
        one.cancelledID = clipped(providerID)
        inquiries.update(reference, one)
        record(answer, number, "", &turn)
        return true
    }

    /// The provider deleted what it was told to delete, and did not say so then: that is its answer. What it refused to delete it deleted
    /// for a reason of its own. Of several parts it is taken back when all are deleted; until then each is kept in mind, and when another comes to the
    /// handset after all, it fails.
    private mutating func tookBack(
        _ number: UInt32, _ part: UInt8, _ providerID: String, _ connection: String, _ turn: inout Turn
    ) -> Bool {
        let slot = slots.pointer(number).pointee
        let reference = slots.reference(number)
        guard slot.state == .sent, slot.tries & (Engine.cancelTried | Engine.cancelRefused) == Engine.cancelTried,
            standing(slot) == slot.allParts, slot.parts == 1 || hasRoomForForgotten(reference)
        else { return false }
        let isWish = slot.tries & Engine.cancelBySource != 0
        // The wall clock may have jumped back since it was told.
        guard isWish || turn.now.wallMilliseconds >= slot.deadline else { return false }
        let asked = RecordBody.Asked(
            what: .cancel, part: part, tries: slot.tries, result: .cancelled, providerID: clipped(providerID), connection: connection)
        // Somebody who repeats a receipt without end fills no log.
        if !inquiries.isForgotten(part, of: reference) { emit(.asked(asked), number, &turn) }
        if slot.parts == 1 || inquiries.forgotten[reference]?.parts == slot.allParts {
            takenBack(number, isWish ? .cancelledBySource : .withdrawn, &turn)
        }
        return true
    }

    private mutating func hasRoomForForgotten(_ reference: SlotReference) -> Bool {
        guard inquiries.forgotten.count >= Inquiries.forgottenMaximum, inquiries.forgotten[reference] == nil else { return true }
        for one in inquiries.forgotten.keys {
            if let number = slots.number(of: one), !slots.pointer(number).pointee.state.isEnd { continue }
            inquiries.forgotten[one] = nil
        }
        return inquiries.forgotten.count < Inquiries.forgottenMaximum
    }

    /// A part came to the handset. Where its provider deleted another, as it was told to, the message never arrives whole.
    mutating func arrived(_ number: UInt32, _ turn: inout Turn) {
        let slot = slots.pointer(number)
        let reference = slots.reference(number)
        guard slot.pointee.state == .sent, inquiries.open[reference]?.what != .cancel, let one = inquiries.forgotten[reference],
            standing(slot.pointee) >> UInt16(one.last & 15) & 1 == 1
        else { return }
        let receipt = RecordBody.Receipt(part: one.last, state: .deleted, error: 0, providerID: one.providerID, isAnswer: true)
        emit(.receipt(receipt), number, &turn, flags: slot.pointee.openParts == 0 ? .settlesAttempt : [])
    }

    private mutating func takenBack(_ number: UInt32, _ reason: EndReason, _ turn: inout Turn) {
        let state: MessageState = reason == .withdrawn ? .expired : .cancelled
        emit(.ended(.init(state: state, reason: reason)), number, &turn, after: .retire)
    }

    /// Every part has its answer, and the message is open still.
    private mutating func concluded(_ one: Inquiries.Open, _ number: UInt32, _ turn: inout Turn) {
        let slot = slots.pointer(number)
        switch one.what {
        case .query:
            // Nobody took it: that was no question.
            if one.asked == 0, slot.pointee.tries & ~Engine.cancelBits > 0 { slot.pointee.tries -= 1 }
        case .cancel:
            if one.asked == 0 {
                slot.pointee.tries &= ~Engine.cancelBits
                if one.reason == .cancelledBySource {
                    let again = turn.now.steady + jitter.spread(Engine.againMilliseconds) * 1000
                    inquiries.wish(slots.reference(number), notBefore: again)
                }
            }
            if slot.pointee.state == .sent, one.cancelled == slot.pointee.allParts, slot.pointee.deliveredParts == 0 {
                return takenBack(number, one.reason, &turn)
            }
            let fresh = one.cancelled & standing(slot.pointee)
            if fresh != 0 {
                // Some of it comes to the handset, and never all of it.
                let part = UInt8(fresh.trailingZeroBitCount)
                let receipt = RecordBody.Receipt(part: part, state: .deleted, error: 0, providerID: one.cancelledID, isAnswer: true)
                return emit(.receipt(receipt), number, &turn, flags: slot.pointee.openParts == 0 ? .settlesAttempt : [])
            }
        }
        if slot.pointee.state == .sent { arm(number, wall: lookAt(number, turn.now), turn.now) }
    }

    /// The fold of it: how often it was asked about, and which of several parts its provider deleted as it was told to.
    mutating func asked(_ it: RecordBody.Asked, _ number: UInt32) {
        let slot = slots.pointer(number)
        if it.what == .cancel, it.result == .cancelled, slot.pointee.parts > 1 {
            inquiries.forgot(it.part, it.providerID, of: slots.reference(number))
        }
        let times = max(slot.pointee.tries & ~Engine.cancelBits, it.tries & ~Engine.cancelBits)
        slot.pointee.tries = times | (slot.pointee.tries | it.tries) & Engine.cancelBits
    }
}

extension ReceiptState {
    /// Whether an answer with this state settles its part. A provider that says `unknown` has forgotten the part, or never looked: its
    /// receipt may still tell.
    var settles: Bool { isFinal && self != .unknown }
}

import MartletModel

/// What follows for a notification from what became of one of its messages. Called behind every record of an event's message, and for all of
/// them at a start: each record is made once, whoever comes first, so a crash between two of them loses none.
extension Engine {
    mutating func settle(_ number: UInt32, _ turn: inout Turn) {
        let slot = slots.pointer(number)
        let id = slot.pointee.id
        if !slot.pointee.isMember {
            if slot.pointee.state.isEnd { return endOthers(of: id, upTo: slot.pointee.lastOrdinal, &turn) }
            settleNotification(number, &turn)
        } else if let head = slots.number(of: id.notification), !slots.pointer(head).pointee.state.isEnd {
            settleNotification(head, &turn)
        } else if isNotNeeded(number) {
            // It came back to its queue when its notification was over.
            emit(.ended(.init(state: .cancelled, reason: .notNeeded)), number, &turn, after: .retire)
        }
        guard slot.pointee.state == .sent, slot.pointee.role.contains(.metWhenSent) else { return }
        // Its step asks for no more: what has not gone does not follow.
        let last = slots.number(of: id.notification).map { slots.pointer($0).pointee.lastOrdinal } ?? 0
        endOthers(of: id, upTo: last, exceptReminders: true, &turn)
        if slot.pointee.isMember, let head = slots.number(of: id.notification), isNotNeeded(head) {
            emit(.ended(.init(state: .cancelled, reason: .notNeeded)), head, &turn, after: .retire)
        }
    }

    private mutating func settleNotification(_ head: UInt32, _ turn: inout Turn) {
        let slot = slots.pointer(head).pointee
        if slot.role.contains(.untilDone), slot.openMembers > 0 {
            // Reminders go on; steps that were to follow in case of failure do not.
            if slot.role.contains(.isMet) { endOthers(of: slot.id, upTo: slot.lastOrdinal, exceptReminders: true, &turn) }
        } else if slot.role.contains(.isMet) {
            emit(.ended(.init(state: .delivered, reason: .none)), head, &turn, after: .retire)
        } else if slot.role.contains(.ownOver), slot.openMembers == 0 {
            emit(.ended(.init(state: slot.lastState, reason: slot.reason)), head, &turn, after: .retire)
        }
    }

    /// What only waits of the others need not be told any more. What a provider may have goes on, and changes nothing.
    private mutating func endOthers(of id: MessageID, upTo last: UInt8, exceptReminders: Bool = false, _ turn: inout Turn) {
        guard last != 0 else { return }
        for other in members(of: id, upTo: last) where slots.pointer(other).pointee.id != id && isNotNeeded(other) {
            if exceptReminders, slots.pointer(other).pointee.role.contains(.untilDone) { continue }
            emit(.ended(.init(state: .cancelled, reason: .notNeeded)), other, &turn, after: .retire)
        }
    }

    private func isNotNeeded(_ number: UInt32) -> Bool {
        let slot = slots.pointer(number).pointee
        return (slot.state == .queued || slot.state == .planned) && !slot.isTaken && !slot.role.contains(.ownOver)
    }

    /// Whether the customer may get, or have got, another message of a notification.
    func mayArrive(_ id: MessageID) -> Bool {
        guard let head = slots.number(of: id.notification) else { return true }
        let slot = slots.pointer(head).pointee
        return slot.mayArrive || slot.role.contains(.anyLeft)
            || members(of: slot.id, upTo: slot.lastOrdinal).contains { slots.pointer($0).pointee.mayArrive }
    }

    /// Whether anything of a notification went out.
    func anyLeft(of head: UInt32) -> Bool {
        let slot = slots.pointer(head).pointee
        return slot.mayHaveLeft || slot.role.contains(.anyLeft)
            || members(of: slot.id, upTo: slot.lastOrdinal).contains { slots.pointer($0).pointee.mayHaveLeft }
    }

    /// Ends what waits of its further messages.
    mutating func endWaiting(_ head: UInt32, _ state: MessageState, _ reason: EndReason, _ turn: inout Turn) {
        for other in waiting(of: head) { emit(.ended(.init(state: state, reason: reason)), other, &turn, after: .retire) }
    }

    /// Those of its further messages of which nothing went yet.
    func waiting(of head: UInt32) -> [UInt32] {
        let slot = slots.pointer(head).pointee
        return members(of: slot.id, upTo: slot.lastOrdinal).filter { other in
            let one = slots.pointer(other).pointee
            return (one.state == .queued || one.state == .planned) && !one.mayHaveLeft
        }
    }

    /// Whether it goes along with its notification, when that is ended for what it is.
    func goesAlong(_ slot: Slot, _ isMeant: (Slot) -> Bool) -> Bool {
        guard slot.isMember, let head = slots.number(of: slot.id.notification) else { return false }
        let its = slots.pointer(head).pointee
        return isMeant(its) && !its.mayHaveLeft && slot.state == .planned
    }

    /// The next step that is planned; nil: none is.
    func plannedMember(of id: MessageID) -> UInt32? {
        guard let head = slots.number(of: id.notification) else { return nil }
        return members(of: id, upTo: slots.pointer(head).pointee.lastOrdinal).first {
            slots.pointer($0).pointee.state == .planned && !slots.pointer($0).pointee.role.contains(.untilDone)
        }
    }

    /// Whether all records of a notification are durable: what a further message reads may stand in any of them.
    func isDurable(_ id: MessageID) -> Bool {
        guard let head = slots.number(of: id.notification) else { return true }
        return slots.pointer(head).pointee.pending == 0
            && members(of: id, upTo: slots.pointer(head).pointee.lastOrdinal).allSatisfy { slots.pointer($0).pointee.pending == 0 }
    }
}

extension Slot {
    /// How the notification ends whose own message is over, by the reason of the last one.
    var lastState: MessageState {
        switch reason {
        case .refused, .attemptsUsedUp, .cannotBeEncoded, .payloadLost, .none: .failed
        case .undeliverable: role.contains(.hasExpired) ? .expired : .failed
        case .notSentInTime, .noReceipt, .withdrawn: .expired
        case .notNeeded, .completed: .cancelled
        // Who hears of a cancellation takes it that nothing came of it.
        case .cancelledBySource, .cancelledByOperator, .customerErased: isTaken || role.contains(.anyLeft) ? .failed : .cancelled
        case .optedOut, .unknownCustomer, .unpublished, .notInPackage, .belowThreshold, .noConsent, .addressSuppressed, .noContact,
            .channelForbidden, .capReached, .heldPastDeadline, .stale, .duplicateEvent, .superseded, .abuseGuard, .budget,
            .conditionNotMet:
            .suppressed
        }
    }
}

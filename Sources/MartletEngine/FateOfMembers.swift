import MartletModel

/// The further messages of an event's notification: its next step, planned by the record of the one before, and what follows for the notification
/// when one of them is over. A fold, as everything that `apply` calls: where the log is trimmed, a message may be known and its notification
/// not, or the other way round, and what comes of it is the same.
///
/// The slot of ordinal 0 is the notification and its first message. While that one is over and another is open it is `planned`, with the role
/// `ownOver`, and its reason is that of the last message that was sent and is over.
extension Engine {
    /// Ordinals of one notification's messages: five bits.
    static let lastOrdinal: UInt8 = 31
    /// Open at once beside the first: three bits.
    static let openMembersMaximum: UInt8 = 7

    /// A record plans a further message: from here on it stands in the table, with the payload of that record.
    mutating func plan(
        _ ordinal: UInt8, _ header: RecordHeader, step: UInt8, until: Int64, deadline: Int64, role: RecordBody.Carried.Role,
        at position: UInt64, _ now: Instant
    ) {
        let id = header.id.with(ordinal: ordinal)
        guard let messageClass = MessageClass(rawValue: header.messageClass), slots.number(of: id) == nil else { return }
        if let head = slots.number(of: id.notification) {
            slots.pointer(head).pointee.lastOrdinal = max(slots.pointer(head).pointee.lastOrdinal, ordinal)
            slots.pointer(head).pointee.openMembers += 1
        }
        let number = slots.insert(id)
        let slot = slots.pointer(number)
        slot.pointee.role = role
        slot.pointee.state = .planned
        slot.pointee.payloadAt = position
        slot.pointee.origin = position
        slot.pointee.deadline = deadline
        slot.pointee.source = header.source
        slot.pointee.partition = header.partition
        slot.pointee.messageClass = messageClass
        slot.pointee.parts = 0
        slot.pointee.step = step
        plannedCount += 1
        remember(position)
        wait(number, until: until, now)
    }

    /// What a record of a further message says to its notification, whether or not that message is known.
    mutating func note(_ record: Record) {
        switch record.body {
        case .answered(let it):
            switch it.outcome {
            case .accepted, .unknown: break
            case .throttled, .deferred, .refused, .notWritten, .unencodable: return
            }
        case .receipt: break
        case .resumed(let it): if it.why == .replanned { return }
        default: return
        }
        guard let head = slots.number(of: record.header.id.notification) else { return }
        slots.pointer(head).pointee.role.insert(.anyLeft)
    }

    /// A further message is over. Nobody is owed its end, and no source accounts for it.
    mutating func memberOver(_ number: UInt32, _ state: MessageState, _ reason: EndReason, _ now: Instant) {
        let slot = slots.pointer(number)
        if slot.pointee.state == .planned { plannedCount -= 1 }
        slot.pointee.state = state
        slot.pointee.reason = reason
        slot.pointee.tries = 0
        wheel.remove(number, in: slots)
        slot.pointee.flags.remove(.waiting)
        if slot.pointee.role.contains(.isReserved) { overNow(number) }
        let error = reason == .undeliverable ? slot.pointee.endError : 0
        memberOver(slot.pointee.id, state, reason, wasTold: slot.pointee.parts != 0, error: error)
    }

    private mutating func memberOver(_ id: MessageID, _ state: MessageState, _ reason: EndReason, wasTold: Bool, error: UInt16) {
        guard let head = slots.number(of: id.notification), !slots.pointer(head).pointee.state.isEnd else { return }
        let slot = slots.pointer(head)
        if slot.pointee.openMembers > 0 { slot.pointee.openMembers -= 1 }
        if state == .delivered { slot.pointee.role.insert(.isMet) }
        // Of one that nothing went out of the last before it says more.
        if slot.pointee.role.contains(.ownOver), wasTold, reason != .notNeeded { last(head, state, reason, error: error) }
    }

    private mutating func last(_ head: UInt32, _ state: MessageState, _ reason: EndReason, error: UInt16) {
        let slot = slots.pointer(head)
        slot.pointee.reason = reason
        slot.pointee.acceptedMicros = UInt32(error)
        if state == .expired { slot.pointee.role.insert(.hasExpired) } else { slot.pointee.role.remove(.hasExpired) }
    }

    /// Its own message is over while another is open: the notification goes on, and what is planned is due now.
    /// - Returns: false when this is its end.
    mutating func ownOver(_ number: UInt32, _ state: MessageState, _ reason: EndReason, _ now: Instant) -> Bool {
        let slot = slots.pointer(number)
        // Who has read it is reminded all the same until it is done.
        guard !slot.pointee.role.contains(.ownOver), slot.pointee.openMembers > 0, !reason.endsNotification,
            state != .delivered || slot.pointee.role.contains(.untilDone)
        else { return false }
        if state == .delivered { slot.pointee.role.insert(.isMet) }
        let error = reason == .undeliverable ? slot.pointee.endError : 0
        if slot.pointee.state != .planned { plannedCount += 1 }
        slot.pointee.state = .planned
        slot.pointee.role.insert(.ownOver)
        slot.pointee.tries = 0
        slot.pointee.flags.remove([.waiting, .deferred, .partial])
        last(number, state, reason, error: error)
        wheel.remove(number, in: slots)
        if !replaying { arm(number, wall: receiptDeadline(slot.pointee), now) }
        if state == .delivered { return true }
        for other in members(of: slot.pointee.id, upTo: slot.pointee.lastOrdinal)
        where !slots.pointer(other).pointee.role.contains(.untilDone) { dueNow(other, now) }
        return true
    }

    /// What still comes to the first message of a notification that goes on without it: all its parts may have arrived after all.
    mutating func afterwards(_ record: Record, _ number: UInt32, _ now: Instant) {
        let header = record.header
        let slot = slots.pointer(number)
        switch record.body {
        case .answered(let it):
            slot.pointee.attempts = max(slot.pointee.attempts, it.attempt)
            guard case .accepted(let providerID) = it.outcome else { return }
            let bit: UInt16 = 1 << UInt16(it.part & 15)
            slot.pointee.answeredParts |= bit
            slot.pointee.unknownParts &= ~bit
            if !providerID.isEmpty { providers.insert(key(header.group, providerID), slot: number, part: it.part, in: slots) }
        case .receipt(let it):
            guard it.state.isFinal else { return }
            let bit: UInt16 = 1 << UInt16(it.part & 15)
            providers.remove(key(header.group, it.providerID))
            slot.pointee.answeredParts |= bit
            slot.pointee.unknownParts &= ~bit
            guard it.state == .delivered else { return slot.pointee.failedParts |= bit }
            slot.pointee.deliveredParts |= bit
            guard slot.pointee.deliveredParts == slot.pointee.allParts else { return }
            if slot.pointee.role.contains(.untilDone), slot.pointee.openMembers > 0 { return slot.pointee.role.formUnion(.isMet) }
            end(number, .delivered, .none, at: header.at / 1000, now)
        case .ended(let it): end(number, it.state, it.reason, at: header.at / 1000, now)
        case .asked(let it): asked(it, number)
        case .accepted, .resumed, .carried, .orphan, .mark, .told, .rerouted, .ledger, .inbound, .preference, .replaced, .decided, .counted,
            .subscribed:
            break
        }
    }

    /// A record of a message that is not in the table: what it was accepted by is trimmed.
    mutating func unknown(_ record: Record, _ now: Instant) {
        let header = record.header
        let ends = header.flags.contains(.ends)
        guard header.id.ordinal == 0 else {
            guard !header.flags.contains(.late) else { return }
            note(record)
            var error: UInt16 = 0
            if case .receipt(let it) = record.body, header.flags.reason == .undeliverable { error = it.error }
            if ends, let state = header.flags.state {
                memberOver(header.id, state, header.flags.reason ?? .none, wasTold: header.parts != 0, error: error)
            }
            return
        }
        // Its acceptance is in the sums that the source's ledger states.
        guard ends else { return }
        ledger.ended(header.source)
        if header.id.high != 0 { dropPlanned(header.id, upTo: Engine.lastOrdinal) }
    }

    /// The notification is over. What is planned and has no record of its own is gone with it; of the others their own records tell.
    mutating func dropPlanned(_ id: MessageID, upTo last: UInt8) {
        for number in members(of: id, upTo: last) {
            let slot = slots.pointer(number)
            guard slot.pointee.state == .planned, slot.pointee.last == 0 else { continue }
            guard !replaying else {
                release(number)
                continue
            }
            plannedCount -= 1
            slot.pointee.state = .cancelled
            slot.pointee.reason = .notNeeded
            wheel.remove(number, in: slots)
            slot.pointee.flags.remove(.waiting)
            retire(number)
        }
    }

    /// The further messages of a notification that are in the table.
    func members(of id: MessageID, upTo last: UInt8) -> [UInt32] {
        guard last >= 2 else { return [] }
        return (2...last).compactMap { slots.number(of: id.with(ordinal: $0)) }
    }

    /// What is planned for later need not wait any more.
    mutating func dueNow(_ number: UInt32, _ now: Instant) {
        let slot = slots.pointer(number)
        guard slot.pointee.state == .planned, slot.pointee.flags.contains(.waiting) else { return }
        guard replaying else { return decisionDue(number, now) }
        // Timers are made when all is folded in.
        slot.pointee.flags.remove(.waiting)
        wheel.remove(number, in: slots)
    }
}

extension EndReason {
    /// Not only the message: nothing of its notification is told any more.
    var endsNotification: Bool {
        switch self {
        case .cancelledBySource, .cancelledByOperator, .customerErased, .completed, .superseded: true
        default: false
        }
    }
}

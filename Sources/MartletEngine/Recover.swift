import MartletModel

extension Engine {
    /// The past is folded in: makes timers and lanes, and decides for messages that may have been on the wire when the process died.
    ///
    /// What was handed over and not recorded is bounded by the credit of the group, and messages leave each queue in order. So
    /// only the first ones of each queue, as many as the credit, can have been handed over; those are flagged, or left to a
    /// receipt where their class does not send twice.
    /// - Parameter clean: the log ends with a clean stop, when nothing was on the wire.
    public mutating func recovered(clean: Bool, _ turn: inout Turn) {
        replaying = false
        var queued: [UInt32] = []
        slots.forEach { number in
            let slot = slots.pointer(number)
            if slot.pointee.state == .submitted { slot.pointee.state = .queued }
            if slot.pointee.state == .queued { queued.append(number) }
        }
        for number in 0..<slots.bound where slots.pointer(number).pointee.id.high != 0 { settleTimer(number, turn.now) }
        queued.sort { slots.pointer($0).pointee.origin < slots.pointer($1).pointee.origin }
        // Part of it was refused while another part was on the wire: it has failed.
        for number in queued where slots.pointer(number).pointee.failedParts != 0 {
            let reason = slots.pointer(number).pointee.reason
            emit(.ended(.init(state: .failed, reason: reason == .none ? .refused : reason)), number, &turn, after: .retire)
        }
        // What a crash took: the end of a notification of which a message arrived, or whose last message is over.
        for number in 0..<slots.bound
        where slots.pointer(number).pointee.id.high != 0 && slots.pointer(number).pointee.role.contains(.isEvent) {
            settle(number, &turn)
        }
        oweAgain()
        if !clean { flagSuspects(queued, &turn) }
        for number in queued where slots.pointer(number).pointee.pending == 0 { enqueue(number) }
        for orphan in orphans.all {
            guard let found = providers.find(orphan.key, in: slots) else { continue }
            let it = orphan.entry.orphan
            emit(
                .receipt(.init(part: found.part, state: it.state, error: it.error, providerID: it.providerID)), found.slot, &turn,
                flags: .settlesAttempt)
        }
        countAll()
    }

    private mutating func settleTimer(_ number: UInt32, _ now: Instant) {
        let slot = slots.pointer(number)
        if slot.pointee.flags.contains(.waiting) {
            // Its pause was armed while it was folded in; a pause that is over is none.
            if slot.pointee.bucket != Slot.noBucket, slot.pointee.state == .queued || slot.pointee.state == .planned { return }
            slot.pointee.flags.remove(.waiting)
        }
        switch slot.pointee.state {
        case .queued, .submitted: arm(number, wall: slot.pointee.deadline, now)
        case .sent: arm(number, wall: lookAt(number, now), now)
        case .unknown: armUnknown(number, now)
        case .planned where slot.pointee.role.contains(.ownOver): arm(number, wall: receiptDeadline(slot.pointee), now)
        case .planned: decisionDue(number, now)
        case .delivered, .failed, .expired, .cancelled, .suppressed, .received: break
        }
    }

    /// What sources had not heard of, in the order of the ends.
    private mutating func oweAgain() {
        var owed: [UInt32] = []
        slots.forEach { if slots.pointer($0).pointee.flags.contains(.owed) { owed.append($0) } }
        owed.sort {
            let (a, b) = (slots.pointer($0).pointee, slots.pointer($1).pointee)
            return (a.origin, a.id) < (b.origin, b.id)
        }
        for number in owed where slots.pointer(number).pointee.pending == 0 { owe(number) }
    }

    private struct Queue: Hashable {
        var group: GroupNumber
        /// One of several classes of a lane may have been held back, and then the others went before it.
        var messageClass: MessageClass
        var source: SourceNumber
    }

    private mutating func flagSuspects(_ queued: [UInt32], _ turn: inout Turn) {
        var left: [Queue: Int] = [:]
        for number in queued {
            let slot = slots.pointer(number).pointee
            guard slot.state == .queued, slot.missingParts != 0 else { continue }
            // One that an earlier restart flagged, or that was tried, is looked at whatever is held now.
            if slot.attempts == 0, !slot.flags.contains(.possibleDuplicate), let since = heldSince(slot.messageClass, slot.group),
                slot.origin > since
            {
                continue
            }
            let queue = Queue(group: slot.group, messageClass: slot.messageClass, source: slot.source)
            let credit = max(creditMarks[slot.group]?.value ?? 0, configuration.creditByGroup[slot.group] ?? 0)
            let room = left[queue] ?? Int(credit)
            // One that was tried before may have left out of order: it is a suspect whatever its place. So is one that an
            // earlier restart flagged; those behind it may have gone since.
            let tried = slot.attempts > 0 || slot.flags.contains(.possibleDuplicate)
            guard room > 0 || tried else { continue }
            if !tried { left[queue] = room - slot.missingParts.nonzeroBitCount }
            suspect(number, &turn)
        }
    }

    private mutating func suspect(_ number: UInt32, _ turn: inout Turn) {
        let slot = slots.pointer(number)
        var why = RecordBody.Resumed.Why.restart
        if case .sendAgainIfYounger(let seconds) = slot.pointee.messageClass.afterCrash {
            // An age below zero tells of a clock that jumped, so nothing of the age; and it is sent again once, not at each restart.
            let age = turn.now.wallMilliseconds - slot.pointee.id.milliseconds
            if age < 0 || age > seconds * 1000 || slot.pointee.flags.contains(.possibleDuplicate) { why = .left }
        }
        // In front: they were first before the crash.
        gate += 1
        emit(.resumed(.init(why: why)), number, &turn, after: .recovered)
        if why == .left { armUnknown(number, turn.now) }
    }
}

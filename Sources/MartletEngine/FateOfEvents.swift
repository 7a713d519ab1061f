import MartletModel

/// What a decision does to the message it names. Reads nothing but the record and the slots: the log is folded before any rulebook is there.
extension Engine {
    mutating func decided(
        _ it: RecordBody.Decided, _ header: RecordHeader, at position: UInt64, _ now: Instant
    ) -> UInt32? {
        let number: UInt32
        if it.stage == .fresh {
            guard let begun = begin(header, at: position, now) else { return nil }
            number = begun
            ledger.accepted(header, parts: it.parts, dayBegins: configuration.dayBegins)
            if position != 0 { anchor(header.source, at: position) }
            slots.pointer(number).pointee.role = .isEvent
            for counter in it.counters where counter.isLimit {
                caps.reserve(counter, for: it.subject, at: Int64(it.countedAt) * 1_000_000, in: UInt32(truncatingIfNeeded: position >> 32))
            }
        } else {
            if let known = slots.number(of: header.id) {
                number = known
                if position != 0 { slots.pointer(number).pointee.last = position }
                guard slots.pointer(number).pointee.state == .planned else { return number }
                again(header, number, at: position)
            } else {
                // Its acceptance was trimmed, and is in the sums that the source's ledger states: this stands for the whole of it.
                guard replaying, let begun = begin(header, at: position, now) else { return nil }
                number = begun
                slots.pointer(number).pointee.role = .isEvent
                // Of a further message it speaks of the others.
                if header.id.ordinal != 0 { slots.pointer(number).pointee.flags.remove(.possibleDuplicate) }
                if it.stage == .reminder { slots.pointer(number).pointee.role.insert(.untilDone) }
            }
        }
        if !replaying { count(it) }
        // Before its end: what is reminded of goes on without it.
        if let reminder = it.reminder {
            if let head = slots.number(of: header.id.notification) { slots.pointer(head).pointee.role.insert(.untilDone) }
            plan(
                reminder.ordinal, header, step: 0, until: reminder.at, deadline: reminder.due, role: [.isEvent, .untilDone], at: position,
                now)
        }
        switch it.outcome {
        case .told:
            told(it, header, number, now)
            if it.planned != 0 {
                let step = (it.step ?? 0) &+ 1
                plan(it.planned, header, step: step, until: it.until, deadline: header.deadline, role: .isEvent, at: position, now)
            }
            reserve(number, it, in: UInt32(truncatingIfNeeded: position >> 32))
        case .held: held(it, number, now)
        case .suppressed: end(number, .suppressed, it.reason.map { EndReason($0) } ?? .none, at: header.at / 1000, now)
        }
        if !slots.pointer(number).pointee.state.isEnd { know(number, as: it.knownAs, it.subject) }
        if replaying, slots.pointer(number).pointee.state.isEnd, !slots.pointer(number).pointee.flags.contains(.owed) { release(number) }
        return number
    }

    private mutating func count(_ it: RecordBody.Decided) {
        counts.decisions[Int(it.outcome.rawValue)][Int(it.reason?.rawValue ?? 0)] += 1
        for message in it.messages {
            if case .skipped(let why) = message.when { counts.skips[Int(message.channel.rawValue)][Int(why.rawValue)] += 1 }
        }
    }

    /// What was planned is decided: another payload stands for it from here on.
    private mutating func again(_ header: RecordHeader, _ number: UInt32, at position: UInt64) {
        let slot = slots.pointer(number)
        slot.pointee.flags.remove(.waiting)
        slot.pointee.deadline = header.deadline
        slot.pointee.partsReference = UInt16(truncatingIfNeeded: header.sequence)
        if replaying {
            forget(slot.pointee.payloadAt)
            slot.pointee.payloadAt = position
            slot.pointee.origin = position
            remember(position)
        } else {
            // Until it is durable neither this one nor the old one is read.
            slot.pointee.flags.insert(.replacing)
        }
    }

    private mutating func told(_ it: RecordBody.Decided, _ header: RecordHeader, _ number: UInt32, _ now: Instant) {
        let slot = slots.pointer(number)
        if slot.pointee.state == .planned { plannedCount -= 1 }
        slot.pointee.state = .queued
        slot.pointee.tries = 0
        slot.pointee.group = header.group
        slot.pointee.parts = header.parts
        slot.pointee.textShape = 0
        slot.pointee.step = it.step ?? 0
        slot.pointee.isMandatory = it.bits.contains(.isMandatory)
        submitsLargest = max(submitsLargest, Int(header.parts))
        if it.bits.contains(.noFallbackOnceSent) { slot.pointee.role.insert(.metWhenSent) }
        if slot.pointee.isMember, header.flags.contains(.possibleDuplicate) { slot.pointee.role.insert(.anyLeft) }
        if !replaying { arm(number, wall: header.deadline, now) }
    }

    private mutating func held(_ it: RecordBody.Decided, _ number: UInt32, _ now: Instant) {
        let slot = slots.pointer(number)
        if slot.pointee.state != .planned { plannedCount += 1 }
        slot.pointee.state = .planned
        slot.pointee.parts = 0
        if let step = it.step { slot.pointee.step = step }
        wait(number, until: it.until, now)
    }

    /// What a copy forward keeps of an event's message.
    func eventPart(_ number: UInt32) -> RecordBody.Carried.Event? {
        let slot = slots.pointer(number).pointee
        guard slot.role.contains(.isEvent) else { return nil }
        let it = standing[number]
        return RecordBody.Carried.Event(
            role: slot.role, step: slot.step, subject: it?.subject ?? 0, knownAs: it?.knownAs ?? 0, reservedAt: it?.reservedAt ?? 0,
            counters: it?.counters ?? [], members: slot.members, isMandatory: slot.isMandatory)
    }

    /// The fold of that copy.
    mutating func takeEventPart(_ it: RecordBody.Carried.Event, _ number: UInt32) {
        slots.pointer(number).pointee.role = it.role
        slots.pointer(number).pointee.step = it.step
        slots.pointer(number).pointee.members = it.members
        slots.pointer(number).pointee.isMandatory = it.isMandatory
        if it.reservedAt != 0 {
            standing[number] = Standing(subject: it.subject, reservedAt: it.reservedAt, counters: it.counters)
        }
        know(number, as: it.knownAs, it.subject)
    }
}

public import MartletModel

/// The one writer of fate: what each record does to the message it names. Live and in replay the same function runs; nothing
/// else changes state, parts or reason of a slot (what is on the wire, `openParts`, is not part of the log).
extension Engine {
    /// - Parameter position: raw journal position in replay; 0 live, where `placed` tells it later.
    /// - Returns: the message's slot; nil when the record belongs to none or its message is not open.
    @discardableResult
    public mutating func apply(_ record: Record, at position: UInt64, _ now: Instant) -> UInt32? {
        let header = record.header
        if replaying {
            let partition = Int(header.partition) % partitionCount
            guard configuration.partitions.contains(PartitionNumber(partition)) else { return nil }
            counts.replayedRecords += 1
            sequences[partition] = max(sequences[partition], header.sequence)
            heads[partition] = max(heads[partition], UInt32(truncatingIfNeeded: position >> 32))
        }
        switch record.body {
        case .accepted(let it):
            guard let number = begin(header, at: position, now) else { return nil }
            ledger.accepted(header, parts: it.parts(header), dayBegins: configuration.dayBegins)
            if position != 0 { anchor(header.source, at: position) }
            return number
        case .carried(let it): return carry(it, header, at: position, now)
        case .mark(let it):
            if it.what == .credit { setCredit(header.group, it.value, at: position) }
            if it.what == .hold { setHold(header.group, ClassSet(rawValue: UInt16(truncatingIfNeeded: it.value)), at: position) }
            return nil
        case .ledger(let it):
            ledger.state(header.source, it)
            if position != 0 { stated(header.source, at: position) }
            return nil
        case .orphan(let it):
            let key = key(header.group, it.providerID)
            if orphans.count >= configuration.orphanMaximum, orphans.find(key) == nil, let oldest = orphans.removeOldest() {
                forget(oldest.position)
            }
            forget(orphans.insert(key, Orphans.Entry(orphan: it, at: header.at, position: position, group: header.group)))
            remember(position)
            return nil
        case .inbound(let it): return received(it, header, at: position)
        case .preference(let it):
            forget(segment: optOuts.set(it.number, it.unwanted, in: UInt32(truncatingIfNeeded: position >> 32)))
            if !it.unwanted.isEmpty { remember(position) }
            return nil
        case .replaced(let it): return replaced(it, header, at: position, now)
        case .decided(let it): return decided(it, header, at: position, now)
        case .counted(let it):
            counted(it, at: position)
            return nil
        // The customer's record has it: nothing of it is the engine's to keep.
        case .subscribed: return nil
        case .answered, .receipt, .ended, .resumed, .told, .rerouted, .asked: break
        }
        if case .receipt(let it) = record.body, let entry = orphans.remove(key(header.group, it.providerID)) { forget(entry.position) }
        guard let number = slots.number(of: header.id) else {
            if replaying { unknown(record, now) }
            return nil
        }
        if position != 0 { slots.pointer(number).pointee.last = position }
        if slots.pointer(number).pointee.isMember, !header.flags.contains(.late) { note(record) }
        if case .told(let it) = record.body {
            heard(it, number)
            return number
        }
        guard !slots.pointer(number).pointee.state.isEnd, !header.flags.contains(.late) else { return number }
        switch record.body {
        case _ where slots.pointer(number).pointee.role.contains(.ownOver): afterwards(record, number, now)
        case .answered(let it): answered(it, header, number, now)
        case .receipt(let it): received(it, header, number, now)
        case .ended(let it): end(number, it.state, it.reason, at: header.at / 1000, now)
        case .resumed(let it): resumed(it, number)
        case .rerouted(let it): rerouted(it, number, at: position, now)
        case .asked(let it): asked(it, number)
        case .accepted, .carried, .mark, .orphan, .told, .ledger, .inbound, .preference, .replaced, .decided, .counted,
            .subscribed:
            break
        }
        if replaying, slots.pointer(number).pointee.state.isEnd, !slots.pointer(number).pointee.flags.contains(.owed) { release(number) }
        return number
    }

    /// Keyed hash of a provider's id within its group.
    func key(_ group: GroupNumber, _ providerID: String) -> UInt64 { providerKeys.key(group, providerID) }

    mutating func begin(_ header: RecordHeader, at position: UInt64, _ now: Instant) -> UInt32? {
        guard let messageClass = MessageClass(rawValue: header.messageClass), slots.number(of: header.id) == nil else { return nil }
        let number = slots.insert(header.id)
        let slot = slots.pointer(number)
        slot.pointee.payloadAt = position
        slot.pointee.origin = position
        slot.pointee.last = position
        slot.pointee.deadline = header.deadline
        slot.pointee.source = header.source
        slot.pointee.partition = header.partition
        slot.pointee.messageClass = messageClass
        slot.pointee.group = header.group
        slot.pointee.parts = header.parts
        if header.flags.state != .received { submitsLargest = max(submitsLargest, Int(header.parts)) }
        slot.pointee.partsReference = UInt16(truncatingIfNeeded: header.sequence)
        slot.pointee.state = .queued
        // A further message of a notification is none that a source accounts for.
        if header.id.ordinal == 0 { ledger.came(header.source, number) }
        if header.flags.contains(.possibleDuplicate) { slot.pointee.flags.insert(.possibleDuplicate) }
        if header.flags.contains(.tellsDelivered) { slot.pointee.flags.insert(.tellsDelivered) }
        if header.flags.contains(.tellsFailed) { slot.pointee.flags.insert(.tellsFailed) }
        remember(position)
        if !replaying { counts.accepted[Int(header.messageClass)] += 1 }
        if header.kind == .accepted, header.flags.state == .suppressed {
            end(number, .suppressed, header.flags.reason ?? .none, at: header.at / 1000, now)
            if replaying, !slot.pointee.flags.contains(.owed) { release(number) }
            return number
        }
        if !replaying { arm(number, wall: header.deadline, now) }
        return number
    }

    /// A message copied forward: in replay the whole message when its older records are trimmed, else the same once more.
    mutating func carry(_ it: RecordBody.Carried, _ header: RecordHeader, at position: UInt64, _ now: Instant) -> UInt32? {
        if let known = slots.number(of: header.id) {
            guard replaying else { return known }
            forget(slots.pointer(known).pointee.payloadAt)
            slots.pointer(known).pointee.payloadAt = position
            slots.pointer(known).pointee.last = position
            if !it.state.isEnd { slots.pointer(known).pointee.tries = it.tries }
            remember(position)
            return known
        }
        guard replaying, let number = begin(header, at: position, now) else { return nil }
        let slot = slots.pointer(number)
        slot.pointee.origin = it.order
        if it.state.isEnd { ledger.left(header.source, number) }
        slot.pointee.state = it.state
        if it.state == .planned { plannedCount += 1 }
        slot.pointee.attempts = it.attempts
        slot.pointee.resends = it.resends
        slot.pointee.strikes = it.strikes
        slot.pointee.answeredParts = it.answeredParts
        slot.pointee.deliveredParts = it.deliveredParts
        slot.pointee.failedParts = it.failedParts
        slot.pointee.unknownParts = it.unknownParts
        slot.pointee.partsReference = it.partsReference
        slot.pointee.textShape = it.textShape
        if let event = it.event { takeEventPart(event, number) }
        if it.event?.role.contains(.ownOver) ?? false {
            slot.pointee.reason = header.flags.reason ?? .none
            slot.pointee.acceptedMicros = UInt32(it.error)
        }
        if it.state.isEnd {
            // Carried only since its source had not heard of its end.
            slot.pointee.reason = header.flags.reason ?? .none
            slot.pointee.acceptedMicros = UInt32(it.error)
            slot.pointee.flags.insert(.owed)
            owedCount += 1
            if it.state == .received { owedInbound += 1 }
            return number
        }
        slot.pointee.tries = it.tries
        if it.notBefore > now.wallMilliseconds {
            // What is held waits for its hour, however far that is.
            let longest = (slot.pointee.messageClass.pause(after: it.strikes) ?? 0) * 6 / 5
            wait(number, until: it.state == .planned ? it.notBefore : min(it.notBefore, now.wallMilliseconds + longest), now)
        }
        for key in it.providerKeys { providers.insert(key.hash, slot: number, part: key.part, in: slots) }
        return number
    }

    private mutating func answered(_ it: RecordBody.Answered, _ header: RecordHeader, _ number: UInt32, _ now: Instant) {
        let slot = slots.pointer(number)
        let bit: UInt16 = 1 << UInt16(it.part & 15)
        slot.pointee.attempts = max(slot.pointee.attempts, it.attempt)
        slot.pointee.flags.remove(.waiting)
        switch it.outcome {
        case .accepted(let providerID):
            slot.pointee.answeredParts |= bit
            slot.pointee.unknownParts &= ~bit
            if !providerID.isEmpty { providers.insert(key(header.group, providerID), slot: number, part: it.part, in: slots) }
        case .refused: slot.pointee.failedParts |= bit
        case .unencodable:
            slot.pointee.failedParts |= bit
            slot.pointee.reason = .cannotBeEncoded
        case .unknown: slot.pointee.unknownParts |= bit
        case .deferred: slot.pointee.flags.insert(.deferred)
        case .throttled, .notWritten: break
        }
        if header.flags.contains(.settlesAttempt) {
            conclude(number, header.at / 1000, now)
        } else {
            // Another part is on the wire: until that is answered the message can be given to nobody.
            slot.pointee.state = .submitted
            slot.pointee.flags.insert(.partial)
        }
    }

    /// Every part of the attempt has its outcome: where does the message stand?
    /// - Parameter since: wall milliseconds from which a pause counts.
    private mutating func conclude(_ number: UInt32, _ since: Int64, _ now: Instant) {
        let slot = slots.pointer(number)
        let deferred = slot.pointee.flags.contains(.deferred)
        slot.pointee.flags.remove([.deferred, .partial])
        if slot.pointee.failedParts != 0 {
            end(number, .failed, slot.pointee.reason == .none ? .refused : slot.pointee.reason, at: since, now)
        } else if slot.pointee.answeredParts == slot.pointee.allParts {
            if slot.pointee.deliveredParts == slot.pointee.allParts { return end(number, .delivered, .none, at: since, now) }
            slot.pointee.state = .sent
            if !replaying { arm(number, wall: lookAt(number, now), now) }
        } else if slot.pointee.missingParts != 0 {
            slot.pointee.state = .queued
            if deferred {
                slot.pointee.strikes = slot.pointee.strikes == .max ? .max : slot.pointee.strikes + 1
                guard let pause = slot.pointee.messageClass.pause(after: slot.pointee.strikes) else {
                    return end(number, .failed, .attemptsUsedUp, at: since, now)
                }
                // The wall clock may have jumped back since: a pause never grows by that.
                let spread = jitter.spread(pause)
                wait(number, until: min(since, now.wallMilliseconds) + spread, now)
            }
        } else {
            slot.pointee.state = .unknown
            if !replaying { armUnknown(number, now) }
        }
    }

    private mutating func received(_ it: RecordBody.Receipt, _ header: RecordHeader, _ number: UInt32, _ now: Instant) {
        guard it.state.isFinal else { return }
        let slot = slots.pointer(number)
        let bit: UInt16 = 1 << UInt16(it.part & 15)
        providers.remove(key(header.group, it.providerID))
        // A receipt proves that the provider had the part, whatever its answer was.
        slot.pointee.answeredParts |= bit
        slot.pointee.unknownParts &= ~bit
        if it.state == .delivered {
            slot.pointee.deliveredParts |= bit
            if slot.pointee.deliveredParts == slot.pointee.allParts { end(number, .delivered, .none, at: header.at / 1000, now) }
            return
        }
        slot.pointee.failedParts |= bit
        slot.pointee.acceptedMicros = UInt32(it.error)
        let open = slot.pointee.allParts & ~slot.pointee.deliveredParts & ~slot.pointee.failedParts
        if open == 0 || header.flags.contains(.settlesAttempt) {
            end(number, it.state == .expired ? .expired : .failed, .undeliverable, at: header.at / 1000, now)
        } else {
            // It ends when the parts on the wire are answered.
            slot.pointee.reason = .undeliverable
        }
    }

    private mutating func resumed(_ it: RecordBody.Resumed, _ number: UInt32) {
        let slot = slots.pointer(number)
        if it.why != .replanned { slot.pointee.flags.remove([.deferred, .partial]) }
        switch it.why {
        case .unknown:
            slot.pointee.unknownParts = 0
            slot.pointee.resends += 1
            slot.pointee.state = .queued
            slot.pointee.flags.insert(.possibleDuplicate)
        case .restart:
            slot.pointee.flags.insert(.possibleDuplicate)
        case .left:
            slot.pointee.unknownParts |= slot.pointee.missingParts
            slot.pointee.state = .unknown
            slot.pointee.flags.insert(.possibleDuplicate)
        case .replanned:
            slot.pointee.textShape = it.textShape
            slot.pointee.parts = max(1, it.submits)
            submitsLargest = max(submitsLargest, Int(it.submits))
            // A handset that may have parts of an earlier sending must not put these to them.
            slot.pointee.partsReference &+= 0x8181
            return
        }
        if !replaying { counts.possibleDuplicates += 1 }
    }

    private mutating func rerouted(_ it: RecordBody.Rerouted, _ number: UInt32, at position: UInt64, _ now: Instant) {
        let slot = slots.pointer(number)
        slot.pointee.group = it.group
        if position != 0 { slot.pointee.origin = position }
        // A pause was for the provider that it leaves.
        slot.pointee.flags.remove(.waiting)
        if !replaying { arm(number, wall: slot.pointee.deadline, now) }
    }

    /// Of a notification with further messages open it may be no more than its own message that is over.
    /// - Parameter wall: milliseconds of the record that ends it.
    mutating func end(_ number: UInt32, _ state: MessageState, _ reason: EndReason, at wall: Int64, _ now: Instant) {
        let slot = slots.pointer(number)
        if slot.pointee.isMember { return memberOver(number, state, reason, now) }
        if slot.pointee.role.contains(.isEvent), ownOver(number, state, reason, now) { return }
        if !slot.pointee.state.isEnd { ledger.left(slot.pointee.source, number) }
        ledger.ended(slot.pointee.source)
        if slot.pointee.state == .planned { plannedCount -= 1 }
        slot.pointee.state = state
        slot.pointee.reason = reason
        slot.pointee.tries = 0
        if reason != .undeliverable { slot.pointee.acceptedMicros = 0 }
        wheel.remove(number, in: slots)
        slot.pointee.flags.remove(.waiting)
        if slot.pointee.role.contains(.isEvent) {
            overNow(number)
            dropPlanned(slot.pointee.id, upTo: slot.pointee.lastOrdinal)
        }
        if slot.pointee.flags.contains(state == .delivered ? .tellsDelivered : .tellsFailed) {
            slot.pointee.flags.insert(.owed)
            slot.pointee.origin = UInt64(clamping: wall)
            owedCount += 1
        }
        if !replaying { counts.ended[Int(slot.pointee.messageClass.rawValue)][Int(state.rawValue)] += 1 }
    }

    /// Its source has heard of its end, or is told no more.
    private mutating func heard(_ it: RecordBody.Told, _ number: UInt32) {
        let slot = slots.pointer(number)
        guard slot.pointee.flags.contains(.owed) else { return }
        slot.pointee.flags.remove(.owed)
        unpark(number)
        owedCount -= 1
        if slot.pointee.state == .received { owedInbound -= 1 }
        if replaying { release(number) } else { counts.told[Int(it.outcome.rawValue)] += 1 }
    }

    /// An ended message of which nothing is on the wire or on its way to the disk: to its source's outbox, or out of the table.
    mutating func retire(_ number: UInt32) {
        let slot = slots.pointer(number)
        guard slot.pointee.pending == 0, slot.pointee.openParts == 0 else { return }
        leaveQueue(number)
        if slot.pointee.flags.contains(.owed) { owe(number) } else { release(number) }
    }

    /// Gives the memory of an ended message back.
    mutating func release(_ number: UInt32) {
        let slot = slots.pointer(number)
        wheel.remove(number, in: slots)
        leaveQueue(number)
        forget(slot.pointee.payloadAt)
        if !slot.pointee.state.isEnd, !slot.pointee.isMember { ledger.left(slot.pointee.source, number) }
        if slot.pointee.state == .planned { plannedCount -= 1 }
        standing[number] = nil
        slots.remove(number)
    }

    mutating func setCredit(_ group: GroupNumber, _ value: UInt32, at position: UInt64) {
        let old = creditMarks[group]?.position ?? 0
        if position != 0 { forget(old) }
        creditMarks[group] = (value, position == 0 ? old : position)
        remember(position)
    }

    mutating func remember(_ position: UInt64) {
        if position != 0 { livePerSegment[UInt32(truncatingIfNeeded: position >> 32), default: 0] += 1 }
    }

    mutating func forget(_ position: UInt64) {
        if position != 0 { forget(segment: UInt32(truncatingIfNeeded: position >> 32)) }
    }

    /// One less is held by this segment; 0: by none.
    mutating func forget(segment: UInt32) {
        guard segment != 0, let live = livePerSegment[segment] else { return }
        if live <= 1 { livePerSegment[segment] = nil } else { livePerSegment[segment] = live - 1 }
    }

    // MARK: Timers

    /// How long after its deadline a message that a provider took may still get its receipt.
    static let receiptGraceMilliseconds: Int64 = 15 * 60 * 1000

    func receiptDeadline(_ slot: Slot) -> Int64 { slot.deadline + Engine.receiptGraceMilliseconds }

    mutating func arm(_ number: UInt32, wall: Int64, _ now: Instant) {
        let left = min(max(0, wall - now.wallMilliseconds), Engine.validityMaximum * 1000)
        wheel.set(number, due: wheel.tickAfter(now.steady + left * 1000), in: slots)
    }

    /// Not tried again before this wall time in milliseconds.
    mutating func wait(_ number: UInt32, until wall: Int64, _ now: Instant) {
        slots.pointer(number).pointee.flags.insert(.waiting)
        // A clock that jumped must not make a short pause a long one: never past the deadline.
        if !replaying || wall > now.wallMilliseconds { arm(number, wall: min(wall, slots.pointer(number).pointee.deadline), now) }
    }

    mutating func armUnknown(_ number: UInt32, _ now: Instant) {
        let slot = slots.pointer(number)
        switch slot.pointee.messageClass.afterUnknown {
        case .sendAgainAtOnce: arm(number, wall: now.wallMilliseconds, now)
        case .sendAgainOnce:
            arm(number, wall: slot.pointee.resends == 0 ? now.wallMilliseconds : lookAt(number, now), now)
        case .waitThenSendAgain(let seconds):
            arm(number, wall: slot.pointee.resends == 0 ? now.wallMilliseconds + seconds * 1000 : lookAt(number, now), now)
        case .leave: arm(number, wall: lookAt(number, now), now)
        }
    }
}

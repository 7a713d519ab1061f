public import MartletModel

extension Engine {
    /// Makes a record of an open message, folds it in and puts it into the turn; behind it, of an event's message, what follows for the others.
    /// - Parameter change: what the record says otherwise than the message stands: the fold takes it from there.
    mutating func emit(
        _ body: RecordBody, _ number: UInt32, _ turn: inout Turn, flags: RecordFlags = [], sealed: Turn.Sealed = .none,
        after: Turn.After = .nothing, change: ((inout RecordHeader) -> Void)? = nil
    ) {
        let slot = slots.pointer(number)
        var header = RecordHeader(
            kind: body.kind, partition: slot.pointee.partition, messageClass: slot.pointee.messageClass.rawValue,
            source: slot.pointee.source, group: slot.pointee.group, parts: slot.pointee.parts, id: slot.pointee.id,
            at: turn.now.wall, deadline: slot.pointee.deadline, flags: flags)
        if slot.pointee.flags.contains(.possibleDuplicate) { header.flags.insert(.possibleDuplicate) }
        // A copy forward says of its own sending alone; the other stands in its role.
        if slot.pointee.isMember, slot.pointee.role.contains(.anyLeft), body.kind != .carried { header.flags.insert(.possibleDuplicate) }
        if slot.pointee.flags.contains(.tellsDelivered) { header.flags.insert(.tellsDelivered) }
        if slot.pointee.flags.contains(.tellsFailed) { header.flags.insert(.tellsFailed) }
        change?(&header)
        header.sequence = nextSequence(slot.pointee.partition)
        var record = Record(header: header, body: body)
        slot.pointee.pending += 1
        let reference = slots.reference(number)
        let before = slot.pointee.state
        apply(record, at: 0, turn.now)
        // The end is the fold's to see; an ended message is retired once that is durable.
        let ended = slot.pointee.state.isEnd
        // What is on the wire is not the log's to say.
        let state = slot.pointee.state == .submitted ? .queued : slot.pointee.state
        record.header.flags.formUnion(.outcome(state, slot.pointee.reason))
        if ended, !before.isEnd { record.header.flags.insert(.ends) }
        var effect = after
        if ended {
            switch after {
            case .moved, .decided: break
            case .nothing, .ready, .again, .retire, .recovered, .shifted: effect = .retire
            }
        }
        turn.records.append(Turn.Emitted(record: record, slot: reference, sealed: sealed, after: effect))
        if slot.pointee.role.contains(.isEvent) { settle(number, &turn) }
    }

    /// A record of the node's own: starts, stops, a person's act.
    public mutating func mark(_ mark: RecordBody.Mark, group: GroupNumber = 0, _ turn: inout Turn) {
        self.mark(mark, group: group, partition: home, &turn)
    }

    mutating func mark(_ mark: RecordBody.Mark, group: GroupNumber, partition: PartitionNumber, _ turn: inout Turn) {
        var header = RecordHeader(kind: .mark, partition: partition, group: group, at: turn.now.wall)
        header.sequence = nextSequence(partition)
        let record = Record(header: header, body: .mark(mark))
        apply(record, at: 0, turn.now)
        turn.records.append(Turn.Emitted(record: record, slot: nil, sealed: .none, after: .nothing))
    }

    /// Where the node put a record of the turn. Called in the order of the records, before the next turn.
    public mutating func placed(_ emitted: borrowing Turn.Emitted, at position: UInt64) {
        heads[Int(emitted.record.header.partition)] = UInt32(truncatingIfNeeded: position >> 32)
        if let reference = emitted.slot, let number = slots.number(of: reference) {
            let slot = slots.pointer(number)
            slot.pointee.last = position
            switch emitted.record.body {
            case .accepted:
                slot.pointee.payloadAt = position
                // Of one that ended as it was accepted it is the time of its end.
                if !slot.pointee.state.isEnd { slot.pointee.origin = position }
                remember(position)
                anchor(slot.pointee.source, at: position)
            case .decided(let it) where it.stage == .fresh:
                placed(it, at: position)
                placedPlanned(it, emitted.record.header.id, at: position)
                slot.pointee.payloadAt = position
                if !slot.pointee.state.isEnd { slot.pointee.origin = position }
                remember(position)
                anchor(slot.pointee.source, at: position)
            case .decided(let it):
                placed(it, at: position)
                placedPlanned(it, emitted.record.header.id, at: position)
                // As of a copy; and the place in its queue.
                moving[reference] = position
                if !slot.pointee.state.isEnd { slot.pointee.origin = position }
                remember(position)
            case .rerouted:
                // The place in its new queue.
                if !slot.pointee.state.isEnd { slot.pointee.origin = position }
            case .inbound:
                slot.pointee.payloadAt = position
                remember(position)
            case .carried, .replaced:
                // The old copy is read, and holds its segment, until this one is durable.
                moving[reference] = position
                remember(position)
            case .answered, .receipt, .ended, .resumed, .orphan, .mark, .told, .ledger, .preference, .asked, .counted, .subscribed:
                break
            }
        } else if case .orphan(let it) = emitted.record.body {
            // One that was dropped or adopted meanwhile needs no record.
            guard let old = orphans.place(key(emitted.record.header.group, it.providerID), at: position) else { return }
            forget(old)
            remember(position)
        } else if case .inbound(let it) = emitted.record.body, it.number != 0 {
            placedPart(it, emitted.record.header.id, at: position)
        } else if case .preference(let it) = emitted.record.body {
            guard let old = optOuts.place(it.number, in: UInt32(truncatingIfNeeded: position >> 32)) else { return }
            forget(segment: old)
            remember(position)
        } else if case .mark(let it) = emitted.record.body, it.what == .credit {
            setCredit(emitted.record.header.group, creditMarks[emitted.record.header.group]?.value ?? it.value, at: position)
        } else if case .mark(let it) = emitted.record.body, it.what == .hold {
            setHold(emitted.record.header.group, holds[emitted.record.header.group]?.classes ?? [], at: position)
        } else if case .counted(let it) = emitted.record.body {
            counted(it, at: position)
        } else if case .ledger = emitted.record.body {
            stated(emitted.record.header.source, at: position)
        }
    }

    /// Raw position that the record's header must name as its id's previous one.
    public func previous(of emitted: borrowing Turn.Emitted) -> UInt64 {
        guard let reference = emitted.slot, let number = slots.number(of: reference) else { return emitted.record.header.previous }
        return slots.pointer(number).pointee.last
    }

    /// The record is durable: its effect may leave.
    public mutating func released(_ reference: SlotReference, _ after: Turn.After, _ now: Instant) {
        if case .recovered = after { gate -= 1 }
        guard let number = slots.number(of: reference) else { return }
        let slot = slots.pointer(number)
        if slot.pointee.pending > 0 { slot.pointee.pending -= 1 }
        switch after {
        case .nothing: break
        case .ready: enqueue(number)
        case .again, .recovered: enqueue(number, front: true)
        case .moved:
            moved(number, reference)
            // One that was told while it moved.
            if slot.pointee.state.isEnd { retire(number) }
        case .decided:
            moved(number, reference)
            if slot.pointee.state.isEnd { retire(number) } else { enqueue(number) }
        case .retire:
            // Or its own message is over, and its notification goes on.
            if slot.pointee.state.isEnd { retire(number) } else { leaveQueue(number) }
        case .shifted(let group):
            if slot.pointee.flags.contains(.queued) { lanes[Int(group)].remove(number, slots) }
            enqueue(number)
        }
    }

    private mutating func moved(_ number: UInt32, _ reference: SlotReference) {
        guard let position = moving.removeValue(forKey: reference) else { return }
        let slot = slots.pointer(number)
        forget(slot.pointee.payloadAt)
        slot.pointee.payloadAt = position
        slot.pointee.flags.remove(.replacing)
        if slot.pointee.flags.contains(.loading) { slot.pointee.flags.insert(.moved) }
    }

    /// What a decision plans reads its event from that decision's record.
    private mutating func placedPlanned(_ it: RecordBody.Decided, _ id: MessageID, at position: UInt64) {
        for ordinal in [it.planned, it.reminder?.ordinal ?? 0] where ordinal != 0 {
            guard let number = slots.number(of: id.with(ordinal: ordinal)), slots.pointer(number).pointee.payloadAt == 0 else { continue }
            slots.pointer(number).pointee.payloadAt = position
            slots.pointer(number).pointee.origin = position
            remember(position)
        }
    }

    /// Puts a queued message that is not waiting into its lane, unless it is there already.
    mutating func enqueue(_ number: UInt32, front: Bool = false) {
        let slot = slots.pointer(number)
        guard slot.pointee.state == .queued, !slot.pointee.flags.contains(.waiting), !slot.pointee.flags.contains(.queued),
            slot.pointee.missingParts != 0
        else { return }
        lanes[Int(slot.pointee.group)].push(number, slots, front: front)
    }

    /// Takes a message out of the queue it stands in.
    mutating func leaveQueue(_ number: UInt32) {
        let slot = slots.pointer(number)
        if slot.pointee.flags.contains(.queued) { lanes[Int(slot.pointee.group)].remove(number, slots) }
    }

    /// Puts a message that never left back where it was: before all others, so that what was handed over and what was not stay in order.
    mutating func enqueueFirst(_ number: UInt32) {
        let slot = slots.pointer(number)
        guard !slot.pointee.flags.contains(.queued) else { return }
        lanes[Int(slot.pointee.group)].pushFirst(number, slots)
    }
}

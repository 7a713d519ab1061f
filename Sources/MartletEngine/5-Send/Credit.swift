public import MartletModel

extension Engine {
    /// The next message of a group for a connection with room for so many parts, marked as handed over; nil when nothing may go
    /// now. Nothing is recorded before the provider's answer: the acceptance that allows it is durable already.
    public mutating func credit(_ group: GroupNumber, room: Int) -> Handover? {
        guard room > 0, gate == 0 else { return nil }
        var skipped: ClassSet = []
        while let one = lanes[Int(group)].choose(without: skipped) {
            let number = lanes[Int(group)][one].next(slots)
            let slot = slots.pointer(number)
            if isLeaving(number, group) {
                lanes[Int(group)].pushFirst(number, slots)
                // Nothing of a lower lane leaves while a strict one only waits for the disk.
                if one.lane.isStrict { return nil }
                skipped.formUnion(ClassSet(one))
                continue
            }
            guard slot.pointee.state == .queued, slot.pointee.missingParts != 0, !slot.pointee.flags.contains(.waiting) else { continue }
            guard let payload = payload(of: number) else {
                load(number, group, one)
                continue
            }
            if isMisfit(number, payload) {
                // As above.
                lanes[Int(group)].pushFirst(number, slots)
                misfits.insert(Misfit(group: group, messageClass: one))
                if one.lane.isStrict { return nil }
                skipped.formUnion(ClassSet(one))
                continue
            }
            if !optOuts.isEmpty, slot.pointee.answeredParts == 0, !slot.pointee.isMandatory,
                optOuts.unwanted(by: lookups.number(payload.to)).contains(slot.pointee.messageClass)
            {
                // As above: nothing goes from behind it before its end is durable.
                lanes[Int(group)].pushFirst(number, slots)
                unwanted.append(slots.reference(number))
                if one.lane.isStrict { return nil }
                skipped.formUnion(ClassSet(one))
                continue
            }
            lanes[Int(group)].charge(one, parts: slot.pointee.missingParts.nonzeroBitCount)
            return handOver(number, payload)
        }
        return nil
    }

    /// Its end (expiry, cancelling), its new text or plan, or its move to another group is not durable: after a crash it would stand here again, and what was
    /// handed over from behind it would not be among the first of its queue, which are the ones a restart suspects.
    private func isLeaving(_ number: UInt32, _ group: GroupNumber) -> Bool {
        let slot = slots.pointer(number)
        return slot.pointee.group != group
            || slot.pointee.pending > 0
                && (slot.pointee.state.isEnd || slot.pointee.role.contains(.ownOver) || slot.pointee.flags.contains(.replacing)
                    || slot.pointee.textShape != 0)
    }

    /// Whether anything of the group could go now, payload at hand or not.
    public func hasWork(_ group: GroupNumber) -> Bool {
        gate == 0 && lanes[Int(group)].choose() != nil
    }

    /// Ends what `credit` met whose customer opted out since it was accepted.
    public mutating func endUnwanted(_ turn: inout Turn) {
        for reference in unwanted {
            guard let number = slots.number(of: reference), !slots.pointer(number).pointee.state.isEnd else { continue }
            emit(.ended(.init(state: .suppressed, reason: .optedOut)), number, &turn, after: .retire)
        }
        unwanted.removeAll(keepingCapacity: true)
    }

    public var meetsUnwanted: Bool { !unwanted.isEmpty }

    private mutating func handOver(_ number: UInt32, _ payload: Payload) -> Handover {
        let slot = slots.pointer(number)
        let mask = slot.pointee.missingParts
        slot.pointee.openParts = mask
        slot.pointee.state = .submitted
        slot.pointee.attempts = slot.pointee.attempts == .max ? .max : slot.pointee.attempts + 1
        return Handover(
            slot: slots.reference(number), id: slot.pointee.id, attempt: slot.pointee.attempts, parts: slot.pointee.parts,
            partMask: mask, partsReference: slot.pointee.partsReference, messageClass: slot.pointee.messageClass,
            to: payload.to, from: payload.from, text: payload.text, userDataHeader: payload.userDataHeader,
            partOctets: payload.partOctets, partAlphabet: payload.partAlphabet, wishes: payload.wishes,
            textShape: textShape(slot.pointee, payload), deadline: slot.pointee.deadline,
            acceptedAt: Instant(wall: slot.pointee.id.milliseconds * 1000, steady: Int64(slot.pointee.acceptedMicros)))
    }

    func payload(of number: UInt32) -> Payload? {
        let slot = slots.pointer(number)
        let offset = slot.pointee.ringOffset
        if slot.pointee.messageClass.lane.isStrict {
            return codeRing.holds(offset) ? try? Payload(reading: codeRing.payload(offset)) : nil
        }
        return ring.holds(offset) ? try? Payload(reading: ring.payload(offset)) : nil
    }

    // MARK: Payloads that only the log holds

    /// Messages of one class whose payloads are asked for ahead.
    private static let loadAhead = 256

    /// The first in turn has no payload here: it and those behind it wait together, in order, until all are read. What was handed
    /// over and what was not stay the beginning and the rest of one queue, which is what a restart counts on.
    private mutating func load(_ first: UInt32, _ group: GroupNumber, _ one: MessageClass) {
        ask(first, group, one)
        while lanes[Int(group)][one].loading.count < Engine.loadAhead, lanes[Int(group)][one].hasNext {
            let number = lanes[Int(group)][one].next(slots)
            if isLeaving(number, group) { return lanes[Int(group)].pushFirst(number, slots) }
            ask(number, group, one)
        }
    }

    private mutating func ask(_ number: UInt32, _ group: GroupNumber, _ one: MessageClass) {
        let slot = slots.pointer(number)
        lanes[Int(group)][one].pushLoading(number, slots)
        guard payload(of: number) == nil else { return }
        slot.pointee.flags.insert(.loading)
        slot.pointee.flags.remove(.moved)
        wanted.append(slots.reference(number))
    }

    /// The node takes the list of payloads to read.
    public mutating func takeWanted() -> [(slot: SlotReference, position: UInt64)] {
        var list: [(slot: SlotReference, position: UInt64)] = []
        list.reserveCapacity(wanted.count)
        for reference in wanted {
            guard let number = slots.number(of: reference) else { continue }
            list.append((reference, slots.pointer(number).pointee.payloadAt))
        }
        wanted.removeAll(keepingCapacity: true)
        return list
    }

    /// Payloads read from the log, opened. A message whose payload could not be read back ends with that reason.
    public mutating func loaded(_ payloads: [(slot: SlotReference, payload: Turn.Loaded)], _ turn: inout Turn) {
        // Backwards: where the ring is too small for all, it holds those whose turn comes first.
        for item in payloads.reversed() {
            guard let number = slots.number(of: item.slot) else { continue }
            let slot = slots.pointer(number)
            slot.pointee.flags.remove(.loading)
            if slot.pointee.flags.contains(.moved) || slot.pointee.flags.contains(.replacing) {
                // Its payload has another place since, or is another: asked for again when its turn comes.
            } else if case .payload(let bytes) = item.payload, let payload = bytes.withUnsafeBytes({ try? Payload(reading: $0) }) {
                slot.pointee.ringOffset = keep(bytes, payload, slot.pointee.messageClass)
            } else if !slot.pointee.state.isEnd, slot.pointee.state != .planned {
                emit(end(of: number, item.payload), number, &turn, after: .retire)
            }
        }
        // One that is gone meanwhile made way when it was taken out of its queue.
        for item in payloads {
            guard let number = slots.number(of: item.slot) else { continue }
            let slot = slots.pointer(number)
            lanes[Int(slot.pointee.group)][slot.pointee.messageClass].takeLoaded(slots)
        }
    }

    /// How a message ends whose payload is not there: one of which a provider has parts was not cancelled.
    func end(of number: UInt32, _ payload: Turn.Loaded) -> RecordBody {
        let slot = slots.pointer(number)
        let taken = slot.pointee.answeredParts | slot.pointee.unknownParts | slot.pointee.failedParts
        switch payload {
        case .erased: return .ended(.init(state: taken == 0 ? .cancelled : .failed, reason: .customerErased))
        case .lost, .payload: return .ended(.init(state: .failed, reason: .payloadLost))
        }
    }
}

public import MartletModel

extension Engine {
    /// The next message of a group for a connection with room for so many parts, marked as handed over; nil when nothing may go
    /// now. Nothing is recorded before the provider's answer: the acceptance that allows it is durable already.
    public mutating func credit(_ group: GroupNumber, room: Int) -> Handover? {
        guard room > 0, gate == 0 else { return nil }
        while let lane = lanes[Int(group)].choose() {
            let number: UInt32
            if lanes[Int(group)][lane].front.isEmpty {
                number = lanes[Int(group)][lane].pop(slots)
            } else {
                number = lanes[Int(group)][lane].front.pop(slots)
            }
            let slot = slots.pointer(number)
            slot.pointee.flags.remove(.queued)
            if slot.pointee.flags.contains(.dead) {
                bury(number)
                continue
            }
            if slot.pointee.state.isEnd, slot.pointee.pending > 0 {
                // Its end (expiry, cancelling) is not durable: after a crash it would stand here again, and what was handed over
                // from behind it would not be among the first of its queue, which are the ones a restart suspects.
                enqueueFirst(number)
                return nil
            }
            guard slot.pointee.state == .queued, slot.pointee.missingParts != 0, !slot.pointee.flags.contains(.waiting) else { continue }
            if slot.pointee.textShape != 0, slot.pointee.pending > 0 {
                // Planned anew, and that is not durable: it and those behind it wait, so that the order of the queue stays.
                enqueueFirst(number)
                return nil
            }
            guard let payload = payload(of: number) else {
                load(number, group, lane)
                continue
            }
            if isMisfit(number, payload) {
                enqueueFirst(number)
                misfits.insert(group)
                return nil
            }
            lanes[Int(group)].charge(lane, parts: slot.pointee.missingParts.nonzeroBitCount)
            return handOver(number, payload)
        }
        return nil
    }

    /// Whether anything of the group could go now, payload at hand or not.
    public func hasWork(_ group: GroupNumber) -> Bool {
        gate == 0 && lanes[Int(group)].choose() != nil
    }

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

    /// Messages of one lane whose payloads are asked for ahead.
    private static let loadAhead = 256

    /// The first in turn has no payload here: it and those behind it wait together, in order, until all are read. What was handed
    /// over and what was not stay the beginning and the rest of one queue, which is what a restart counts on.
    private mutating func load(_ first: UInt32, _ group: GroupNumber, _ lane: Lane) {
        ask(first, group, lane)
        while lanes[Int(group)][lane].loading.count < Engine.loadAhead {
            let number: UInt32
            if !lanes[Int(group)][lane].front.isEmpty {
                number = lanes[Int(group)][lane].front.pop(slots)
            } else if lanes[Int(group)][lane].waiting > 0 {
                number = lanes[Int(group)][lane].pop(slots)
            } else {
                return
            }
            if slots.pointer(number).pointee.flags.contains(.dead) { bury(number) } else { ask(number, group, lane) }
        }
    }

    private mutating func ask(_ number: UInt32, _ group: GroupNumber, _ lane: Lane) {
        let slot = slots.pointer(number)
        slot.pointee.flags.insert(.queued)
        lanes[Int(group)][lane].loading.push(number, slots)
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

    /// Payloads read from the log, opened. A nil payload could not be read back: its message ends with that reason.
    public mutating func loaded(_ payloads: [(slot: SlotReference, payload: [UInt8]?)], _ turn: inout Turn) {
        // Backwards: where the ring is too small for all, it holds those whose turn comes first.
        for item in payloads.reversed() {
            guard let number = slots.number(of: item.slot) else { continue }
            let slot = slots.pointer(number)
            slot.pointee.flags.remove(.loading)
            if let payload = item.payload, payload.withUnsafeBytes({ (try? Payload(reading: $0)) != nil }) {
                slot.pointee.ringOffset = payload.withUnsafeBytes { keep($0, slot.pointee.messageClass) }
            } else if slot.pointee.flags.contains(.moved) {
                // It was carried forward and its old segment trimmed meanwhile: asked for again when its turn comes.
            } else if !slot.pointee.state.isEnd {
                emit(.ended(.init(state: .failed, reason: .payloadLost)), number, &turn, after: .retire)
            }
        }
        // What was waited for goes before what came back since.
        for item in payloads {
            guard let number = slots.number(of: item.slot) else { continue }
            let group = Int(slots.pointer(number).pointee.group)
            let lane = slots.pointer(number).pointee.messageClass.lane
            var ready = Fifo()
            while !lanes[group][lane].loading.isEmpty {
                if slots.pointer(lanes[group][lane].loading.head).pointee.flags.contains(.loading) { break }
                ready.push(lanes[group][lane].loading.pop(slots), slots)
            }
            lanes[group][lane].front.prepend(&ready, slots)
        }
    }
}

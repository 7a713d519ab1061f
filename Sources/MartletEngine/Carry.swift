public import MartletModel

extension Engine {
    /// What of this segment must outlive it: payloads of open messages, orphans, marks, sums of sources, newest sequences.
    public func live(in segment: UInt32) -> Int {
        var live = (livePerSegment[segment] ?? 0) + caps.live(in: segment) + numberCaps.live(in: segment)
        for head in heads where head == segment { live += 1 }
        return live
    }

    /// Some of the open messages whose payload stands in a segment up to this one, to be read and carried forward. Goes through
    /// the table in steps; `cursor` starts at 0 and comes back as 0 when one round is complete.
    public mutating func carryCandidates(
        upTo segment: UInt32, limit: Int, cursor: inout UInt32
    ) -> [(slot: SlotReference, position: UInt64)] {
        var found: [(slot: SlotReference, position: UInt64)] = []
        let stop = min(slots.bound, cursor &+ 65_536)
        while cursor < stop, found.count < limit {
            let slot = slots.pointer(cursor)
            if slot.pointee.id.high != 0, slot.pointee.payloadAt != 0, slot.pointee.segment <= segment, slot.pointee.pending == 0,
                slot.pointee.openParts == 0, !slot.pointee.state.isEnd || slot.pointee.flags.contains(.owed),
                !slot.pointee.flags.contains(.carrying)
            {
                slot.pointee.flags.insert(.carrying)
                found.append((slots.reference(cursor), slot.pointee.payloadAt))
            }
            cursor += 1
        }
        if cursor >= slots.bound { cursor = 0 }
        return found
    }

    /// Carries messages forward whose sealed payload was read again; orphans, marks, sums of sources and newest sequences of those
    /// segments go along. A nil payload could not be read: the message is given up with that reason. What is on the wire just now has its
    /// turn in the next round, since its records alone do not tell how it stands.
    public mutating func carry(
        _ items: [(slot: SlotReference, sealed: [UInt8]?, keyID: UInt32)], orphansUpTo segment: UInt32, _ turn: inout Turn
    ) {
        var keys: [UInt32: [RecordBody.Carried.ProviderKey]] = [:]
        var chosen = Set<UInt32>()
        for item in items { if let number = slots.number(of: item.slot) { chosen.insert(number) } }
        if !chosen.isEmpty { providers.keys(of: { chosen.contains($0) }, in: slots) { keys[$0, default: []].append($1) } }
        for item in items {
            guard let number = slots.number(of: item.slot) else { continue }
            let slot = slots.pointer(number)
            slot.pointee.flags.remove(.carrying)
            let isOwed = slot.pointee.flags.contains(.owed)
            guard !slot.pointee.state.isEnd || isOwed, slot.pointee.openParts == 0 else { continue }
            guard let sealed = item.sealed else {
                if isOwed {
                    untellable(item.slot, &turn)
                    continue
                }
                emit(.ended(.init(state: .failed, reason: .payloadLost)), number, &turn, after: .retire)
                continue
            }
            counts.carried += 1
            emit(
                .carried(snapshot(number, keys[number] ?? [], turn.now)), number, &turn,
                sealed: .copy(sealed, keyID: item.keyID), after: .moved)
        }
        for entry in orphans.standing(upTo: segment, limit: 4096) { orphan(entry.orphan, entry.group, at: entry.at, &turn) }
        carryInbound(upTo: segment, &turn)
        carryCounted(upTo: segment, &turn)
        carryMarks(upTo: segment, &turn)
    }

    private mutating func carryMarks(upTo segment: UInt32, _ turn: inout Turn) {
        for (group, mark) in creditMarks.sorted(by: { $0.key < $1.key })
        where mark.position != 0 && UInt32(truncatingIfNeeded: mark.position >> 32) <= segment {
            self.mark(.init(what: .credit, value: mark.value), group: group, &turn)
        }
        for (group, hold) in holds.sorted(by: { $0.key < $1.key })
        where hold.position != 0 && UInt32(truncatingIfNeeded: hold.position >> 32) <= segment {
            self.mark(.init(what: .hold, value: UInt32(hold.classes.rawValue)), group: group, &turn)
        }
        stateLedgers(upTo: segment, &turn)
        for partition in heads.indices where heads[partition] != 0 && heads[partition] <= segment {
            mark(.init(what: .head), group: 0, partition: PartitionNumber(partition), &turn)
        }
    }

    func snapshot(_ number: UInt32, _ keys: [RecordBody.Carried.ProviderKey], _ now: Instant) -> RecordBody.Carried {
        let slot = slots.pointer(number).pointee
        var notBefore: Int64 = 0
        if slot.flags.contains(.waiting) {
            let ticks = Int64(slot.due) - Int64(wheel.tick)
            notBefore = now.wallMilliseconds + max(0, ticks) * TimingWheel.tickMicroseconds / 1000
        }
        return RecordBody.Carried(
            state: slot.state == .submitted ? .queued : slot.state, attempts: slot.attempts, resends: slot.resends, strikes: slot.strikes,
            answeredParts: slot.answeredParts, deliveredParts: slot.deliveredParts, failedParts: slot.failedParts,
            unknownParts: slot.unknownParts, partsReference: slot.partsReference, notBefore: notBefore, order: slot.origin,
            providerKeys: keys, textShape: slot.textShape, error: slot.state.isEnd || slot.role.contains(.ownOver) ? slot.endError : 0,
            tries: slot.state.isEnd ? 0 : slot.tries, event: eventPart(number))
    }
}

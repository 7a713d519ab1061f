public import MartletModel

extension Engine {
    /// Takes what a provider said to parts that were handed over, or that it said nothing.
    /// An answer to something not open any more (a second answer, a late one) changes nothing and is counted.
    public mutating func settle(_ batch: [Settled], connection: String, _ turn: inout Turn) {
        for item in batch { settle(item, connection, &turn) }
    }

    private mutating func settle(_ item: Settled, _ connection: String, _ turn: inout Turn) {
        let bit: UInt16 = 1 << UInt16(item.part & 15)
        guard let number = slots.number(of: item.slot), slots.pointer(number).pointee.openParts & bit != 0,
            slots.pointer(number).pointee.attempts == item.attempt
        else {
            counts.staleAnswers += 1
            return
        }
        let slot = slots.pointer(number)
        slot.pointee.openParts &= ~bit
        counts.outcomes[item.outcome.metricIndex] += 1
        if item.outcome == .notWritten, !closes(slot.pointee) {
            if slot.pointee.openParts == 0 { putBack(number, &turn) }
            return
        }
        let body = RecordBody.Answered(
            attempt: item.attempt, part: item.part, outcome: item.outcome.clipped, handedAt: item.handedAt, connection: connection,
            rawID: item.rawID.utf8.count <= providerIDMaximum ? item.rawID : "")
        // What is still missing had its turn: it goes before those that had none.
        emit(.answered(body), number, &turn, flags: slot.pointee.openParts == 0 ? .settlesAttempt : [], after: .again)
        if case .accepted(let providerID) = body.outcome { adoptOrphan(providerID, number, item.part, &turn) }
    }

    /// A part that was not written is nothing that happened, so nothing is recorded; but when it is the last of an attempt
    /// that brought something else, its record is where that attempt ends.
    private func closes(_ slot: Slot) -> Bool {
        slot.openParts == 0 && !slot.state.isEnd && (slot.flags.contains(.partial) || slot.failedParts != 0)
    }

    /// No part of the attempt reached the wire.
    private mutating func putBack(_ number: UInt32, _ turn: inout Turn) {
        let slot = slots.pointer(number)
        if slot.pointee.state.isEnd {
            return retire(number)
        }
        slot.pointee.state = .queued
        enqueueFirst(number)
        if slot.pointee.role.contains(.isEvent) { settle(number, &turn) }
    }

    /// A receipt that overtook its answer is waiting for it.
    mutating func adoptOrphan(_ providerID: String, _ number: UInt32, _ part: UInt8, _ turn: inout Turn) {
        let group = slots.pointer(number).pointee.group
        guard let entry = orphans.find(key(group, providerID)) else { return }
        let receipt = RecordBody.Receipt(part: part, state: entry.orphan.state, error: entry.orphan.error, providerID: providerID)
        emit(.receipt(receipt), number, &turn, flags: slots.pointer(number).pointee.openParts == 0 ? .settlesAttempt : [])
    }
}

extension Outcome {
    /// Place in `Counts.outcomes`, as on disk.
    public var metricIndex: Int { Int(code) }

    /// A provider's id longer than the protocol allows is kept up to its limit.
    var clipped: Outcome {
        guard case .accepted(let id) = self, id.utf8.count > providerIDMaximum else { return self }
        return .accepted(providerID: String(decoding: id.utf8.prefix(providerIDMaximum), as: UTF8.self))
    }
}

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
        if item.outcome == .notWritten {
            // Nothing happened, so nothing is recorded; what else this attempt brought decides when its last part is answered.
            if slot.pointee.openParts == 0 { putBack(number, &turn) }
            return
        }
        let body = RecordBody.Answered(
            attempt: item.attempt, part: item.part, outcome: item.outcome.clipped, handedAt: item.handedAt, connection: connection)
        var throttled = false
        if case .throttled = item.outcome { throttled = true }
        emit(
            .answered(body), number, &turn, flags: slot.pointee.openParts == 0 ? .settlesAttempt : [],
            after: throttled ? .again : .ready)
        if case .accepted(let providerID) = item.outcome { adoptOrphan(providerID, number, item.part, &turn) }
    }

    /// The last open part of an attempt never reached the wire.
    private mutating func putBack(_ number: UInt32, _ turn: inout Turn) {
        let slot = slots.pointer(number)
        if slot.pointee.state.isEnd {
            if slot.pointee.pending == 0 { release(number) }
            return
        }
        if slot.pointee.missingParts != 0, slot.pointee.failedParts == 0 {
            slot.pointee.state = .queued
            enqueue(number, front: true)
        }
    }

    /// A receipt that overtook its answer is waiting for it.
    mutating func adoptOrphan(_ providerID: String, _ number: UInt32, _ part: UInt8, _ turn: inout Turn) {
        let group = slots.pointer(number).pointee.group
        guard let entry = orphans.find(key(group, providerID)) else { return }
        let receipt = RecordBody.Receipt(part: part, state: entry.orphan.state, error: entry.orphan.error, providerID: providerID)
        emit(.receipt(receipt), number, &turn)
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

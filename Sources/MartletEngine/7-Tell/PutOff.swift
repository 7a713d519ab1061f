public import MartletModel

/// Notices that are out of the outbox for a while, so that one which fails holds up none of the others. Nothing of this is in the log: a
/// restart owes them anew and tells them at once.
extension Engine {
    /// Back in the outbox when the time is over.
    mutating func putOff(_ number: UInt32, _ milliseconds: Int64, _ now: Instant) {
        let slot = slots.pointer(number)
        slot.pointee.tries = slot.pointee.tries == .max ? .max : slot.pointee.tries + 1
        slot.pointee.flags.remove(.inOutbox)
        slot.pointee.flags.insert(.waiting)
        let left = min(max(0, milliseconds), Engine.owedMilliseconds)
        wheel.set(number, due: wheel.tickAfter(now.steady + left * 1000), in: slots)
    }

    /// Not told by itself any more.
    mutating func park(_ number: UInt32, _ now: Instant) {
        let slot = slots.pointer(number)
        slot.pointee.flags.remove(.inOutbox)
        slot.pointee.flags.insert(.parked)
        parked[slot.pointee.source, default: 0] += 1
        arm(number, wall: slot.pointee.endedAt + Engine.owedMilliseconds, now)
    }

    mutating func unpark(_ number: UInt32) {
        let slot = slots.pointer(number)
        guard slot.pointee.flags.contains(.parked) else { return }
        slot.pointee.flags.remove(.parked)
        parked[slot.pointee.source, default: 0] -= 1
    }

    /// The time of one that is owed: it is told again, or was kept long enough.
    mutating func dueOwed(_ number: UInt32, _ turn: inout Turn) {
        let slot = slots.pointer(number)
        guard slot.pointee.flags.contains(.owed) else { return }
        let last = slot.pointee.endedAt + Engine.owedMilliseconds
        if turn.now.wallMilliseconds >= last { return emit(.told(.init(outcome: .givenUp, teller: "")), number, &turn) }
        slot.pointee.flags.remove(.waiting)
        owe(number)
        arm(number, wall: last, turn.now)
    }

    /// What its source was not heard to take of the ends since then goes to its outbox, whatever kept it out. Looks at a stretch of the
    /// table; `cursor` starts at 0 and comes back as 0 after the last.
    /// - Parameter since: wall milliseconds.
    /// - Returns: how many are owed in that stretch, those in the outbox already included.
    public mutating func tellAgain(_ source: SourceNumber, since: Int64, cursor: inout UInt32, now: Instant) -> Int {
        let stop = min(slots.bound, cursor &+ 16_384)
        var count = 0
        while cursor < stop {
            let slot = slots.pointer(cursor)
            if slot.pointee.id.high != 0, slot.pointee.source == source, slot.pointee.flags.contains(.owed), slot.pointee.endedAt >= since {
                count += 1
                if !slot.pointee.flags.isDisjoint(with: [.waiting, .parked]) {
                    unpark(cursor)
                    slot.pointee.flags.remove(.waiting)
                    slot.pointee.tries = 0
                    owe(cursor)
                    arm(cursor, wall: slot.pointee.endedAt + Engine.owedMilliseconds, now)
                }
            }
            cursor += 1
        }
        if cursor >= slots.bound { cursor = 0 }
        return count
    }
}

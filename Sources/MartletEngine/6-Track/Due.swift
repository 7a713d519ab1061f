import MartletModel

extension Engine {
    /// Messages looked at in one tick; the rest has its turn in the next.
    private static let tickLimit = 20_000

    /// What time brings: pauses that are over, deadlines, receipts that never came, unknown outcomes whose class sends again.
    public mutating func tick(_ turn: inout Turn) {
        fired.removeAll(keepingCapacity: true)
        wheel.advance(to: turn.now.steady, limit: Engine.tickLimit, in: slots, fired: &fired)
        for number in fired where slots.pointer(number).pointee.id.high != 0 { due(number, &turn) }
        orphans.expire(before: turn.now.wall - Orphans.keptMicroseconds) { forgotten.append($0.position) }
        for position in forgotten { forget(position) }
        forgotten.removeAll(keepingCapacity: true)
        lookAgain(turn.now)
        grantWishes(&turn)
        giveUpOwed(&turn)
        giveUpParts(&turn)
        caps.sweep(pages: 1)
        numberCaps.sweep()
        countOpen()
    }

    private mutating func due(_ number: UInt32, _ turn: inout Turn) {
        let slot = slots.pointer(number)
        // A record of it is not durable yet (a slow disk): look again soon.
        if slot.pointee.pending > 0 { return arm(number, wall: turn.now.wallMilliseconds + 100, turn.now) }
        let passed = turn.now.wallMilliseconds >= slot.pointee.deadline
        switch slot.pointee.state {
        case .queued:
            if passed { return emit(.ended(.init(state: .expired, reason: .notSentInTime)), number, &turn, after: .retire) }
            slot.pointee.flags.remove(.waiting)
            // Where the provider has some parts already, the handset waits for the others.
            enqueue(number, front: slot.pointee.answeredParts != 0)
            arm(number, wall: slot.pointee.deadline, turn.now)
        case .submitted:
            // The connection answers every part in its own time; then the deadline is looked at again.
            arm(number, wall: turn.now.wallMilliseconds + 1000, turn.now)
        case .sent:
            end(number, &turn)
        case .unknown:
            unknown(number, passed, &turn)
        case .planned: plannedDue(number, passed, &turn)
        case .delivered, .failed, .expired, .cancelled, .suppressed, .received: dueOwed(number, &turn)
        }
    }

    private mutating func end(_ number: UInt32, _ turn: inout Turn) {
        let slot = slots.pointer(number)
        if turn.now.wallMilliseconds >= receiptDeadline(slot.pointee) {
            emit(.ended(.init(state: .expired, reason: .noReceipt)), number, &turn, after: .retire)
        } else {
            look(number, turn.now)
        }
    }

    /// The class table of `unknown`: the answer stayed out.
    private mutating func unknown(_ number: UInt32, _ passed: Bool, _ turn: inout Turn) {
        let slot = slots.pointer(number)
        if slot.pointee.isMember, slots.number(of: slot.pointee.id.notification).map({ slots.pointer($0).pointee.state.isEnd }) ?? true {
            return end(number, &turn)
        }
        let again: Bool
        switch slot.pointee.messageClass.afterUnknown {
        case .sendAgainAtOnce: again = slot.pointee.resends < Engine.resendMaximum
        case .sendAgainOnce, .waitThenSendAgain: again = slot.pointee.resends == 0
        case .leave: again = false
        }
        if again, !passed, slot.pointee.role.contains(.isEvent), let next = plannedMember(of: slot.pointee.id) {
            // The next step of its plan takes its place.
            dueNow(next, turn.now)
            end(number, &turn)
        } else if again, !passed {
            emit(.resumed(.init(why: .unknown)), number, &turn, after: .ready)
            arm(number, wall: slot.pointee.deadline, turn.now)
        } else {
            end(number, &turn)
        }
    }

    /// Even security traffic is not repeated for ever into a silence.
    static let resendMaximum: UInt8 = 5

    /// Steady microseconds after which `tick` may have something to do.
    public var tickMicroseconds: Int64 { TimingWheel.tickMicroseconds }
}

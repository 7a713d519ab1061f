import MartletModel

/// What is held and whose hour has come, and steps whose turn has, in the order in which it came: to be decided anew when its payload was read. No part of the fold: a
/// start makes it again from the timers.
struct DueDecisions {
    private var waiting: ContiguousArray<SlotReference> = []
    private var first = 0

    var count: Int { waiting.count - first }

    mutating func push(_ one: SlotReference) { waiting.append(one) }

    mutating func pop() -> SlotReference? {
        guard first < waiting.count else { return nil }
        defer {
            first += 1
            if first == waiting.count {
                waiting.removeAll(keepingCapacity: true)
                first = 0
            } else if first >= 4096, first * 2 > waiting.count {
                waiting.removeFirst(first)
                first = 0
            }
        }
        return waiting[first]
    }
}

extension Engine {
    /// Decisions that are due and not taken yet.
    public var decisionsWaiting: Int { dueDecisions.count }

    /// A decision is due, or the deadline has passed before one was made.
    mutating func plannedDue(_ number: UInt32, _ passed: Bool, _ turn: inout Turn) {
        let slot = slots.pointer(number)
        if slot.pointee.role.contains(.ownOver) {
            // Its further messages end it; they have times of their own.
            settle(number, &turn)
            if !slot.pointee.state.isEnd { arm(number, wall: turn.now.wallMilliseconds + 21_600_000, turn.now) }
            return
        }
        // Of a notification that was held past its deadline, as over a stop of the server, the rules say what follows: it may be reminded of.
        if slot.pointee.flags.contains(.waiting), !passed || !slot.pointee.isMember { return decisionDue(number, turn.now) }
        if passed { return emit(.ended(.init(state: .expired, reason: .notSentInTime)), number, &turn, after: .retire) }
        // It is in the queue, or being decided; the clock was set back since its deadline was set.
        arm(number, wall: slot.pointee.deadline, turn.now)
    }

    /// Its hour has come: from here on the timer is its deadline's. Where that is over, the decision about a notification has a while all the same.
    mutating func decisionDue(_ number: UInt32, _ now: Instant) {
        let slot = slots.pointer(number)
        slot.pointee.flags.remove(.waiting)
        dueDecisions.push(slots.reference(number))
        let least = slot.pointee.isMember ? 0 : now.wallMilliseconds + Engine.lastDecision
        arm(number, wall: max(slot.pointee.deadline, least), now)
    }

    /// Milliseconds. A start needs two seconds to have its rulebook.
    private static let lastDecision: Int64 = 10_000
}

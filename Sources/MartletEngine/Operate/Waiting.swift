public import MartletModel

/// Which of the messages that wait to be sent a person means.
public struct Waiting: Sendable {
    public var group: GroupNumber?
    public var classes: ClassSet
    public var source: SourceNumber?
    /// Accepted before this wall time in milliseconds. What comes while a walk goes on is never meant.
    public var before: Int64

    public init(group: GroupNumber? = nil, classes: ClassSet = .all, source: SourceNumber? = nil, before: Int64) {
        self.group = group
        self.classes = classes
        self.source = source
        self.before = before
    }

    func matches(_ slot: Slot) -> Bool { matches(slot, .queued) }

    /// What is held for its hour stands in no group's queue, so it is not meant where one is named.
    func matchesPlanned(_ slot: Slot) -> Bool { group == nil && matches(slot, .planned) && !slot.role.contains(.ownOver) }

    private func matches(_ slot: Slot, _ state: MessageState) -> Bool {
        slot.id.high != 0 && slot.state == state && classes.contains(slot.messageClass) && group.map { $0 == slot.group } ?? true
            && source.map { $0 == slot.source } ?? true && slot.id.milliseconds < before
    }
}

/// What a walk over the table found or did, so far.
public struct WaitingTally: Equatable, Sendable {
    public var messages = 0
    /// One for each part, or one for all where a group takes a long text whole.
    public var submits = 0
    /// Left alone: a provider may have them, or some of their parts.
    public var mayHaveLeft = 0
    /// Left for another walk: a record of theirs is on its way to the disk, or their payload is being read.
    public var busy = 0
    public init() {}
}

/// A waiting message and its place among all: lower ones are older in their queues.
public struct WaitingPlace: Sendable {
    public var slot: SlotReference
    public var order: UInt64
}

/// One line of the list of what waits.
public struct WaitingKey: Hashable, Sendable {
    public var group: GroupNumber
    public var messageClass: MessageClass
    public var source: SourceNumber
}

public struct WaitingLine: Sendable {
    public var messages = 0
    /// One for each part, or one for all where a group takes a long text whole.
    public var submits = 0
    /// Of these, in a pause after a passing refusal.
    public var pausing = 0
    /// Wall milliseconds of the oldest one's acceptance.
    public var oldest: Int64 = .max
}

/// Walks over the table in steps, for the acts of a person. A `cursor` starts at 0 and is 0 again after the last step.
extension Engine {
    /// Slots looked at in one step, and messages acted on.
    public static let walkSlots: UInt32 = 8192
    public static let walkActs = 1024

    /// Counts what an act would meet.
    public func count(_ waiting: Waiting, suspects: Bool = false, _ cursor: inout UInt32, _ tally: inout WaitingTally) {
        walk(&cursor) { number in
            let slot = slots.pointer(number).pointee
            guard waiting.matches(slot) || !suspects && waiting.matchesPlanned(slot) else { return true }
            // A step that is planned ends with its notification.
            if !suspects, goesAlong(slot, { waiting.matches($0) || waiting.matchesPlanned($0) }) { return true }
            if suspects ? slot.isTaken : slot.mayHaveLeft {
                tally.mayHaveLeft += 1
            } else {
                tally.messages += 1
                tally.submits += Int(slot.parts)
            }
            return true
        }
    }

    /// Ends what waits, held for its hour too. What a provider may have is left alone.
    public mutating func purge(_ waiting: Waiting, _ cursor: inout UInt32, _ tally: inout WaitingTally, _ turn: inout Turn) {
        var found: [UInt32] = []
        walk(&cursor) { number in
            let slot = slots.pointer(number).pointee
            guard waiting.matches(slot) || waiting.matchesPlanned(slot) else { return true }
            if goesAlong(slot, { waiting.matches($0) || waiting.matchesPlanned($0) }) { return true }
            if slot.mayHaveLeft { tally.mayHaveLeft += 1 } else { found.append(number) }
            return found.count < Engine.walkActs
        }
        for number in found {
            tally.messages += 1
            tally.submits += Int(slots.pointer(number).pointee.parts)
            // One may have ended along with another of its notification.
            guard !slots.pointer(number).pointee.state.isEnd else { continue }
            emit(.ended(.init(state: .cancelled, reason: .cancelledByOperator)), number, &turn, after: .retire)
        }
    }

    /// Finds what may be moved to another group. It is moved in the order in which it stands in its queues, so the caller sorts what all
    /// steps found.
    /// - Parameter suspects: takes possible duplicates along too; they stay flagged.
    public func collect(
        _ waiting: Waiting, to group: GroupNumber, suspects: Bool, _ cursor: inout UInt32, _ found: inout [WaitingPlace],
        _ tally: inout WaitingTally
    ) {
        walk(&cursor) { number in
            let slot = slots.pointer(number).pointee
            guard slot.group != group, waiting.matches(slot) else { return true }
            if suspects ? slot.isTaken : slot.mayHaveLeft {
                tally.mayHaveLeft += 1
            } else {
                found.append(WaitingPlace(slot: slots.reference(number), order: slot.origin))
            }
            return true
        }
    }

    /// Moves messages to another group, where they stand behind what waits there. What left or ended since it was found stays as it is.
    public mutating func reroute(
        _ places: some Sequence<WaitingPlace>, _ waiting: Waiting, to group: GroupNumber, suspects: Bool, _ tally: inout WaitingTally,
        _ turn: inout Turn
    ) {
        for place in places {
            guard let number = slots.number(of: place.slot) else { continue }
            let slot = slots.pointer(number)
            guard slot.pointee.group != group, waiting.matches(slot.pointee) else { continue }
            if suspects ? slot.pointee.isTaken : slot.pointee.mayHaveLeft {
                tally.mayHaveLeft += 1
            } else if slot.pointee.pending > 0 || slot.pointee.flags.contains(.inLoading) {
                tally.busy += 1
            } else {
                tally.messages += 1
                tally.submits += Int(slot.pointee.parts)
                emit(.rerouted(.init(group: group)), number, &turn, after: .shifted(from: slot.pointee.group))
            }
        }
    }

    /// Adds up what waits, by group, class and source.
    public func survey(_ cursor: inout UInt32, _ lines: inout [WaitingKey: WaitingLine]) {
        walk(&cursor) { number in
            let slot = slots.pointer(number).pointee
            guard slot.id.high != 0, slot.state == .queued else { return true }
            let key = WaitingKey(group: slot.group, messageClass: slot.messageClass, source: slot.source)
            lines[key, default: WaitingLine()].messages += 1
            lines[key, default: WaitingLine()].submits += Int(slot.parts)
            if slot.flags.contains(.waiting) { lines[key, default: WaitingLine()].pausing += 1 }
            lines[key, default: WaitingLine()].oldest = min(lines[key]?.oldest ?? .max, slot.id.milliseconds)
            return true
        }
    }

    private func walk(_ cursor: inout UInt32, _ body: (UInt32) -> Bool) {
        let stop = min(slots.bound, cursor &+ Engine.walkSlots)
        while cursor < stop {
            cursor += 1
            if !body(cursor - 1) { break }
        }
        if cursor >= slots.bound { cursor = 0 }
    }
}

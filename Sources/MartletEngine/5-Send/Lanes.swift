import MartletModel

/// First in, first out; the links are in the slots.
struct Fifo {
    var head: UInt32 = Slot.none
    var tail: UInt32 = Slot.none
    var count = 0

    var isEmpty: Bool { head == Slot.none }

    mutating func push(_ number: UInt32, _ slots: borrowing SlotTable) {
        slots.pointer(number).pointee.queueNext = Slot.none
        if tail == Slot.none { head = number } else { slots.pointer(tail).pointee.queueNext = number }
        tail = number
        count += 1
    }

    mutating func pop(_ slots: borrowing SlotTable) -> UInt32 {
        let number = head
        head = slots.pointer(number).pointee.queueNext
        if head == Slot.none { tail = Slot.none }
        count -= 1
        return number
    }

    mutating func pushFirst(_ number: UInt32, _ slots: borrowing SlotTable) {
        slots.pointer(number).pointee.queueNext = head
        head = number
        if tail == Slot.none { tail = number }
        count += 1
    }

    /// Takes all of `other`, before its own.
    mutating func prepend(_ other: inout Fifo, _ slots: borrowing SlotTable) {
        guard !other.isEmpty else { return }
        slots.pointer(other.tail).pointee.queueNext = head
        head = other.head
        if tail == Slot.none { tail = other.tail }
        count += other.count
        other = Fifo()
    }

    /// Takes out those that ended; in order, the others stay.
    mutating func sweep(_ slots: borrowing SlotTable, _ found: inout [UInt32]) {
        var kept = Fifo()
        while !isEmpty {
            let number = pop(slots)
            if slots.pointer(number).pointee.flags.contains(.dead) { found.append(number) } else { kept.push(number, slots) }
        }
        self = kept
    }
}

/// The queues of one class of traffic on one connection group. Served in this order: what came back from a provider or from disk,
/// then the sources in turn, each by its parts, so that no sender's million delays another's ten.
struct LaneQueue {
    /// Throttled or loaded: already had its turn.
    var front = Fifo()
    /// Taken from their place because the first of them has no payload here; in order. The lane stands until they are read.
    var loading = Fifo()
    private var sources: [SourceQueue] = []
    private var byNumber: [SourceNumber: Int] = [:]
    private var turn = 0
    private(set) var waiting = 0
    /// Virtual time of the weighted share: parts sent by weight.
    var passed: UInt64 = 0

    private struct SourceQueue {
        var fifo = Fifo()
        /// Parts it may still send before the next source has its turn.
        var credit = 0
    }

    /// Parts a source may send in one turn.
    private static let quantum = 4

    var isEmpty: Bool { waiting == 0 && front.isEmpty && loading.isEmpty }
    var isReady: Bool { loading.isEmpty && (!front.isEmpty || waiting > 0) }
    /// Everything queued here.
    var count: Int { waiting + front.count + loading.count }

    mutating func push(_ number: UInt32, source: SourceNumber, _ slots: borrowing SlotTable) {
        let place: Int
        if let known = byNumber[source] {
            place = known
        } else {
            place = sources.count
            sources.append(SourceQueue())
            byNumber[source] = place
        }
        sources[place].fifo.push(number, slots)
        waiting += 1
    }

    /// The next message of the sources; only when `waiting` is not 0.
    mutating func pop(_ slots: borrowing SlotTable) -> UInt32 {
        while sources[turn].fifo.isEmpty || sources[turn].credit <= 0 {
            if sources[turn].fifo.isEmpty { sources[turn].credit = 0 }
            turn = (turn + 1) % sources.count
            if !sources[turn].fifo.isEmpty, sources[turn].credit <= 0 { sources[turn].credit += LaneQueue.quantum }
        }
        let number = sources[turn].fifo.pop(slots)
        sources[turn].credit -= max(1, slots.pointer(number).pointee.missingParts.nonzeroBitCount)
        waiting -= 1
        return number
    }

    func eachSource(_ body: (Fifo) -> Void) {
        for source in sources where !source.fifo.isEmpty { body(source.fifo) }
    }

    mutating func sweep(_ slots: borrowing SlotTable, _ found: inout [UInt32]) {
        front.sweep(slots, &found)
        for place in sources.indices where !sources[place].fifo.isEmpty {
            let before = sources[place].fifo.count
            sources[place].fifo.sweep(slots, &found)
            waiting -= before - sources[place].fifo.count
        }
    }
}

/// All lanes of one connection group. Security and codes are strict; the others share by weight what these leave.
struct GroupLanes {
    private var lanes: [LaneQueue] = Array(repeating: LaneQueue(), count: Lane.allCases.count)
    private var virtual: UInt64 = 0
    /// Lanes that a person holds back, by bit.
    var held: UInt8 = 0

    subscript(lane: Lane) -> LaneQueue {
        _read { yield lanes[Int(lane.rawValue)] }
        _modify { yield &lanes[Int(lane.rawValue)] }
    }

    var count: Int {
        var sum = 0
        for lane in lanes { sum += lane.count }
        return sum
    }

    mutating func push(_ number: UInt32, _ slots: borrowing SlotTable, front: Bool = false) {
        let slot = slots.pointer(number)
        let lane = slot.pointee.messageClass.lane
        catchUp(lane)
        slot.pointee.flags.insert(.queued)
        if front { self[lane].front.push(number, slots) } else { self[lane].push(number, source: slot.pointee.source, slots) }
    }

    mutating func pushFirst(_ number: UInt32, _ slots: borrowing SlotTable) {
        let slot = slots.pointer(number)
        let lane = slot.pointee.messageClass.lane
        catchUp(lane)
        slot.pointee.flags.insert(.queued)
        self[lane].front.pushFirst(number, slots)
    }

    /// A lane that had nothing to send saved nothing up.
    private mutating func catchUp(_ lane: Lane) {
        if self[lane].isEmpty { self[lane].passed = max(self[lane].passed, virtual) }
    }

    mutating func sweep(_ slots: borrowing SlotTable, _ found: inout [UInt32]) {
        for lane in lanes.indices { lanes[lane].sweep(slots, &found) }
    }

    /// The lane whose turn it is among those that have something to give.
    func choose() -> Lane? {
        var best: Lane?
        for lane in Lane.allCases where held >> lane.rawValue & 1 == 0 && lanes[Int(lane.rawValue)].isReady {
            if lane.isStrict { return lane }
            if best == nil || self[lane].passed < self[best!].passed { best = lane }
        }
        return best
    }

    /// Parts of this lane were given out.
    mutating func charge(_ lane: Lane, parts: Int) {
        guard !lane.isStrict else { return }
        // One that was held, or stood for its payloads, saved nothing up either: else it would take all until it caught up.
        self[lane].passed = max(self[lane].passed, virtual)
        virtual = self[lane].passed
        self[lane].passed += UInt64(parts * 64 / lane.weight)
    }
}

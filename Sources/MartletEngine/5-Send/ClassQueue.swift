import MartletModel

/// First in, first out; the links are in the slots, both ways, so that one may leave from the middle.
struct Fifo {
    private(set) var head: UInt32 = Slot.none
    private(set) var tail: UInt32 = Slot.none
    private(set) var count = 0

    var isEmpty: Bool { head == Slot.none }

    mutating func push(_ number: UInt32, _ slots: borrowing SlotTable) {
        let slot = slots.pointer(number)
        slot.pointee.queueNext = Slot.none
        slot.pointee.queuePrevious = tail
        if tail == Slot.none { head = number } else { slots.pointer(tail).pointee.queueNext = number }
        tail = number
        count += 1
    }

    mutating func pop(_ slots: borrowing SlotTable) -> UInt32 {
        let number = head
        head = slots.pointer(number).pointee.queueNext
        if head == Slot.none { tail = Slot.none } else { slots.pointer(head).pointee.queuePrevious = Slot.none }
        count -= 1
        return number
    }

    mutating func pushFirst(_ number: UInt32, _ slots: borrowing SlotTable) {
        let slot = slots.pointer(number)
        slot.pointee.queueNext = head
        slot.pointee.queuePrevious = Slot.none
        if head == Slot.none { tail = number } else { slots.pointer(head).pointee.queuePrevious = number }
        head = number
        count += 1
    }

    /// Takes all of `other`, before its own.
    mutating func prepend(_ other: inout Fifo, _ slots: borrowing SlotTable) {
        guard !other.isEmpty else { return }
        slots.pointer(other.tail).pointee.queueNext = head
        if head == Slot.none { tail = other.tail } else { slots.pointer(head).pointee.queuePrevious = other.tail }
        head = other.head
        count += other.count
        other = Fifo()
    }

    /// Appends the numbers of its first ones.
    func first(_ limit: Int, _ slots: borrowing SlotTable, _ numbers: inout [UInt32]) {
        var number = head
        var left = limit
        while number != Slot.none, left > 0 {
            numbers.append(number)
            number = slots.pointer(number).pointee.queueNext
            left -= 1
        }
    }

    /// Takes out one that stands anywhere in it.
    mutating func remove(_ number: UInt32, _ slots: borrowing SlotTable) {
        let (next, previous) = (slots.pointer(number).pointee.queueNext, slots.pointer(number).pointee.queuePrevious)
        if previous == Slot.none { head = next } else { slots.pointer(previous).pointee.queueNext = next }
        if next == Slot.none { tail = previous } else { slots.pointer(next).pointee.queuePrevious = previous }
        count -= 1
    }
}

/// The queues of one class on one connection group. Served in this order: what came back from a provider or from disk, then the
/// sources in turn, each by its parts, so that no sender's million delays another's ten.
struct ClassQueue {
    /// Throttled or loaded: already had its turn.
    private(set) var front = Fifo()
    /// Taken from their place because the first of them has no payload here; in order. The class stands until they are read.
    private(set) var loading = Fifo()
    private var sources: [SourceQueue] = []
    private var byNumber: [SourceNumber: Int] = [:]
    private var turn = 0
    private var waiting = 0

    private struct SourceQueue {
        var fifo = Fifo()
        /// Parts it may still send before the next source has its turn.
        var credit = 0
    }

    /// Parts a source may send in one turn.
    private static let quantum = 4

    var isEmpty: Bool { waiting == 0 && front.isEmpty && loading.isEmpty }
    var isReady: Bool { loading.isEmpty && hasNext }
    /// Something stands that is not waiting for its payload.
    var hasNext: Bool { !front.isEmpty || waiting > 0 }
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
        slots.pointer(number).pointee.flags.insert(.queued)
        sources[place].fifo.push(number, slots)
        waiting += 1
    }

    mutating func pushFront(_ number: UInt32, _ slots: borrowing SlotTable) {
        slots.pointer(number).pointee.flags.insert([.queued, .inFront])
        front.push(number, slots)
    }

    mutating func pushFirst(_ number: UInt32, _ slots: borrowing SlotTable) {
        slots.pointer(number).pointee.flags.insert([.queued, .inFront])
        front.pushFirst(number, slots)
    }

    mutating func pushLoading(_ number: UInt32, _ slots: borrowing SlotTable) {
        slots.pointer(number).pointee.flags.insert([.queued, .inLoading])
        loading.push(number, slots)
    }

    /// The next message, taken out; only when `hasNext`.
    mutating func next(_ slots: borrowing SlotTable) -> UInt32 {
        let number = front.isEmpty ? pop(slots) : front.pop(slots)
        slots.pointer(number).pointee.flags.remove([.queued, .inFront])
        return number
    }

    private mutating func pop(_ slots: borrowing SlotTable) -> UInt32 {
        while sources[turn].fifo.isEmpty || sources[turn].credit <= 0 {
            if sources[turn].fifo.isEmpty { sources[turn].credit = 0 }
            turn = (turn + 1) % sources.count
            if !sources[turn].fifo.isEmpty, sources[turn].credit <= 0 { sources[turn].credit += ClassQueue.quantum }
        }
        let number = sources[turn].fifo.pop(slots)
        sources[turn].credit -= max(1, slots.pointer(number).pointee.missingParts.nonzeroBitCount)
        waiting -= 1
        return number
    }

    /// Appends the numbers of those that have their turn next, at most so many: what came back, then of each source as much, the one
    /// whose turn it is first.
    func first(_ limit: Int, _ slots: borrowing SlotTable, _ numbers: inout [UInt32]) {
        let end = numbers.count + limit
        front.first(limit, slots, &numbers)
        let each = max(1, (end - numbers.count) / max(1, sources.count { !$0.fifo.isEmpty }))
        for step in sources.indices where numbers.count < end {
            sources[(turn + step) % sources.count].fifo.first(min(each, end - numbers.count), slots, &numbers)
        }
    }

    /// Those that waited for payloads and have them go before what came back since.
    mutating func takeLoaded(_ slots: borrowing SlotTable) {
        var ready = Fifo()
        while !loading.isEmpty, !slots.pointer(loading.head).pointee.flags.contains(.loading) {
            let number = loading.pop(slots)
            slots.pointer(number).pointee.flags.remove(.inLoading)
            slots.pointer(number).pointee.flags.insert(.inFront)
            ready.push(number, slots)
        }
        front.prepend(&ready, slots)
    }

    /// Takes out one that is queued here, wherever it stands.
    mutating func remove(_ number: UInt32, _ slots: borrowing SlotTable) {
        let slot = slots.pointer(number)
        if slot.pointee.flags.contains(.inLoading) {
            loading.remove(number, slots)
            slot.pointee.flags.remove(.inLoading)
            // Those behind it may have been waiting for it alone.
            takeLoaded(slots)
        } else if slot.pointee.flags.contains(.inFront) {
            front.remove(number, slots)
        } else if let place = byNumber[slot.pointee.source] {
            sources[place].fifo.remove(number, slots)
            waiting -= 1
        }
        slot.pointee.flags.remove([.queued, .inFront])
    }
}

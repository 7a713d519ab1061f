import MartletModel

/// One timer a message, in a hierarchical wheel of 5 levels of 64 buckets; the links are in the slots. A tick is 50 ms, so a
/// timer fires up to 50 ms late, never early. Setting, moving and ending one are constant-time.
struct TimingWheel: ~Copyable {
    static let tickMicroseconds: Int64 = 50_000
    private static let bits: UInt32 = 6
    private static let levels = 5
    private var heads: [UInt32] = Array(repeating: Slot.none, count: 64 * 5)
    /// The last tick whose timers fired.
    private(set) var tick: UInt32 = 0
    private let start: Int64
    private(set) var count = 0

    /// - Parameter start: steady microseconds that tick 0 stands for.
    init(start: Int64) { self.start = start }

    func tick(at steady: Int64) -> UInt32 {
        UInt32(clamping: max(0, (steady - start) / TimingWheel.tickMicroseconds))
    }

    /// First tick at which `steady` has surely passed.
    func tickAfter(_ steady: Int64) -> UInt32 {
        UInt32(clamping: max(0, (steady - start + TimingWheel.tickMicroseconds - 1) / TimingWheel.tickMicroseconds))
    }

    /// Sets or moves the timer of `number`; a due time in the past fires at the next tick.
    mutating func set(_ number: UInt32, due: UInt32, in slots: borrowing SlotTable) {
        remove(number, in: slots)
        let slot = slots.pointer(number)
        slot.pointee.due = max(due, tick &+ 1)
        link(number, slots)
        count += 1
    }

    mutating func remove(_ number: UInt32, in slots: borrowing SlotTable) {
        let slot = slots.pointer(number)
        guard slot.pointee.bucket != Slot.noBucket else { return }
        let next = slot.pointee.timerNext
        let previous = slot.pointee.timerPrevious
        if previous == Slot.none {
            heads[Int(slot.pointee.bucket)] = next
        } else {
            slots.pointer(previous).pointee.timerNext = next
        }
        if next != Slot.none { slots.pointer(next).pointee.timerPrevious = previous }
        slot.pointee.bucket = Slot.noBucket
        count -= 1
    }

    /// Goes on to the tick of `steady` and appends the messages whose time has come, at most about `limit`; the rest next time.
    mutating func advance(to steady: Int64, limit: Int, in slots: borrowing SlotTable, fired: inout [UInt32]) {
        let target = tick(at: steady)
        while tick < target, fired.count < limit {
            tick += 1
            // When a lower level has gone round, the next bucket of the level above is spread out again.
            var level = 1
            while level < TimingWheel.levels, tick & ((1 << (TimingWheel.bits * UInt32(level))) - 1) == 0 {
                spread(level, slots)
                level += 1
            }
            let bucket = Int(tick & 63)
            var number = heads[bucket]
            heads[bucket] = Slot.none
            while number != Slot.none {
                let slot = slots.pointer(number)
                let next = slot.pointee.timerNext
                slot.pointee.bucket = Slot.noBucket
                count -= 1
                fired.append(number)
                number = next
            }
        }
    }

    private mutating func spread(_ level: Int, _ slots: borrowing SlotTable) {
        let bucket = level * 64 + Int(tick >> (TimingWheel.bits * UInt32(level)) & 63)
        var number = heads[bucket]
        heads[bucket] = Slot.none
        while number != Slot.none {
            let next = slots.pointer(number).pointee.timerNext
            link(number, slots)
            number = next
        }
    }

    private mutating func link(_ number: UInt32, _ slots: borrowing SlotTable) {
        let slot = slots.pointer(number)
        // A due time beyond the top level is put at its end and spread again from there.
        let distance = min(slot.pointee.due &- tick, (1 << 30) - 1)
        let due = tick &+ distance
        var level = 0
        while level < TimingWheel.levels - 1, distance >> (TimingWheel.bits * UInt32(level + 1)) != 0 { level += 1 }
        let bucket = level * 64 + Int(due >> (TimingWheel.bits * UInt32(level)) & 63)
        slot.pointee.bucket = UInt16(bucket)
        slot.pointee.timerPrevious = Slot.none
        slot.pointee.timerNext = heads[bucket]
        if heads[bucket] != Slot.none { slots.pointer(heads[bucket]).pointee.timerPrevious = number }
        heads[bucket] = number
    }
}

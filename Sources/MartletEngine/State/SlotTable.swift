import MartletModel

/// All open messages: slots in chunks that never move, and an index from id to slot. Growing allocates one more chunk; nothing is copied.
struct SlotTable: ~Copyable {
    private static let chunkBits: UInt32 = 13
    private static let chunkSize = 1 << 13
    private var chunks: [UnsafeMutablePointer<Slot>] = []
    private var free: UInt32 = Slot.none
    private var made: UInt32 = 0
    private(set) var count = 0
    /// Open addressing, linear probing; holds slot numbers, at most two thirds full.
    private var index: UnsafeMutablePointer<UInt32>
    private var indexMask: Int

    init() {
        indexMask = 1023
        index = .allocate(capacity: 1024)
        index.initialize(repeating: Slot.none, count: 1024)
    }

    deinit {
        for chunk in chunks { chunk.deallocate() }
        index.deallocate()
    }

    /// Slots ever made; numbers below it are valid for `pointer`.
    var bound: UInt32 { made }

    @inline(__always)
    func pointer(_ number: UInt32) -> UnsafeMutablePointer<Slot> {
        chunks[Int(number >> SlotTable.chunkBits)] + Int(number & UInt32(SlotTable.chunkSize - 1))
    }

    /// A fresh slot under this id, which must not be in the table.
    mutating func insert(_ id: MessageID) -> UInt32 {
        let number: UInt32
        if free != Slot.none {
            number = free
            free = pointer(number).pointee.queueNext
        } else {
            if made == UInt32(chunks.count * SlotTable.chunkSize) {
                let chunk = UnsafeMutablePointer<Slot>.allocate(capacity: SlotTable.chunkSize)
                chunks.append(chunk)
            }
            number = made
            made += 1
            pointer(number).initialize(to: Slot())
        }
        let generation = pointer(number).pointee.generation
        pointer(number).pointee = Slot()
        pointer(number).pointee.generation = generation
        pointer(number).pointee.id = id
        count += 1
        if count * 3 > (indexMask + 1) * 2 { grow() }
        place(number, id)
        return number
    }

    mutating func remove(_ number: UInt32) {
        let slot = pointer(number)
        var hole = find(slot.pointee.id)
        precondition(hole >= 0, "a slot that is freed is in the index")
        // Close the gap: move back every follower that a probe could no longer reach.
        var next = (hole + 1) & indexMask
        while index[next] != Slot.none {
            let home = home(pointer(index[next]).pointee.id)
            if ((next - home) & indexMask) >= ((next - hole) & indexMask) {
                index[hole] = index[next]
                hole = next
            }
            next = (next + 1) & indexMask
        }
        index[hole] = Slot.none
        slot.pointee.generation &+= 1
        slot.pointee.id = MessageID(high: 0, low: 0)
        slot.pointee.queueNext = free
        free = number
        count -= 1
    }

    func number(of id: MessageID) -> UInt32? {
        let place = find(id)
        return place < 0 ? nil : index[place]
    }

    /// The slot that the reference meant, if it still holds that message.
    @inline(__always)
    func number(of reference: SlotReference) -> UInt32? {
        guard reference.index < made else { return nil }
        let slot = pointer(reference.index)
        guard slot.pointee.generation == reference.generation, slot.pointee.id.high != 0 else { return nil }
        return reference.index
    }

    func reference(_ number: UInt32) -> SlotReference {
        SlotReference(index: number, generation: pointer(number).pointee.generation)
    }

    /// Every open message, in no order that means anything.
    func forEach(_ body: (UInt32) -> Void) {
        for number in 0..<made where pointer(number).pointee.id.high != 0 { body(number) }
    }

    private func home(_ id: MessageID) -> Int {
        // The random bits of the id, spread once more: ids are made by us, so nobody can aim at one bucket.
        let mixed = (id.low >> 8 ^ id.high) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed >> 32) & indexMask
    }

    private func find(_ id: MessageID) -> Int {
        var place = home(id)
        while index[place] != Slot.none {
            if pointer(index[place]).pointee.id == id { return place }
            place = (place + 1) & indexMask
        }
        return -1
    }

    private mutating func place(_ number: UInt32, _ id: MessageID) {
        var place = home(id)
        while index[place] != Slot.none { place = (place + 1) & indexMask }
        index[place] = number
    }

    private mutating func grow() {
        let old = index
        let oldCount = indexMask + 1
        indexMask = oldCount * 2 - 1
        index = .allocate(capacity: oldCount * 2)
        index.initialize(repeating: Slot.none, count: oldCount * 2)
        for place in 0..<oldCount where old[place] != Slot.none { self.place(old[place], pointer(old[place]).pointee.id) }
        old.deallocate()
    }
}

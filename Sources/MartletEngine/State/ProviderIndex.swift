import MartletModel

/// From a provider's message id to the part that it names, for receipts. Keys are keyed hashes, 16 bytes an entry, so an operator
/// cannot aim at one bucket and no id text is kept. Entries of ended messages go when they are met or at the next growth.
struct ProviderIndex: ~Copyable {
    struct Entry {
        var key: UInt64 = 0
        var slot: UInt32 = Slot.none
        /// Low 24 bits of the slot's generation, then the part.
        var tag: UInt32 = 0
    }

    private var entries: UnsafeMutablePointer<Entry>
    private var mask: Int
    private(set) var count = 0

    init() {
        mask = 1023
        entries = .allocate(capacity: 1024)
        entries.initialize(repeating: Entry(), count: 1024)
    }

    deinit { entries.deallocate() }

    mutating func insert(_ key: UInt64, slot: UInt32, part: UInt8, in slots: borrowing SlotTable) {
        if (count + 1) * 3 > (mask + 1) * 2 { rebuild(slots) }
        var place = Int(truncatingIfNeeded: key) & mask
        while entries[place].slot != Slot.none, entries[place].key != key { place = (place + 1) & mask }
        if entries[place].slot == Slot.none { count += 1 }
        entries[place] = Entry(key: key, slot: slot, tag: ProviderIndex.tag(slots.pointer(slot).pointee.generation, part))
    }

    /// The open message and part under this key.
    func find(_ key: UInt64, in slots: borrowing SlotTable) -> (slot: UInt32, part: UInt8)? {
        var place = Int(truncatingIfNeeded: key) & mask
        while entries[place].slot != Slot.none {
            if entries[place].key == key {
                return ProviderIndex.lives(entries[place], slots) ? (entries[place].slot, UInt8(entries[place].tag & 0xFF)) : nil
            }
            place = (place + 1) & mask
        }
        return nil
    }

    mutating func remove(_ key: UInt64) {
        var hole = Int(truncatingIfNeeded: key) & mask
        while entries[hole].key != key || entries[hole].slot == Slot.none {
            if entries[hole].slot == Slot.none { return }
            hole = (hole + 1) & mask
        }
        var next = (hole + 1) & mask
        while entries[next].slot != Slot.none {
            let home = Int(truncatingIfNeeded: entries[next].key) & mask
            if ((next - home) & mask) >= ((next - hole) & mask) {
                entries[hole] = entries[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        entries[hole] = Entry()
        count -= 1
    }

    /// All keys of the messages for which `wanted` is true; one pass over the table.
    func keys(of wanted: (UInt32) -> Bool, in slots: borrowing SlotTable, body: (UInt32, RecordBody.Carried.ProviderKey) -> Void) {
        for place in 0...mask where entries[place].slot != Slot.none {
            let entry = entries[place]
            guard ProviderIndex.lives(entry, slots), wanted(entry.slot) else { continue }
            body(entry.slot, RecordBody.Carried.ProviderKey(hash: entry.key, part: UInt8(entry.tag & 0xFF)))
        }
    }

    private static func tag(_ generation: UInt32, _ part: UInt8) -> UInt32 { generation << 8 | UInt32(part) }

    private static func lives(_ entry: Entry, _ slots: borrowing SlotTable) -> Bool {
        let slot = slots.pointer(entry.slot)
        return slot.pointee.id.high != 0 && slot.pointee.generation << 8 == entry.tag & ~0xFF && !slot.pointee.state.isEnd
    }

    /// Drops the entries of ended messages and doubles when it is still more than a third full.
    private mutating func rebuild(_ slots: borrowing SlotTable) {
        var living = 0
        for place in 0...mask where entries[place].slot != Slot.none && ProviderIndex.lives(entries[place], slots) { living += 1 }
        let old = entries
        let oldCount = mask + 1
        let size = living * 3 > oldCount ? oldCount * 2 : oldCount
        entries = .allocate(capacity: size)
        entries.initialize(repeating: Entry(), count: size)
        mask = size - 1
        count = living
        for place in 0..<oldCount where old[place].slot != Slot.none && ProviderIndex.lives(old[place], slots) {
            var target = Int(truncatingIfNeeded: old[place].key) & mask
            while entries[target].slot != Slot.none { target = (target + 1) & mask }
            entries[target] = old[place]
        }
        old.deallocate()
    }
}

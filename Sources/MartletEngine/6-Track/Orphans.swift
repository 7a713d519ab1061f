import MartletModel

/// Receipts without a message, by keyed hash of their id, oldest first to go. Kept 72 hours: some providers send a receipt
/// before their answer, some after a day.
struct Orphans {
    struct Entry {
        var orphan: RecordBody.Orphan
        /// Wall microseconds.
        var at: Int64
        /// Raw journal position of its record; 0 until it has one.
        var position: UInt64
        var group: GroupNumber
        /// Its place in the order in which they came.
        fileprivate var serial: UInt64 = 0

        init(orphan: RecordBody.Orphan, at: Int64, position: UInt64, group: GroupNumber) {
            self.orphan = orphan
            self.at = at
            self.position = position
            self.group = group
        }
    }

    static let keptMicroseconds: Int64 = 72 * 3_600_000_000
    private var entries: [UInt64: Entry] = [:]
    /// Keys in the order they came; those already gone are skipped.
    private var order: [(key: UInt64, serial: UInt64)] = []
    private var first = 0
    private var serial: UInt64 = 0
    /// How many have their record in each segment.
    private var held: [UInt32: Int] = [:]

    var count: Int { entries.count }

    func find(_ key: UInt64) -> Entry? { entries[key] }

    /// One that is known already is the same copied forward: only its place changes, once it has one.
    /// - Returns: where it stood before, when it moved; else 0.
    mutating func insert(_ key: UInt64, _ entry: Entry) -> UInt64 {
        if entries[key] != nil { return entry.position == 0 ? 0 : place(key, at: entry.position) ?? 0 }
        serial += 1
        entries[key] = entry
        entries[key]?.serial = serial
        hold(entry.position)
        order.append((key, serial))
        tidy()
        return 0
    }

    /// Most are adopted within moments, long before the oldest expires: the order must not keep them all.
    private mutating func tidy() {
        guard order.count > 2 * entries.count + 1024 else { return }
        order = order[first...].filter { entries[$0.key]?.serial == $0.serial }
        first = 0
    }

    /// Tells where the orphan's record stands now.
    /// - Returns: where it stood before.
    mutating func place(_ key: UInt64, at position: UInt64) -> UInt64? {
        guard let old = entries[key]?.position else { return nil }
        entries[key]?.position = position
        letGo(old)
        hold(position)
        return old
    }

    mutating func remove(_ key: UInt64) -> Entry? {
        guard let entry = entries.removeValue(forKey: key) else { return nil }
        letGo(entry.position)
        return entry
    }

    private mutating func hold(_ position: UInt64) {
        if position != 0 { held[UInt32(truncatingIfNeeded: position >> 32), default: 0] += 1 }
    }

    private mutating func letGo(_ position: UInt64) {
        let segment = UInt32(truncatingIfNeeded: position >> 32)
        guard position != 0, let count = held[segment] else { return }
        held[segment] = count > 1 ? count - 1 : nil
    }

    mutating func removeOldest() -> Entry? {
        while first < order.count {
            let oldest = order[first]
            first += 1
            if entries[oldest.key]?.serial == oldest.serial { return remove(oldest.key) }
        }
        return nil
    }

    /// Forgets those that came before this wall time.
    mutating func expire(before wall: Int64, _ forget: (Entry) -> Void) {
        while first < order.count {
            let oldest = order[first]
            if let entry = entries[oldest.key], entry.serial == oldest.serial {
                if entry.at >= wall { return }
                _ = remove(oldest.key)
                forget(entry)
            }
            first += 1
        }
    }

    /// Those whose record stands in a segment up to this one, oldest first. Looks no further than at the last of them, which is mostly among the
    /// oldest, and at none where there is none: it is asked in every step of carrying forward.
    func standing(upTo segment: UInt32, limit: Int) -> [Entry] {
        let wanted = min(limit, held.reduce(0) { $0 + ($1.key <= segment ? $1.value : 0) })
        var found: [Entry] = []
        var place = first
        while found.count < wanted, place < order.count {
            let (key, serial) = order[place]
            place += 1
            guard let entry = entries[key], entry.serial == serial, entry.position != 0,
                UInt32(truncatingIfNeeded: entry.position >> 32) <= segment
            else { continue }
            found.append(entry)
        }
        return found
    }

    /// Places in the order, for a test of its bound.
    var kept: Int { order.count }

    /// Oldest first: what is written of them must not hang on the order of a hash table.
    var all: [(key: UInt64, entry: Entry)] {
        order[first...].compactMap { item in
            guard let entry = entries[item.key], entry.serial == item.serial else { return nil }
            return (item.key, entry)
        }
    }
}

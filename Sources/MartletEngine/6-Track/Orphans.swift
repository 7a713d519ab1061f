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
    }

    static let keptMicroseconds: Int64 = 72 * 3_600_000_000
    private var entries: [UInt64: Entry] = [:]
    /// Keys in the order they came; those already gone are skipped.
    private var order: [UInt64] = []
    private var first = 0

    var count: Int { entries.count }

    func find(_ key: UInt64) -> Entry? { entries[key] }

    mutating func insert(_ key: UInt64, _ entry: Entry) {
        if entries.updateValue(entry, forKey: key) == nil { order.append(key) }
        if first > 1024, first * 2 > order.count {
            order.removeFirst(first)
            first = 0
        }
    }

    /// Tells where the orphan's record stands now.
    /// - Returns: where it stood before.
    mutating func place(_ key: UInt64, at position: UInt64) -> UInt64? {
        guard let old = entries[key]?.position else { return nil }
        entries[key]?.position = position
        return old
    }

    mutating func remove(_ key: UInt64) -> Entry? { entries.removeValue(forKey: key) }

    mutating func removeOldest() -> Entry? {
        while first < order.count {
            let key = order[first]
            first += 1
            if let entry = entries.removeValue(forKey: key) { return entry }
        }
        return nil
    }

    /// Forgets those that came before this wall time.
    mutating func expire(before wall: Int64, _ forget: (Entry) -> Void) {
        while first < order.count {
            guard let entry = entries[order[first]] else {
                first += 1
                continue
            }
            if entry.at >= wall { return }
            entries[order[first]] = nil
            first += 1
            forget(entry)
        }
    }

    /// Those whose record stands in a segment up to this one.
    func standing(upTo segment: UInt32, limit: Int) -> [Entry] {
        var found: [Entry] = []
        for entry in entries.values where entry.position != 0 && UInt32(truncatingIfNeeded: entry.position >> 32) <= segment {
            found.append(entry)
            if found.count == limit { break }
        }
        return found
    }

    var all: [(key: UInt64, entry: Entry)] { entries.map { ($0.key, $0.value) } }
}

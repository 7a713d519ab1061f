import MartletModel

/// Who wants no messages of which classes, by keyed hash of the number: seen by everything that is accepted or handed over from the
/// moment it was heard. Each entry stands in the log, and is written again when that part of it is trimmed.
struct OptOuts {
    struct Entry {
        var unwanted: ClassSet
        /// Raw journal position of its record; 0 until it has one.
        var position: UInt64
    }

    private var entries: [UInt64: Entry] = [:]

    var isEmpty: Bool { entries.isEmpty }
    var count: Int { entries.count }
    /// Those whose record has its place.
    var placed: Int { entries.values.reduce(0) { $0 + ($1.position == 0 ? 0 : 1) } }

    func unwanted(by number: UInt64) -> ClassSet { entries[number]?.unwanted ?? [] }

    /// An empty set takes the entry away.
    /// - Returns: where its record stood before; 0: nowhere.
    mutating func set(_ number: UInt64, _ unwanted: ClassSet, at position: UInt64) -> UInt64 {
        let old = entries[number]
        if unwanted.isEmpty {
            entries[number] = nil
            return old?.position ?? 0
        }
        // Copied forward, or said once more: until the new record has its place the old one holds it.
        entries[number] = Entry(unwanted: unwanted, position: position == 0 ? old?.position ?? 0 : position)
        return position == 0 ? 0 : old?.position ?? 0
    }

    /// Tells where its record stands now; nil when it is no more.
    /// - Returns: where it stood before.
    mutating func place(_ number: UInt64, at position: UInt64) -> UInt64? {
        guard let old = entries[number]?.position else { return nil }
        entries[number]?.position = position
        return old
    }

    /// Those whose record stands in a segment up to this one, in the order of their records.
    func standing(upTo segment: UInt32, limit: Int) -> [(number: UInt64, unwanted: ClassSet)] {
        var found: [(number: UInt64, entry: Entry)] = []
        for (number, entry) in entries where entry.position != 0 && UInt32(truncatingIfNeeded: entry.position >> 32) <= segment {
            found.append((number, entry))
        }
        // What is written must not hang on the order of a hash table.
        found.sort { ($0.entry.position, $0.number) < ($1.entry.position, $1.number) }
        return found.prefix(limit).map { ($0.number, $0.entry.unwanted) }
    }
}

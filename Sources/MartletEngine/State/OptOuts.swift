import MartletModel

/// Who wants no messages of which classes, by keyed hash of the number: seen by everything that is accepted or handed over from the
/// moment it was heard. Each entry stands in the log, and is written again when that part of it is trimmed.
///
/// An opt-out is law, so none is ever turned away or forgotten for want of room: the engine's limit is where it takes no more messages of
/// the classes that people opt out of (`Configuration.optOutMaximum`). 24 bytes each, and 5 to 11 more of the index: 35 MB for a million at
/// most. Nothing here takes longer the more there are, but for one of 4096 indexes that doubles now and then (under a millisecond at 20
/// million).
struct OptOuts {
    private struct Entry {
        /// Keyed hash.
        var number: UInt64
        /// Journal segment of its record; 0 until that has one.
        var segment: UInt32
        /// Its neighbours in the order of their records; of a free entry, `next` is the next free one.
        var previous = OptOuts.none
        var next = OptOuts.none
        var unwanted: ClassSet
    }

    private static let none = UInt32.max
    private static let chunkBits: UInt32 = 13
    private static let shardBits: UInt64 = 12

    /// Chunks never move, so that growing copies nothing.
    private var chunks: [[Entry]] = []
    private var made: UInt32 = 0
    private var free = OptOuts.none
    /// Entry numbers by hash. In many shards, since one that grows is gone through as a whole.
    private var shards: [Shard] = []
    private var oldest = OptOuts.none
    private var newest = OptOuts.none

    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    func unwanted(by number: UInt64) -> ClassSet { find(number).map { self[$0].unwanted } ?? [] }

    /// An empty set takes the entry away.
    /// - Parameter segment: of the record that says so; 0 while it has none: until then the record before it holds the entry.
    /// - Returns: the segment that holds the entry no more; 0: none.
    mutating func set(_ number: UInt64, _ unwanted: ClassSet, in segment: UInt32) -> UInt32 {
        guard let place = find(number) else {
            if !unwanted.isEmpty { insert(number, unwanted, segment) }
            return 0
        }
        if unwanted.isEmpty { return remove(place) }
        self[place].unwanted = unwanted
        return segment == 0 ? 0 : move(place, to: segment)
    }

    /// Tells where its record stands now; nil when it is no more.
    /// - Returns: the segment where it stood before.
    mutating func place(_ number: UInt64, in segment: UInt32) -> UInt32? { find(number).map { move($0, to: segment) } }

    /// Those whose record stands in a segment up to this one, in the order of their records. They have their places still: the next call
    /// gives the same ones until those are told of new places.
    func standing(upTo segment: UInt32, limit: Int) -> [(number: UInt64, unwanted: ClassSet)] {
        var found: [(number: UInt64, unwanted: ClassSet)] = []
        var place = oldest
        while place != OptOuts.none, self[place].segment <= segment, found.count < limit {
            found.append((self[place].number, self[place].unwanted))
            place = self[place].next
        }
        return found
    }

    /// All that have a place, in that order: for tests.
    var placed: [(number: UInt64, unwanted: ClassSet, segment: UInt32)] {
        var all: [(number: UInt64, unwanted: ClassSet, segment: UInt32)] = []
        var place = oldest
        while place != OptOuts.none {
            all.append((self[place].number, self[place].unwanted, self[place].segment))
            place = self[place].next
        }
        return all
    }

    // MARK: Entries

    private subscript(place: UInt32) -> Entry {
        _read { yield chunks[Int(place >> OptOuts.chunkBits)][Int(place & ((1 << OptOuts.chunkBits) - 1))] }
        _modify { yield &chunks[Int(place >> OptOuts.chunkBits)][Int(place & ((1 << OptOuts.chunkBits) - 1))] }
    }

    private mutating func insert(_ number: UInt64, _ unwanted: ClassSet, _ segment: UInt32) {
        let place: UInt32
        if free != OptOuts.none {
            place = free
            free = self[place].next
            self[place] = Entry(number: number, segment: 0, unwanted: unwanted)
        } else {
            if Int(made >> OptOuts.chunkBits) == chunks.count {
                chunks.append([])
                chunks[chunks.count - 1].reserveCapacity(1 << OptOuts.chunkBits)
            }
            place = made
            made += 1
            chunks[chunks.count - 1].append(Entry(number: number, segment: 0, unwanted: unwanted))
        }
        count += 1
        index(place)
        if segment != 0 { _ = move(place, to: segment) }
    }

    private mutating func remove(_ place: UInt32) -> UInt32 {
        let segment = self[place].segment
        unlink(place)
        unindex(place)
        self[place].next = free
        free = place
        count -= 1
        return segment
    }

    /// Records get their places in the order of the log: the newest is the last.
    private mutating func move(_ place: UInt32, to segment: UInt32) -> UInt32 {
        let old = self[place].segment
        unlink(place)
        self[place].segment = segment
        self[place].previous = newest
        self[place].next = OptOuts.none
        if newest == OptOuts.none { oldest = place } else { self[newest].next = place }
        newest = place
        return old
    }

    private mutating func unlink(_ place: UInt32) {
        guard self[place].segment != 0 else { return }
        let (previous, next) = (self[place].previous, self[place].next)
        if previous == OptOuts.none { oldest = next } else { self[previous].next = next }
        if next == OptOuts.none { newest = previous } else { self[next].previous = previous }
    }

    // MARK: Index

    /// Open addressing, linear probing; every fourth place at least is empty, so that a probe for what is not there ends soon.
    private struct Shard {
        var places: [UInt32] = []
        var count = 0
        var mask: Int { places.count - 1 }
    }

    private static func shard(_ number: UInt64) -> Int { Int(number >> (64 - shardBits)) }

    /// The place where a probe begins. The low bits are the partition, of which this engine may have a few only; the high ones the shard.
    private static func home(_ number: UInt64) -> Int { Int(truncatingIfNeeded: number >> 8) }

    private func find(_ number: UInt64) -> UInt32? {
        guard count > 0 else { return nil }
        let shard = OptOuts.shard(number)
        let mask = shards[shard].mask
        guard mask > 0 else { return nil }
        var at = OptOuts.home(number) & mask
        while shards[shard].places[at] != OptOuts.none {
            let place = shards[shard].places[at]
            if self[place].number == number { return place }
            at = (at + 1) & mask
        }
        return nil
    }

    private mutating func index(_ place: UInt32) {
        if shards.isEmpty { shards = Array(repeating: Shard(), count: 1 << Int(OptOuts.shardBits)) }
        let shard = OptOuts.shard(self[place].number)
        if (shards[shard].count + 1) * 4 > shards[shard].places.count * 3 {
            let old = shards[shard].places
            shards[shard].places = Array(repeating: OptOuts.none, count: max(8, old.count * 2))
            for place in old where place != OptOuts.none { put(place, shard) }
        }
        put(place, shard)
        shards[shard].count += 1
    }

    private mutating func put(_ place: UInt32, _ shard: Int) {
        let mask = shards[shard].mask
        var at = OptOuts.home(self[place].number) & mask
        while shards[shard].places[at] != OptOuts.none { at = (at + 1) & mask }
        shards[shard].places[at] = place
    }

    private mutating func unindex(_ place: UInt32) {
        let shard = OptOuts.shard(self[place].number)
        let mask = shards[shard].mask
        var hole = OptOuts.home(self[place].number) & mask
        while shards[shard].places[hole] != place { hole = (hole + 1) & mask }
        // Close the gap: move back every follower that a probe could no longer reach.
        var next = (hole + 1) & mask
        while shards[shard].places[next] != OptOuts.none {
            let home = OptOuts.home(self[shards[shard].places[next]].number) & mask
            if ((next - home) & mask) >= ((next - hole) & mask) {
                shards[shard].places[hole] = shards[shard].places[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        shards[shard].places[hole] = OptOuts.none
        shards[shard].count -= 1
    }
}

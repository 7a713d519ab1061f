public import MartletModel

/// What numbers that are no one customer's have had of each cap, by their keyed hash: so a ready text to somebody whom the bank does not know is counted as one to a customer is.
/// A ledger as that of customers, under places that are given to numbers while something of theirs counts.
///
/// 44 to 60 bytes for a number with one moment, 16 for each further one; none for longer than the cap's own time and its next record.
public struct NumberCaps: Sendable {
    public typealias Counter = RecordBody.Counter

    private static let shardBits: UInt64 = 12
    private static let chunkBits = 13
    /// Places that are looked at in one step: those of a page of the ledger.
    private static let stretch = 1024

    private var ledger: CapLedger
    /// Places by hash. In many shards, since one that grows is gone through as a whole.
    private var shards: ContiguousArray<[UInt64: UInt32]> = []
    /// Hashes by place; 0: the place is free. Place 0 is nobody's. Chunks never move, so that growing copies nothing.
    private var chunks: ContiguousArray<ContiguousArray<UInt64>> = [[0]]
    private var made = 1
    private var free: ContiguousArray<UInt32> = []
    private var sweepAt = 0

    /// - Parameter maximum: moments kept at once; from there on caps let nothing pass.
    public init(maximum: Int = 8 << 20) { ledger = CapLedger(maximum: maximum) }

    public var isEmpty: Bool { ledger.count == 0 }
    /// Moments in memory, some of which may count no more.
    public var count: Int { ledger.count }
    /// No room is left for one more text.
    public var isFull: Bool { ledger.isFull }
    /// Numbers that have a place: for tests.
    var numbers: Int { made - 1 - free.count }

    /// How many of a counter count now, `counter.most` at the most.
    public func count(of counter: Counter, for number: UInt64, at wall: Int64) -> Int {
        guard !isEmpty, let place = find(number) else { return 0 }
        return ledger.count(of: counter, for: place, at: wall)
    }

    /// Counts one.
    /// - Returns: the moment it counts at, wall seconds.
    public mutating func reserve(_ counter: Counter, for number: UInt64, at wall: Int64) -> UInt32 {
        ledger.reserve(counter, for: place(of: number), at: wall)
    }

    /// As `CapLedger.placed`.
    public mutating func placed(_ counter: Counter, for number: UInt64, at moment: UInt32, in segment: UInt32) {
        if let place = find(number) { ledger.placed(counter, for: place, at: moment, in: segment) }
    }

    /// As `CapLedger.moved`.
    public mutating func moved(
        _ counter: Counter, for number: UInt64, at moment: UInt32, to segment: UInt32, isNew: Bool = false, copies: Int = 1
    ) {
        ledger.moved(counter, for: place(of: number), at: moment, to: segment, isNew: isNew, copies: copies)
    }

    /// Moments whose record stands in this segment.
    public func live(in segment: UInt32) -> Int { ledger.live(in: segment) }

    /// As `CapLedger.standing`, by number.
    public mutating func standing(
        upTo segment: UInt32, limit: Int, _ cursor: inout Int
    ) -> [(counter: Counter, number: UInt64, at: UInt32)] {
        ledger.standing(upTo: segment, limit: limit, &cursor).map { ($0.counter, self[$0.subject], $0.at) }
    }

    /// Lets go of what counts no more, and of the places of numbers of which nothing does, a stretch at a time; call it seldom.
    public mutating func sweep() {
        guard made > 1 else { return }
        ledger.sweep(pages: 1)
        if sweepAt >= made { sweepAt = 0 }
        for place in sweepAt..<min(sweepAt + NumberCaps.stretch, made) {
            let number = self[UInt32(place)]
            guard number != 0, !ledger.counts(for: UInt32(place)) else { continue }
            shards[NumberCaps.shard(number)][number] = nil
            self[UInt32(place)] = 0
            free.append(UInt32(place))
        }
        sweepAt += NumberCaps.stretch
    }

    // MARK: Places

    private static func shard(_ number: UInt64) -> Int { Int(number >> (64 - shardBits)) }

    private subscript(place: UInt32) -> UInt64 {
        get { chunks[Int(place) >> NumberCaps.chunkBits][Int(place) & ((1 << NumberCaps.chunkBits) - 1)] }
        set { chunks[Int(place) >> NumberCaps.chunkBits][Int(place) & ((1 << NumberCaps.chunkBits) - 1)] = newValue }
    }

    private func find(_ number: UInt64) -> UInt32? {
        shards.isEmpty ? nil : shards[NumberCaps.shard(number)][number]
    }

    /// 0, which the ledger does not count, when there are no more places, or for the hash 0.
    private mutating func place(of number: UInt64) -> UInt32 {
        if let place = find(number) { return place }
        if number == 0 || (ledger.isFull && free.isEmpty) { return 0 }
        if shards.isEmpty { shards = ContiguousArray(repeating: [:], count: 1 << Int(NumberCaps.shardBits)) }
        let place: UInt32
        if let again = free.popLast() {
            place = again
            self[place] = number
        } else {
            place = UInt32(made)
            if made >> NumberCaps.chunkBits == chunks.count {
                chunks.append([])
                chunks[chunks.count - 1].reserveCapacity(1 << NumberCaps.chunkBits)
            }
            chunks[chunks.count - 1].append(number)
            made += 1
        }
        shards[NumberCaps.shard(number)][number] = place
        return place
    }
}

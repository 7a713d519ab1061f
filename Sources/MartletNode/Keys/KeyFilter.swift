import Glibc

/// Which hashes may have been met, in about 16 bits each: a row of blocked Bloom filters, one after the other in time. What it denies was
/// never inserted; what it affirms was not either in about one of 100 cases, and is then looked up exactly.
///
/// One hash sets 8 bits in one cache line of the newest filter; a question reads one line of each. A filter is made for half as many
/// hashes as there are (three or four in steady state, 11 after the first 10 million), not for a segment, so a question costs the
/// same however many segments a day has. A filter goes as a whole when its newest hash is too old. Confined to one thread.
struct KeyFilter: ~Copyable {
    /// Segments whose hashes a filter may hold.
    typealias Segments = ClosedRange<UInt32>

    /// Hashes of the first filters, and bits for each hash.
    static let leastCapacity = 131_072
    static let bitsEach = 16
    /// Filters at once; the last takes more than it is made for rather than that there were one more.
    static let most = 64

    private var filters: [BlockedFilter] = []
    /// Their blocks, apart: counting references between two reads from memory would let each wait for the one before.
    private var blocks: [BlockedFilter.Blocks] = []
    /// Hashes inserted and not yet gone.
    private(set) var count = 0

    var filterCount: Int { filters.count }
    var bytes: Int { filters.reduce(0) { $0 + $1.bytes } }

    /// Bit n: filter n may hold it. 0: it was never inserted, or is gone.
    @inline(__always)
    func hits(_ hash: UInt64) -> UInt64 {
        var hits: UInt64 = 0
        let mask = BlockedFilter.mask(hash)
        blocks.withUnsafeBufferPointer { blocks in
            for index in blocks.indices {
                hits |= (blocks[index].holds(hash, mask) ? 1 : 0) &<< UInt64(truncatingIfNeeded: index)
            }
        }
        return hits
    }

    /// Where the filters of `hits` have their hashes from.
    func segments(_ hits: UInt64) -> [Segments] {
        filters.indices.filter { hits >> UInt64($0) & 1 == 1 }.map { filters[$0].segments }
    }

    /// - Parameter milliseconds: age of the hash, wall time.
    mutating func insert(_ hash: UInt64, segment: UInt32, milliseconds: Int64) {
        if filters.last?.isFull ?? true, filters.count < KeyFilter.most {
            let filter = BlockedFilter(capacity: max(KeyFilter.leastCapacity, count / 2), segment: segment)
            filters.append(filter)
            blocks.append(filter.blocks)
        }
        filters[filters.count - 1].insert(hash, segment, milliseconds)
        count += 1
    }

    /// Takes out the filters that hold nothing as new as this; they are given back so that their memory can go elsewhere.
    mutating func expire(before milliseconds: Int64) -> [BlockedFilter] {
        let gone = filters.filter { $0.newest < milliseconds }
        guard !gone.isEmpty else { return [] }
        filters.removeAll { $0.newest < milliseconds }
        blocks = filters.map(\.blocks)
        for filter in gone { count -= filter.count }
        return gone
    }
}

/// A Bloom filter whose blocks are cache lines: each hash has its bits in one of them, one in each of its eight words.
///
/// `@unchecked Sendable`: the loop alone reads and writes it, until it takes it out of its row; from then on the background queue holds
/// the only reference, and does nothing with it but let it go (freeing megabytes is not for the loop).
final class BlockedFilter: @unchecked Sendable {
    struct Blocks {
        let start: UnsafeMutablePointer<SIMD8<UInt64>>
        let count: UInt64

        @inline(__always)
        subscript(hash: UInt64) -> UnsafeMutablePointer<SIMD8<UInt64>> {
            start + Int(truncatingIfNeeded: ((hash >> 32) &* count) >> 32)
        }

        @inline(__always)
        func holds(_ hash: UInt64, _ mask: SIMD8<UInt64>) -> Bool {
            // Without a comparison of 64-bit words, for which the least processor has no instruction.
            let missing = mask & ~self[hash].pointee
            let half = missing.lowHalf | missing.highHalf
            let quarter = half.lowHalf | half.highHalf
            return quarter.x | quarter.y == 0
        }
    }

    private let memory: UnsafeMutableRawPointer
    let blocks: Blocks
    private let capacity: Int
    private(set) var count = 0
    private(set) var segments: ClosedRange<UInt32>
    /// Wall milliseconds.
    private(set) var newest = Int64.min

    var bytes: Int { Int(blocks.count) * 64 }
    var isFull: Bool { count >= capacity }

    init(capacity: Int, segment: UInt32) {
        self.capacity = capacity
        segments = segment...segment
        let count = max(1, capacity * KeyFilter.bitsEach / 512)
        // Zero pages come from the system one by one as they are touched, so that a large filter holds up nobody.
        guard let memory = calloc(1, count * 64 + 63) else { preconditionFailure("no memory for a key filter") }
        self.memory = memory
        blocks = Blocks(start: memory.alignedUp(toMultipleOf: 64).assumingMemoryBound(to: SIMD8<UInt64>.self), count: UInt64(count))
    }

    deinit { free(memory) }

    /// One bit in each word, from other bits of the hash than the block's number.
    @inline(__always)
    static func mask(_ hash: UInt64) -> SIMD8<UInt64> {
        var mixed = (hash ^ (hash >> 32)) &* 0x9E37_79B9_7F4A_7C15
        mixed ^= mixed >> 29
        let places = SIMD8<UInt64>(repeating: mixed) &>> SIMD8<UInt64>(0, 6, 12, 18, 24, 30, 36, 42)
        return SIMD8<UInt64>(repeating: 1) &<< (places & 63)
    }

    func insert(_ hash: UInt64, _ segment: UInt32, _ milliseconds: Int64) {
        blocks[hash].pointee |= BlockedFilter.mask(hash)
        segments = min(segments.lowerBound, segment)...max(segments.upperBound, segment)
        newest = max(newest, milliseconds)
        count += 1
    }
}

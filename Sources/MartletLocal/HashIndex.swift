/// From a keyed hash to places in the heap: entries in the order of their hashes, cut into buckets by the highest bits.
///
/// A look-up reads the bucket's begin and end, then the few entries between: two misses of the cache, whether the hash is there or not,
/// and all entries of one hash stand side by side. An entry keeps 40 bits of the hash beside those of its bucket. With three entries to a bucket
/// that is a hash of 62 bits for 14 million, and one false find in 300 thousand million questions about what is not there.
struct HashIndex {
    /// Bytes of an entry: 5 of the hash, 4 of the place; for an address 1 more, the number of its contact point.
    static let referenceStride = 9
    static let addressStride = 10
    static let tagBits: UInt64 = 40
    static let tagMask: UInt64 = 1 << tagBits - 1
    static let bitsMaximum: UInt8 = 24
    /// Entries to a bucket, at most, on the average.
    static let load = 4

    let entries: UnsafeRawPointer
    let buckets: UnsafeRawPointer
    let count: Int
    let bits: UInt8
    let stride: Int

    /// The fewest buckets that hold not more than `load` entries on the average.
    static func bits(_ count: Int) -> UInt8 {
        var bits: UInt8 = 0
        while bits < bitsMaximum, count > load << Int(bits) { bits += 1 }
        return bits
    }

    @inline(__always)
    static func bucket(_ hash: UInt64, _ bits: UInt8) -> Int { bits == 0 ? 0 : Int(hash >> (64 - UInt64(bits))) }

    /// The 40 bits that follow those of the bucket.
    @inline(__always)
    static func tag(_ hash: UInt64, _ bits: UInt8) -> UInt64 { hash >> (24 - UInt64(bits)) & tagMask }

    /// Indices of the entries of this hash; empty: none. Bounds are checked, so a page that went bad after opening leads nowhere.
    @inline(__always)
    func find(_ hash: UInt64) -> Range<Int> {
        let bucket = HashIndex.bucket(hash, bits)
        var index = Int(buckets.word(bucket * 4, as: UInt32.self))
        let end = min(Int(buckets.word(bucket * 4 + 4, as: UInt32.self)), count)
        let tag = HashIndex.tag(hash, bits)
        while index < end, self.tag(at: index) < tag { index += 1 }
        let first = index
        while index < end, self.tag(at: index) == tag { index += 1 }
        return first..<max(first, index)
    }

    @inline(__always)
    private func tag(at index: Int) -> UInt64 {
        // Behind the last entry stand the buckets, so eight bytes can be read of each.
        entries.word(index * stride, as: UInt64.self) & HashIndex.tagMask
    }

    /// Byte of the heap.
    @inline(__always)
    func place(at index: Int) -> Int { Int(entries.word(index * stride + 5, as: UInt32.self)) * BaseHeader.unit }

    /// The contact point of an address.
    @inline(__always)
    func number(at index: Int) -> UInt8 { entries.load(fromByteOffset: index * stride + 9, as: UInt8.self) }
}

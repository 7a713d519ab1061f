/// What is to be done later, by the whole millisecond: pushing costs an array append, since everything due in the same millisecond
/// shares one bucket. Octets that go with an item lie in the bucket too.
struct DueTable<Item> {
    struct Bucket {
        var items: [Item] = []
        var bytes: [UInt8] = []
    }

    private var buckets: [Int64: Bucket] = [:]
    /// Milliseconds that have a bucket, as a binary heap.
    private var heap: [Int64] = []
    private(set) var count = 0

    init() {}

    /// First millisecond with something due.
    var first: Int64? { heap.first }

    /// - Parameter make: builds the item from the range its octets have in the bucket.
    mutating func push(at millisecond: Int64, octets: UnsafeRawBufferPointer?, _ make: (Range<Int>) -> Item) {
        count += 1
        if buckets[millisecond] == nil {
            buckets[millisecond] = Bucket()
            insert(millisecond)
        }
        // In place: a copy of the bucket would copy all its items.
        buckets[millisecond, default: Bucket()].add(octets, make)
    }

    /// Takes everything due at or before `millisecond`, in order of time and then of pushing.
    mutating func pop(through millisecond: Int64) -> Bucket? {
        guard let first = heap.first, first <= millisecond else { return nil }
        removeFirst()
        let bucket = buckets.removeValue(forKey: first)
        count -= bucket?.items.count ?? 0
        return bucket
    }

    mutating func removeAll(where gone: (Item) -> Bool) {
        for key in heap {
            buckets[key]?.items.removeAll(where: gone)
        }
        count = buckets.values.reduce(0) { $0 + $1.items.count }
    }

    private mutating func insert(_ key: Int64) {
        heap.append(key)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if heap[parent] <= heap[child] { break }
            heap.swapAt(parent, child)
            child = parent
        }
    }

    private mutating func removeFirst() {
        let last = heap.removeLast()
        if heap.isEmpty { return }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child] < heap[least] { least = child }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}

extension DueTable.Bucket {
    fileprivate mutating func add(_ octets: UnsafeRawBufferPointer?, _ make: (Range<Int>) -> Item) {
        let start = bytes.count
        if let octets { bytes.append(contentsOf: octets) }
        items.append(make(start..<bytes.count))
    }
}

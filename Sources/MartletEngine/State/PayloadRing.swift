/// The newest plain payloads, so that a message handed over at once is not read back from disk. Offsets grow for ever; an
/// offset is good until the ring has gone round past it. Nothing is ever freed or searched.
struct PayloadRing: ~Copyable {
    private let bytes: UnsafeMutableRawPointer
    private let capacity: Int
    private var head: UInt64 = 0

    /// - Parameter capacity: bytes, a power of two. Pages are only used as they are written.
    init(capacity: Int) {
        precondition(capacity & (capacity - 1) == 0, "a ring's size is a power of two")
        self.capacity = capacity
        bytes = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { bytes.deallocate() }

    mutating func append(_ payload: UnsafeRawBufferPointer) -> UInt64 {
        let need = payload.count + 4
        precondition(need <= capacity / 4, "a payload is far smaller than its ring")
        var place = Int(head & UInt64(capacity - 1))
        if place + need > capacity {
            head += UInt64(capacity - place)
            place = 0
        }
        let offset = head
        (bytes + place).storeBytes(of: UInt32(payload.count), as: UInt32.self)
        if let source = payload.baseAddress { (bytes + place + 4).copyMemory(from: source, byteCount: payload.count) }
        // Keep entries four-aligned so that the length can be loaded.
        head += UInt64((need + 3) & ~3)
        return offset
    }

    @inline(__always)
    func holds(_ offset: UInt64) -> Bool { offset != .max && offset &+ UInt64(capacity) >= head && offset < head }

    /// The payload at an offset that `holds` answered true for.
    func payload(_ offset: UInt64) -> UnsafeRawBufferPointer {
        let place = Int(offset & UInt64(capacity - 1))
        let count = Int((bytes + place).load(as: UInt32.self))
        return UnsafeRawBufferPointer(start: bytes + place + 4, count: count)
    }
}

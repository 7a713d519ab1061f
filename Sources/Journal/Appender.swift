/// Takes records and decides their positions. Confined to its owner's thread or loop.
public final class Appender {
    private let pool: BufferPool
    private let batchSize: Int
    private let recordSize: Int
    /// No batch begins behind this offset.
    private let lastStart: Int

    private var buffer: Buffer?
    /// Bytes of the batch being filled, header included, trailer not; 0 when none is begun.
    private var used = 0
    private var count = 0
    private var segment: UInt32
    /// Where the batch being filled, or the next one, begins.
    private var offset: Int
    private var ordinal: UInt64
    /// Batches that became full before the owner cut them, oldest first; bounded by the pool.
    private var full: [Batch] = []

    /// Bytes appended and not yet cut.
    public private(set) var pendingBytes = 0
    /// Records appended and not yet cut.
    public private(set) var pendingRecords = 0

    init(pool: BufferPool, options: Options, segment: UInt32, ordinal: UInt64) {
        self.pool = pool
        self.batchSize = options.batchSize
        self.recordSize = options.recordSize
        self.lastStart = options.segmentSize - Format.stopReserve - options.batchSize
        self.segment = segment
        self.offset = Format.headerBlock
        self.ordinal = ordinal
    }

    /// Appends a record of `count` bytes, which `fill` writes: all of them, as the memory holds older bytes.
    /// Returns where the record will lie; it is durable when the batch that holds it is.
    public func append(count length: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) throws(AppendError) -> Position {
        guard length >= 1, length <= recordSize else { throw .size(length, limit: recordSize) }
        let framed = Format.framed(length)
        if used > 0, used + framed + Format.batchTrailer > batchSize, let batch = finish() { full.append(batch) }
        let base = try begun()
        let frame = base + used
        let record = frame + Format.frameHeader
        frame.put(UInt32(truncatingIfNeeded: length), 0)
        // The padding, at most 7 bytes, is zero; what of these 8 bytes is the record's, `fill` writes over.
        frame.put(UInt64(0), framed - 8)
        fill(UnsafeMutableRawBufferPointer(start: record, count: length))
        let position = Position(segment, offset + used)
        used += framed
        count += 1
        pendingBytes += framed
        pendingRecords += 1
        return position
    }

    /// Appends a copy of `bytes`.
    public func append(_ bytes: UnsafeRawBufferPointer) throws(AppendError) -> Position {
        try append(count: bytes.count) { $0.copyMemory(from: bytes) }
    }

    /// The oldest filled batch, or nil when nothing waits. Call again while `pendingRecords` is above 0.
    public func cut() -> Batch? {
        let batch = full.isEmpty ? finish() : full.removeFirst()
        guard let batch else { return nil }
        pendingBytes -= batch.size - Format.batchOverhead
        pendingRecords -= batch.records
        return batch
    }

    private func begun() throws(AppendError) -> UnsafeMutableRawPointer {
        if buffer == nil {
            if offset > lastStart, segment == .max { throw .exhausted }
            guard let fresh = pool.take() else { throw .behind }
            buffer = fresh
            used = Format.batchHeader
            if offset > lastStart {
                segment += 1
                offset = Format.headerBlock
            }
        }
        guard let base = buffer?.bytes.baseAddress else { throw .behind }
        return base
    }

    private func finish() -> Batch? {
        guard let buffer, count > 0 else { return nil }
        let size = used + Format.batchTrailer
        let batch = Batch(
            start: Position(segment, offset), end: Position(segment, offset + size), records: count, size: size,
            firstOrdinal: ordinal, flags: 0, buffer: buffer)
        self.buffer = nil
        ordinal += UInt64(count)
        offset += size
        used = 0
        count = 0
        return batch
    }
}

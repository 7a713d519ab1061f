public struct Options: Sendable {
    /// Bytes of a segment's file, 1 MiB... 1 GiB in earnest; at least four of the largest batches.
    public var segmentSize = 64 << 20
    /// The largest batch on disk, framing included.
    public var batchSize = 1 << 20
    /// The largest record, bytes, without framing.
    public var recordSize = 512 << 10
    /// Zero-filled files kept ready, 1...16. When no further one can be made these are the reserve.
    public var spares = 2
    /// Batches that may be in memory at once (being filled, cut, being written), 2...1024.
    public var batchesInMemory = 64
    /// Whether `committed` tells other processes how far the journal is durable.
    public var publishesEnd = false
    /// False only in tests: nothing is then synced, and a power cut loses what was reported durable.
    public var sync = true

    public init() {}

    func check() throws(JournalError) {
        guard batchSize >= 256, batchSize <= 16 << 20, batchSize % 8 == 0 else {
            throw .options("batchSize must be a multiple of 8 in 256...16777216")
        }
        guard segmentSize >= 4 * batchSize + Format.headerBlock, segmentSize <= 1 << 30, segmentSize % 4096 == 0 else {
            throw .options("segmentSize must be a multiple of 4096, at least four batches and a header block, at most 1 GiB")
        }
        guard recordSize >= 1, Format.framed(recordSize) + Format.batchOverhead <= batchSize else {
            throw .options("recordSize must be at least 1 and fit in a batch with its framing")
        }
        guard (1...16).contains(spares) else { throw .options("spares must be in 1...16") }
        guard (2...1024).contains(batchesInMemory) else { throw .options("batchesInMemory must be in 2...1024") }
    }
}

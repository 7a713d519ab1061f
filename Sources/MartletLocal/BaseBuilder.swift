import Glibc
public import Journal
public import MartletModel

/// Writes a base file from a stream of customers, in any order. Memory does not grow with their number but for 4 bytes a thousand
/// (where chunks lie) and the parts of `SpillFile`: under 32 MiB for 14 million.
///
/// The file is written beside, synced, given its header, synced again, and takes its name at the end: whatever stops it, a file with the
/// name is whole, and what was there before stays in use.
public struct BaseBuilder: ~Copyable {
    public struct Description: Sendable {
        /// Of the file; higher than those there.
        public var version: UInt64
        /// Changes of the node's overlay up to this number are in what is written.
        public var folded: UInt64
        /// Keyed hash of a constant, so that a file of another key is told.
        public var hashCheck: UInt64
        /// Wall microseconds.
        public var madeAt: Int64

        public init(version: UInt64, folded: UInt64, hashCheck: UInt64, madeAt: Int64) {
            self.version = version
            self.folded = folded
            self.hashCheck = hashCheck
            self.madeAt = madeAt
        }
    }

    /// What a finished file holds.
    public struct Summary: Equatable, Sendable {
        public var path: String
        public var customers: Int
        public var addresses: Int
        public var bytes: Int
    }

    private let directory: LocalDirectory
    private var header = BaseHeader()
    private let file: LocalFile
    private var heap: SectionWriter
    private var references: SpillFile
    private var addresses: SpillFile

    private static let heapMaximum = Int(UInt32.max) * BaseHeader.unit

    /// - Parameter directory: must be there; files of an earlier try are written over.
    public init(_ directory: String, _ description: Description, disk: Disk = .system) throws(LocalFault) {
        let file = try LocalFile(disk, "\(directory)/customers.new", O_RDWR | O_CREAT | O_TRUNC)
        let references = try SpillFile(disk, "\(directory)/customers.new.references")
        let addresses = try SpillFile(disk, "\(directory)/customers.new.addresses")
        self.directory = LocalDirectory(directory, disk)
        self.file = file
        self.references = references
        self.addresses = addresses
        heap = SectionWriter(at: BaseHeader.size)
        header.version = description.version
        header.folded = description.folded
        header.hashCheck = description.hashCheck
        header.madeAt = description.madeAt
    }

    /// Adds a customer.
    /// - Parameters:
    ///   - addresses: keyed hashes of what the customer can be looked up by.
    ///   - clear: a customer record v1; the caller has written it, it is not read here.
    ///   - sealed: may be empty.
    /// - Throws: `.tooLarge`, `.disk`; the builder is of no use then.
    public mutating func add(
        subject: SubjectNumber, reference: UInt64, addresses hashes: [AddressHash], clear: UnsafeRawBufferPointer,
        sealed: UnsafeRawBufferPointer
    ) throws(LocalFault) {
        let limit = CustomerLimits.recordBytes
        guard clear.count <= limit else { throw .record(subject: subject, .tooLong(field: "customer", limit: limit)) }
        guard sealed.count <= limit + 64 else { throw .record(subject: subject, .tooLong(field: "sealed", limit: limit + 64)) }
        guard hashes.count <= CustomerLimits.contacts else {
            throw .record(subject: subject, .tooMany(field: "addresses", limit: CustomerLimits.contacts))
        }
        guard heap.count + clear.count + sealed.count + 16 <= BaseBuilder.heapMaximum else { throw .tooLarge(limit: "8 GiB of customers") }
        let place = UInt32(heap.count / BaseHeader.unit)
        try heap.append(subject, to: file)
        try length(clear.count)
        try length(sealed.count)
        try heap.append(clear, to: file)
        try heap.append(sealed, to: file)
        try heap.pad(to: BaseHeader.unit, in: file)
        try references.append(SpillFile.Item(hash: reference, place: place, extra: subject))
        for one in hashes { try addresses.append(SpillFile.Item(hash: one.hash, place: place, extra: UInt32(one.number))) }
    }

    /// Seven bits a byte, the lowest first.
    private mutating func length(_ count: Int) throws(LocalFault) {
        var rest = count
        while rest >= 128 {
            try heap.append(UInt8(rest & 127 | 128), to: file)
            rest >>= 7
        }
        try heap.append(UInt8(rest), to: file)
    }

    /// Writes the indexes and the checksums, syncs and gives the file its name.
    /// - Throws: `.duplicateReference`, `.disk`; then the file does not get its name.
    public consuming func finish() throws(LocalFault) -> Summary {
        do throws(LocalFault) {
            try complete()
        } catch {
            _ = directory.disk.unlink(file.path)
            throw error
        }
        let path = directory.base(header.version)
        try directory.rename(file.path, path)
        return Summary(
            path: path, customers: Int(header.customers), addresses: Int(header.addresses), bytes: Int(header.fileSize))
    }

    private mutating func complete() throws(LocalFault) {
        header.customers = UInt64(references.count)
        header.addresses = UInt64(addresses.count)
        guard references.count <= UInt32.max, addresses.count <= UInt32.max else { throw .tooLarge(limit: "4294967295 addresses") }
        header.referenceBits = HashIndex.bits(references.count)
        header.addressBits = HashIndex.bits(addresses.count)
        header[.heap] = try heap.finish(in: file)
        var checks = heap.checks
        let first = try index(references, header.referenceBits, at: header[.heap].upperBound, HashIndex.referenceStride, &checks)
        header[.references] = first.entries
        header[.referenceBuckets] = first.buckets
        let second = try index(addresses, header.addressBits, at: first.buckets.upperBound, HashIndex.addressStride, &checks)
        header[.addresses] = second.entries
        header[.addressBuckets] = second.buckets
        try seal(checks)
    }

    /// Entries and buckets go out side by side: where the buckets begin is known from the count.
    private func index(
        _ items: borrowing SpillFile, _ bits: UInt8, at start: Int, _ stride: Int, _ checks: inout [UInt32]
    ) throws(LocalFault) -> (entries: Range<Int>, buckets: Range<Int>) {
        var entries = SectionWriter(at: start)
        var buckets = SectionWriter(at: start + BaseHeader.aligned(items.count * stride))
        var written: UInt32 = 0
        var bucketsWritten = 0
        var last: (bucket: Int, tag: UInt64, subject: UInt32)?
        let isReference = stride == HashIndex.referenceStride
        try items.inOrder { item throws(LocalFault) in
            let bucket = HashIndex.bucket(item.hash, bits)
            let tag = HashIndex.tag(item.hash, bits)
            if isReference {
                if let last, last.bucket == bucket, last.tag == tag { throw .duplicateReference(last.subject, item.extra) }
                last = (bucket, tag, item.extra)
            }
            while bucketsWritten <= bucket {
                try buckets.append(written, to: file)
                bucketsWritten += 1
            }
            try entries.append(UInt32(truncatingIfNeeded: tag), to: file)
            try entries.append(UInt8(truncatingIfNeeded: tag >> 32), to: file)
            try entries.append(item.place, to: file)
            if !isReference { try entries.append(UInt8(truncatingIfNeeded: item.extra), to: file) }
            written += 1
        }
        while bucketsWritten <= 1 << Int(bits) {
            try buckets.append(written, to: file)
            bucketsWritten += 1
        }
        let places = (entries: try entries.finish(in: file), buckets: try buckets.finish(in: file))
        checks += entries.checks
        checks += buckets.checks
        return places
    }

    private mutating func seal(_ checks: [UInt32]) throws(LocalFault) {
        let start = header[.addressBuckets].upperBound
        let table = checks.map(\.littleEndian)
        let bytes = table.withUnsafeBytes { Array($0) }
        header[.checks] = start..<start + bytes.count
        header.fileSize = UInt64(start + bytes.count)
        header.total = bytes.withUnsafeBytes { Checksum.of($0) }
        try write(bytes, at: start)
        try file.dataSynced()
        // The header comes last: a file without one was not finished.
        var head = [UInt8](repeating: 0, count: BaseHeader.size)
        head.withUnsafeMutableBytes { if let start = $0.baseAddress { header.write(to: start) } }
        try write(head, at: 0)
        try file.synced()
    }

    private func write(_ bytes: [UInt8], at offset: Int) throws(LocalFault) {
        let result: Result<Void, LocalFault> = bytes.withUnsafeBytes { buffer in
            do throws(LocalFault) {
                try file.write(buffer, at: offset)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }
}

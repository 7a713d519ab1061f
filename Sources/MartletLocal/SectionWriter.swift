import Journal

/// Writes one section of a base file in large pieces, with a checksum for each block. Several may write to one file at once, each
/// from its own offset.
struct SectionWriter: ~Copyable {
    private let start: Int
    private let buffer: UnsafeMutableRawBufferPointer
    private var filled = 0
    /// Bytes of the section that the file has.
    private var flushed = 0
    private(set) var checks: [UInt32] = []

    /// 16 blocks.
    private static let capacity = BaseHeader.block * 16

    init(at start: Int) {
        self.start = start
        buffer = .allocate(byteCount: SectionWriter.capacity, alignment: 4096)
    }

    deinit { buffer.deallocate() }

    /// Bytes of the section so far.
    var count: Int { flushed + filled }

    mutating func append(_ bytes: UnsafeRawBufferPointer, to file: borrowing LocalFile) throws(LocalFault) {
        var rest = bytes
        while !rest.isEmpty {
            let part = min(rest.count, buffer.count - filled)
            UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<filled + part])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<part]))
            filled += part
            rest = UnsafeRawBufferPointer(rebasing: rest[part...])
            if filled == buffer.count { try flush(to: file) }
        }
    }

    /// Of small values, many of them: in place where there is room.
    @inline(__always)
    mutating func append<Value: FixedWidthInteger>(_ value: Value, to file: borrowing LocalFile) throws(LocalFault) {
        let size = MemoryLayout<Value>.size
        guard filled + size < buffer.count, let base = buffer.baseAddress else { return try appendBytes(of: value, to: file) }
        (base + filled).put(value, 0)
        filled += size
    }

    private mutating func appendBytes<Value: FixedWidthInteger>(of value: Value, to file: borrowing LocalFile) throws(LocalFault) {
        var rest = value
        for _ in 0..<MemoryLayout<Value>.size {
            buffer[filled] = UInt8(truncatingIfNeeded: rest)
            filled += 1
            rest >>= 8
            if filled == buffer.count { try flush(to: file) }
        }
    }

    mutating func pad(to multiple: Int, in file: borrowing LocalFile) throws(LocalFault) {
        while count % multiple != 0 { try append(UInt8(0), to: file) }
    }

    /// The section as it stands in the file, with the zeros up to the next.
    mutating func finish(in file: borrowing LocalFile) throws(LocalFault) -> Range<Int> {
        try pad(to: BaseHeader.alignment, in: file)
        try flush(to: file)
        return start..<start + flushed
    }

    private mutating func flush(to file: borrowing LocalFile) throws(LocalFault) {
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<filled])
        var at = 0
        while at < filled {
            let end = min(at + BaseHeader.block, filled)
            checks.append(
                Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[at..<end]), seed: Checksum.seed(UInt64(start + flushed + at))))
            at = end
        }
        try file.write(bytes, at: start + flushed)
        flushed += filled
        filled = 0
    }
}

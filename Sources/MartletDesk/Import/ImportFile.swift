/// A file read from a place on, in stretches; memory is one buffer, as large as the longest row may be.
final class ImportFile {
    private let bytes: any ImportBytes
    /// Bytes of the file.
    var size: Int { bytes.size }
    /// Where in the file `buffer` begins.
    private var base = 0
    private var filled = 0
    private var buffer = [UInt8](repeating: 0, count: 1 << 20)
    /// What is not read yet: within `buffer`.
    private(set) var start = 0

    init(_ bytes: any ImportBytes) { self.bytes = bytes }

    convenience init(_ path: String) throws(ImportFault) { self.init(try PlainBytes(path)) }

    /// Byte of the file that is read next.
    var position: Int { base + start }

    func seek(to position: Int) {
        (base, start, filled) = (position, 0, 0)
    }

    func consume(_ count: Int) { start += count }

    /// Bytes at hand, from `position` on.
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try buffer.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[start..<filled])) }
    }

    var available: Int { filled - start }

    /// Reads on; false: the file ends with what is at hand.
    func more() throws(ImportFault) -> Bool {
        if start > 0 {
            buffer.withUnsafeMutableBytes { bytes in
                bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start..<filled]))
            }
            (base, filled, start) = (base + start, filled - start, 0)
        }
        if filled == buffer.count { buffer.append(contentsOf: repeatElement(0, count: buffer.count)) }
        let count = try buffer.withUnsafeMutableBytes { output in
            bytes.read(at: base + filled, into: UnsafeMutableRawBufferPointer(rebasing: output[filled...]))
        }.get()
        filled += count
        return count > 0
    }

    /// The first bytes of the file, 64 KiB at most.
    func head() throws(ImportFault) -> [UInt8] {
        seek(to: 0)
        while available < 1 << 16, try more() {}
        defer { seek(to: 0) }
        return withBytes { Array($0.prefix(1 << 16)) }
    }

    /// By its beginning, its length and when it was last changed: what the same file has when an import of it is begun again, and a file of
    /// another night has not, however much it looks like the one before.
    func identity() throws(ImportFault) -> [UInt8] {
        var identity = try head()
        withUnsafeBytes(of: bytes.changedAt.bigEndian) { identity.append(contentsOf: $0) }
        return identity
    }
}

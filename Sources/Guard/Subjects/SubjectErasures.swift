import Crypto
import Glibc

/// One entry of the list of erasures.
public struct SubjectErasure: Sendable, Equatable {
    public let number: UInt32
    /// Microseconds since 1970, UTC.
    public let time: Int64
}

/// The list of erasures: the file `erased`, appended to and synced before a slot is overwritten, and never shortened. It holds numbers and
/// times only, no secret, so it may be copied anywhere and kept for ever; a restored backup of keys is held against it.
///
/// Entries of 24 bytes: number (u32, little-endian), four bytes `ERSD`, time in microseconds since 1970 UTC (i64, little-endian), first
/// eight bytes of the SHA-256 of these sixteen.
enum SubjectErasures {
    static let name = "erased"
    static let entryBytes = 24
    private static let mark = Array("ERSD".utf8)

    static func entry(_ erasure: SubjectErasure) -> [UInt8] {
        var bytes: [UInt8] = []
        withUnsafeBytes(of: erasure.number.littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: mark)
        withUnsafeBytes(of: erasure.time.littleEndian) { bytes.append(contentsOf: $0) }
        return bytes + check(bytes)
    }

    /// Nil: it is not what was written.
    static func erasure(in entry: ArraySlice<UInt8>) -> SubjectErasure? {
        let covered = entry.prefix(16)
        guard entry.count == entryBytes, covered.dropFirst(4).prefix(4).elementsEqual(mark),
            entry.suffix(8).elementsEqual(check(Array(covered)))
        else { return nil }
        let time = covered.suffix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return SubjectErasure(
            number: covered.prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }, time: Int64(bitPattern: time))
    }

    private static func check(_ covered: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: covered).prefix(8)) }

    /// How far a list goes.
    struct Extent: Equatable {
        /// Whole ones, good or not.
        var entries = 0
        /// Behind them is the beginning of one more. An erasure is acknowledged when its entry is synced, so that one never was.
        var isCutShort = false
    }

    /// Calls with every whole entry of the list, in order, with memory that does not grow with it. One that is not what was written comes as
    /// nil.
    /// - Returns: nothing at all when there is no file.
    @discardableResult
    static func read(
        _ path: String, _ body: (_ entry: Int, _ erasure: SubjectErasure?) throws(SubjectKeyFault) -> Void
    ) throws(SubjectKeyFault) -> Extent {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return Extent() }
            throw .unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var block = [UInt8](repeating: 0, count: entryBytes * 4096)
        var entries = 0
        while true {
            var filled = 0
            while filled < block.count {
                let count = block.withUnsafeMutableBytes { buffer in
                    Glibc.pread(
                        descriptor, UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]).baseAddress, buffer.count - filled,
                        entries * entryBytes + filled)
                }
                if count < 0 && errno == EINTR { continue }
                guard count >= 0 else { throw .unreadable(path: path, reason: String(cString: strerror(errno))) }
                if count == 0 { break }
                filled += count
            }
            for start in stride(from: 0, to: filled - filled % entryBytes, by: entryBytes) {
                try body(entries + start / entryBytes, erasure(in: block[start..<start + entryBytes]))
            }
            entries += filled / entryBytes
            if filled < block.count { return Extent(entries: entries, isCutShort: filled % entryBytes != 0) }
        }
    }
}

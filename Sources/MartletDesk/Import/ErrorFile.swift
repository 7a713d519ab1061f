import Glibc
import Synchronization

/// The file of refused lines beside an import: CSV with line, field and reason, never with what stood there.
///
/// It is as long as the import's place in the store says: what was written for lines that are read again is cut off first.
final class ErrorFile {
    let path: String
    private let descriptor: Int32
    private(set) var size: Int
    private var pending: [UInt8] = []

    private static let head = Array("line,field,reason\r\n".utf8)

    /// - Parameter size: bytes that belong to what was read before; 0: it begins anew.
    init(_ path: String, size: Int) throws(ImportFault) {
        self.path = path
        // Only its owner reads it: it names lines of a file that is about customers.
        descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .cannotWrite(path: path, reason: String(cString: strerror(errno))) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .cannotWrite(path: path, reason: String(cString: strerror(errno))) }
        // Shorter: somebody took the earlier lines away.
        self.size = min(size, Int(status.st_size))
        guard ftruncate(descriptor, off_t(self.size)) == 0 else {
            throw .cannotWrite(path: path, reason: String(cString: strerror(errno)))
        }
        if self.size == 0 { pending = ErrorFile.head }
    }

    deinit { close(descriptor) }

    func add(line: Int, _ fault: FieldFault) {
        pending.append(contentsOf: "\(line),\(ErrorFile.quoted(fault.path)),\(ErrorFile.quoted(fault.message))\r\n".utf8)
    }

    private static func quoted(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 0x22 || $0 == 0x2C || $0 < 0x20 }) else { return text }
        return "\"\(text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
    }

    /// Writes what was added, and syncs: before the place in the store moves behind those lines.
    func flush() throws(ImportFault) {
        guard !pending.isEmpty else { return }
        var written = 0
        while written < pending.count {
            let count = pending.withUnsafeBytes { bytes in
                pwrite(
                    descriptor, UnsafeRawBufferPointer(rebasing: bytes[written...]).baseAddress, bytes.count - written,
                    off_t(size + written))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .cannotWrite(path: path, reason: String(cString: strerror(errno))) }
            written += count
        }
        guard fdatasync(descriptor) == 0 else { throw .cannotWrite(path: path, reason: String(cString: strerror(errno))) }
        size += pending.count
        pending.removeAll(keepingCapacity: true)
    }
}

/// The file of refused lines as it is read out, up to a place.
final class ErrorPieces: Sendable {
    private let bytes: PlainBytes
    private let end: Int
    private let at = Mutex(0)

    init(_ bytes: PlainBytes, end: Int) {
        self.bytes = bytes
        self.end = end
    }

    /// At most 64 KiB; nil: that was all.
    func next() throws(ImportFault) -> [UInt8]? {
        try at.withLock { at throws(ImportFault) in
            var piece = [UInt8](repeating: 0, count: min(65_536, end - at))
            guard !piece.isEmpty else { return nil }
            let count = try piece.withUnsafeMutableBytes { bytes.read(at: at, into: $0) }.get()
            guard count > 0 else { throw .cannotRead(path: "the file of refused lines", reason: "it is shorter than it was") }
            at += count
            return Array(piece.prefix(count))
        }
    }
}

import Glibc

/// Why an import ended before its file did. Names places, never what stands there.
public enum ImportFault: Error, Equatable, Sendable, CustomStringConvertible {
    case cannotRead(path: String, reason: String)
    case cannotWrite(path: String, reason: String)
    /// The first line of a CSV file, or the list of names beside it, is not what it should be.
    case header(reason: String)
    /// More lines were refused than the caller allows. What was read until then is in the store.
    case tooManyErrors(refused: Int, maximum: Int)
    /// Another import of the same file moved on meanwhile.
    case runsElsewhere
    case cancelled

    public var description: String {
        switch self {
        case .cannotRead(let path, let reason): "\(path) cannot be read: \(reason)"
        case .cannotWrite(let path, let reason): "\(path) cannot be written: \(reason)"
        case .header(let reason): reason
        case .tooManyErrors(let refused, let maximum):
            "\(refused) lines were refused, more than \(maximum); look at the file of errors, correct, and run the import again"
        case .runsElsewhere: "the same file is being imported elsewhere; wait for it"
        case .cancelled: "the import was stopped; run it again and it goes on"
        }
    }
}

/// A file read from a place on, in stretches; memory is one buffer, as large as the longest row may be.
final class ImportFile {
    let path: String
    /// Bytes of the file.
    let size: Int
    private let descriptor: Int32
    /// Where in the file `buffer` begins.
    private var base = 0
    private var filled = 0
    private var buffer = [UInt8](repeating: 0, count: 1 << 20)
    /// What is not read yet: within `buffer`.
    private(set) var start = 0

    init(_ path: String) throws(ImportFault) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .cannotRead(path: path, reason: String(cString: strerror(errno))) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .cannotRead(path: path, reason: String(cString: strerror(errno))) }
        // A pipe could not be read from where an import stood.
        guard status.st_mode & S_IFMT == S_IFREG else { throw .cannotRead(path: path, reason: "it is not a regular file") }
        size = Int(status.st_size)
    }

    deinit { close(descriptor) }

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
        while true {
            let count = buffer.withUnsafeMutableBytes { bytes in
                pread(
                    descriptor, UnsafeMutableRawBufferPointer(rebasing: bytes[filled...]).baseAddress, bytes.count - filled,
                    base + filled)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .cannotRead(path: path, reason: String(cString: strerror(errno))) }
            filled += count
            return count > 0
        }
    }

    /// The first bytes of the file, 64 KiB at most.
    func head() throws(ImportFault) -> [UInt8] {
        seek(to: 0)
        while available < 1 << 16, try more() {}
        defer { seek(to: 0) }
        return withBytes { Array($0.prefix(1 << 16)) }
    }
}

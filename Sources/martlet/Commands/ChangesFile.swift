import Glibc

/// The file that `martlet replay --changes` writes: a line a decision, as it is found, so that no journal is too large for it. It names customers by
/// their numbers, so it is its owner's alone.
final class ChangesFile {
    struct Fault: Error, CustomStringConvertible {
        var description: String
    }

    private let path: String
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    /// Bytes that are written at once.
    static let chunk = 64 << 10

    /// - Throws: exit code 1, having said why: there must be no such file yet.
    init(_ path: String) throws {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw AtRest.failure("\(path) cannot be made: \(String(cString: strerror(errno))); name a file that is not there yet")
        }
    }

    deinit { close(descriptor) }

    func write(_ line: [UInt8]) throws(Fault) {
        buffer += line
        if buffer.count >= ChangesFile.chunk { try flush() }
    }

    /// Writes what is left, and waits for the disk.
    func finish() throws(Fault) {
        try flush()
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw fault }
    }

    private func flush() throws(Fault) {
        var written = 0
        while written < buffer.count {
            let count = buffer.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress.map { $0 + written }, $0.count - written) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw fault }
            written += count
        }
        buffer.removeAll(keepingCapacity: true)
    }

    private var fault: Fault { Fault(description: "\(path) cannot be written: \(String(cString: strerror(errno)))") }
}

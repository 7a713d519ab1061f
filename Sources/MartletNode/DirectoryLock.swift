import Glibc

/// The data directory belongs to one process at a time. Held from before the first file is touched until the process ends.
public final class DirectoryLock: Sendable {
    public enum Fault: Error, CustomStringConvertible, Sendable {
        case inUse(directory: String)
        case failed(directory: String, reason: String)

        public var description: String {
            switch self {
            case .inUse(let directory): "the data directory \(directory) is in use by another process"
            case .failed(let directory, let reason): "the data directory \(directory) cannot be locked: \(reason)"
            }
        }
    }

    private let file: Int32

    public init(_ directory: String) throws(Fault) {
        file = open("\(directory)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .failed(directory: directory, reason: String(cString: strerror(errno))) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(file)
            throw code == EWOULDBLOCK
                ? .inUse(directory: directory) : .failed(directory: directory, reason: String(cString: strerror(code)))
        }
    }

    deinit { close(file) }
}

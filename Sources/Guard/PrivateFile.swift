import Glibc

/// What went wrong with a file that must stay private. The description names the reason and the remedy.
public enum PrivateFileFault: Error, Equatable, Sendable, CustomStringConvertible {
    case missing(path: String)
    case unreadable(path: String, reason: String)
    case notAFile(path: String)
    /// Others than its owner may read or write it; `mode` in octal digits.
    case openToOthers(path: String, mode: String)
    case empty(path: String)
    case tooLong(path: String, maximumBytes: Int)

    public var description: String {
        switch self {
        case .missing(let path): "\(path) does not exist; make it, or correct the path in the settings"
        case .unreadable(let path, let reason): "\(path) cannot be read (\(reason)); give the user that runs Martlet the right to read it"
        case .notAFile(let path): "\(path) is not a regular file; name a file"
        case .openToOthers(let path, let mode): "\(path) is open to others (mode \(mode)); run: chmod 600 \(path)"
        case .empty(let path): "\(path) is empty; write the secret into it"
        case .tooLong(let path, let maximum): "\(path) is longer than \(maximum) bytes; it is not the file that was meant"
        }
    }
}

/// A step of the system that failed while writing.
struct DiskFault: Error, Equatable {
    let path: String
    let step: String
    let code: Int32

    var reason: String { "\(step): \(String(cString: strerror(code)))" }
}

/// Reading and writing of small files whose loss or exposure would be fatal.
enum PrivateFile {
    /// Reads a file that only its owner may reach, links followed.
    /// - Parameter credentials: files below this directory may be readable by their group: systemd shows the access list it
    ///   puts on a credential as group rights (systemd.exec, LoadCredential=).
    static func read(_ path: String, maximumBytes: Int, credentials: String? = nil) throws(PrivateFileFault) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let code = errno
            if code == ENOENT || code == ENOTDIR { throw .missing(path: path) }
            throw .unreadable(path: path, reason: String(cString: strerror(code)))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .unreadable(path: path, reason: String(cString: strerror(errno))) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile(path: path) }
        var forbidden: mode_t = 0o077
        if let credentials, let directory = Paths.real(credentials), let file = Paths.real(path), Paths.contains(directory, file) {
            forbidden = 0o037
        }
        guard status.st_mode & forbidden == 0 else {
            throw .openToOthers(path: path, mode: String(status.st_mode & 0o7777, radix: 8))
        }
        return try contents(descriptor, path, maximumBytes)
    }

    /// At most `maximumBytes`, whoever may read them.
    static func contents(_ descriptor: Int32, _ path: String, _ maximumBytes: Int) throws(PrivateFileFault) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: maximumBytes + 1)
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + filled, $0.count - filled) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .unreadable(path: path, reason: String(cString: strerror(errno))) }
            if count == 0 { break }
            filled += count
        }
        guard filled <= maximumBytes else { throw .tooLong(path: path, maximumBytes: maximumBytes) }
        bytes.removeSubrange(filled...)
        return bytes
    }

    /// Makes a new file of mode 0600, synced, and its entry in the directory synced. Never overwrites: a file, link or directory
    /// of that name is `EEXIST`.
    static func create(_ path: String, _ bytes: [UInt8]) throws(DiskFault) {
        try write(path, bytes)
        try sync(directory: Paths.parent(path))
    }

    /// Puts a file in the place of another, whole or not at all. The caller syncs the directory.
    static func replace(_ path: String, _ bytes: [UInt8]) throws(DiskFault) {
        let temporary = Paths.temporary(for: path)
        try write(temporary, bytes)
        guard rename(temporary, path) == 0 else {
            let code = errno
            unlink(temporary)
            throw DiskFault(path: path, step: "rename", code: code)
        }
    }

    /// A new file of mode 0600, synced; its directory entry is not.
    static func write(_ path: String, _ bytes: [UInt8]) throws(DiskFault) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw DiskFault(path: path, step: "create", code: errno) }
        defer { close(descriptor) }
        if let failed = filled(descriptor, bytes) {
            unlink(path)
            throw DiskFault(path: path, step: failed.step, code: failed.code)
        }
    }

    /// Writes all bytes at the start of the file and syncs it; nil when that succeeded.
    private static func filled(_ descriptor: Int32, _ bytes: [UInt8]) -> (step: String, code: Int32)? {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress! + written, $0.count - written, written) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return ("write", errno) }
            written += count
        }
        return fsync(descriptor) == 0 ? nil : ("fsync", errno)
    }

    /// Overwrites with zeros, syncs, removes. On a disk that writes in place nothing is left to find; elsewhere what may be left is
    /// still wrapped by the master key.
    static func erase(_ path: String) throws(DiskFault) {
        let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw DiskFault(path: path, step: "open", code: errno) }
        defer { close(descriptor) }
        let length = lseek(descriptor, 0, SEEK_END)
        let zeros = [UInt8](repeating: 0, count: max(0, min(Int(length), 4096)))
        if let failed = filled(descriptor, zeros) { throw DiskFault(path: path, step: failed.step, code: failed.code) }
        guard unlink(path) == 0 else { throw DiskFault(path: path, step: "unlink", code: errno) }
        try sync(directory: Paths.parent(path))
    }

    static func sync(directory: String) throws(DiskFault) {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DiskFault(path: directory, step: "open", code: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw DiskFault(path: directory, step: "fsync", code: errno) }
    }

    /// Names in a directory, in order; `.` and `..` left out.
    static func names(in directory: String, atMost limit: Int) throws(DiskFault) -> [String] {
        guard let stream = opendir(directory) else { throw DiskFault(path: directory, step: "open", code: errno) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name == "." || name == ".." { continue }
            guard names.count < limit else { throw DiskFault(path: directory, step: "list more than \(limit) files", code: EOVERFLOW) }
            names.append(name)
        }
        return names.sorted()
    }
}

enum Paths {
    static let temporarySuffix = ".unfinished"

    static func temporary(for path: String) -> String {
        "\(path).\(Hex.text(UInt32.random(in: 0 ... .max)))\(temporarySuffix)"
    }

    static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Absolute, links resolved; nil when it does not exist or cannot be reached.
    static func real(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// As `real`, for a path whose last components may not exist yet.
    static func resolved(_ path: String) -> String {
        var existing = path.isEmpty ? "." : path
        var rest: [Substring] = []
        while true {
            if let real = real(existing) {
                return rest.reversed().reduce(real) { whole, part in
                    switch part {
                    case "", ".": whole
                    case "..": parent(whole)
                    default: whole == "/" ? "/\(part)" : "\(whole)/\(part)"
                    }
                }
            }
            let above = parent(existing)
            guard above != existing else { return path }
            let last = existing[(existing.lastIndex(of: "/").map { existing.index(after: $0) } ?? existing.startIndex)...]
            rest.append(last)
            existing = above
        }
    }

    /// Whether `path` is `directory` or lies below it; both already resolved.
    static func contains(_ directory: String, _ path: String) -> Bool {
        directory == "/" || path == directory || path.hasPrefix(directory + "/")
    }
}

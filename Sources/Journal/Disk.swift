import CJournal
import Glibc

/// What a file is now.
public struct FileStatus: Hashable, Sendable {
    public var size: Int
    public var device: UInt64
    public var inode: UInt64
    /// Names that the file has.
    public var links: Int

    public init(size: Int = 0, device: UInt64 = 0, inode: UInt64 = 0, links: Int = 1) {
        self.size = size
        self.device = device
        self.inode = inode
        self.links = links
    }
}

/// Everything the journal asks of the system, as functions that tests replace. Each returns a result of 0 or more, or the
/// negative error number.
public struct Disk: Sendable {
    public var open: @Sendable (_ path: String, _ flags: Int32) -> Int32
    public var close: @Sendable (_ file: Int32) -> Int32
    public var pread: @Sendable (_ file: Int32, _ into: UnsafeMutableRawBufferPointer, _ offset: Int) -> Int
    public var pwrite: @Sendable (_ file: Int32, _ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Int
    public var fdatasync: @Sendable (_ file: Int32) -> Int32
    public var fsync: @Sendable (_ file: Int32) -> Int32
    public var syncDirectory: @Sendable (_ path: String) -> Int32
    public var rename: @Sendable (_ from: String, _ to: String) -> Int32
    public var link: @Sendable (_ existing: String, _ new: String) -> Int32
    public var unlink: @Sendable (_ path: String) -> Int32
    /// 0 also when the directory was there.
    public var makeDirectory: @Sendable (_ path: String) -> Int32
    public var list: @Sendable (_ path: String, _ into: inout [String]) -> Int32
    public var status: @Sendable (_ file: Int32, _ into: inout FileStatus) -> Int32
    /// Bytes that a program without privileges may still take of the path's volume.
    public var room: @Sendable (_ path: String) -> Int
    /// An exclusive lock that ends with the open file; -EWOULDBLOCK when another holds it.
    public var lock: @Sendable (_ file: Int32) -> Int32
    /// Nanoseconds of a clock that never goes back.
    public var monotonic: @Sendable () -> UInt64
    /// Nanoseconds since 1970, UTC.
    public var wall: @Sendable () -> UInt64
    public var random: @Sendable () -> UInt64

    /// The operating system.
    public static let system = Disk(
        open: { path, flags in answer(Glibc.open(path, flags | O_CLOEXEC, 0o600)) },
        close: { answer(Glibc.close($0)) },
        pread: { file, into, offset in
            let got = Glibc.pread(file, into.baseAddress, into.count, offset)
            return got < 0 ? -Int(errno) : got
        },
        pwrite: { file, bytes, offset in
            let put = Glibc.pwrite(file, bytes.baseAddress, bytes.count, offset)
            return put < 0 ? -Int(errno) : put
        },
        fdatasync: { answer(Glibc.fdatasync($0)) },
        fsync: { answer(Glibc.fsync($0)) },
        syncDirectory: { path in
            let file = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard file >= 0 else { return -errno }
            let result = answer(Glibc.fsync(file))
            _ = Glibc.close(file)
            return result
        },
        rename: { answer(Glibc.rename($0, $1)) },
        link: { answer(Glibc.link($0, $1)) },
        unlink: { answer(Glibc.unlink($0)) },
        makeDirectory: { path in
            let result = answer(Glibc.mkdir(path, 0o700))
            return result == -EEXIST ? 0 : result
        },
        list: { path, names in
            guard let directory = opendir(path) else { return -errno }
            defer { closedir(directory) }
            while true {
                errno = 0
                guard let entry = readdir(directory) else { return -errno }
                let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                    tuple.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: tuple.pointee)) { String(cString: $0) }
                }
                if name != "." && name != ".." { names.append(name) }
            }
        },
        status: { file, into in
            var found = stat()
            guard fstat(file, &found) == 0 else { return -errno }
            into = FileStatus(
                size: Int(found.st_size), device: UInt64(found.st_dev), inode: UInt64(found.st_ino), links: Int(found.st_nlink))
            return 0
        },
        room: { path in
            var found = statvfs()
            guard statvfs(path, &found) == 0 else { return -Int(errno) }
            return Int(clamping: UInt64(found.f_bavail) * UInt64(found.f_frsize))
        },
        lock: { cj_lock($0) },
        monotonic: { nanoseconds(CLOCK_MONOTONIC) },
        wall: { nanoseconds(CLOCK_REALTIME) },
        random: { UInt64.random(in: .min ... .max) })

    private static func answer(_ result: Int32) -> Int32 { result < 0 ? -errno : result }

    private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}

// Typed forms: whole reads and writes, interrupted calls repeated.
extension Disk {
    func opened(_ path: String, _ flags: Int32) throws(JournalFailure) -> Int32 {
        while true {
            let file = open(path, flags)
            if file >= 0 { return file }
            if file != -EINTR { throw JournalFailure(-file, .open) }
        }
    }

    func writeAll(_ file: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int) throws(JournalFailure) {
        var done = 0
        while done < bytes.count {
            let put = pwrite(file, UnsafeRawBufferPointer(rebasing: bytes[done...]), offset + done)
            if put > 0 {
                done += put
            } else if put == 0 {
                throw JournalFailure(ENOSPC, .write)
            } else if put != -Int(EINTR) {
                throw JournalFailure(Int32(-put), .write)
            }
        }
    }

    /// Reads until `into` is full or the file ends; returns the bytes read.
    func readAll(_ file: Int32, _ into: UnsafeMutableRawBufferPointer, at offset: Int) throws(JournalFailure) -> Int {
        var done = 0
        while done < into.count {
            let got = pread(file, UnsafeMutableRawBufferPointer(rebasing: into[done...]), offset + done)
            if got > 0 { done += got } else if got == 0 { break } else if got != -Int(EINTR) { throw JournalFailure(Int32(-got), .read) }
        }
        return done
    }

    func dataSynced(_ file: Int32) throws(JournalFailure) { try check(fdatasync(file), .sync) }
    func synced(_ file: Int32) throws(JournalFailure) { try check(fsync(file), .sync) }
    func directorySynced(_ path: String) throws(JournalFailure) { try check(syncDirectory(path), .syncDirectory) }
    func renamed(_ from: String, _ to: String) throws(JournalFailure) { try check(rename(from, to), .rename) }
    func removed(_ path: String) throws(JournalFailure) { try check(unlink(path), .remove) }

    func listed(_ path: String) throws(JournalFailure) -> [String] {
        var names: [String] = []
        try check(list(path, &names), .list)
        return names
    }

    func roomOf(_ path: String) throws(JournalFailure) -> Int {
        let found = room(path)
        if found < 0 { throw JournalFailure(Int32(clamping: -found), .status) }
        return found
    }

    func statusOf(_ file: Int32) throws(JournalFailure) -> FileStatus {
        var found = FileStatus()
        try check(status(file, &found), .status)
        return found
    }

    private func check(_ result: Int32, _ operation: JournalFailure.Operation) throws(JournalFailure) {
        if result < 0 { throw JournalFailure(-result, operation) }
    }
}

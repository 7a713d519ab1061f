import Glibc
import Guard

/// Writes a file that comes in, sealed, on a thread of its own: whoever sends is asked for more only when the last piece is written. What was not
/// `keep`t goes when this goes.
actor ImportUpload {
    private let thread: OwnThread
    private let folder: ImportFolder
    private let id: String
    private let seal: FileSeal
    private let descriptor: Int32
    private let maximum: Int
    private let keepFree: Int
    private var sealer = Sealer()
    private var pending: [UInt8] = []
    private var pieces = 0
    private var size = 0
    private var isKept = false

    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    init(_ thread: OwnThread, _ folder: ImportFolder, id: String, settings: ImportSettings) throws(ImportFault) {
        self.thread = thread
        self.folder = folder
        self.id = id
        maximum = settings.maximumFile
        keepFree = settings.keepFree
        seal = try folder.seal(id)
        let path = folder.file(id)
        let opened = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard opened >= 0 else { throw .cannotWrite(path: path, reason: String(cString: strerror(errno))) }
        descriptor = opened
        // Nobody else knows the file yet, so this does not wait.
        _ = flock(descriptor, LOCK_EX)
        ImportFolder.give(path, asIn: folder.path)
    }

    deinit {
        if !isKept { unlink(folder.file(id)) }
        close(descriptor)
    }

    /// Whether so many bytes would fit, before the first of them.
    func check(_ bytes: Int) throws(ImportFault) {
        guard bytes <= maximum else { throw .tooLarge(maximum: maximum) }
        var status = statvfs()
        guard fstatvfs(descriptor, &status) == 0 else { throw failed() }
        guard Int(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize)) - bytes >= keepFree else {
            throw .noRoom(keepFree: keepFree)
        }
    }

    func add(_ bytes: [UInt8]) throws(ImportFault) {
        size += bytes.count
        guard size <= maximum else { throw .tooLarge(maximum: maximum) }
        pending.append(contentsOf: bytes)
        var taken = 0
        while pending.count - taken >= FileSeal.pieceBytes {
            try write(Array(pending[taken..<taken + FileSeal.pieceBytes]))
            taken += FileSeal.pieceBytes
        }
        if taken > 0 { pending.removeFirst(taken) }
    }

    /// - Returns: bytes of the file, which is then on the disk.
    func end() throws(ImportFault) -> Int {
        if !pending.isEmpty { try write(pending) }
        pending = []
        guard size > 0 else { throw .empty }
        guard fsync(descriptor) == 0 else { throw failed() }
        let directory = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw failed() }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw failed() }
        // Whoever cleans up may have taken it for one that was left, before it was locked.
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failed() }
        guard status.st_nlink > 0 else {
            throw .cannotWrite(path: folder.file(id), reason: "it was removed while it came in; hand it in again")
        }
        return size
    }

    /// Its job is in the store.
    func keep() { isKept = true }

    private func write(_ piece: [UInt8]) throws(ImportFault) {
        // Every 16 MiB: others write to the same disk.
        if pieces % 64 == 0 { try check(0) }
        let sealed: [UInt8]
        do throws(SealFault) {
            sealed = try seal.seal(piece, number: pieces, &sealer)
        } catch {
            throw .cannotWrite(path: folder.file(id), reason: error.description)
        }
        pieces += 1
        var written = 0
        while written < sealed.count {
            let count = sealed.withUnsafeBytes { bytes in
                Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: bytes[written...]).baseAddress, bytes.count - written)
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == ENOSPC { throw .noRoom(keepFree: keepFree) }
            guard count > 0 else { throw failed() }
            written += count
        }
    }

    private func failed() -> ImportFault { .cannotWrite(path: folder.file(id), reason: String(cString: strerror(errno))) }
}

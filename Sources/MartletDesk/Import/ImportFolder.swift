import Glibc
import Guard
import MartletModel

/// Where files lie that the desk imports, sealed, until they are read to their end; beside them the files of refused lines.
struct ImportFolder: Sendable {
    let path: String
    let keys: KeyStore

    func file(_ id: String) -> String { "\(path)/\(id)" }
    func errors(_ id: String) -> String { "\(path)/\(id).errors.csv" }

    /// By the half of the id that is drawn.
    func seal(_ id: String) throws(ImportFault) -> FileSeal {
        guard let id = MessageID(text: id) else { throw .cannotRead(path: file(id), reason: "its name is no id") }
        return keys.fileSeal(of: id.low)
    }

    /// Made where it is not there, for whom the folder above belongs to.
    func make() throws(ImportFault) {
        guard mkdir(path, 0o700) != 0 else { return ImportFolder.give(path, asIn: ImportFolder.parent(path)) }
        guard errno == EEXIST else { throw .cannotWrite(path: path, reason: String(cString: strerror(errno))) }
    }

    /// The desk may run as another user than who imports on the machine: only root can be somebody else.
    static func give(_ path: String, asIn folder: String) {
        var status = stat()
        guard geteuid() == 0, stat(folder, &status) == 0, status.st_uid != 0 else { return }
        _ = chown(path, status.st_uid, status.st_gid)
    }

    static func parent(_ path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }

    func open(_ job: ImportJob) throws(ImportFault) -> ImportFile {
        ImportFile(try SealedBytes(file(job.id), size: job.size, try seal(job.id)))
    }

    /// Takes the file away; where it is gone already, that is well.
    func removeFile(_ id: String) throws(ImportFault) { try remove(file(id)) }
    func removeErrors(_ id: String) throws(ImportFault) { try remove(errors(id)) }

    private func remove(_ path: String) throws(ImportFault) {
        guard unlink(path) == 0 || errno == ENOENT else { throw .cannotWrite(path: path, reason: String(cString: strerror(errno))) }
    }

    /// Ids of the files, and of the files of refused lines, in the folder.
    func names() throws(ImportFault) -> (files: Set<String>, errors: Set<String>) {
        guard let directory = opendir(path) else {
            if errno == ENOENT { return ([], []) }
            throw .cannotRead(path: path, reason: String(cString: strerror(errno)))
        }
        defer { closedir(directory) }
        var (files, errors): (Set<String>, Set<String>) = ([], [])
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if MessageID(text: name) != nil { files.insert(name) }
            if name.hasSuffix(".errors.csv"), MessageID(text: String(name.dropLast(11))) != nil { errors.insert(String(name.dropLast(11))) }
        }
        return (files, errors)
    }

    /// Whether nobody is writing it: whoever does holds a lock until its job is in the store.
    func isLeft(_ id: String) -> Bool {
        let descriptor = Glibc.open(file(id), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }
}

import Crypto
import Glibc

/// The small writes of the store of subjects' keys, each with its sync.
enum SubjectFiles {
    /// Writes into a file that is there, in place, and syncs it. What is read through a map is changed at once.
    static func overwrite(_ path: String, _ writes: [(offset: Int, bytes: [UInt8])]) throws(SubjectKeyFault) {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw .cannotWrite(path: path, reason: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        for (offset, bytes) in writes { try write(descriptor, path, offset, bytes) }
        guard fdatasync(descriptor) == 0 else { throw .cannotWrite(path: path, reason: "fdatasync: \(String(cString: strerror(errno)))") }
    }

    static func write(_ descriptor: Int32, _ path: String, _ offset: Int, _ bytes: [UInt8]) throws(SubjectKeyFault) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                pwrite(
                    descriptor, UnsafeRawBufferPointer(rebasing: buffer[written...]).baseAddress, bytes.count - written, offset + written)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw .cannotWrite(path: path, reason: "write: \(String(cString: strerror(errno)))") }
            written += count
        }
    }

    /// Puts a file in its place, whole or not at all, durable when this returns.
    static func replace(_ path: String, _ bytes: [UInt8]) throws(SubjectKeyFault) {
        do {
            try PrivateFile.replace(path, bytes)
            try PrivateFile.sync(directory: Paths.parent(path))
        } catch {
            throw .cannotWrite(path: error.path, reason: error.reason)
        }
    }

    static func sync(directory: String) throws(SubjectKeyFault) {
        do { try PrivateFile.sync(directory: directory) } catch { throw .cannotWrite(path: directory, reason: error.reason) }
    }

    static func names(in directory: String) throws(SubjectKeyFault) -> [String] {
        do { return try PrivateFile.names(in: directory, atMost: SubjectKeys.maximumChunks + 1000) } catch {
            throw .unreadable(path: directory, reason: error.reason)
        }
    }

    /// Nil: there is no such file.
    static func bytes(_ path: String, atMost maximum: Int) throws(SubjectKeyFault) -> [UInt8]? {
        do {
            return try PrivateFile.read(path, maximumBytes: maximum)
        } catch {
            switch error {
            case .missing: return nil
            case .unreadable(_, let reason): throw .unreadable(path: path, reason: reason)
            case .openToOthers(_, let mode): throw .unreadable(path: path, reason: "mode \(mode) opens it to others, chmod 600 it")
            case .notAFile, .empty: throw .damaged(path: path, reason: "it is not a regular file")
            case .tooLong: throw .damaged(path: path, reason: "it is longer than \(maximum) bytes")
            }
        }
    }
}

/// The file `head`: one line wrapped by the master key, `martlet-subject-keys v1 <master key id> <chunks> <floor>`. Proves the master key
/// and says what must be there: so many files of slots, and no number below the floor to be given out again.
struct SubjectHead: Equatable {
    var chunks: UInt32
    var floor: UInt32

    static let name = "head"
    private static let format = "martlet-subject-keys v1"

    func write(_ directory: String, _ master: SubjectMaster) throws(SubjectKeyFault) {
        let words = "\(SubjectHead.format) \(Hex.text(master.id)) \(Hex.text(chunks)) \(Hex.text(floor))"
        guard let line = try? WrappedLine.make(words, SymmetricKey(size: .bits256), master: master.line) else { throw .cipher }
        try SubjectFiles.replace("\(directory)/\(SubjectHead.name)", line)
    }

    /// Nil: there is no such file.
    static func read(_ directory: String, _ masters: SubjectMasters) throws(SubjectKeyFault) -> (head: SubjectHead, master: SubjectMaster)?
    {
        let path = "\(directory)/\(name)"
        guard let bytes = try SubjectFiles.bytes(path, atMost: 512) else { return nil }
        guard let (words, line, sealed) = WrappedLine.split(bytes), words.count == 5, line.hasPrefix("\(format) "),
            let id = Hex.word(words[2]), let chunks = Hex.word(words[3]), let floor = Hex.word(words[4])
        else { throw .damaged(path: path, reason: "it is not one line of six words") }
        guard let master = masters.named(id) else {
            throw .wrongMasterKey(path: path, expected: Hex.text(id), given: Hex.text(masters.current.id))
        }
        guard WrappedLine.open(sealed, line: line, master: master.line) != nil else {
            throw .damaged(path: path, reason: "its line does not open")
        }
        return (SubjectHead(chunks: chunks, floor: floor), master)
    }
}

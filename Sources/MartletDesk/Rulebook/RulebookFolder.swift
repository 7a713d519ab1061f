import Glibc
import MartletModel

/// Where the node looks for the rulebook: `DATA/local`. Files are written beside, synced and renamed; after a crash one is whole or not there.
public struct RulebookFolder: Sendable {
    /// Files kept: the newest, and those before it that a node may fall back to.
    public static let kept = 5

    public let path: String

    /// - Parameter path: made where it is not there.
    public init(_ path: String) { self.path = path }

    public struct Fault: Error, CustomStringConvertible, Sendable {
        public var path: String
        public var step: String
        public var code: Int32
        public var description: String { "\(path): \(step): \(String(cString: strerror(code)))" }
    }

    /// Numbers of the files there, newest first.
    public func numbers() throws(Fault) -> [Int64] {
        guard let directory = opendir(path) else {
            if errno == ENOENT { return [] }
            throw Fault(path: path, step: "open", code: errno)
        }
        defer { closedir(directory) }
        var found: [Int64] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if let number = RulebookFile.number(of: name) { found.append(number) }
        }
        return found.sorted(by: >)
    }

    func holds(_ number: Int64, _ bytes: [UInt8]) -> Bool {
        let file = open("\(path)/\(RulebookFile.name(number))", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        var there = [UInt8](repeating: 0, count: bytes.count + 1)
        var filled = 0
        while filled < there.count {
            let count = there.withUnsafeMutableBytes { read(file, $0.baseAddress?.advanced(by: filled), $0.count - filled) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            filled += count
        }
        return there[..<filled].elementsEqual(bytes)
    }

    /// Puts the file of a release there, durable, and takes the oldest away.
    func put(_ number: Int64, _ bytes: [UInt8]) throws(Fault) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw Fault(path: path, step: "make", code: errno) }
        let (beside, place) = ("\(path)/rulebook.new", "\(path)/\(RulebookFile.name(number))")
        let file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Fault(path: beside, step: "create", code: errno) }
        var (written, failed): (Int, (step: String, code: Int32)?) = (0, nil)
        while written < bytes.count, failed == nil {
            let count = bytes.withUnsafeBytes { write(file, $0.baseAddress?.advanced(by: written), $0.count - written) }
            if count > 0 { written += count } else if count == 0 || errno != EINTR { failed = ("write", count == 0 ? ENOSPC : errno) }
        }
        if failed == nil, fsync(file) != 0 { failed = ("sync", errno) }
        close(file)
        if failed == nil, rename(beside, place) != 0 { failed = ("rename", errno) }
        if let failed { throw Fault(path: beside, step: failed.step, code: failed.code) }
        let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw Fault(path: path, step: "open", code: errno) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw Fault(path: path, step: "sync", code: errno) }
        // One that stays by mistake costs its room and nothing else.
        for old in try numbers().dropFirst(RulebookFolder.kept) { unlink("\(path)/\(RulebookFile.name(old))") }
    }
}

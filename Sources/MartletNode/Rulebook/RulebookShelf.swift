import Glibc
import Guard
public import MartletEngine
public import MartletModel

/// A published rulebook as the node has it: compiled here, from the file the desk wrote.
public struct LoadedRulebook: Sendable {
    public var rulebook: Rulebook
    /// What events are decided and written by; nil: it has none.
    public var book: DecisionBook?
    /// SHA-256 of the document, as the release has it.
    public var digest: [UInt8]
    public var warnings: [RulebookFinding]
}

extension LoadedRulebook: Equatable {
    /// The book follows from what is compared.
    public static func == (one: LoadedRulebook, other: LoadedRulebook) -> Bool {
        one.digest == other.digest && one.rulebook == other.rulebook && one.warnings == other.warnings
    }
}

/// A file that is not used, and why.
public struct RefusedRulebook: Equatable, Sendable {
    public var number: Int64
    public var reason: String
}

/// The files of the rulebook under the data directory. Read away from the loop: at the start, when the desk says so, and each second.
public struct RulebookShelf: Sendable {
    public let path: String
    private let zoneFile: @Sendable (String) -> [UInt8]?

    /// - Parameters:
    ///   - path: `DATA/local`; it need not be there.
    ///   - zoneFile: the bytes of a time zone by its name; nil: the machine has none of this name.
    public init(_ path: String, zoneFile: @escaping @Sendable (String) -> [UInt8]? = { _ in nil }) {
        self.path = path
        self.zoneFile = zoneFile
    }

    /// What a look at the files depends on; the same again needs no second look.
    public struct Sight: Equatable, Sendable {
        var files: [String]
        var surroundings: Rulebook.Surroundings
    }

    public struct Look: Equatable, Sendable {
        public var sight: Sight
        /// The newest that can be used; nil: none.
        public var loaded: LoadedRulebook?
        /// Newer ones that cannot, newest first.
        public var refused: [RefusedRulebook]
    }

    /// Compiles the newest file that can be used.
    /// - Parameters:
    ///   - surroundings: what there is on this node.
    ///   - last: what was seen the last time.
    /// - Returns: nil: nothing has changed since.
    public func look(in surroundings: Rulebook.Surroundings, last: Sight?) -> Look? {
        let found = files()
        let sight = Sight(files: found.map(\.signature), surroundings: surroundings)
        if sight == last { return nil }
        var refused: [RefusedRulebook] = []
        for file in found {
            do {
                let loaded = try load(file.number, surroundings)
                return Look(sight: sight, loaded: loaded, refused: refused)
            } catch {
                refused.append(RefusedRulebook(number: file.number, reason: error.reason))
            }
        }
        return Look(sight: sight, loaded: nil, refused: refused)
    }

    /// A release that is kept, whether or not it is in use; nil: it is not there, or this node cannot use it.
    public func release(_ number: Int64, in surroundings: Rulebook.Surroundings) -> LoadedRulebook? {
        do { return try load(number, surroundings) } catch { return nil }
    }

    private struct Failure: Error {
        var reason: String
    }

    private func load(_ number: Int64, _ surroundings: Rulebook.Surroundings) throws(Failure) -> LoadedRulebook {
        let path = "\(path)/\(RulebookFile.name(number))"
        let bytes = try contents(path)
        let read: (source: RulebookSource, digest: [UInt8])
        do { read = try RulebookFile.read(bytes, digest: BodyDigest.sha256) } catch { throw Failure(reason: "\(path): \(error)") }
        guard read.source.number == number else { throw Failure(reason: "\(path): it is of release \(read.source.number)") }
        let (rulebook, book, findings) = DecisionBook.compile(read.source, in: surroundings, zoneFile: zoneFile)
        if let fault = findings.first(where: { $0.severity == .error }) {
            throw Failure(reason: "\(path): \(fault.path): \(fault.message); \(fault.remedy)")
        }
        // Without events there is nothing to decide, and sources are told so.
        return LoadedRulebook(
            rulebook: rulebook, book: rulebook.decisions.isEmpty ? nil : book, digest: read.digest, warnings: findings)
    }

    /// Newest first. One that is written again, by a restore or a hand, has another signature.
    private func files() -> [(number: Int64, signature: String)] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var found: [(number: Int64, signature: String)] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            guard let number = RulebookFile.number(of: name) else { continue }
            var status = stat()
            guard stat("\(path)/\(name)", &status) == 0 else { continue }
            let time = status.st_mtim
            found.append((number, "\(name) \(status.st_ino) \(status.st_size) \(time.tv_sec).\(time.tv_nsec)"))
        }
        return found.sorted { $0.number > $1.number }
    }

    private func contents(_ path: String) throws(Failure) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Failure(reason: "\(path): \(String(cString: strerror(errno)))") }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_size <= RulebookFile.maximumBytes else {
            throw Failure(reason: "\(path): \(RulebookFile.Fault.tooLong)")
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { read(file, $0.baseAddress?.advanced(by: filled), $0.count - filled) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Failure(reason: "\(path): \(String(cString: strerror(errno)))") }
            if count == 0 { break }
            filled += count
        }
        return Array(bytes[..<filled])
    }
}

import ArgumentParser
import Glibc

/// Files that a verb puts in their place, whole or not at all. What a run left that was killed is written over by the next: who calls holds the data.
extension AtRest {
    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func unfinished(_ path: String) -> String { "\(path).unfinished" }

    /// A copy in its place, synced, its owner's alone; a file that is there is replaced.
    static func copy(_ from: String, to: String) throws(ExitCode) {
        let source = open(from, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw failure("\(from) cannot be read: \(reason())") }
        defer { close(source) }
        var block = [UInt8](repeating: 0, count: 1 << 20)
        try put(to) { () throws(ExitCode) in
            let count = try fill(&block, source, from)
            return block[..<count]
        }
    }

    /// Whether both files hold the same bytes.
    static func areSame(_ one: String, _ other: String) throws(ExitCode) -> Bool {
        var left = [UInt8](repeating: 0, count: 1 << 20)
        var right = left
        let descriptors = [one, other].map { (path: String) in open(path, O_RDONLY | O_CLOEXEC) }
        defer { for descriptor in descriptors where descriptor >= 0 { close(descriptor) } }
        for (path, descriptor) in zip([one, other], descriptors) where descriptor < 0 {
            throw failure("\(path) cannot be read: \(reason())")
        }
        while true {
            let count = try fill(&left, descriptors[0], one)
            guard try fill(&right, descriptors[1], other) == count, left[..<count] == right[..<count] else { return false }
            if count < left.count { return true }
        }
    }

    /// As many bytes as there are, up to the size of the block.
    private static func fill(_ block: inout [UInt8], _ descriptor: Int32, _ path: String) throws(ExitCode) -> Int {
        var filled = 0
        while filled < block.count {
            let count = block.withUnsafeMutableBytes { buffer in
                read(descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure("\(path) cannot be read: \(reason())") }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    static func write(_ text: String, to path: String) throws(ExitCode) {
        var left = Array(text.utf8)[...]
        try put(path) {
            defer { left = [] }
            return left
        }
    }

    /// - Throws: exit code 4, having said why.
    static func remove(_ path: String) throws(ExitCode) {
        guard unlink(path) == 0 || errno == ENOENT else {
            throw failure("\(path) cannot be removed: \(reason())", ExitStatus.diskFailed)
        }
        try syncDirectory(of: path)
    }

    /// - Parameter next: the bytes that follow; none: that was all.
    private static func put(_ path: String, _ next: () throws(ExitCode) -> ArraySlice<UInt8>) throws(ExitCode) {
        let beside = unfinished(path)
        let target = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard target >= 0 else { throw failure("\(beside) cannot be made: \(reason())", ExitStatus.diskFailed) }
        defer { close(target) }
        while true {
            let bytes = try next()
            if bytes.isEmpty { break }
            var written = 0
            while written < bytes.count {
                let done = bytes.withUnsafeBytes { Glibc.write(target, $0.baseAddress.map { $0 + written }, bytes.count - written) }
                if done < 0 && errno == EINTR { continue }
                guard done > 0 else { throw failure("\(beside) cannot be written: \(reason())", ExitStatus.diskFailed) }
                written += done
            }
        }
        guard fsync(target) == 0, rename(beside, path) == 0 else {
            throw failure("\(path) cannot be written: \(reason())", ExitStatus.diskFailed)
        }
        try syncDirectory(of: path)
    }

    private static func syncDirectory(of path: String) throws(ExitCode) {
        let parent = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw failure("\(parent) cannot be opened: \(reason())", ExitStatus.diskFailed) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw failure("\(parent) cannot be synced: \(reason())", ExitStatus.diskFailed) }
    }

    private static func reason() -> String { String(cString: strerror(errno)) }
}

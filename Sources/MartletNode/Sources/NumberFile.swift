import FoundationEssentials
import Glibc

/// Numbers given to names once and for ever, such as those of connection groups: records hold the number. One `number name` a line.
public enum NumberFile {
    public enum Fault: Error, CustomStringConvertible, Sendable {
        case unreadable(path: String, reason: String)
        case full(path: String)

        public var description: String {
            switch self {
            case .unreadable(let path, let reason): "\(path): \(reason)"
            case .full(let path): "\(path): 255 names are the most"
            }
        }
    }

    /// The numbers of these names; new names get the next free one, durable before this returns.
    public static func numbers(of names: [String], in path: String) throws(Fault) -> [String: UInt8] {
        var known: [String: UInt8] = [:]
        if access(path, F_OK) == 0 {
            guard let data = try? Data(contentsOf: URL(filePath: path)) else {
                throw .unreadable(path: path, reason: String(cString: strerror(errno)))
            }
            for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
                let halves = line.split(separator: " ", maxSplits: 1)
                guard halves.count == 2, let number = UInt8(halves[0]), number > 0, !known.values.contains(number) else {
                    throw .unreadable(path: path, reason: "not 'number name': \(line)")
                }
                known[String(halves[1])] = number
            }
        }
        var fresh = false
        for name in names where known[name] == nil {
            let highest = known.values.max() ?? 0
            guard highest < UInt8.max else { throw .full(path: path) }
            known[name] = highest + 1
            fresh = true
        }
        if fresh { try write(known, path) }
        return known
    }

    private static func write(_ numbers: [String: UInt8], _ path: String) throws(Fault) {
        let text = numbers.sorted { $0.value < $1.value }.map { "\($0.value) \($0.key)\n" }.joined()
        do {
            try DurableFile.write(Array(text.utf8), to: path)
        } catch {
            throw .unreadable(path: path, reason: error.description)
        }
    }
}

/// Writes a small file so that after a crash it holds the old bytes or the new ones, nothing between.
public enum DurableFile {
    public struct Fault: Error, CustomStringConvertible, Sendable {
        public var description: String
    }

    public static func write(_ bytes: [UInt8], to path: String) throws(Fault) {
        let beside = "\(path).new"
        let file = Glibc.open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Fault(description: String(cString: strerror(errno))) }
        let written = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
        let synced = fsync(file)
        close(file)
        guard written == bytes.count, synced == 0, rename(beside, path) == 0 else {
            throw Fault(description: String(cString: strerror(errno)))
        }
        // The rename is durable with its directory.
        let directory = Glibc.open(String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]), O_RDONLY | O_CLOEXEC)
        guard directory >= 0 else { return }
        fsync(directory)
        close(directory)
    }
}

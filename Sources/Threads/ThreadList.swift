public import Glibc

/// Threads of this process, as the system numbers them.
public enum ThreadList {
    public struct Unreadable: Error { public var code: Int32 }

    private static let folder = "/proc/self/task"

    public static func all() throws(Unreadable) -> [pid_t] {
        guard let list = opendir(folder) else { throw Unreadable(code: errno) }
        defer { closedir(list) }
        var found: [pid_t] = []
        while let entry = readdir(list) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if let number = pid_t(name) { found.append(number) }
        }
        return found
    }

    /// Time in which threads that live now could have run and had no core, since each began; nil: the system does not tell.
    public static func waitForCores() -> Duration? {
        guard let threads = try? all() else { return nil }
        var nanoseconds: UInt64 = 0
        for thread in threads { if let one = waited(thread) { nanoseconds += one } else if thread == getpid() { return nil } }
        return .nanoseconds(Int64(clamping: nanoseconds))
    }

    /// The second number of `schedstat` (Documentation/scheduler/sched-stats of the kernel).
    private static func waited(_ thread: pid_t) -> UInt64? {
        let file = open("\(folder)/\(thread)/schedstat", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        return withUnsafeTemporaryAllocation(byteCount: 128, alignment: 1) { bytes in
            let count = read(file, bytes.baseAddress, bytes.count)
            guard count > 0 else { return nil }
            let words = bytes[..<count].split(separator: UInt8(ascii: " "))
            guard words.count > 1 else { return nil }
            return words[words.startIndex + 1].reduce(UInt64(0)) { number, octet in
                (48...57).contains(octet) ? number &* 10 &+ UInt64(octet - 48) : number
            }
        }
    }
}

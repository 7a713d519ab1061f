import Glibc
import Threads

@testable import Journal

/// A disk in memory that loses what was not synced, sector by sector, when the power is cut, and fails when told to.
///
/// Names are journaled as ext4 does it: after a cut a prefix of the operations since the last directory sync remains. After a
/// failed sync the unsynced pages count as clean: some reached the disk, some did not, and a further sync says yes.
final class SimulatedDisk: Sendable {
    struct Fault: Sendable {
        var operations: Set<String>
        /// Which call fails, from 1.
        var nth: Int
        var persistent: Bool
        var code: Int32
        /// A write takes half of what it was given instead of failing.
        var short = false
    }

    private final class File {
        var volatile: [UInt8] = []
        var durable: [UInt8] = []
        var dirty: Set<Int> = []
    }

    private enum NameChange {
        case set(String, File)
        case remove(String)
    }

    private struct State {
        var names: [String: File] = [:]
        var durableNames: [String: File] = [:]
        var changes: [NameChange] = []
        var open: [Int32: File] = [:]
        var locked: Set<Int32> = []
        var nextHandle: Int32 = 100
        var random: Seeded
        var fault: Fault?
        var seen = 0
        var fired = 0
        var capacity = Int.max
        /// A file with two names counts once.
        var used: Int {
            var seen: Set<ObjectIdentifier> = []
            return names.values.reduce(0) { $0 + (seen.insert(ObjectIdentifier($1)).inserted ? $1.volatile.count : 0) }
        }
        /// Operations until the power is cut; nil: never.
        var fuse: Int?
        var dead = false
        var clock: UInt64 = 1_000_000_000
        var flat = false
    }

    private let state: Monitor<State>

    init(seed: UInt64 = 1) { state = Monitor(State(random: Seeded(seed))) }

    // MARK: What tests do to it

    func inject(_ fault: Fault?) {
        state.locked {
            $0.fault = fault
            $0.seen = 0
            $0.fired = 0
        }
    }

    /// Calls that failed by injection.
    var fired: Int { state.locked { $0.fired } }
    func set(capacity: Int) { state.locked { $0.capacity = capacity } }
    func advance(seconds: UInt64) { state.locked { $0.clock += seconds * 1_000_000_000 } }
    func cutPower(afterOperations count: Int) { state.locked { $0.fuse = count } }
    var isDead: Bool { state.locked { $0.dead } }

    func cutPower() { state.locked { Self.cut(&$0) } }

    /// Power is back: unsynced data is gone, open files are closed.
    func restore() {
        state.locked {
            $0.dead = false
            $0.fuse = nil
            $0.open = [:]
            $0.locked = []
        }
    }

    var used: Int { state.locked { $0.used } }

    func names(_ directory: String) -> [String] { state.locked { Self.list($0, directory) } }

    func contents(_ path: String) -> [UInt8]? { state.locked { $0.names[path]?.volatile } }

    /// Puts bytes there as if they had always been, also through a new file.
    func set(_ path: String, _ bytes: [UInt8]?) {
        state.locked { state in
            guard let bytes else {
                state.names[path] = nil
                state.durableNames[path] = nil
                return
            }
            let file = File()
            file.volatile = bytes
            file.durable = bytes
            state.names[path] = file
            state.durableNames[path] = file
        }
    }

    func flip(_ path: String, bit: Int) {
        state.locked { state in
            guard let file = state.names[path] else { return }
            file.volatile[bit / 8] ^= 1 << (bit % 8)
            file.durable = file.volatile
        }
    }

    // MARK: What the journal sees

    var disk: Disk {
        Disk(
            open: { path, flags in
                self.doing("open") { state in
                    let file: File
                    if let present = state.names[path] {
                        file = present
                        if flags & O_TRUNC != 0 { file.volatile = [] }
                    } else {
                        guard flags & O_CREAT != 0 else { return -ENOENT }
                        file = File()
                        state.names[path] = file
                        state.changes.append(.set(path, file))
                    }
                    state.nextHandle += 1
                    state.open[state.nextHandle] = file
                    return state.nextHandle
                }
            },
            close: { handle in
                self.state.locked { state in
                    state.open[handle] = nil
                    state.locked.remove(handle)
                    return 0
                }
            },
            pread: { handle, into, offset in self.read(handle, into, offset) },
            pwrite: { handle, bytes, offset in self.write(handle, bytes, offset) },
            fdatasync: { handle in self.sync("fdatasync", handle) },
            fsync: { handle in self.sync("fsync", handle) },
            syncDirectory: { path in
                self.doing("syncDirectory") { state in
                    if path.hasSuffix("..") { return 0 }
                    state.durableNames = state.names
                    state.changes = []
                    return 0
                }
            },
            rename: { from, to in
                self.doing("rename") { state in
                    guard let file = state.names[from] else { return -ENOENT }
                    state.names[from] = nil
                    state.names[to] = file
                    state.changes += [.set(to, file), .remove(from)]
                    return 0
                }
            },
            link: { existing, new in
                self.doing("link") { state in
                    guard let file = state.names[existing] else { return -ENOENT }
                    guard state.names[new] == nil else { return -EEXIST }
                    state.names[new] = file
                    state.changes.append(.set(new, file))
                    return 0
                }
            },
            unlink: { path in
                self.doing("unlink") { state in
                    guard state.names.removeValue(forKey: path) != nil else { return -ENOENT }
                    state.changes.append(.remove(path))
                    return 0
                }
            },
            makeDirectory: { _ in self.doing("makeDirectory") { _ in 0 } },
            list: { path, names in
                let result: Int32 = self.doing("list") { _ in 0 }
                if result == 0 { names += self.names(path) }
                return result
            },
            status: { handle, into in
                let size = self.state.locked { state in
                    state.open[handle].map { file in
                        (file.volatile.count, ObjectIdentifier(file).hashValue, state.names.values.count { $0 === file })
                    }
                }
                guard let size else { return -EBADF }
                let result: Int32 = self.doing("status") { _ in 0 }
                into = FileStatus(size: size.0, device: 1, inode: UInt64(bitPattern: Int64(size.1)), links: size.2)
                return result
            },
            room: { _ in
                let result: Int32 = self.doing("room") { _ in 0 }
                return result < 0 ? Int(result) : self.state.locked { $0.capacity - $0.used }
            },
            lock: { handle in
                self.doing("lock") { state in
                    guard let file = state.open[handle] else { return -EBADF }
                    guard !state.locked.contains(where: { state.open[$0] === file }) else { return -EWOULDBLOCK }
                    state.locked.insert(handle)
                    return 0
                }
            },
            monotonic: {
                self.state.locked {
                    $0.clock += 1000; return $0.clock
                }
            },
            wall: { self.state.locked { $0.clock } },
            random: { self.state.locked { $0.random.next() } })
    }

    private func doing(_ name: String, _ body: (inout State) -> Int32) -> Int32 {
        state.locked { state in
            if let code = Self.fails(name, &state) { return -code }
            return body(&state)
        }
    }

    /// The error of an injected fault or of a cut, or nil; counts the call.
    private static func fails(_ name: String, _ state: inout State, shortAllowed: Bool = false) -> Int32? {
        if let fuse = state.fuse {
            state.fuse = fuse - 1
            if fuse <= 0, !state.dead { cut(&state) }
        }
        if state.dead { return EIO }
        guard let fault = state.fault, fault.operations.contains(name) else { return nil }
        state.seen += 1
        guard state.seen == fault.nth || (fault.persistent && state.seen > fault.nth) else { return nil }
        state.fired += 1
        return fault.code
    }

    private func read(_ handle: Int32, _ into: UnsafeMutableRawBufferPointer, _ offset: Int) -> Int {
        state.locked { state in
            if let code = Self.fails("pread", &state) { return -Int(code) }
            guard let file = state.open[handle] else { return -Int(EBADF) }
            guard offset < file.volatile.count else { return 0 }
            let count = min(into.count, file.volatile.count - offset)
            file.volatile[offset..<offset + count].withUnsafeBytes { into.copyMemory(from: $0) }
            return count
        }
    }

    private func write(_ handle: Int32, _ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Int {
        state.locked { state in
            guard let file = state.open[handle] else { return -Int(EBADF) }
            var count = bytes.count
            if let code = Self.fails("pwrite", &state) {
                guard state.fault?.short == true, !state.dead, count > 1 else { return -Int(code) }
                count /= 2
            }
            let growth = max(0, offset + count - file.volatile.count)
            guard state.used + growth <= state.capacity else { return -Int(ENOSPC) }
            if growth > 0 { file.volatile += [UInt8](repeating: 0, count: growth) }
            file.volatile.withUnsafeMutableBytes { memory in
                UnsafeMutableRawBufferPointer(rebasing: memory[offset..<offset + count])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            }
            for sector in (offset / 512)...((offset + count - 1) / 512) { file.dirty.insert(sector) }
            return count
        }
    }

    private func sync(_ name: String, _ handle: Int32) -> Int32 {
        state.locked { state in
            guard let file = state.open[handle] else { return -EBADF }
            if let code = Self.fails(name, &state) {
                // Marked clean all the same.
                if !state.dead {
                    Self.settle(file, &state.random)
                    file.dirty = []
                }
                return -code
            }
            file.durable = file.volatile
            file.dirty = []
            return 0
        }
    }

    private static func cut(_ state: inout State) {
        state.dead = true
        var names = state.durableNames
        let kept = state.changes.isEmpty ? 0 : Int(state.random.next() % UInt64(state.changes.count + 1))
        for change in state.changes[..<kept] {
            switch change {
            case .set(let name, let file): names[name] = file
            case .remove(let name): names[name] = nil
            }
        }
        var seen: Set<ObjectIdentifier> = []
        let files = Array(state.names.values) + Array(names.values)
        for file in files where seen.insert(ObjectIdentifier(file)).inserted {
            settle(file, &state.random)
            file.volatile = file.durable
            file.dirty = []
        }
        state.names = names
        state.durableNames = names
        state.changes = []
    }

    /// Some of the unsynced sectors reach the disk.
    private static func settle(_ file: File, _ random: inout Seeded) {
        if file.durable.count < file.volatile.count, random.next() % 2 == 0 || !file.dirty.isEmpty {
            file.durable += [UInt8](repeating: 0, count: file.volatile.count - file.durable.count)
        }
        let mode = random.next() % 4
        for sector in file.dirty.sorted() {
            let keep = mode == 0 ? false : mode == 1 ? true : random.next() % 2 == 0
            let range = sector * 512..<min(sector * 512 + 512, file.volatile.count)
            if keep, !range.isEmpty { file.durable.replaceSubrange(range, with: file.volatile[range]) }
        }
    }

    private static func list(_ state: State, _ directory: String) -> [String] {
        state.names.keys.filter { $0.hasPrefix("\(directory)/") }.map { String($0.dropFirst(directory.utf8.count + 1)) }
            .filter { !$0.contains("/") }.sorted()
    }
}

/// splitmix64.
struct Seeded: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

import Glibc
import Synchronization

/// A data key for each subject (a customer), for tens of millions of them, in a directory of its own: `DATA/keys/subjects`.
///
/// | file | holds |
/// |---|---|
/// | `head` | proof of the master key; how many files of slots there are; from which number on numbers are free |
/// | `<index>.chunk` | 65,536 slots of 48 bytes: the wrapped keys, by number |
/// | `erased` | the list of erasures |
/// | `lock` | locked with `flock` by the owner |
///
/// The desk owns the store: it imports customers and erases them. The node reads: it maps the files, and sees a key that was made or erased
/// at its next look-up, without asking. Safe to use from any thread; a look-up waits for no disk work of another, only for a page that is
/// not in memory. A loop asks its own `SubjectKeyCache`.
public final class SubjectKeys: Sendable {
    public enum Access: Sendable {
        /// The desk: makes and erases keys. `create` also makes a store where there is none.
        case owner(create: Bool)
        /// The node, or a tool: writes nothing.
        case reader
    }

    public let directory: String
    /// What was not as it should be when the owner opened the store. The owner has mended what can be mended without a backup.
    public let damage: [SubjectKeyFinding]

    /// Numbers 1 ..< 65,536 * 32,768; the kernel maps no more files for one process.
    public static let maximumChunks = 32_768
    /// Keys made or erased in one call at most.
    public static let maximumBatch = 8192
    /// Findings that are kept when the store is opened; what is beyond is found by `verify`.
    static let maximumDamage = 1000

    let masters: SubjectMasters
    let isOwner: Bool

    struct Writer: Sendable {
        /// The next number that is free.
        var next: UInt32
        var head: SubjectHead
        /// Whole entries in the list of erasures.
        var erasures: Int
        /// An erasure failed half-way: a slot that looks erased may not be so on the disk.
        var erasureFailed = false
    }

    /// Held while keys are made, erased, wrapped anew.
    private let writer: Mutex<Writer>
    /// Files mapped so far, by index. Never held during disk work of the owner; a reader opens files under it.
    private let table = Mutex<[SubjectChunk?]>([])
    /// Holds the lock of the owner; closed with the store.
    private let lock: FileLock?

    /// - Parameters:
    ///   - previous: the master key before this one, while the change to it is not finished (`rewrap`).
    public init(directory: String, master: MasterKey, previous: MasterKey? = nil, access: Access) throws(SubjectKeyFault) {
        self.directory = directory
        masters = SubjectMasters(current: SubjectMaster(master), previous: previous.map { SubjectMaster($0) })
        switch access {
        case .reader:
            isOwner = false
            guard let found = try SubjectHead.read(directory, masters) else { throw .missing(directory: directory) }
            lock = nil
            damage = []
            writer = Mutex(Writer(next: 0, head: found.head, erasures: 0))
        case .owner(let create):
            isOwner = true
            var opening = try SubjectOpening(directory, masters, create: create)
            try opening.run()
            lock = opening.lock
            damage = opening.damage
            writer = Mutex(opening.writer)
            let chunks = opening.chunks
            table.withLock { $0 = chunks }
        }
    }

    // MARK: Looking up

    /// The key of a subject, unwrapped now: about a microsecond. From any thread.
    public func key(_ number: UInt32) -> SubjectLookup {
        guard number > 0 else { return .unknown }
        // The second time round for a file that was replaced in between, or a slot that was being erased under the read.
        for _ in 0..<2 {
            guard let chunk = chunk(number >> 16) else { return isLost(number >> 16) ? .damaged : .unknown }
            let found = read(number, chunk)
            if case .key = found { return found }
            if case .erased = found, !chunk.isRetired { return found }
        }
        guard let chunk = chunk(number >> 16) else { return .unknown }
        return read(number, chunk)
    }

    func read(_ number: UInt32, _ chunk: SubjectChunk) -> SubjectLookup {
        let slot = Int(number & 0xFFFF)
        switch chunk.content(slot) {
        case .none: return .damaged
        case .empty: return .unknown
        case .erased: return .erased
        case .something: return chunk.unwrapped(slot, masters).map { .key(SubjectKey(number: number, symmetric: $0)) } ?? .damaged
        }
    }

    /// The file of this index, mapped; nil when there is none, or it cannot be read.
    func chunk(_ index: UInt32) -> SubjectChunk? {
        guard index < SubjectKeys.maximumChunks else { return nil }
        return table.withLock { table in
            let place = Int(index)
            if place < table.count, let chunk = table[place], !chunk.isRetired, isOwner || !chunk.isShort { return chunk }
            // The owner knows all of its files.
            if isOwner { return place < table.count ? table[place] : nil }
            guard let opened = try? SubjectChunk(directory: directory, index: index, masters: masters) else { return nil }
            while table.count <= place { table.append(nil) }
            table[place] = opened
            return opened
        }
    }

    /// Maps the files that are there and asks the system to read them ahead, so that no loop waits for the disk at the first use of a key.
    /// Off the loop; called again it sees the files that its owner made since.
    /// - Returns: files that are mapped now.
    @discardableResult
    public func readAhead(after mapped: Int = 0) -> Int {
        var index = UInt32(clamping: mapped)
        while let chunk = chunk(index) {
            chunk.readAhead()
            index += 1
        }
        return Int(index)
    }

    /// Whether a file that cannot be opened should be there, as far as this reader heard.
    private func isLost(_ index: UInt32) -> Bool { writer.withLock { index < $0.head.chunks } }

    // MARK: Numbers

    /// Every number given out is below this one. Of the owner; a reader hears 0.
    public var next: UInt32 { writer.withLock { $0.next } }

    // MARK: For the parts of this class

    func put(_ chunk: SubjectChunk) {
        table.withLock { table in
            while table.count <= Int(chunk.index) { table.append(nil) }
            table[Int(chunk.index)] = chunk
        }
    }

    /// `withLock` of a body that throws a typed error: the closure's inference of it is spelled out here once.
    func locked<Value: Sendable>(_ body: (inout Writer) throws(SubjectKeyFault) -> Value) throws(SubjectKeyFault) -> Value {
        guard isOwner else { throw .readOnly(directory: directory) }
        let result: Result<Value, SubjectKeyFault> = writer.withLock { writer in
            do throws(SubjectKeyFault) {
                return .success(try body(&writer))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Makes the next file of slots, empty; durable before the head counts it, and the head before a number of it is given out.
    func addChunk(_ writer: inout Writer) throws(SubjectKeyFault) {
        let index = writer.head.chunks
        guard index < SubjectKeys.maximumChunks else { throw .exhausted(directory: directory) }
        put(try SubjectKeys.newChunk(directory, index, masters))
        var head = writer.head
        head.chunks = index + 1
        try writeHead(head)
        writer.head = head
    }

    /// While the master key changes, the head stays wrapped by the one before until all is wrapped by the new.
    func writeHead(_ head: SubjectHead) throws(SubjectKeyFault) {
        let master = try SubjectHead.read(directory, masters)?.master ?? masters.current
        try head.write(directory, master)
    }

    static func newChunk(_ directory: String, _ index: UInt32, _ masters: SubjectMasters) throws(SubjectKeyFault) -> SubjectChunk {
        let path = SubjectChunk.path(directory, index)
        var bytes = SubjectChunk.head(index: index, master: masters.current)
        bytes.append(contentsOf: repeatElement(0, count: SubjectChunk.fileBytes - bytes.count))
        try SubjectFiles.replace(path, bytes)
        guard let chunk = try SubjectChunk(directory: directory, index: index, masters: masters) else {
            throw .unreadable(path: path, reason: "it vanished")
        }
        return chunk
    }
}

/// A lock on a file that ends with this value, or with the process.
final class FileLock: Sendable {
    private let descriptor: Int32

    /// Nil: another holds it.
    init?(_ path: String) throws(SubjectKeyFault) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .cannotWrite(path: path, reason: String(cString: strerror(errno))) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            if code == EWOULDBLOCK { return nil }
            throw .cannotWrite(path: path, reason: "flock: \(String(cString: strerror(code)))")
        }
    }

    deinit { close(descriptor) }
}

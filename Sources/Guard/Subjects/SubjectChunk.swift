import Crypto
import Glibc
import Synchronization

/// One file of 65,536 slots, mapped for reading: `<index, 8 hexadecimal digits>.chunk`. The upper half of a subject's number is the file, the
/// lower half the slot. Format: `docs/reference/key-files.md`.
///
/// What the owner writes into the file, here or in another process, is seen through the map at once: the kernel has one copy of a page.
// The map stays where it is until the last reference goes, and is never written through; what another process changes below it is
// read in words whose every value has a meaning, or checked by the wrap.
final class SubjectChunk: @unchecked Sendable {
    static let slots = 65_536
    static let headBytes = 4096
    static let fileBytes = headBytes + slots * SubjectSlot.bytes
    private static let format = Array("SUBJKEYS".utf8)
    /// Covered by the tag that follows.
    private static let covered = 32
    private static let tagBytes = 16
    private static let retiredOffset = 48

    let index: UInt32
    let path: String
    /// Bytes of the file that are there and mapped; fewer than `fileBytes` when it was cut.
    let length: Int
    /// Id of the master key that wraps the slots; nil when the head is damaged.
    let masterID: UInt32?
    private let base: UnsafeMutableRawPointer?

    /// Nil: there is no such file.
    init?(directory: String, index: UInt32, masters: SubjectMasters) throws(SubjectKeyFault) {
        path = SubjectChunk.path(directory, index)
        self.index = index
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw .unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .unreadable(path: path, reason: String(cString: strerror(errno))) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .damaged(path: path, reason: "it is not a regular file") }
        let there = min(Int(status.st_size), SubjectChunk.fileBytes)
        var mapped: UnsafeMutableRawPointer?
        if there > 0 {
            mapped = mmap(nil, there, PROT_READ, MAP_SHARED, descriptor, 0)
            guard mapped != MAP_FAILED else { throw .unreadable(path: path, reason: "mmap: \(String(cString: strerror(errno)))") }
        }
        base = mapped
        length = there
        masterID = mapped.flatMap { start in
            guard there >= SubjectChunk.headBytes else { return nil }
            return SubjectChunk.masterID(
                inHead: UnsafeRawBufferPointer(start: start, count: SubjectChunk.headBytes), index: index, masters)
        }
        if let other = otherMaster(masters) {
            throw .wrongMasterKey(path: path, expected: Hex.text(other), given: Hex.text(masters.current.id))
        }
    }

    deinit {
        if let base { munmap(base, length) }
    }

    func readAhead() {
        if let base { madvise(base, length, MADV_WILLNEED) }
    }

    static func path(_ directory: String, _ index: UInt32) -> String { "\(directory)/\(Hex.text(index)).chunk" }

    /// The index in a file name; nil for any other name, and for an index that no store has.
    static func index(fileName: String) -> UInt32? {
        guard fileName.hasSuffix(".chunk"), let index = Hex.word(fileName.dropLast(6)), index < SubjectKeys.maximumChunks else {
            return nil
        }
        return index
    }

    static func offset(ofSlot slot: Int) -> Int { headBytes + slot * SubjectSlot.bytes }

    var isShort: Bool { length < SubjectChunk.fileBytes }

    /// Its owner put another file in its place, or is about to.
    @inline(__always)
    var isRetired: Bool { length >= SubjectChunk.headBytes && word(at: SubjectChunk.retiredOffset) != 0 }

    /// The first eight bytes of a slot: what tells, beside a key unwrapped before, that the slot still holds it.
    @inline(__always)
    func mark(slot: Int) -> UInt64 {
        let offset = SubjectChunk.offset(ofSlot: slot)
        return offset + SubjectSlot.bytes <= length ? word(at: offset) : 0
    }

    /// All offsets asked for are multiples of eight within the map.
    @inline(__always)
    private func word(at offset: Int) -> UInt64 {
        guard let base else { return 0 }
        return (base + offset).assumingMemoryBound(to: Atomic<UInt64>.self).pointee.load(ordering: .acquiring)
    }

    /// Nil: the file ends before it.
    func slot(_ slot: Int) -> UnsafeRawBufferPointer? {
        let offset = SubjectChunk.offset(ofSlot: slot)
        guard let base, offset + SubjectSlot.bytes <= length else { return nil }
        return UnsafeRawBufferPointer(start: base + offset, count: SubjectSlot.bytes)
    }

    func content(_ slot: Int) -> SubjectSlot.Content? { self.slot(slot).map(SubjectSlot.content) }

    /// The key in a slot that is neither empty nor erased; nil: it is damaged.
    func unwrapped(_ slot: Int, _ masters: SubjectMasters) -> SymmetricKey? {
        guard let bytes = self.slot(slot) else { return nil }
        let number = index << 16 | UInt32(slot)
        if let masterID, let master = masters.named(masterID) { return SubjectSlot.unwrap(bytes, number, with: master.wrapping) }
        // With a damaged head the slots may be wrapped by either.
        if let key = SubjectSlot.unwrap(bytes, number, with: masters.current.wrapping) { return key }
        return masters.previous.flatMap { SubjectSlot.unwrap(bytes, number, with: $0.wrapping) }
    }

    /// The slot behind the last one that is not empty.
    var used: Int {
        var end = max(0, (length - SubjectChunk.headBytes) / SubjectSlot.bytes)
        while end > 0, content(end - 1) == .empty { end -= 1 }
        return end
    }

    // MARK: The head

    /// The head as it is written: 4096 bytes.
    static func head(index: UInt32, master: SubjectMaster) -> [UInt8] {
        var head = format
        append(1, to: &head)
        append(index, to: &head)
        append(master.id, to: &head)
        append(UInt32(slots), to: &head)
        head.append(contentsOf: repeatElement(0, count: covered - head.count))
        head.append(contentsOf: HMAC<SHA256>.authenticationCode(for: head, using: master.heading).prefix(tagBytes))
        head.append(contentsOf: repeatElement(0, count: headBytes - head.count))
        return head
    }

    /// Little-endian.
    private static func append(_ word: UInt32, to head: inout [UInt8]) {
        withUnsafeBytes(of: word.littleEndian) { head.append(contentsOf: $0) }
    }

    private static func masterID(inHead head: UnsafeRawBufferPointer, index: UInt32, _ masters: SubjectMasters) -> UInt32? {
        let id = UInt32(littleEndian: head.loadUnaligned(fromByteOffset: 16, as: UInt32.self))
        guard let master = masters.named(id) else { return nil }
        let good = SubjectChunk.head(index: index, master: master).prefix(covered + tagBytes)
        return head.prefix(covered + tagBytes).elementsEqual(good) ? id : nil
    }

    /// The id of a master key that was not given and that the slots need; nil when they do not. A flipped bit in the head alone is damage
    /// of the head and not another key: the slots still open.
    private func otherMaster(_ masters: SubjectMasters) -> UInt32? {
        guard masterID == nil, let base, length >= SubjectChunk.headBytes else { return nil }
        let id = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: 16, as: UInt32.self))
        guard masters.named(id) == nil else { return nil }
        var tried = 0
        var slot = 0
        while tried < 8, slot < SubjectChunk.slots, let content = content(slot) {
            if case .something = content {
                if unwrapped(slot, masters) != nil { return nil }
                tried += 1
            }
            slot += 1
        }
        return tried > 0 ? id : nil
    }

    /// Word at which a replaced file says so to those who have it mapped.
    static let retired: (offset: Int, word: [UInt8]) = (retiredOffset, Array("RETIRED\n".utf8))
    static let notRetired: (offset: Int, word: [UInt8]) = (retiredOffset, [UInt8](repeating: 0, count: 8))
}

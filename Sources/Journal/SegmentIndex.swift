import CJournal
import Glibc

/// A key of an index: 16 bytes, an identifier or the hash of one.
public struct IndexKey: Hashable, Sendable {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}

/// Why an index cannot be used. The owner rebuilds it by scanning the segment.
public enum IndexError: Error, Hashable, Sendable {
    case missing
    /// A checksum fails, the file is short, or it belongs to another journal or segment.
    case damaged
    /// An entry to be written lies in another segment.
    case otherSegment(Position)
    case failure(JournalFailure)
}

/// For one finished segment: key -> the last position that has it. A hash table in a file of its own, `NNNNNNNNNN.idx`.
///
/// A look-up is one or two small reads of a file the system mostly holds in memory, about 1 us. Not mapped: a mapped page that
/// the disk cannot give any more is a signal that ends the process; a read is an error that rebuilds an index. Every slot has
/// its own checksum, so rot after opening is found as well.
public final class SegmentIndex: Sendable {
    public let segment: UInt32
    /// Different keys in it.
    public let count: Int

    private let disk: Disk
    private let file: Int32
    private let slots: Int

    static let magic: UInt64 = 0x5845_444E_4953_474A  // "JGSINDEX"
    static let version: UInt16 = 1
    static let headerSize = 64
    static let slotSize = 24
    /// Slots read at once.
    private static let run = 8

    private init(_ disk: Disk, _ file: Int32, _ segment: UInt32, _ count: Int, _ slots: Int) {
        self.disk = disk
        self.file = file
        self.segment = segment
        self.count = count
        self.slots = slots
    }

    deinit { _ = disk.close(file) }

    // MARK: Look-up

    /// The last position of `key` in this segment, or nil.
    public func position(of key: IndexKey) throws(IndexError) -> Position? {
        var failure: IndexError?
        let found = withUnsafeTemporaryAllocation(byteCount: Self.run * Self.slotSize, alignment: 8) { bytes -> Position? in
            do throws(IndexError) { return try find(key, bytes) } catch {
                failure = error
                return nil
            }
        }
        if let failure { throw failure }
        return found
    }

    private func find(_ key: IndexKey, _ bytes: UnsafeMutableRawBufferPointer) throws(IndexError) -> Position? {
        var slot = Self.home(key, slots)
        var probed = 0
        while probed < slots {
            let count = min(Self.run, slots - slot, slots - probed)
            let part = UnsafeMutableRawBufferPointer(rebasing: bytes[..<(count * Self.slotSize)])
            let got: Int
            do throws(JournalFailure) {
                got = try disk.readAll(file, part, at: Self.headerSize + slot * Self.slotSize)
            } catch { throw .failure(error) }
            guard got == part.count, let base = part.baseAddress else { throw .damaged }
            for index in 0..<count {
                switch Self.slot(UnsafeRawPointer(base) + index * Self.slotSize, segment) {
                case .empty: return nil
                case .damaged: throw .damaged
                case .entry(let found, let offset): if found == key { return Position(journalSegment: segment, offset: offset) }
                }
            }
            probed += count
            slot = (slot + count) % slots
        }
        return nil
    }

    private enum Slot {
        case empty
        case damaged
        case entry(IndexKey, UInt32)
    }

    private static func slot(_ bytes: UnsafeRawPointer, _ segment: UInt32) -> Slot {
        let offset = bytes.u32(16)
        if offset == 0, bytes.u64(0) == 0, bytes.u64(8) == 0, bytes.u32(20) == 0 { return .empty }
        guard bytes.u32(20) == check(bytes, segment), offset != 0 else { return .damaged }
        return .entry(IndexKey(high: bytes.u64(0), low: bytes.u64(8)), offset)
    }

    private static func check(_ bytes: UnsafeRawPointer, _ segment: UInt32) -> UInt32 {
        Format.crc(Format.seed(Position(segment, 0)), bytes, 20)
    }

    /// Keys may be made of counters or clocks, so they are mixed.
    private static func home(_ key: IndexKey, _ slots: Int) -> Int {
        var mixed = key.low ^ (key.high &* 0x9E37_79B9_7F4A_7C15)
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int(truncatingIfNeeded: (mixed ^ (mixed >> 31)) & UInt64(slots - 1))
    }

    // MARK: Opening and writing

    static func open(_ disk: Disk, _ path: String, segment: UInt32, journal: JournalID) throws(IndexError) -> SegmentIndex {
        let file: Int32
        do throws(JournalFailure) { file = try disk.opened(path, O_RDONLY) } catch {
            throw error.errno == ENOENT ? .missing : .failure(error)
        }
        do throws(IndexError) {
            let (count, slots) = try check(disk, file, segment, journal)
            return SegmentIndex(disk, file, segment, count, slots)
        } catch {
            _ = disk.close(file)
            throw error
        }
    }

    /// Reads the whole file once: header, size, checksum of the table.
    private static func check(
        _ disk: Disk, _ file: Int32, _ segment: UInt32, _ journal: JournalID
    ) throws(IndexError) -> (count: Int, slots: Int) {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { memory.deallocate() }
        guard let base = memory.baseAddress else { throw .damaged }
        let head = UnsafeMutableRawBufferPointer(rebasing: memory[..<headerSize])
        guard try read(disk, file, head, 0) == headerSize else { throw .damaged }
        let bytes = UnsafeRawPointer(base)
        guard bytes.u64(0) == magic, bytes.u32(60) == Format.crc(0, bytes, 60), bytes.u16(8) == version, bytes.u32(12) == segment,
            bytes.u64(16) == journal.high, bytes.u64(24) == journal.low
        else { throw .damaged }
        let count = Int(bytes.u32(32))
        let slots = Int(bytes.u32(36))
        let expected = bytes.u32(40)
        guard slots > 0, slots & (slots - 1) == 0, count < slots else { throw .damaged }
        var crc: UInt32 = 0
        var at = headerSize
        let end = headerSize + slots * slotSize
        while at < end {
            let part = UnsafeMutableRawBufferPointer(rebasing: memory[..<min(memory.count, end - at)])
            guard try read(disk, file, part, at) == part.count else { throw .damaged }
            crc = Format.crc(crc, base, part.count)
            at += part.count
        }
        guard crc == expected else { throw .damaged }
        return (count, slots)
    }

    private static func read(_ disk: Disk, _ file: Int32, _ into: UnsafeMutableRawBufferPointer, _ at: Int) throws(IndexError) -> Int {
        do throws(JournalFailure) { return try disk.readAll(file, into, at: at) } catch { throw .failure(error) }
    }

    /// Writes beside, syncs, takes the name: a crash leaves the old index or the new one.
    static func write(
        _ disk: Disk, _ names: Names, segment: UInt32, journal: JournalID, entries: [(key: IndexKey, position: Position)]
    ) throws(IndexError) {
        for entry in entries where entry.position.journalSegment != segment || entry.position.journalOffset == 0 {
            throw .otherSegment(entry.position)
        }
        // At most two thirds full.
        var slots = 16
        while slots * 2 < entries.count * 3 { slots *= 2 }
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: headerSize + slots * slotSize, alignment: 4096)
        defer { memory.deallocate() }
        memory.initializeMemory(as: UInt8.self, repeating: 0)
        guard let base = memory.baseAddress else { throw .damaged }
        var count = 0
        for entry in entries {
            if put(entry.key, entry.position.journalOffset, base + headerSize, slots, segment) { count += 1 }
        }
        base.put(magic, 0)
        base.put(version, 8)
        base.put(segment, 12)
        base.put(journal.high, 16)
        base.put(journal.low, 24)
        base.put(UInt32(truncatingIfNeeded: count), 32)
        base.put(UInt32(truncatingIfNeeded: slots), 36)
        base.put(Format.crc(0, base + headerSize, slots * slotSize), 40)
        base.put(Format.crc(0, base, 60), 60)
        do throws(JournalFailure) {
            try store(disk, names, segment, UnsafeRawBufferPointer(memory))
        } catch {
            _ = disk.unlink("\(names.index(segment)).tmp")
            throw .failure(error)
        }
    }

    /// True when the key is new. A key met again takes the higher position.
    private static func put(_ key: IndexKey, _ offset: UInt32, _ table: UnsafeMutableRawPointer, _ slots: Int, _ segment: UInt32) -> Bool {
        var slot = home(key, slots)
        while true {
            let bytes = table + slot * slotSize
            let present = UnsafeRawPointer(bytes)
            let held = present.u32(16)
            let isSame = held != 0 && present.u64(0) == key.high && present.u64(8) == key.low
            if held == 0 || isSame {
                bytes.put(key.high, 0)
                bytes.put(key.low, 8)
                bytes.put(max(held, offset), 16)
                bytes.put(check(bytes, segment), 20)
                return held == 0
            }
            slot = (slot + 1) % slots
        }
    }

    private static func store(_ disk: Disk, _ names: Names, _ segment: UInt32, _ bytes: UnsafeRawBufferPointer) throws(JournalFailure) {
        let path = names.index(segment)
        let file = try disk.opened("\(path).tmp", O_WRONLY | O_CREAT | O_TRUNC)
        do throws(JournalFailure) {
            try disk.writeAll(file, bytes, at: 0)
            try disk.synced(file)
        } catch {
            _ = disk.close(file)
            throw error
        }
        _ = disk.close(file)
        try disk.renamed("\(path).tmp", path)
        try disk.directorySynced(names.directory)
    }
}

extension Journal {
    /// Writes the index of a finished segment; a key given twice keeps its highest position. Blocks for as long as the disk
    /// takes: not for a loop.
    public func writeIndex(_ segment: UInt32, _ entries: [(key: IndexKey, position: Position)]) throws(IndexError) {
        try SegmentIndex.write(disk, names, segment: segment, journal: id, entries: entries)
    }

    /// Opens a segment's index after reading it through once.
    public func index(_ segment: UInt32) throws(IndexError) -> SegmentIndex {
        try SegmentIndex.open(disk, names.index(segment), segment: segment, journal: id)
    }
}

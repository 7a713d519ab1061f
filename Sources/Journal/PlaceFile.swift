import Glibc

/// A place in a journal, in a small file of its own: where the last durable batch ends (`committed`, beside the segments), or how far a
/// reader has come. Read and written by different processes, so it carries a checksum: what does not pass is read again, or is no place.
public struct PlaceFile: Sendable {
    /// What the file says.
    public struct Place: Hashable, Sendable {
        public var journal: JournalID
        public var position: Position
        /// Records of the journal before this place, counted from its beginning; 0 where the writer does not know.
        public var ordinal: UInt64

        public init(journal: JournalID, position: Position, ordinal: UInt64 = 0) {
            self.journal = journal
            self.position = position
            self.ordinal = ordinal
        }
    }

    static let bytes = 64
    private static let magic: UInt64 = 0x4543_414C_5052_554A  // "JURPLACE"
    /// A reader may meet a writer half-way; a second look finds it done.
    private static let attempts = 8

    public let path: String
    private let disk: Disk

    public init(_ path: String, disk: Disk = .system) {
        self.path = path
        self.disk = disk
    }

    /// nil: there is no such file yet, or what stands there is no place.
    public func read() throws(JournalFailure) -> Place? {
        let file: Int32
        do {
            file = try disk.opened(path, O_RDONLY)
        } catch {
            if error.errno == ENOENT { return nil }
            throw error
        }
        defer { _ = disk.close(file) }
        return try PlaceFile.read(disk, file)
    }

    static func read(_ disk: Disk, _ file: Int32) throws(JournalFailure) -> Place? {
        var memory = [UInt8](repeating: 0, count: bytes)
        for _ in 0..<attempts {
            var failure: JournalFailure?
            let place = memory.withUnsafeMutableBytes { buffer -> Place? in
                do throws(JournalFailure) {
                    guard try disk.readAll(file, buffer, at: 0) == bytes else { return nil }
                } catch {
                    failure = error
                    return nil
                }
                return decode(UnsafeRawBufferPointer(buffer))
            }
            if let failure { throw failure }
            if let place { return place }
        }
        return nil
    }

    /// Durable when this returns: written beside, synced, renamed.
    public func replace(_ place: Place) throws(JournalFailure) {
        let beside = "\(path).tmp"
        let file = try disk.opened(beside, O_WRONLY | O_CREAT | O_TRUNC)
        do throws(JournalFailure) {
            try PlaceFile.write(place, disk, file)
            try disk.synced(file)
        } catch {
            _ = disk.close(file)
            throw error
        }
        _ = disk.close(file)
        try disk.renamed(beside, path)
        try disk.directorySynced(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
    }

    /// In place, for the system's memory only: one call.
    static func write(_ place: Place, _ disk: Disk, _ file: Int32) throws(JournalFailure) {
        var memory = [UInt8](repeating: 0, count: bytes)
        encode(place, into: &memory)
        var failure: JournalFailure?
        memory.withUnsafeBytes { buffer in
            do throws(JournalFailure) { try disk.writeAll(file, buffer, at: 0) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private static func encode(_ place: Place, into memory: inout [UInt8]) {
        memory.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return }
            base.put(magic, 0)
            base.put(Format.version, 8)
            base.put(place.journal.high, 16)
            base.put(place.journal.low, 24)
            base.put(place.position, 32)
            base.put(place.ordinal, 40)
            base.put(Format.crc(0, base, 60), 60)
        }
    }

    private static func decode(_ buffer: UnsafeRawBufferPointer) -> Place? {
        guard buffer.count == bytes, let base = buffer.baseAddress, base.u64(0) == magic, base.u16(8) == Format.version,
            base.u32(60) == Format.crc(0, base, 60)
        else { return nil }
        return Place(journal: JournalID(high: base.u64(16), low: base.u64(24)), position: base.u64(32), ordinal: base.u64(40))
    }
}

/// Publishes where the last durable batch ends, for readers in other processes.
///
/// One write of 64 bytes a commit, into the system's memory and never synced: on the disk stands an older place or this one, and both are
/// durable. What a killed process wrote stays. After a power cut the place may be old, or not there; the next opening writes it anew, and
/// until then a reader waits. A write that fails is counted and made good by the next commit: readers are late, sending is not concerned.
///
/// `@unchecked Sendable`: made before the writer thread starts and from then on used by that thread only.
final class CommittedMark: @unchecked Sendable {
    private let disk: Disk
    private let journal: JournalID
    private let state: JournalState
    private let file: Int32

    init(disk: Disk, names: Names, journal: JournalID, state: JournalState) throws(JournalFailure) {
        self.disk = disk
        self.journal = journal
        self.state = state
        file = try disk.opened(names.committed, O_RDWR | O_CREAT)
    }

    deinit { _ = disk.close(file) }

    func store(_ end: Position, ordinal: UInt64) {
        do throws(JournalFailure) {
            try PlaceFile.write(PlaceFile.Place(journal: journal, position: end, ordinal: ordinal), disk, file)
        } catch {
            state.countMarkFailure()
        }
    }
}

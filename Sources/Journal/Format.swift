import CJournal

/// The layout on disk; `docs/reference/journal-format.md` holds the same in tables. All integers are little-endian.
enum Format {
    static let version: UInt16 = 1
    /// The header block at the start of each segment; the first batch begins after it.
    static let headerBlock = 4096
    static let segmentHeader = 64
    static let batchHeader = 48
    static let batchTrailer = 8
    static let batchOverhead = batchHeader + batchTrailer
    static let frameHeader = 8
    /// Kept free at a segment's end so that the mark of a clean stop always has room.
    static let stopReserve = 64

    static let segmentMagic: UInt64 = 0x544E_454D_4745_534A  // "JSEGMENT"
    static let batchMagic: UInt32 = 0x5441_424A  // "JBAT"
    static let trailerMagic: UInt32 = 0x444E_454A  // "JEND"

    /// The flag of the batch without records that a clean stop leaves.
    static let cleanStop: UInt16 = 1

    @inline(__always) static func padded(_ count: Int) -> Int { (count + 7) & ~7 }
    @inline(__always) static func framed(_ count: Int) -> Int { frameHeader + padded(count) }

    /// A checksum belongs to a place: the same bytes at another offset or in another segment do not pass.
    @inline(__always) static func seed(_ place: Position) -> UInt32 { cj_crc32c_word(0, place) }

    @inline(__always) static func crc(_ crc: UInt32, _ bytes: UnsafeRawPointer, _ count: Int) -> UInt32 {
        cj_crc32c(crc, bytes, count)
    }

    /// The checksum of a record frame: its length field, then its bytes.
    @inline(__always) static func recordCRC(_ frame: UnsafeRawPointer, at place: Position, length: Int) -> UInt32 {
        cj_crc32c(cj_crc32c(seed(place), frame, 4), frame + frameHeader, length)
    }
}

extension UnsafeRawPointer {
    @inline(__always) func u16(_ offset: Int) -> UInt16 { UInt16(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self)) }
    @inline(__always) func u32(_ offset: Int) -> UInt32 { UInt32(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
    @inline(__always) func u64(_ offset: Int) -> UInt64 { UInt64(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
}

extension UnsafeMutableRawPointer {
    @inline(__always) func put<T: FixedWidthInteger>(_ value: T, _ offset: Int) {
        storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
    }
}

/// 16 random bytes that tell one journal's files from another's.
public struct JournalID: Hashable, Sendable {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Of segments begun while no header could be read; belongs to any journal.
    static let unknown = JournalID(high: 0, low: 0)
}

/// The first 64 bytes of a segment's file.
struct SegmentHeader: Hashable, Sendable {
    var version = Format.version
    var segment: UInt32
    var journal: JournalID
    /// Nanoseconds since 1970, UTC.
    var createdAt: UInt64
    /// Ordinal of the segment's first record, counted from the journal's beginning.
    var firstOrdinal: UInt64
    /// The segment written before this one (0 for none), and where its last good batch ended: what lies behind that is
    /// a torn batch nobody was told of, and what is missing before it was lost. End 0: unknown, as not all could be read.
    var previousSegment: UInt32
    var previousEnd: UInt32

    enum Reading: Hashable {
        case valid(SegmentHeader)
        case newer(UInt16)
        /// All zero, or the file is shorter than a header: the segment was never begun.
        case blank
        case damaged
    }

    func encode(into bytes: UnsafeMutableRawPointer) {
        bytes.put(Format.segmentMagic, 0)
        bytes.put(version, 8)
        bytes.put(UInt16(0), 10)
        bytes.put(segment, 12)
        bytes.put(journal.high, 16)
        bytes.put(journal.low, 24)
        bytes.put(createdAt, 32)
        bytes.put(firstOrdinal, 40)
        bytes.put(previousSegment, 48)
        bytes.put(previousEnd, 52)
        bytes.put(UInt32(0), 56)
        bytes.put(Format.crc(0, bytes, 60), 60)
    }

    static func read(_ bytes: UnsafeRawBufferPointer, expecting segment: UInt32) -> Reading {
        guard bytes.count >= Format.segmentHeader, let base = bytes.baseAddress else {
            return bytes.allSatisfy { $0 == 0 } ? .blank : .damaged
        }
        if bytes.prefix(Format.segmentHeader).allSatisfy({ $0 == 0 }) { return .blank }
        guard base.u64(0) == Format.segmentMagic, base.u32(60) == Format.crc(0, base, 60) else { return .damaged }
        let version = base.u16(8)
        // The magic, the version's place and the checksum's never change, so a newer version is told from damage.
        guard version <= Format.version else { return .newer(version) }
        guard version >= 1, base.u32(12) == segment else { return .damaged }
        return .valid(
            SegmentHeader(
                version: version, segment: segment, journal: JournalID(high: base.u64(16), low: base.u64(24)),
                createdAt: base.u64(32), firstOrdinal: base.u64(40), previousSegment: base.u32(48), previousEnd: base.u32(52)))
    }
}

/// The 48 bytes before a batch's records.
struct BatchHeader: Hashable, Sendable {
    var payloadCRC: UInt32
    /// Bytes of all record frames, a multiple of 8.
    var payload: Int
    var records: Int
    var flags: UInt16
    var firstOrdinal: UInt64
    /// Nanoseconds since 1970, UTC.
    var writtenAt: UInt64

    var size: Int { Format.batchOverhead + payload }

    /// Of the batch at this offset of `bytes`, already known to be one.
    static func size(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Int? {
        guard let base = bytes.baseAddress, offset + Format.batchHeader <= bytes.count else { return nil }
        return Format.batchOverhead + Int((base + offset).u32(12))
    }

    func encode(into bytes: UnsafeMutableRawPointer, at place: Position) {
        bytes.put(Format.batchMagic, 0)
        bytes.put(payloadCRC, 8)
        bytes.put(UInt32(truncatingIfNeeded: payload), 12)
        bytes.put(UInt32(truncatingIfNeeded: records), 16)
        bytes.put(place.journalOffset, 20)
        bytes.put(place.journalSegment, 24)
        bytes.put(flags, 28)
        bytes.put(Format.version, 30)
        bytes.put(firstOrdinal, 32)
        bytes.put(writtenAt, 40)
        bytes.put(Format.crc(Format.seed(place), bytes + 8, Format.batchHeader - 8), 4)
    }

    /// The header at `bytes` when it is one, belongs to this very place and passes its checksum.
    @inline(__always)
    static func read(_ bytes: UnsafeRawPointer, at place: Position) -> BatchHeader? {
        guard bytes.u32(0) == Format.batchMagic, bytes.u32(20) == place.journalOffset, bytes.u32(24) == place.journalSegment,
            bytes.u32(4) == Format.crc(Format.seed(place), bytes + 8, Format.batchHeader - 8)
        else { return nil }
        let payload = Int(bytes.u32(12))
        let version = bytes.u16(30)
        guard payload % 8 == 0, version >= 1, version <= Format.version else { return nil }
        return BatchHeader(
            payloadCRC: bytes.u32(8), payload: payload, records: Int(bytes.u32(16)), flags: bytes.u16(28),
            firstOrdinal: bytes.u64(32), writtenAt: bytes.u64(40))
    }
}

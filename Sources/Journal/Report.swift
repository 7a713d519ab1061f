/// A place in a journal that is not as it was written.
public struct Damage: Hashable, Sendable {
    public enum Kind: String, Sendable {
        /// Bytes among the batches fail their checksums or are missing.
        case batches
        /// The segment's header block; its batches were read all the same.
        case header
        /// The system could not read the bytes.
        case unreadable
        /// A whole segment between others is gone.
        case segment
        /// Bytes behind the mark of a clean stop, where nothing was written: no record is concerned.
        case behindEnd
    }

    public var kind: Kind
    public var segment: UInt32
    /// Bytes from the start of the segment's file.
    public var offset: Int
    public var length: Int
    /// Records inside the damaged bytes that passed their own checksum and were kept.
    public var salvaged = 0
    /// Records that are gone; nil when that cannot be known.
    public var lost: Int?
    /// The copy of the damaged bytes, when one was made.
    public var quarantined: String?

    public init(
        kind: Kind, segment: UInt32, offset: Int, length: Int, salvaged: Int = 0, lost: Int? = nil, quarantined: String? = nil
    ) {
        self.kind = kind
        self.segment = segment
        self.offset = offset
        self.length = length
        self.salvaged = salvaged
        self.lost = lost
        self.quarantined = quarantined
    }
}

/// A batch whose writing a power cut or crash interrupted. Nobody was told that it was durable.
public struct TornEnd: Hashable, Sendable {
    public var segment: UInt32
    /// Where the torn batch begins: the journal's good end.
    public var offset: Int
}

/// A segment as the journal knows it.
public struct SegmentInfo: Hashable, Sendable {
    public var number: UInt32
    /// Bytes of the file.
    public var size: Int
    /// Where its last durable batch ends, bytes from the start of the file.
    public var end: Int
    public var records: Int
    public var firstOrdinal: UInt64
    /// Nanoseconds since 1970, UTC; 0 when its header is damaged.
    public var createdAt: UInt64
    /// Of the last batch; 0 when there is none.
    public var writtenAt: UInt64
    /// True for the one being written.
    public var isCurrent = false
}

/// What reading a whole journal found.
public struct Report: Hashable, Sendable {
    /// nil for an empty journal.
    public var journal: JournalID?
    public var segments: [SegmentInfo] = []
    /// Records read, those salvaged from damaged places included.
    public var records = 0
    public var batches = 0
    /// Bytes of the good batches.
    public var bytes = 0
    /// In order of place; at most `damageLimit` entries.
    public var damage: [Damage] = []
    public var damageCount = 0
    /// Normal after a power cut; not damage.
    public var tornEnd: TornEnd?
    /// True when the last thing in the journal is the mark of a clean stop.
    public var stoppedCleanly = false
    /// Segment files that were never begun: a crash came between making them and the first write. `open` removes them.
    public var neverBegun: [UInt32] = []
    /// Segments of which a failed copy is kept beside the good one.
    public var failed: [UInt32] = []

    public static let damageLimit = 1000

    /// No damage; a torn end is allowed.
    public var isSound: Bool { damageCount == 0 }
    public var isEmpty: Bool { segments.isEmpty }
    /// Records known to be gone; damage of unknown extent not counted.
    public var lost: Int { damage.reduce(0) { $0 + ($1.lost ?? 0) } }
    public var salvaged: Int { damage.reduce(0) { $0 + $1.salvaged } }

    public init() {}

    // What carries over from segment to segment while reading.
    /// Ordinal of the next record, when known.
    var expected: UInt64?
    /// The damage entry whose losses the next good ordinal will tell.
    var undecided: Int?
    /// Where the last segment's last good batch lies in its file.
    var lastBatch: Range<Int>?
    /// Not all of the last segment could be read, so where it ends is not known for good.
    var endIsUncertain = false
    /// Records salvaged since `expected` was set.
    var undecidedSaved = 0

    mutating func add(_ found: Damage) {
        damageCount += 1
        guard damage.count < Self.damageLimit else { return }
        damage.append(found)
    }

    /// Adds a place that lost an unknown number of records; the next good ordinal will tell. Of several such places in a row
    /// the last carries the count of all.
    mutating func lose(_ found: Damage) {
        if let undecided { damage[undecided].lost = 0 }
        undecidedSaved += found.salvaged
        add(found)
        undecided = damageCount <= Self.damageLimit ? damage.count - 1 : nil
    }

    /// A segment was passed over: the ordinals behind it tell nothing about losses.
    mutating func skip() {
        expected = nil
        undecided = nil
        undecidedSaved = 0
    }

    /// A good header at this place says that the record behind it has this ordinal.
    mutating func met(ordinal: UInt64, segment: UInt32, offset: Int) {
        if let expected, ordinal >= expected {
            let missing = Int(clamping: ordinal - expected)
            if let undecided {
                damage[undecided].lost = max(0, missing - undecidedSaved)
            } else if missing > undecidedSaved {
                add(Damage(kind: .batches, segment: segment, offset: offset, length: 0, lost: missing - undecidedSaved))
            }
        }
        undecided = nil
        undecidedSaved = 0
        expected = ordinal
    }
}

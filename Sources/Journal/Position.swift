/// Where a record begins: segment number in the upper 32 bits, offset of the record's frame in that segment's file in the
/// lower 32. 0 means none. Positions rise in the order of appending and never change.
public typealias Position = UInt64

extension Position {
    /// - Parameter offset: bytes from the start of the segment's file.
    public init(journalSegment segment: UInt32, offset: UInt32) {
        self = UInt64(segment) << 32 | UInt64(offset)
    }

    /// The segment number, from 1; 0 only in the position that means none.
    public var journalSegment: UInt32 { UInt32(truncatingIfNeeded: self >> 32) }

    /// Bytes from the start of the segment's file.
    public var journalOffset: UInt32 { UInt32(truncatingIfNeeded: self) }

    init(_ segment: UInt32, _ offset: Int) {
        self = UInt64(segment) << 32 | UInt64(UInt32(truncatingIfNeeded: offset))
    }
}

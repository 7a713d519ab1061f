import MartletModel

/// The journal of a world: what is durable, by position. Nothing sealed: a payload lies there as it is.
struct WorldLog {
    /// Every durable record since the world began, also those trimmed since.
    private(set) var whole: [(position: UInt64, bytes: [UInt8])] = []
    private var readable: [UInt64: [UInt8]] = [:]
    private(set) var trimmedBefore: UInt32 = 1
    let segmentRecords: Int
    private var segment: UInt32 = 1
    private var offset: UInt32 = 0

    init(segmentRecords: Int) { self.segmentRecords = segmentRecords }

    /// Where the next record goes.
    mutating func place() -> UInt64 {
        if Int(offset) >= segmentRecords {
            segment += 1
            offset = 0
        }
        offset += 1
        return UInt64(segment) << 32 | UInt64(offset)
    }

    /// Where the newest record is, durable or not.
    var placed: UInt64 { UInt64(segment) << 32 | UInt64(offset) }

    mutating func store(_ position: UInt64, _ bytes: [UInt8]) {
        whole.append((position, bytes))
        readable[position] = bytes
    }

    func read(_ position: UInt64) -> [UInt8]? { readable[position] }

    /// What a process that died had appended and not made durable never was.
    mutating func cutTail(newSegment: Bool) {
        let last = whole.last?.position ?? 1 << 32
        segment = UInt32(last >> 32)
        offset = UInt32(truncatingIfNeeded: last)
        if newSegment {
            segment += 1
            offset = 0
        }
    }

    /// Position of the newest durable record.
    var newest: UInt64 { whole.last?.position ?? 1 << 32 }
    var durableSegment: UInt32 { UInt32(newest >> 32) }

    /// Segment of the record that is so-and-so manieth in `whole`, or will be.
    func segment(of place: Int) -> UInt32 { UInt32((place < whole.count ? whole[place].position : newest) >> 32) }

    /// Segments that there are.
    var segments: Int { Int(durableSegment) - Int(trimmedBefore) + 1 }

    mutating func trim(upTo last: UInt32) {
        trimmedBefore = last + 1
        readable = readable.filter { UInt32($0.key >> 32) > last }
    }

    /// What a start finds.
    var remaining: [(position: UInt64, bytes: [UInt8])] { whole.filter { UInt32($0.position >> 32) >= trimmedBefore } }
}

extension Record {
    func bytes(sealed: [UInt8] = []) -> [UInt8] {
        let clear = clearByteCount
        return [UInt8](unsafeUninitializedCapacity: clear + sealed.count) { buffer, count in
            write(to: UnsafeMutableRawPointer(buffer.baseAddress!))
            for (place, byte) in sealed.enumerated() { buffer[clear + place] = byte }
            count = clear + sealed.count
        }
    }
}

/// Reads the batches of a segment from memory: the good ones, and what can be saved around damage. Pure.
struct Walk {
    /// Bytes `base..<base + image.count` of the segment.
    let image: UnsafeRawBufferPointer
    let base: Int
    let segment: UInt32
    let end: End

    enum End: Hashable {
        /// Batches reach exactly this offset, as the next segment's header tells; what lies behind is not looked at.
        case known(Int)
        /// The last segment: zeros after a batch are its clean end.
        case open
        /// The image is a part of a segment; batches go on behind it.
        case part
    }

    /// What the walk found, besides the records it handed on.
    struct Outcome: Hashable {
        /// Where the good part ends: offset of the next batch, of the clean end, or of the torn batch.
        var end: Int
        /// Where the last good batch begins.
        var lastBatch: Int?
        var batches = 0
        var records = 0
        var bytes = 0
        var torn = false
        var stoppedCleanly = false
        var writtenAt: UInt64 = 0
        /// With `.part`: a batch begins at `end` that the image does not hold whole, or damage that more bytes may explain.
        var needsMore = false
    }

    /// Hands on a record; its bytes are valid during the call only.
    typealias Visit = (Position, UnsafeRawBufferPointer) throws -> Void

    /// At most this many bytes are checksummed in the search for records in one damaged place, so that no bytes, however
    /// chosen, hold up an opening for more than a few seconds.
    static let salvageBudget = 8 << 30

    private var limit: Int { if case .known(let offset) = end { min(offset, base + image.count) } else { base + image.count } }

    @inline(__always) private func pointer(_ offset: Int) -> UnsafeRawPointer {
        // Callers stay inside `image`, which is not empty then.
        image.baseAddress.unsafelyUnwrapped + (offset - base)
    }

    func run(from start: Int, into report: inout Report, _ visit: Visit) throws -> Outcome {
        var outcome = Outcome(end: start)
        var at = start
        let limit = limit
        loop: while true {
            if case .known(let known) = end, at >= known { break }
            guard let header = header(at) else {
                guard try unreadable(&at, &outcome, &report, visit) else { break }
                continue
            }
            let next = at + header.size
            if next > limit, end == .part {
                outcome.needsMore = true
                break
            }
            if next <= limit, isWhole(header, at) {
                report.met(ordinal: header.firstOrdinal, segment: segment, offset: at)
                try handOn(header, at, visit)
                report.expected = header.firstOrdinal + UInt64(header.records)
                outcome.batches += 1
                outcome.records += header.records
                outcome.bytes += header.size
                outcome.stoppedCleanly = header.flags & Format.cleanStop != 0
                outcome.writtenAt = header.writtenAt
                outcome.lastBatch = at
                at = next
                continue
            }
            if end == .part {
                outcome.needsMore = true
                break
            }
            // The header is good, the records are not all.
            let edge = min(next, limit)
            if end == .open, !outcome.stoppedCleanly, nextHeader(from: min(at + Format.batchHeader, limit)) == nil,
                isTorn(at, next, limit)
            {
                outcome.torn = true
                break loop
            }
            report.met(ordinal: header.firstOrdinal, segment: segment, offset: at)
            let saved = try salvage(at, edge, visit)
            report.add(
                Damage(
                    kind: .batches, segment: segment, offset: at, length: edge - at, salvaged: saved,
                    lost: max(0, header.records - saved)))
            report.expected = header.firstOrdinal + UInt64(header.records)
            outcome.records += saved
            outcome.stoppedCleanly = false
            at = edge
            if next > limit { break }
        }
        outcome.end = at
        if case .known(let known) = end, at < known {
            // The file is shorter than its journal remembers.
            lose(at, known, 0, &report)
            outcome.end = known
        }
        return outcome
    }

    /// No good header at `at`. Moves on to the next good one, or tells what kind of end this is; false at an end.
    private func unreadable(_ at: inout Int, _ outcome: inout Outcome, _ report: inout Report, _ visit: Visit) throws -> Bool {
        let limit = limit
        switch end {
        case .part:
            outcome.needsMore = at < limit
            return false
        case .known:
            let next = nextHeader(from: at + 8) ?? limit
            guard next > at else { return false }
            let saved = try salvage(at, next, visit)
            lose(at, next, saved, &report)
            outcome.records += saved
            outcome.stoppedCleanly = false
            at = next
            return true
        case .open:
            guard let last = lastNonZero(from: at) else { return false }
            if let next = nextHeader(from: at + 8) {
                let saved = try salvage(at, next, visit)
                lose(at, next, saved, &report)
                outcome.records += saved
                outcome.stoppedCleanly = false
                at = next
                return true
            }
            let edge = min(Format.padded(last + 1), limit)
            if outcome.stoppedCleanly {
                report.add(Damage(kind: .behindEnd, segment: segment, offset: at, length: edge - at, lost: 0))
                return false
            }
            if at + 8 > limit || pointer(at).u32(0) == 0 || isTornWithoutHeader(at, edge) {
                outcome.torn = true
                return false
            }
            // Never torn: records behind the header are whole, so it is the header that rotted.
            let saved = try salvage(at, edge, visit)
            lose(at, edge, saved, &report)
            // How many were lost stays unknown: nothing behind tells.
            if let expected = report.expected { report.expected = expected + UInt64(saved) }
            report.undecided = nil
            report.undecidedSaved = 0
            outcome.records += saved
            at = edge
            return at < limit
        }
    }

    // MARK: Batches

    private func header(_ at: Int) -> BatchHeader? {
        guard at + Format.batchHeader <= limit else { return nil }
        return BatchHeader.read(pointer(at), at: Position(segment, at))
    }

    /// Payload passes its checksum and its frames add up.
    private func isWhole(_ header: BatchHeader, _ at: Int) -> Bool {
        let payload = pointer(at) + Format.batchHeader
        guard Format.crc(Format.seed(Position(segment, at)), payload, header.payload) == header.payloadCRC else { return false }
        var offset = 0
        var count = 0
        while offset + Format.frameHeader <= header.payload {
            let length = Int(payload.u32(offset))
            guard length > 0 else { return false }
            offset += Format.framed(length)
            count += 1
        }
        return offset == header.payload && count == header.records
    }

    private func handOn(_ header: BatchHeader, _ at: Int, _ visit: Visit) throws {
        var offset = at + Format.batchHeader
        let frames = offset + header.payload
        while offset < frames {
            let frame = pointer(offset)
            let length = Int(frame.u32(0))
            try visit(Position(segment, offset), UnsafeRawBufferPointer(start: frame + Format.frameHeader, count: length))
            offset += Format.framed(length)
        }
    }

    /// The next offset, in steps of 8 from `start`, where a good header stands.
    func nextHeader(from start: Int) -> Int? {
        var at = start
        let limit = limit
        while at + Format.batchHeader <= limit {
            if pointer(at).u32(0) == Format.batchMagic, header(at) != nil { return at }
            at += 8
        }
        return nil
    }

    // MARK: Damage

    private func lose(_ from: Int, _ to: Int, _ saved: Int, _ report: inout Report) {
        report.lose(Damage(kind: .batches, segment: segment, offset: from, length: to - from, salvaged: saved))
    }

    /// Hands on every record in `from..<to` that passes its own checksum; returns how many.
    private func salvage(_ from: Int, _ to: Int, _ visit: Visit) throws -> Int {
        var saved = 0
        try intact(from, to) { at, length in
            saved += 1
            try visit(
                Position(segment, at), UnsafeRawBufferPointer(start: pointer(at) + Format.frameHeader, count: length))
        }
        return saved
    }

    private func intact(_ from: Int, _ to: Int, _ found: (_ at: Int, _ length: Int) throws -> Void) rethrows {
        var at = from
        var budget = Self.salvageBudget
        while at + Format.frameHeader < to {
            let frame = pointer(at)
            let length = Int(frame.u32(0))
            guard length > 0, length <= to - at - Format.frameHeader else {
                at += 8
                continue
            }
            budget -= length
            guard budget > 0 else { return }
            if frame.u32(4) == Format.recordCRC(frame, at: Position(segment, at), length: length) {
                try found(at, length)
                at += Format.framed(length)
            } else {
                at += 8
            }
        }
    }

    // MARK: Torn or rotten?
    // A torn batch misses whole sectors, which are still zero, as the segment was zero-filled; its trailer, never zero, may
    // be among them. Rot changes bytes and leaves the rest in place.

    /// Of a batch with a good header and bad payload, nothing good behind it.
    private func isTorn(_ at: Int, _ next: Int, _ limit: Int) -> Bool {
        if next > limit { return true }
        if pointer(next - Format.batchTrailer).u64(0) == 0 { return true }
        return hasHole(at, next)
    }

    /// Of bytes without a good header, nothing good behind them.
    private func isTornWithoutHeader(_ at: Int, _ edge: Int) -> Bool {
        var records = 0
        intact(at, edge) { _, _ in records += 1 }
        return records == 0 || hasHole(at, edge)
    }

    /// Whether a 512-byte sector outside every intact record is zero.
    private func hasHole(_ from: Int, _ to: Int) -> Bool {
        var kept: [Range<Int>] = []
        intact(from, to) { at, length in kept.append(at..<at + Format.framed(length)) }
        var next = 0
        var sector = (from + 511) & ~511
        while sector + 512 <= to {
            while next < kept.count, kept[next].upperBound <= sector { next += 1 }
            let touched = next < kept.count && kept[next].lowerBound < sector + 512
            if !touched, isZero(sector, 512) { return true }
            sector += 512
        }
        return false
    }

    private func isZero(_ at: Int, _ count: Int) -> Bool {
        var offset = 0
        let bytes = pointer(at)
        while offset < count {
            if bytes.u64(offset) != 0 { return false }
            offset += 8
        }
        return true
    }

    private func lastNonZero(from at: Int) -> Int? {
        var last = limit - 1
        while last >= at, last % 8 != 7 || last - 7 < at {
            if pointer(last).load(as: UInt8.self) != 0 { return last }
            last -= 1
        }
        while last - 7 >= at, pointer(last - 7).u64(0) == 0 { last -= 8 }
        while last >= at, pointer(last).load(as: UInt8.self) == 0 { last -= 1 }
        return last >= at ? last : nil
    }
}

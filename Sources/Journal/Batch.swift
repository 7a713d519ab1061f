import Threads

/// Memory for one batch.
///
/// `@unchecked Sendable`: a buffer has one holder at a time: the pool, then the appender that fills it, then (inside a cut
/// batch, which the appender has let go of) the writer thread, then the pool again. The pool and the writer's queue are
/// behind locks, which order the accesses.
final class Buffer: @unchecked Sendable {
    let bytes: UnsafeMutableRawBufferPointer

    init(_ size: Int) { bytes = .allocate(byteCount: size, alignment: 4096) }

    deinit { bytes.deallocate() }
}

/// Buffers that go round between the appender and the writer.
final class BufferPool: Sendable {
    private struct Held {
        var free: [Buffer] = []
        var out = 0
    }

    private let held = Monitor(Held())
    private let size: Int
    private let limit: Int
    /// Free buffers kept; those of a burst beyond it go back to the system.
    private static let kept = 4

    init(size: Int, limit: Int) {
        self.size = size
        self.limit = limit
    }

    /// nil when `limit` buffers are out.
    func take() -> Buffer? {
        held.locked { held in
            guard held.out < limit else { return nil }
            held.out += 1
            return held.free.popLast() ?? Buffer(size)
        }
    }

    func give(_ buffer: Buffer) {
        held.locked { held in
            held.out -= 1
            if held.free.count < Self.kept { held.free.append(buffer) }
        }
    }
}

/// A filled batch on its way to the disk. Hand it to `Journal.write` exactly once, in the order of cutting.
public struct Batch: Sendable {
    /// Where the batch begins; every record in it lies behind.
    public let start: Position
    /// Where it ends: the next batch begins here, or in the next segment.
    public let end: Position
    public let records: Int
    /// Bytes it takes on disk.
    public let size: Int
    /// The first record's number, counted from the journal's beginning.
    public let firstOrdinal: UInt64
    let flags: UInt16
    let buffer: Buffer

    /// Writes checksums, header and trailer into the buffer: the writer thread's work, so that the appender's is a copy only.
    func seal(now: UInt64) -> UnsafeRawBufferPointer {
        guard let base = buffer.bytes.baseAddress else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let payload = size - Format.batchOverhead
        var at = Format.batchHeader
        let frames = Format.batchHeader + payload
        while at < frames {
            let frame = base + at
            let length = Int(UnsafeRawPointer(frame).u32(0))
            frame.put(Format.recordCRC(frame, at: start + UInt64(at), length: length), 4)
            at += Format.framed(length)
        }
        let crc = Format.crc(Format.seed(start), base + Format.batchHeader, payload)
        BatchHeader(payloadCRC: crc, payload: payload, records: records, flags: flags, firstOrdinal: firstOrdinal, writtenAt: now)
            .encode(into: base, at: start)
        (base + frames).put(Format.trailerMagic, 0)
        (base + frames).put(crc, 4)
        return UnsafeRawBufferPointer(rebasing: buffer.bytes[..<size])
    }
}

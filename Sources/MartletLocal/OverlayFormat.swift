import Journal
import MartletModel

/// The layout of an overlay file, version 1; `docs/reference/customer-files.md` holds the same in tables.
enum OverlayFormat {
    static let magic: UInt64 = 0x5245_564F_5453_5543  // "CUSTOVER"
    static let version: UInt16 = 1
    static let header = 40
    /// Length, checksum, sequence.
    static let frameHead = 16
    static let frameMaximum = 1 << 17

    /// What opening an overlay found.
    struct Reading {
        var epoch: UInt64 = 0
        /// Of the next change.
        var next: UInt64 = 1
        /// Where the file goes on.
        var end = header
        /// Bytes of an append that did not come to its end, behind `end`.
        var torn = 0
        /// Stretches between good frames that are none.
        var damaged: [Range<Int>] = []
        /// Frames whose checksum holds and whose change this version cannot read.
        var unreadable = 0
    }

    static func header(epoch: UInt64, first: UInt64, hashCheck: UInt64) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: header)
        bytes.withUnsafeMutableBytes { buffer in
            guard let start = buffer.baseAddress else { return }
            start.put(magic, 0)
            start.put(version, 8)
            start.put(epoch, 12)
            start.put(first, 20)
            start.put(hashCheck, 28)
            start.put(Checksum.of(UnsafeRawBufferPointer(start: start, count: header - 4)), header - 4)
        }
        return bytes
    }

    /// Adds a frame to `bytes`, which will stand in the file from `offset` on.
    static func frame(
        _ change: CustomerChange, sequence: UInt64, epoch: UInt64, offset: Int, to bytes: inout [UInt8]
    ) throws(CustomerFault) {
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: frameHead))
        try change.write(to: &bytes)
        let count = bytes.count - start - frameHead
        guard count <= frameMaximum else { throw .tooLong(field: "change", limit: frameMaximum) }
        bytes.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return }
            let frame = base + start
            frame.put(UInt32(count), 0)
            frame.put(sequence, 8)
            frame.put(check(UnsafeRawPointer(frame), count, epoch, offset + start), 4)
        }
    }

    /// A frame's checksum belongs to its file and its place: length, then sequence and change.
    static func check(_ frame: UnsafeRawPointer, _ count: Int, _ epoch: UInt64, _ offset: Int) -> UInt32 {
        let seed = Checksum.seed(epoch &+ UInt64(offset))
        let length = Checksum.of(UnsafeRawBufferPointer(start: frame, count: 4), seed: seed)
        return Checksum.of(UnsafeRawBufferPointer(start: frame + 8, count: 8 + count), seed: length)
    }

    /// Reads the whole file. An append that did not come to its end is what follows the last good frame; what is bad between
    /// good frames is damage, and is stepped past.
    /// - Parameter each: gets the changes in order.
    static func read(
        _ bytes: UnsafeRawBufferPointer, hashCheck: UInt64, path: String, each: (_ sequence: UInt64, CustomerChange) -> Void
    ) throws(LocalFault) -> Reading {
        guard bytes.count >= header, let base = bytes.baseAddress else { throw .unfinished(path: path) }
        let check = Checksum.of(UnsafeRawBufferPointer(start: base, count: header - 4))
        guard base.word(0) == magic, base.word(header - 4) == check else { throw .damaged(path: path, place: "header") }
        let version: UInt16 = base.word(8)
        guard version <= OverlayFormat.version else { throw .newer(path: path, version: version) }
        guard base.word(28) == hashCheck else { throw .foreign(path: path) }
        var reading = Reading(epoch: base.word(12), next: base.word(20))
        var at = header
        while at < bytes.count {
            if let count = frame(at, bytes, reading) {
                if at > reading.end { reading.damaged.append(reading.end..<at) }
                let body = UnsafeRawBufferPointer(rebasing: bytes[at + frameHead..<at + frameHead + count])
                let sequence: UInt64 = base.word(at + 8)
                do throws(CustomerFault) {
                    each(sequence, try CustomerChange(reading: body))
                } catch {
                    reading.unreadable += 1
                }
                reading.next = sequence + 1
                at += frameHead + count
                reading.end = at
            } else {
                at += 1
            }
        }
        reading.torn = bytes.count - reading.end
        return reading
    }

    /// Bytes of the change whose frame begins there; nil when none does.
    private static func frame(_ at: Int, _ bytes: UnsafeRawBufferPointer, _ reading: Reading) -> Int? {
        guard bytes.count - at > frameHead, let base = bytes.baseAddress else { return nil }
        let count = Int(base.word(at, as: UInt32.self))
        guard (1...frameMaximum).contains(count), count <= bytes.count - at - frameHead else { return nil }
        let sequence: UInt64 = base.word(at + 8)
        guard sequence >= reading.next, sequence - reading.next < 1 << 32 else { return nil }
        return base.word(at + 4) == check(base + at, count, reading.epoch, at) ? count : nil
    }
}

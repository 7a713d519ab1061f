import NIOCore
import SMPP

/// The receipts one bind was sent and has not answered, kept whole so that they can go out again when the bind dies first. Sequence
/// numbers rise by one, so the place of a receipt is its number modulo the size.
struct DeliverWindow {
    /// Most unanswered deliver_sm on a bind.
    static let size = 1024

    private var bytes: [UInt8] = []
    private var lengths: [UInt16] = []
    private var sequences: [UInt32] = []
    private(set) var next: UInt32 = 1
    private(set) var open = 0

    init() {}

    /// False when the oldest unanswered receipt still holds the next place.
    var hasRoom: Bool {
        lengths.isEmpty || lengths[Int(next) % Self.size] == 0
    }

    /// Appends one deliver_sm to `out` and keeps a copy; call only when `hasRoom`.
    mutating func send(to out: inout ByteBuffer, _ body: (inout RawWriter, UInt32) -> Void) {
        if lengths.isEmpty {
            bytes = Array(repeating: 0, count: Self.size * Receipt.octetsMaximum)
            lengths = Array(repeating: 0, count: Self.size)
            sequences = Array(repeating: 0, count: Self.size)
        }
        let sequence = next
        let place = Int(sequence) % Self.size
        bytes.withUnsafeMutableBytes { all in
            let room = UnsafeMutableRawBufferPointer(
                rebasing: all[place &* Receipt.octetsMaximum..<(place &+ 1) &* Receipt.octetsMaximum])
            var writer = RawWriter(room)
            body(&writer, sequence)
            let length = writer.finish()
            lengths[place] = UInt16(length)
            out.writeBytes(UnsafeRawBufferPointer(rebasing: room[..<length]))
        }
        sequences[place] = sequence
        open &+= 1
        // 1 ... 0x7FFFFFFF (SMPP 3.4, 3.2), wrapping where the modulus goes on without a gap.
        next = sequence == 0x7FFF_FC00 ? 1 : sequence &+ 1
    }

    /// The answer to `sequence` came; false when nothing waited for it. `body` gets the PDU once more.
    mutating func answered(_ sequence: UInt32, _ body: (UnsafeRawBufferPointer) -> Void) -> Bool {
        let place = Int(sequence) % Self.size
        guard !lengths.isEmpty, sequences[place] == sequence, lengths[place] > 0 else { return false }
        give(place, body)
        lengths[place] = 0
        open &-= 1
        return true
    }

    /// Gives every unanswered PDU, oldest first, and forgets them.
    mutating func drain(_ body: (UnsafeRawBufferPointer) -> Void) {
        guard open > 0 else { return }
        for step in 0..<Self.size {
            let place = (Int(next) + step) % Self.size
            if lengths[place] > 0 {
                give(place, body)
                lengths[place] = 0
            }
        }
        open = 0
    }

    private func give(_ place: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
        bytes.withUnsafeBytes { all in
            let start = place * Receipt.octetsMaximum
            body(UnsafeRawBufferPointer(rebasing: all[start..<start + Int(lengths[place])]))
        }
    }
}

/// Receipts that wait for a bind with room, first in first out, bounded.
struct Outbox {
    static let countMaximum = 200_000

    private var buffer = ByteBuffer()
    private(set) var count = 0

    init() {}

    /// False when it is full and the receipt was not taken.
    mutating func append(_ pdu: UnsafeRawBufferPointer) -> Bool {
        guard count < Self.countMaximum else { return false }
        buffer.writeBytes(pdu)
        count += 1
        return true
    }

    /// Gives the first receipt; nothing when there is none.
    mutating func takeFirst(_ body: (UnsafeRawBufferPointer) -> Void) {
        guard count > 0, let length = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self) else { return }
        buffer.withUnsafeReadableBytes { bytes in
            body(UnsafeRawBufferPointer(rebasing: bytes[..<min(Int(length), bytes.count)]))
        }
        buffer.moveReaderIndex(forwardBy: min(Int(length), buffer.readableBytes))
        count -= 1
        if count == 0 {
            buffer.clear()
        } else if buffer.readerIndex > 1 << 20 {
            buffer.discardReadBytes()
        }
    }

    mutating func removeAll() {
        buffer = ByteBuffer()
        count = 0
    }
}

/// The 128-bit name of a notification and of its messages, in UUIDv7 form (RFC 9562, section 5.7).
///
/// Layout, most significant bit first:
/// 48 bits Unix milliseconds, 4 bits version (7), 8 bits partition, 4 bits random,
/// 2 bits variant (0b10), 54 bits random, 8 bits ordinal.
/// Ordinal 0 is the notification, 1 and up its messages, so a notification and its messages share all other bits.
public struct MessageID: Hashable, Comparable, Sendable {
    public let high: UInt64
    public let low: UInt64

    @inlinable public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// - Parameters:
    ///   - milliseconds: wall time since 1970, 48 bits are kept.
    ///   - random: 58 bits of it are used; from a secure generator outside of seeded worlds.
    @inlinable public init(milliseconds: Int64, partition: PartitionNumber, random: UInt64) {
        let time = UInt64(truncatingIfNeeded: milliseconds) & 0xFFFF_FFFF_FFFF
        high = time << 16 | 0x7000 | UInt64(partition) << 4 | (random >> 58) & 0xF
        low = 0x8000_0000_0000_0000 | (random & 0x003F_FFFF_FFFF_FFFF) << 8
    }

    /// Stands where there is no message.
    public static let none = MessageID(high: 0, low: 0)

    public var milliseconds: Int64 { Int64(high >> 16) }
    public var partition: PartitionNumber { PartitionNumber(truncatingIfNeeded: high >> 4) }
    public var ordinal: UInt8 { UInt8(truncatingIfNeeded: low) }
    /// The same notification's member with this ordinal.
    public func with(ordinal: UInt8) -> MessageID { MessageID(high: high, low: low & ~0xFF | UInt64(ordinal)) }
    public var notification: MessageID { with(ordinal: 0) }

    public static func < (a: MessageID, b: MessageID) -> Bool { a.high != b.high ? a.high < b.high : a.low < b.low }

    /// 32 lower-case hexadecimal digits, the only text form.
    public var text: String {
        String(unsafeUninitializedCapacity: 32) { buffer in
            write(hex: buffer)
            return 32
        }
    }

    /// Writes the 32 digits at the start of `buffer`, which must hold at least 32 bytes.
    @inlinable public func write(hex buffer: UnsafeMutableBufferPointer<UInt8>) {
        precondition(buffer.count >= 32, "an id needs 32 bytes")
        for place in 0..<16 {
            let shift = UInt64(60 &- 4 &* place)
            buffer[place] = MessageID.digit(high &>> shift)
            buffer[place &+ 16] = MessageID.digit(low &>> shift)
        }
    }

    @inlinable static func digit(_ word: UInt64) -> UInt8 {
        let value = UInt8(truncatingIfNeeded: word & 0xF)
        return value < 10 ? 48 &+ value : 87 &+ value
    }

    /// Reads 32 hexadecimal digits of either case; nil for anything else, an impossible version or variant included.
    public init?(text: some StringProtocol) {
        var words: (UInt64, UInt64) = (0, 0)
        var count = 0
        for byte in text.utf8 {
            let digit: UInt8
            switch byte {
            case 48...57: digit = byte - 48
            case 97...102: digit = byte - 87
            case 65...70: digit = byte - 55
            default: return nil
            }
            if count < 16 { words.0 = words.0 << 4 | UInt64(digit) } else { words.1 = words.1 << 4 | UInt64(digit) }
            count += 1
            if count > 32 { return nil }
        }
        guard count == 32, words.0 >> 12 & 0xF == 7, words.1 >> 62 == 0b10 else { return nil }
        self.init(high: words.0, low: words.1)
    }
}

extension MessageID: CustomStringConvertible {
    public var description: String { text }
}

/// Partition of a customer, 0 ..< `partitionCount`; part of every id and record.
public typealias PartitionNumber = UInt8
/// Partitions of a node; fixed when its data directory is created.
public let partitionCount = 32

/// Number of a sender system, given once when it is made and never reused.
public typealias SourceNumber = UInt16
/// Number of a connection group (an operator, an aggregator), given once and never reused.
public typealias GroupNumber = UInt8
/// Number of one connection (a bind) within a running node; not stored.
public typealias ConnectionNumber = UInt16

/// An international number: the digits of E.164 without the plus sign, 7...15 of them, the first not 0.
public struct PhoneNumber: Hashable, Sendable {
    public let digits: UInt64

    /// For a value that went through `parse` before, such as one read from a record.
    @inlinable public init(digits: UInt64) { self.digits = digits }

    public enum Fault: Error, Equatable, Sendable {
        case missingPlus, notADigit, tooShort, tooLong, leadingZero
    }

    /// Reads `+` and 7...15 digits (E.164, section 6.2.1), nothing else: no spaces, no brackets.
    public static func parse(_ text: some Sequence<UInt8>) throws(Fault) -> PhoneNumber {
        var value: UInt64 = 0
        var count = -1
        for byte in text {
            if count == -1 {
                guard byte == 0x2B else { throw .missingPlus }
                count = 0
                continue
            }
            guard byte >= 48, byte <= 57 else { throw .notADigit }
            if count == 0, byte == 48 { throw .leadingZero }
            count += 1
            if count > 15 { throw .tooLong }
            value = value &* 10 &+ UInt64(byte &- 48)
        }
        if count == -1 { throw .missingPlus }
        if count < 7 { throw .tooShort }
        return PhoneNumber(digits: value)
    }

    /// As it goes on the wire: digits without the plus sign.
    public var national: String { String(digits) }
    /// `+447700900123`. Customer data: never in a log line, metric or URL.
    public var international: String { "+\(digits)" }
    /// What screens show.
    public var masked: String { Mask.number(self) }
}

/// The clear part that every record begins with: 80 bytes, little-endian. What the core needs to queue, time and find a
/// message stands here; addresses and texts never do. Layout and rules: `docs/reference/record-format.md`.
public struct RecordHeader: Equatable, Sendable {
    public var kind: RecordKind
    public var version: UInt8
    public var partition: PartitionNumber
    public var messageClass: UInt8
    public var source: SourceNumber
    public var group: GroupNumber
    public var parts: UInt8
    /// Counts the records of the partition from 1, without a gap.
    public var sequence: UInt64
    /// All zero for records that belong to no message.
    public var id: MessageID
    /// Raw journal position of this id's previous record; 0 for its first.
    public var previous: UInt64
    /// Wall microseconds.
    public var at: Int64
    /// Wall milliseconds; 0: none.
    public var deadline: Int64
    /// Key that sealed the sealed part; 0: nothing is sealed.
    public var keyID: UInt32
    public var flags: RecordFlags
    /// Bytes of the kind's own clear part that follows the header.
    public var clearCount: UInt16
    /// Of an acceptance whose source gave an idempotency key: keyed hashes of key with scope, and of the body. Both 0: none.
    public var keyHash: UInt64
    public var bodyHash: UInt64

    public static let byteCount = 80
    public static let currentVersion: UInt8 = 1

    public init(
        kind: RecordKind, partition: PartitionNumber = 0, messageClass: UInt8 = 0, source: SourceNumber = 0, group: GroupNumber = 0,
        parts: UInt8 = 0, id: MessageID = MessageID(high: 0, low: 0), at: Int64, deadline: Int64 = 0, flags: RecordFlags = []
    ) {
        self.kind = kind
        version = RecordHeader.currentVersion
        self.partition = partition
        self.messageClass = messageClass
        self.source = source
        self.group = group
        self.parts = parts
        sequence = 0
        self.id = id
        previous = 0
        self.at = at
        self.deadline = deadline
        keyID = 0
        self.flags = flags
        clearCount = 0
        keyHash = 0
        bodyHash = 0
    }

    public func write(to target: UnsafeMutableRawPointer) {
        target.storeBytes(of: kind.rawValue, as: UInt8.self)
        target.storeBytes(of: version, toByteOffset: 1, as: UInt8.self)
        target.storeBytes(of: partition, toByteOffset: 2, as: UInt8.self)
        target.storeBytes(of: messageClass, toByteOffset: 3, as: UInt8.self)
        target.storeBytes(of: source.littleEndian, toByteOffset: 4, as: UInt16.self)
        target.storeBytes(of: group, toByteOffset: 6, as: UInt8.self)
        target.storeBytes(of: parts, toByteOffset: 7, as: UInt8.self)
        target.storeBytes(of: sequence.littleEndian, toByteOffset: 8, as: UInt64.self)
        target.storeBytes(of: id.high.littleEndian, toByteOffset: 16, as: UInt64.self)
        target.storeBytes(of: id.low.littleEndian, toByteOffset: 24, as: UInt64.self)
        target.storeBytes(of: previous.littleEndian, toByteOffset: 32, as: UInt64.self)
        target.storeBytes(of: at.littleEndian, toByteOffset: 40, as: Int64.self)
        target.storeBytes(of: deadline.littleEndian, toByteOffset: 48, as: Int64.self)
        target.storeBytes(of: keyID.littleEndian, toByteOffset: 56, as: UInt32.self)
        target.storeBytes(of: flags.rawValue.littleEndian, toByteOffset: 60, as: UInt16.self)
        target.storeBytes(of: clearCount.littleEndian, toByteOffset: 62, as: UInt16.self)
        target.storeBytes(of: keyHash.littleEndian, toByteOffset: 64, as: UInt64.self)
        target.storeBytes(of: bodyHash.littleEndian, toByteOffset: 72, as: UInt64.self)
    }

    /// - Throws: `RecordFault` when the bytes are no record that this version can read.
    public init(reading bytes: UnsafeRawBufferPointer) throws(RecordFault) {
        guard bytes.count >= RecordHeader.byteCount else { throw .truncated }
        guard let kind = RecordKind(rawValue: bytes[0]) else { throw .unknownKind(bytes[0]) }
        guard bytes[1] == RecordHeader.currentVersion else { throw .unknownVersion(bytes[1]) }
        self.kind = kind
        version = bytes[1]
        partition = bytes[2]
        messageClass = bytes[3]
        source = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt16.self))
        group = bytes[6]
        parts = bytes[7]
        sequence = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        id = MessageID(
            high: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)),
            low: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)))
        previous = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 32, as: UInt64.self))
        at = Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 40, as: Int64.self))
        deadline = Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 48, as: Int64.self))
        keyID = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 56, as: UInt32.self))
        flags = RecordFlags(rawValue: UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 60, as: UInt16.self)))
        clearCount = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 62, as: UInt16.self))
        keyHash = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 64, as: UInt64.self))
        bodyHash = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 72, as: UInt64.self))
        guard RecordHeader.byteCount + Int(clearCount) <= bytes.count else { throw .truncated }
    }
}

/// What happened. Raw values are on disk: never change one, add at the end.
public enum RecordKind: UInt8, CaseIterable, Sendable {
    /// A submission was taken: the obligation begins. Sealed: addresses, text, reference.
    case accepted = 1
    /// A provider answered one part, or did not.
    case answered = 2
    /// A receipt was heard for one part.
    case receipt = 3
    /// The message came to its end by a timer, a decision or a person.
    case ended = 4
    /// The message goes back to its queue by a timer or at a restart.
    case resumed = 5
    /// An open message copied forward so that its old segment can be trimmed. Sealed part copied as it was.
    case carried = 6
    /// A receipt whose message is not known (yet).
    case orphan = 7
    /// The node itself: started, stopped, a person's act.
    case mark = 8
    /// The source heard of the end of its message, or was given up on.
    case told = 9
    /// A message from a handset, or one part of one that is not whole yet. Sealed: addresses and text, or the part.
    case inbound = 10
    /// A person moved a waiting message to another connection group.
    case rerouted = 11
    /// The sums of a source, so that they outlive the records they were counted from.
    case ledger = 12
    /// A customer opted out of classes, or in again.
    case preference = 13
    /// The source put another text in the place of one that no provider had. Sealed as `accepted`.
    case replaced = 14
    /// A provider was asked about a part, or told to forget it, and what it said to that.
    case asked = 15
    /// It was decided whether, how and when the customer of an event is told. Fresh, the obligation begins. Sealed: the event, what was read,
    /// the text.
    case decided = 16
    /// Times that count for caps and limits, so that they outlive the records they were counted from.
    case counted = 17
    /// A customer connected or disconnected a package by a word from a handset.
    case subscribed = 18
}

public struct RecordFlags: OptionSet, Equatable, Sendable {
    public let rawValue: UInt16
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
    /// What is sent from here on may reach the customer a second time.
    public static let possibleDuplicate = RecordFlags(rawValue: 1)
    /// No part of the attempt is open any more.
    public static let settlesAttempt = RecordFlags(rawValue: 2)
    /// The message had ended before: kept as a late outcome, changes nothing.
    public static let late = RecordFlags(rawValue: 4)
    /// The source wants to hear of a delivery.
    public static let tellsDelivered = RecordFlags(rawValue: 8)
    /// The source wants to hear of every other end.
    public static let tellsFailed = RecordFlags(rawValue: 16)
    /// The message ended by this record.
    public static let ends = RecordFlags(rawValue: 128)

    /// State and reason of the message after this record, as the fold left them: the state in bits 8...11, of the reason the four low bits in
    /// 12...15 and the two high ones in 5 and 6. What the story of an ended message is told from.
    public static func outcome(_ state: MessageState, _ reason: EndReason) -> RecordFlags {
        RecordFlags(rawValue: UInt16(state.rawValue) << 8 | UInt16(reason.rawValue & 15) << 12 | UInt16(reason.rawValue >> 4 & 3) << 5)
    }
    public var state: MessageState? { MessageState(rawValue: UInt8(rawValue >> 8 & 0xF)) }
    public var reason: EndReason? { EndReason(rawValue: UInt8(rawValue >> 12) | UInt8(rawValue >> 5 & 3) << 4) }
}

public enum RecordFault: Error, Equatable, Sendable {
    case truncated
    case unknownKind(UInt8)
    case unknownVersion(UInt8)
    case badValue(field: String)
}

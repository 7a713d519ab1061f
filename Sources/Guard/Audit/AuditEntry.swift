import Crypto

/// One act as the audit keeps it. The texts are words of Martlet and identifiers, never a customer's number, name or text: what is personal
/// goes into the details, of which the entry holds a commitment only.
public struct AuditEntry: Sendable, Equatable {
    /// From 1, without a gap.
    public var sequence: UInt64
    /// Microseconds since 1970, UTC.
    public var time: Int64
    /// Who: a user, a source, a part of Martlet.
    public var principal: String
    /// What was done: a word of the closed list of audit events.
    public var action: String
    /// To what, by identifier.
    public var object: String
    public var outcome: String
    /// Why, where a reason was asked for.
    public var reason: String?
    /// Commitment to the details kept beside; nil where there are none.
    public var details: AuditHash?
    /// Hash of the entry before; of the first entry, the origin of its chain.
    public var previous: AuditHash

    public init(
        sequence: UInt64, time: Int64, principal: String, action: String, object: String, outcome: String, reason: String? = nil,
        details: AuditHash? = nil, previous: AuditHash
    ) {
        self.sequence = sequence
        self.time = time
        self.principal = principal
        self.action = action
        self.object = object
        self.outcome = outcome
        self.reason = reason
        self.details = details
        self.previous = previous
    }

    /// What the entry after this one holds as `previous`.
    public var hash: AuditHash {
        var frame: [UInt8] = []
        return hash(framedIn: &frame)
    }

    /// As `hash`; `frame` is memory used again from entry to entry.
    func hash(framedIn frame: inout [UInt8]) -> AuditHash {
        frame.removeAll(keepingCapacity: true)
        frame.append(contentsOf: "martlet audit entry v1\n".utf8)
        AuditEntry.append(sequence, to: &frame)
        AuditEntry.append(UInt64(bitPattern: time), to: &frame)
        AuditEntry.append(principal, to: &frame)
        AuditEntry.append(action, to: &frame)
        AuditEntry.append(object, to: &frame)
        AuditEntry.append(outcome, to: &frame)
        frame.append(reason == nil ? 0 : 1)
        if let reason { AuditEntry.append(reason, to: &frame) }
        frame.append(details == nil ? 0 : 1)
        if let details { details.append(to: &frame) }
        previous.append(to: &frame)
        return AuditHash(of: frame)
    }

    /// Big-endian.
    private static func append(_ number: UInt64, to frame: inout [UInt8]) {
        for shift in stride(from: UInt64(56), through: 0, by: -8) { frame.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    /// Its length in bytes as eight bytes, then the bytes: no two lists of texts make the same frame.
    private static func append(_ text: String, to frame: inout [UInt8]) {
        append(UInt64(text.utf8.count), to: &frame)
        frame.append(contentsOf: text.utf8)
    }
}

/// An entry with its own hash, as it is stored: the hash beside the fields tells a changed entry from a changed neighbour.
public struct ChainedAuditEntry: Sendable, Equatable {
    public var entry: AuditEntry
    public var hash: AuditHash

    public init(entry: AuditEntry, hash: AuditHash) {
        self.entry = entry
        self.hash = hash
    }
}

/// A SHA-256 of the audit, 32 bytes.
public struct AuditHash: Hashable, Sendable, CustomStringConvertible {
    private let first: UInt64
    private let second: UInt64
    private let third: UInt64
    private let fourth: UInt64

    public static let byteCount = 32

    /// Nil: not 32 bytes.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == AuditHash.byteCount else { return nil }
        self = Array(bytes).withUnsafeBytes { AuditHash(loading: $0) }
    }

    /// Nil: not 64 hexadecimal digits in lower case.
    public init?(text: some StringProtocol) {
        guard let bytes = Hex.bytes(text) else { return nil }
        self.init(bytes)
    }

    init(of frame: [UInt8]) {
        self = frame.withUnsafeBytes { SHA256.hash(data: $0) }.withUnsafeBytes { AuditHash(loading: $0) }
    }

    private init(loading bytes: UnsafeRawBufferPointer) {
        first = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self))
        second = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        third = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
        fourth = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
    }

    public var bytes: [UInt8] {
        var all: [UInt8] = []
        append(to: &all)
        return all
    }

    /// 64 hexadecimal digits, lower case.
    public var text: String { Hex.text(bytes) }
    public var description: String { text }

    func append(to frame: inout [UInt8]) {
        let words = (first.bigEndian, second.bigEndian, third.bigEndian, fourth.bigEndian)
        withUnsafeBytes(of: words) { frame.append(contentsOf: $0) }
    }
}

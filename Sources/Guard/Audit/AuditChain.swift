/// Where a chain stands: its last entry. Of an empty chain, sequence 0 and the chain's origin.
public struct AuditHead: Sendable, Hashable {
    public var sequence: UInt64
    public var hash: AuditHash

    public init(sequence: UInt64, hash: AuditHash) {
        self.sequence = sequence
        self.hash = hash
    }
}

/// Why an act cannot be entered.
public enum AuditFault: Error, Equatable, Sendable, CustomStringConvertible {
    case badChainName(String)
    case empty(field: String)
    case tooLong(field: String, bytes: Int, maximum: Int)
    /// Details that were stored with a salt of another length.
    case badSalt(bytes: Int)
    /// All 2^64 - 1 numbers are used.
    case full

    public var description: String {
        switch self {
        case .badChainName(let name): "audit: `\(name)` cannot name a chain; use 1 to 64 letters a-z, digits, dots and hyphens"
        case .empty(let field): "audit: \(field) is empty; every entry says it"
        case .tooLong(let field, let bytes, let maximum): "audit: \(field) has \(bytes) bytes, at most \(maximum) are kept; shorten it"
        case .badSalt(let bytes): "audit: the details come with a salt of \(bytes) bytes instead of \(AuditDetails.saltBytes)"
        case .full: "audit: the chain has used every number"
        }
    }
}

/// Hash-chained audit: every entry holds the hash of the one before, so a change, gap or swap shows at its place. It keeps nothing but
/// its head; the caller stores what `append` returns, in the same transaction as the act itself. One writer a chain.
///
/// A chain alone cannot show that its end was cut off or that all of it was written anew; checkpoints kept outside can (`AuditCheckpoint`).
public struct AuditChain: Sendable {
    public let name: String
    public private(set) var head: AuditHead

    public static let maximumName = 64
    /// Longest texts, in bytes of UTF-8.
    public static let maximumText = 256
    public static let maximumReason = 1024
    private var frame: [UInt8] = []

    /// - Parameter head: where the stored chain stands; nil begins a new one.
    public init(name: String, head: AuditHead? = nil) throws(AuditFault) {
        guard AuditChain.isName(name) else { throw .badChainName(name) }
        self.name = name
        self.head = head ?? AuditChain.origin(name)
    }

    /// The head of an empty chain: SHA-256 over `martlet audit chain v1`, a line feed and the name. So no entry fits into the chain of
    /// another installation.
    public static func origin(_ name: String) -> AuditHead {
        AuditHead(sequence: 0, hash: AuditHash(of: Array("martlet audit chain v1\n\(name)".utf8)))
    }

    static func isName(_ name: some StringProtocol) -> Bool {
        (1...maximumName).contains(name.utf8.count)
            && name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 46 }
    }

    /// Makes the next entry. The head moves at once: when the caller's transaction fails it goes on from the head that it had before.
    /// - Parameter time: microseconds since 1970, UTC. A clock that steps back is entered as it is.
    public mutating func append(
        time: Int64, principal: String, action: String, object: String, outcome: String, reason: String? = nil, details: AuditDetails? = nil
    ) throws(AuditFault) -> ChainedAuditEntry {
        try AuditChain.check("principal", principal, AuditChain.maximumText)
        try AuditChain.check("action", action, AuditChain.maximumText)
        try AuditChain.check("object", object, AuditChain.maximumText)
        try AuditChain.check("outcome", outcome, AuditChain.maximumText)
        if let reason { try AuditChain.check("reason", reason, AuditChain.maximumReason) }
        if let details, details.salt.count != AuditDetails.saltBytes { throw .badSalt(bytes: details.salt.count) }
        guard head.sequence < .max else { throw .full }
        let entry = AuditEntry(
            sequence: head.sequence + 1, time: time, principal: principal, action: action, object: object, outcome: outcome, reason: reason,
            details: details?.commitment, previous: head.hash)
        let hash = entry.hash(framedIn: &frame)
        head = AuditHead(sequence: entry.sequence, hash: hash)
        return ChainedAuditEntry(entry: entry, hash: hash)
    }

    /// Takes the head back to where it was before entries whose transaction failed.
    public mutating func rewind(to head: AuditHead) { self.head = head }

    private static func check(_ field: String, _ text: String, _ maximum: Int) throws(AuditFault) {
        guard !text.isEmpty else { throw .empty(field: field) }
        guard text.utf8.count <= maximum else { throw .tooLong(field: field, bytes: text.utf8.count, maximum: maximum) }
    }
}

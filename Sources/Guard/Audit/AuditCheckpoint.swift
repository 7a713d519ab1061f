import Crypto

/// Where a chain stood at a moment, signed. Handed outside every minute, it shows later that entries up to it were cut off or
/// written anew, whoever did it here.
///
/// One line of eight words, without its line feed:
/// `martlet-audit-checkpoint v1 <chain> <sequence> <time> <hash> <key id> <signature>`. Sequence and time (microseconds since 1970,
/// UTC) in decimal digits, hash and key id in hexadecimal digits, the signature (Ed25519, RFC 8032) in base64 over all bytes
/// before the last space.
public struct AuditCheckpoint: Sendable, Equatable {
    public let chain: String
    public let head: AuditHead
    public let time: Int64

    static let format = "martlet-audit-checkpoint v1"
    /// No line is longer.
    public static let maximumBytes = 512

    /// Reads a line and checks its signature, so that a value is always one that was signed here. One line feed at the end is allowed.
    public init(line: String, chain: String, keys: [AuditCheckpointKey]) throws(AuditCheckpointFault) {
        guard line.utf8.count <= AuditCheckpoint.maximumBytes else {
            throw .malformed(reason: "longer than \(AuditCheckpoint.maximumBytes) bytes")
        }
        let text = line.utf8.last == 0x0A ? line.dropLast() : Substring(line)
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 8, "\(words[0]) \(words[1])" == AuditCheckpoint.format else {
            throw .malformed(reason: "it does not start with `\(AuditCheckpoint.format)` and hold eight words")
        }
        guard AuditChain.isName(words[2]) else { throw .malformed(reason: "the chain has no name that a chain may have") }
        guard let sequence = UInt64(words[3]), "\(sequence)" == words[3] else { throw .malformed(reason: "the sequence is not a number") }
        guard let time = Int64(words[4]), "\(time)" == words[4] else { throw .malformed(reason: "the time is not a number") }
        guard let hash = AuditHash(text: words[5]) else { throw .malformed(reason: "the hash is not 64 hexadecimal digits") }
        guard let id = Hex.word(words[6]) else { throw .malformed(reason: "the key id is not 8 hexadecimal digits") }
        guard let signature = Base64.bytes(words[7]), signature.count == 64 else {
            throw .malformed(reason: "the signature is not 64 bytes in base64")
        }
        guard let key = keys.first(where: { $0.id == id }) else { throw .unknownKey(id: Hex.text(id)) }
        guard key.accepts(signature, over: Array(text[..<words[6].endIndex].utf8)) else { throw .notAuthentic }
        guard words[2] == chain else { throw .otherChain(String(words[2])) }
        self.init(chain: chain, head: AuditHead(sequence: sequence, hash: hash), time: time)
    }

    init(chain: String, head: AuditHead, time: Int64) {
        self.chain = chain
        self.head = head
        self.time = time
    }
}

/// Why a line is no checkpoint of this chain.
public enum AuditCheckpointFault: Error, Equatable, Sendable, CustomStringConvertible {
    case malformed(reason: String)
    /// Signed with a key that was not given; its id in hexadecimal digits.
    case unknownKey(id: String)
    /// Altered, or signed by somebody else.
    case notAuthentic
    case otherChain(String)

    public var description: String {
        switch self {
        case .malformed(let reason): "it is not a checkpoint: \(reason)"
        case .unknownKey(let id): "it is signed with key \(id), which was not given; give the public key of that time"
        case .notAuthentic: "its signature does not fit: it was altered, or is not ours"
        case .otherChain(let name): "it belongs to chain \(name)"
        }
    }
}

/// Signs checkpoints. The key is derived from the master key; a new master key brings a new one, so the public key of each is kept
/// outside with the checkpoints it signed.
public struct AuditCheckpointSigner: Sendable {
    private let key: Curve25519.Signing.PrivateKey
    public let publicKey: AuditCheckpointKey

    public init(master: MasterKey) throws(AuditCheckpointFault) {
        do {
            key = try Curve25519.Signing.PrivateKey(
                rawRepresentation: master.derived("martlet audit checkpoint").withUnsafeBytes { Array($0) })
            publicKey = AuditCheckpointKey(key.publicKey)
        } catch {
            throw .malformed(reason: "the library refused the signing key")
        }
    }

    /// The line for where the chain stands, without a line feed.
    /// - Parameter time: microseconds since 1970, UTC.
    public func line(_ chain: AuditChain, time: Int64) throws(AuditCheckpointFault) -> String {
        let words =
            "\(AuditCheckpoint.format) \(chain.name) \(chain.head.sequence) \(time) \(chain.head.hash.text) \(Hex.text(publicKey.id))"
        do {
            return "\(words) \(Base64.text(Array(try key.signature(for: Array(words.utf8)))))"
        } catch {
            throw .malformed(reason: "the library refused to sign")
        }
    }
}

/// The public half: checks checkpoints outside, where no secret is.
public struct AuditCheckpointKey: Sendable {
    /// First four bytes of the SHA-256 of the 32 bytes of the key.
    public let id: UInt32
    private let key: Curve25519.Signing.PublicKey

    static let format = "martlet-audit-key v1"

    init(_ key: Curve25519.Signing.PublicKey) {
        self.key = key
        id = SHA256.hash(data: key.rawRepresentation).withUnsafeBytes { $0.prefix(4).reduce(0) { $0 << 8 | UInt32($1) } }
    }

    /// `martlet-audit-key v1 <key id> <32 bytes in base64>`, without a line feed.
    public var line: String { "\(AuditCheckpointKey.format) \(Hex.text(id)) \(Base64.text(Array(key.rawRepresentation)))" }

    /// Nil: no such line, or an id that is not that of the key. One line feed at the end is allowed.
    public init?(line: String) {
        let text = line.utf8.last == 0x0A ? line.dropLast() : Substring(line)
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 4, "\(words[0]) \(words[1])" == AuditCheckpointKey.format, let raw = Base64.bytes(words[3]),
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: raw)
        else { return nil }
        self.init(key)
        guard Hex.word(words[2]) == id else { return nil }
    }

    func accepts(_ signature: [UInt8], over words: [UInt8]) -> Bool { key.isValidSignature(signature, for: words) }
}

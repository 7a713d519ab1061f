import Crypto
import FoundationEssentials

/// What a sealed value belongs to. It is authenticated with the value, so a ciphertext moved to another record does not open.
public struct SealContext: Sendable, Hashable {
    /// The id of the record, 128 bits.
    public var high: UInt64
    public var low: UInt64
    /// The record kind it was first sealed under; a carried record keeps it.
    public var kind: UInt8

    @inlinable public init(high: UInt64, low: UInt64, kind: UInt8) {
        self.high = high
        self.low = low
        self.kind = kind
    }

    /// 17 bytes: id and kind, big-endian.
    fileprivate struct Authenticated {
        let high: UInt64
        let low: UInt64
        let kind: UInt8
    }

    fileprivate var authenticated: Authenticated { Authenticated(high: high.bigEndian, low: low.bigEndian, kind: kind) }
}

public enum SealFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// Shorter than nonce and tag.
    case tooShort(bytes: Int)
    /// Not what was sealed: other bytes, another record, or another key.
    case notAuthentic(keyID: UInt32)
    /// The key was destroyed, or never belonged to this installation.
    case noSuchKey(keyID: UInt32)
    /// The subject was erased, and its key with it: nobody can open this any more.
    case erased(subject: UInt32)
    /// The library refused; with a 32-byte key this does not happen.
    case cipher

    public var description: String {
        switch self {
        case .tooShort(let bytes): "a sealed value of \(bytes) bytes is too short to be one"
        case .notAuthentic(let id): "a sealed value does not open with key \(Hex.text(id)): it was altered, or belongs to another record"
        case .noSuchKey(let id): "key \(Hex.text(id)) is not in the key store: it was destroyed, or the records are another installation's"
        case .erased(let subject): "subject \(subject) was erased; what was sealed with its key is gone for good"
        case .cipher: "the cipher refused to seal"
        }
    }
}

/// Seals values with AES-256-GCM (NIST SP 800-38D): nonce (12 bytes), ciphertext, tag (16 bytes).
///
/// A nonce is eight random bytes of this sealer and a counter of four; when the counter is used up the sealer draws eight new ones. So no
/// nonce comes twice under one key as long as each sealer draws its own, which is why a sealer cannot be copied and is never stored.
/// Confined to the loop that owns it.
public struct Sealer: ~Copyable {
    /// Bytes that sealing adds.
    public static let overhead = 28
    private static let nonceCount = 12

    private var prefix: UInt64
    private var counter: UInt32

    public init() {
        self.init(prefix: .random(in: 0 ... .max), counter: 0)
    }

    init(prefix: UInt64, counter: UInt32) {
        self.prefix = prefix
        self.counter = counter
    }

    @inlinable public static func sealedCount(_ plaintextCount: Int) -> Int { plaintextCount + 28 }

    /// Writes the sealed form at the start of `output`, which must hold `sealedCount(plaintext.count)` bytes and not overlap `plaintext`.
    /// - Returns: the bytes written.
    public mutating func seal(
        _ plaintext: UnsafeRawBufferPointer, context: SealContext, key: DataKey, into output: UnsafeMutableRawBufferPointer
    ) throws(SealFault) -> Int {
        let total = Sealer.sealedCount(plaintext.count)
        precondition(output.count >= total, "a sealed value needs 28 bytes more than its plaintext")
        output.storeBytes(of: prefix.bigEndian, toByteOffset: 0, as: UInt64.self)
        output.storeBytes(of: counter.bigEndian, toByteOffset: 8, as: UInt32.self)
        if counter == .max { prefix = .random(in: 0 ... .max) }
        counter &+= 1
        do {
            let nonce = try AES.GCM.Nonce(data: UnsafeRawBufferPointer(rebasing: output[0..<Sealer.nonceCount]))
            let box = try withUnsafeBytes(of: context.authenticated) {
                try AES.GCM.seal(plaintext, using: key.symmetric, nonce: nonce, authenticating: $0)
            }
            guard let combined = box.combined, combined.count == total else { throw SealFault.cipher }
            combined.withUnsafeBytes { output.copyMemory(from: $0) }
            return total
        } catch {
            throw .cipher
        }
    }

    /// Opens what `seal` wrote.
    public static func open(
        _ sealed: UnsafeRawBufferPointer, context: SealContext, key: DataKey
    ) throws(SealFault) -> [UInt8] {
        guard sealed.count >= overhead else { throw .tooShort(bytes: sealed.count) }
        do {
            let box = try AES.GCM.SealedBox(combined: sealed)
            let plaintext = try withUnsafeBytes(of: context.authenticated) {
                try AES.GCM.open(box, using: key.symmetric, authenticating: $0)
            }
            return Array(plaintext)
        } catch {
            throw .notAuthentic(keyID: key.id)
        }
    }
}

public import MartletModel

/// SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed 64-bit hash that an outsider cannot steer. Here for partition numbers and
/// provider ids, 20 ns each; what is stored for look-up by address uses HMAC instead.
public struct SipHash: Sendable {
    private let k0: UInt64
    private let k1: UInt64

    public init(key: (UInt64, UInt64)) {
        k0 = key.0
        k1 = key.1
    }

    public func hash(_ bytes: UnsafeRawBufferPointer, tweak: UInt64 = 0) -> UInt64 {
        var v0 = 0x736f_6d65_7073_6575 ^ k0 ^ tweak
        var v1 = 0x646f_7261_6e64_6f6d ^ k1
        var v2 = 0x6c79_6765_6e65_7261 ^ k0
        var v3 = 0x7465_6462_7974_6573 ^ k1

        @inline(__always) func round() {
            v0 = v0 &+ v1
            v1 = (v1 << 13 | v1 >> 51) ^ v0
            v0 = v0 << 32 | v0 >> 32
            v2 = v2 &+ v3
            v3 = (v3 << 16 | v3 >> 48) ^ v2
            v0 = v0 &+ v3
            v3 = (v3 << 21 | v3 >> 43) ^ v0
            v2 = v2 &+ v1
            v1 = (v1 << 17 | v1 >> 47) ^ v2
            v2 = v2 << 32 | v2 >> 32
        }
        @inline(__always) func take(_ word: UInt64) {
            v3 ^= word
            round()
            round()
            v0 ^= word
        }

        var offset = 0
        while offset + 8 <= bytes.count {
            take(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            offset += 8
        }
        var rest = UInt64(truncatingIfNeeded: bytes.count) << 56
        var shift: UInt64 = 0
        while offset < bytes.count {
            rest |= UInt64(bytes[offset]) << shift
            shift += 8
            offset += 1
        }
        take(rest)
        v2 ^= 0xFF
        for _ in 0..<4 { round() }
        return v0 ^ v1 ^ v2 ^ v3
    }

    public func hash(_ text: String, tweak: UInt64 = 0) -> UInt64 {
        var text = text
        return text.withUTF8 { hash(UnsafeRawBufferPointer($0), tweak: tweak) }
    }

    public func hash(_ number: UInt64, tweak: UInt64 = 0) -> UInt64 {
        withUnsafeBytes(of: number.littleEndian) { hash($0, tweak: tweak) }
    }
}

/// Keyed hashes of provider ids within their connection group, as the engine and the node's index use them.
public struct ProviderKeys: Sendable {
    private let hash: SipHash

    public init(key: (UInt64, UInt64)) { hash = SipHash(key: key) }

    public func key(_ group: GroupNumber, _ providerID: String) -> UInt64 { hash.hash(providerID, tweak: UInt64(group) << 56 | 1) }
}

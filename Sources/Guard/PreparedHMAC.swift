import Crypto

/// HMAC-SHA256 whose key was worked in once: each code starts from the two states behind the key's blocks, as RFC 2104 section 4 has it.
///
/// Codes are those of `HMAC<SHA256>`. That type takes the hash as a parameter, and outside its own module each code then looks up types at run time, which took
/// as long as the hashing of a row of the history (`Benchmarks/keys`).
struct PreparedHMAC: Sendable {
    private let inner: SHA256
    private let outer: SHA256

    init(key: Secret) { self = key.withBytes { PreparedHMAC($0) } }

    init(key: SymmetricKey) { self = key.withUnsafeBytes { PreparedHMAC($0) } }

    private init(_ key: UnsafeRawBufferPointer) {
        var block = [UInt8](repeating: 0, count: SHA256.blockByteCount)
        if key.count <= block.count {
            block.replaceSubrange(0..<key.count, with: Array(key))
        } else {
            var digest = SHA256()
            digest.update(bufferPointer: key)
            block.replaceSubrange(0..<SHA256.byteCount, with: Array(digest.finalize()))
        }
        var (inner, outer) = (SHA256(), SHA256())
        for index in block.indices { block[index] ^= 0x36 }
        block.withUnsafeBytes { inner.update(bufferPointer: $0) }
        for index in block.indices { block[index] ^= 0x36 ^ 0x5C }
        block.withUnsafeBytes { outer.update(bufferPointer: $0) }
        for index in block.indices { block[index] = 0 }
        (self.inner, self.outer) = (inner, outer)
    }

    /// The first 128 bits of a message's code, big-endian.
    func code(of message: UnsafeRawBufferPointer) -> (high: UInt64, low: UInt64) {
        var (inner, outer) = (inner, outer)
        inner.update(bufferPointer: message)
        inner.finalize().withUnsafeBytes { outer.update(bufferPointer: $0) }
        return outer.finalize().withUnsafeBytes { code in
            (
                UInt64(bigEndian: code.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
                UInt64(bigEndian: code.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }
}

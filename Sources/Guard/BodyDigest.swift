import Crypto

/// What tells one request body from another.
public enum BodyDigest {
    /// The first 128 bits, big-endian, of the SHA-256 of the bytes. Short bodies can be guessed from it, so it is hashed once more with
    /// a key before it is kept anywhere.
    public static func first128(_ bytes: UnsafeRawBufferPointer) -> (high: UInt64, low: UInt64) {
        SHA256.hash(data: bytes).withUnsafeBytes { digest in
            (
                UInt64(bigEndian: digest.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
                UInt64(bigEndian: digest.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }
}

extension BodyDigest {
    /// The whole SHA-256 of the bytes, 32 bytes.
    public static func sha256(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }
}

/// HMAC-SHA256 (RFC 2104), cut to 64 or 128 bits: how a phone number or a customer's name is looked up without being stored in clear.
/// The key is worked in once; a hash copies that state.
///
/// A number and a text never share a hash: the first byte hashed is 1 for numbers and 2 for texts.
public struct KeyedHash: Sendable {
    private let prepared: PreparedHMAC

    public init(key: Secret) { prepared = PreparedHMAC(key: key) }

    /// Of 128 bits, the first 64 are `high`; big-endian.
    public struct Wide: Hashable, Sendable {
        public let high: UInt64
        public let low: UInt64

        public init(high: UInt64, low: UInt64) {
            self.high = high
            self.low = low
        }
    }

    /// First 64 bits, big-endian, of the hash over `01` and the digits as eight bytes, big-endian.
    public func hash64(number digits: UInt64) -> UInt64 { hash128(number: digits).high }

    public func hash128(number digits: UInt64) -> Wide {
        let message = NumberMessage(high: 1 << 56 | digits >> 8, low: UInt8(truncatingIfNeeded: digits))
        return withUnsafeBytes(of: message) { wide($0) }
    }

    /// First 64 bits, big-endian, of the hash over `02` and the bytes.
    public func hash64(_ bytes: some Sequence<UInt8>) -> UInt64 { hash128(bytes).high }

    public func hash128(_ bytes: some Sequence<UInt8>) -> Wide {
        // Short texts, which nearly all are, need no memory of their own.
        let short = bytes.withContiguousStorageIfAvailable { bytes -> Wide? in
            guard bytes.count < KeyedHash.shortBytes else { return nil }
            return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: KeyedHash.shortBytes) { message in
                message[0] = 2
                for place in bytes.indices { message[place + 1] = bytes[place] }
                return wide(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(message)[...bytes.count]))
            }
        }
        if let short, let hash = short { return hash }
        var message: [UInt8] = [2]
        message.append(contentsOf: bytes)
        return message.withUnsafeBytes { wide($0) }
    }

    private static let shortBytes = 128

    /// Nine bytes as they are hashed: the marker 1, then eight bytes of digits.
    private struct NumberMessage {
        let high: UInt64
        let low: UInt8
        init(high: UInt64, low: UInt8) {
            self.high = high.bigEndian
            self.low = low
        }
    }

    private func wide(_ message: UnsafeRawBufferPointer) -> Wide {
        let code = prepared.code(of: message)
        return Wide(high: code.high, low: code.low)
    }
}

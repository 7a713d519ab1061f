public import MartletModel

/// Keyed hashes under which messages and idempotency keys are found again. They stand on disk in clear, so whoever has the disk and
/// not the key learns nothing from them: not a number, not a body by trying all codes. Each use has a tweak of its own.
public struct LookupHash: Sendable {
    private let hash: SipHash

    public init(key: (UInt64, UInt64)) { hash = SipHash(key: key) }

    /// Of a number, whoever sends to it; a message's partition follows from it.
    public func number(_ number: PhoneNumber) -> UInt64 { hash.hash(number.digits) }

    /// The partition of all messages to and from a number.
    public func partition(of number: PhoneNumber) -> PartitionNumber { LookupHash.partition(ofHash: self.number(number)) }
    static func partition(ofHash hash: UInt64) -> PartitionNumber { PartitionNumber(hash % UInt64(partitionCount)) }

    /// The partition of what is decided for a customer: of the number, and of somebody who is not known by the hash of the reference.
    public func partition(of subject: SubjectNumber, reference: UInt64) -> PartitionNumber {
        LookupHash.partition(ofHash: subject == 0 ? hash.hash(reference, tweak: 6) : hash.hash(UInt64(subject), tweak: 5))
    }

    /// Of a source's own word for its message.
    public func reference(_ text: String, of source: SourceNumber) -> UInt64 { hash.hash(text, tweak: UInt64(source) << 16 | 2) }

    /// Of an idempotency key in its scope; never 0, which means none.
    public func key(_ idempotency: Idempotency, of source: SourceNumber) -> UInt64 {
        let scope = UInt64(source) << 16 | UInt64(idempotency.operation.rawValue) << 8 | 3
        let key = hash.hash(idempotency.key, tweak: scope)
        guard idempotency.operation == .batch else { return max(1, key) }
        // Lines share the key's own hash as their scope.
        return max(1, hash.hash(UInt64(idempotency.line), tweak: key))
    }

    /// What the hash of an event is for; each has a tweak of its own.
    public enum EventUse: UInt64, Sendable {
        /// What makes two events the same.
        case same = 6
        /// Under which an open one is found by another.
        case open = 7
    }

    /// Of a definition, a customer and some of the values, as bytes; never 0.
    public func event(_ bytes: UnsafeRawBufferPointer, _ use: EventUse) -> UInt64 { max(1, hash.hash(bytes, tweak: use.rawValue)) }

    /// Of a body's digest; never 0.
    public func body(_ idempotency: Idempotency) -> UInt64 {
        max(1, hash.hash(idempotency.bodyHigh, tweak: hash.hash(idempotency.bodyLow, tweak: 4)))
    }
}

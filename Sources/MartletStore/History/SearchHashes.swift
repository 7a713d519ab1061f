public import Guard
public import MartletModel

/// Keyed hashes by which history is searched, a key for each kind: who has the database alone can neither try all numbers nor join one
/// kind with another. Whoever writes `lookup` and whoever asks it uses these.
public struct SearchHashes: Sendable {
    private let phones: KeyedHash
    private let customers: KeyedHash
    private let references: KeyedHash

    public init(_ keys: KeyStore) {
        phones = KeyedHash(key: keys.phoneHashKey)
        customers = KeyedHash(key: keys.customerHashKey)
        references = KeyedHash(key: keys.lookupHashKey)
    }

    public func phone(_ number: PhoneNumber) -> Int64 { Int64(bitPattern: phones.hash64(number: number.digits)) }
    public func customer(_ reference: String) -> Int64 { Int64(bitPattern: customers.hash64(reference.utf8)) }
    /// Of the source's own reference, whichever source it is.
    public func reference(_ reference: String) -> Int64 { Int64(bitPattern: references.hash64(reference.utf8)) }
}

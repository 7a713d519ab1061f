/// The keyed hashes by which customers are found, in SQL columns and local files alike: 64 bits, each kind of value under a key of its own.
public struct CustomerHashes: Sendable {
    private let references: KeyedHash
    private let phones: KeyedHash
    private let mails: KeyedHash
    private let tokens: KeyedHash

    public init(_ keys: KeyStore) {
        references = KeyedHash(key: keys.customerHashKey)
        phones = KeyedHash(key: keys.phoneHashKey)
        mails = KeyedHash(key: keys.emailHashKey)
        tokens = KeyedHash(key: keys.lookupHashKey)
    }

    /// The bank's reference, byte for byte.
    public func reference(_ text: String) -> UInt64 { references.hash64(text.utf8) }

    /// An international number, its digits.
    public func phone(_ digits: UInt64) -> UInt64 { phones.hash64(number: digits) }

    /// A mail address in its folded form.
    public func mail(_ folded: [UInt8]) -> UInt64 { mails.hash64(folded) }

    /// A device's token, byte for byte.
    public func token(_ text: String) -> UInt64 { tokens.hash64(text.utf8) }

    /// 128 bits that name a file by its beginning and its length, as 32 hexadecimal digits; what the file says cannot be guessed from it.
    public func file(head: [UInt8], bytes: UInt64) -> String {
        var all = head
        withUnsafeBytes(of: bytes.bigEndian) { all.append(contentsOf: $0) }
        let hash = references.hash128(all)
        return Hex.text([hash.high, hash.low].flatMap { word in withUnsafeBytes(of: word.bigEndian) { Array($0) } })
    }
}

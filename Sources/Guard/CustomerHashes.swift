/// The keyed hashes by which customers are found, in SQL columns and local files alike: 64 bits, each kind of value under a key of its own.
public struct CustomerHashes: Sendable {
    private let references: KeyedHash
    private let phones: KeyedHash
    private let mails: KeyedHash
    private let tokens: KeyedHash
    private let scopes: KeyedHash

    public init(_ keys: KeyStore) {
        references = KeyedHash(key: keys.customerHashKey)
        phones = KeyedHash(key: keys.phoneHashKey)
        mails = KeyedHash(key: keys.emailHashKey)
        tokens = KeyedHash(key: keys.lookupHashKey)
        scopes = KeyedHash(key: keys.scopeHashKey)
    }

    /// The bank's reference, byte for byte.
    public func reference(_ text: String) -> UInt64 { references.hash64(text.utf8) }

    /// An international number, its digits.
    public func phone(_ digits: UInt64) -> UInt64 { phones.hash64(number: digits) }

    /// A mail address in its folded form.
    public func mail(_ folded: [UInt8]) -> UInt64 { mails.hash64(folded) }

    /// A device's token, byte for byte.
    public func token(_ text: String) -> UInt64 { tokens.hash64(text.utf8) }

    /// An account's number, however its digits are set apart: ASCII digits and letters count, letters as capitals, and what is beyond ASCII as it
    /// stands. 0: there is nothing in the text that counts.
    public func account(_ text: String) -> UInt64 { scope(1, text) }

    /// A card's number, or whatever the bank's systems name a card by, read as an account's. The same text as card and as account has two hashes.
    public func card(_ text: String) -> UInt64 { scope(2, text) }

    private func scope(_ kind: UInt8, _ text: String) -> UInt64 {
        var bytes: [UInt8] = [kind]
        bytes.reserveCapacity(40)
        CustomerHashes.appendScope(text, to: &bytes)
        return bytes.count > 1 ? scopes.hash64(bytes) : 0
    }

    /// What counts of the number of an account or card.
    public static func scopeText(_ text: String) -> String {
        var bytes: [UInt8] = []
        appendScope(text, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func appendScope(_ text: String, to bytes: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): bytes.append(byte - 32)
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 0x80...: bytes.append(byte)
            default: break
            }
        }
    }

    /// 128 bits that name a file by its beginning and its length, as 32 hexadecimal digits; what the file says cannot be guessed from it.
    public func file(head: [UInt8], bytes: UInt64) -> String {
        var all = head
        withUnsafeBytes(of: bytes.bigEndian) { all.append(contentsOf: $0) }
        let hash = references.hash128(all)
        return Hex.text([hash.high, hash.low].flatMap { word in withUnsafeBytes(of: word.bigEndian) { Array($0) } })
    }
}

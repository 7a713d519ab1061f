public import Guard

extension KeyStore {
    /// The one value by which a base file and an overlay show that their hashes were made with the keys in use: of references, of phones, of
    /// mail addresses and of devices' tokens. Whichever of the four is another, this is another too.
    public var localHashCheck: UInt64 {
        var all: [UInt8] = []
        for key in [phoneHashKey, emailHashKey, lookupHashKey] {
            withUnsafeBytes(of: KeyedHash(key: key).hash64("martlet local copy".utf8).littleEndian) { all.append(contentsOf: $0) }
        }
        return KeyedHash(key: customerHashKey).hash64(all)
    }
}

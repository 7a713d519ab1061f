import Crypto

/// What a sender system shows to be let in: `mk_` and 32 random bytes in base64url, 46 characters. It is shown once, when it is made; Martlet
/// keeps its SHA-256 only. The key has 256 random bits, so a slow hash would add nothing.
public enum APIKey {
    public static let prefix = "mk_"
    /// Of a key of the admin API, so that nobody takes one for the other.
    public static let adminPrefix = "ak_"
    /// Longer ones are cut before they are hashed; they match nothing.
    static let maximumBytes = 256

    public static func generate(prefix: String = APIKey.prefix) -> Secret {
        Secret(Array(prefix.utf8) + Base64.urlText(Randomness.bytes(32)))
    }

    /// What is stored of a key.
    public struct Hash: Sendable {
        let words: (UInt64, UInt64, UInt64, UInt64)

        init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

        /// 64 hexadecimal digits, lower case; nil for anything else.
        public init?(text: some StringProtocol) {
            guard let bytes = Hex.bytes(text), bytes.count == 32 else { return nil }
            words = bytes.withUnsafeBytes { APIKey.words($0) }
        }

        public var text: String {
            let big = (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian)
            return withUnsafeBytes(of: big) { Hex.text($0) }
        }

        /// 32 bytes, as a database keeps them.
        public var bytes: [UInt8] {
            withUnsafeBytes(of: (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian)) { Array($0) }
        }

        /// Takes the same time wherever the two differ.
        public func matches(_ other: Hash) -> Bool { difference(from: other) == 0 }

        /// 0 when equal, without a branch on the way.
        @inline(__always)
        func difference(from other: Hash) -> UInt64 {
            (words.0 ^ other.words.0) | (words.1 ^ other.words.1) | (words.2 ^ other.words.2) | (words.3 ^ other.words.3)
        }
    }

    public static func hash(of key: Secret) -> Hash { key.withBytes { hash(bytes: $0) } }

    /// Of a key as it was presented; any bytes.
    public static func hash(presented key: some Collection<UInt8>) -> Hash {
        let direct = key.withContiguousStorageIfAvailable { hash(bytes: UnsafeRawBufferPointer($0)) }
        return direct ?? Array(key.prefix(maximumBytes + 1)).withUnsafeBytes { hash(bytes: $0) }
    }

    private static func hash(bytes: UnsafeRawBufferPointer) -> Hash {
        var hasher = SHA256()
        hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes.prefix(maximumBytes + 1)))
        return Hash(words: hasher.finalize().withUnsafeBytes { words($0) })
    }

    private static func words(_ bytes: UnsafeRawBufferPointer) -> (UInt64, UInt64, UInt64, UInt64) {
        func word(_ offset: Int) -> UInt64 { UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
        return (word(0), word(8), word(16), word(24))
    }
}

extension APIKey.Hash: CustomStringConvertible {
    /// The first eight digits: enough to tell keys apart in a log, useless to find one.
    public var description: String { String(text.prefix(8)) }
}

/// Keys that may come in, by hash. A look-up reads one row of eight places to its end whether or not the key is known, so its time says nothing.
public struct APIKeyTable: Sendable {
    private static let width = 8
    private struct Place: Sendable {
        var hash: APIKey.Hash
        var value: UInt32
        /// All ones where a key stands, else 0.
        var used: UInt64
    }

    private static let free = Place(hash: APIKey.Hash(words: (0, 0, 0, 0)), value: 0, used: 0)
    private var places: [Place]
    /// Rows less one; the number of rows is a power of two.
    private var mask: UInt64
    public private(set) var count = 0

    public init() {
        places = Array(repeating: APIKeyTable.free, count: APIKeyTable.width)
        mask = 0
    }

    /// Keys each with the value to find it by, such as a source's number. Of equal keys the last counts.
    public init(_ entries: some Sequence<(hash: APIKey.Hash, value: UInt32)>) {
        self.init()
        for entry in entries { insert(entry.hash, entry.value) }
    }

    public mutating func insert(_ hash: APIKey.Hash, _ value: UInt32) {
        let start = Int(hash.words.0 & mask) * APIKeyTable.width
        let row = start..<start + APIKeyTable.width
        if let same = row.first(where: { places[$0].used != 0 && places[$0].hash.matches(hash) }) {
            places[same].value = value
        } else if let gap = row.first(where: { places[$0].used == 0 }) {
            places[gap] = Place(hash: hash, value: value, used: .max)
            count += 1
        } else {
            grow()
            insert(hash, value)
        }
    }

    public mutating func remove(_ hash: APIKey.Hash) {
        let start = Int(hash.words.0 & mask) * APIKeyTable.width
        for index in start..<start + APIKeyTable.width where places[index].used != 0 && places[index].hash.matches(hash) {
            places[index] = APIKeyTable.free
            count -= 1
        }
    }

    /// Hashes spread evenly, so twice the rows end a full one; each is of a secret nobody can choose.
    private mutating func grow() {
        let old = places
        mask = mask << 1 | 1
        places = Array(repeating: APIKeyTable.free, count: (Int(mask) + 1) * APIKeyTable.width)
        count = 0
        for place in old where place.used != 0 { insert(place.hash, place.value) }
    }

    /// The value of a presented key; nil for an unknown one, after the same work.
    public func value(presenting key: some Collection<UInt8>) -> UInt32? { value(of: APIKey.hash(presented: key)) }

    public func value(of hash: APIKey.Hash) -> UInt32? {
        let start = Int(hash.words.0 & mask) * APIKeyTable.width
        var found: UInt64 = 0
        for index in start..<start + APIKeyTable.width {
            let place = places[index]
            let difference = place.hash.difference(from: hash)
            // All ones when the difference is 0: only then the top bit of neither it nor its negative is set.
            let equal = ((difference | (0 &- difference)) >> 63 &- 1) & place.used
            found |= equal & (1 << 32 | UInt64(place.value))
        }
        return found == 0 ? nil : UInt32(truncatingIfNeeded: found)
    }
}

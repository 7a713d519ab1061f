/// What lets the bank's app or pages act for one customer, for a quarter of an hour: the customer's number and the end of that time, under a keyed hash of
/// this installation. Nothing of one is stored, so none can be stolen from the store.
///
/// `ct_` and 25 bytes as 50 lower-case hexadecimal digits: version (1), subject (4 bytes), wall seconds at which it ends (4 bytes), the first 16 bytes of the
/// hash over these nine; numbers big-endian.
public struct CustomerTokens: Sendable {
    public static let prefix = "ct_"
    /// Seconds.
    public static let lifetime: Int64 = 900
    private static let version: UInt8 = 1

    private let hash: KeyedHash

    public init(_ keys: KeyStore) { hash = KeyedHash(key: keys.customerTokenKey) }

    /// - Parameter end: wall seconds at which it ends, 0...4,294,967,295.
    public func make(subject: UInt32, end: UInt32) -> Secret {
        let head = CustomerTokens.head(subject, end)
        return Secret(Array((CustomerTokens.prefix + Hex.text(head + code(head))).utf8))
    }

    public enum Reading: Equatable, Sendable {
        case subject(UInt32)
        /// It was one, and its time is over.
        case ended
        /// It is none of this installation.
        case unknown
    }

    /// - Parameter now: wall seconds.
    public func read(_ text: String, now: Int64) -> Reading {
        guard text.hasPrefix(CustomerTokens.prefix), text.utf8.count == CustomerTokens.prefix.utf8.count + 50,
            let bytes = Hex.bytes(text.dropFirst(CustomerTokens.prefix.count)), bytes[0] == CustomerTokens.version
        else { return .unknown }
        var difference: UInt8 = 0
        for (own, presented) in zip(code(Array(bytes[..<9])), bytes[9...]) { difference |= own ^ presented }
        guard difference == 0 else { return .unknown }
        func word(_ place: Int) -> UInt32 { bytes[place..<place + 4].reduce(0) { $0 << 8 | UInt32($1) } }
        return Int64(word(5)) > now ? .subject(word(1)) : .ended
    }

    private static func head(_ subject: UInt32, _ end: UInt32) -> [UInt8] {
        [version] + [subject, end].flatMap { word in withUnsafeBytes(of: word.bigEndian) { Array($0) } }
    }

    private func code(_ head: [UInt8]) -> [UInt8] {
        let hash = hash.hash128(head)
        return [hash.high, hash.low].flatMap { word in withUnsafeBytes(of: word.bigEndian) { Array($0) } }
    }
}

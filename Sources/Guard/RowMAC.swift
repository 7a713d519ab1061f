import Crypto

/// A value of a database column.
public enum RowValue: Sendable, Equatable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case bytes([UInt8])
}

/// Tells whether the state columns of a database row are as Martlet wrote them: HMAC-SHA256 over their values, cut to 64 or 128 bits and stored
/// in a column of the row. A bit flipped in the database, or a hand, is named and never believed.
///
/// The key is derived for one table and one list of columns, so a tag fits no other table and no other order. The columns of the primary
/// key must be among them, else a tag fits another row; a tag does not show that a whole row was put back to an older state.
public struct RowMAC: Sendable {
    private let prepared: PreparedHMAC
    /// How many values a row has.
    private let columns: Int

    /// - Parameter key: of the installation, `KeyStore.rowKey`.
    public init(key: Secret, table: String, columns: [String]) {
        var purpose = Array("martlet row authentication v1".utf8)
        for name in [table] + columns { RowMAC.append(Array(name.utf8), to: &purpose) }
        let derived = key.withBytes {
            HKDF<SHA256>.deriveKey(inputKeyMaterial: SymmetricKey(data: $0), info: purpose, outputByteCount: 32)
        }
        prepared = PreparedHMAC(key: derived)
        self.columns = columns.count
    }

    /// The tag of a row. Compared in the same time wherever two differ.
    public struct Tag: Sendable, Equatable {
        private let high: UInt64
        private let low: UInt64

        init(high: UInt64, low: UInt64) {
            self.high = high
            self.low = low
        }

        /// The first 64 bits as a database's 64-bit integer. One of 2^64 forgeries fits: enough against chance, and against a hand that can
        /// try only by writing to the database.
        public var short: Int64 { Int64(bitPattern: high) }

        /// All 128 bits, big-endian.
        public var bytes: [UInt8] { withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { Array($0) } }

        public func matches(_ short: Int64) -> Bool { high ^ UInt64(bitPattern: short) == 0 }

        /// 16 bytes; of any other length it is none.
        public func matches(_ stored: [UInt8]) -> Bool {
            let own = bytes
            guard stored.count == own.count else { return false }
            var difference: UInt8 = 0
            for index in own.indices { difference |= own[index] ^ stored[index] }
            return difference == 0
        }

        public static func == (one: Tag, other: Tag) -> Bool { (one.high ^ other.high) | (one.low ^ other.low) == 0 }
    }

    /// Of as many values as there are columns, in their order.
    public func tag(_ values: some Collection<RowValue>) -> Tag {
        precondition(values.count == columns, "a row has as many values as its table was declared with")
        var frame: [UInt8] = []
        frame.reserveCapacity(32 * columns)
        for value in values {
            switch value {
            case .null: frame.append(0)
            case .integer(let number): RowMAC.append(1, UInt64(bitPattern: number), to: &frame)
            case .real(let number): RowMAC.append(2, number.bitPattern, to: &frame)
            case .text(let text):
                frame.append(3)
                RowMAC.append(text.utf8, to: &frame)
            case .bytes(let bytes):
                frame.append(4)
                RowMAC.append(bytes, to: &frame)
            }
        }
        let code = frame.withUnsafeBytes { prepared.code(of: $0) }
        return Tag(high: code.high, low: code.low)
    }

    private static func append(_ kind: UInt8, _ word: UInt64, to frame: inout [UInt8]) {
        frame.append(kind)
        withUnsafeBytes(of: word.bigEndian) { frame.append(contentsOf: $0) }
    }

    /// Its length as eight bytes, big-endian, then the bytes.
    private static func append(_ bytes: some Collection<UInt8>, to frame: inout [UInt8]) {
        withUnsafeBytes(of: UInt64(bytes.count).bigEndian) { frame.append(contentsOf: $0) }
        frame.append(contentsOf: bytes)
    }
}

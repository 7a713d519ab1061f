import Crypto

/// The keys derived from a master key for the store of subjects' keys.
struct SubjectMaster: Sendable {
    let id: UInt32
    /// Wraps slots, and nothing else.
    let wrapping: SymmetricKey
    /// Authenticates the heads of files.
    let heading: SymmetricKey
    /// Wraps the line of the file `head`.
    let line: MasterKey

    init(_ master: MasterKey) {
        id = master.id
        wrapping = master.derived("martlet subject key wrapping")
        heading = master.derived("martlet subject chunk head")
        line = master
    }
}

/// The master key, and during its change the one before.
struct SubjectMasters: Sendable {
    let current: SubjectMaster
    let previous: SubjectMaster?

    func named(_ id: UInt32) -> SubjectMaster? {
        current.id == id ? current : previous.flatMap { $0.id == id ? $0 : nil }
    }
}

/// One subject's place in a file: 48 bytes. All zero: no key yet. All one: erased. Else 40 bytes wrapped by AES key wrap (RFC 3394, NIST SP
/// 800-38F) with a key of 256 bits: the subject's key, its number (big-endian) and `SK01`. The wrap has no nonce that could come
/// twice when a slot is written again, and 128 bits tell a slot from another's: its own check value of 64, number and mark.
enum SubjectSlot {
    static let bytes = 48
    static let keyBytes = 32
    private static let mark: UInt32 = 0x534B_3031

    static let erased = [UInt8](repeating: 0xFF, count: bytes)

    enum Content {
        case empty
        case erased
        case something
    }

    static func content(_ slot: UnsafeRawBufferPointer) -> Content {
        var all = UInt64.max
        var any: UInt64 = 0
        for offset in stride(from: 0, to: bytes, by: 8) {
            let word = slot.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            all &= word
            any |= word
        }
        if any == 0 { return .empty }
        return all == .max ? .erased : .something
    }

    /// Nil: the library refused.
    static func wrap(_ key: UnsafeRawBufferPointer, _ number: UInt32, with wrapping: SymmetricKey) -> [UInt8]? {
        let plain = withUnsafeTemporaryAllocation(byteCount: 40, alignment: 8) { buffer in
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: key.prefix(keyBytes)))
            buffer.storeBytes(of: number.bigEndian, toByteOffset: 32, as: UInt32.self)
            buffer.storeBytes(of: mark.bigEndian, toByteOffset: 36, as: UInt32.self)
            let plain = SymmetricKey(data: UnsafeRawBufferPointer(buffer))
            // A copy of the key must not stay on the stack.
            buffer.initializeMemory(as: UInt8.self, repeating: 0)
            return plain
        }
        guard let wrapped = try? AES.KeyWrap.wrap(plain, using: wrapping), wrapped.count == bytes else { return nil }
        return Array(wrapped)
    }

    /// Nil: no key of this number wrapped with this key.
    static func unwrap(_ slot: UnsafeRawBufferPointer, _ number: UInt32, with wrapping: SymmetricKey) -> SymmetricKey? {
        guard let plain = try? AES.KeyWrap.unwrap(slot, using: wrapping) else { return nil }
        return plain.withUnsafeBytes { plain in
            guard plain.count == 40, UInt32(bigEndian: plain.loadUnaligned(fromByteOffset: 32, as: UInt32.self)) == number,
                UInt32(bigEndian: plain.loadUnaligned(fromByteOffset: 36, as: UInt32.self)) == mark
            else { return nil }
            return SymmetricKey(data: UnsafeRawBufferPointer(rebasing: plain.prefix(keyBytes)))
        }
    }
}

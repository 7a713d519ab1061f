import Crypto

/// The subjects' keys a loop used last, unwrapped, beside it. Confined to that loop; it cannot be copied.
///
/// A key is served from memory only while its slot still holds what it was unwrapped from, which is two reads of mapped memory: so an erasure
/// by the owner, in this process or another, holds from the next look-up on.
public struct SubjectKeyCache: ~Copyable {
    private struct Entry {
        var number: UInt32 = 0
        var mark: UInt64 = 0
        var key: SymmetricKey?
    }

    private let keys: SubjectKeys
    private var chunks: [SubjectChunk?] = []
    /// One place for each key, by its hash; the newer one stays.
    private var entries: [Entry]
    private let shift: UInt32

    /// - Parameter capacity: keys kept at most, rounded up to a power of two, 64 ... 4,194,304; about 130 bytes each when full.
    public init(_ keys: SubjectKeys, capacity: Int = 65_536) {
        self.keys = keys
        var bits: UInt32 = 6
        while bits < 22, 1 << bits < capacity { bits += 1 }
        shift = 32 - bits
        entries = Array(repeating: Entry(), count: 1 << Int(bits))
    }

    public mutating func key(_ number: UInt32) -> SubjectLookup {
        let index = Int(number >> 16)
        guard index < chunks.count, let chunk = chunks[index], !chunk.isRetired else { return missed(number, index) }
        let mark = chunk.mark(slot: Int(number & 0xFFFF))
        // Multiplied by a large odd number (Knuth, TAOCP 6.4): neighbours do not crowd each other out.
        let place = Int((number &* 2_654_435_769) >> shift)
        if entries[place].number == number, entries[place].mark == mark, let key = entries[place].key {
            return .key(SubjectKey(number: number, symmetric: key))
        }
        guard case .key(let key) = keys.read(number, chunk), number > 0 else {
            entries[place] = Entry()
            return keys.key(number)
        }
        entries[place] = Entry(number: number, mark: mark, key: key.symmetric)
        return .key(key)
    }

    /// The file is new to this loop, or was replaced.
    private mutating func missed(_ number: UInt32, _ index: Int) -> SubjectLookup {
        let chunk = keys.chunk(UInt32(index))
        if chunk != nil || index < chunks.count {
            while chunks.count <= index { chunks.append(nil) }
            chunks[index] = chunk
        }
        return keys.key(number)
    }
}

import Crypto

/// One data key, unwrapped: seals the records of one message class and one day.
public struct DataKey: Sendable {
    /// Stands in every record sealed with it; never reused.
    public let id: UInt32
    /// Raw value of the message class.
    public let messageClass: UInt8
    /// Days since 1970-01-01, UTC.
    public let day: Int32
    let symmetric: SymmetricKey

    /// Days since 1970-01-01 of a wall time in microseconds.
    public static func day(ofMicroseconds wall: Int64) -> Int32 {
        let length: Int64 = 86_400_000_000
        return Int32(clamping: wall >= 0 ? wall / length : (wall + 1) / length - 1)
    }
}

extension DataKey: CustomStringConvertible, CustomReflectable {
    public var description: String { "data key \(Hex.text(id))" }
    public var customMirror: Mirror { Mirror(self, children: ["id": id]) }
}

/// The keys a loop seals with, beside it: a look-up is a comparison. Confined to that loop.
///
/// Holds four days of sixteen classes; what was destroyed in the store is forgotten here at the next look-up.
public struct DataKeyCache: ~Copyable {
    private let store: KeyStore
    private var slots: [DataKey?]
    private var generation: UInt64

    public init(_ store: KeyStore) {
        self.store = store
        slots = Array(repeating: nil, count: 64)
        generation = store.generation
    }

    /// The key new records of this class and day are sealed with. Comes from memory when `KeyStore.prepare` has made that day's keys;
    /// else it is made here and now, which costs two syncs of the disk.
    public mutating func key(class messageClass: UInt8, day: Int32) throws(KeyStoreFault) -> DataKey {
        if generation != store.generation {
            generation = store.generation
            for index in slots.indices { slots[index] = nil }
        }
        let index = Int(messageClass & 15) << 2 | Int(day & 3)
        if let key = slots[index], key.day == day, key.messageClass == messageClass { return key }
        let key = try store.key(class: messageClass, day: day)
        slots[index] = key
        return key
    }
}

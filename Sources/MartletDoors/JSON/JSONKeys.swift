/// The keys of all objects that are open, so that no object has one twice.
///
/// A few dozen live in room on the stack and are told apart by a mark first; what goes beyond is kept in a set per object
/// (whose hash is seeded by the process), so that a body of many keys costs time in proportion to its length.
struct JSONKeys {
    /// Entries on the stack: 1.5 KiB.
    static let room = 64

    struct Entry {
        var offset: Int
        var count: Int
        var mark: UInt32
        var hasEscapes: Bool
    }

    /// Keys of one object: entries from `base` on, then the set.
    struct OfOneObject: ~Copyable {
        fileprivate let base: Int
        fileprivate var more: Set<[UInt8]>?
    }

    private let entries: UnsafeMutableBufferPointer<Entry>
    private var count = 0

    /// - Parameter entries: room for entries, not initialised, that outlives this value.
    init(_ entries: UnsafeMutableBufferPointer<Entry>) { self.entries = entries }

    func open() -> OfOneObject { OfOneObject(base: count) }

    mutating func close(_ object: borrowing OfOneObject) { count = object.base }

    /// False when the object has the key already.
    @inline(__always)
    mutating func add(_ key: JSONText, to object: inout OfOneObject, in body: UnsafeRawBufferPointer) -> Bool {
        let mark = key.mark
        for at in object.base..<count where entries[at].mark == mark {
            let entry = entries[at]
            if JSONText(body, entry.offset..<entry.offset + entry.count, hasEscapes: entry.hasEscapes) == key { return false }
        }
        guard count < entries.count else { return Self.insert(key, &object.more) }
        let entry = Entry(offset: key.offset, count: key.raw.count, mark: mark, hasEscapes: key.hasEscapes)
        entries.initializeElement(at: count, to: entry)
        count &+= 1
        return true
    }

    private static func insert(_ key: JSONText, _ more: inout Set<[UInt8]>?) -> Bool {
        if more == nil { more = [] }
        return more?.insert(key.octets).inserted ?? false
    }
}

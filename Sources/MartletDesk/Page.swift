/// A stretch of a list, and where to go on. The cursor is the key of the last item in a form that the API makes opaque; so what is
/// added or taken out meanwhile shifts nothing.
public struct Page<Item: Sendable>: Sendable {
    public var items: [Item]
    /// Nil: that was all.
    public var next: Cursor?

    public init(items: [Item], next: Cursor?) {
        self.items = items
        self.next = next
    }

    /// - Parameter items: one more than `limit` where there are more.
    public init(_ items: [Item], limit: Int, cursor: (Item) -> Cursor) {
        self.items = Array(items.prefix(limit))
        next = items.count > limit ? self.items.last.map(cursor) : nil
    }
}

/// Where a list goes on: behind the item with this key.
public struct Cursor: Hashable, Sendable {
    public var key: [UInt8]

    public init(key: [UInt8]) { self.key = key }
    public init(text: String) { key = Array(text.utf8) }
    public init(number: Int64) { key = Array(String(number).utf8) }

    public var text: String { String(decoding: key, as: UTF8.self) }
    /// - Throws: `.invalid`: it is not one of this list.
    public func number() throws(DeskFault) -> Int64 {
        guard let number = Int64(text) else { throw .invalid([FieldFault("cursor", "malformed", "it is not one of this list")]) }
        return number
    }
}

/// How much of a list a caller asks for.
public struct PageWish: Sendable {
    public static let usual = 50
    public static let most = 500

    public var after: Cursor?
    public var limit: Int

    public init(after: Cursor? = nil, limit: Int = PageWish.usual) throws(DeskFault) {
        guard (1...PageWish.most).contains(limit) else {
            throw .invalid([FieldFault("limit", "range", "1 to \(PageWish.most)")])
        }
        self.after = after
        self.limit = limit
    }
}

public import MartletModel

/// Customers of the store as the node's local copy wants them.
public protocol CustomerImages: Sendable {
    /// Customers with a number above `after`, in the order of their numbers, without those that were erased; fewer than `limit` are the last.
    func images(after: SubjectNumber, limit: Int) async throws -> [CustomerImage]
    /// What was changed after the change of this number, in the order of the numbers. A change is visible only when all with lower numbers are.
    func changes(after: Int64, limit: Int) async throws -> [(change: Int64, CustomerChange)]
    /// Number of the newest change; 0: there was none.
    func newestChange() async throws -> Int64
    /// Of the changes after this number those that no file made, in the order of the numbers. However many `changes` there are, these are found at once.
    func urgent(after: Int64, limit: Int) async throws -> [(change: Int64, CustomerChange)]
    /// These need not be told any more: the node has all changes up to this number.
    /// - Returns: how many were forgotten, `limit` at most.
    func dropUrgent(upTo change: Int64, limit: Int) async throws -> Int
}

/// The node's side of its local copy, as the desk reaches it.
public protocol LocalNode: Sendable {
    /// - Throws: when there is no node to ask.
    func figures() async throws -> LocalNodeFigures
    /// Hands over a `ChangeBatch`; it is durable and seen when this returns. The same changes may come again.
    /// - Returns: the number of the overlay's newest change.
    func apply(_ batch: [UInt8]) async throws -> UInt64
}

/// How the node's local copy stands.
public struct LocalNodeFigures: Equatable, Sendable {
    /// Of the base file in use; 0: there is none.
    public var version: UInt64
    /// Number of the overlay's newest change.
    public var newest: UInt64
    /// Changes and bytes of the overlay, and how many it may have.
    public var changes: Int
    public var changesLimit: Int
    public var bytes: Int
    public var bytesLimit: Int

    public init(version: UInt64, newest: UInt64, changes: Int, changesLimit: Int, bytes: Int, bytesLimit: Int) {
        self.version = version
        self.newest = newest
        self.changes = changes
        self.changesLimit = changesLimit
        self.bytes = bytes
        self.bytesLimit = bytesLimit
    }

    /// Half of what it may have: time for the next base file.
    var isHalfFull: Bool { changes * 2 > changesLimit || bytes * 2 > bytesLimit }
}

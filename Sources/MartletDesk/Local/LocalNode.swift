public import MartletModel

/// Customers of the store as the node's local copy wants them.
public protocol CustomerImages: Sendable {
    /// Customers with a number above `after`, in the order of their numbers, without those that were erased.
    func images(after: SubjectNumber, limit: Int) async throws -> CustomerImagePage
    /// What was changed after the change of this number, in the order of the numbers. A change is visible only when all with lower numbers are.
    func changes(after: Int64, limit: Int) async throws -> CustomerChangePage
    /// Number of the newest change; 0: there was none.
    func newestChange() async throws -> Int64
    /// Of the changes after this number those that no file made, in the order of the numbers. However many `changes` there are, these are found at once.
    func urgent(after: Int64, limit: Int) async throws -> CustomerChangePage
    /// These need not be told any more: the node has all changes up to this number.
    /// - Returns: how many were forgotten, `limit` at most.
    func dropUrgent(upTo change: Int64, limit: Int) async throws -> Int
    /// Keeps in mind customers whose rows are damaged, so that they come as changes when they are whole again.
    func setAside(_ subjects: [SubjectNumber]) async throws
}

/// A stretch of customers.
public struct CustomerImagePage: Sendable {
    public var images: [CustomerImage] = []
    /// Customers whose rows are not as they were written, and who are not set aside yet; none of them is in `images`.
    public var damaged: [SubjectNumber] = []
    /// After which number the next stretch begins; nil: there are no more.
    public var next: SubjectNumber?

    public init(images: [CustomerImage] = [], damaged: [SubjectNumber] = [], next: SubjectNumber? = nil) {
        (self.images, self.damaged, self.next) = (images, damaged, next)
    }
}

/// A stretch of changes.
public struct CustomerChangePage: Sendable {
    public var changes: [(change: Int64, CustomerChange)] = []
    /// Customers whose rows are not as they were written; in `changes` they are erased.
    public var damaged: [SubjectNumber] = []
    /// Number of a change; all up to it are in this stretch or those before.
    public var through: Int64
    /// There may be more.
    public var isFull: Bool

    public init(changes: [(change: Int64, CustomerChange)] = [], damaged: [SubjectNumber] = [], through: Int64, isFull: Bool) {
        (self.changes, self.damaged, self.through, self.isFull) = (changes, damaged, through, isFull)
    }
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

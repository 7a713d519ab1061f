public import MartletModel

/// What one call into the engine brought forth. The node appends the records to its log in order and does what `after`
/// says once they are durable: a state changes here at once, its effects leave only then. Reused from call to call.
public struct Turn: ~Copyable {
    public var now: Instant
    public var records: [Emitted] = []
    /// Plain payloads of the records of this turn, one after the other.
    public var payloads: [UInt8] = []

    public struct Emitted {
        public var record: Record
        /// The message it belongs to; nil for marks and orphans, and one that names no message where only `after` counts.
        public var slot: SlotReference?
        public var sealed: Sealed
        public var after: After
        /// Of a preference that was just said: the handset's number, from which the node makes the hash that the record keeps.
        public var handset: PhoneNumber?
        /// Under which hashes an acceptance is searched for.
        public var lookup = Lookup()
        /// Of an event: whose key seals it, whatever number stands in it; 0: nobody's.
        public var subject: SubjectNumber = 0
    }

    /// What became of a payload that was to be read back from the log.
    public enum Loaded: Sendable {
        case payload([UInt8])
        /// Damaged: an alarm was raised.
        case lost
        /// Its customer was erased: it can be opened no more, by design.
        case erased
    }

    /// Keyed hashes of a message's number, and of its source's reference where it has one; 0: none.
    public struct Lookup: Equatable, Sendable {
        public var number: UInt64 = 0
        public var reference: UInt64 = 0
        public init() {}
    }

    /// What goes into the sealed part.
    public enum Sealed {
        case none
        /// This range of `payloads`.
        case payload(Range<Int>)
        /// Ciphertext as it was read, with the key that sealed it.
        case copy([UInt8], keyID: UInt32)
    }

    /// What the engine is told once the record is durable.
    public enum After: Sendable {
        case nothing
        /// The message may be handed over: put it into its lane.
        case ready
        /// As `ready`, before those that had no turn yet: a provider was too busy for it.
        case again
        /// It ended: its memory may go.
        case retire
        /// Its payload was copied forward: the old record is not needed any more.
        case moved
        /// As `moved`, and it may be handed over if that was decided: a decision that was due.
        case decided
        /// As `again`, of a restart; or the end of a hold: nothing is handed over before all of these are durable.
        case recovered
        /// It goes to another group: out of the queue of this one and into that of its own.
        case shifted(from: GroupNumber)
    }

    public init(now: Instant) { self.now = now }

    public mutating func begin(_ now: Instant) {
        self.now = now
        records.removeAll(keepingCapacity: true)
        payloads.removeAll(keepingCapacity: true)
    }
}

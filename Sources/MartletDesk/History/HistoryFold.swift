public import MartletModel
public import SQL

/// Something that is counted or kept from the records of one batch, in the transaction that moves the projector's cursor: so each record
/// counts exactly once. A fresh one is made for each batch. A copy forward (`carried`) is offered too, and repeats what was there before.
public protocol HistoryFold: Sendable {
    /// Every record that is projected, in the order of the log: its header, and its clear part.
    mutating func take(_ header: RecordHeader, _ body: RecordBody)
    /// Writes what was taken. Called again, with the same content, after a transaction that was rolled back.
    func write(_ session: SQLSession) throws
}

/// What a customer said with an opt-out word: a record of the log for whoever keeps consents.
public struct PreferenceChange: Sendable, Equatable {
    /// Keyed hash of the number as the log has it (`LookupHash.number`, under `KeyStore.partitionHashKey`).
    public var number: UInt64
    /// Keyed hash of the same number under which customers are found; 0: not known, as in a copy forward.
    public var address: UInt64
    /// Classes that are not wanted; none: all are wanted again.
    public var unwanted: ClassSet
    /// Wall microseconds.
    public var at: Int64
    public var partition: PartitionNumber
    public var sequence: UInt64

    /// What customers with the number are to know of it; nil: a copy forward, of what they know.
    public var fact: (hash: UInt64, fact: AddressFact)? {
        guard address != 0 else { return nil }
        return (address, AddressFact(unwanted.isEmpty ? .optedIn : .optedOut, at: FactTime(clamping: at / 1_000_000)))
    }
}

/// What a customer said of a package by a word from a handset: a record of the log for whoever keeps customers.
public struct PackageSaid: Sendable, Equatable {
    public var subject: SubjectNumber
    public var word: PackageWord
    /// The message that said so.
    public var message: MessageID
}

/// Records that history lacks, and never will have from this log.
public struct HistoryGap: Sendable, Equatable {
    public enum Kind: String, Sendable {
        case trimmed, damaged
        case cutBack = "cut-back"
        /// Of a form that this program does not know.
        case unreadable
    }

    public var kind: Kind
    /// Raw positions of the log.
    public var from: UInt64
    public var to: UInt64
}

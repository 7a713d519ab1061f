import Glibc

/// An operation on the disk that did not work.
public struct JournalFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: String, Sendable {
        /// The device or file system failed.
        case io
        /// No room: ENOSPC or EDQUOT.
        case full
        /// An earlier failure stopped the journal; nothing is written until it is closed and opened again.
        case stopped
        /// The journal has been closed.
        case closed
        /// A batch did not begin where the one before it ended: one was cut and never written.
        case order
        /// What was to be copied from a failed segment did not pass its checksums.
        case damaged
    }

    public enum Operation: String, Sendable {
        case open, read, write, sync, rename, link, remove, list, status, lock, makeDirectory, syncDirectory, commit
    }

    public let kind: Kind
    /// The system's error number; 0 when the failure is not the system's.
    public let errno: Int32
    public let operation: Operation

    public init(kind: Kind, errno: Int32 = 0, operation: Operation) {
        self.kind = kind
        self.errno = errno
        self.operation = operation
    }

    init(_ code: Int32, _ operation: Operation) {
        self.init(kind: code == ENOSPC || code == EDQUOT ? .full : .io, errno: code, operation: operation)
    }

    public var description: String { "journal \(operation.rawValue) failed: \(kind.rawValue), errno \(errno)" }
}

/// Why a journal did not open.
public enum JournalError: Error, Hashable, Sendable {
    /// Another process, or another opening in this one, holds the directory's lock.
    case inUse
    /// A setting is out of range; says which and why.
    case options(String)
    /// A segment was written by a newer version, which this one does not know.
    case newerFormat(segment: UInt32, version: UInt16)
    /// A segment carries another journal's identifier: files of two journals are mixed in one directory.
    case foreign(segment: UInt32)
    /// No segment number is left (after four thousand million of them).
    case exhausted
    case failure(JournalFailure)
}

/// Why a record was not appended. Nothing has been changed.
public enum AppendError: Error, Hashable, Sendable {
    /// A record holds 1 byte to `limit` bytes.
    case size(Int, limit: Int)
    /// `Options.batchesInMemory` batches wait to be written or are being written: answer "try later".
    case behind
    case exhausted
}

/// Why a record could not be read.
public enum ReadError: Error, Hashable, Sendable {
    /// The position lies in a segment that was trimmed.
    case trimmed
    /// No record begins there, or it has not been committed.
    case notFound
    /// What is there does not pass its checksum.
    case damaged
    case failure(JournalFailure)
}

/// What became of a batch.
public enum WriteResult: Hashable, Sendable {
    /// On the disk: it survives a power cut.
    case durable
    /// Not known to be on the disk: after the next opening it may be there whole, or not at all.
    case failed(JournalFailure)
}

import Synchronization

/// Number of the key that sealed a record. The highest bit tells whose it is: 0, of a class and a day (`KeyStore`); 1, of the subject whose
/// number are the other 31 bits (`SubjectKeys`). 0 is none.
public struct RecordKeyID: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    private static let subjectBit: UInt32 = 0x8000_0000

    /// - Parameter subject: below 2^31, as all that are given out.
    public init(subject: UInt32) { rawValue = RecordKeyID.subjectBit | subject }

    /// Nil: a key of a class and a day.
    public var subject: UInt32? { rawValue & RecordKeyID.subjectBit == 0 ? nil : rawValue & ~RecordKeyID.subjectBit }
}

/// All keys that records of the log are sealed with, for whoever opens them. From any thread but a loop: a key that is not in memory is read
/// from its file.
public final class RecordKeys: Sendable {
    public let days: KeyStore
    /// Nil until there is a customer with a key.
    private let held: Mutex<SubjectKeys?>

    public init(days: KeyStore, subjects: SubjectKeys?) {
        self.days = days
        held = Mutex(subjects)
    }

    public var subjects: SubjectKeys? { held.withLock { $0 } }

    /// The store of subjects' keys came to be, or was opened.
    public func take(_ subjects: SubjectKeys) { held.withLock { $0 = subjects } }

    /// The key that a record names.
    /// - Throws: `.erased` when its subject was erased: it is gone for good. `.noSuchKey` when the key is not there (any more).
    public func key(_ keyID: UInt32) throws(SealFault) -> RecordKey {
        guard let subject = RecordKeyID(rawValue: keyID).subject else {
            guard let key = days.key(id: keyID) else { throw .noSuchKey(keyID: keyID) }
            return .day(key)
        }
        switch subjects?.key(subject) ?? .unknown {
        case .key(let key): return .subject(key)
        case .erased: throw .erased(subject: subject)
        case .unknown, .damaged: throw .noSuchKey(keyID: keyID)
        }
    }

    /// Opens the sealed part of a record with the key that the record names.
    /// - Throws: as `key`, and what opening throws.
    public func open(
        _ sealed: UnsafeRawBufferPointer, context: SealContext, keyID: UInt32
    ) throws(SealFault) -> [UInt8] {
        try Sealer.open(sealed, context: context, key: key(keyID))
    }
}

/// The key that one record is sealed with.
public enum RecordKey: Sendable {
    case day(DataKey)
    case subject(SubjectKey)

    public var id: RecordKeyID {
        switch self {
        case .day(let key): RecordKeyID(rawValue: key.id)
        case .subject(let key): RecordKeyID(subject: key.number)
        }
    }

    /// Raw value of the message class that the key belongs to; nil: a subject's.
    public var messageClass: UInt8? {
        switch self {
        case .day(let key): key.messageClass
        case .subject: nil
        }
    }
}

extension Sealer {
    public static func open(_ sealed: UnsafeRawBufferPointer, context: SealContext, key: RecordKey) throws(SealFault) -> [UInt8] {
        switch key {
        case .day(let key): try open(sealed, context: context, key: key)
        case .subject(let key): try open(sealed, context: context, key: key)
        }
    }

    /// As with a data key; the record names `key.id`.
    public mutating func seal(
        _ plaintext: UnsafeRawBufferPointer, context: SealContext, key: RecordKey, into output: UnsafeMutableRawBufferPointer
    ) throws(SealFault) -> Int {
        switch key {
        case .day(let key): try seal(plaintext, context: context, key: key, into: output)
        case .subject(let key): try seal(plaintext, context: context, key: key, into: output)
        }
    }
}
